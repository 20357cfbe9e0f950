//! Searches in rungs, cut off after any fit of any rung.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use linfa::traits::Fit;
use linfa_elasticnet::ElasticNet;
use linfa_mlp::estimator::MlpRegressorParams;
use linfa_mlp::model_selection::{
    Epochs, HalvingSearch, HyperbandSearch, KFold, Progress, RandomSearch, Samples, TargetScaling, Task,
    Updates,
};
use linfa_mlp::optimizer::Adam;
use linfa_mlp::prelude::*;
use linfa_preprocessing::linear_scaling::LinearScaler;

use crate::program::{Counts, data, finished, in_folder, table};

const RATES: [f64; 6] = [1e-4, 1e-3, 0.003, 0.01, 0.03, 0.1];

fn params() -> MlpRegressorParams {
    MlpRegressor::params().hidden_layer_sizes([4]).batch_size(8).seed(5)
}

/// Runs a search for every beginning of its journal. `run` gives the table with the model's bytes, and counts.
fn goes_on_from_every_line(run: impl Fn(&Path, Counts) -> Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let straight = Counts::default();
    let expected = run(&path, straight.clone());
    let whole = fs::read(&path).unwrap();
    let fits = finished(&path).len();
    assert_eq!(fits, straight.started());
    let ends = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    for (rows, end) in ends.skip(1).enumerate() {
        // A kill leaves the beginning of a line behind the last whole one.
        fs::write(&path, &whole[..whole.len().min(end + 30)]).unwrap();
        let counts = Counts::default();
        assert!(run(&path, counts.clone()) == expected, "after {rows} of {fits} rows");
        assert_eq!((counts.restored(), counts.started()), (rows, fits - rows));
        assert_eq!(finished(&path).len(), fits);
    }
}

#[test]
fn halving_goes_on_from_every_fit_of_every_rung() {
    // Their states are gone with the straight search: survivors are trained the whole way again, to the same bits.
    goes_on_from_every_line(|path, counts| {
        let found = HalvingSearch::new(params())
            .axis("rate", RATES, |p, rate| p.optimizer(Adam::new(rate)))
            .resource(Epochs { min: 1, max: 9 })
            .preprocess(LinearScaler::standard())
            .scale_targets(TargetScaling::Standard)
            .cv(KFold::new(2).shuffle(2))
            .journal(path)
            .observer(counts)
            .fit(&data::<f64>(40))
            .unwrap();
        assert!(found.rungs().len() >= 2);
        let mut bytes = table(found.results()).into_bytes();
        bytes.extend(found.best_model().unwrap().model().to_bytes().unwrap());
        bytes
    });
}

#[test]
fn updates_samples_and_brackets_go_on_too() {
    goes_on_from_every_line(|path, counts| {
        let search = HalvingSearch::new(params())
            .axis("rate", RATES, |p, rate| p.optimizer(Adam::new(rate)))
            .resource(Updates { min: 3, max: 20 })
            .scale_targets(TargetScaling::Standard)
            .cv(KFold::new(2));
        let found = search.journal(path).observer(counts).fit(&data::<f64>(40)).unwrap();
        table(found.results()).into_bytes()
    });
    goes_on_from_every_line(|path, counts| {
        let found = HalvingSearch::new(ElasticNet::params())
            .axis("penalty", [0.01, 0.1, 0.3, 1.0, 3.0], |p, penalty| p.penalty(penalty))
            .resource(Samples { min: 6, max: 20 })
            .cv(KFold::new(2))
            .journal(path)
            .observer(counts)
            .fit(&data::<f64>(40))
            .unwrap();
        table(found.results()).into_bytes()
    });
    goes_on_from_every_line(|path, counts| {
        let found = HyperbandSearch::new(params())
            .sample(|p, draw| p.optimizer(Adam::new(draw.log_uniform("rate", 1e-4, 1e-1))))
            .resource(Epochs { min: 1, max: 9 })
            .scale_targets(TargetScaling::Standard)
            .cv(KFold::new(2))
            .journal(path)
            .observer(counts)
            .fit(&data::<f64>(40))
            .unwrap();
        table(found.results()).into_bytes()
    });
}

#[test]
fn survivors_go_on_from_what_lies_beside_the_journal() {
    // For each fit, the first epoch it tells of.
    type Told = Arc<Mutex<BTreeMap<Task, usize>>>;
    let search = |path: &Path, told: &Told, stop: Option<&Arc<AtomicBool>>| {
        let told = Arc::clone(told);
        let search = HalvingSearch::new(params())
            .axis("rate", RATES, |p, rate| p.optimizer(Adam::new(rate)))
            .resource(Epochs { min: 2, max: 6 })
            .scale_targets(TargetScaling::Standard)
            .cv(KFold::new(2))
            .journal(path)
            .on_progress(move |task: Task, progress: Progress| {
                told.lock().unwrap().entry(task).or_insert(progress.done);
            });
        match stop {
            // Stops with the first fit of the second rung.
            Some(flag) => {
                let set = Arc::clone(flag);
                search.stop_flag(Arc::clone(flag)).on_progress(move |task: Task, _: Progress| {
                    set.fetch_or(task.rung == 1, Ordering::SeqCst);
                })
            }
            None => search,
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let states = |path: &Path| fs::read_dir(format!("{}.states", path.display())).map_or(0, Iterator::count);
    let straight = {
        let path = folder.path().join("straight");
        let found = search(&path, &Told::default(), None).fit(&data::<f64>(40)).unwrap();
        assert_eq!(states(&path), 0, "nothing is left behind");
        found
    };
    for damage in [false, true] {
        let path = folder.path().join(format!("journal {damage}"));
        let _ = search(&path, &Told::default(), Some(&Arc::default())).fit(&data::<f64>(40));
        assert!(states(&path) > 0);
        if damage {
            for file in fs::read_dir(format!("{}.states", path.display())).unwrap() {
                let file = file.unwrap().path();
                let bytes = fs::read(&file).unwrap();
                fs::write(&file, &bytes[..bytes.len() - 7]).unwrap();
            }
        }
        let told = Told::default();
        let again = search(&path, &told, None).fit(&data::<f64>(40)).unwrap();
        assert_eq!(table(again.results()), table(straight.results()));
        let bytes = |found: &linfa_mlp::model_selection::FittedSearch<MlpRegressor<f64>, f64, _>| {
            found.best_model().unwrap().model().to_bytes().unwrap()
        };
        assert!(bytes(&again) == bytes(&straight));
        let told = told.lock().unwrap();
        let survivors: Vec<usize> = told
            .iter()
            .filter(|(task, _)| task.rung == 1 && task.fold.is_some())
            .map(|(_, first)| *first)
            .collect();
        assert!(!survivors.is_empty());
        // The first rung trains 2 epochs: a survivor begins with the third, unless its state is no use.
        let first = if damage { 1 } else { 3 };
        assert!(survivors.iter().all(|epoch| *epoch == first), "{survivors:?}");
        assert_eq!(states(&path), 0);
    }
}

#[test]
fn a_search_by_chance_that_draws_more_fits_only_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let of = |n: usize, journal: &Path| {
        let counts = Counts::default();
        let found = RandomSearch::new(params().epochs(2))
            .sample(n, |p, draw| p.optimizer(Adam::new(draw.log_uniform("rate", 1e-4, 1e-1))))
            .scale_targets(TargetScaling::Standard)
            .cv(KFold::new(2))
            .journal(journal)
            .observer(counts.clone())
            .fit(&data::<f64>(40))
            .unwrap();
        (table(found.results()), counts.started())
    };
    assert_eq!(of(3, &path).1, 6);
    let wide = of(5, &path);
    assert_eq!(wide, (of(5, &folder.path().join("straight")).0, 4));
}

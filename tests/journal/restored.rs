//! What is restored, and who hears of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use linfa::traits::Fit;
use linfa_elasticnet::ElasticNet;
use linfa_mlp::Error;
use linfa_mlp::model_selection::{
    CrossValidator, FitRow, GridSearch, Journal, KFold, Scorer, SearchObserver, Task, cross_validate,
};
use linfa_mlp::optimizer::Sgd;
use linfa_mlp::prelude::*;

use crate::program::{
    Counts, NETWORKS, data, finished, in_folder, nets, networks, run_nets, run_networks, table,
};

#[test]
fn restored_rows_keep_their_times_and_are_announced() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let (first, second) = (Counts::default(), Counts::default());
    let a = networks(&path).observer(first.clone()).fit(&data(90)).unwrap();
    let b = networks(&path).observer(second.clone()).fit(&data(90)).unwrap();
    assert_eq!(a.results().to_json().unwrap(), b.results().to_json().unwrap(), "times and all");
    assert_eq!((first.announced(), first.restored(), first.started()), (0, 0, NETWORKS));
    assert_eq!((second.announced(), second.restored(), second.started()), (NETWORKS, NETWORKS, 0));
    let bytes = |found: &linfa_mlp::model_selection::FittedSearch<MlpRegressor<f32, ndarray::Ix1>, _, _>| {
        found.best_model().unwrap().model().to_bytes().unwrap()
    };
    assert!(bytes(&a) == bytes(&b));
}

#[test]
fn a_search_told_to_stop_writes_no_fit_that_may_have_been_cut_short() {
    struct StopAfter(usize, Arc<AtomicBool>, Counts);
    impl SearchObserver for StopAfter {
        fn fit_started(&self, task: Task) {
            self.2.fit_started(task);
        }
        fn fit_finished(&self, row: &FitRow) {
            self.2.fit_finished(row);
            if self.2.finished() >= self.0 {
                self.1.store(true, Ordering::SeqCst);
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let (flag, counts) = (Arc::<AtomicBool>::default(), Counts::default());
    let stop = StopAfter(5, Arc::clone(&flag), counts.clone());
    networks(&path).stop_flag(flag).observer(stop).fit(&data(90)).unwrap();
    let rows = finished(&path).len();
    assert!((4..=counts.started()).contains(&rows) && rows < NETWORKS, "{rows} of {}", counts.started());
    let again = Counts::default();
    let bytes = run_networks(&path, again.clone()).unwrap();
    assert_eq!((again.restored(), again.started()), (rows, NETWORKS - rows));
    assert!(bytes == run_networks(&folder.path().join("straight"), Counts::default()).unwrap());
}

#[test]
fn failures_are_rows_too_and_may_be_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let search = |rates: [f64; 2], journal: Journal| {
        GridSearch::new(MlpRegressor::params().hidden_layer_sizes([4]).epochs(8).batch_size(4))
            .axis("rate", rates, |params, rate| params.optimizer(Sgd::new(rate)))
            .cv(KFold::new(2))
            .journal(journal)
    };
    let run = |rates, journal| {
        let counts = Counts::default();
        let found = search(rates, journal).observer(counts.clone()).fit(&data::<f32>(20));
        (found.map(|found| table(found.results())).map_err(|error| error.to_string()), counts.started())
    };
    let (first, fits) = run([1e30, 1e-6], Journal::at(&path));
    let first = first.unwrap();
    assert!(first.contains("diverged") && fits == 4, "{first}");
    assert_eq!(run([1e30, 1e-6], Journal::at(&path)), (Ok(first.clone()), 0));
    // It would diverge again.
    assert_eq!(run([1e30, 1e-6], Journal::at(&path).retry_failed()), (Ok(first), 0));
    // When every fit fails, the error is that of the first one, restored or not.
    let other = folder.path().join("other");
    let straight = run([1e30, 2e30], Journal::at(&other));
    assert!(straight.0.as_ref().unwrap_err().contains("all 4 fits failed"), "{straight:?}");
    let restored = run([1e30, 2e30], Journal::at(&other));
    assert_eq!((restored.0, restored.1), (straight.0, 0));
}

#[test]
fn cross_validation_goes_on_too_and_replicates_are_fits_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let scores = |replicates: usize, journal: &std::path::Path| {
        let counts = Counts::default();
        let validator = CrossValidator::new()
            .cv(KFold::new(3).shuffle(2))
            .replicates(replicates)
            .journal(journal)
            .observer(counts.clone());
        let params = MlpRegressor::params().hidden_layer_sizes([4]).epochs(2);
        let found = validator.run_by_rows(&params, &data::<f64>(20)).unwrap();
        (table(found.results()), counts.started())
    };
    assert_eq!(scores(1, &path).1, 3);
    assert_eq!(scores(1, &path).1, 0);
    let more = scores(3, &path);
    assert_eq!(more.1, 6, "the first replicates are there");
    assert_eq!(more.0, scores(3, &folder.path().join("straight")).0);

    let validator = || CrossValidator::new().cv(KFold::new(3)).journal(folder.path().join("nets"));
    let net = ElasticNet::params().penalty(0.1);
    let first = validator().run(&net, &data::<f64>(20)).unwrap();
    let again = validator().run(&net, &data::<f64>(20)).unwrap();
    assert_eq!(first, again, "times and all");
    // One file holds several estimators of one study.
    let counts = Counts::default();
    validator().observer(counts.clone()).run(&ElasticNet::params().penalty(0.2), &data::<f64>(20)).unwrap();
    assert_eq!(counts.started(), 3);
}

#[test]
fn a_search_inside_another_needs_a_file_for_each() {
    let folder = tempfile::tempdir().unwrap();
    // The inner searches are of different rows, or at the same time: all but one are refused.
    let inner = nets(Journal::at(in_folder(&folder)).tag("inner"));
    let outer = cross_validate(&inner, &data::<f64>(12), &KFold::new(3), &[Scorer::r2()]).unwrap();
    let failed = outer.rows().iter().filter(|row| !row.status.is_fitted());
    let messages: Vec<&str> = failed.filter_map(|row| row.status.message()).collect();
    let known = |text: &&str| text.contains("another search is writing it") || text.contains("with other");
    assert!(messages.len() == 2 && messages.iter().all(known), "{messages:?}");
}

#[test]
fn the_tightest_data_are_enough() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    // One row to train on and one to score: R² is NaN, and NaN is what comes back.
    let run = || {
        let counts = Counts::default();
        let found = nets(&path).observer(counts.clone()).fit(&data::<f64>(2)).unwrap();
        (table(found.results()), counts.started())
    };
    let (first, again) = (run(), run());
    assert_eq!((first.1, again.1), (4, 0));
    assert_eq!(first.0, again.0);
    let none = nets(&path).fit(&data::<f64>(0)).unwrap_err();
    assert!(matches!(none, Error::NoRows { .. }), "{none}");
    let few = run_nets(nets(&path).cv(KFold::new(13))).unwrap_err();
    assert!(matches!(few, Error::Split { .. }), "{few}");
}

//! One search in several processes that know nothing of each other: their journals, put together, are that of the straight run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use linfa::traits::Fit;
use linfa_mlp::Error;
use linfa_mlp::model_selection::{
    Epochs, FittedSearch, HalvingSearch, Journal, KFold, TargetScaling, nested_cross_validate,
};
use linfa_mlp::optimizer::Adam;
use linfa_mlp::prelude::*;
use ndarray::Array1;

use crate::program::{
    Counts, NETWORKS, data, finished, in_folder, nets, nets_of, networks, run_networks, table,
};

const FOLDER: &str = "SHARD_TEST_FOLDER";
const SHARD: &str = "SHARD_TEST_NUMBER";
const SHARDS: usize = 3;

#[test]
#[ignore = "the other tests start it, as a process of its own"]
fn a_shard_in_a_process_of_its_own() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("the folder is named"));
    let shard: usize = std::env::var(SHARD).expect("the shard is named").parse().expect("a number");
    let search = networks(&folder.join(format!("part-{shard}"))).shard(shard, SHARDS);
    let found = search.fit(&data(90)).expect("the shard does its part");
    let reason = found.best_model().expect_err("a shard has no model").to_string();
    assert!(reason.contains("merge the journals"), "{reason}");
}

#[test]
fn three_processes_have_the_bytes_of_one() {
    let folder = tempfile::tempdir().unwrap();
    let straight = run_networks(&folder.path().join("straight"), Counts::default()).unwrap();
    let start = |shard: usize| {
        let mut command = Command::new(std::env::current_exe().expect("a test knows its own path"));
        command.args(["--ignored", "--exact", "shards::a_shard_in_a_process_of_its_own"]);
        command.env(FOLDER, folder.path()).env(SHARD, shard.to_string());
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the test starts itself")
    };
    let mut children: Vec<_> = (0..SHARDS).map(start).collect();
    assert!(children.iter_mut().all(|child| child.wait().expect("the shard ends").success()));
    let parts: Vec<PathBuf> = (0..SHARDS).map(|shard| folder.path().join(format!("part-{shard}"))).collect();
    assert!(parts.iter().all(|part| finished(part).len() == NETWORKS / SHARDS));
    let all = folder.path().join("all");
    assert_eq!(Journal::merge(&parts, &all).unwrap(), NETWORKS);
    let counts = Counts::default();
    assert!(run_networks(&all, counts.clone()).unwrap() == straight);
    assert_eq!((counts.started(), counts.restored()), (0, NETWORKS));
}

type Found = FittedSearch<MlpRegressor<f64>, f64, Array1<f64>>;

fn halving(journal: &Path, counts: Counts, shard: Option<usize>) -> Found {
    let search = HalvingSearch::new(MlpRegressor::params().hidden_layer_sizes([4]).batch_size(8).seed(5))
        .axis("rate", [1e-4, 1e-3, 0.003, 0.01, 0.03, 0.1], |p, rate| p.optimizer(Adam::new(rate)))
        .resource(Epochs { min: 1, max: 9 })
        .scale_targets(TargetScaling::Standard)
        .cv(KFold::new(2).shuffle(2))
        .journal(journal)
        .observer(counts);
    let search = match shard {
        Some(shard) => search.shard(shard, SHARDS),
        None => search,
    };
    search.fit(&data::<f64>(40)).unwrap()
}

#[test]
fn rungs_are_done_one_after_the_other_with_a_merge_between() {
    let folder = tempfile::tempdir().unwrap();
    let straight = halving(&folder.path().join("straight"), Counts::default(), None);
    let all = folder.path().join("all");
    let part = |shard: usize| folder.path().join(format!("part-{shard}"));
    let mut fits = 0;
    for rung in 0..straight.rungs().len() {
        for shard in 0..SHARDS {
            if rung > 0 {
                // What the others have done, states included.
                Journal::merge([&all], part(shard)).unwrap();
            }
            let counts = Counts::default();
            let found = halving(&part(shard), counts.clone(), Some(shard));
            assert_eq!(found.rungs().len(), rung + 1);
            fits += counts.started();
        }
        Journal::merge((0..SHARDS).map(part), &all).unwrap();
    }
    assert_eq!(fits, straight.results().rows().len(), "no fit is done twice");
    let counts = Counts::default();
    let merged = halving(&all, counts.clone(), None);
    assert_eq!((counts.started(), counts.restored()), (0, fits));
    assert_eq!(table(merged.results()), table(straight.results()));
    let bytes = |found: &Found| found.best_model().unwrap().model().to_bytes().unwrap();
    assert!(bytes(&merged) == bytes(&straight));
}

#[test]
fn outer_folds_are_divided_among_shards() {
    let folder = tempfile::tempdir().unwrap();
    let run = |search| nested_cross_validate(&search, &data::<f64>(12), &KFold::new(4)).unwrap();
    let straight = run(nets(folder.path().join("straight")));
    let part = |shard: usize| folder.path().join(format!("part-{shard}"));
    for shard in 0..SHARDS {
        let nested = run(nets(part(shard)).shard(shard, SHARDS));
        let done = nested.outer().rows().iter().filter(|row| row.status.is_fitted()).count();
        assert_eq!((done, nested.inner().iter().flatten().count()), if shard == 0 { (2, 2) } else { (1, 1) });
    }
    let all = folder.path().join("all");
    assert_eq!(Journal::merge((0..SHARDS).map(part), &all).unwrap(), 4 * (2 * 2 + 1));
    let counts = Counts::default();
    let merged = run(nets(&all).observer(counts.clone()));
    assert_eq!((counts.started(), counts.restored()), (0, 4));
    assert_eq!(merged.outer().test_scores("r2"), straight.outer().test_scores("r2"));
    assert_eq!(merged.optimism(), straight.optimism());
}

#[test]
fn outer_folds_of_older_settings_are_no_reason_to_do_another_shards_folds() {
    let folder = tempfile::tempdir().unwrap();
    let part = |shard: usize| folder.path().join(format!("part-{shard}"));
    // All outer folds of two penalties are known to every shard. A third penalty is not.
    let known = |search: crate::program::Nets, counts: Counts| {
        let search = search.observer(counts);
        nested_cross_validate(&search, &data::<f64>(12), &KFold::new(4)).unwrap()
    };
    for shard in 0..2 {
        known(nets(part(shard)), Counts::default());
        let counts = Counts::default();
        let same = known(nets(part(shard)).shard(shard, 2), counts.clone());
        assert!(same.outer().rows().iter().all(|row| row.status.is_fitted()), "what is known is taken");
        assert_eq!((counts.started(), counts.restored()), (0, 4));
        let before = finished(&part(shard)).len();
        let wider = known(nets_of([0.1, 0.5, 1e-4], part(shard)).shard(shard, 2), Counts::default());
        let rows = wider.outer().rows();
        let own = |fold: usize| fold % 2 == shard;
        assert!(rows.iter().all(|row| row.status.is_fitted() == own(row.fold)), "{rows:?}");
        assert!(rows.iter().all(|row| row.status.is_stopped() != own(row.fold)), "{rows:?}");
        assert_eq!(wider.inner().iter().flatten().count(), 2);
        let new = finished(&part(shard))[before..].to_vec();
        // Two inner fits of the third penalty in each of two outer folds, and the winner's where it is another one.
        assert!((4..=6).contains(&new.len()), "{new:?}");
    }
    let all = folder.path().join("all");
    Journal::merge((0..2).map(part), &all).unwrap();
    let counts = Counts::default();
    let merged = known(nets_of([0.1, 0.5, 1e-4], &all), counts.clone());
    assert_eq!((counts.started(), counts.restored()), (0, 4));
    let straight = known(nets_of([0.1, 0.5, 1e-4], folder.path().join("straight")), Counts::default());
    assert_eq!(merged.outer().test_scores("r2"), straight.outer().test_scores("r2"));
}

#[test]
fn a_shard_that_cannot_be_is_refused_before_the_first_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let error = |search: crate::program::Nets| search.fit(&data::<f64>(12)).unwrap_err().to_string();
    assert_eq!(error(nets(&path).shard(3, 3)), "shard must be below 3, counted from 0, but is 3");
    let none = error(nets(&path).shard(0, 0));
    assert_eq!(none, "shard: number of shards must be at least 1, but is 0");
    let without = linfa_mlp::model_selection::GridSearch::new(linfa_elasticnet::ElasticNet::params())
        .axis("penalty", [0.1], |p, penalty| p.penalty(penalty))
        .shard(0, 2);
    let error: Error = without.fit(&data::<f64>(12)).unwrap_err();
    assert_eq!(error.to_string(), "shard must be unset for a search without a journal, but is set");
    assert!(!path.exists());
    // More shards than fits: some have nothing to do, and say so.
    let idle = nets(&path).shard(6, 7).fit(&data::<f64>(12)).unwrap();
    assert!(idle.best_index().is_none() && idle.results().rows().iter().all(|row| row.status.is_stopped()));
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
    // A single shard is the whole search.
    let whole = nets(&path).shard(0, 1).fit(&data::<f64>(12)).unwrap();
    assert!(whole.best_model().is_ok());
}

//! Journals, and the states of unfinished fits beside them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use linfa::Dataset;
use linfa_elasticnet::{ElasticNet, ElasticNetError, ElasticNetParams};
use linfa_mlp::estimator::MlpRegressorParams;
use linfa_mlp::model_selection::{
    Epochs, FitRow, GridSearch, HalvingSearch, KFold, SearchObserver, SearchResults,
};
use linfa_mlp::optimizer::AnyOptimizer;
use linfa_mlp::prelude::*;
use linfa_mlp::{Error, Result};
use ndarray::{Array1, Ix1};

use crate::checksum;
use crate::harness::Reader;
use crate::models;

fn data() -> Dataset<f64, f64, Ix1> {
    Dataset::new(models::rows(12, 2), Array1::from_shape_fn(12, |i| (i % 5) as f64))
}

/// The table without times.
fn table(results: &SearchResults) -> Vec<u8> {
    fn without_times(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Object(map) => {
                map.retain(|key, _| !key.ends_with("seconds"));
                map.values_mut().for_each(without_times);
            }
            serde_json::Value::Array(list) => list.iter_mut().for_each(without_times),
            _ => {}
        }
    }
    let mut json = results.to_json().expect("results are JSON");
    without_times(&mut json);
    json.to_string().into_bytes()
}

fn nets(journal: &Path) -> Result<Vec<u8>> {
    type Nets = GridSearch<ElasticNetParams<f64>, f64, f64, ElasticNetError>;
    let search: Nets = GridSearch::new(ElasticNet::params())
        .axis("penalty", [0.1, 0.5], |params, penalty| params.penalty(penalty))
        .cv(KFold::new(2))
        .journal(journal);
    Ok(table(linfa::traits::Fit::fit(&search, &data())?.results()))
}

pub fn journal() -> Reader {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.journal");
    nets(&path).expect("it searches");
    let seed = fs::read(&path).expect("the journal is there");
    Reader::new("journal", vec![seed], move |bytes| {
        let path = folder.path().join("a.journal");
        fs::write(&path, bytes).expect("the folder can be written");
        match nets(&path) {
            Ok(table) => Some(table),
            Err(
                Error::Journal { .. }
                | Error::OtherStudy { .. }
                | Error::AllFitsFailed { .. }
                | Error::NoModel { .. },
            ) => None,
            Err(other) => panic!("{other}"),
        }
    })
    .sealed_by(checksum::journal)
    // A search has its threads, tables and folds beside the file.
    .factor(1024)
    .slow(10)
}

type Halved = HalvingSearch<MlpRegressorParams, f64, f64>;

/// Two candidates in two folds, of which one goes on to a second epoch.
fn halved(journal: &Path) -> Halved {
    let optimizers: [AnyOptimizer; 2] = [Sgd::default().into(), Adam::default().into()];
    HalvingSearch::new(MlpRegressor::params().hidden_layer_sizes([3]).batch_size(4).seed(1))
        .axis("optimizer", optimizers, |params, optimizer| params.optimizer(optimizer))
        .resource(Epochs { min: 1, max: 2 })
        .factor(2)
        .cv(KFold::new(2))
        .journal(journal)
}

fn halving(journal: &Path) -> Result<Vec<u8>> {
    Ok(table(halved(journal).fit(&data())?.results()))
}

/// A search in rungs that was stopped between them, one of whose states is damaged: it goes on to the same table.
pub fn state() -> Reader {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.journal");
    let states = folder.path().join("a.journal.states");
    let flag = Arc::new(AtomicBool::new(false));
    let stopper = Stopper(Arc::clone(&flag), AtomicUsize::new(0));
    halved(&path).stop_flag(flag).observer(stopper).fit(&data()).expect("it is stopped");
    let before = fs::read(&path).expect("the journal is there");
    let files = fs::read_dir(&states).expect("states are kept").map(|file| file.expect("a file").path());
    let mut kept: Vec<(PathBuf, Vec<u8>)> =
        files.map(|path| (path.clone(), fs::read(&path).expect("a state"))).collect();
    kept.sort();
    let straight = halving(&path).expect("it goes on");
    let seeds = vec![kept[0].1.clone()];
    Reader::new("state of a fit", seeds, move |bytes| {
        let path = folder.path().join("a.journal");
        fs::write(&path, &before).expect("the folder can be written");
        fs::create_dir_all(&states).expect("a folder");
        for (place, (name, whole)) in kept.iter().enumerate() {
            fs::write(name, if place == 0 { bytes } else { whole }).expect("the folder can be written");
        }
        // A state that is no state is not used, and nobody hears of it: refused is what leads to the same table.
        let table = halving(&path).expect("it goes on");
        (bytes == kept[0].1 || table != straight).then_some(table)
    })
    .sealed_by(checksum::frame)
    .factor(4096)
    .slow(30)
}

/// Stops a search when its first rung is finished.
struct Stopper(Arc<AtomicBool>, AtomicUsize);

impl SearchObserver for Stopper {
    fn fit_finished(&self, _: &FitRow) {
        if self.1.fetch_add(1, SeqCst) + 1 == 4 {
            self.0.store(true, SeqCst);
        }
    }
}

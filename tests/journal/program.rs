//! The searches under test, and what is compared of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_elasticnet::{ElasticNet, ElasticNetError, ElasticNetParams};
use linfa_mlp::estimator::MlpRegressorParams;
use linfa_mlp::model_selection::{
    FitRow, GridSearch, Journal, KFold, Scorer, SearchObserver, SearchPlan, SearchResults, TargetScaling,
    Task,
};
use linfa_mlp::optimizer::{Adam, AnyOptimizer, Sgd};
use linfa_mlp::prelude::*;
use linfa_mlp::rng::Stream;
use linfa_preprocessing::linear_scaling::LinearScaler;
use ndarray::{Array1, Array2, Ix1};

pub fn data<F: linfa::Float>(n: usize) -> Dataset<F, F, Ix1> {
    let mut stream = Stream::new(9);
    let x = Array2::from_shape_simple_fn((n, 3), || F::cast(20.0 * stream.uniform() - 5.0));
    let y: Array1<F> = x.rows().into_iter().map(|row| row[0] * row[1] - row[2] + F::cast(100.0)).collect();
    Dataset::new(x, y)
}

/// Networks: 6 candidates in 3 folds, on two threads.
pub const NETWORKS: usize = 18;
pub const THREADS: usize = 2;

pub fn networks(journal: &Path) -> GridSearch<MlpRegressorParams, f32, f32> {
    let optimizers: [AnyOptimizer; 2] = [Sgd::new(0.01).into(), Adam::new(0.01).into()];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(THREADS).build().expect("two threads");
    GridSearch::new(MlpRegressor::params().epochs(25).batch_size(8).seed(3))
        .axis("optimizer", optimizers, |params, optimizer| params.optimizer(optimizer))
        .axis("hidden", [vec![], vec![8], vec![16, 8]], |params, sizes| params.hidden_layer_sizes(sizes))
        .preprocess(LinearScaler::standard())
        .scale_targets(TargetScaling::Standard)
        .cv(KFold::new(3).shuffle(1))
        .scorers([Scorer::neg_mean_squared_error(), Scorer::r2()])
        .train_scores(true)
        .pool(Arc::new(pool))
        .journal(journal)
}

/// The table and the best model of the networks' search, as bytes without times.
pub fn run_networks(journal: &Path, observer: impl SearchObserver + 'static) -> linfa_mlp::Result<Vec<u8>> {
    let found = networks(journal).observer(observer).fit(&data(90))?;
    let mut bytes = table(found.results()).into_bytes();
    bytes.extend(found.best_model()?.model().to_bytes()?);
    Ok(bytes)
}

/// A search over elastic nets.
pub type Nets = GridSearch<ElasticNetParams<f64>, f64, f64, ElasticNetError>;

/// Elastic nets: 2 penalties in 2 folds, each fit quicker than the system can write it down.
pub fn nets(journal: impl Into<Journal>) -> Nets {
    nets_of([0.1, 0.5], journal)
}

pub fn nets_of(penalties: impl IntoIterator<Item = f64>, journal: impl Into<Journal>) -> Nets {
    GridSearch::new(ElasticNet::params())
        .axis("penalty", penalties, |params, penalty| params.penalty(penalty))
        .cv(KFold::new(2))
        .journal(journal)
}

/// The table of the nets' search without times, and the fits that it did.
pub fn run_nets(search: Nets) -> linfa_mlp::Result<(String, usize)> {
    let counts = Counts::default();
    let found = search.observer(counts.clone()).fit(&data(12))?;
    Ok((table(found.results()), counts.started()))
}

/// A search's table as JSON, without times.
pub fn table(results: &SearchResults) -> String {
    let mut json = results.to_json().expect("results are JSON");
    without_times(&mut json);
    json.to_string()
}

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

/// The tasks of a journal's finished fits, as text, in the order of the file.
pub fn finished(journal: &Path) -> Vec<String> {
    let text = std::fs::read(journal).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let of = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line.get(9..)?).ok()?;
        Some(record.get("fit")?["task"].to_string())
    };
    whole.lines().filter_map(of).collect()
}

pub fn in_folder(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("a.journal")
}

/// Counts what an observer is told.
#[derive(Clone, Default)]
pub struct Counts(Arc<[AtomicUsize; 4]>, Arc<std::sync::Mutex<Vec<String>>>);

impl Counts {
    pub fn started(&self) -> usize {
        self.0[0].load(Ordering::SeqCst)
    }

    pub fn finished(&self) -> usize {
        self.0[1].load(Ordering::SeqCst)
    }

    pub fn restored(&self) -> usize {
        self.0[2].load(Ordering::SeqCst)
    }

    /// As the plan said.
    pub fn announced(&self) -> usize {
        self.0[3].load(Ordering::SeqCst)
    }

    pub fn notes(&self) -> Vec<String> {
        self.1.lock().expect("nobody panics with the notes").clone()
    }
}

impl SearchObserver for Counts {
    fn search_started(&self, plan: &SearchPlan) {
        self.0[3].fetch_add(plan.restored, Ordering::SeqCst);
        self.1.lock().expect("nobody panics with the notes").extend(plan.notes.iter().cloned());
    }

    fn fit_started(&self, _: Task) {
        self.0[0].fetch_add(1, Ordering::SeqCst);
    }

    fn fit_finished(&self, _: &FitRow) {
        self.0[1].fetch_add(1, Ordering::SeqCst);
    }

    fn fit_restored(&self, _: &FitRow) {
        self.0[2].fetch_add(1, Ordering::SeqCst);
    }
}

//! The same bytes for any number of threads and any order of tasks.

use std::sync::Arc;

use linfa::prelude::*;
use linfa_elasticnet::ElasticNet;
use linfa_mlp::MlpClassifier;
use linfa_mlp::model_selection::{
    Executor, FitRow, FoldTasks, GridSearch, KFold, Scorer, SearchResults, StratifiedKFold, TargetScaling,
    Task, TrainSizes, Work, cross_val_predict, learning_curve, nested_cross_validate, permutation_test_score,
};
use linfa_mlp::rng::Stream;
use linfa_preprocessing::linear_scaling::LinearScaler;
use serde_json::Value;

/// Everything but the times, as text.
pub fn without_times(results: &SearchResults) -> String {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.retain(|key, _| !key.ends_with("_seconds"));
                map.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut json = results.to_json().unwrap();
    strip(&mut json);
    json.to_string()
}

macro_rules! search {
    () => {
        GridSearch::new(ElasticNet::params())
            .axis("penalty", [0.01, 0.1, 1.0], |p, v| p.penalty(v))
            .axis("l1_ratio", [0.1, 0.9], |p, v| p.l1_ratio(v))
            .preprocess(LinearScaler::standard())
            .scale_targets(TargetScaling::Standard)
            .scorers([Scorer::r2(), Scorer::neg_mean_absolute_error()])
            .train_scores(true)
            .cv(KFold::new(5).shuffle(4))
    };
}

/// Runs every task alone, in an order of its own, opening the fold anew each time.
#[derive(Debug)]
pub struct Shuffled(pub u64);

impl Executor for Shuffled {
    fn threads(&self) -> usize {
        1
    }

    fn execute(&self, work: &dyn Work, done: &(dyn Fn(FitRow) + Sync)) -> linfa_mlp::Result<()> {
        let folds = work.folds();
        let mut tasks: Vec<(&FoldTasks, Task)> = Vec::new();
        for fold in &folds {
            tasks.extend(fold.tasks.iter().map(|&task| (fold, task)));
        }
        Stream::new(self.0).shuffle(&mut tasks);
        for (fold, task) in tasks {
            let row = work.open(fold).fit(task);
            // As a row that comes back from another machine.
            let text = serde_json::to_string(&row)?;
            done(serde_json::from_str(&text)?);
        }
        Ok(())
    }
}

#[test]
fn results_are_the_same_for_any_number_of_threads_and_order_of_tasks() {
    let diabetes = linfa_datasets::diabetes();
    let mut seen = Vec::new();
    for threads in [1, 2, 3, 8] {
        let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap());
        let fitted = search!().pool(pool).fit(&diabetes).unwrap();
        seen.push((without_times(fitted.results()), fitted.best_model().unwrap().predict(&diabetes)));
    }
    for seed in 0..3 {
        let fitted = search!().executor(Shuffled(seed)).fit(&diabetes).unwrap();
        seen.push((without_times(fitted.results()), fitted.best_model().unwrap().predict(&diabetes)));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn evaluations_are_the_same_for_any_number_of_threads() {
    let diabetes = linfa_datasets::diabetes();
    let iris = linfa_datasets::iris();
    let mut seen = Vec::new();
    for threads in [1, 2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        seen.push(pool.install(|| {
            let (params, cv, r2) =
                (ElasticNet::params().penalty(0.1), KFold::new(4).shuffle(2), Scorer::r2());
            let predicted = cross_val_predict(&params, &diabetes, &cv).unwrap();
            let sizes = TrainSizes::new([0.1, 0.5, 1.0]).seed(3);
            let learning =
                learning_curve(&params, &diabetes, &sizes, &cv, std::slice::from_ref(&r2)).unwrap();
            let permutations = permutation_test_score(&params, &diabetes, &cv, &r2, 10, 5).unwrap();
            let nested = nested_cross_validate(&search!().train_scores(false), &diabetes, &cv).unwrap();
            let inner = nested.inner().iter().flatten();
            let winners: Vec<String> = inner.map(|inner| without_times(inner.results())).collect();
            let network = MlpClassifier::params().hidden_layer_sizes([3]).epochs(4).seed(9);
            let proba = network.cross_val_predict_proba(&iris, &StratifiedKFold::new(3)).unwrap();
            let scores = (
                without_times(learning.results()),
                without_times(nested.outer().results()),
                winners,
                permutations,
            );
            (predicted, scores, proba)
        }));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_search_inside_a_search_on_one_small_pool_ends() {
    let diabetes = linfa_datasets::diabetes();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let scores = pool.install(|| {
        let inner = search!().scorers([Scorer::r2()]);
        linfa_mlp::model_selection::cross_validate(&inner, &diabetes, &KFold::new(3), &[Scorer::r2()])
    });
    assert!(scores.unwrap().mean_std("r2").unwrap().mean > 0.4);
}

#[test]
fn public_types_are_send_and_sync() {
    fn is<T: Send + Sync>() {}
    type Model = linfa_elasticnet::ElasticNet<f64>;
    type Targets = ndarray::Array1<f64>;
    is::<linfa_mlp::model_selection::FittedSearch<Model, f64, Targets>>();
    is::<linfa_mlp::model_selection::Pipeline<Model, f64, Targets>>();
    is::<linfa_mlp::model_selection::CrossValidation>();
    is::<GridSearch<linfa_elasticnet::ElasticNetParams<f64>, f64, f64, linfa_elasticnet::ElasticNetError>>();
    is::<Scorer<String>>();
}

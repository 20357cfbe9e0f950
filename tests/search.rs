//! Our estimators inside cross-validation and searches.

// Equal means equal here: both ways compute the same bits.
#![allow(clippy::float_cmp)]

use std::sync::Arc;

use linfa::Dataset;
use linfa::traits::{Fit, Predict};
use linfa_mlp::model_selection::{
    CrossValidation, FittedSearch, GridSearch, KFold, Scorer, SearchResults, StratifiedKFold, TargetScaling,
    cross_validate,
};
use linfa_mlp::optimizer::{Adam, AnyOptimizer, Sgd};
use linfa_mlp::prelude::*;
use linfa_mlp::rng::Stream;
use linfa_preprocessing::linear_scaling::LinearScaler;
use ndarray::{Array1, Array2, Axis, Ix1};

fn regression(n: usize) -> Dataset<f32, f32, Ix1> {
    let mut stream = Stream::new(9);
    let x = Array2::from_shape_simple_fn((n, 4), || (20.0 * stream.uniform() - 5.0) as f32);
    let y: Array1<f32> = x.rows().into_iter().map(|row| row[0] * row[1] - 3.0 * row[2] + 100.0).collect();
    Dataset::new(x, y)
}

/// Three classes by the angle of two features, labelled by words.
fn classes(n: usize) -> Dataset<f64, String, Ix1> {
    let mut stream = Stream::new(10);
    let x = Array2::from_shape_simple_fn((n, 2), || 2.0 * stream.uniform() - 1.0);
    let word =
        |x: f64, y: f64| ["left", "right", "up"][if y > 0.4 { 2 } else { usize::from(x > 0.0) }].to_owned();
    let y: Array1<String> = x.rows().into_iter().map(|row| word(row[0], row[1])).collect();
    Dataset::new(x, y)
}

type Regressors = GridSearch<linfa_mlp::estimator::MlpRegressorParams, f32, f32>;

fn search() -> Regressors {
    let optimizers: [AnyOptimizer; 2] = [Sgd::new(0.01).into(), Adam::new(0.01).into()];
    GridSearch::new(MlpRegressor::params().epochs(6).batch_size(16).seed(3))
        .axis("optimizer", optimizers, |params, optimizer| params.optimizer(optimizer))
        .axis("hidden", [vec![], vec![8], vec![8, 4]], |params, sizes| params.hidden_layer_sizes(sizes))
        .preprocess(LinearScaler::standard())
        .scale_targets(TargetScaling::Standard)
        .cv(KFold::new(5).shuffle(1))
        .scorers([Scorer::neg_mean_squared_error(), Scorer::r2()])
        .train_scores(true)
}

/// The scores of every candidate and fold, as bits.
fn scores(results: &SearchResults) -> Vec<u64> {
    let of = |row: &linfa_mlp::model_selection::FitRow| {
        let train = row.train_scores.clone().unwrap_or_default();
        row.test_scores.iter().copied().chain(train).map(f64::to_bits).collect::<Vec<_>>()
    };
    results.rows().iter().flat_map(of).collect()
}

fn predictions<M>(search: &FittedSearch<M, f32, Array1<f32>>, data: &Dataset<f32, f32, Ix1>) -> Vec<u32>
where
    M: linfa::traits::PredictInplace<Array2<f32>, Array1<f32>>,
{
    let model = search.best_model().expect("there is a best model");
    let predicted: Array1<f32> = model.predict(data);
    predicted.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn the_way_without_copies_gives_the_bits_of_the_way_of_any_estimator() {
    let data = regression(83);
    let fast = search().fit(&data).unwrap();
    let general = Fit::fit(&search(), &data).unwrap();
    assert_eq!(scores(fast.results()), scores(general.results()));
    assert_eq!(fast.best_index(), general.best_index());
    assert_eq!(predictions(&fast, &data), predictions(&general, &data));

    let data = classes(90);
    let params = MlpClassifier::params().hidden_layer_sizes([6]).epochs(5).batch_size(8);
    let (cv, scorers) = (StratifiedKFold::new(4), [Scorer::accuracy()]);
    let fast: CrossValidation = params.cross_validate(&data, &cv, &scorers).unwrap();
    let general = cross_validate(&params, &data, &cv, &scorers).unwrap();
    assert_eq!(fast.test_scores("accuracy"), general.test_scores("accuracy"));
}

#[test]
fn a_search_finds_the_same_on_any_number_of_threads() {
    let data = regression(61);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found = search().pool(Arc::new(pool)).fit(&data).unwrap();
        (scores(found.results()), found.best_index(), predictions(&found, &data))
    };
    let one = on(1);
    for threads in [2, 3, 8] {
        assert!(on(threads) == one, "{threads} threads");
    }
}

#[test]
fn absurd_values_in_the_test_rows_of_a_fold_change_no_weight_and_no_scaler() {
    // One fold is scored on rows 0 to 19. Whatever is in them, its model, scaler and target scaling stay.
    let clean = regression(100);
    let mut poisoned = clean.clone();
    poisoned.records.slice_mut(ndarray::s![..20, ..]).fill(1e6);
    poisoned.targets.slice_mut(ndarray::s![..20]).fill(-1e6);
    let one_fold = |data: &Dataset<f32, f32, Ix1>| {
        let found = search().cv(KFold::new(5)).fit(data).unwrap();
        let rows = found.results().rows();
        let of_fold_0 = rows.iter().filter(|row| row.fold == 0);
        of_fold_0.map(|row| row.train_scores.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(one_fold(&clean), one_fold(&poisoned));
}

#[test]
fn sample_weights_reach_the_folds() {
    // Rows of weight 0 are absent: a search that never sees them gives the same training scores.
    let data = regression(60);
    let keep: Vec<usize> = (0..60).filter(|row| row % 3 != 0).collect();
    let weights = Array1::from_iter((0..60).map(|row| if row % 3 == 0 { 0.0 } else { 1.0 }));
    let weighted = data.clone().with_weights(weights);
    let absent = Dataset::new(data.records.select(Axis(0), &keep), data.targets.select(Axis(0), &keep));
    // Full batches in the given order, so that a row of weight 0 takes no place in one.
    let params = MlpRegressor::params().hidden_layer_sizes([4]).epochs(3).batch_size(100).shuffle(false);
    let all = params.fit(&weighted).unwrap();
    let fewer = params.fit(&absent).unwrap();
    let (a, b) = (all.try_predict(&data.records).unwrap(), fewer.try_predict(&data.records).unwrap());
    // A sum over 60 rows, 20 of them 0, is not taken in the order of a sum over 40.
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() <= 1e-4 * b.abs().max(1.0)), "{a} {b}");
    let scored = |data: &Dataset<f32, f32, Ix1>| {
        let cv = params.cross_validate(data, &KFold::new(3), &[Scorer::r2()]).unwrap();
        cv.test_scores("r2").unwrap()
    };
    assert_ne!(scored(&weighted), scored(&data));
}

#[test]
fn a_candidate_that_diverges_ranks_last_and_stops_nothing() {
    let data = regression(50);
    let found = GridSearch::new(MlpRegressor::params().hidden_layer_sizes([4]).epochs(20).batch_size(5))
        .axis("learning_rate", [1e30, 1e-4, 1e-3], |params, rate| params.optimizer(Sgd::new(rate)))
        .scale_targets(TargetScaling::Standard)
        .cv(KFold::new(3))
        .fit(&data)
        .unwrap();
    let candidates = found.results().candidates();
    assert_eq!(candidates[0].test[0].rank, 3);
    assert_ne!(found.best_index(), Some(0));
    let text = found.results().to_string();
    assert!(text.contains("diverged"), "{text}");
    let rows = found.results().rows();
    assert!(rows.iter().filter(|row| row.candidate != 0).all(|row| row.status.is_fitted()), "{text}");
}

#[test]
fn a_candidate_that_cannot_run_is_named_before_the_first_fit() {
    let data = regression(30);
    let run = |sizes: Vec<Vec<usize>>| {
        GridSearch::new(MlpRegressor::params().epochs(1))
            .axis("hidden", sizes, |params, sizes| params.hidden_layer_sizes(sizes))
            .cv(KFold::new(3))
            .fit(&data)
            .map(|_| ())
    };
    let error = run(vec![vec![4], vec![4, 0]]).unwrap_err();
    assert!(matches!(error, linfa_mlp::Error::Candidate { candidate: 1, .. }), "{error}");
    assert!(
        error.to_string().contains("hidden_layer_sizes[1] must be between 1 and 16777216, but is 0"),
        "{error}"
    );
    let error = run(vec![]).unwrap_err();
    assert!(matches!(error, linfa_mlp::Error::Parameter { .. }), "{error}");
}

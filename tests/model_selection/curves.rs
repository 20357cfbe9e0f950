//! Learning curves, validation curves and permutation tests.

use linfa::prelude::*;
use linfa_elasticnet::ElasticNet;
use linfa_mlp::metric::Direction;
use linfa_mlp::model_selection::{
    CrossValidator, Estimate, KFold, Scorer, StratifiedKFold, TimeSeriesSplit, TrainSizes, cross_validate,
    learning_curve, permutation_test_score, validation_curve,
};
use linfa_mlp::optimizer::Adam;
use linfa_mlp::{Error, MlpClassifier, MlpRegressor};
use linfa_trees::DecisionTree;
use ndarray::{Array1, array};

use crate::toy::{Mean, Mode, data};

fn mae() -> [Scorer<f64>; 1] {
    [Scorer::neg_mean_absolute_error()]
}

#[test]
fn a_learning_curve_ends_where_cross_validation_is() {
    let cv = KFold::new(4).shuffle(1);
    let estimator = Mean::params();
    let curve = learning_curve(&estimator, &data(20), &TrainSizes::default(), &cv, &mae()).unwrap();
    assert_eq!(curve.parameter(), "train_size");
    assert_eq!(curve.numbers().unwrap(), [1.0, 4.0, 8.0, 11.0, 15.0]);
    assert_eq!(estimator.fits(), 5 * 4);
    let whole = cross_validate(&estimator, &data(20), &cv, &mae()).unwrap();
    let scores = curve.test_scores("neg_mean_absolute_error").unwrap();
    assert_eq!(Some(scores[4].clone()), whole.test_scores("neg_mean_absolute_error"));
    let rows: Vec<_> = curve.rows().iter().map(|row| (row.candidate, row.fold, row.train_rows)).collect();
    assert_eq!(&rows[..5], [(0, 0, 1), (0, 1, 1), (0, 2, 1), (0, 3, 1), (1, 0, 4)]);
    assert!(curve.rows().iter().all(|row| row.test_rows == 5));
    // One training row is its own mean.
    assert_eq!(curve.train("neg_mean_absolute_error").unwrap()[0].mean, 0.0);
    assert!(curve.test("r2").is_none());
    assert_eq!(curve.to_string().lines().count(), 7, "{curve}");
}

#[test]
fn larger_sizes_have_the_rows_of_smaller_ones() {
    let seen = |sizes: TrainSizes| {
        let rows = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let kept = rows.clone();
        let scorer = Scorer::new("rows", Direction::Maximize, move |e: &Estimate<'_, f64>| {
            kept.lock().unwrap().push(e.truth.iter().map(|y| *y as usize / 2).collect::<Vec<usize>>());
            0.0
        });
        let pool = std::sync::Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap());
        let validator = CrossValidator::new().cv(KFold::new(2)).scorers([scorer]).pool(pool);
        validator.learning_curve(&Mean::params(), &data(20), &sizes).unwrap();
        let mut rows = rows.lock().unwrap().clone();
        // Test rows and training rows are scored by turns; the training rows of the second fold are below 10.
        rows.retain(|rows| rows[0] < 10);
        rows.sort_by_key(Vec::len);
        rows
    };
    let rows = seen(TrainSizes::new([3, 6, 9]).seed(2));
    let [three, six, nine] = [3, 6, 9].map(|size| rows.iter().find(|rows| rows.len() == size).unwrap());
    assert!(three.iter().all(|row| six.contains(row)) && six.iter().all(|row| nine.contains(row)));
    assert!(nine.is_sorted());
    assert_ne!(three, &[0, 1, 2]);
    let in_order = seen(TrainSizes::new([3, 6]).in_order());
    assert!(in_order.contains(&vec![0, 1, 2]) && in_order.contains(&(0..6).collect()));
}

#[test]
fn sorted_labels_are_no_trap_for_a_learning_curve() {
    let iris = linfa_datasets::iris();
    let sizes = TrainSizes::new([6, 12, 60]);
    let cv = StratifiedKFold::new(5);
    let curve = learning_curve(&DecisionTree::params(), &iris, &sizes, &cv, &[Scorer::accuracy()]).unwrap();
    assert!(curve.test("accuracy").unwrap()[2].mean > 0.85);
    let none = learning_curve(&DecisionTree::params(), &iris, &sizes, &cv, &[]);
    assert!(matches!(none, Err(Error::Parameter { .. })), "no scorers");
    let first = TrainSizes::new([6]).in_order();
    let error =
        learning_curve(&DecisionTree::params(), &iris, &first, &cv, &[Scorer::accuracy()]).unwrap_err();
    assert!(matches!(&error, Error::Split { found, .. } if found.contains("missing in fold 0")), "{error}");
}

#[test]
fn sizes_that_do_not_fit_the_folds_start_no_fit() {
    let estimator = Mean::params();
    let curve = |sizes: &TrainSizes| learning_curve(&estimator, &data(12), sizes, &KFold::new(3), &mae());
    for sizes in [TrainSizes::new([9]), TrainSizes::new([0]), TrainSizes::new(Vec::<usize>::new())] {
        assert!(matches!(curve(&sizes), Err(Error::Parameter { .. })), "{sizes:?}");
    }
    for size in [0.0, 1.01, f64::NAN] {
        assert!(matches!(curve(&TrainSizes::new([size])), Err(Error::Parameter { .. })), "{size}");
    }
    assert_eq!(estimator.fits(), 0);
    // The smallest training set of a time series sets the limit.
    let past =
        learning_curve(&estimator, &data(12), &TrainSizes::default(), &TimeSeriesSplit::new(3), &mae());
    assert_eq!(past.unwrap().numbers().unwrap().last(), Some(&3.0));
}

#[test]
fn a_validation_curve_is_cross_validation_of_each_value() {
    let cv = KFold::new(4).shuffle(3);
    let shifts = [3.0, 0.0, -1.0];
    let curve = validation_curve(&Mean::params(), &data(17), "shift", shifts, |p, v| p.shift(v), &cv, &mae())
        .unwrap();
    assert_eq!(curve.numbers().unwrap(), shifts);
    for (place, shift) in shifts.into_iter().enumerate() {
        let alone = cross_validate(&Mean::params().shift(shift), &data(17), &cv, &mae()).unwrap();
        let scores = &curve.test_scores("neg_mean_absolute_error").unwrap()[place];
        assert_eq!(Some(scores.clone()), alone.test_scores("neg_mean_absolute_error"));
    }
    assert!(curve.train("neg_mean_absolute_error").unwrap()[0].mean.is_finite());
    let by_rows = CrossValidator::new()
        .cv(cv)
        .scorers(mae())
        .validation_curve_by_rows(&Mean::params(), &data(17), "shift", shifts, |p, v| p.shift(v))
        .unwrap();
    assert_eq!(by_rows.test_scores("neg_mean_absolute_error"), curve.test_scores("neg_mean_absolute_error"));
}

#[test]
fn bad_values_start_no_fit_and_failing_ones_are_nan() {
    let estimator = Mean::params();
    let set = |p: Mean, v: f64| p.shift(v);
    let cv = KFold::new(3);
    let bad = validation_curve(&estimator, &data(9), "shift", [0.0, f64::NAN], set, &cv, &mae());
    assert!(matches!(bad, Err(Error::Candidate { candidate: 1, .. })));
    let none = validation_curve(&estimator, &data(9), "shift", Vec::new(), set, &cv, &mae());
    assert!(matches!(none, Err(Error::Parameter { .. })));
    assert_eq!(estimator.fits(), 0);
    let modes = [Mode::Fail, Mode::Fit];
    let curve = validation_curve(&estimator, &data(9), "mode", modes, |p, v| p.mode(v), &cv, &mae()).unwrap();
    let test = curve.test("neg_mean_absolute_error").unwrap();
    assert!(test[0].mean.is_nan() && test[1].mean.is_finite());
    assert!(curve.numbers().is_none());
    assert_eq!(curve.values().map(ToString::to_string).collect::<Vec<_>>(), ["fail", "fit"]);
}

#[test]
fn networks_have_both_curves_without_copies() {
    let diabetes = linfa_datasets::diabetes();
    let params = MlpRegressor::params().hidden_layer_sizes([4]).epochs(3).seed(1);
    let (cv, scorers) = (KFold::new(3), [Scorer::r2()]);
    let sizes = TrainSizes::new([0.2, 1.0]);
    let by_rows = params.learning_curve(&diabetes, &sizes, &cv, &scorers).unwrap();
    let gathered = learning_curve(&params, &diabetes, &sizes, &cv, &scorers).unwrap();
    assert_eq!(by_rows.test_scores("r2"), gathered.test_scores("r2"));
    let iris = linfa_datasets::iris();
    let params = MlpClassifier::params().hidden_layer_sizes([4]).optimizer(Adam::new(0.02)).seed(1);
    let cv = StratifiedKFold::new(3);
    let set = |p: linfa_mlp::estimator::MlpClassifierParams, epochs: usize| p.epochs(epochs);
    let curve = params.validation_curve(&iris, "epochs", [1, 60], set, &cv, &[Scorer::accuracy()]).unwrap();
    let test = curve.test("accuracy").unwrap();
    assert!(test[1].mean > test[0].mean, "{curve}");
}

#[test]
fn a_real_relation_beats_every_permutation_and_noise_does_not() {
    let diabetes = linfa_datasets::diabetes();
    let (params, cv) = (ElasticNet::params().penalty(0.1), KFold::new(3).shuffle(2));
    let real = permutation_test_score(&params, &diabetes, &cv, &Scorer::r2(), 39, 7).unwrap();
    assert_eq!((real.p_value, real.permutation_scores.len()), (1.0 / 40.0, 39));
    assert_eq!(
        Some(real.score),
        cross_validate(&params, &diabetes, &cv, &[Scorer::r2()]).unwrap().mean_std("r2").map(|r2| r2.mean)
    );
    let mut stream = linfa_mlp::rng::Stream::new(5);
    let noise = Dataset::new(diabetes.records, Array1::from_shape_fn(441, |_| stream.uniform()));
    let chance = permutation_test_score(&params, &noise, &cv, &Scorer::r2(), 39, 7).unwrap();
    assert!(chance.p_value > 0.05, "{chance}");
    let as_good = chance.permutation_scores.iter().filter(|&&score| score >= chance.score).count();
    assert_eq!(chance.p_value, (as_good + 1) as f64 / 40.0);
    // Where less is better, the same p-value belongs to the same order of scores.
    let turned = Scorer::new("minus_r2", Direction::Minimize, |e: &Estimate<'_, f64>| -Scorer::r2().score(e));
    let minimized = permutation_test_score(&params, &noise, &cv, &turned, 39, 7).unwrap();
    assert_eq!(minimized.p_value, chance.p_value);
}

#[test]
fn permutations_by_rows_are_the_general_ones() {
    let general = CrossValidator::new().cv(KFold::new(3)).scorers(mae());
    let by_rows = general.permutation_test_by_rows(&Mean::params(), &data(13), 6, 3).unwrap();
    assert_eq!(general.permutation_test(&Mean::params(), &data(13), 6, 3).unwrap(), by_rows);
    assert!(by_rows.to_string().contains("in 6 permutations: p = "), "{by_rows}");
    // Within groups of one row each nothing can change, so every permutation is as good.
    let fixed = general.groups(0..13).permutation_test(&Mean::params(), &data(13), 6, 3).unwrap();
    assert_eq!(fixed.p_value, 1.0);
    assert!(fixed.permutation_scores.iter().all(|&score| score == fixed.score));
}

#[test]
fn permutations_without_a_score_count_as_good() {
    let estimator = Mean::params();
    let none = permutation_test_score(&estimator, &data(9), &KFold::new(3), &Scorer::r2(), 0, 1);
    assert!(matches!(none, Err(Error::Parameter { .. })));
    assert_eq!(estimator.fits(), 0);
    let failing = Mean::params().mode(Mode::FailInFirstFold);
    let failed = permutation_test_score(&failing, &data(9), &KFold::new(3), &Scorer::r2(), 3, 1);
    assert!(matches!(failed, Err(Error::FoldFailed { fold: 0, what: "score", .. })));
    // The scorer knows the targets' own order and has nothing to say of any other.
    let own = Scorer::new("own", Direction::Maximize, |e: &Estimate<'_, f64>| {
        let steps: Vec<f64> = e.truth.iter().copied().collect();
        if steps.windows(2).all(|pair| pair[1] - pair[0] == 2.0) { 1.0 } else { f64::NAN }
    });
    let test = permutation_test_score(&Mean::params(), &data(12), &KFold::new(3), &own, 4, 1).unwrap();
    assert_eq!((test.score, test.p_value), (1.0, 1.0));
    // A single class in three folds of four rows: most orders leave a fold without it.
    let rare = Dataset::new(
        ndarray::Array2::from_shape_fn((12, 1), |(row, _)| row as f64),
        array![0_usize, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1],
    );
    let test =
        permutation_test_score(&DecisionTree::params(), &rare, &KFold::new(3), &Scorer::accuracy(), 10, 1);
    assert!(test.is_ok(), "{test:?}");
}

#[test]
fn weights_reach_every_function() {
    let weights: Array1<f32> = (0..12).map(|row| 1.0 + row as f32).collect();
    let dataset = data(12).with_weights(weights);
    let sum = Scorer::new("weight", Direction::Maximize, |e: &Estimate<'_, f64>| {
        e.weights.map_or(f64::NAN, |weights| weights.iter().map(|&weight| f64::from(weight)).sum())
    });
    let (cv, scorers) = (KFold::new(3), [sum.clone()]);
    // Folds of rows 1 … 4, 5 … 8, 9 … 12.
    let expected = vec![10.0, 26.0, 42.0];
    let estimator = Mean::params();
    let sizes = TrainSizes::new([4, 8]);
    let curve = learning_curve(&estimator, &dataset, &sizes, &cv, &scorers).unwrap();
    assert_eq!(curve.test_scores("weight").unwrap(), [expected.clone(), expected.clone()]);
    let set = |p: Mean, shift: f64| p.shift(shift);
    let curve = validation_curve(&estimator, &dataset, "shift", [1.0], set, &cv, &scorers).unwrap();
    assert_eq!(curve.test_scores("weight").unwrap(), [expected]);
    let test = permutation_test_score(&estimator, &dataset, &cv, &sum, 3, 1).unwrap();
    assert_eq!((test.score, &test.permutation_scores[..]), (26.0, &[26.0; 3][..]));
    let kept = CrossValidator::new().cv(cv).scorers(scorers).run_keeping(&estimator, &dataset).unwrap();
    assert_eq!(kept.scores().mean_std("weight").map(|weight| weight.mean), Some(26.0));
    let seen = estimator.0.seen.lock().unwrap();
    assert_eq!(seen.len(), 2 * 3 + 3 + 4 * 3 + 3);
    assert!(seen.iter().all(|(rows, weights, _)| weights.len() == *rows));
}

//! Nested cross-validation.

use std::sync::{Arc, Mutex};

use linfa::prelude::*;
use linfa_elasticnet::ElasticNet;
use linfa_mlp::callback::EarlyStopping;
use linfa_mlp::model_selection::{
    Epochs, FitStatus, GridSearch, GroupKFold, GroupShuffleSplit, HalvingSearch, KFold, LeaveOneGroupOut,
    NestedCrossValidation, Preprocess, Refit, RefitEpochs, Rows, Scorer, Splitter, StratifiedGroupKFold,
    StratifiedKFold, TargetScaling, nested_cross_validate, nested_cross_validate_by_rows,
};
use linfa_mlp::model_selection::{PredefinedSplit, SplitBy, TimeSeriesSplit};
use linfa_mlp::optimizer::{Adam, Sgd};
use linfa_mlp::{Error, MlpClassifier, MlpRegressor};
use linfa_preprocessing::linear_scaling::LinearScaler;
use linfa_trees::DecisionTree;
use ndarray::{Array1, Array2, Axis};

use crate::toy::{Mean, Mode, data};

fn search(estimator: Mean) -> GridSearch<Mean, f64, f64, Error> {
    GridSearch::new(estimator)
        .axis("shift", [3.0, 0.0, -1.0, 5.0], |p: Mean, shift| p.shift(shift))
        .cv(KFold::new(3).shuffle(3))
        .scorers([Scorer::neg_mean_absolute_error(), Scorer::r2()])
}

#[test]
fn each_outer_fold_is_a_search_on_its_training_rows() {
    let (dataset, outer) = (data(23), KFold::new(4).shuffle(1));
    let estimator = Mean::params();
    let nested = nested_cross_validate(&search(estimator.clone()), &dataset, &outer).unwrap();
    assert_eq!(estimator.fits(), 4 * (4 * 3 + 1));
    for (fold, split) in outer.split(&Rows::new(23)).unwrap().iter().enumerate() {
        let part = |rows: &[usize]| {
            Dataset::new(dataset.records.select(Axis(0), rows), dataset.targets.select(Axis(0), rows))
        };
        let by_hand = search(Mean::params()).fit(&part(&split.train)).unwrap();
        let inner = nested.inner()[fold].as_ref().unwrap();
        assert_eq!(Some(inner.winner()), by_hand.best_index());
        assert_eq!(Some(inner.params()), by_hand.best_params());
        assert_eq!(Some(inner.score()), by_hand.best_score());
        for candidate in 0..4 {
            assert_eq!(
                inner.results().test_scores(candidate, 1),
                by_hand.results().test_scores(candidate, 1)
            );
        }
        let (test, predicted) = (part(&split.test), by_hand.predict(&part(&split.test)));
        let mae = (&test.targets - &predicted).mapv(f64::abs).mean().unwrap();
        let score = nested.outer().test_scores("neg_mean_absolute_error").unwrap()[fold];
        assert!((score + mae).abs() < 1e-12, "{score} {mae}");
    }
    assert_eq!(nested.outer().splits(), outer.split(&Rows::new(23)).unwrap());
    assert_eq!(nested.scorer(), "neg_mean_absolute_error");
    let text = nested.to_string();
    assert!(text.lines().count() == 7 && text.contains("shift=0.0"), "{text}");
    let by_rows = nested_cross_validate_by_rows(&search(Mean::params()), &dataset, &outer).unwrap();
    assert_eq!(by_rows.outer().test_scores("r2"), nested.outer().test_scores("r2"));
}

#[test]
fn the_scorer_named_or_the_rule_decides_inside() {
    let run = |refit: Refit| {
        let search = search(Mean::params()).refit(refit);
        nested_cross_validate(&search, &data(20), &KFold::new(2)).unwrap()
    };
    let by_rule = run(Refit::by(|_| 3));
    assert!(by_rule.inner().iter().flatten().all(|inner| inner.winner() == 3));
    let by_name = run("r2".into());
    assert_eq!(by_name.scorer(), "r2");
    assert_eq!(
        by_name.inner()[0].as_ref().unwrap().score(),
        by_name.inner()[0].as_ref().unwrap().results().candidates()[1].test[1].mean
    );
    assert_eq!(run(false.into()).inner()[0].as_ref().unwrap().winner(), 1);
    let outside =
        nested_cross_validate(&search(Mean::params()).refit(Refit::by(|_| 9)), &data(20), &KFold::new(2));
    assert!(matches!(outside, Err(Error::AllFitsFailed { fits: 2, .. })));
}

#[test]
fn groups_reach_the_inner_search() {
    let groups: Vec<usize> = (0..24).map(|row| row / 3).collect();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let inner = SplitBy::new("watched", move |rows: &Rows<'_>| {
        kept.lock().unwrap().push(rows.require_groups("watched")?.to_vec());
        GroupKFold::new(2).split(rows)
    });
    let search = search(Mean::params()).cv(inner).groups(groups.clone());
    let nested = nested_cross_validate(&search, &data(24), &LeaveOneGroupOut).unwrap();
    assert_eq!(nested.outer().rows().len(), 8);
    assert!(nested.inner().iter().all(Option::is_some));
    for (fold, split) in nested.outer().splits().iter().enumerate() {
        let left: Vec<usize> = split.train.iter().map(|&row| groups[row]).collect();
        assert!(seen.lock().unwrap().contains(&left), "fold {fold}");
    }
    assert!(seen.lock().unwrap().iter().all(|groups| groups.len() == 21));
}

#[test]
fn group_aware_splitters_work_inside_and_outside() {
    let iris = linfa_datasets::iris();
    let groups: Vec<usize> = (0..150).map(|row| row % 10).collect();
    let outer: [&dyn Splitter; 3] =
        [&LeaveOneGroupOut, &GroupShuffleSplit::new(3).seed(1), &StratifiedGroupKFold::new(3)];
    for outer in outer {
        let search = GridSearch::new(DecisionTree::params())
            .axis("max_depth", [Some(1), Some(3)], |p, depth| p.max_depth(depth))
            .cv(StratifiedGroupKFold::new(2))
            .groups(groups.clone());
        let nested = nested_cross_validate(&search, &iris, outer).unwrap();
        assert!(nested.inner().iter().flatten().all(|inner| inner.winner() == 1), "{nested}");
        assert!(nested.outer().mean_std("accuracy").unwrap().mean > 0.85, "{nested}");
    }
    let few = GridSearch::new(DecisionTree::params())
        .axis("max_depth", [Some(1)], |p, depth| p.max_depth(depth))
        .cv(GroupKFold::new(10))
        .groups(groups);
    let error = nested_cross_validate(&few, &iris, &LeaveOneGroupOut).unwrap_err();
    assert!(matches!(error, Error::Split { .. }), "nine groups are left inside: {error}");
}

#[test]
fn a_search_that_fails_inside_stops_no_other_fold() {
    // Inner training rows start with the first outer one.
    let search = search(Mean::params().mode(Mode::FailInFirstFold)).cv(TimeSeriesSplit::new(2));
    // The first outer fold trains without row 0, so all its inner fits fail.
    let nested = nested_cross_validate(&search, &data(20), &KFold::new(4)).unwrap();
    assert!(matches!(&nested.outer().rows()[0].status, FitStatus::Failed { .. }), "{nested}");
    assert!(nested.inner()[0].is_none());
    assert!(nested.optimism().is_nan());
    let all = nested_cross_validate(
        &search.clone().axis("mode", [Mode::Panic], |p: Mean, mode| p.mode(mode)),
        &data(20),
        &KFold::new(4),
    );
    assert!(matches!(all, Err(Error::AllFitsFailed { fits: 4, .. })));
}

#[test]
fn what_is_wrong_from_the_start_starts_no_fit() {
    let estimator = Mean::params();
    let nested = |search: GridSearch<Mean, f64, f64, Error>, outer: &dyn Splitter| {
        nested_cross_validate(&search, &data(12), outer).unwrap_err()
    };
    let ok = || search(estimator.clone());
    assert!(matches!(nested(ok(), &KFold::new(13)), Error::Split { .. }));
    assert!(matches!(nested(ok().cv(KFold::new(9)), &KFold::new(3)), Error::Split { .. }));
    assert!(matches!(nested(ok().cv(KFold::new(1)), &KFold::new(3)), Error::Parameter { .. }));
    assert!(matches!(nested(ok().scorers([]), &KFold::new(3)), Error::Parameter { .. }));
    let bad = GridSearch::new(estimator.clone()).axis("shift", [f64::NAN], |p: Mean, v| p.shift(v));
    assert!(matches!(nested(bad, &KFold::new(3)), Error::Candidate { candidate: 0, .. }));
    assert_eq!(estimator.fits(), 0);
}

#[test]
fn on_noise_the_inner_score_is_too_good_and_the_outer_is_not() {
    // 60 rows, 2 classes drawn by a coin, trees of many kinds: the best of them looks better than a coin.
    let mut stream = linfa_mlp::rng::Stream::new(11);
    let records = Array2::from_shape_fn((60, 12), |_| stream.uniform());
    let labels = Array1::from_shape_fn(60, |_| stream.below(2));
    let search = GridSearch::new(DecisionTree::params())
        .axis("max_depth", (1..=6).map(Some).collect::<Vec<_>>(), |p, depth| p.max_depth(depth))
        .axis("min_weight_leaf", [1.0_f32, 2.0, 4.0, 8.0], |p, weight| p.min_weight_leaf(weight))
        .cv(StratifiedKFold::new(3).shuffle(1));
    let outer = StratifiedKFold::new(5).shuffle(2);
    let nested = nested_cross_validate(&search, &Dataset::new(records, labels), &outer).unwrap();
    let outer = nested.outer().mean_std("accuracy").unwrap().mean;
    assert!((0.3..0.7).contains(&outer), "{nested}");
    assert!(nested.optimism() > 0.02, "{}\n{nested}", nested.optimism());
}

#[test]
fn networks_are_searched_inside_without_copies() {
    let diabetes = linfa_datasets::diabetes();
    let search = GridSearch::new(MlpRegressor::params().hidden_layer_sizes([4]).epochs(4).seed(2))
        .axis("optimizer", [Sgd::new(0.001), Sgd::new(0.05)], |p, o| p.optimizer(o))
        .preprocess(LinearScaler::standard())
        .cv(KFold::new(2))
        .scorers([Scorer::neg_mean_squared_error()]);
    let outer = KFold::new(3).shuffle(1);
    let nested = search.nested_cross_validate(&diabetes, &outer).unwrap();
    let general: NestedCrossValidation = nested_cross_validate(&search, &diabetes, &outer).unwrap();
    let name = "neg_mean_squared_error";
    assert_eq!(nested.outer().test_scores(name), general.outer().test_scores(name));
    let iris = linfa_datasets::iris();
    let search =
        GridSearch::new(MlpClassifier::params().hidden_layer_sizes([4]).optimizer(Adam::new(0.02)).seed(2))
            .axis("epochs", [1, 60], |p, epochs| p.epochs(epochs))
            .cv(StratifiedKFold::new(2));
    let nested = search.nested_cross_validate(&iris, &StratifiedKFold::new(3)).unwrap();
    assert!(nested.inner().iter().flatten().all(|inner| inner.params().to_string() == "epochs=60"));
}

#[test]
fn integer_weights_are_repetitions_in_a_search() {
    // Row i has weight i mod 3 + 1; copies of a row stand in its fold.
    let x = Array2::from_shape_fn((24, 2), |(row, column)| ((row * (3 + column)) % 7) as f64 / 7.0);
    let y = Array1::from_shape_fn(24, |row| x[(row, 0)] - 0.5 * x[(row, 1)]);
    let copies: Vec<usize> = (0..24).flat_map(|row| vec![row; row % 3 + 1]).collect();
    let weighted =
        Dataset::new(x.clone(), y.clone()).with_weights((0..24).map(|row| (row % 3 + 1) as f32).collect());
    let repeated = Dataset::new(x.select(Axis(0), &copies), y.select(Axis(0), &copies));
    // One batch of all rows, so that an epoch is one step on the mean gradient.
    let params = MlpRegressor::params().hidden_layer_sizes([5]).optimizer(Sgd::new(0.1)).epochs(20).seed(3);
    let scores = |dataset: &Dataset<f64, f64, ndarray::Ix1>, folds: Vec<usize>| {
        let fitted = GridSearch::new(params.clone().batch_size(1000))
            .axis("alpha", [0.0, 0.1], |p, alpha| p.alpha(alpha))
            .cv(PredefinedSplit::new(folds.into_iter().map(Some)))
            .scorers([Scorer::r2(), Scorer::neg_mean_squared_error()])
            .fit(dataset)
            .unwrap();
        (0..2).flat_map(|candidate| fitted.results().test_scores(candidate, 0)).collect::<Vec<f64>>()
    };
    let by_weight = scores(&weighted, (0..24).map(|row| row / 8).collect());
    let by_copies = scores(&repeated, copies.iter().map(|row| row / 8).collect());
    for (weighted, repeated) in by_weight.iter().zip(&by_copies) {
        assert!((weighted - repeated).abs() < 1e-9, "{by_weight:?} {by_copies:?}");
    }
    let unit = Dataset::new(x.clone(), y.clone()).with_weights(Array1::ones(24));
    let folds: Vec<usize> = (0..24).map(|row| row / 8).collect();
    assert_eq!(scores(&unit, folds.clone()), scores(&Dataset::new(x, y), folds));
}

#[test]
fn a_linear_model_is_chosen_alike_in_every_fold() {
    let search = GridSearch::new(ElasticNet::params())
        .axis("penalty", [0.001, 0.1, 100.0], |p, v| p.penalty(v))
        .cv(KFold::new(3));
    let nested =
        nested_cross_validate(&search, &linfa_datasets::diabetes(), &KFold::new(4).shuffle(1)).unwrap();
    assert!(nested.inner().iter().flatten().all(|inner| inner.winner() < 2), "{nested}");
    assert!(nested.optimism().abs() < 0.1, "{nested}");
}

/// A part of a data set.
fn part(dataset: &Dataset<f64, f64, ndarray::Ix1>, rows: &[usize]) -> Dataset<f64, f64, ndarray::Ix1> {
    Dataset::new(dataset.records.select(Axis(0), rows), dataset.targets.select(Axis(0), rows))
}

#[test]
fn the_winner_of_each_outer_fold_has_its_own_steps() {
    let diabetes = linfa_datasets::diabetes();
    let search = |scalers: Vec<(&'static str, Preprocess<f64>)>| {
        GridSearch::new(ElasticNet::params())
            .preprocess_axis("scaling", scalers)
            .axis("penalty", [0.1, 1.0], |p, v| p.penalty(v))
            .cv(KFold::new(2).shuffle(3))
    };
    let scalers = || {
        vec![
            ("none", Preprocess::none()),
            ("standard", Preprocess::by(LinearScaler::standard())),
            ("min max", Preprocess::by(LinearScaler::min_max())),
        ]
    };
    let outer = KFold::new(3).shuffle(1);
    let nested = nested_cross_validate(&search(scalers()), &diabetes, &outer).unwrap();
    for (fold, split) in nested.outer().splits().iter().enumerate() {
        // By hand: a search on the training rows, whose best model predicts the test rows.
        let by_hand = search(scalers()).fit(&part(&diabetes, &split.train)).unwrap();
        let inner = nested.inner()[fold].as_ref().unwrap();
        assert_eq!(Some(inner.params()), by_hand.best_params());
        let test = part(&diabetes, &split.test);
        let r2 = by_hand.predict(&test).r2(&test).unwrap();
        let score = nested.outer().test_scores("r2").unwrap()[fold];
        assert!((r2 - score).abs() < 1e-9, "{r2} {score}");
    }
    let wrong = vec![("a", Preprocess::none()), ("a", Preprocess::none())];
    assert!(matches!(nested_cross_validate(&search(wrong), &diabetes, &outer), Err(Error::Parameter { .. })));
}

#[test]
fn rungs_by_epochs_are_searched_inside() {
    let diabetes = linfa_datasets::diabetes();
    let search = HalvingSearch::new(MlpRegressor::params().hidden_layer_sizes([4]).batch_size(32).seed(2))
        .axis("rate", [1e-4, 0.001, 0.01, 0.03], |p, rate| p.optimizer(Adam::new(rate)))
        .resource(Epochs { min: 1, max: 4 })
        .factor(2)
        .scale_targets(TargetScaling::Standard)
        .preprocess(LinearScaler::standard())
        .cv(KFold::new(2));
    let nested = search.nested_cross_validate(&diabetes, &KFold::new(3).shuffle(1)).unwrap();
    for (fold, split) in nested.outer().splits().iter().enumerate() {
        let by_hand = search.fit(&part(&diabetes, &split.train)).unwrap();
        let inner = nested.inner()[fold].as_ref().unwrap();
        assert_eq!(Some(inner.winner()), by_hand.best_index());
        assert_eq!(Some(inner.score()), by_hand.best_score());
        assert!(inner.results().rows().iter().any(|row| row.rung == 2));
        let test = part(&diabetes, &split.test);
        let score = nested.outer().test_scores("r2").unwrap()[fold];
        assert!((by_hand.predict(&test).r2(&test).unwrap() - score).abs() < 1e-9);
        assert_eq!(nested.outer().rows()[fold].epochs, Some(4), "the goal of the last rung");
    }
    let general = nested_cross_validate_by_rows(&search, &diabetes, &KFold::new(3)).unwrap_err();
    assert!(matches!(&general, Error::Parameter { name, .. } if name == "resource"), "{general}");
}

#[test]
fn stopping_rows_and_chosen_epochs_hold_inside_and_for_the_winner() {
    let diabetes = linfa_datasets::diabetes();
    let params = MlpRegressor::params().hidden_layer_sizes([8]).epochs(12).batch_size(32).seed(2);
    let search = || {
        GridSearch::new(params.clone().callback(EarlyStopping::default().patience(2)))
            .axis("rate", [0.003, 0.03], |p, rate| p.optimizer(Adam::new(rate)))
            .scale_targets(TargetScaling::Standard)
            .preprocess(LinearScaler::standard())
            .stopping_rows(0.2)
            .cv(KFold::new(2))
    };
    let outer = KFold::new(3).shuffle(1);
    let kept = search().nested_cross_validate(&diabetes, &outer).unwrap();
    let n_train = |fold: usize| kept.outer().splits()[fold].train.len();
    for (fold, row) in kept.outer().rows().iter().enumerate() {
        assert!(row.stopping_rows > 0 && row.train_rows + row.stopping_rows == n_train(fold));
        let inner = kept.inner()[fold].as_ref().unwrap().results();
        assert!(inner.rows().iter().all(|row| row.stopping_rows > 0 && row.best_epoch.is_some()));
    }
    let chosen = search().refit_epochs(RefitEpochs::median_best());
    let chosen = chosen.nested_cross_validate(&diabetes, &outer).unwrap();
    for (fold, row) in chosen.outer().rows().iter().enumerate() {
        let inner = chosen.inner()[fold].as_ref().unwrap();
        let best: Vec<usize> =
            inner.results().fits(inner.winner()).filter_map(|row| row.best_epoch).collect();
        assert_eq!((row.stopping_rows, row.train_rows), (0, n_train(fold)));
        assert_eq!(row.epochs, Some(((best[0] + best[1]) as f64 / 2.0).round() as usize));
    }
    // Absurd values in the outer test rows move neither the choice nor a weight: scores of other rows stay as they are.
    let mut poisoned = diabetes.clone();
    for &row in &kept.outer().splits()[0].test {
        poisoned.records.row_mut(row).fill(1e6);
        poisoned.targets[row] = -1e9;
    }
    let again = search().nested_cross_validate(&poisoned, &outer).unwrap();
    assert_eq!(again.inner()[0].as_ref().unwrap().score(), kept.inner()[0].as_ref().unwrap().score());
    assert_eq!(again.outer().rows()[0].curve, kept.outer().rows()[0].curve);

    let error =
        GridSearch::new(ElasticNet::params()).axis("penalty", [0.1], |p, v| p.penalty(v)).stopping_rows(0.2);
    let error = nested_cross_validate(&error, &diabetes, &outer).unwrap_err();
    assert!(error.to_string().contains("stopping_rows"), "{error}");
    let no_rows = GridSearch::new(params).axis("rate", [0.01], |p, rate| p.optimizer(Adam::new(rate)));
    let error = no_rows.refit_epochs(RefitEpochs::max_best()).nested_cross_validate(&diabetes, &outer);
    assert!(error.unwrap_err().to_string().contains("refit_epochs"));
}

//! Preprocessing inside the fold: fitted on training rows only, once for each fold.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use linfa::prelude::*;
use linfa_elasticnet::ElasticNet;
use linfa_mlp::Error;
use linfa_mlp::model_selection::{
    CrossValidator, FitStatus, GridSearch, KFold, Rows, Scorer, Splitter, TargetScaling, cross_val_score,
};
use linfa_preprocessing::linear_scaling::LinearScaler;
use ndarray::{Array1, Array2, ArrayBase, Axis, Data, Ix2};

use crate::toy::{Mean, data};

/// Subtracts the largest value it was fitted on, and counts its fits. It can be told to fail on some data.
#[derive(Clone, Debug, Default)]
struct MinusMax {
    fits: Arc<AtomicUsize>,
    fails_without: Option<f64>,
}

#[derive(Debug, Clone, PartialEq)]
struct FittedMinusMax(f64);

impl<D: Data<Elem = f64>, T> Fit<ArrayBase<D, Ix2>, T, Error> for MinusMax {
    type Object = FittedMinusMax;

    fn fit(&self, data: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<FittedMinusMax, Error> {
        self.fits.fetch_add(1, Ordering::SeqCst);
        let largest = data.records.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        match self.fails_without {
            Some(value) if !data.records.iter().any(|&x| x == value) => Err(Error::NoColumns { array: "x" }),
            _ => Ok(FittedMinusMax(largest)),
        }
    }
}

impl Transformer<Array2<f64>, Array2<f64>> for FittedMinusMax {
    fn transform(&self, x: Array2<f64>) -> Array2<f64> {
        x - self.0
    }
}

fn search(estimator: Mean, transformer: MinusMax) -> GridSearch<Mean, f64, f64, Error> {
    GridSearch::new(estimator)
        .axis("shift", [0.0, 1.0, 2.0], |p: Mean, v| p.shift(v))
        .preprocess(transformer)
        .cv(KFold::new(4))
}

#[test]
fn a_transformer_is_fitted_once_for_each_fold_and_once_for_the_refit() {
    for by_rows in [false, true] {
        let transformer = MinusMax::default();
        let search = search(Mean::params(), transformer.clone());
        let fitted = if by_rows { search.fit_by_rows(&data(12)) } else { search.fit(&data(12)) }.unwrap();
        assert_eq!(transformer.fits.load(Ordering::SeqCst), 4 + 1);
        // Records 0 … 11 minus 11 have the mean −5.5.
        assert_eq!(fitted.best_model().unwrap().model().mean_of_x, -5.5);
        assert_eq!(fitted.best_model().unwrap().steps().len(), 1);
    }
}

#[test]
fn the_estimator_sees_records_prepared_by_the_training_rows() {
    // Folds without their test rows: the last fold trains on 0 … 8, so its maximum is 8.
    let means = |by_rows: bool| {
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let watch = MinusMax::default();
        let validator = CrossValidator::new().cv(KFold::new(4)).preprocess(watch).scorers([Scorer::new(
            "x",
            linfa_mlp::metric::Direction::Maximize,
            {
                let seen = Arc::clone(&seen);
                move |e: &linfa_mlp::model_selection::Estimate<'_, f64>| {
                    seen.lock().unwrap().push(e.truth[(0, 0)]);
                    e.prediction[(0, 0)]
                }
            },
        )]);
        let scores = if by_rows {
            validator.run_by_rows(&Mean::params(), &data(12))
        } else {
            validator.run(&Mean::params(), &data(12))
        };
        scores.unwrap().test_scores("x").unwrap()
    };
    assert_eq!(means(false), means(true));
}

#[test]
fn absurd_values_in_the_test_rows_change_no_fold() {
    let diabetes = linfa_datasets::diabetes();
    let cv = KFold::new(5).shuffle(9);
    let folds = cv.split(&Rows::new(diabetes.nsamples())).unwrap();
    let validator = |scorer| {
        CrossValidator::new()
            .cv(cv)
            .preprocess(LinearScaler::standard())
            .preprocess(LinearScaler::min_max())
            .scale_targets(TargetScaling::Standard)
            .train_scores(true)
            .scorers([scorer])
    };
    let params = ElasticNet::params().penalty(0.01);
    let clean = validator(Scorer::r2()).run(&params, &diabetes).unwrap();
    for (fold, split) in folds.iter().enumerate() {
        let mut poisoned = diabetes.clone();
        for &row in &split.test {
            poisoned.records.row_mut(row).fill(1e12 * (row as f64 - 200.0));
            poisoned.targets[row] = -1e15;
        }
        let scores = validator(Scorer::r2()).run(&params, &poisoned).unwrap();
        // The model of this fold never saw the poison, so its training score keeps every bit.
        assert_eq!(
            scores.train_scores("r2").unwrap()[fold].to_bits(),
            clean.train_scores("r2").unwrap()[fold].to_bits()
        );
        assert_ne!(scores.test_scores("r2").unwrap()[fold], clean.test_scores("r2").unwrap()[fold]);
    }
}

#[test]
fn a_fold_prepared_by_hand_scores_the_same() {
    let diabetes = linfa_datasets::diabetes();
    let cv = KFold::new(3);
    let params = ElasticNet::params().penalty(0.1);
    let engine = CrossValidator::new()
        .cv(cv)
        .preprocess(LinearScaler::standard())
        .run(&params, &diabetes)
        .unwrap()
        .test_scores("r2")
        .unwrap();
    for (fold, split) in cv.split(&Rows::new(diabetes.nsamples())).unwrap().iter().enumerate() {
        let part = |rows: &[usize]| {
            Dataset::new(diabetes.records.select(Axis(0), rows), diabetes.targets.select(Axis(0), rows))
        };
        let (train, test) = (part(&split.train), part(&split.test));
        let scaler = LinearScaler::standard().fit(&train).unwrap();
        let model = params.fit(&scaler.transform(train)).unwrap();
        let test = scaler.transform(test);
        let by_hand = model.predict(&test).r2(&test).unwrap();
        assert!((engine[fold] - by_hand).abs() < 1e-12);
    }
}

#[test]
fn scores_and_predictions_of_scaled_targets_have_original_units() {
    let scaled = |scaling| {
        let search = GridSearch::new(Mean::params())
            .axis("shift", [0.0], |p: Mean, v| p.shift(v))
            .scale_targets(scaling)
            .scorers([Scorer::neg_mean_absolute_error()])
            .cv(KFold::new(4));
        [search.fit(&data(12)).unwrap(), search.fit_by_rows(&data(12)).unwrap()]
    };
    let plain =
        cross_val_score(&Mean::params(), &data(12), &KFold::new(4), &Scorer::neg_mean_absolute_error())
            .unwrap();
    for fitted in [TargetScaling::Standard, TargetScaling::MinMax].into_iter().flat_map(scaled) {
        for (score, plain) in fitted.results().test_scores(0, 0).iter().zip(&plain) {
            assert!((score - plain).abs() < 1e-12);
        }
        let predicted: Array1<f64> = fitted.best_model().unwrap().predict(&data(12));
        assert!(predicted.iter().all(|value| (value - 11.0).abs() < 1e-12));
        assert!(fitted.best_model().unwrap().target_scaling().is_some());
    }
}

#[test]
fn labels_cannot_be_scaled() {
    let iris = linfa_datasets::iris();
    let search = GridSearch::new(linfa_trees::DecisionTree::params())
        .axis("max_depth", [Some(2)], |p, depth| p.max_depth(depth))
        .scale_targets(TargetScaling::Standard);
    let error = search.fit(&iris).unwrap_err();
    assert!(matches!(&error, Error::Parameter { name, .. } if name == "scale_targets"), "{error}");
}

#[test]
fn a_transformer_that_fails_in_one_fold_fails_that_folds_fits_only() {
    // Row 11 is missing from the training rows of the last fold.
    let transformer = MinusMax { fails_without: Some(11.0), ..MinusMax::default() };
    let estimator = Mean::params();
    let fitted = search(estimator.clone(), transformer).refit(false).fit(&data(12)).unwrap();
    for row in fitted.results().rows() {
        match (row.fold, &row.status) {
            (3, FitStatus::Failed { message }) => assert!(message.starts_with("preprocessing failed")),
            (3, status) => panic!("{status:?}"),
            (_, status) => assert!(status.is_fitted()),
        }
    }
    assert_eq!(estimator.fits(), 9);
    let transformer = MinusMax { fails_without: Some(99.0), ..MinusMax::default() };
    let error = search(estimator.clone(), transformer).fit(&data(12)).unwrap_err();
    assert!(matches!(error, Error::Preprocessing { .. }), "{error}");
    assert_eq!(estimator.fits(), 9);
}

//! Probabilities, their logarithms, and the labels that follow from them.

use linfa::Dataset;
use linfa::prelude::*;
use linfa_mlp::estimator::MlpClassifierParams;
use linfa_mlp::optimizer::Adam;
use linfa_mlp::{Error, Float, MlpClassifier, MlpMultilabelClassifier};
use ndarray::{Array1, Array2, Axis, array};

use crate::data::{classifier, clouds, labels, named, pair};

/// Whether logarithms are those of the probabilities, to a few units in the last place of either.
fn are_logarithms<F: Float>(logs: &Array2<F>, proba: &Array2<F>, unit: f64) {
    for (log, p) in logs.iter().zip(proba) {
        let (log, p) = (log.wide(), p.wide());
        assert!(log.is_finite() && log <= 0.0);
        // The probability is rounded: its logarithm is known to unit / p, and near p = 1 to the unit itself.
        assert!((log.exp() - p).abs() <= 16.0 * unit * p.max(unit), "{log} {p}");
    }
}

#[test]
fn logarithms_are_those_of_the_probabilities() {
    fn check<F: Float>(unit: f64) {
        let data = clouds(40);
        let (x, y) = (data.records.mapv(F::of), data.targets.clone());
        let model = classifier().fit(&Dataset::new(x.clone(), y.clone())).unwrap();
        are_logarithms(&model.predict_log_proba(&x).unwrap(), &model.predict_proba(&x).unwrap(), unit);
        for softmax in [false, true] {
            let two = Dataset::new(x.clone(), y.mapv(|class| class > 0));
            let model = classifier().binary_softmax(softmax).fit(&two).unwrap();
            are_logarithms(&model.predict_log_proba(&x).unwrap(), &model.predict_proba(&x).unwrap(), unit);
        }
        let many = Dataset::new(x.clone(), labels(40).targets);
        let model = MlpMultilabelClassifier::params().hidden_layer_sizes([4]).epochs(5).fit(&many).unwrap();
        are_logarithms(&model.predict_log_proba(&x).unwrap(), &model.predict_proba(&x).unwrap(), unit);
    }
    check::<f32>(f64::from(f32::EPSILON));
    check::<f64>(f64::EPSILON);
}

#[test]
fn logarithms_are_finite_where_probabilities_are_rounded_to_0_and_1() {
    let far = array![[1e4, 0.0, 0.0], [0.0, -1e4, 0.0]];
    for softmax in [false, true] {
        let two = Dataset::new(clouds(40).records, clouds(40).targets.mapv(|class| class > 0));
        let model = classifier().optimizer(Adam::new(0.1)).binary_softmax(softmax).fit(&two).unwrap();
        let (proba, logs) = (model.predict_proba(&far).unwrap(), model.predict_log_proba(&far).unwrap());
        assert!(proba.iter().any(|p| *p == 0.0) && proba.iter().any(|p| *p == 1.0), "{proba}");
        assert!(logs.iter().all(|log| log.is_finite()) && logs.iter().any(|log| *log < -800.0), "{logs}");
    }
}

#[test]
fn two_classes_have_two_columns_from_one_output_or_from_two() {
    let data = pair(60);
    let one = classifier().fit(&data).unwrap();
    let two = classifier().binary_softmax(true).fit(&data).unwrap();
    assert_eq!((one.network().n_outputs(), two.network().n_outputs()), (1, 2));
    for model in [&one, &two] {
        let proba = model.predict_proba(&data.records).unwrap();
        assert_eq!(proba.dim(), (60, 2));
        assert!(proba.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12));
        let likely = proba.map_axis(Axis(1), |row| row[1] > row[0]);
        assert_eq!(model.predict(&data.records), likely);
        let read = MlpClassifier::<f64, bool>::from_bytes(&model.to_bytes().unwrap()).unwrap();
        assert_eq!(read.predict_proba(&data.records).unwrap(), proba);
        assert_eq!(
            MlpClassifier::from_run(model.run().clone(), vec![false, true]).unwrap().threshold(),
            Some(0.5)
        );
    }
    // The one cannot go on as the other.
    let error = classifier().binary_softmax(true).check_unwrap().fit_with(Some(one), &data).unwrap_err();
    assert!(matches!(error, Error::Mismatch { .. }), "{error}");
}

#[test]
fn the_threshold_decides_between_two_classes() {
    let data = pair(80);
    for softmax in [false, true] {
        let params = classifier().binary_softmax(softmax);
        let plain = params.clone().fit(&data).unwrap();
        let proba = plain.predict_proba(&data.records).unwrap();
        for threshold in [0.0, 0.1, 0.3, 0.5, 0.9, 1.0] {
            let expected: Array1<bool> = proba.column(1).mapv(|p| p > threshold);
            let model = params.clone().threshold(threshold).fit(&data).unwrap();
            assert_eq!(model.threshold(), Some(threshold));
            assert_eq!(model.predict(&data.records), expected);
            assert_eq!(plain.clone().with_threshold(threshold).unwrap().predict(&data.records), expected);
            let read = MlpClassifier::<f64, bool>::from_bytes(&model.to_bytes().unwrap()).unwrap();
            assert_eq!((read.threshold(), read.predict(&data.records)), (Some(threshold), expected.clone()));
            let right = expected.iter().zip(&data.targets).filter(|(a, b)| a == b).count();
            assert!((model.score(&data).unwrap() - right as f64 / 80.0).abs() < 1e-15);
        }
    }
}

#[test]
fn a_threshold_is_a_probability_and_for_two_classes() {
    for threshold in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        let message = format!("threshold must be between 0 and 1, but is {threshold}");
        assert_eq!(classifier().threshold(threshold).check().unwrap_err().to_string(), message);
        let model = classifier().fit(&pair(20)).unwrap();
        assert_eq!(model.with_threshold(threshold).unwrap_err().to_string(), message);
    }
    let message = "threshold must be none for more than 2 classes, but is 0.3 for 3 classes";
    assert_eq!(classifier().threshold(0.3).fit(&named(30)).unwrap_err().to_string(), message);
    let model = classifier().fit(&named(30)).unwrap();
    assert_eq!(model.threshold(), None);
    assert_eq!(model.with_threshold(0.3).unwrap_err().to_string(), message);
    let several = MlpMultilabelClassifier::params().hidden_layer_sizes([3]).epochs(1);
    let refused = |thresholds: &[f64]| several.clone().thresholds(thresholds).fit(&labels(20)).unwrap_err();
    assert_eq!(
        refused(&[0.5, 0.5]).to_string(),
        "number of thresholds must be 1 or 3, one for each label, but is 2"
    );
    assert_eq!(refused(&[]).to_string(), "number of thresholds must be 1, or one for each label, but is 0");
    assert_eq!(refused(&[0.5, 2.0, 0.1]).to_string(), "thresholds[1] must be between 0 and 1, but is 2");
    assert_eq!(refused(&[f64::NAN]).to_string(), "threshold must be between 0 and 1, but is NaN");
}

#[test]
fn settings_of_a_task_are_in_json_and_of_that_task_alone() {
    let params = classifier().threshold(0.25).binary_softmax(true);
    let value = serde_json::to_value(&params).unwrap();
    assert_eq!(
        value["task"],
        serde_json::json!({"class_weight": null, "threshold": 0.25, "binary_softmax": true})
    );
    assert_eq!(serde_json::from_value::<MlpClassifierParams>(value.clone()).unwrap(), params);
    serde_json::from_value::<linfa_mlp::estimator::MlpRegressorParams>(value).expect_err("of another task");
}

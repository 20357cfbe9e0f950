//! Params, histories and results through serde, as JSON.

use std::fmt::Debug;

use linfa::prelude::*;
use linfa_mlp::estimator::{Classification, MlpValidParams, Regression};
use linfa_mlp::model_selection::{
    CrossValidation, FitRow, GridSearch, KFold, PermutationTest, ScoreCurve, Scorer, SearchResults,
    TrainSizes, cross_validate, learning_curve, permutation_test_score,
};
use linfa_mlp::optimizer::AnyOptimizer;
use linfa_mlp::prelude::*;
use ndarray::{Array1, Array2, Ix1};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What was written, after it has been read back: the same in every field, NaN too, and the same text.
#[track_caller]
fn same<T: Serialize + DeserializeOwned + Debug>(value: &T) -> T {
    let text = serde_json::to_string(value).expect("it can be written");
    let read: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(format!("{read:?}"), format!("{value:?}"));
    assert_eq!(serde_json::to_string(&read).expect("it can be written"), text);
    read
}

fn data() -> linfa::Dataset<f64, f64, Ix1> {
    let x = Array2::from_shape_fn((20, 2), |(i, j)| ((i * (j + 2)) % 7) as f64 / 7.0);
    linfa::Dataset::new(x, Array1::from_shape_fn(20, |i| (i % 5) as f64))
}

fn regressor() -> linfa_mlp::estimator::MlpRegressorParams {
    MlpRegressor::params().hidden_layer_sizes([3]).epochs(2).batch_size(8)
}

#[test]
fn what_serde_writes_it_reads_back() {
    let classifier = MlpClassifier::params()
        .class_weight(ClassWeight::Balanced)
        .threshold(0.25)
        .validation(Validation::stratified(0.25))
        .callback(EarlyStopping::on(ValLoss).patience(3))
        .optimizer(Sgd::default().momentum(0.9));
    same(&classifier);
    same::<MlpValidParams<Classification>>(classifier.check_ref().unwrap());
    same(&MlpMultilabelClassifier::params().thresholds([0.1, 0.9]));
    same::<MlpValidParams<Regression>>(regressor().check_ref().unwrap());

    let search = GridSearch::new(regressor())
        .axis("alpha", [0.0, 0.1], |params, alpha| params.alpha(alpha))
        // The second one diverges, and has no score.
        .axis("optimizer", [AnyOptimizer::from(Adam::default()), Sgd::new(1e300).into()], |p, o| {
            p.optimizer(o)
        })
        .train_scores(true)
        .cv(KFold::new(2));
    let found = search.fit(&data()).unwrap();
    let read: SearchResults = same(found.results());
    assert_eq!(read.to_string(), found.results().to_string(), "the table too");
    assert_eq!(read.best(0), found.results().best(0));
    assert!(read.rows()[2].test_scores[0].is_nan(), "there is something to keep");
    same::<Vec<FitRow>>(&found.results().rows().to_vec());

    let scorers = [Scorer::r2()];
    let folds: CrossValidation = cross_validate(&regressor(), &data(), &KFold::new(3), &scorers).unwrap();
    assert_eq!(same(&folds).to_string(), folds.to_string());
    let sizes = TrainSizes::new([0.5, 1.0]);
    let curve: ScoreCurve = learning_curve(&regressor(), &data(), &sizes, &KFold::new(2), &scorers).unwrap();
    assert_eq!(same(&curve).to_string(), curve.to_string());
    let permuted: PermutationTest =
        permutation_test_score(&regressor(), &data(), &KFold::new(2), &scorers[0], 3, 1).unwrap();
    same(&permuted);
    same(&PermutationTest { permutation_scores: vec![f64::NAN, f64::NEG_INFINITY], ..permuted });
}

#[test]
fn a_history_keeps_the_numbers_that_json_does_not_have() {
    let network = Sequential::new().add(Dense::new(1));
    let mut model = network.compile::<f64>(2, Adam::default(), MeanSquaredError, [R2]).unwrap();
    let (x, y) = (data().records, data().targets.insert_axis(ndarray::Axis(1)));
    model.fit(&x, &y, &Training::epochs(2).callback(BatchLog { every: 1 })).unwrap();
    // The first epochs have no value in the columns of the validation rows.
    model.fit(&x, &y, &Training::epochs(1).validation_split(0.25)).unwrap();
    let history = model.history();
    assert!(history["val_loss"][0].is_nan());
    let text = serde_json::to_string(history).unwrap();
    let read: History = serde_json::from_str(&text).unwrap();
    assert_eq!(&read, history);
    assert_eq!(read.batches().get("loss"), history.batches().get("loss"));
    assert!(read.seconds().len() == 3 && read.seconds().iter().all(|seconds| seconds.is_nan()));

    let broken = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        serde_json::from_str::<History>(&text.replacen(from, to, 1)).unwrap_err().to_string()
    };
    let of_columns = "the columns of a history have one name and one length each";
    assert!(broken(r#"{"names":["loss","#, r#"{"names":["#).contains(of_columns));
    assert!(broken(r#""columns":[["#, r#""columns":[[1.5,"#).contains(of_columns));
    assert!(broken(r#""steps":["#, r#""steps":[9,"#).contains(of_columns));
}

#[test]
fn checked_params_are_checked_when_they_are_read() {
    let json = |change: fn(&mut serde_json::Value)| {
        let mut json = serde_json::to_value(regressor()).unwrap();
        change(&mut json);
        json
    };
    let read = |json| serde_json::from_value::<MlpValidParams<Regression>>(json);
    assert_eq!(&read(json(|_| ())).unwrap(), regressor().check_ref().unwrap());
    for (change, name) in [
        (json(|json| json["epochs"] = 0.into()), "epochs"),
        (json(|json| json["alpha"] = (-1).into()), "alpha"),
        (json(|json| json["hidden_layer_sizes"] = serde_json::json!([0])), "hidden_layer_sizes[0]"),
        (json(|json| json["later"] = 1.into()), "unknown field `later`"),
    ] {
        let error = read(change).unwrap_err().to_string();
        assert!(error.starts_with(name), "{error}");
    }
}

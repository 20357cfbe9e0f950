//! Settings, histories and results as JSON.

use linfa::prelude::*;
use linfa_mlp::callback::{AnyCallback, Callbacks};
use linfa_mlp::estimator::{MlpClassifierParams, MlpMultilabelClassifierParams, MlpRegressorParams};
use linfa_mlp::model_selection::{FitRow, GridSearch, KFold, SearchResults};
use linfa_mlp::optimizer::{AnyOptimizer, Optimizers};
use linfa_mlp::part::{Room, names};
use linfa_mlp::prelude::*;
use ndarray::Array1;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::harness::Reader;
use crate::models;

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("it can be written")
}

/// What is read can be written and read once more, to the same text.
fn again<T: Serialize + DeserializeOwned>(value: &T) -> Vec<u8> {
    let text = json(value);
    let read: T = serde_json::from_slice(&text).expect("what was written can be read");
    assert_eq!(json(&read), text);
    text
}

/// Values that are read from JSON, and then used in some way that must not panic.
fn of_json<T: Serialize + DeserializeOwned + 'static>(
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    used: impl Fn(T) + 'static,
) -> Reader {
    Reader::new(name, seeds, move |bytes| {
        let value: T = serde_json::from_slice(bytes).ok()?;
        let text = again(&value);
        used(value);
        Some(text)
    })
    // A letter of JSON becomes a value of 32 bytes, in a list that grows by doubling.
    .factor(256)
}

pub fn classifier_params() -> Reader {
    let params = MlpClassifier::params()
        .hidden_layer_sizes([16, 8])
        .optimizer(Sgd::default().momentum(0.9).nesterov())
        .class_weight(ClassWeight::Balanced)
        .validation(Validation::stratified(0.25))
        .callback(EarlyStopping::on(ValLoss).patience(5));
    of_json::<MlpClassifierParams>("classifier's params", vec![json(&params)], |params| drop(params.check()))
}

pub fn regressor_params() -> Reader {
    let params = MlpRegressor::params().network(models::plan().network).loss(Huber::default()).metric(Rmse);
    let seeds = vec![json(&params), json(&MlpRegressor::params())];
    of_json::<MlpRegressorParams>("regressor's params", seeds, |params| drop(params.check()))
}

pub fn multilabel_params() -> Reader {
    let params = MlpMultilabelClassifier::params().thresholds([0.25, 0.5]);
    of_json::<MlpMultilabelClassifierParams>("multilabel's params", vec![json(&params)], |params| {
        drop(params.check());
    })
}

pub fn network() -> Reader {
    of_json::<Sequential>("network", vec![json(&models::plan().network)], |network| {
        // What is small enough to be counted here is small enough to be built.
        if network.count_params(3).is_ok_and(|n| n < 1 << 12) {
            drop(network.build::<f32>(3, 0));
            drop(network.summary(3).map(|summary| summary.to_string()));
        }
    })
}

/// Each member of a room, with its settings.
fn members<R: Room>() -> Vec<Vec<u8>> {
    let parts = names::<R>().into_iter().map(|name| name.parse::<linfa_mlp::part::Part<R>>());
    parts.map(|part| json(&part.expect("a name of the table parses"))).collect()
}

pub fn optimizers() -> Reader {
    of_json::<AnyOptimizer>("optimizers", members::<Optimizers>(), |optimizer| {
        let _ = optimizer.to_string();
        for step in [0, 1, 1 << 40, u64::MAX] {
            let _ = optimizer.ops::<f32>().tuning().learning_rate.rate(step);
        }
    })
}

pub fn callbacks() -> Reader {
    of_json::<AnyCallback>("callbacks", members::<Callbacks>(), |callback| drop(callback.check()))
}

pub fn history() -> Reader {
    let network = Sequential::new().add(Dense::new(1));
    let mut model = network.compile::<f64>(2, Adam::default(), MeanSquaredError, [Mae]).expect("legal");
    let training = Training::epochs(2).batch_size(4).callback(BatchLog { every: 2 });
    let history = model.fit(&models::rows(12, 2), &models::rows(12, 1), &training).expect("it trains");
    of_json::<History>("history", vec![json(history)], |history| {
        history.to_csv(std::io::sink()).expect("a sink takes everything");
        history.batches().to_csv(std::io::sink()).expect("a sink takes everything");
        let _ = history.to_json();
        let _ = history.names().iter().map(|name| history[name.as_str()].len()).sum::<usize>();
    })
}

fn searched() -> SearchResults {
    let data = linfa::Dataset::new(models::rows::<f64>(12, 2), Array1::from_shape_fn(12, |i| (i % 5) as f64));
    let search = GridSearch::new(MlpRegressor::params().hidden_layer_sizes([2]).epochs(2))
        .axis("alpha", [0.0, 0.1], |params, alpha| params.alpha(alpha))
        .axis("optimizer", [AnyOptimizer::from(Sgd::new(0.1)), Adam::new(0.1).into()], |p, o| p.optimizer(o))
        .train_scores(true)
        .cv(KFold::new(2));
    search.fit(&data).expect("it searches").results().clone()
}

pub fn results() -> Reader {
    of_json::<SearchResults>("results", vec![json(&searched())], |results| {
        let _ = results.to_string();
        results.to_csv(std::io::sink()).expect("a sink takes everything");
        results.fits_to_csv(std::io::sink()).expect("a sink takes everything");
        let _ = results.to_json();
    })
}

pub fn fit_row() -> Reader {
    of_json::<FitRow>("row of a fit", vec![json(&searched().rows()[1])], |row| {
        assert_eq!(row.task().fold, Some(row.fold))
    })
}

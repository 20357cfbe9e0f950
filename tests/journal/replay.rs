//! One row, worked out again.

use linfa::traits::{Fit, Predict};
use linfa_elasticnet::ElasticNet;
use linfa_mlp::Error;
use linfa_mlp::estimator::MlpRegressorParams;
use linfa_mlp::model_selection::{
    Epochs, FitRow, GridSearch, HalvingSearch, HyperbandSearch, KFold, LogUniform, Resource, Samples,
    SequentialSearch, TargetScaling, Updates,
};
use linfa_mlp::optimizer::{Adam, Sgd};
use linfa_mlp::prelude::*;
use ndarray::Axis;

use crate::program::{data, in_folder, networks};

fn without_times(row: &FitRow) -> FitRow {
    FitRow { fit_seconds: 0.0, cpu_seconds: None, score_seconds: 0.0, ..row.clone() }
}

#[test]
fn every_row_of_a_table_is_replayed_to_the_same_bits_and_gives_its_model() {
    let folder = tempfile::tempdir().unwrap();
    let (search, data) = (networks(&in_folder(&folder)).replicates(2), data::<f32>(90));
    let found = search.fit(&data).unwrap();
    for row in found.results().rows() {
        let again = search.replay_by_rows(row, &data).unwrap();
        assert_eq!(without_times(&again.row), without_times(row));
        // The model predicts the fold's test rows as well as the row says.
        let test = &found.splits()[row.fold].test;
        let predicted = again.model.unwrap().predict(&data.records.select(Axis(0), test));
        let truth = data.targets.select(Axis(0), test);
        let squares = truth.iter().zip(&predicted).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2));
        let score = -squares.sum::<f64>() / test.len() as f64;
        assert!((score - row.test_scores[0]).abs() <= 1e-9 * score.abs(), "{score} {:?}", row.test_scores);
        // linfa's own way gives the scores, too; it knows nothing of epochs and seeds.
        if row.replicate == 0 {
            let general = search.clone().replicates(1).replay(row, &data).unwrap().row;
            assert_eq!(
                (general.test_scores, general.train_scores),
                (row.test_scores.clone(), row.train_scores.clone())
            );
        }
    }
}

#[test]
fn a_fit_that_failed_fails_again_and_has_no_model() {
    let search = GridSearch::new(MlpRegressor::params().hidden_layer_sizes([4]).epochs(8).batch_size(4))
        .axis("rate", [1e-6, 1e30], |params, rate| params.optimizer(Sgd::new(rate)))
        .cv(KFold::new(2));
    let found = search.fit(&data::<f32>(20)).unwrap();
    let row = &found.results().rows()[2];
    assert_eq!(row.status.name(), "diverged");
    let again = search.replay_by_rows(row, &data::<f32>(20)).unwrap();
    assert!(again.row.status == row.status && again.model.is_none());
}

#[test]
fn a_row_that_the_search_does_not_have_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (search, data) = (networks(&in_folder(&folder)), data::<f32>(90));
    let found = search.fit(&data).unwrap();
    let name = |change: &dyn Fn(&mut FitRow)| {
        let mut row = found.results().rows()[0].clone();
        change(&mut row);
        match search.replay_by_rows(&row, &data).unwrap_err() {
            Error::Parameter { name, .. } => name,
            other => panic!("{other}"),
        }
    };
    assert_eq!(name(&|row| row.candidate = 6), "row: candidate");
    assert_eq!(name(&|row| row.fold = usize::MAX), "row: fold");
    assert_eq!(name(&|row| row.replicate = 1), "row: replicate");
    assert_eq!(name(&|row| row.rung = 1), "row: rung");
}

const RATES: [f64; 4] = [1e-3, 0.003, 0.01, 0.03];

fn params() -> MlpRegressorParams {
    MlpRegressor::params().hidden_layer_sizes([4]).batch_size(8).seed(5)
}

fn halving(resource: impl Into<Resource>) -> HalvingSearch<MlpRegressorParams> {
    HalvingSearch::new(params())
        .axis("rate", RATES, |p, rate| p.optimizer(Adam::new(rate)))
        .resource(resource)
        .factor(2)
        .scale_targets(TargetScaling::Standard)
        .cv(KFold::new(2))
        .replicates(2)
}

#[test]
fn a_row_of_a_later_rung_is_trained_to_where_its_rung_ended() {
    let data = data::<f64>(40);
    for resource in [Resource::from(Epochs { min: 1, max: 4 }), Updates { min: 1, max: 7 }.into()] {
        let search = halving(resource);
        let found = search.fit(&data).unwrap();
        assert!(found.rungs().len() == 3 && found.results().rows().iter().any(|row| row.rung == 2));
        for row in found.results().rows() {
            let again = search.replay_continuing(row, &data).unwrap();
            assert_eq!(without_times(&again.row), without_times(row));
            assert!(again.model.is_some());
        }
    }
    // A survivor's model has the bytes of a fit that never paused.
    let search = halving(Epochs { min: 1, max: 4 });
    let found = search.fit(&data).unwrap();
    let straight: GridSearch<MlpRegressorParams> = GridSearch::new(params().epochs(4))
        .axis("rate", RATES, |p, rate| p.optimizer(Adam::new(rate)))
        .scale_targets(TargetScaling::Standard)
        .cv(KFold::new(2))
        .replicates(2);
    for row in found.results().rows().iter().filter(|row| row.rung == 2) {
        let survivor = search.replay_continuing(row, &data).unwrap().model.unwrap();
        let plain = FitRow { rung: 0, resource: None, ..row.clone() };
        let fitted = straight.replay_by_rows(&plain, &data).unwrap().model.unwrap();
        assert_eq!(survivor.predict(&data), fitted.predict(&data));
    }
}

#[test]
fn rows_of_every_bracket_and_of_rungs_by_samples_are_replayed() {
    let data = data::<f64>(40);
    let search = HyperbandSearch::new(params())
        .sample(|p, draw| p.optimizer(Adam::new(draw.log_uniform("rate", 1e-4, 1e-1))))
        .resource(Epochs { min: 1, max: 4 })
        .factor(2)
        .scale_targets(TargetScaling::Standard)
        .cv(KFold::new(2));
    let found = search.fit(&data).unwrap();
    assert!(found.rungs().iter().any(|rung| rung.round == 2));
    for row in found.results().rows() {
        let again = search.replay_continuing(row, &data).unwrap();
        assert_eq!(without_times(&again.row), without_times(row));
    }
    let search = HalvingSearch::new(ElasticNet::params())
        .axis("penalty", [0.01, 0.1, 0.3, 1.0, 3.0], |p, penalty| p.penalty(penalty))
        .resource(Samples { min: 6, max: 20 })
        .cv(KFold::new(2));
    let found = search.fit(&data).unwrap();
    assert!(found.rungs().len() > 1);
    for row in found.results().rows() {
        let again = search.replay(row, &data).unwrap();
        assert_eq!(without_times(&again.row), without_times(row));
    }
}

#[test]
fn rungs_and_rounds_that_the_search_does_not_have_are_refused() {
    let data = data::<f64>(40);
    let search = halving(Epochs { min: 1, max: 4 });
    let found = search.fit(&data).unwrap();
    let name = |change: &dyn Fn(&mut FitRow)| {
        let mut row = found.results().rows()[0].clone();
        change(&mut row);
        search.replay_continuing(&row, &data).unwrap_err().to_string()
    };
    assert!(name(&|row| row.rung = 3).starts_with("row: rung must be below 3"));
    assert!(name(&|row| row.resource = Some(3)).starts_with("row: resource must be 1 in that rung"));
    assert!(name(&|row| row.resource = None).starts_with("row: resource must be 1 in that rung"));
    assert!(name(&|row| row.candidate = 4).starts_with("row: candidate must be below 4"));
    // The general ways train every fit to its end.
    let error = search.replay_by_rows(&found.results().rows()[0], &data).unwrap_err();
    assert!(matches!(&error, Error::Parameter { name, .. } if name == "resource"), "{error}");
    let learns = SequentialSearch::new(ElasticNet::params())
        .axis_from("penalty", LogUniform::new(1e-3, 1.0), |p, v| p.penalty(v))
        .n_candidates(4)
        .n_startup(3)
        .cv(KFold::new(2));
    let found = learns.fit(&data).unwrap();
    assert!(learns.replay(&found.results().rows()[5], &data).is_ok());
    let error = learns.replay(&found.results().rows()[6], &data).unwrap_err().to_string();
    assert!(error.contains("below 3, the round that needs no scores"), "{error}");
}

//! One row, worked out again.

use linfa::traits::Predict;
use linfa_mlp::Error;
use linfa_mlp::model_selection::{FitRow, GridSearch, KFold};
use linfa_mlp::optimizer::Sgd;
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

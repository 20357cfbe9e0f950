//! What a fit promises, whatever it is a fit of.

use linfa::Dataset;
use linfa::prelude::*;
use linfa_mlp::callback::{EarlyStopping, OnBatchEnd, ValLoss};
use linfa_mlp::history::StopReason;
use linfa_mlp::optimizer::{Adam, Sgd};
use linfa_mlp::{Error, MlpRegressor};
use ndarray::{Array1, Array2};

use crate::data::{bits, classifier, clouds, named, noise};

#[test]
fn one_seed_gives_one_result_and_the_shuffle_another() {
    let data = clouds(50);
    for shuffle in [true, false] {
        let fit = || classifier().shuffle(shuffle).seed(5).fit(&data).unwrap().to_bytes().unwrap();
        assert_eq!(fit(), fit());
    }
    let weights = |shuffle| bits(classifier().shuffle(shuffle).fit(&data).unwrap().network());
    assert_ne!(weights(true), weights(false));
}

#[test]
fn early_stopping_keeps_the_weights_of_the_best_epoch_and_works_with_names_for_labels() {
    // Labels that nothing can be learned from: what is learned does not hold on other rows.
    let mut data = named(60);
    for (row, label) in data.targets.iter_mut().enumerate() {
        *label = ["rot", "grün", "blau"][(3.0 * noise(row, 9)) as usize];
    }
    let stopping = EarlyStopping::on(ValLoss).patience(3).restore_best_weights();
    let params = classifier().optimizer(Adam::new(0.1)).epochs(60).validation_split(0.3);
    let model = params.clone().callback(stopping).fit(&data).unwrap();
    let losses = &model.history()["val_loss"];
    assert!(losses.len() < 60, "it stops");
    let best =
        losses.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).map(|(epoch, _)| epoch + 1).unwrap();
    assert!(best < losses.len());
    let to_best = params.clone().epochs(best).fit(&data).unwrap();
    assert_eq!(bits(model.network()), bits(to_best.network()));
    // Without validation there is nothing to stop on, and no such column.
    let plain = classifier().fit(&data).unwrap();
    assert!(plain.history().get("val_loss").is_none());
    let error = classifier().callback(EarlyStopping::on(ValLoss)).fit(&data).unwrap_err();
    assert!(matches!(error, Error::Parameter { .. }), "{error}");
}

#[test]
fn endless_patience_runs_to_the_last_epoch() {
    let stopping = EarlyStopping::on(ValLoss).patience(usize::MAX);
    let model = classifier().epochs(25).validation_split(0.2).callback(stopping).fit(&clouds(30)).unwrap();
    assert_eq!(model.history().len(), 25);
    assert_eq!(model.history().stop_reason(), Some(&StopReason::Completed));
}

#[test]
fn a_diverging_fit_under_early_stopping_is_an_error_with_a_finite_model() {
    let data = clouds(40);
    let params = classifier().optimizer(Sgd::new(1e200)).validation_split(0.2);
    let params = params.callback(EarlyStopping::on(ValLoss).patience(2).restore_best_weights());
    let (model, outcome) = params.fit_with_outcome(&data).unwrap();
    assert!(matches!(outcome, Err(Error::Diverged { .. })));
    assert!(model.network().tensors().all(|(_, values)| values.iter().all(|value| value.is_finite())));
    assert!(matches!(params.fit(&data), Err(Error::Diverged { .. })));
}

#[test]
fn weights_of_1_are_no_weights_also_with_validation() {
    let data = clouds(50);
    let params = classifier().epochs(20).validation_split(0.2);
    let params = params.callback(EarlyStopping::on(ValLoss).patience(2));
    let ones = data.clone().with_weights(Array1::ones(50));
    assert_eq!(
        params.fit(&ones).unwrap().to_bytes().unwrap(),
        params.fit(&data).unwrap().to_bytes().unwrap()
    );
}

#[test]
fn several_outputs_are_learned_at_once() {
    let x = Array2::from_shape_fn((200, 5), |(i, j)| noise(i, j) - 0.5);
    let y = Array2::from_shape_fn((200, 3), |(i, j)| x[[i, j]] - 2.0 * x[[i, j + 1]] + 0.5 * x[[i, j + 2]]);
    let data = Dataset::new(x, y);
    let params = MlpRegressor::params().hidden_layer_sizes([20]).optimizer(Adam::new(0.01)).batch_size(20);
    let model = params.epochs(60).fit(&data).unwrap();
    assert!(model.score(&data).unwrap() > 0.98, "{}", model.score(&data).unwrap());
}

#[test]
fn a_callback_stops_after_exactly_its_batch() {
    let stop = OnBatchEnd::new(|view| {
        if view.step() == 7 {
            view.stop("enough");
        }
        Ok(())
    });
    let model = classifier().callback(stop).fit(&clouds(48)).unwrap();
    assert_eq!(model.run().steps(), 7);
    let reason = model.history().stop_reason().unwrap().to_string();
    assert!(reason.contains("enough"), "{reason}");
}

#[test]
fn predicting_changes_nothing() {
    let data = clouds(40);
    let model = classifier().fit(&data).unwrap();
    let before = model.to_bytes().unwrap();
    let (first, second) =
        (model.predict_proba(&data.records).unwrap(), model.predict_proba(&data.records).unwrap());
    assert_eq!(first, second);
    assert_eq!(model.to_bytes().unwrap(), before);
}

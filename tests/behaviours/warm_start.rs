//! Going on from a fitted model. Epochs are counted from the beginning of training, so that 10 epochs and then `fit_with` to 20
//! are 20 epochs in one go.

use linfa::prelude::*;
use linfa_mlp::callback::{EarlyStopping, ValLoss};
use linfa_mlp::history::StopReason;
use linfa_mlp::optimizer::Sgd;
use linfa_mlp::optimizer::schedule::InverseScaling;
use linfa_mlp::{Error, MlpClassifier};

use crate::data::{bits, classifier, clouds, named};

#[test]
fn each_call_adds_the_epochs_that_are_missing() {
    let data = clouds(40);
    let mut model = None;
    for epochs in [4, 8, 12] {
        let fitted = classifier().epochs(epochs).check_unwrap().fit_with(model, &data).unwrap();
        assert_eq!(fitted.history().len(), epochs);
        assert_eq!(fitted.history().stop_reason(), Some(&StopReason::Completed));
        model = Some(fitted);
    }
    let straight = classifier().epochs(12).fit(&data).unwrap();
    assert_eq!(model.unwrap().to_bytes().unwrap(), straight.to_bytes().unwrap());
}

#[test]
fn the_optimizer_and_its_schedule_go_on() {
    let data = clouds(40);
    let params = classifier().optimizer(Sgd::new(InverseScaling::new(0.1)).momentum(0.9));
    let half = params.clone().epochs(3).fit(&data).unwrap();
    let whole = params.clone().epochs(6).check_unwrap().fit_with(Some(half.clone()), &data).unwrap();
    let rates = &whole.history()["learning_rate"];
    assert!(rates.windows(2).all(|pair| pair[1] < pair[0]), "{rates:?}");
    assert_eq!(whole.to_bytes().unwrap(), params.clone().epochs(6).fit(&data).unwrap().to_bytes().unwrap());
    let constant = classifier().optimizer(Sgd::new(0.1));
    let half = constant.clone().epochs(3).fit(&data).unwrap();
    let whole = constant.epochs(6).check_unwrap().fit_with(Some(half), &data).unwrap();
    assert!(whole.history()["learning_rate"].iter().all(|rate| (rate - 0.1).abs() < 1e-15));
}

#[test]
fn early_stopping_starts_afresh_on_the_second_call_and_scores_are_appended() {
    let data = clouds(60);
    // Nothing improves by 10: each call stops after its own patience, counted from its own first epoch.
    let stopping = EarlyStopping::on(ValLoss).min_delta(10.0).patience(3);
    let params = classifier().epochs(50).validation_split(0.2).callback(stopping);
    let first = params.fit(&data).unwrap();
    assert_eq!(first.history().len(), 4);
    let second = params.clone().check_unwrap().fit_with(Some(first.clone()), &data).unwrap();
    assert_eq!(second.history().len(), 8);
    assert_eq!(second.history()["val_loss"][..4], first.history()["val_loss"]);
    assert!(matches!(second.history().stop_reason(), Some(StopReason::Callback { .. })));
    // A plain run of 8 epochs learns the same.
    let plain = classifier().epochs(8).validation_split(0.2).fit(&data).unwrap();
    assert_eq!(bits(second.network()), bits(plain.network()));
}

#[test]
fn other_classes_are_refused_and_both_sets_are_shown() {
    let model = classifier().fit(&named(30)).unwrap();
    let mut other = named(30);
    other.targets[3] = "gelb";
    other.targets[8] = "weiß";
    match classifier().epochs(20).check_unwrap().fit_with(Some(model.clone()), &other).unwrap_err() {
        error @ Error::Mismatch { .. } => assert_eq!(
            error.to_string(),
            "the set of classes must be the one the model was trained with (\"blau\", \"grün\", \"rot\"), but is \
             \"blau\", \"gelb\", \"grün\", \"rot\", \"weiß\""
        ),
        other => panic!("{other:?}"),
    }
    // Rows that lack a class are rows like others: the model keeps its classes.
    let mut fewer = named(30);
    fewer.targets.fill("rot");
    let more = classifier().epochs(20).check_unwrap().fit_with(Some(model), &fewer).unwrap();
    assert_eq!(more.classes(), ["blau", "grün", "rot"]);
}

#[test]
fn a_loaded_model_goes_on_to_the_same_bytes_on_new_data() {
    let (first, second) = (clouds(40), clouds(70));
    let model = classifier().fit(&first).unwrap();
    let loaded: MlpClassifier = MlpClassifier::from_bytes(&model.to_bytes().unwrap()).unwrap();
    let go_on = |model| classifier().epochs(15).check_unwrap().fit_with(Some(model), &second).unwrap();
    assert_eq!(go_on(model).to_bytes().unwrap(), go_on(loaded).to_bytes().unwrap());
}

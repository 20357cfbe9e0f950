//! Chunks that come one after the other.

use linfa::Dataset;
use linfa::prelude::*;
use linfa_mlp::callback::{EarlyStopping, Loss};
use linfa_mlp::optimizer::{Adam, Lbfgs};
use linfa_mlp::train::{ClassWeight, Validation};
use linfa_mlp::{Error, MlpClassifier, MlpMultilabelClassifier, MlpRegressor};
use ndarray::{Array1, Ix1, s};

use crate::data::{bits, classifier, clouds, labels, named};

const CLASSES: [usize; 3] = [0, 1, 2];

/// Rows `from..to` of the clouds.
fn chunk(data: &Dataset<f64, usize, Ix1>, from: usize, to: usize) -> Dataset<f64, usize, Ix1> {
    Dataset::new(data.records.slice(s![from..to, ..]).to_owned(), data.targets.slice(s![from..to]).to_owned())
}

#[test]
fn chunks_of_whole_batches_are_one_epoch_in_order() {
    let data = clouds(96);
    let mut model = None;
    for start in [0, 32, 64] {
        model = Some(classifier().partial_fit(model, &chunk(&data, start, start + 32), &CLASSES).unwrap());
    }
    let model = model.unwrap();
    let epoch = classifier().shuffle(false).epochs(1).fit(&data).unwrap();
    assert_eq!(bits(model.network()), bits(epoch.network()));
    assert_eq!((model.run().steps(), model.history().len()), (6, 3));
}

#[test]
fn a_saved_and_loaded_model_goes_on_to_the_same_bytes() {
    let data = clouds(100);
    let chunks = [(0, 30), (30, 37), (37, 38), (38, 100)];
    let (mut kept, mut saved): (Option<MlpClassifier>, Option<MlpClassifier>) = (None, None);
    for (from, to) in chunks {
        let chunk = chunk(&data, from, to);
        kept = Some(classifier().partial_fit(kept, &chunk, &CLASSES).unwrap());
        saved = saved.map(|model| MlpClassifier::from_bytes(&model.to_bytes().unwrap()).unwrap());
        saved = Some(classifier().partial_fit(saved, &chunk, &CLASSES).unwrap());
    }
    assert_eq!(kept.unwrap().to_bytes().unwrap(), saved.unwrap().to_bytes().unwrap());
}

#[test]
fn a_chunk_may_lack_classes() {
    let data = clouds(60);
    let only = |class: usize| {
        let rows: Vec<usize> = (0..60).filter(|row| data.targets[*row] == class).collect();
        Dataset::new(data.records.select(ndarray::Axis(0), &rows), Array1::from_elem(rows.len(), class))
    };
    let mut model = None;
    for _ in 0..100 {
        for class in [2, 0, 1] {
            model = Some(classifier().partial_fit(model, &only(class), &[1, 2, 0, 2]).unwrap());
        }
    }
    let model = model.unwrap();
    assert_eq!(model.classes(), CLASSES);
    assert!(model.score(&data).unwrap() > 0.8);
}

#[test]
fn the_optimizer_keeps_its_state_and_callbacks_theirs() {
    let data = clouds(32);
    // Nothing improves by 10: the third chunk stops the run, and it stays stopped.
    let params = classifier().callback(EarlyStopping::on(Loss).min_delta(10.0).patience(2));
    let mut model = None;
    for _ in 0..6 {
        model = Some(params.partial_fit(model, &data, &CLASSES).unwrap());
    }
    assert_eq!(model.unwrap().history().len(), 3);

    // Two passes are not twice the first one: Adam's moments count.
    let twice = (0..2).fold(None, |model, _| Some(classifier().partial_fit(model, &data, &CLASSES).unwrap()));
    let epochs = classifier().shuffle(false).epochs(2).fit(&data).unwrap();
    assert_eq!(bits(twice.unwrap().network()), bits(epochs.network()));
}

#[test]
fn every_estimator_learns_from_chunks() {
    let x = clouds(64).records;
    let y = x.column(0).to_owned() - x.column(1);
    let params = MlpRegressor::params().hidden_layer_sizes([4]).batch_size(16);
    let mut model = None;
    for part in Dataset::new(x.clone(), y.clone()).sample_chunks(32) {
        model = Some(params.partial_fit(model, &part).unwrap());
    }
    let epoch = params.clone().shuffle(false).epochs(1).fit(&Dataset::new(x, y)).unwrap();
    assert_eq!(bits(model.unwrap().network()), bits(epoch.network()));

    let data = labels(64);
    let params = MlpMultilabelClassifier::params().hidden_layer_sizes([4]).batch_size(16);
    let mut model = None;
    for part in data.sample_chunks(32) {
        model = Some(params.partial_fit(model, &part).unwrap());
    }
    let epoch = params.clone().shuffle(false).epochs(1).fit(&data).unwrap();
    assert_eq!(bits(model.unwrap().network()), bits(epoch.network()));
}

#[test]
fn what_a_chunk_cannot_do_is_refused_before_it_is_learned_from() {
    let data = clouds(30);
    let model = classifier().partial_fit(None, &data, &CLASSES).unwrap();
    let go_on = |classes: &[usize]| classifier().partial_fit(Some(model.clone()), &data, classes);
    match go_on(&[0, 1, 2, 3]).unwrap_err() {
        Error::Mismatch { what: "the set of classes", trained, found } => {
            assert_eq!((trained.as_str(), found.as_str()), ("0, 1, 2", "0, 1, 2, 3"));
        }
        other => panic!("{other:?}"),
    }
    let error = classifier().partial_fit(None, &data, &[0, 1]).unwrap_err();
    assert!(matches!(error, Error::UnknownLabel { row: 2, .. }), "{error}");
    let message = |result: Result<MlpClassifier, Error>| result.unwrap_err().to_string();
    assert_eq!(
        message(classifier().partial_fit(None, &data, &[])),
        "number of classes must be at least 2, but is 0"
    );
    assert_eq!(
        message(classifier().partial_fit(None, &data, &[1, 1])),
        "y must hold at least 2 classes, but every row is 1"
    );
    assert_eq!(
        message(classifier().validation(Validation::random(0.2)).partial_fit(None, &data, &CLASSES)),
        "validation must be none where chunks are learned from, but is a random 0.2"
    );
    assert_eq!(
        message(classifier().class_weight(ClassWeight::Balanced).partial_fit(None, &data, &CLASSES)),
        "class_weight must be given for each class where chunks are learned from, but is balanced"
    );
    let given = classifier().class_weight(ClassWeight::given([(1, 2.0)]));
    assert!(given.partial_fit(None, &data, &CLASSES).is_ok());
    let wide = Dataset::new(ndarray::Array2::zeros((6, 4)), Array1::from_shape_fn(6, |row| row % 3));
    let error = classifier().partial_fit(Some(model.clone()), &wide, &CLASSES).unwrap_err();
    assert!(matches!(error, Error::Width { array: "x", expected: 3, found: 4 }), "{error}");
    let error = classifier().optimizer(Adam::new(0.5)).partial_fit(Some(model), &data, &CLASSES).unwrap_err();
    assert!(matches!(error, Error::Mismatch { what: "the optimizer", .. }), "{error}");
    let error = classifier().optimizer(Lbfgs::default()).partial_fit(None, &data, &CLASSES).unwrap_err();
    assert!(matches!(error, Error::Parameter { .. }), "{error}");
    let unbatched = MlpClassifier::params().optimizer(Lbfgs::default()).partial_fit(None, &data, &CLASSES);
    assert_eq!(
        unbatched.unwrap_err().to_string(),
        "optimizer must be one that learns batch by batch from chunks, but is lbfgs"
    );
    let empty = chunk(&data, 0, 0);
    assert!(matches!(classifier().partial_fit(None, &empty, &CLASSES), Err(Error::NoRows { array: "x" })));
}

#[test]
fn labels_of_chunks_may_be_names() {
    let data = named(40);
    let model = classifier().partial_fit(None, &data, &["rot", "grün", "blau", "gelb"]).unwrap();
    assert_eq!(model.classes(), ["blau", "gelb", "grün", "rot"]);
    assert_eq!(model.predict_proba(&data.records).unwrap().ncols(), 4);
}

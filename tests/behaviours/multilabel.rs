//! Several yes-or-no labels for each row.

use linfa::Dataset;
use linfa::prelude::*;
use linfa_mlp::callback::{EarlyStopping, ValLoss};
use linfa_mlp::estimator::MlpMultilabelClassifierParams;
use linfa_mlp::model_selection::{GridSearch, KFold, Scorer, cross_validate};
use linfa_mlp::optimizer::Adam;
use linfa_mlp::{Error, MlpClassifier, MlpMultilabelClassifier};
use ndarray::{Array1, Array2, Axis, s};

use crate::data::{bits, labels};

fn params() -> MlpMultilabelClassifierParams {
    let params = MlpMultilabelClassifier::params().hidden_layer_sizes([8]).optimizer(Adam::new(0.03));
    params.batch_size(16).epochs(40)
}

#[test]
fn labels_are_learned_and_scored_by_the_row() {
    let data = labels(150);
    let model = params().fit(&data).unwrap();
    let predicted: Array2<bool> = model.predict(&data);
    let right = (0..150).filter(|&row| predicted.row(row) == data.targets.row(row)).count();
    assert!(right > 130, "{right}");
    assert!((model.score(&data).unwrap() - right as f64 / 150.0).abs() < 1e-15);
    assert!((model.history()["accuracy"][39] - right as f64 / 150.0).abs() < 0.05);
    let proba = model.predict_proba(&data.records).unwrap();
    assert_eq!((proba.dim(), model.n_labels()), ((150, 3), 3));
    // Each label is a question of its own: rows need not sum to 1.
    assert!(proba.rows().into_iter().any(|row| (row.sum() - 1.0).abs() > 0.5));
    let weights =
        Array1::from_shape_fn(150, |row| f32::from(u8::from(predicted.row(row) == data.targets.row(row))));
    assert!((model.score(&labels(150).with_weights(weights)).unwrap() - 1.0).abs() < 1e-15);
}

#[test]
fn numbers_0_and_1_are_labels_as_booleans_are() {
    let data = labels(60);
    let numbers = Dataset::new(data.records.clone(), data.targets.mapv(usize::from));
    let (a, b) = (params().fit(&data).unwrap(), params().fit(&numbers).unwrap());
    assert_eq!(a.to_bytes().unwrap(), b.to_bytes().unwrap());
    let predicted: Array2<usize> = b.predict(&numbers);
    assert_eq!(predicted, a.predict(&data).mapv(usize::from));
    let mut other = numbers;
    other.targets[[7, 2]] = 3;
    let error = params().fit(&other).unwrap_err();
    assert_eq!(error.to_string(), "y must hold labels the model knows (0, 1), but row 7 is 3");
}

#[test]
fn one_label_is_a_binary_classifier() {
    let data = labels(60);
    let single = Dataset::new(data.records.clone(), data.targets.slice(s![.., ..1]).to_owned());
    let column = Dataset::new(data.records.clone(), data.targets.column(0).to_owned());
    let model = params().epochs(5).fit(&single).unwrap();
    let base = MlpClassifier::params().hidden_layer_sizes([8]).optimizer(Adam::new(0.03));
    let binary = base.batch_size(16).epochs(5).fit(&column).unwrap();
    assert_eq!(bits(model.network()), bits(binary.network()));
    assert_eq!(model.predict(&data.records).column(0), binary.predict(&data.records));
}

#[test]
fn each_label_has_its_threshold() {
    let data = labels(60);
    let model = params().epochs(5).thresholds([0.2, 0.5, 0.8]).fit(&data).unwrap();
    let proba = model.predict_proba(&data.records).unwrap();
    let expected =
        Array2::from_shape_fn((60, 3), |(row, label)| proba[[row, label]] > [0.2, 0.5, 0.8][label]);
    assert_eq!(model.predict(&data.records), expected);
    let read = MlpMultilabelClassifier::<f64, bool>::from_bytes(&model.to_bytes().unwrap()).unwrap();
    assert_eq!((read.thresholds(), read.predict(&data.records)), (&[0.2, 0.5, 0.8][..], expected));
    let same = params().epochs(5).threshold(0.3).fit(&data).unwrap();
    assert_eq!(same.thresholds(), [0.3; 3]);
    let moved = same.with_thresholds([0.2, 0.5, 0.8]).unwrap();
    assert_eq!(moved.predict(&data.records), model.predict(&data.records));
    assert!(matches!(moved.with_thresholds([0.5]), Err(Error::Parameter { .. })));
}

#[test]
fn early_stopping_saving_and_going_on_work_as_for_one_label() {
    let data = labels(80);
    let stopping = EarlyStopping::on(ValLoss).patience(2).min_delta(0.05);
    let stopped = params().validation_split(0.25).callback(stopping).fit(&data).unwrap();
    assert!(stopped.history().len() < 40, "{}", stopped.history().len());

    let half = params().epochs(3).fit(&data).unwrap();
    let half = MlpMultilabelClassifier::from_bytes(&half.to_bytes().unwrap()).unwrap();
    let whole = params().epochs(9).check_unwrap().fit_with(Some(half), &data).unwrap();
    assert_eq!(whole.to_bytes().unwrap(), params().epochs(9).fit(&data).unwrap().to_bytes().unwrap());
    let narrow = Dataset::new(data.records.clone(), data.targets.slice(s![.., ..2]).to_owned());
    let error = params().epochs(12).check_unwrap().fit_with(Some(whole.clone()), &narrow).unwrap_err();
    assert!(matches!(error, Error::Mismatch { what: "the network", .. }), "{error}");
    assert!(matches!(whole.score(&narrow), Err(Error::Width { array: "y", expected: 3, found: 2 })));
    assert!(MlpClassifier::<f64, bool>::from_bytes(&whole.to_bytes().unwrap()).is_err());
}

#[test]
fn cross_validation_and_searches_take_it_with_and_without_copies() {
    let data = labels(60);
    let params = params().epochs(4);
    let (cv, scorers) = (KFold::new(3).shuffle(1), [Scorer::accuracy()]);
    let fast = params.cross_validate(&data, &cv, &scorers).unwrap();
    let general = cross_validate(&params, &data, &cv, &scorers).unwrap();
    assert_eq!(fast.test_scores("accuracy"), general.test_scores("accuracy"));

    let search = GridSearch::new(params.epochs(20))
        .axis("hidden", [vec![], vec![6]], |params, sizes| params.hidden_layer_sizes(sizes))
        .cv(KFold::new(3));
    let found = search.fit(&data).unwrap();
    let best = found.best_model().unwrap();
    let predicted: Array2<bool> = best.predict(&data);
    let right = (0..60).filter(|&row| predicted.row(row) == data.targets.row(row)).count();
    assert!(right > 36, "{right}");
}

#[test]
fn labels_and_rows_must_fit() {
    let data = labels(20);
    let short = linfa::DatasetBase::new(data.records.view(), data.targets.slice(s![..19, ..]));
    assert!(matches!(params().fit(&short), Err(Error::RowCount { array: "y", expected: 20, found: 19 })));
    let none = Dataset::new(data.records.clone(), Array2::<bool>::default((20, 0)));
    assert!(matches!(params().fit(&none), Err(Error::NoColumns { array: "y" })));
    let empty = Dataset::new(Array2::<f64>::zeros((0, 2)), Array2::<bool>::default((0, 3)));
    assert!(matches!(params().fit(&empty), Err(Error::NoRows { array: "x" })));
    // A label that nobody has is a question all the same.
    let mut never = data;
    never.targets.index_axis_mut(Axis(1), 1).fill(false);
    let model = params().fit(&never).unwrap();
    assert!(model.predict(&never).column(1).iter().all(|yes| !yes));
}

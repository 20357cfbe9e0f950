//! Where validation rows come from.

use linfa::Dataset;
use linfa::prelude::*;
use linfa_mlp::callback::{EarlyStopping, ValLoss};
use linfa_mlp::model_selection::{Scorer, StratifiedKFold, cross_validate};
use linfa_mlp::prelude::{Adam, Dense, MeanSquaredError, Sequential};
use linfa_mlp::train::{Data, Rows, Training, Validation};
use linfa_mlp::{Error, MlpMultilabelClassifier, MlpRegressor};
use ndarray::{Array1, Axis, array, s};

use crate::data::{bits, classifier, clouds, labels, named};

/// The rows of a data set by index.
fn part<L: linfa::Label>(
    data: &Dataset<f64, L, ndarray::Ix1>,
    rows: &[usize],
) -> Dataset<f64, L, ndarray::Ix1> {
    Dataset::new(data.records.select(Axis(0), rows), data.targets.select(Axis(0), rows))
}

#[test]
fn the_last_share_is_the_rows_at_the_end_as_a_data_set_of_their_own() {
    let data = clouds(50);
    let held_out = classifier().validation_split(0.3).fit(&data).unwrap();
    assert_eq!((held_out.history().n_training_rows(), held_out.history().n_validation_rows()), (35, 15));
    assert_eq!(held_out.history()["val_loss"].len(), 8);
    let (train, valid) =
        (part(&data, &(0..35).collect::<Vec<_>>()), part(&data, &(35..50).collect::<Vec<_>>()));
    let given = classifier().validation_data(&valid).fit(&train).unwrap();
    assert_eq!(given.to_bytes().unwrap(), held_out.to_bytes().unwrap());
    let named: Vec<usize> = (35..50).collect();
    let rows = classifier().validation(Validation::rows(named)).fit(&data).unwrap();
    assert_eq!(rows.to_bytes().unwrap(), held_out.to_bytes().unwrap());
}

#[test]
fn a_stratified_share_has_every_class_where_the_last_share_has_one() {
    // Sorted by class, as many files are.
    let data = clouds(60);
    let mut order: Vec<usize> = (0..60).collect();
    order.sort_by_key(|row| row % 3);
    let sorted = part(&data, &order);
    let fit = |validation| classifier().epochs(60).validation(validation).fit(&sorted).unwrap();
    let (last, stratified) = (fit(Validation::last(1.0 / 3.0)), fit(Validation::stratified(1.0 / 3.0)));
    let rows = |model: &linfa_mlp::MlpClassifier| {
        (model.history().n_training_rows(), model.history().n_validation_rows())
    };
    assert_eq!((rows(&last), rows(&stratified)), ((40, 20), (40, 20)));
    // The last third is a class that is never trained on.
    let accuracy = |model: &linfa_mlp::MlpClassifier| model.history()["val_accuracy"][59];
    assert!(accuracy(&last) < 0.1 && accuracy(&stratified) > 0.8);
}

#[test]
fn drawn_rows_depend_on_the_seed_alone() {
    let data = clouds(60);
    for validation in [Validation::random(0.3), Validation::stratified(0.3)] {
        let fit = |seed| {
            let model = classifier().validation(validation.clone()).seed(seed).fit(&data).unwrap();
            model.to_bytes().unwrap()
        };
        assert_eq!(fit(1), fit(1));
        assert_ne!(fit(1), fit(2));
    }
}

#[test]
fn absurd_validation_rows_move_no_weight() {
    let data = clouds(48);
    let (train, valid) =
        (part(&data, &(0..36).collect::<Vec<_>>()), part(&data, &(36..48).collect::<Vec<_>>()));
    let mut absurd = valid.clone();
    absurd.records.fill(1e200);
    let fit = |valid| classifier().validation_data(valid).fit(&train).unwrap();
    assert_eq!(bits(fit(&valid).network()), bits(fit(&absurd).network()));
    assert_eq!(bits(fit(&valid).network()), bits(classifier().fit(&train).unwrap().network()));
}

#[test]
fn every_estimator_and_the_model_validate_on_given_data() {
    let (x, y) = (array![[0.0], [1.0], [2.0], [3.0]], array![1.0, 3.0, 5.0, 7.0]);
    let (x_valid, y_valid) = (array![[0.5], [1.5]], array![2.0, 4.0]);
    let (train, valid) = (Dataset::new(x.clone(), y.clone()), Dataset::new(x_valid.clone(), y_valid.clone()));
    let params = MlpRegressor::params()
        .hidden_layer_sizes([])
        .optimizer(Adam::new(0.1))
        .batch_size(2)
        .epochs(6)
        .alpha(0.0);
    let regressor = params.clone().validation_data(&valid).fit(&train).unwrap();

    let mut model =
        Sequential::new().add(Dense::new(1)).compile(1, Adam::new(0.1), MeanSquaredError, ()).unwrap();
    let (y, y_valid) = (y.insert_axis(Axis(1)), y_valid.insert_axis(Axis(1)));
    let data = Data {
        training: Rows::new(x.view(), y.view()).unwrap(),
        validation: Some(Rows::new(x_valid.view(), y_valid.view()).unwrap()),
    };
    model.fit_data(&data, &Training::epochs(6).batch_size(2)).unwrap();
    assert_eq!(model.history(), regressor.history());

    // Weighted validation rows: 0 is the row absent.
    let weighted = Dataset::new(x_valid.clone(), valid.targets.clone()).with_weights(array![1.0, 0.0]);
    let first = Dataset::new(x_valid.slice(s![..1, ..]).to_owned(), valid.targets.slice(s![..1]).to_owned());
    let loss = |valid| params.clone().validation_data(valid).fit(&train).unwrap().history()["val_loss"][5];
    assert_eq!(loss(&weighted), loss(&first));

    let (train, valid) = (labels(40), labels(20));
    let params = MlpMultilabelClassifier::params().hidden_layer_sizes([4]).epochs(3);
    let multilabel = params.validation_data(&valid).fit(&train).unwrap();
    assert_eq!(multilabel.history().n_validation_rows(), 20);

    // Going on, with the same validation data, is one fit.
    let (train, valid) = (clouds(40), clouds(10));
    let half = classifier().epochs(3).validation_data(&valid).fit(&train).unwrap();
    let whole = classifier().epochs(8).validation_data(&valid).fit_with(Some(half), &train).unwrap();
    let straight = classifier().epochs(8).validation_data(&valid).fit(&train).unwrap();
    assert_eq!(whole.to_bytes().unwrap(), straight.to_bytes().unwrap());
}

#[test]
fn rows_are_never_trained_on_and_validated_on() {
    let data = clouds(10);
    let y = data.targets.mapv(|class| class as f64).insert_axis(Axis(1));
    let rows = Rows::new(data.records.view(), y.view()).unwrap();
    let error = |train: &[usize], valid: &[usize]| {
        Data::divide(&rows, train.to_vec(), valid.to_vec()).expect_err("refused").to_string()
    };
    let both = "the validation rows must be rows that are not trained on, each named once, but is ";
    assert_eq!(error(&[0, 1, 2], &[3, 1]), format!("{both}row 1, which is trained on"));
    assert_eq!(error(&[0, 1], &[3, 4, 3]), format!("{both}row 3 twice"));
    assert_eq!(error(&[], &[3]), "the rows chosen must have at least 1 row, but has none");
    assert_eq!(error(&[1], &[10]), "row indices must be below 10, but index 0 is 10");
    // A training row may be named twice: that is its weight.
    assert!(Data::divide(&rows, vec![0, 0, 1], vec![2]).is_ok());
}

#[test]
fn two_sources_at_once_are_refused() {
    let (train, valid) = (clouds(30), clouds(9));
    let error = classifier().validation_split(0.1).validation_data(&valid).fit(&train).unwrap_err();
    assert_eq!(
        error.to_string(),
        "validation must be none where validation rows are given, but is the last 0.1"
    );
}

#[test]
fn validation_data_are_checked_before_the_first_step() {
    let train = named(30);
    let refused = |valid: &Dataset<f64, &'static str, ndarray::Ix1>| {
        classifier().validation_data(valid).fit(&train).expect_err("refused")
    };
    let mut other = named(6);
    other.targets[4] = "gelb";
    assert!(matches!(refused(&other), Error::UnknownLabel { row: 4, .. }));
    let mut spoilt = named(6);
    spoilt.records[[2, 1]] = f64::NAN;
    assert_eq!(
        refused(&spoilt).to_string(),
        "x of the validation rows must be finite, but row 2, column 1 is NaN"
    );
    let wide = Dataset::new(ndarray::Array2::zeros((3, 4)), Array1::from_elem(3, "rot"));
    assert!(matches!(
        refused(&wide),
        Error::Width { array: "x of the validation rows", expected: 3, found: 4 }
    ));
    let weightless = named(6).with_weights(Array1::zeros(6));
    assert_eq!(
        refused(&weightless).to_string(),
        "sample weights must be above 0 in at least one row, but is 0 in every row"
    );
    let empty = Dataset::new(ndarray::Array2::zeros((0, 3)), Array1::from_elem(0, "rot"));
    assert!(matches!(refused(&empty), Error::NoRows { array: "x of the validation rows" }));
}

#[test]
fn a_class_that_cannot_be_on_both_sides_is_named_by_its_label() {
    let mut data = named(30);
    data.targets[7] = "gelb";
    let error = classifier().validation(Validation::stratified(0.2)).fit(&data).unwrap_err();
    assert_eq!(
        error.to_string(),
        "stratified validation needs at least 2 rows of every class, but class gelb has 1"
    );
    let error = classifier().validation(Validation::rows([30])).fit(&data).unwrap_err();
    assert!(matches!(error, Error::RowIndex { position: 0, row: 30, n_samples: 30 }), "{error}");
    // In a search it is seen before the first fit.
    let scorers = [Scorer::accuracy()];
    let params = classifier().validation(Validation::rows([25]));
    let error = params.cross_validate(&named(30), &StratifiedKFold::new(3), &scorers).unwrap_err();
    assert!(error.to_string().contains("row indices must be below 20, but index 0 is 25"), "{error}");
}

#[test]
fn inside_a_fold_rows_are_held_out_of_its_training_rows_with_and_without_copies() {
    let data = clouds(45);
    let stopping = EarlyStopping::on(ValLoss).patience(2).restore_best_weights();
    for validation in [Validation::stratified(0.2), Validation::random(0.2), Validation::rows([0, 4, 8])] {
        let params = classifier().epochs(15).validation(validation).callback(stopping.clone());
        let (cv, scorers) = (StratifiedKFold::new(3), [Scorer::accuracy()]);
        let fast = params.cross_validate(&data, &cv, &scorers).unwrap();
        let general = cross_validate(&params, &data, &cv, &scorers).unwrap();
        assert_eq!(fast.test_scores("accuracy"), general.test_scores("accuracy"));
    }
}

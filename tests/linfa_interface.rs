//! The estimators are linfa estimators: every label type, every data set, every way to predict.

use std::fmt::Debug;

use linfa::dataset::{AsTargets, CountedTargets, Label};
use linfa::prelude::*;
use linfa::{Dataset, DatasetBase, DatasetView};
use linfa_mlp::callback::{AnyCallback, EarlyStopping};
use linfa_mlp::estimator::{
    Classification, MlpClassifierParams, MlpMultilabelClassifierParams, MlpRegressorParams, MlpValidParams,
    Regression,
};
use linfa_mlp::history::{History, StopReason};
use linfa_mlp::loss::{AnyLoss, Huber};
use linfa_mlp::metric::AnyMetric;
use linfa_mlp::network::activation::AnyActivation;
use linfa_mlp::network::{Dense, Dropout, Network, Relu, Sequential, Summary, Tanh};
use linfa_mlp::optimizer::{Adam, AnyOptimizer, AnySchedule, Sgd};
use linfa_mlp::part;
use linfa_mlp::train::{ClassWeight, Data, Model, Plan, Rows, Run, Status, Training, Until, Validation};
use linfa_mlp::{Error, Float, MlpClassifier, MlpMultilabelClassifier, MlpRegressor};
use ndarray::{Array1, Array2, ArrayView2, CowArray, Ix1, Ix2, array, s};
use serde_json::{Value, json};

const N: usize = 60;

/// Rows around as many corners as there are classes.
fn corners<F: Float>(n_classes: usize) -> Array2<F> {
    Array2::from_shape_fn((N, 3), |(i, j)| {
        let corner = if i % n_classes == j % n_classes { 1.0 } else { 0.0 };
        F::of(corner + ((i * 13 + j * 7) % 10) as f64 * 0.02)
    })
}

fn classifier() -> MlpClassifierParams {
    MlpClassifier::params().hidden_layer_sizes([8]).optimizer(Adam::new(0.05)).batch_size(16).epochs(40)
}

fn regressor() -> MlpRegressorParams {
    MlpRegressor::params().hidden_layer_sizes([16]).activation(Tanh).optimizer(Adam::new(0.02)).epochs(150)
}

/// Fits labels of any type, and predicts them in every way linfa has.
fn labels_fit_and_predict<F: Float, L: Label + Copy + Send + Sync>(classes: &[L]) {
    let x = corners::<F>(classes.len());
    let y = Array1::from_shape_fn(N, |i| classes[i % classes.len()]);
    let dataset = Dataset::new(x.clone(), y.clone());
    let model = classifier().fit(&dataset).unwrap();
    let mut sorted = classes.to_vec();
    sorted.sort();
    assert_eq!(model.classes(), sorted);
    assert_eq!(model.network().n_outputs(), if classes.len() == 2 { 1 } else { classes.len() });

    let predicted: Array1<L> = model.predict(&dataset);
    assert_eq!(predicted, y);
    assert_eq!(model.predict(&x), y);
    assert_eq!(model.try_predict(&x).unwrap(), y);
    let with_targets: DatasetBase<Array2<F>, Array1<L>> = model.predict(x.clone());
    assert_eq!(with_targets.targets, y);
    assert_eq!(with_targets.records, x);
    let replaced: DatasetBase<Array2<F>, Array1<L>> = model.predict(dataset.clone());
    assert_eq!(replaced.targets, y);
    assert_eq!(model.default_target(&x).len(), N);
    let mut given = Array1::from_elem(0, L::default());
    model.predict_inplace(&x, &mut given);
    assert_eq!(given, y);
    assert!((model.score(&dataset).unwrap() - 1.0).abs() < 1e-15);

    let proba = model.predict_proba(&x).unwrap();
    assert_eq!(proba.dim(), (N, classes.len()));
    for (row, label) in proba.rows().into_iter().zip(&y) {
        assert!((row.sum().wide() - 1.0).abs() < 1e-6);
        let place = sorted.iter().position(|class| class == label).unwrap();
        assert!(row.iter().all(|p| *p <= row[place]));
    }

    let confusion = predicted.confusion_matrix(&dataset).unwrap();
    assert!((confusion.accuracy() - 1.0).abs() < 1e-6);
}

#[test]
fn every_copy_label_type_fits_and_predicts() {
    labels_fit_and_predict::<f64, usize>(&[7, 3]);
    labels_fit_and_predict::<f32, usize>(&[2, 900, 17]);
    labels_fit_and_predict::<f64, bool>(&[true, false]);
    labels_fit_and_predict::<f32, bool>(&[true, false]);
    labels_fit_and_predict::<f64, &'static str>(&["virginica", "setosa", "versicolor"]);
    labels_fit_and_predict::<f32, &'static str>(&["yes", "no"]);
    labels_fit_and_predict::<f64, Option<usize>>(&[Some(4), None, Some(0)]);
    labels_fit_and_predict::<f64, Option<bool>>(&[Some(true), None]);
    labels_fit_and_predict::<f64, Option<Option<&'static str>>>(&[Some(Some("a")), Some(None), None]);
}

#[test]
fn string_labels_fit_predict_and_are_saved() {
    let classes = ["weiß", "rot", "grün"];
    let y = Array1::from_shape_fn(N, |i| classes[i % 3].to_owned());
    let dataset = Dataset::new(corners::<f64>(3), y.clone());
    let model = classifier().fit(&dataset).unwrap();
    assert_eq!(model.predict(&dataset), y);
    assert_eq!(model.classes(), ["grün", "rot", "weiß"]);
    let read = MlpClassifier::<f64, String>::from_bytes(&model.to_bytes().unwrap()).unwrap();
    assert_eq!(read.predict(&dataset), y);
    assert_eq!(read.classes(), model.classes());
    let predicted: Array1<String> = read.predict(dataset.records());
    assert!((predicted.confusion_matrix(&dataset).unwrap().accuracy() - 1.0).abs() < 1e-6);
}

#[test]
fn a_label_type_of_one_value_has_one_class() {
    let dataset = Dataset::new(corners::<f64>(2), Array1::from_elem(N, ()));
    match classifier().fit(&dataset) {
        Err(Error::OneClass { class }) => assert_eq!(class, "()"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_data_set_of_linfa_fits() {
    let x = corners::<f64>(3);
    let y = Array1::from_shape_fn(N, |i| i % 3);
    let owned = Dataset::new(x.clone(), y.clone());
    let expected = classifier().fit(&owned).unwrap();
    let same = |model: MlpClassifier| {
        assert_eq!(model.to_bytes().unwrap(), expected.to_bytes().unwrap());
    };

    same(classifier().fit(&owned.view()).unwrap());
    let view: DatasetView<'_, f64, usize, Ix1> = DatasetView::new(x.view(), y.view());
    same(classifier().fit(&view).unwrap());
    same(classifier().fit(&DatasetBase::new(x.view(), &y)).unwrap());
    same(classifier().fit(&DatasetBase::from((x.clone(), y.clone()))).unwrap());
    same(classifier().fit(&DatasetBase::new(x.clone(), CountedTargets::new(y.clone()))).unwrap());
    let cow: CowArray<'_, f64, Ix2> = x.view().into();
    same(classifier().fit(&DatasetBase::new(cow, y.view())).unwrap());
    same(classifier().fit(&DatasetBase::new(x.clone().into_shared(), y.clone().into_shared())).unwrap());
    // Targets of one column.
    same(
        classifier()
            .fit(&Dataset::new(x.clone(), y.clone().insert_axis(ndarray::Axis(1))).into_single_target())
            .unwrap(),
    );
    same(classifier().check().unwrap().fit(&owned).unwrap());
    same(classifier().check_unwrap().fit(&owned).unwrap());
}

#[test]
fn data_sets_that_linfa_makes_of_others_fit() {
    let dataset = Dataset::new(corners::<f64>(3), Array1::from_shape_fn(N, |i| i % 3));

    // Some labels only: counted targets.
    let two = dataset.with_labels(&[0, 2]);
    let model = classifier().fit(&two).unwrap();
    assert_eq!(model.classes(), [0, 2]);
    assert!(model.score(&two).unwrap() > 0.95);
    assert!(model.predict(&two).iter().all(|label| *label != 1));

    // One against all: booleans, borrowed rows.
    let against = dataset.one_vs_all().unwrap();
    assert_eq!(against.len(), 3);
    for (label, data) in against {
        let model = classifier().fit(&data).unwrap();
        assert_eq!(model.classes(), [false, true], "{label}");
        assert!(model.score(&data).unwrap() > 0.95, "{label}");
    }

    // Halves, folds and samples.
    let (train, test) = dataset.clone().split_with_ratio(0.75);
    let model = classifier().fit(&train).unwrap();
    assert!(model.score(&test).unwrap() > 0.9);
    let view = dataset.view();
    let (train, test) = view.split_with_ratio(0.75);
    assert_eq!(classifier().fit(&train).unwrap().to_bytes().unwrap(), model.to_bytes().unwrap());
    assert!(model.score(&test).unwrap() > 0.9);
    for (train, test) in dataset.fold(3) {
        assert!(classifier().fit(&train).unwrap().score(&test).unwrap() > 0.9);
    }
    let mut data = dataset.clone();
    let scores =
        data.cross_validate_single(3, &[classifier(), classifier().epochs(60)], |predicted, truth| {
            Ok(f64::from(predicted.confusion_matrix(truth)?.accuracy()))
        });
    assert!(scores.unwrap().iter().all(|score| *score > 0.9));
    let named = dataset.map_targets(|label| ["a", "b", "c"][*label]);
    assert_eq!(classifier().fit(&named).unwrap().classes(), ["a", "b", "c"]);
}

#[test]
fn targets_of_one_and_two_dimensions_come_back_as_they_went_in() {
    let x = corners::<f64>(3);
    let one = Array1::from_shape_fn(N, |i| x[[i, 0]] - x[[i, 1]]);
    let two = Array2::from_shape_fn((N, 2), |(i, j)| x[[i, j]] + x[[i, 2]]);

    let dataset = Dataset::new(x.clone(), one.clone());
    let model = regressor().fit(&dataset).unwrap();
    let predicted: Array1<f64> = model.predict(&dataset);
    assert!(predicted.r2(&one).unwrap() > 0.98);
    assert!((predicted.r2(&one).unwrap() - model.score(&dataset).unwrap()).abs() < 1e-12);
    assert_eq!(model.predict(&x), predicted);
    assert_eq!(model.predict(x.clone()).targets, predicted);
    assert_eq!(model.predict(dataset.clone()).targets, predicted);
    assert_eq!(model.try_predict(&x).unwrap(), predicted);

    let dataset = Dataset::new(x.clone(), two.clone());
    let model: MlpRegressor<f64, Ix2> = regressor().fit(&dataset.view()).unwrap();
    let predicted: Array2<f64> = model.predict(&dataset);
    assert_eq!(predicted.dim(), (N, 2));
    assert!(model.score(&dataset).unwrap() > 0.98);
    let mut given = model.default_target(&x);
    assert_eq!(given.dim(), (N, 2));
    model.predict_inplace(&x, &mut given);
    assert_eq!(given, predicted);

    // One column is still two dimensions, and the same numbers as one dimension.
    let column = Dataset::new(x.clone(), one.clone().insert_axis(ndarray::Axis(1)));
    let wide: MlpRegressor<f64, Ix2> = regressor().fit(&column).unwrap();
    let narrow: MlpRegressor = regressor().fit(&Dataset::new(x.clone(), one)).unwrap();
    assert_eq!(wide.predict(&x).dim(), (N, 1));
    assert_eq!(wide.predict(&x).column(0), narrow.predict(&x));
}

#[test]
fn numbers_keep_the_type_of_the_data() {
    let x = corners::<f32>(3);
    let y = x.column(0).to_owned();
    let model: MlpRegressor<f32> = regressor().fit(&Dataset::new(x.clone(), y.clone())).unwrap();
    let predicted: Array1<f32> = model.predict(&x);
    assert!(predicted.r2(&y).unwrap() > 0.98);
    let kernel: (String, ArrayView2<'_, f32>) = model.network().tensors().next().unwrap();
    assert_eq!((kernel.0.as_str(), kernel.1.dim()), ("dense_1/kernel", (3, 16)));
}

#[test]
fn a_score_counts_each_row_by_its_weight() {
    let x = corners::<f64>(2);
    let truth = Array1::from_shape_fn(N, |i| i % 2);
    let model = classifier().fit(&Dataset::new(x.clone(), truth.clone())).unwrap();
    // The first five rows are given a wrong label.
    let wrong = Array1::from_shape_fn(N, |i| if i < 5 { 1 - truth[i] } else { truth[i] });
    let weights = Array1::from_shape_fn(N, |i| if i < 5 { 3.0 } else { 0.5 });
    let dataset = Dataset::new(x.clone(), wrong.clone());
    assert!((model.score(&dataset).unwrap() - 55.0 / 60.0).abs() < 1e-15);
    let share = 0.5 * 55.0 / (0.5 * 55.0 + 3.0 * 5.0);
    assert!((model.score(&dataset.with_weights(weights)).unwrap() - share).abs() < 1e-15);

    let y = x.column(0).to_owned();
    let model = regressor().fit(&Dataset::new(x.clone(), y.clone())).unwrap();
    let weights = Array1::from_shape_fn(N, |i| (i % 2) as f32);
    let odd = Dataset::new(x.slice(s![1..;2, ..]).to_owned(), y.slice(s![1..;2]).to_owned());
    let weighted = model.score(&Dataset::new(x, y).with_weights(weights)).unwrap();
    assert!((weighted - model.score(&odd).unwrap()).abs() < 1e-12);
}

#[test]
fn weights_of_the_data_set_are_learned_from() {
    let x = corners::<f64>(2);
    let y = Array1::from_shape_fn(N, |i| i % 2 == 0);
    let weights = Array1::from_shape_fn(N, |i| 1.0 + (i % 3) as f32);
    let plain = classifier().fit(&Dataset::new(x.clone(), y.clone())).unwrap();
    let weighted = classifier().fit(&Dataset::new(x.clone(), y.clone()).with_weights(weights)).unwrap();
    let ones = classifier().fit(&Dataset::new(x, y).with_weights(Array1::ones(N))).unwrap();
    assert_ne!(plain.to_bytes().unwrap(), weighted.to_bytes().unwrap());
    assert_eq!(plain.to_bytes().unwrap(), ones.to_bytes().unwrap());
}

#[test]
fn fit_with_goes_on_from_a_model_and_from_none() {
    let dataset = Dataset::new(corners::<f64>(3), Array1::from_shape_fn(N, |i| i % 3));
    let fit_with =
        |model, epochs: usize| classifier().epochs(epochs).check_unwrap().fit_with(model, &dataset).unwrap();
    let first = fit_with(None, 3);
    let second = fit_with(Some(first.clone()), 8);
    assert_eq!(first.history().len(), 3);
    assert_eq!(second.history().len(), 8);
    let straight = classifier().epochs(8).fit(&dataset).unwrap();
    assert_eq!(second.to_bytes().unwrap(), straight.to_bytes().unwrap());
    // Fewer epochs than are done: nothing to do.
    assert_eq!(
        fit_with(Some(second.clone()), 2).network().tensors().collect::<Vec<_>>(),
        second.network().tensors().collect::<Vec<_>>()
    );
}

#[test]
fn public_types_cross_threads_and_are_cloned() {
    fn shared<T: Send + Sync + Clone + Debug + 'static>() {}
    fn seen<T: Send + Sync + Debug>() {}
    shared::<MlpClassifierParams>();
    shared::<MlpRegressorParams>();
    shared::<MlpValidParams<Classification>>();
    shared::<MlpValidParams<Regression>>();
    shared::<MlpMultilabelClassifierParams>();
    shared::<MlpMultilabelClassifier<f32, usize>>();
    shared::<Validation>();
    shared::<ClassWeight>();
    shared::<MlpClassifier<f32, String>>();
    shared::<MlpClassifier<f64, &'static str>>();
    shared::<MlpRegressor<f32, Ix1>>();
    shared::<MlpRegressor<f64, Ix2>>();
    shared::<Sequential>();
    shared::<Dense>();
    shared::<Dropout>();
    shared::<Network<f32>>();
    shared::<Summary>();
    shared::<Model<f64>>();
    shared::<Run<f64>>();
    shared::<Plan>();
    shared::<Training>();
    shared::<Until>();
    shared::<Status>();
    shared::<History>();
    shared::<StopReason>();
    shared::<AnyOptimizer>();
    shared::<AnySchedule>();
    shared::<AnyActivation>();
    shared::<AnyLoss>();
    shared::<AnyMetric>();
    shared::<AnyCallback>();
    shared::<Rows<'static, f64>>();
    shared::<Data<'static, f32>>();
    seen::<Error>();
}

#[test]
fn the_defaults_are_those_of_the_table() {
    let expected = |metrics: Value| {
        json!({
            "hidden_layer_sizes": [100],
            "activation": {"name": "relu"},
            "alpha": 0.0001,
            "network": null,
            "optimizer": {
                "name": "adam", "learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7,
                "amsgrad": false, "weight_decay": null, "clip_value": null, "clip_norm": null,
                "global_clip_norm": null, "ema": null, "accumulate": 1
            },
            "loss": null,
            "metrics": metrics,
            "batch_size": null,
            "epochs": 200,
            "shuffle": true,
            "validation": "none",
            "seed": 0,
            "callbacks": [],
            "task": {"class_weight": null, "threshold": null, "binary_softmax": false}
        })
    };
    let mut seen = serde_json::to_value(MlpClassifier::params()).unwrap();
    for key in ["max_value", "negative_slope", "threshold"] {
        seen["activation"].as_object_mut().unwrap().remove(key);
    }
    assert_eq!(seen, expected(json!([{"name": "accuracy"}])));
    let seen = serde_json::to_value(MlpRegressor::params()).unwrap();
    assert_eq!(seen["metrics"], json!([]));
    assert_eq!(seen["epochs"], 200);

    // A batch is min(200, n) rows.
    let dataset = |n: usize| {
        Dataset::new(
            Array2::from_shape_fn((n, 1), |(i, _)| (i % 7) as f64),
            Array1::from_shape_fn(n, |i| i % 2),
        )
    };
    for (n, batch_size) in [(30, 30), (200, 200), (450, 200)] {
        let model = MlpClassifier::params().epochs(1).fit(&dataset(n)).unwrap();
        assert_eq!(model.run().plan().batch_size, batch_size);
        assert_eq!(model.run().steps(), n.div_ceil(200) as u64);
        assert_eq!(model.run().plan().loss.name(), "binary_crossentropy");
        assert_eq!(model.history().names(), ["loss", "accuracy", "learning_rate"]);
    }
}

#[test]
fn params_survive_json() {
    let classifiers = [
        MlpClassifier::params(),
        classifier().validation_split(0.2).shuffle(false).seed(u64::MAX).alpha(0.1 + 0.2),
        classifier().network(Sequential::new().add(Dense::new(4).activation(Relu)).add(Dropout::new(0.3))),
        classifier()
            .callback(EarlyStopping::on("val_loss").patience(5).baseline(0.3))
            .metric("f1_score".parse::<AnyMetric>().unwrap()),
        classifier().optimizer(Sgd::new(1.0 / 3.0).momentum(0.9).nesterov()).hidden_layer_sizes([]),
    ];
    for params in classifiers {
        let text = serde_json::to_string(&params).unwrap();
        let read: MlpClassifierParams = serde_json::from_str(&text).unwrap();
        assert_eq!(read, params);
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        assert_eq!(read.check().unwrap(), params.check().unwrap());
    }
    let params = regressor().loss(Huber { delta: 0.7 });
    let read: MlpRegressorParams = serde_json::from_str(&serde_json::to_string(&params).unwrap()).unwrap();
    assert_eq!(read, params);
    assert_ne!(read, regressor());
}

#[test]
fn every_part_survives_json_and_its_name() {
    fn each<R: part::Room>() {
        for name in part::names::<R>() {
            let Ok(part) = name.parse::<part::Part<R>>() else { continue };
            let text = serde_json::to_string(&part).unwrap();
            assert_eq!(serde_json::from_str::<part::Part<R>>(&text).unwrap(), part, "{text}");
            assert_eq!(serde_json::from_str::<part::Part<R>>(&format!("{name:?}")).unwrap(), part, "{name}");
            assert_eq!(part.to_string(), name);
            assert_eq!(part.name(), name);
        }
    }
    each::<linfa_mlp::optimizer::Optimizers>();
    each::<linfa_mlp::optimizer::schedule::Schedules>();
    each::<linfa_mlp::network::activation::Activations>();
    each::<linfa_mlp::network::initializer::Initializers>();
    each::<linfa_mlp::network::regularizer::Regularizers>();
    each::<linfa_mlp::network::layer::Layers>();
    each::<linfa_mlp::loss::Losses>();
    each::<linfa_mlp::metric::Metrics>();
    each::<linfa_mlp::callback::Callbacks>();
}

#[test]
fn targets_of_a_model_are_read_as_linfa_reads_them() {
    // A data set of predictions is a data set.
    let dataset = Dataset::new(corners::<f64>(2), Array1::from_shape_fn(N, |i| i % 2));
    let model = classifier().fit(&dataset).unwrap();
    let predicted: DatasetBase<Array2<f64>, Array1<usize>> = model.predict(dataset.records().clone());
    assert_eq!(predicted.as_targets().len(), N);
    assert_eq!(classifier().fit(&predicted).unwrap().predict(&array![[1.0, 0.0, 1.0]]).len(), 1);
}

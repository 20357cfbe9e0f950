//! Bad input: each kind has its own typed error that says what is allowed; none panics, none starts a fit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use linfa::prelude::*;
use linfa::{Dataset, DatasetBase};
use linfa_mlp::callback::{AnyCallback, Callback, EarlyStopping, OnEpochEnd, Verbose, View};
use linfa_mlp::estimator::{MlpClassifierParams, MlpRegressorParams};
use linfa_mlp::history::History;
use linfa_mlp::loss::{
    AnyLoss, BinaryCrossEntropy, CategoricalCrossEntropy, Huber, MeanSquaredError, Poisson,
    SparseCategoricalCrossEntropy,
};
use linfa_mlp::metric::{AnyMetric, TopK};
use linfa_mlp::network::activation::AnyActivation;
use linfa_mlp::network::initializer::AnyInitializer;
use linfa_mlp::network::regularizer::AnyRegularizer;
use linfa_mlp::network::{
    Constant, Dense, Dropout, Elu, L1, L1L2, L2, LeakyRelu, Sequential, Sigmoid, Softmax,
};
use linfa_mlp::optimizer::{Adam, AnyOptimizer, AnySchedule, RmsProp, Sgd};
use linfa_mlp::part::{Configured, Part, Room, names};
use linfa_mlp::persistence::{self, Kind};
use linfa_mlp::train::{Data, Model, Plan, Rows, Run, Training, Until, evaluate};
use linfa_mlp::{Error, Float, MlpClassifier, MlpRegressor};
use ndarray::{Array1, Array2, ArrayView2, Ix2, array, s};
use serde::{Deserialize, Serialize};
use serde_json::json;

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

/// The error of something that must fail; its text reads as one sentence that says what must be.
fn refused<T>(result: Result<T, Error>) -> Error {
    let error = result.err().expect("bad input is refused");
    let text = error.to_string();
    let first = text.chars().next().expect("a message says something");
    assert!(!first.is_uppercase() && !text.ends_with('.'), "{text}");
    assert!(!text.contains("  ") && !text.contains('\n') && text.len() < 400, "{text}");
    error
}

/// The same bits.
fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits()
}

/// As [`refused`], for a parameter: its name, and the whole message.
fn parameter<T>(result: Result<T, Error>, name: &str, message: &str) {
    let error = refused(result);
    let text = error.to_string();
    match error {
        Error::Parameter { name: found, .. } => assert_eq!(found, name, "{text}"),
        other => panic!("{name}: {other:?}"),
    }
    assert_eq!(text, message);
}

macro_rules! refuses {
    ($result:expr, $pattern:pat $(if $guard:expr)?, $message:expr) => {{
        let error = refused($result);
        let text = error.to_string();
        match error {
            $pattern $(if $guard)? => assert_eq!(text, $message),
            other => panic!("{other:?}"),
        }
    }};
}

/// Counts what a fit tells its callbacks: a fit that is not started tells nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Witness {
    #[serde(skip)]
    told: Arc<AtomicUsize>,
}

impl Configured for Witness {
    const NAME: &'static str = "witness";
}

impl Callback for Witness {
    fn on_epoch_begin(&mut self, _view: &mut View<'_>) -> linfa_mlp::Result<()> {
        self.told.fetch_add(1, Relaxed);
        Ok(())
    }
}

fn classifier() -> MlpClassifierParams {
    MlpClassifier::params().hidden_layer_sizes([3]).epochs(2)
}

fn regressor() -> MlpRegressorParams {
    MlpRegressor::params().hidden_layer_sizes([3]).epochs(2)
}

fn rows<F: Float>() -> Array2<F> {
    Array2::from_shape_fn((8, 2), |(i, j)| F::of(((i * 3 + j) % 5) as f64))
}

fn numbers() -> Dataset<f64, f64, ndarray::Ix1> {
    Dataset::new(rows(), Array1::from_shape_fn(8, |i| i as f64))
}

fn labels() -> Dataset<f64, usize, ndarray::Ix1> {
    Dataset::new(rows(), Array1::from_shape_fn(8, |i| i % 3))
}

/// A fit that must fail before it begins.
fn fit(params: MlpRegressorParams) -> Result<MlpRegressor, Error> {
    fit_on(params, &numbers())
}

fn fit_on(
    params: MlpRegressorParams,
    dataset: &Dataset<f64, f64, ndarray::Ix1>,
) -> Result<MlpRegressor, Error> {
    let witness = Witness::default();
    let result = params.callback(witness.clone()).fit(dataset);
    assert!(result.is_ok() || witness.told.load(Relaxed) == 0, "a fit was started");
    result
}

fn classify<L: linfa::Label>(
    dataset: &Dataset<f64, L, ndarray::Ix1>,
) -> Result<MlpClassifier<f64, L>, Error> {
    let witness = Witness::default();
    let result = classifier().callback(witness.clone()).fit(dataset);
    assert!(result.is_ok() || witness.told.load(Relaxed) == 0, "a fit was started");
    result
}

#[test]
fn values_that_are_not_finite_are_named_by_row_and_column() {
    for value in [NAN, INF, -INF] {
        let mut dataset = numbers();
        dataset.records[[5, 1]] = value;
        refuses!(
            fit_on(regressor(), &dataset),
            Error::NotFinite { array: "x", row: 5, column: 1, value: found } if same(found, value),
            format!("x must be finite, but row 5, column 1 is {value}")
        );
        let mut dataset = labels();
        dataset.records[[0, 0]] = value;
        refuses!(
            classify(&dataset),
            Error::NotFinite { array: "x", row: 0, column: 0, .. },
            format!("x must be finite, but row 0, column 0 is {value}")
        );
        let mut dataset = numbers();
        dataset.targets[7] = value;
        refuses!(
            fit_on(regressor(), &dataset),
            Error::NotFinite { array: "y", row: 7, column: 0, .. },
            format!("y must be finite, but row 7, column 0 is {value}")
        );
        let mut wide = Array2::<f64>::zeros((8, 3));
        wide[[2, 2]] = value;
        refuses!(
            regressor().fit(&Dataset::new(rows::<f64>(), wide)),
            Error::NotFinite { array: "y", row: 2, column: 2, .. },
            format!("y must be finite, but row 2, column 2 is {value}")
        );
        let mut x = rows::<f32>();
        x[[1, 1]] = value as f32;
        refuses!(
            regressor().fit(&Dataset::new(x, Array1::<f32>::zeros(8))),
            Error::NotFinite { array: "x", row: 1, column: 1, .. },
            format!("x must be finite, but row 1, column 1 is {value}")
        );
    }
}

#[test]
fn sample_weights_are_finite_not_negative_and_as_many_as_rows() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0] {
        let mut weights = Array1::<f32>::ones(8);
        weights[6] = value;
        let message = format!("the sample weight of row 6 must be finite and at least 0, but is {value}");
        let name = "the sample weight of row 6";
        parameter(fit_on(regressor(), &numbers().with_weights(weights.clone())), name, &message);
        parameter(classify(&labels().with_weights(weights.clone())), name, &message);
        let model = fit(regressor()).unwrap();
        parameter(model.score(&numbers().with_weights(weights.clone())), name, &message);
        let model = classify(&labels()).unwrap();
        parameter(model.score(&labels().with_weights(weights)), name, &message);
    }
    for n in [1, 7, 9] {
        let weights = Array1::<f32>::ones(n);
        let message = format!("sample weights must have 8 rows, one for each row of x, but has {n}");
        let few = numbers().with_weights(weights.clone());
        refuses!(fit_on(regressor(), &few), Error::RowCount { array: "sample weights", expected: 8, found } if found == n, message);
        refuses!(
            fit(regressor()).unwrap().score(&few),
            Error::RowCount { array: "sample weights", expected: 8, .. },
            message
        );
        let few = labels().with_weights(weights);
        refuses!(classify(&few), Error::RowCount { array: "sample weights", expected: 8, .. }, message);
        refuses!(
            classify(&labels()).unwrap().score(&few),
            Error::RowCount { array: "sample weights", expected: 8, .. },
            message
        );
    }
    let none = Array1::<f32>::zeros(8);
    let message = "sample weights must be above 0 in at least one row, but is 0 in every row";
    parameter(fit_on(regressor(), &numbers().with_weights(none.clone())), "sample weights", message);
    parameter(classify(&labels().with_weights(none.clone())), "sample weights", message);
    parameter(
        fit(regressor()).unwrap().score(&numbers().with_weights(none.clone())),
        "sample weights",
        message,
    );
    parameter(classify(&labels()).unwrap().score(&labels().with_weights(none)), "sample weights", message);
    // Weight on the training rows alone leaves nothing to validate on.
    let weights = Array1::from_shape_fn(8, |row| if row < 6 { 1.0 } else { 0.0 });
    parameter(
        fit_on(regressor().validation_split(0.25), &numbers().with_weights(weights)),
        "sample weights",
        message,
    );
    // Weights in another layout are weights.
    let mut backwards = Array1::from_shape_fn(8, |row| row as f32);
    backwards.invert_axis(ndarray::Axis(0));
    assert!(fit_on(regressor(), &numbers().with_weights(backwards)).is_ok());
}

#[test]
fn data_without_rows_or_columns_is_refused() {
    let no_rows = Dataset::new(Array2::<f64>::zeros((0, 2)), Array1::<f64>::zeros(0));
    refuses!(
        fit_on(regressor(), &no_rows),
        Error::NoRows { array: "x" },
        "x must have at least 1 row, but has none"
    );
    refuses!(
        classify(&Dataset::new(Array2::zeros((0, 2)), Array1::<usize>::zeros(0))),
        Error::NoRows { array: "x" },
        "x must have at least 1 row, but has none"
    );
    let no_columns = Dataset::new(Array2::<f64>::zeros((8, 0)), Array1::<f64>::zeros(8));
    let message = "x must have at least 1 column, but has none";
    refuses!(fit_on(regressor(), &no_columns), Error::NoColumns { array: "x" }, message);
    refuses!(
        classify(&Dataset::new(Array2::zeros((8, 0)), Array1::from_shape_fn(8, |i| i % 2))),
        Error::NoColumns { array: "x" },
        message
    );
    refuses!(
        regressor().fit(&Dataset::new(rows::<f64>(), Array2::<f64>::zeros((8, 0)))),
        Error::NoColumns { array: "y" },
        "y must have at least 1 column, but has none"
    );
    // linfa's fields are public: rows and targets can disagree.
    let mut uneven = numbers();
    uneven.targets = Array1::zeros(5);
    let message = "y must have 8 rows, one for each row of x, but has 5";
    refuses!(fit_on(regressor(), &uneven), Error::RowCount { array: "y", expected: 8, found: 5 }, message);
    refuses!(fit(regressor()).unwrap().score(&uneven), Error::RowCount { array: "y", .. }, message);
    let mut uneven = labels();
    uneven.targets = Array1::from_shape_fn(5, |i| i % 2);
    refuses!(classify(&uneven), Error::RowCount { array: "y", expected: 8, found: 5 }, message);
    refuses!(classify(&labels()).unwrap().score(&uneven), Error::RowCount { array: "y", .. }, message);
    // Nothing to predict is nothing predicted, and nothing to score is no score.
    let model = fit(regressor()).unwrap();
    assert_eq!(model.predict(no_rows.records()).len(), 0);
    refuses!(model.score(&no_rows), Error::NoRows { array: "x" }, "x must have at least 1 row, but has none");
}

#[test]
fn one_class_is_no_task() {
    refuses!(
        classify(&Dataset::new(rows(), Array1::from_elem(8, 4_usize))),
        Error::OneClass { class } if class == "4",
        "y must hold at least 2 classes, but every row is 4"
    );
    refuses!(
        classify(&Dataset::new(rows(), Array1::from_elem(8, "setosa"))),
        Error::OneClass { class } if class == "\"setosa\"",
        "y must hold at least 2 classes, but every row is \"setosa\""
    );
}

/// The message of a panic.
fn panic_of(f: impl FnOnce()) -> String {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).expect_err("it panics");
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).into()))
        .unwrap()
}

#[test]
fn another_width_at_a_prediction_is_an_error_or_a_panic_with_its_text() {
    let model = fit(regressor()).unwrap();
    let message = "x must have 2 columns, but has 3";
    let wide = Array2::<f64>::zeros((4, 3));
    refuses!(model.try_predict(&wide), Error::Width { array: "x", expected: 2, found: 3 }, message);
    refuses!(
        model.score(&Dataset::new(wide.clone(), Array1::zeros(4))),
        Error::Width { array: "x", expected: 2, found: 3 },
        message
    );
    assert_eq!(panic_of(|| drop(model.predict(&wide))), message);
    let classes = classify(&labels()).unwrap();
    refuses!(classes.try_predict(&wide), Error::Width { array: "x", expected: 2, found: 3 }, message);
    refuses!(classes.predict_proba(&wide), Error::Width { array: "x", expected: 2, found: 3 }, message);
    assert_eq!(panic_of(|| drop(classes.predict(&wide))), message);
    let none = Array2::<f64>::zeros((4, 0));
    refuses!(
        model.try_predict(&none),
        Error::Width { array: "x", expected: 2, found: 0 },
        "x must have 2 columns, but has 0"
    );
    for value in [NAN, INF] {
        let mut x = rows::<f64>();
        x[[3, 0]] = value;
        let message = format!("x must be finite, but row 3, column 0 is {value}");
        refuses!(model.try_predict(&x), Error::NotFinite { array: "x", row: 3, column: 0, .. }, message);
        refuses!(classes.try_predict(&x), Error::NotFinite { array: "x", row: 3, column: 0, .. }, message);
        assert_eq!(panic_of(|| drop(model.predict(&x))), message);
    }
    // Targets of another width than the model's.
    let wide: MlpRegressor<f64, Ix2> = regressor().fit(&Dataset::new(rows(), Array2::zeros((8, 2)))).unwrap();
    refuses!(
        wide.score(&Dataset::new(rows(), Array2::zeros((8, 3)))),
        Error::Width { array: "y", expected: 2, found: 3 },
        "y must have 2 columns, but has 3"
    );
}

#[test]
fn counts_of_the_builder_have_their_ranges() {
    parameter(fit(regressor().batch_size(0)), "batch_size", "batch_size must be at least 1, but is 0");
    parameter(fit(regressor().epochs(0)), "epochs", "epochs must be at least 1, but is 0");
    assert!(fit(regressor().batch_size(1)).is_ok());
    assert!(fit(regressor().batch_size(usize::MAX)).is_ok());
    assert!(fit(regressor().epochs(1)).is_ok());
    for (units, at) in [(0, 0), (1 << 40, 0), (usize::MAX, 1), ((1 << 24) + 1, 1)] {
        let mut sizes = vec![2, 2];
        sizes[at] = units;
        let name = format!("hidden_layer_sizes[{at}]");
        let message = format!("{name} must be between 1 and 16777216, but is {units}");
        parameter(fit(regressor().hidden_layer_sizes(sizes.clone())), &name, &message);
        parameter(regressor().hidden_layer_sizes(sizes).check(), &name, &message);
        let network = Sequential::new().add(Dense::new(2)).add(Dense::new(units));
        let message = format!("layer 2: units must be between 1 and 16777216, but is {units}");
        parameter(fit(regressor().network(network.clone())), "layer 2: units", &message);
        parameter(network.check(), "layer 2: units", &message);
        parameter(network.build::<f64>(3, 0).map(drop), "layer 2: units", &message);
        parameter(network.count_params(3), "layer 2: units", &message);
        parameter(network.summary(3).map(drop), "layer 2: units", &message);
    }
    // The empty list is a linear model.
    assert_eq!(fit(regressor().hidden_layer_sizes([])).unwrap().count_params(), 3);
    assert_eq!(fit(regressor().network(Sequential::new())).unwrap().count_params(), 3);
    parameter(fit(regressor().callback(Verbose { every: 0 })), "every", "every must be at least 1, but is 0");
}

#[test]
fn legal_layers_whose_product_is_huge_are_refused_before_anything_is_allocated() {
    let name = "number of parameters";
    for sizes in [vec![1 << 24, 1 << 24], vec![1 << 16, 1 << 15, 1 << 17], vec![1 << 24; 40]] {
        let network = sizes.iter().fold(Sequential::new(), |network, &units| network.add(Dense::new(units)));
        let total =
            2 * sizes[0] + sizes[0] + sizes.windows(2).map(|pair| pair[0] * pair[1] + pair[1]).sum::<usize>();
        let whole = total + sizes.last().unwrap() + 1;
        let message = format!("{name} must be at most 2147483648 (2^31), but is {whole}");
        parameter(fit(regressor().hidden_layer_sizes(sizes)), name, &message);
        parameter(fit(regressor().network(network.clone())), name, &message);
        let message = format!("{name} must be at most 2147483648 (2^31), but is {total}");
        parameter(network.build::<f32>(2, 0).map(drop), name, &message);
    }
    for n_features in [0, (1 << 24) + 1, usize::MAX] {
        let message = format!("n_features must be between 1 and 16777216, but is {n_features}");
        parameter(Sequential::new().add(Dense::new(1)).count_params(n_features), "n_features", &message);
    }
}

#[test]
fn shares_for_validation_leave_a_row_on_both_sides() {
    for share in [NAN, -0.1, 1.0, INF, -INF, 2.0] {
        let message = format!("validation_split must be at least 0 and below 1, but is {share}");
        parameter(fit(regressor().validation_split(share)), "validation_split", &message);
        parameter(regressor().validation_split(share).check(), "validation_split", &message);
    }
    let message = "validation_split must be a share that leaves a row on both sides, but is 0.95, which puts 8 of 8 rows aside";
    parameter(fit(regressor().validation_split(0.95)), "validation_split", message);
    let one = Dataset::new(array![[1.0]], array![1.0]);
    let message = "validation_split must be a share that leaves a row on both sides, but is 0.5, which puts 1 of 1 rows aside";
    parameter(fit_on(regressor().validation_split(0.5), &one), "validation_split", message);
    for share in [0.0, -0.0] {
        assert_eq!(fit(regressor().validation_split(share)).unwrap().history().n_validation_rows(), 0);
    }
    assert_eq!(
        fit(regressor().validation_split(f64::MIN_POSITIVE)).unwrap().history().n_validation_rows(),
        1
    );
}

#[test]
fn rates_and_factors_of_every_optimizer_have_their_ranges() {
    let optimizer = |optimizer: AnyOptimizer, name: &str, message: &str| {
        parameter(optimizer.check(), name, message);
        parameter(fit(regressor().optimizer(optimizer.clone())), name, message);
        parameter(classifier().optimizer(optimizer.clone()).fit(&labels()), name, message);
        parameter(classifier().optimizer(optimizer).check(), name, message);
    };
    for rate in [0.0, -0.0, -1e-3, NAN, INF, -INF] {
        let message = format!("learning_rate must be finite and above 0, but is {rate}");
        for part in [Sgd::new(rate).into(), RmsProp::new(rate).into(), Adam::new(rate).into()] {
            optimizer(part, "learning_rate", &message);
        }
    }
    for value in [-0.1, 1.1, NAN, INF, -INF] {
        let message = format!("momentum must be between 0 and 1, but is {value}");
        optimizer(Sgd::default().momentum(value).into(), "momentum", &message);
        optimizer(Sgd::default().momentum(value).nesterov().into(), "momentum", &message);
        optimizer(RmsProp::default().momentum(value).into(), "momentum", &message);
    }
    for value in [-0.1, 1.0, NAN, INF, -INF] {
        let message = |name: &str| format!("{name} must be at least 0 and below 1, but is {value}");
        optimizer(RmsProp::default().rho(value).into(), "rho", &message("rho"));
        optimizer(Adam::default().beta_1(value).into(), "beta_1", &message("beta_1"));
        optimizer(Adam::default().beta_2(value).into(), "beta_2", &message("beta_2"));
    }
    for value in [0.0, -1e-7, NAN, INF, -INF] {
        let message = format!("epsilon must be finite and above 0, but is {value}");
        optimizer(RmsProp::default().epsilon(value).into(), "epsilon", &message);
        optimizer(Adam::default().epsilon(value).into(), "epsilon", &message);
    }
    for legal in [
        AnyOptimizer::from(Sgd::default().momentum(0.0)),
        Sgd::default().momentum(1.0).into(),
        RmsProp::default().rho(0.0).momentum(1.0).centered().into(),
        Adam::default().beta_1(0.0).beta_2(0.0).epsilon(1.0).into(),
    ] {
        assert!(fit(regressor().optimizer(legal)).is_ok());
    }
}

#[test]
fn penalties_rates_of_dropout_and_settings_of_parts_have_their_ranges() {
    for value in [-1e-9, NAN, INF, -INF] {
        let at_least_0 = |name: &str| format!("{name} must be finite and at least 0, but is {value}");
        parameter(fit(regressor().alpha(value)), "alpha", &at_least_0("alpha"));
        let layer = |layer: Dense| fit(regressor().network(Sequential::new().add(layer)));
        for (name, part) in [
            ("l1", AnyRegularizer::from(L1::new(value))),
            ("l2", L2::new(value).into()),
            ("l1", L1L2::new(value, 0.0).into()),
            ("l2", L1L2::new(0.0, value).into()),
        ] {
            let name = format!("layer 1: kernel_regularizer: {name}");
            parameter(layer(Dense::new(2).kernel_regularizer(part.clone())), &name, &at_least_0(&name));
            let name = name.replace("kernel", "bias");
            parameter(layer(Dense::new(2).bias_regularizer(part)), &name, &at_least_0(&name));
        }
    }
    for rate in [-0.1, 1.0, NAN, INF, -INF] {
        let network = Sequential::new().add(Dense::new(2)).add(Dropout::new(rate));
        let message = format!("layer 2: rate must be at least 0 and below 1, but is {rate}");
        parameter(fit(regressor().network(network)), "layer 2: rate", &message);
    }
    assert!(fit(regressor().network(Sequential::new().add(Dropout::new(0.0)))).is_ok());
    assert!(fit(regressor().alpha(0.0)).is_ok());
    for value in [NAN, INF] {
        for part in [AnyActivation::from(LeakyRelu { negative_slope: value }), Elu { alpha: value }.into()] {
            let error = refused(fit(regressor().activation(part)));
            assert!(
                matches!(&error, Error::Parameter { found, .. } if *found == value.to_string()),
                "{error}"
            );
        }
        let initializer: AnyInitializer = Constant { value }.into();
        let error = refused(fit(
            regressor().network(Sequential::new().add(Dense::new(1).bias_initializer(initializer)))
        ));
        assert!(
            matches!(&error, Error::Parameter { name, .. } if name == "layer 1: bias_initializer: value"),
            "{error}"
        );
    }
    for delta in [0.0, -1.0, NAN, INF] {
        let error = refused(fit(regressor().loss(Huber { delta })));
        assert!(matches!(&error, Error::Parameter { name, .. } if name == "delta"), "{error}");
    }
    let stopping = |early: EarlyStopping| fit(regressor().callback(early));
    for value in [NAN, INF, -1.0] {
        let message = format!("min_delta must be finite and at least 0, but is {value}");
        parameter(stopping(EarlyStopping::on("loss").min_delta(value)), "min_delta", &message);
    }
    for value in [NAN, INF, -INF] {
        let message = format!("baseline must be finite, but is {value}");
        parameter(stopping(EarlyStopping::on("loss").baseline(value)), "baseline", &message);
    }
    parameter(
        stopping(EarlyStopping::on("val_loss")),
        "early_stopping: monitor",
        "early_stopping: monitor must be one of loss, learning_rate, but is val_loss",
    );
    assert!(stopping(EarlyStopping::on("loss").min_delta(0.0).patience(0)).is_ok());
    assert!(stopping(EarlyStopping::on("loss").patience(usize::MAX).start_from_epoch(usize::MAX)).is_ok());
}

#[test]
fn metrics_that_are_not_defined_for_the_task_are_refused_before_the_fit() {
    let precision: AnyMetric = "precision".parse().unwrap();
    let witness = Witness::default();
    let error = refused(classifier().metric(precision).callback(witness.clone()).fit(&labels()));
    assert!(
        matches!(&error, Error::Parameter { name, .. } if name == "metric precision: average"),
        "{error}"
    );
    let error = refused(classifier().metric(TopK::new(9)).callback(witness.clone()).fit(&labels()));
    assert!(matches!(&error, Error::Parameter { .. }), "{error}");
    assert_eq!(witness.told.load(Relaxed), 0);
}

#[test]
fn going_on_needs_the_same_labels_columns_network_loss_and_optimizer() {
    let model = classify(&labels()).unwrap();
    let go_on = |params: MlpClassifierParams, data: &Dataset<f64, usize, ndarray::Ix1>| {
        params.epochs(9).check_unwrap().fit_with(Some(model.clone()), data)
    };
    let mut dataset = labels();
    dataset.targets[6] = 77;
    refuses!(
        go_on(classifier(), &dataset),
        Error::Mismatch { what: "the set of classes", trained, found } if trained == "0, 1, 2" && found == "0, 1, 2, 77",
        "the set of classes must be the one the model was trained with (0, 1, 2), but is 0, 1, 2, 77"
    );
    let wide = Dataset::new(Array2::zeros((8, 3)), labels().targets);
    refuses!(
        go_on(classifier(), &wide),
        Error::Width { array: "x", expected: 2, found: 3 },
        "x must have 2 columns, but has 3"
    );
    refuses!(
        go_on(classifier().optimizer(Sgd::new(0.1)), &labels()),
        Error::Mismatch { what: "the optimizer", trained, found } if trained == "adam" && found == "sgd(learning_rate=0.1)",
        "the optimizer must be the one the model was trained with (adam), but is sgd(learning_rate=0.1)"
    );
    refuses!(
        go_on(classifier().optimizer(Adam::new(0.5)), &labels()),
        Error::Mismatch { what: "the optimizer", .. },
        "the optimizer must be the one the model was trained with (adam), but is adam(learning_rate=0.5)"
    );
    let error = refused(go_on(classifier().hidden_layer_sizes([4]), &labels()));
    assert!(matches!(error, Error::Mismatch { what: "the network", .. }), "{error}");
    let error = refused(go_on(classifier().loss(CategoricalCrossEntropy::default()), &labels()));
    assert!(matches!(error, Error::Mismatch { what: "the loss", .. }), "{error}");
    // Fewer of the known labels are fine: the model keeps its classes.
    let mut fewer = labels();
    fewer.targets.fill(1);
    assert_eq!(go_on(classifier(), &fewer).unwrap().classes(), [0, 1, 2]);
    // Another number of targets is another network.
    let model = regressor().fit(&Dataset::new(rows::<f64>(), Array2::zeros((8, 2)))).unwrap();
    let wide = Dataset::new(rows::<f64>(), Array2::zeros((8, 3)));
    let error = refused(regressor().check_unwrap().fit_with(Some(model), &wide));
    assert!(matches!(error, Error::Mismatch { what: "the network", .. }), "{error}");
    // Every parameter is checked here too.
    parameter(
        classifier().epochs(0).check().and_then(|params| params.fit_with(None, &labels())),
        "epochs",
        "epochs must be at least 1, but is 0",
    );
}

#[test]
fn names_of_parts_that_nobody_knows_are_listed_with_those_there_are() {
    fn unknown<R: Room>(room: &str) {
        let known = names::<R>().join(", ");
        let message = format!("{room} must be one of {known}, but is \"adamm\"");
        refuses!(
            "adamm".parse::<Part<R>>(),
            Error::UnknownPart { room: found, name, known: all } if found == room && name == "adamm" && all == known,
            message
        );
        let from_text = serde_json::from_str::<Part<R>>("\"adamm\"").expect_err("no such part");
        assert!(from_text.to_string().starts_with(&message), "{from_text}");
        let from_map = serde_json::from_str::<Part<R>>("{\"name\": \"adamm\"}").expect_err("no such part");
        assert!(from_map.to_string().starts_with(&message), "{from_map}");
        for broken in ["{}", "[]", "1", "null", "{\"name\": 3}", "{\"rate\": 3}"] {
            assert!(serde_json::from_str::<Part<R>>(broken).is_err(), "{room} {broken}");
        }
        assert!("".parse::<Part<R>>().is_err());
    }
    unknown::<linfa_mlp::optimizer::Optimizers>("optimizer");
    unknown::<linfa_mlp::optimizer::schedule::Schedules>("schedule");
    unknown::<linfa_mlp::network::activation::Activations>("activation");
    unknown::<linfa_mlp::network::initializer::Initializers>("initializer");
    unknown::<linfa_mlp::network::regularizer::Regularizers>("regularizer");
    unknown::<linfa_mlp::network::layer::Layers>("layer");
    unknown::<linfa_mlp::loss::Losses>("loss");
    unknown::<linfa_mlp::metric::Metrics>("metric");
    unknown::<linfa_mlp::callback::Callbacks>("callback");
}

#[test]
fn settings_that_a_part_does_not_have_are_refused_in_json() {
    refuses!(
        AnyOptimizer::build("adam", json!({"learning_rat": 0.1})),
        Error::PartSettings { room: "optimizer", name, .. } if name == "adam",
        "the settings of optimizer adam cannot be read: unknown setting `learning_rat`, expected one of accumulate, amsgrad, beta_1, beta_2, clip_norm, clip_value, ema, epsilon, global_clip_norm, learning_rate, weight_decay"
    );
    let error = refused(AnyOptimizer::build("sgd", json!({"momentum": "much"})));
    assert!(matches!(error, Error::PartSettings { room: "optimizer", .. }), "{error}");
    parameter(
        AnyOptimizer::build("adam", json!({"learning_rate": -1.0})),
        "learning_rate",
        "learning_rate must be finite and above 0, but is -1",
    );
    for settings in [json!([]), json!([0.1]), json!(null), json!(3)] {
        refuses!(
            AnyOptimizer::build("sgd", settings),
            Error::PartSettings { room: "optimizer", .. },
            "the settings of optimizer sgd cannot be read: they are no object"
        );
    }
    parameter(
        AnySchedule::build("constant", json!({"rate": 0.0})),
        "learning_rate",
        "learning_rate must be finite and above 0, but is 0",
    );
    for text in [
        r#"{"name": "adam", "learning_rat": 0.1}"#,
        r#"{"name": "adam", "learning_rate": null}"#,
        r#"{"name": "adam", "beta_1": 1.0}"#,
        r#"{"name": "sgd", "learning_rate": {"name": "constant", "rte": 1.0}}"#,
    ] {
        assert!(serde_json::from_str::<AnyOptimizer>(text).is_err(), "{text}");
    }
    for name in names::<linfa_mlp::metric::Metrics>() {
        assert!(AnyMetric::build(name, json!({"no such setting": 1})).is_err(), "{name}");
    }
    for name in names::<linfa_mlp::loss::Losses>() {
        assert!(AnyLoss::build(name, json!({"no such setting": 1})).is_err(), "{name}");
    }
    for name in names::<linfa_mlp::network::activation::Activations>() {
        assert!(AnyActivation::build(name, json!({"no such setting": 1})).is_err(), "{name}");
    }
    for name in names::<linfa_mlp::callback::Callbacks>() {
        assert!(AnyCallback::build(name, json!({"no such setting": 1})).is_err(), "{name}");
    }

    let mut params = serde_json::to_value(classifier()).unwrap();
    params["learning_rate"] = json!(0.1);
    let error = serde_json::from_value::<MlpClassifierParams>(params.clone()).expect_err("no such setting");
    assert!(
        error.to_string().starts_with("unknown field `learning_rate`, expected one of `hidden_layer_sizes`"),
        "{error}"
    );
    // What is read is not checked yet, and no fit will take it.
    for (key, value) in [
        ("epochs", json!(0)),
        ("batch_size", json!(0)),
        ("alpha", json!(-1.0)),
        ("validation", json!({"last": 1.0})),
        ("hidden_layer_sizes", json!([0])),
    ] {
        let mut params = serde_json::to_value(classifier()).unwrap();
        params[key] = value;
        let unchecked: MlpClassifierParams = serde_json::from_value(params).unwrap();
        let error = unchecked.check().expect_err("out of range");
        assert!(error.to_string().starts_with(key) && error.to_string().contains(" must be "), "{error}");
    }
}

/// A model with that loss and that output layer, fitted on those targets.
fn fit_targets(output: Dense, loss: impl Into<AnyLoss>, y: ArrayView2<'_, f64>) -> Result<History, Error> {
    let x = Array2::from_shape_fn((y.nrows(), 2), |(i, j)| (i + j) as f64 * 0.1);
    let mut model: Model<f64> = Sequential::new().add(output).compile::<f64>(2, Sgd::new(0.1), loss, ())?;
    let history = model.fit(&x, &y, &Training::epochs(1)).cloned();
    if history.is_err() {
        assert_eq!(model.run().steps(), 0);
        assert!(model.history().is_empty());
    }
    history
}

#[test]
fn targets_outside_the_range_of_a_loss_are_named() {
    let of_two = |value: f64| array![[0.0], [1.0], [value]];
    let poisson = || Dense::new(1).activation("softplus".parse::<AnyActivation>().unwrap());
    refuses!(
        fit_targets(poisson(), Poisson, of_two(-1.0).view()),
        Error::TargetRange { row: 2, column: 0, value, .. } if same(value, -1.0),
        "y must be finite and at least 0 for the loss poisson, but row 2, column 0 is -1.0"
    );
    assert!(fit_targets(poisson(), Poisson, of_two(7.0).view()).is_ok());
    for value in [-0.1, 1.1, -1.0, 2.0] {
        let error = refused(fit_targets(
            Dense::new(1).activation(Sigmoid),
            BinaryCrossEntropy::default(),
            of_two(value).view(),
        ));
        assert!(
            matches!(&error, Error::TargetRange { row: 2, column: 0, value: found, .. } if same(*found, value)),
            "{error}"
        );
        let y = array![[1.0, 0.0], [value, 0.0]];
        let error = refused(fit_targets(
            Dense::new(2).activation(Softmax),
            CategoricalCrossEntropy::default(),
            y.view(),
        ));
        assert!(
            matches!(&error, Error::TargetRange { row: 1, column: 0, value: found, .. } if same(*found, value)),
            "{error}"
        );
    }
    for value in [-1.0, 3.0, 0.5, 1e300] {
        let output = Dense::new(3).activation(Softmax);
        let error = refused(fit_targets(output, SparseCategoricalCrossEntropy, of_two(value).view()));
        assert!(
            matches!(&error, Error::TargetRange { row: 2, column: 0, value: found, .. } if same(*found, value)),
            "{error}"
        );
    }
    refuses!(
        fit_targets(Dense::new(2), MeanSquaredError, of_two(0.0).view()),
        Error::Width { array: "y", expected: 2, found: 1 },
        "y must have 2 columns, but has 1"
    );
    // A regressor with a loss of counts says the same.
    let dataset = Dataset::new(rows::<f64>(), Array1::from_elem(8, -2.0));
    refuses!(
        fit_on(regressor().loss(Poisson), &dataset),
        Error::TargetRange { row: 0, column: 0, .. },
        "y must be finite and at least 0 for the loss poisson, but row 0, column 0 is -2.0"
    );
}

fn plan() -> Plan {
    Plan {
        network: Sequential::new().add(Dense::new(3)).add(Dense::new(1)),
        loss: MeanSquaredError.into(),
        optimizer: Adam::new(0.01).into(),
        metrics: vec!["max_error".parse().unwrap(), "median_absolute_error".parse().unwrap()],
        batch_size: 3,
        shuffle: true,
        seed: 1,
        callbacks: vec![],
    }
}

#[test]
fn rows_and_runs_check_what_they_are_given() {
    let (x, y) = (rows::<f64>(), Array2::<f64>::zeros((8, 1)));
    let all = Rows::new(x.view(), y.view()).unwrap();
    refuses!(
        all.select(vec![0, 7, 8, 99]),
        Error::RowIndex { position: 2, row: 8, n_samples: 8 },
        "row indices must be below 8, but index 2 is 8"
    );
    refuses!(
        all.select(vec![usize::MAX]),
        Error::RowIndex { position: 0, row: usize::MAX, .. },
        format!("row indices must be below 8, but index 0 is {}", usize::MAX)
    );
    refuses!(
        all.select(vec![]),
        Error::NoRows { array: "the rows chosen" },
        "the rows chosen must have at least 1 row, but has none"
    );
    refuses!(
        Rows::new(x.view(), y.slice(s![..5, ..])),
        Error::RowCount { array: "y", expected: 8, found: 5 },
        "y must have 8 rows, one for each row of x, but has 5"
    );

    let mut run = Run::<f64>::new(plan(), 2).unwrap();
    let narrow = x.slice(s![.., ..1]);
    let data = Data { training: Rows::new(narrow, y.view()).unwrap(), validation: None };
    refuses!(
        run.advance(&data, Until::epochs(3)),
        Error::Width { array: "x", expected: 2, found: 1 },
        "x must have 2 columns, but has 1"
    );
    let data = Data { training: all.clone(), validation: Some(Rows::new(narrow, y.view()).unwrap()) };
    refuses!(
        run.advance(&data, Until::epochs(3)),
        Error::Width { array: "x of the validation rows", expected: 2, found: 1 },
        "x of the validation rows must have 2 columns, but has 1"
    );
    refuses!(
        evaluate(run.network(), run.plan(), &data.validation.unwrap()),
        Error::Width { array: "x", .. },
        "x must have 2 columns, but has 1"
    );
    assert_eq!((run.steps(), run.epochs(), run.history().len()), (0, 0, 0));

    parameter(
        Run::<f64>::new(Plan { network: Sequential::new(), ..plan() }, 2).map(drop),
        "number of layers",
        "number of layers must be at least 1, but is 0",
    );
    parameter(
        Run::<f64>::new(plan(), 0).map(drop),
        "n_features",
        "n_features must be between 1 and 16777216, but is 0",
    );
    parameter(
        Run::<f64>::new(Plan { batch_size: 0, ..plan() }, 2).map(drop),
        "batch_size",
        "batch_size must be at least 1, but is 0",
    );
    parameter(
        Run::<f64>::new(Plan { callbacks: vec![Verbose { every: 0 }.into()], ..plan() }, 2).map(drop),
        "every",
        "every must be at least 1, but is 0",
    );

    let mut model: Model<f64> =
        plan().network.compile::<f64>(2, Sgd::default(), MeanSquaredError, ()).unwrap();
    parameter(
        model.fit(&x, &y, &Training::epochs(0)).map(drop),
        "epochs",
        "epochs must be at least 1, but is 0",
    );
    parameter(
        model.fit(&x, &y, &Training::epochs(1).batch_size(0)).map(drop),
        "batch_size",
        "batch_size must be at least 1, but is 0",
    );
    parameter(
        model.fit(&x, &y, &Training::epochs(1).validation_split(NAN)).map(drop),
        "validation_split",
        "validation_split must be at least 0 and below 1, but is NaN",
    );
    assert!(model.history().is_empty());
    let kernel = Array2::from_elem((2, 3), NAN);
    refuses!(
        model.set_tensor("dense_1/kernel", kernel.view()),
        Error::NotFinite { array: "weights", row: 0, column: 0, .. },
        "weights must be finite, but row 0, column 0 is NaN"
    );
    let kernel = Array2::zeros((3, 2));
    parameter(
        model.set_tensor("dense_1/kernel", kernel.view()),
        "dense_1/kernel",
        "dense_1/kernel must be of shape (2, 3), but is of shape (3, 2)",
    );
    let error = refused(model.set_tensor("dense_9/kernel", kernel.view()));
    assert!(error.to_string().starts_with("tensor must be one of dense_1/kernel, dense_1/bias"), "{error}");
}

#[test]
fn a_learning_rate_that_a_callback_asks_for_is_finite_and_not_negative() {
    type Ask = fn(&mut View<'_>) -> linfa_mlp::Result<()>;
    let (x, y) = (rows::<f64>(), Array2::<f64>::zeros((8, 1)));
    let fit = |ask: Ask| {
        let mut run = Run::<f64>::new(Plan { callbacks: vec![OnEpochEnd::new(ask).into()], ..plan() }, 2)?;
        run.advance(&data(&x, &y), Until::epochs(2)).map(|_| run)
    };
    let asked: [(Ask, &str); 8] = [
        (|view| view.scale_learning_rate(NAN), "factor must be finite"),
        (|view| view.scale_learning_rate(f64::INFINITY), "factor must be finite"),
        (|view| view.scale_learning_rate(-0.5), "factor must be finite"),
        (|view| (0..2).try_for_each(|_| view.scale_learning_rate(f64::MAX)), "factor must be finite"),
        (|view| view.set_learning_rate(NAN), "learning_rate must be finite"),
        (|view| view.set_learning_rate(f64::INFINITY), "learning_rate must be finite"),
        (|view| view.set_learning_rate(-0.1), "learning_rate must be finite"),
        (|view| view.set_learning_rate(f64::MAX), "learning_rate must be finite"),
    ];
    for (ask, message) in asked {
        let error = refused(fit(ask));
        assert!(matches!(&error, Error::Parameter { .. }) && error.to_string().contains(message), "{error}");
    }
    let asked: [Ask; 2] = [|view| view.scale_learning_rate(0.0), |view| view.set_learning_rate(0.0)];
    for ask in asked {
        let run = fit(ask).unwrap();
        assert!(same(run.learning_rate(), 0.0));
        assert!(Run::<f64>::from_bytes(&run.to_bytes().unwrap()).is_ok());
    }
}

#[test]
fn a_fit_without_an_end_can_be_stopped_and_gone_on_with() {
    let (x, y) = (rows::<f64>(), Array2::<f64>::zeros((8, 1)));
    let mut model: Model<f64> =
        plan().network.compile::<f64>(2, Sgd::default(), MeanSquaredError, ()).unwrap();
    for fits in 1..=2 {
        let enough = OnEpochEnd::new(|view| {
            view.stop("enough");
            Ok(())
        });
        model.fit(&x, &y, &Training::epochs(usize::MAX).callback(enough)).unwrap();
        assert_eq!(model.history().len(), fits);
    }
}

#[test]
fn huge_and_tiny_learning_rates_train_or_diverge_and_leave_finite_weights() {
    fn run<F: Float>(optimizer: AnyOptimizer, rate: f64, scale: f64) {
        let x = Array2::from_shape_fn((8, 2), |(i, j)| F::of(scale * ((i * 3 + j) % 5) as f64));
        let y = Array2::from_shape_fn((8, 1), |(i, _)| F::of(scale * i as f64));
        let data = Data { training: Rows::new(x.view(), y.view()).unwrap(), validation: None };
        let mut run = Run::<F>::new(Plan { optimizer, ..plan() }, 2).unwrap();
        let before = run.steps();
        match run.advance(&data, Until::epochs(60)) {
            Ok(_) => assert!(run.history()["loss"].iter().all(|loss| loss.is_finite())),
            Err(Error::Diverged { epoch, batch, learning_rate, loss }) => {
                assert_eq!(epoch, run.epochs() + 1);
                assert!((1..=3).contains(&batch), "{batch}");
                assert!(same(learning_rate, rate));
                let text =
                    refused(Err::<(), _>(Error::Diverged { epoch, batch, learning_rate, loss })).to_string();
                assert!(
                    text.starts_with(&format!(
                        "training diverged in epoch {epoch}, batch {batch}: the loss is "
                    )),
                    "{text}"
                );
                // Told again, it fails again in the same place.
                let again = run.clone().advance(&data, Until::epochs(60));
                assert!(
                    matches!(again, Err(Error::Diverged { epoch: e, batch: b, .. }) if (e, b) == (epoch, batch))
                );
            }
            Err(other) => panic!("{other:?}"),
        }
        assert!(run.steps() >= before);
        let finite =
            run.network().tensors().all(|(_, tensor)| tensor.iter().all(|weight| weight.is_finite()));
        assert!(finite, "{rate} {scale}: {:?}", run.plan().optimizer);
        // What is left can be saved and read.
        let bytes = run.to_bytes().unwrap();
        assert_eq!(Run::<F>::from_bytes(&bytes).unwrap().to_bytes().unwrap(), bytes);
    }
    for rate in [10.0, 1e-10, 1e10, 1e30, 1e-300] {
        for scale in [1.0, 1e6, 1e15] {
            for optimizer in [
                AnyOptimizer::from(Sgd::new(rate)),
                Sgd::new(rate).momentum(0.9).nesterov().into(),
                RmsProp::new(rate).into(),
                RmsProp::new(rate).momentum(0.9).centered().into(),
                Adam::new(rate).into(),
            ] {
                run::<f64>(optimizer.clone(), rate, scale);
                run::<f32>(optimizer, rate, scale);
            }
        }
    }
}

#[test]
fn a_tiny_learning_rate_moves_the_weights_a_tiny_way() {
    let loss =
        |rate: f64| fit(regressor().optimizer(Sgd::new(rate)).epochs(5)).unwrap().history()["loss"].to_vec();
    let losses = loss(1e-10);
    assert!(losses[4] < losses[0] && losses[0] - losses[4] < 1e-6 * losses[0]);
}

/// What a saved run holds, laid out as `train/saved.rs` writes version 1.
#[derive(Clone, Serialize, Deserialize)]
struct Saved {
    dtype: String,
    plan: Plan,
    n_features: u64,
    weights: Vec<f64>,
    slots: Vec<Vec<f64>>,
    scalars: Vec<f64>,
    gathered: Option<Vec<f64>>,
    average: Option<Vec<f64>>,
    epoch: u64,
    batch: u64,
    step: u64,
    first_loss: Option<f64>,
    loss: f64,
    mass: f64,
    metrics: Vec<Vec<f64>>,
    learning_rate_factor: f64,
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
    stop_reason: Option<linfa_mlp::history::StopReason>,
    n_training_rows: usize,
    n_validation_rows: usize,
    batch_names: Vec<String>,
    batch_epochs: Vec<u64>,
    batch_batches: Vec<u64>,
    batch_steps: Vec<u64>,
    batch_columns: Vec<Vec<f64>>,
    best: Option<Vec<f64>>,
    restore_best: bool,
    begun: bool,
    callbacks: Vec<(String, String)>,
}

fn data<'a>(x: &'a Array2<f64>, y: &'a Array2<f64>) -> Data<'a, f64> {
    Data { training: Rows::new(x.view(), y.view()).unwrap(), validation: None }
}

/// A run that stands in the middle of its second epoch.
fn saved() -> Saved {
    let (x, y) = (rows(), Array2::zeros((8, 1)));
    let plan = Plan { callbacks: vec![EarlyStopping::on("loss").restore_best_weights().into()], ..plan() };
    let mut run = Run::<f64>::new(plan, 2).unwrap();
    run.advance(&data(&x, &y), Until::epochs(3).steps(4)).unwrap();
    let bytes = run.to_bytes().unwrap();
    let (_, payload) = persistence::open(Kind::Run, 1, &bytes).unwrap();
    let saved: Saved = persistence::decode(Kind::Run, payload).unwrap();
    assert_eq!((saved.epoch, saved.batch, saved.step), (1, 1, 4));
    assert_eq!(persistence::encode(Kind::Run, 1, &saved).unwrap(), bytes, "the mirror is the file");
    saved
}

fn read(saved: &Saved) -> Result<Run<f64>, Error> {
    Run::from_bytes(&persistence::encode(Kind::Run, 1, saved).unwrap())
}

#[test]
fn files_that_contradict_themselves_are_refused_whatever_their_checksum_says() {
    #[track_caller]
    fn contradiction(change: &dyn Fn(&mut Saved)) {
        let mut changed = saved();
        change(&mut changed);
        match read(&changed) {
            Err(
                error @ (Error::Format { kind: "run", .. }
                | Error::Parameter { .. }
                | Error::PartSettings { .. }
                | Error::UnknownPart { .. }),
            ) => {
                let error = refused(Err::<(), _>(error));
                assert!(!error.to_string().is_empty());
            }
            other => panic!("{:?}", other.map(|_| "a run")),
        }
    }
    contradiction(&|s| s.dtype = "float32".into());
    contradiction(&|s| s.dtype = "int8".into());
    contradiction(&|s| s.n_features = 3);
    contradiction(&|s| s.n_features = 0);
    contradiction(&|s| s.n_features = u64::MAX);
    contradiction(&|s| assert!(s.weights.pop().is_some()));
    contradiction(&|s| s.weights.push(0.0));
    contradiction(&|s| s.weights.clear());
    contradiction(&|s| s.weights[2] = NAN);
    contradiction(&|s| s.weights[2] = INF);
    contradiction(&|s| assert!(s.slots.pop().is_some()));
    contradiction(&|s| s.slots.push(vec![]));
    contradiction(&|s| assert!(s.slots[1].pop().is_some()));
    contradiction(&|s| s.slots[1][0] = NAN);
    contradiction(&|s| s.plan.optimizer = Sgd::default().into());
    contradiction(&|s| s.plan.network = Sequential::new());
    contradiction(&|s| s.plan.network = Sequential::new().add(Dense::new(4)));
    contradiction(&|s| s.plan.network = Sequential::new().add(Dense::new(1 << 40)));
    contradiction(&|s| s.plan.network = (0..9).fold(Sequential::new(), |n, _| n.add(Dense::new(1 << 24))));
    contradiction(&|s| s.plan.batch_size = 0);
    contradiction(&|s| assert!(s.plan.metrics.pop().is_some()));
    contradiction(&|s| s.epoch = 2);
    contradiction(&|s| s.epoch = u64::MAX);
    contradiction(&|s| assert!(s.metrics.pop().is_some()));
    contradiction(&|s| s.learning_rate_factor = NAN);
    contradiction(&|s| s.learning_rate_factor = -1.0);
    contradiction(&|s| assert!(s.names.pop().is_some()));
    contradiction(&|s| assert!(s.columns.pop().is_some()));
    contradiction(&|s| s.columns[0].push(0.0));
    contradiction(&|s| s.best = Some(vec![]));
    contradiction(&|s| s.best.as_mut().unwrap()[0] = NAN);
    contradiction(&|s| s.callbacks[0].0 = "nobody".into());
    contradiction(&|s| s.callbacks[0].1 = "not JSON".into());
    contradiction(&|s| s.callbacks[0].1 = "[]".into());
    assert!(read(&saved()).is_ok());
}

#[test]
fn counters_and_sums_made_up_by_hand_make_no_run_panic() {
    let (x, y) = (rows(), Array2::zeros((8, 1)));
    let go_on = |change: &dyn Fn(&mut Saved)| {
        let mut changed = saved();
        change(&mut changed);
        // Read or refused, trained or not: it comes back.
        if let Ok(mut run) = read(&changed) {
            let _ = run.advance(&data(&x, &y), Until::epochs(3));
            let _ = run.to_bytes().unwrap();
            let _ = run.result().predict(x.view()).unwrap();
        }
    };
    for wild in [0, 2, 3, 4, u64::MAX - 1, u64::MAX] {
        go_on(&|s| s.batch = wild);
        go_on(&|s| s.step = wild);
    }
    for wild in [NAN, INF, -INF, -1.0, 0.0, 1e300] {
        go_on(&|s| s.loss = wild);
        go_on(&|s| s.mass = wild);
        go_on(&|s| s.learning_rate_factor = wild);
        go_on(&|s| s.columns[0][0] = wild);
    }
    // Sums of metrics of every length and with every value, for every metric.
    for name in names::<linfa_mlp::metric::Metrics>() {
        for len in [0, 1, 2, 3, 4, 5, 7, 12] {
            for wild in [NAN, INF, -1.0, 0.0, 1.0, 2.5, 1e18] {
                go_on(&|s| {
                    s.plan.metrics = vec![name.parse().unwrap()];
                    s.metrics = vec![vec![wild; len]];
                });
            }
        }
    }
    go_on(&|s| s.restore_best = true);
    go_on(&|s| s.best = None);
    go_on(&|s| s.callbacks.clear());
    go_on(&|s| s.plan.callbacks.clear());
    go_on(&|s| s.n_training_rows = usize::MAX);
    go_on(&|s| s.names.iter_mut().for_each(|name| *name = "loss".into()));
    go_on(&|s| s.stop_reason = Some(linfa_mlp::history::StopReason::Completed));
}

#[test]
fn damaged_foreign_and_newer_files_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.mlp");
    let model = regressor().fit(&numbers()).unwrap();
    model.save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(bytes, model.to_bytes().unwrap());
    assert!(MlpRegressor::<f64>::load(&path).is_ok());

    let load = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        MlpRegressor::<f64>::load(&path)
    };
    let problem = |bytes: &[u8], message: &str| {
        refuses!(
            load(bytes),
            Error::Format { kind: "regressor", .. },
            format!("not a readable regressor file: {message}")
        );
    };
    problem(b"", "the file does not begin as one");
    problem(b"PK\x03\x04 something else altogether, and long enough", "the file does not begin as one");
    problem(
        &bytes[..bytes.len() - 1],
        &format!("it should have {} bytes of content, but has {}", bytes.len() - 28, bytes.len() - 29),
    );
    let mut damaged = bytes.clone();
    damaged[100] ^= 4;
    problem(&damaged, "the content is damaged");
    let mut damaged = bytes.clone();
    damaged[12] ^= 4;
    problem(&damaged, "the header is damaged");
    let mut longer = bytes.clone();
    longer.push(0);
    problem(
        &longer,
        &format!("it should have {} bytes of content, but has {}", bytes.len() - 28, bytes.len() - 27),
    );
    let (_, payload) = persistence::open(Kind::Regressor, 1, &bytes).unwrap();
    // Version 9, and a regressor's file asked for as a classifier.
    let newer = persistence::encode(Kind::Regressor, 9, &payload.len()).unwrap();
    problem(&newer, "it has format version 9, and this program reads 1 to 1");
    refuses!(
        MlpClassifier::<f64, usize>::from_bytes(&bytes),
        Error::Format { kind: "classifier", .. },
        "not a readable classifier file: it holds something else (kind 3)"
    );
    for content in [&[][..], &[0; 3], &[255; 64]] {
        let framed = persistence::encode(Kind::Regressor, 1, &content).unwrap();
        assert!(matches!(refused(load(&framed)), Error::Format { kind: "regressor", .. }));
    }
    // A file of single precision is not one of double.
    let single = regressor().fit(&Dataset::new(rows::<f32>(), Array1::<f32>::zeros(8))).unwrap();
    let error = refused(MlpRegressor::<f64>::from_bytes(&single.to_bytes().unwrap()));
    assert!(matches!(&error, Error::Format { .. }), "{error}");
    let error = refused(MlpRegressor::<f32>::from_bytes(&bytes));
    assert!(matches!(&error, Error::Format { .. }), "{error}");
    // One of two-dimensional targets is not one of one.
    let wide = regressor().fit(&Dataset::new(rows::<f64>(), Array2::zeros((8, 2)))).unwrap();
    let error = refused(MlpRegressor::<f64>::from_bytes(&wide.to_bytes().unwrap()));
    assert!(matches!(&error, Error::Format { .. }), "{error}");
    // Labels of another type.
    let labelled = classifier().fit(&labels()).unwrap().to_bytes().unwrap();
    assert!(matches!(refused(MlpClassifier::<f64, String>::from_bytes(&labelled)), Error::Format { .. }));
    assert!(matches!(refused(MlpClassifier::<f64, bool>::from_bytes(&labelled)), Error::Format { .. }));

    let missing = folder.path().join("no such folder").join("model.mlp");
    let error = refused(MlpRegressor::<f64>::load(&missing));
    assert!(matches!(&error, Error::File { action: "cannot read", path, .. } if *path == missing), "{error}");
    let error = refused(model.save(&missing));
    assert!(
        matches!(&error, Error::File { action: "cannot write", path, .. } if *path == missing),
        "{error}"
    );
    assert!(error.to_string().starts_with(&format!("cannot write {}: ", missing.display())));
}

#[test]
fn a_data_set_of_views_is_checked_as_an_owned_one() {
    let x = array![[0.0, NAN], [1.0, NAN]];
    let y = array![0_usize, 1];
    // The first column alone is fine.
    assert!(classifier().fit(&DatasetBase::new(x.slice(s![.., ..1]), y.view())).is_ok());
    refuses!(
        classifier().fit(&DatasetBase::new(x.slice(s![.., 1..]), y.view())),
        Error::NotFinite { array: "x", row: 0, column: 0, .. },
        "x must be finite, but row 0, column 0 is NaN"
    );
}

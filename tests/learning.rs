//! What training must find, known from elsewhere: stronger penalties give smaller weights, one exponential unit is a
//! generalised linear model, a batch that is no number ends the run there.

use linfa::Dataset;
use linfa::prelude::*;
use linfa_mlp::callback::TerminateOnNan;
use linfa_mlp::history::StopReason;
use linfa_mlp::loss::{AnyLoss, MeanSquaredError, Poisson};
use linfa_mlp::model_selection::{FitRow, FitStatus, GridSearch, KFold};
use linfa_mlp::network::{Dense, Exponential, Sequential};
use linfa_mlp::optimizer::{Adam, Lbfgs, Sgd};
use linfa_mlp::train::{ClassWeight, Model, Training};
use linfa_mlp::{Error, MlpClassifier, MlpRegressor};
use ndarray::{Array1, Array2, Axis};

/// Points of a plane, on a grid of 17 by 17.
fn plane(n: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, 2), |(row, column)| ((row * (3 + 4 * column)) % 17) as f64 / 8.0 - 1.0)
}

#[test]
fn a_stronger_penalty_makes_the_weights_of_every_layer_smaller() {
    let x = plane(60);
    let labels = x.map_axis(Axis(1), |row| usize::from(row[0] * row[1] > 0.0));
    let dataset = Dataset::new(x, labels);
    let sizes = |alpha: f64| -> Vec<f64> {
        let params = MlpClassifier::params().hidden_layer_sizes([12]).optimizer(Adam::new(0.02)).epochs(80);
        let model = params.alpha(alpha).batch_size(20).fit(&dataset).unwrap();
        let kernels = model.network().tensors().filter(|(name, _)| name.ends_with("kernel"));
        kernels.map(|(_, values)| values.iter().map(|weight| weight.abs()).sum()).collect()
    };
    let by_strength: Vec<Vec<f64>> = [0.0, 0.01, 0.1, 1.0].map(sizes).into();
    for pair in by_strength.windows(2) {
        assert_eq!(pair[0].len(), 2);
        assert!(pair[0].iter().zip(&pair[1]).all(|(weaker, stronger)| stronger < weaker), "{by_strength:?}");
    }
}

/// Maximum likelihood of log E(y) = b + x·w by Newton's method (iteratively reweighted least squares), for two features.
fn poisson_glm(x: &Array2<f64>, y: &Array1<f64>) -> [f64; 3] {
    let mut beta = [0.0; 3];
    for _ in 0..50 {
        let (mut gradient, mut hessian) = ([0.0; 3], [[0.0; 3]; 3]);
        for (row, &target) in x.rows().into_iter().zip(y) {
            let a = [1.0, row[0], row[1]];
            let mean = (0..3).map(|i| a[i] * beta[i]).sum::<f64>().exp();
            for i in 0..3 {
                gradient[i] += a[i] * (target - mean);
                (0..3).for_each(|j| hessian[i][j] += a[i] * a[j] * mean);
            }
        }
        // Gauss' elimination: the matrix is positive definite.
        for i in 0..3 {
            for below in i + 1..3 {
                let factor = hessian[below][i] / hessian[i][i];
                let above = hessian[i];
                (i..3).for_each(|j| hessian[below][j] -= factor * above[j]);
                gradient[below] -= factor * gradient[i];
            }
        }
        for i in (0..3).rev() {
            let known: f64 = (i + 1..3).map(|j| hessian[i][j] * gradient[j]).sum();
            gradient[i] = (gradient[i] - known) / hessian[i][i];
        }
        (0..3).for_each(|i| beta[i] += gradient[i]);
    }
    beta
}

#[test]
fn poisson_loss_with_one_exponential_unit_is_the_generalised_linear_model() {
    let x = plane(80);
    let y = Array1::from_shape_fn(80, |row| {
        let mean = (0.5 + 0.8 * x[[row, 0]] - 0.4 * x[[row, 1]]).exp();
        (mean + ((row * 7) % 5) as f64 * 0.3).floor()
    });
    let [bias, first, second] = poisson_glm(&x, &y);
    let weights = |loss: AnyLoss| -> [f64; 3] {
        let network = Sequential::new().add(Dense::new(1).activation(Exponential));
        let mut model = network.compile(2, Adam::new(0.01), loss, ()).unwrap();
        let y = y.clone().insert_axis(Axis(1));
        model.fit(&x, &y, &Training::epochs(3000).batch_size(80)).unwrap();
        let kernel = tensor(&model, "dense_1/kernel");
        [tensor(&model, "dense_1/bias")[0], kernel[0], kernel[1]]
    };
    let close = |found: [f64; 3]| {
        found.iter().zip([bias, first, second]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    let poisson = close(weights(Poisson.into()));
    assert!(poisson < 1e-4, "{poisson}");
    let squared = close(weights(MeanSquaredError.into()));
    assert!(squared > 1e-2, "{squared}");
}

fn tensor(model: &Model<f64>, name: &str) -> Vec<f64> {
    let (_, values) = model.network().tensors().find(|(other, _)| other == name).unwrap();
    values.iter().copied().collect()
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_at_that_batch() {
    // Rows are read in their order, four to a batch; one target is so large that its square is no f64 any more.
    let x = plane(40);
    let mut y = Array1::zeros(40);
    for poisoned in [0, 17, 39] {
        y.fill(0.5);
        y[poisoned] = 1e200;
        let dataset = Dataset::new(x.clone(), y.clone());
        let params = MlpRegressor::params().shuffle(false).batch_size(4).epochs(3);
        let (model, outcome) = params.fit_with_outcome(&dataset).unwrap();
        let Err(Error::Diverged { epoch, batch, .. }) = outcome else { panic!("{outcome:?}") };
        assert_eq!((epoch, batch), (1, poisoned / 4 + 1));
        assert_eq!(model.run().steps(), poisoned as u64 / 4);
        // The weights are those that the batches before it left.
        let before = poisoned / 4 * 4;
        if before > 0 {
            let rows: Vec<usize> = (0..before).collect();
            let clean = Dataset::new(x.select(Axis(0), &rows), y.select(Axis(0), &rows));
            let straight = params.epochs(1).fit(&clean).unwrap();
            assert!(model.network().tensors().eq(straight.network().tensors()));
        }
    }
}

#[test]
fn a_loss_that_explodes_is_seen_long_before_it_is_no_number() {
    let x = plane(40);
    let dataset = Dataset::new(x.clone(), x.column(0).to_owned());
    let params = MlpRegressor::params().optimizer(Sgd::new(3.0)).batch_size(10).epochs(50);
    let (model, outcome) = params.fit_with_outcome(&dataset).unwrap();
    let Err(Error::Diverged { loss, .. }) = outcome else { panic!("{outcome:?}") };
    assert!(loss > 1e12, "{loss}");
    assert!(model.predict(&x).iter().all(|value| value.is_finite()));
    // A loss that is large from the start is none that explodes.
    let far = Dataset::new(x.clone(), x.column(0).mapv(|value| 1e10 * (value + 2.0)));
    assert!(MlpRegressor::params().epochs(3).fit(&far).is_ok());
}

#[test]
fn with_terminate_on_nan_divergence_is_an_end_and_still_nobody_s_best() {
    let x = plane(40);
    let mut y = x.column(0).to_owned();
    y[17] = 1e200;
    let dataset = Dataset::new(x, y);
    let params = MlpRegressor::params().shuffle(false).batch_size(4).epochs(3).callback(TerminateOnNan);
    let model = params.fit(&dataset).unwrap();
    assert_eq!(model.history().stop_reason(), Some(&StopReason::Diverged { epoch: 1, batch: 5 }));
    assert_eq!((model.run().steps(), model.history().len()), (4, 1));
    assert!(model.history()["loss"][0].is_finite());
    let read = MlpRegressor::<f64>::from_bytes(&model.to_bytes().unwrap()).unwrap();
    assert_eq!(read.history().stop_reason(), model.history().stop_reason());

    // The first batch of all diverges: there is no epoch to report.
    let mut first = dataset.clone();
    first.targets[0] = 1e200;
    assert!(params.fit(&first).unwrap().history().is_empty());

    let search = GridSearch::new(params)
        .axis("epochs", [1, 2], |params, epochs| params.epochs(epochs))
        .cv(KFold::new(2))
        .fit(&dataset)
        .unwrap();
    let diverged = |row: &FitRow| matches!(row.status, FitStatus::Diverged { epoch: 1, batch: 5, .. });
    let rows = search.results().rows();
    assert!(rows.iter().all(|row| diverged(row) == (row.fold == 1)), "{rows:?}");
    assert_eq!(search.best_index(), None);
}

#[test]
fn for_lbfgs_too_a_class_of_weight_2_is_its_rows_twice() {
    let x = plane(60);
    let labels = x.map_axis(Axis(1), |row| usize::from(row[0] + 0.5 * row[1] > 0.2));
    let twice: Vec<usize> = (0..60).flat_map(|row| std::iter::repeat_n(row, 1 + labels[row])).collect();
    let weighted = Dataset::new(x.clone(), labels.clone());
    let doubled = Dataset::new(x.select(Axis(0), &twice), labels.select(Axis(0), &twice));
    let params = MlpClassifier::params().hidden_layer_sizes([]).alpha(0.01).optimizer(Lbfgs::default());
    let plain = params.fit(&weighted).unwrap().predict_proba(&x).unwrap();
    let by_rows = params.fit(&doubled).unwrap().predict_proba(&x).unwrap();
    let weight = ClassWeight::given([(1, 2.0)]);
    let by_weight = params.class_weight(weight).fit(&weighted).unwrap().predict_proba(&x).unwrap();
    let apart = |a: &Array2<f64>, b: &Array2<f64>| (a - b).iter().fold(0.0, |most: f64, d| most.max(d.abs()));
    assert!(apart(&by_rows, &by_weight) < 1e-4, "{}", apart(&by_rows, &by_weight));
    assert!(apart(&by_rows, &plain) > 1e-2, "the weight must be felt");
}

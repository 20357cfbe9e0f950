//! Optimizers that read all rows at once: adding a row to `contract` is all it takes to test a new one.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use linfa::Dataset;
use linfa::prelude::*;
use linfa_mlp::history::{Ending, StopReason};
use linfa_mlp::kernel::{Buffer, Path, with_path};
use linfa_mlp::loss::SparseCategoricalCrossEntropy;
use linfa_mlp::metric::{Accuracy, R2};
use linfa_mlp::network::{BatchNorm, Dropout, GaussianNoise, L2, LayerNorm, MaxNorm, Residual, Softmax};
use linfa_mlp::optimizer::{AnyOptimizer, Lbfgs, Memory, Objective, Point};
use linfa_mlp::prelude::*;
use linfa_mlp::rng::Stream;
use linfa_mlp::train::{ClassWeight, Data, Plan, RowSource, Rows, Run, Status, Until, evaluate};
use linfa_mlp::{Error, Float};
use ndarray::{Array1, Array2, Axis, concatenate};
use serde_json::json;

pub fn contract() -> Vec<AnyOptimizer> {
    let tight = Lbfgs::default().gradient_tolerance(1e-9).loss_tolerance(0.0);
    vec![tight.clone().into(), tight.clone().memory(1).into(), tight.memory(100).into()]
}

// ---- on functions ----

/// A function of two weights, and how often it was asked for.
struct Valley {
    of: fn(f64, f64) -> (f64, [f64; 2]),
    evaluations: u64,
}

impl<F: Float> Objective<F> for Valley {
    fn evaluate(&mut self, weights: &[F], gradient: &mut [F]) -> f64 {
        self.evaluations += 1;
        let (value, slopes) = (self.of)(weights[0].wide(), weights[1].wide());
        gradient.iter_mut().zip(slopes).for_each(|(to, slope)| *to = F::of(slope));
        value
    }
}

fn parabola(a: f64, b: f64) -> (f64, [f64; 2]) {
    ((a - 1.0).powi(2) + 5.0 * (b + 0.5).powi(2), [2.0 * (a - 1.0), 10.0 * (b + 0.5)])
}

/// Rosenbrock's own, with 100.
fn rosenbrock(a: f64, b: f64) -> (f64, [f64; 2]) {
    let (p, q) = (1.0 - a, b - a * a);
    (p * p + 100.0 * q * q, [-2.0 * p - 400.0 * q * a, 200.0 * q])
}

/// Where a search ends, why, and after how many iterations and evaluations.
fn descend<F: Float>(
    optimizer: &AnyOptimizer,
    of: fn(f64, f64) -> (f64, [f64; 2]),
) -> ([f64; 2], Option<Ending>, usize, u64) {
    let rule = optimizer.ops::<F>();
    let minimizer = rule.minimizer().expect("it reads all rows");
    let mut valley = Valley { of, evaluations: 0 };
    let (mut weights, mut gradient) = ([F::of(-1.2), F::of(1.0)], [F::zero(); 2]);
    let mut slots: Vec<Buffer<F>> = rule.slots().iter().map(|_| Buffer::zeros(2)).collect();
    let mut scalars: Vec<f64> = rule.scalars().iter().map(|(_, start)| *start).collect();
    let mut loss = valley.evaluate(&weights, &mut gradient);
    for iteration in 1..=300 {
        // What it works in holds nothing from one iteration to the next.
        let mut scratch: Vec<Buffer<F>> =
            (0..minimizer.scratch()).map(|_| Buffer::from_slice(&[F::nan(); 2])).collect();
        let mut point = Point { weights: &mut weights, loss, gradient: &mut gradient };
        let (slots, scalars, scratch) = (&mut slots[..], &mut scalars[..], &mut scratch[..]);
        let memory = Memory { slots, scalars, scratch, learning_rate: 1.0 };
        let ending = minimizer.iterate(&mut valley, &mut point, memory);
        assert!(point.loss <= loss, "{optimizer}: {} after {loss}", point.loss);
        loss = point.loss;
        if ending.is_some() {
            return (weights.map(F::wide), ending, iteration, valley.evaluations);
        }
    }
    (weights.map(F::wide), None, 300, valley.evaluations)
}

#[test]
fn every_minimizer_finds_the_bottom_of_a_parabola_and_of_rosenbrock_s_valley() {
    for optimizer in contract() {
        let ([a, b], ending, iterations, _) = descend::<f64>(&optimizer, parabola);
        assert!((a - 1.0).abs() < 1e-8 && (b + 0.5).abs() < 1e-8, "{optimizer}: {a} {b}");
        assert!(ending == Some(Ending::SmallGradient) && iterations < 30, "{optimizer}: {ending:?}");
        let ([a, b], ending, iterations, evaluations) = descend::<f64>(&optimizer, rosenbrock);
        assert!((a - 1.0).abs() < 1e-7 && (b - 1.0).abs() < 1e-7, "{optimizer}: {a} {b} {ending:?}");
        assert!(iterations < 100 && evaluations < 200, "{optimizer}: {iterations} {evaluations}");
        let ([a, b], ..) = descend::<f32>(&optimizer, rosenbrock);
        assert!((a - 1.0).abs() < 2e-3 && (b - 1.0).abs() < 4e-3, "{optimizer}: {a} {b}");
    }
}

#[test]
fn a_function_without_slope_or_without_descent_ends_at_once() {
    let is_start = |at: [f64; 2]| at.map(f64::to_bits) == [-1.2, 1.0].map(f64::to_bits);
    for optimizer in contract() {
        let (at, ending, ..) = descend::<f64>(&optimizer, |_, _| (3.0, [0.0, 0.0]));
        assert!(is_start(at) && ending == Some(Ending::SmallGradient), "{optimizer}");
        // The gradient points the wrong way: no step is lower, and nothing moves.
        let (at, ending, ..) = descend::<f64>(&optimizer, |a, b| (a + b, [-1.0, -1.0]));
        assert!(is_start(at) && ending == Some(Ending::NoDescent), "{optimizer}");
        let (at, ending, ..) = descend::<f64>(&optimizer, |a, _| {
            let inside = a < -1.1;
            (if inside { -a } else { f64::INFINITY }, [if inside { -1.0 } else { f64::NAN }, 0.0])
        });
        assert!(at[0] > -1.2 && at[0] < -1.1 && ending == Some(Ending::NoDescent), "{optimizer}: {at:?}");
    }
}

// ---- in a run ----

/// A regression with noise, as scikit-learn's `make_regression`: `y = x · c + noise`, brought to unit scale.
fn regression(n: usize, n_features: usize, seed: u64) -> (Array2<f64>, Array2<f64>) {
    let mut stream = Stream::new(seed);
    let mut normal = || (0..12).map(|_| stream.uniform()).sum::<f64>() - 6.0;
    let x = Array2::from_shape_simple_fn((n, n_features), &mut normal);
    let c = Array2::from_shape_simple_fn((n_features, 1), &mut normal);
    let y = x.dot(&c) + Array2::from_shape_simple_fn((n, 1), || 0.05 * normal());
    let spread = (y.iter().map(|v| v * v).sum::<f64>() / n as f64).sqrt();
    (x, y / spread)
}

fn plan(optimizer: impl Into<AnyOptimizer>) -> Plan {
    let penalty = L2::new(1e-3);
    Plan {
        network: Sequential::new()
            .add(Dense::new(6).activation(Tanh).kernel_regularizer(penalty).activity_regularizer(penalty))
            .add(Residual::new(Sequential::new().add(LayerNorm::new()).add(Dense::new(6))))
            .add(Dense::new(1)),
        loss: MeanSquaredError.into(),
        optimizer: optimizer.into(),
        metrics: vec![R2.into()],
        batch_size: usize::MAX,
        shuffle: true,
        seed: 3,
        callbacks: vec![],
    }
}

fn fitted<F: Float>(optimizer: &AnyOptimizer, epochs: usize) -> Run<F> {
    let (x, y) = regression(300, 4, 1);
    let (x, y) = (x.mapv(F::of), y.mapv(F::of));
    let rows = Rows::new(x.view(), y.view()).unwrap();
    let training = rows.select((0..270).collect::<Vec<_>>()).unwrap();
    let validation = rows.select((270..300).collect::<Vec<_>>()).unwrap();
    let mut run = Run::new(plan(optimizer.clone()), 4).unwrap();
    run.advance(&Data { training, validation: Some(validation) }, Until::epochs(epochs)).unwrap();
    run
}

#[test]
fn the_loss_falls_in_every_epoch_and_is_that_of_the_weights_left() {
    for optimizer in contract() {
        let run = fitted::<f64>(&optimizer, 40);
        let losses = &run.history()["loss"];
        assert!(losses.windows(2).all(|pair| pair[1] <= pair[0]), "{optimizer}: {losses:?}");
        assert!(losses[losses.len() - 1] < 0.1 * losses[0], "{optimizer}: {losses:?}");
        let (x, y) = regression(300, 4, 1);
        let rows = Rows::new(x.view(), y.view()).unwrap().select((0..270).collect::<Vec<_>>()).unwrap();
        let scores = evaluate(&run.result(), run.plan(), &rows).unwrap();
        for name in ["loss", "r2_score"] {
            let last = run.history().last(name).unwrap();
            assert!((scores[name] - last).abs() < 1e-12, "{optimizer} {name}: {} {last}", scores[name]);
        }
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for optimizer in contract() {
        for path in Path::available() {
            let on = |path| {
                with_path(path, || {
                    (fitted::<f64>(&optimizer, 5).to_bytes(), fitted::<f32>(&optimizer, 5).to_bytes())
                })
            };
            let ((a, b), (c, d)) = (on(path), on(Path::Portable));
            assert!(a.unwrap() == c.unwrap() && b.unwrap() == d.unwrap(), "{optimizer} {path:?}");
        }
    }
}

#[test]
fn shuffling_and_the_size_of_the_one_batch_change_no_weight() {
    let (x, y) = regression(300, 4, 1);
    let data = || Data { training: Rows::new(x.view(), y.view()).unwrap(), validation: None };
    for optimizer in contract() {
        let weights = |batch_size, shuffle| {
            let mut run = Run::new(Plan { batch_size, shuffle, ..plan(optimizer.clone()) }, 4).unwrap();
            run.advance(&data(), Until::epochs(10)).unwrap();
            run.result()
                .tensors()
                .flat_map(|(_, t)| t.iter().copied().collect::<Vec<f64>>())
                .collect::<Vec<_>>()
        };
        assert!(weights(usize::MAX, true) == weights(300, false), "{optimizer}");
    }
}

#[test]
fn weight_2_is_the_row_twice_and_weight_0_the_row_absent() {
    let (x, y) = regression(40, 3, 2);
    let weights = Array1::from_shape_fn(40, |i| (i % 3) as f32);
    let twice: Vec<usize> = (0..40).flat_map(|i| vec![i; i % 3]).collect();
    let (x_twice, y_twice) = (x.select(Axis(0), &twice), y.select(Axis(0), &twice));
    for optimizer in contract() {
        let train = |rows: Rows<'_, f64>| {
            let mut run = Run::new(plan(optimizer.clone()), 3).unwrap();
            run.advance(&Data { training: rows, validation: None }, Until::epochs(8)).unwrap();
            run.result()
                .tensors()
                .flat_map(|(_, t)| t.iter().copied().collect::<Vec<f64>>())
                .collect::<Vec<_>>()
        };
        let weighted = train(Rows::new(x.view(), y.view()).unwrap().with_weights(weights.view()).unwrap());
        let repeated = train(Rows::new(x_twice.view(), y_twice.view()).unwrap());
        for (a, b) in weighted.iter().zip(&repeated) {
            assert!((a - b).abs() < 1e-7, "{optimizer}: {a} {b}");
        }
    }
}

#[test]
fn class_weight_2_is_every_row_of_that_class_twice() {
    let iris = linfa_datasets::iris();
    let twice: Vec<usize> = (0..150).flat_map(|i| vec![i; 1 + usize::from(iris.targets[i] == 1)]).collect();
    let repeated = Dataset::new(iris.records.select(Axis(0), &twice), iris.targets.select(Axis(0), &twice));
    let params =
        || MlpClassifier::params().hidden_layer_sizes([4]).activation(Tanh).optimizer(Lbfgs::default());
    let weighted = params().epochs(8).class_weight(ClassWeight::given([(1, 2.0)])).fit(&iris).unwrap();
    let repeated = params().epochs(8).fit(&repeated).unwrap();
    for (a, b) in weighted.history()["loss"].iter().zip(&repeated.history()["loss"]) {
        assert!((a - b).abs() < 1e-7, "{a} {b}");
    }
    assert_eq!(weighted.history().len(), repeated.history().len());
}

/// Arrays that are read as a file would be, but for the one time that is set.
#[derive(Debug)]
struct Table {
    x: Array2<f64>,
    y: Array2<f64>,
    reads: AtomicUsize,
    fails_at: usize,
}

impl RowSource<f64> for Table {
    fn n_samples(&self) -> usize {
        self.x.nrows()
    }
    fn n_features(&self) -> usize {
        self.x.ncols()
    }
    fn target_width(&self) -> usize {
        1
    }
    fn read(
        &self,
        rows: &[usize],
        x: &mut [f64],
        y: &mut [f64],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if self.reads.fetch_add(1, Relaxed) == self.fails_at {
            return Err("the line is cut".into());
        }
        let width = self.x.ncols();
        for (place, &row) in rows.iter().enumerate() {
            self.x.row(row).iter().zip(&mut x[place * width..]).for_each(|(from, to)| *to = *from);
            y[place] = self.y[[row, 0]];
        }
        Ok(())
    }
}

#[test]
fn rows_that_are_read_when_needed_give_the_same_bits_and_a_failure_is_taken_back() {
    let (x, y) = regression(300, 4, 1);
    for optimizer in contract() {
        let new = || Run::<f64>::new(plan(optimizer.clone()), 4).unwrap();
        let mut straight = new();
        let arrays = Data { training: Rows::new(x.view(), y.view()).unwrap(), validation: None };
        straight.advance(&arrays, Until::epochs(6)).unwrap();
        for fails_at in [0, 1, 4, 7, 12, usize::MAX] {
            let table = Table { x: x.clone(), y: y.clone(), reads: AtomicUsize::new(0), fails_at };
            let data = Data { training: Rows::from_source(&table).unwrap(), validation: None };
            let mut run = new();
            let outcome = run.advance(&data, Until::epochs(6));
            assert_eq!(outcome.is_err(), fails_at < usize::MAX, "{optimizer} {fails_at}: {outcome:?}");
            // The failure comes once: the run goes on from where it was.
            run.advance(&data, Until::epochs(6)).unwrap();
            assert!(run.to_bytes().unwrap() == straight.to_bytes().unwrap(), "{optimizer} {fails_at}");
        }
    }
}

#[test]
fn a_converged_fit_ends_early_and_a_longer_goal_does_not_wake_it() {
    let (x, y) = regression(200, 5, 4);
    let data = || Data { training: Rows::new(x.view(), y.view()).unwrap(), validation: None };
    let plan = Plan { network: Sequential::new().add(Dense::new(1)), ..plan(Lbfgs::default()) };
    let mut run = Run::<f64>::new(plan, 5).unwrap();
    assert_eq!(run.advance(&data(), Until::epochs(500)).unwrap(), Status::Finished);
    let ending = Ending::SmallGradient;
    assert_eq!(run.history().stop_reason(), Some(&StopReason::Optimizer { name: "lbfgs".into(), ending }));
    assert_eq!(
        run.history().stop_reason().map(ToString::to_string).as_deref(),
        Some("lbfgs: the gradient is within its tolerance")
    );
    let epochs = run.epochs();
    assert!(epochs < 30, "{epochs}");
    assert_eq!(run.advance(&data(), Until::epochs(1000)).unwrap(), Status::Finished);
    assert_eq!(run.epochs(), epochs);
}

#[test]
fn evaluations_are_capped_and_the_cap_survives_a_file() {
    let (x, y) = regression(100, 4, 5);
    let data = || Data { training: Rows::new(x.view(), y.view()).unwrap(), validation: None };
    for cap in [1, 2, 3, 10, 50] {
        let optimizer = Lbfgs::default().max_evaluations(cap).gradient_tolerance(0.0).loss_tolerance(0.0);
        let mut run = Run::<f64>::new(plan(optimizer), 4).unwrap();
        run.advance(&data(), Until::epochs(1000).steps(3)).unwrap();
        let mut run = Run::<f64>::from_bytes(&run.to_bytes().unwrap()).unwrap();
        run.advance(&data(), Until::epochs(1000)).unwrap();
        let ending = Ending::EvaluationsUsedUp;
        assert_eq!(
            run.history().stop_reason(),
            Some(&StopReason::Optimizer { name: "lbfgs".into(), ending }),
            "{cap}"
        );
        // Every iteration needs an evaluation, and the beginning one of its own.
        assert!((1..=cap.max(1)).contains(&run.steps()), "{cap}: {} steps", run.steps());
        assert!(run.history()["loss"].iter().all(|loss| loss.is_finite()));
    }
}

#[test]
fn a_second_fit_goes_on_with_other_rows() {
    let (x, y) = regression(80, 3, 6);
    let (x_more, y_more) = regression(80, 3, 7);
    let mut model =
        Sequential::new().add(Dense::new(1)).compile(3, Lbfgs::default(), MeanSquaredError, [R2]).unwrap();
    model.fit(&x, &y, &Training::epochs(50)).unwrap();
    assert!(model.evaluate(&x, &y).unwrap()["r2_score"] > 0.98);
    model.fit(&x_more, &y_more, &Training::epochs(50)).unwrap();
    assert!(model.evaluate(&x_more, &y_more).unwrap()["r2_score"] > 0.98);
    assert!(model.evaluate(&x, &y).unwrap()["r2_score"] < 0.98);
}

#[test]
fn a_loss_that_is_no_number_is_a_divergence_and_leaves_the_run_as_it_was() {
    let x = Array2::from_elem((4, 2), 1e200);
    let y = Array2::from_elem((4, 1), -1e200);
    let data = Data { training: Rows::new(x.view(), y.view()).unwrap(), validation: None };
    for optimizer in contract() {
        let plan = Plan { network: Sequential::new().add(Dense::new(1)), ..plan(optimizer.clone()) };
        let mut run = Run::<f64>::new(plan, 2).unwrap();
        let before: Vec<_> = run.network().tensors().map(|(_, t)| t.to_owned()).collect();
        match run.advance(&data, Until::epochs(5)) {
            Err(Error::Diverged { epoch: 1, batch: 1, .. }) => {}
            other => panic!("{optimizer}: {other:?}"),
        }
        assert!(run.network().tensors().zip(&before).all(|((_, t), before)| t == *before), "{optimizer}");
    }
}

#[test]
fn callbacks_keep_the_best_weights_and_may_stop_it() {
    let (x, y) = regression(60, 4, 8);
    let optimizer = Lbfgs::default().gradient_tolerance(0.0);
    let mut model = plan(optimizer).network.compile(4, Lbfgs::default(), MeanSquaredError, ()).unwrap();
    let stopper = EarlyStopping::on("val_loss").patience(2).restore_best_weights();
    let training = Training::epochs(300).validation_split(0.5).callback(stopper);
    model.fit(&x, &y, &training).unwrap();
    let losses = &model.history()["val_loss"];
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let held_out = (x.slice(ndarray::s![30.., ..]), y.slice(ndarray::s![30.., ..]));
    assert!((model.evaluate(&held_out.0, &held_out.1).unwrap()["loss"] - best).abs() < 1e-12);
}

// ---- behaviours of scikit-learn's tests ----

#[test]
fn a_regression_is_learned_and_a_linear_model_does_not_need_a_hidden_layer() {
    let (x, y) = regression(200, 20, 9);
    let targets = y.index_axis(Axis(1), 0).to_owned();
    let dataset = Dataset::new(x, targets);
    for (activation, at_least) in [("identity", 0.80), ("sigmoid", 0.98), ("tanh", 0.98), ("relu", 0.98)] {
        let model = MlpRegressor::params()
            .hidden_layer_sizes([50])
            .activation(activation.parse::<linfa_mlp::network::activation::AnyActivation>().unwrap())
            .optimizer(Lbfgs::default())
            .epochs(150)
            .seed(1)
            .fit(&dataset)
            .unwrap();
        let score = model.score(&dataset).unwrap();
        assert!(score > at_least, "{activation}: {score}");
    }
}

#[test]
fn digits_are_learned_two_classes_of_them_and_all_ten() {
    let digits = linfa_mlp::datasets::digits::<f32>();
    let (x, labels) = (digits.records / 16.0, digits.targets);
    let two: Vec<usize> = (0..x.nrows()).filter(|&row| labels[row] < 2).collect();
    let few: Vec<usize> = (0..200).collect();
    for rows in [two, few] {
        let dataset = Dataset::new(x.select(Axis(0), &rows), labels.select(Axis(0), &rows));
        for activation in ["sigmoid", "tanh", "relu", "identity"] {
            let model = MlpClassifier::params()
                .hidden_layer_sizes([50])
                .activation(activation.parse::<linfa_mlp::network::activation::AnyActivation>().unwrap())
                .optimizer(Lbfgs::default())
                .epochs(150)
                .seed(1)
                .fit(&dataset)
                .unwrap();
            let score = model.score(&dataset).unwrap();
            assert!(score > 0.95, "{activation}: {score}");
        }
    }
}

#[test]
fn classes_are_learned_with_all_rows_at_once() {
    let iris = linfa_datasets::iris();
    let model = MlpClassifier::params()
        .hidden_layer_sizes([10])
        .optimizer(Lbfgs::default())
        .epochs(150)
        .fit(&iris)
        .unwrap();
    assert!(model.score(&iris).unwrap() > 0.95);
    assert_eq!(model.history().n_training_rows(), 150);
}

#[test]
fn a_classifier_fitted_in_parts_equals_one_fitted_in_one_go() {
    let iris = linfa_datasets::iris();
    let params =
        |epochs| MlpClassifier::params().hidden_layer_sizes([5]).optimizer(Lbfgs::default()).epochs(epochs);
    let half = params(4).fit(&iris).unwrap();
    let half = MlpClassifier::from_bytes(&half.to_bytes().unwrap()).unwrap();
    let whole = params(9).check().unwrap().fit_with(Some(half), &iris).unwrap();
    assert!(whole.to_bytes().unwrap() == params(9).fit(&iris).unwrap().to_bytes().unwrap());
}

// ---- what has no meaning without batches ----

fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>, parameter: &str) {
    match outcome {
        Err(Error::Parameter { name, allowed, .. }) => {
            assert_eq!(name, parameter);
            assert!(allowed.contains("lbfgs"), "{allowed}");
        }
        other => panic!("{parameter}: {other:?}"),
    }
}

#[test]
fn a_batch_size_is_refused_before_the_first_step() {
    let iris = linfa_datasets::iris();
    refused(MlpClassifier::params().optimizer(Lbfgs::default()).batch_size(32).fit(&iris), "batch_size");
    let (x, y) = regression(30, 2, 1);
    let mut model =
        Sequential::new().add(Dense::new(1)).compile(2, Lbfgs::default(), MeanSquaredError, ()).unwrap();
    refused(model.fit(&x, &y, &Training::epochs(3).batch_size(10)).cloned(), "batch_size");
    let data = Data { training: Rows::new(x.view(), y.view()).unwrap(), validation: None };
    let small = Plan { batch_size: 29, ..plan(Lbfgs::default()) };
    refused(Run::new(small, 2).unwrap().advance(&data, Until::epochs(1)), "batch_size");
}

#[test]
fn layers_that_are_random_or_look_at_the_batch_are_refused_by_their_place() {
    let build = |network: Sequential| Run::<f64>::new(Plan { network, ..plan(Lbfgs::default()) }, 2);
    let dense = || Dense::new(3);
    refused(build(Sequential::new().add(dense()).add(Dropout::new(0.1)).add(dense())), "layer 2");
    refused(build(Sequential::new().add(GaussianNoise::new(0.1)).add(dense())), "layer 1");
    refused(build(Sequential::new().add(dense()).add(BatchNorm::new()).add(dense())), "layer 2");
    refused(build(Sequential::new().add(dense().kernel_constraint(MaxNorm::default()))), "layer 1");
    let iris = linfa_datasets::iris();
    let params = MlpClassifier::params().network(Sequential::new().add(dense()).add(Dropout::new(0.5)));
    refused(params.optimizer(Lbfgs::default()).fit(&iris), "layer 2");
    // What is switched off is none.
    let off = Sequential::new().add(dense()).add(Dropout::new(0.0)).add(BatchNorm::new().trainable(false));
    assert!(build(off.add(dense().trainable(false).kernel_constraint(MaxNorm::default()))).is_ok());
}

#[test]
fn settings_outside_their_range_and_those_it_does_not_have_are_refused_by_name() {
    let table: [(&str, Lbfgs); 10] = [
        ("memory", Lbfgs::default().memory(0)),
        ("memory", Lbfgs::default().memory(101)),
        ("gradient_tolerance", Lbfgs::default().gradient_tolerance(-1.0)),
        ("gradient_tolerance", Lbfgs::default().gradient_tolerance(f64::NAN)),
        ("gradient_tolerance", Lbfgs::default().gradient_tolerance(f64::INFINITY)),
        ("loss_tolerance", Lbfgs::default().loss_tolerance(-1e-9)),
        ("loss_tolerance", Lbfgs::default().loss_tolerance(f64::NAN)),
        ("loss_tolerance", Lbfgs::default().loss_tolerance(f64::INFINITY)),
        ("max_evaluations", Lbfgs::default().max_evaluations(0)),
        ("memory", Lbfgs::default().memory(usize::MAX)),
    ];
    for (parameter, lbfgs) in table {
        match AnyOptimizer::from(lbfgs).check() {
            Err(Error::Parameter { name, .. }) => assert_eq!(name, parameter),
            other => panic!("{parameter}: {other:?}"),
        }
    }
    for knob in ["learning_rate", "ema", "accumulate", "weight_decay", "clip_norm"] {
        let built = AnyOptimizer::build("lbfgs", json!({ knob: 0.5 }));
        assert!(matches!(built, Err(Error::PartSettings { .. })), "{knob}");
    }
    for name in ["lbfgs", "l-bfgs", "l_bfgs"] {
        assert_eq!(name.parse::<AnyOptimizer>().unwrap(), Lbfgs::default().into());
    }
    let text = serde_json::to_string(&AnyOptimizer::from(Lbfgs::default().memory(3))).unwrap();
    let read: AnyOptimizer = serde_json::from_str(&text).unwrap();
    assert_eq!(read.to_string(), "lbfgs(memory=3)");
}

#[test]
fn one_row_and_rows_that_say_the_same_are_no_trouble() {
    let x = concatenate![Axis(0), Array2::from_elem((1, 2), 0.5), Array2::from_elem((1, 2), 0.5)];
    let y = Array2::from_elem((2, 1), 1.0);
    for n in [1, 2] {
        let (x, y) = (x.slice(ndarray::s![..n, ..]), y.slice(ndarray::s![..n, ..]));
        let data = Data { training: Rows::new(x, y).unwrap(), validation: None };
        let mut run = Run::<f64>::new(plan(Lbfgs::default()), 2).unwrap();
        assert_eq!(run.advance(&data, Until::epochs(300)).unwrap(), Status::Finished);
        assert!(run.history().last("loss").unwrap().is_finite());
    }
    let classes = Plan {
        network: Sequential::new().add(Dense::new(2).activation(Softmax)),
        loss: SparseCategoricalCrossEntropy.into(),
        metrics: vec![Accuracy.into()],
        ..plan(Lbfgs::default())
    };
    let y = Array2::zeros((2, 1));
    let data = Data { training: Rows::new(x.view(), y.view()).unwrap(), validation: None };
    let mut run = Run::<f64>::new(classes, 2).unwrap();
    run.advance(&data, Until::epochs(300)).unwrap();
    assert!(run.history().last("accuracy") == Some(1.0));
}

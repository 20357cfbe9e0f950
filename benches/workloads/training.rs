//! W1 and W2: training, large and small.

use std::error::Error;
use std::time::Instant;

use linfa_mlp::Float;
use linfa_mlp::loss::{MeanSquaredError, SparseCategoricalCrossEntropy};
use linfa_mlp::network::{Dense, Relu, Sequential, Softmax};
use linfa_mlp::optimizer::Adam;
use linfa_mlp::train::{Model, Training};
use ndarray::Array2;

use crate::arguments::Arguments;
use crate::data::{self, CLASSES, COLUMNS, IMAGES, PIXELS, ROWS};
use crate::record::{Recorder, repeat};

/// Weights of W1's network, biases aside, and those of them whose layer passes a gradient on.
const WEIGHTS: usize = PIXELS * 128 + 2 * 128 * 128 + 128 * CLASSES;
const INNER: usize = 2 * 128 * 128 + 128 * CLASSES;
const TIMED_EPOCHS: usize = 3;

/// W1's and W4's model: 784-128-128-128-10.
pub fn large_model<F: Float>() -> linfa_mlp::Result<Model<F>> {
    let hidden = || Dense::new(128).activation(Relu);
    Sequential::new()
        .add(hidden())
        .add(hidden())
        .add(hidden())
        .add(Dense::new(CLASSES).activation(Softmax))
        .compile(PIXELS, Adam::new(1e-3).epsilon(1e-8), SparseCategoricalCrossEntropy, ())
}

/// The setting in which W1's and W4's model is trained.
pub fn large_training(epochs: usize) -> Training {
    Training::epochs(epochs).batch_size(200)
}

/// W2's and W5's model: 13-64-64-1.
pub fn small_model<F: Float>() -> linfa_mlp::Result<Model<F>> {
    let hidden = || Dense::new(64).activation(Relu);
    Sequential::new().add(hidden()).add(hidden()).add(Dense::new(1)).compile(
        COLUMNS,
        Adam::new(1e-3).epsilon(1e-8),
        MeanSquaredError,
        (),
    )
}

/// The same numbers in the precision that is measured.
fn of<F: Float>(values: Array2<f32>) -> Array2<F> {
    values.mapv(|value| F::of(f64::from(value)))
}

/// What lines are called: peers know the name in single precision.
fn named<F: Float>(name: &str) -> String {
    if size_of::<F>() == 8 { format!("{name}_f64") } else { name.into() }
}

/// W1: samples a second, and the share of the peak.
pub fn large<F: Float>(arguments: &Arguments, recorder: &mut Recorder) -> Result<(), Box<dyn Error>> {
    let rows = if arguments.quick { IMAGES / 20 } else { IMAGES };
    let (x, y) = data::mnist_shape(rows);
    let (x, y) = (of::<F>(x), of::<F>(y));
    let mut model = large_model::<F>()?;
    let start = Instant::now();
    model.fit(&x, &y, &large_training(1))?;
    let first = start.elapsed().as_secs_f64();
    let mut failed = None;
    let times = repeat(arguments, arguments.repeats, || {
        failed = failed.take().or(model.fit(&x, &y, &large_training(TIMED_EPOCHS)).err());
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    let rates: Vec<f64> = times.seconds.iter().map(|s| (rows * TIMED_EPOCHS) as f64 / s).collect();
    let nominal: Vec<f64> = rates.iter().map(|rate| rate * 6.0 * WEIGHTS as f64 / 1e9).collect();
    // Nobody asks for the gradient at the input of the first layer.
    let needed = (4 * WEIGHTS + 2 * INNER) as f64;
    let threads = arguments.threads as f64;
    let shares: Vec<f64> =
        rates.iter().zip(&times.peaks).map(|(rate, peak)| rate * needed / 1e7 / (peak * threads)).collect();
    let name = named::<F>("mnist_shape");
    recorder.emit(&name, "train_samples_per_s", "samples/s", &rates, times.other_cpu);
    recorder.emit(&name, "train_gflops", "GFLOP/s", &nominal, times.other_cpu);
    recorder.emit(&name, "share_of_peak", "%", &shares, times.other_cpu);
    if !times.round_trips.is_empty() {
        recorder.emit(&name, "core_round_trip_ns", "ns", &times.round_trips, None);
    }
    recorder.emit(&name, "first_epoch_s", "s", &[first], None);
    let losses = model.history().get("loss").unwrap_or_default();
    recorder.emit(&name, "epoch3_train_loss", "", &losses[2..3], None);
    Ok(())
}

/// W2: microseconds a step of a small network.
pub fn small<F: Float>(arguments: &Arguments, recorder: &mut Recorder) -> Result<(), Box<dyn Error>> {
    let (x, y) = data::tabular_small();
    let (x, y) = (of::<F>(x), of::<F>(y));
    let epochs = if arguments.quick { 5 } else { 100 };
    let training = Training::epochs(epochs).batch_size(arguments.batch);
    let steps = (epochs * ROWS.div_ceil(arguments.batch)) as f64;
    let fit = || -> linfa_mlp::Result<Model<F>> {
        let mut model = small_model::<F>()?;
        model.fit(&x, &y, &training)?;
        Ok(model)
    };
    let start = Instant::now();
    let model = fit()?;
    let first = start.elapsed().as_secs_f64();
    // Nothing is compiled, so that a new model costs what a second fit of an old one does.
    let times = repeat(arguments, arguments.repeats.max(5), || {
        fit().expect("it has been fitted before");
    });
    let name = if arguments.batch == 32 {
        named::<F>("tabular_small")
    } else {
        named::<F>(&format!("tabular_batch_{}", arguments.batch))
    };
    let micros: Vec<f64> = times.seconds.iter().map(|s| s / steps * 1e6).collect();
    recorder.emit(&name, "fit_s", "s", &times.seconds, times.other_cpu);
    recorder.emit(&name, "step_us", "us", &micros, times.other_cpu);
    recorder.emit(&name, "fit_new_model_s", "s", &times.seconds, times.other_cpu);
    recorder.emit(&name, "fit_first_s", "s", &[first], None);
    recorder.emit(&name, "final_train_mse", "", &[model.evaluate(&x, &y)?["loss"]], None);
    Ok(())
}

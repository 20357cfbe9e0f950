//! How time grows with rows, epochs, folds and candidates: the power of each that it is proportional to.
//!
//! 1 is linear. Each size is twice the one before, and each pair of neighbours has a power, `log₂` of how much longer the
//! larger one takes; the line says the middle one, the least and the most.

use std::error::Error;
use std::sync::Arc;

use linfa::Dataset;
use linfa_mlp::MlpRegressor;
use linfa_mlp::model_selection::{GridSearch, KFold, Scorer};
use linfa_mlp::optimizer::Adam;
use linfa_mlp::train::Training;
use ndarray::{Array2, Axis};

use crate::arguments::Arguments;
use crate::data::{self, COLUMNS, ROWS};
use crate::record::{Recorder, median, repeat};
use crate::training::small_model;

/// How often the smallest size doubles.
const DOUBLINGS: u32 = 4;

pub fn run(arguments: &Arguments, recorder: &mut Recorder) -> Result<(), Box<dyn Error>> {
    let (x, y) = data::tabular_small();
    let shrink = if arguments.quick { 10 } else { 1 };

    slope(arguments, recorder, "rows", |factor| {
        let rows = factor * 1600 / shrink;
        let x = Array2::from_shape_fn((rows, COLUMNS), |(row, column)| x[[row % ROWS, column]]);
        let y = Array2::from_shape_fn((rows, 1), |(row, _)| y[[row % ROWS, 0]]);
        Box::new(move || {
            let fitted = small_model::<f32>().and_then(|mut model| {
                model.fit(&x, &y, &Training::epochs(8).batch_size(32))?;
                Ok(())
            });
            fitted.expect("the model fits the rows");
        })
    });
    slope(arguments, recorder, "epochs", |factor| {
        let (x, y) = (x.clone(), y.clone());
        let training = Training::epochs((factor * 20 / shrink).max(1)).batch_size(32);
        Box::new(move || {
            let fitted = small_model::<f32>().and_then(|mut model| {
                model.fit(&x, &y, &training)?;
                Ok(())
            });
            fitted.expect("the model fits the rows");
        })
    });

    let data = Arc::new(Dataset::new(x.clone(), y.index_axis(Axis(1), 0).to_owned()));
    // k folds train on all rows k − 1 times.
    slope(arguments, recorder, "folds", |factor| search(arguments, &data, factor + 1, 1, 40 / shrink));
    slope(arguments, recorder, "candidates", |factor| search(arguments, &data, 2, factor, 40 / shrink));
    Ok(())
}

/// One line: the powers between the neighbours of a row of sizes.
fn slope(
    arguments: &Arguments,
    recorder: &mut Recorder,
    of: &str,
    mut task: impl FnMut(usize) -> Box<dyn FnMut()>,
) {
    let mut seconds = Vec::new();
    let mut others = None;
    for doubling in 0..=DOUBLINGS {
        let times = repeat(arguments, arguments.repeats, task(1 << doubling));
        others = [others, times.other_cpu].into_iter().flatten().reduce(f64::max);
        seconds.push(median(&times.seconds));
    }
    let powers: Vec<f64> = seconds.windows(2).map(|pair| (pair[1] / pair[0]).log2()).collect();
    recorder.emit("slopes", &format!("power_of_{of}"), "", &powers, others);
}

/// A search over learning rates, one fit after the other.
fn search(
    arguments: &Arguments,
    data: &Arc<Dataset<f32, f32, ndarray::Ix1>>,
    folds: usize,
    candidates: usize,
    epochs: usize,
) -> Box<dyn FnMut()> {
    let params = MlpRegressor::params().hidden_layer_sizes([64, 64]).epochs(epochs).batch_size(32);
    let rates: Vec<f64> = (1..=candidates).map(|i| 1e-3 * i as f64 / candidates as f64).collect();
    let threads = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build();
    let search = GridSearch::new(params)
        .axis("learning_rate", rates, |params, rate| params.optimizer(Adam::new(rate)))
        .cv(KFold::new(folds))
        .scorers([Scorer::neg_mean_squared_error()])
        .pool(Arc::new(threads.expect("the system has threads")))
        .refit(false);
    let data = data.clone();
    Box::new(move || drop(search.fit(&data).expect("the candidates fit the rows")))
}

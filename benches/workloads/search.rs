//! W3: a grid of 60 small fits.

use std::error::Error;
use std::sync::Arc;

use linfa::Dataset;
use linfa_mlp::MlpRegressor;
use linfa_mlp::model_selection::{GridSearch, KFold, Scorer};
use linfa_mlp::optimizer::{Adam, AnyOptimizer, RmsProp, Sgd};
use ndarray::Axis;

use crate::arguments::Arguments;
use crate::data;
use crate::load::peak_rss;
use crate::record::{Recorder, repeat};

/// Four structures, three optimizers, five folds, and the refit.
const FITS: f64 = 61.0;

pub fn grid(arguments: &Arguments, recorder: &mut Recorder) -> Result<(), Box<dyn Error>> {
    let (x, y) = data::tabular_small();
    let data = Dataset::new(x, y.index_axis_move(Axis(1), 0));
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build()?);
    let optimizers: [AnyOptimizer; 3] =
        [Sgd::new(1e-2).into(), RmsProp::new(1e-3).into(), Adam::new(1e-3).into()];
    let epochs = if arguments.quick { 5 } else { 100 };
    let search = GridSearch::new(MlpRegressor::params().alpha(0.0).epochs(epochs).batch_size(32))
        .axis("hidden", [vec![32], vec![64], vec![32, 32], vec![64, 64]], |params, sizes| {
            params.hidden_layer_sizes(sizes)
        })
        .axis("optimizer", optimizers, |params, optimizer| params.optimizer(optimizer))
        .cv(KFold::new(5))
        .scorers([Scorer::neg_mean_squared_error()])
        .pool(pool);
    let fitted = search.fit(&data)?;
    let times = repeat(arguments, arguments.repeats, || {
        search.fit(&data).expect("it has been searched before");
    });
    let name = "grid_search";
    let each: Vec<f64> = times.seconds.iter().map(|s| s / FITS).collect();
    recorder.emit(name, "wall_s", "s", &times.seconds, times.other_cpu);
    recorder.emit(name, "per_fit_s", "s", &each, times.other_cpu);
    recorder.emit(name, "best_cv_mse", "", &[-fitted.best_score().unwrap_or(f64::NAN)], None);
    if let Some(rss) = peak_rss() {
        recorder.emit(name, "peak_rss_sum_mib", "MiB", &[rss], None);
    }
    Ok(())
}

//! What a fit of either estimator does, once labels are numbers.

use linfa::DatasetBase;
use linfa::dataset::Records;
use ndarray::ArrayView1;

use super::hyperparams::MlpValidParams;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::history::StopReason;
use crate::train::{Data, Plan, Run, Until, check_any_weight, check_weights};

/// Why training ended: its epochs or a callback, or else the divergence or failure of a callback.
pub type Outcome = Result<StopReason>;

/// Trains a fresh run, or goes on with one, until the epochs of the params are done. The run is given back however that
/// ends, with the reason.
///
/// The data hold validation rows of their own, or else the params say which of the training rows become that.
///
/// # Errors
///
/// What is seen before the first step: settings, shapes and values; [`Error::Mismatch`] for a run of another network, loss or
/// optimizer.
pub(super) fn fit_run<F: Float, K>(
    params: &MlpValidParams<K>,
    plan: impl Fn(usize) -> Plan,
    run: Option<Run<F>>,
    data: Data<'_, F>,
) -> Result<(Run<F>, Outcome)> {
    let data = data.validated_by(&params.settings.validation, params.settings.seed)?;
    let plan = plan(data.training.len());
    let mut run = match run {
        None => Run::new(plan, data.training.n_features())?,
        Some(mut run) => {
            check_same(run.plan(), &plan)?;
            run.renew(plan);
            run
        }
    };
    match run.advance(&data, Until::epochs(params.epochs())) {
        Ok(_) => {
            let reason = run.history().stop_reason().cloned().unwrap_or(StopReason::Completed);
            Ok((run, Ok(reason)))
        }
        // Only these come from training itself; whatever else is wrong has been seen before it.
        Err(error @ (Error::Diverged { .. } | Error::Callback { .. })) => Ok((run, Err(error))),
        Err(error) => Err(error),
    }
}

/// The sample weights of a data set, in whatever layout they are.
pub(super) fn sample_weights<R: Records, T>(dataset: &DatasetBase<R, T>) -> Option<ArrayView1<'_, f32>> {
    (!dataset.weights.is_empty()).then(|| dataset.weights.view())
}

/// The weights of the rows to be scored: 1 where the data set has none.
///
/// # Errors
///
/// [`Error::NoRows`] without rows; [`Error::RowCount`] and [`Error::Parameter`] for weights that do not fit them.
pub(super) fn score_weights<R: Records, T>(dataset: &DatasetBase<R, T>) -> Result<Option<Vec<f64>>> {
    let n_samples = dataset.records().nsamples();
    if n_samples == 0 {
        return Err(Error::NoRows { array: "x" });
    }
    let Some(weights) = sample_weights(dataset) else { return Ok(None) };
    check_weights(weights, n_samples)?;
    check_any_weight(weights.iter().any(|weight| *weight > 0.0))?;
    Ok(Some(weights.iter().map(|&weight| f64::from(weight)).collect()))
}

/// What a run's state is made for cannot change under it.
fn check_same(trained: &Plan, asked: &Plan) -> Result<()> {
    let differ = |what, trained: String, found: String| Err(Error::Mismatch { what, trained, found });
    if trained.network != asked.network {
        let layers = |plan: &Plan| {
            plan.network.layers().iter().map(ToString::to_string).collect::<Vec<_>>().join(" – ")
        };
        return differ("the network", layers(trained), layers(asked));
    }
    if trained.loss != asked.loss {
        return differ("the loss", trained.loss.to_string(), asked.loss.to_string());
    }
    if trained.optimizer != asked.optimizer {
        return differ("the optimizer", trained.optimizer.to_string(), asked.optimizer.to_string());
    }
    Ok(())
}

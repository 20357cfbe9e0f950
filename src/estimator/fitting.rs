//! What a fit of either estimator does, once labels are numbers.

use linfa::DatasetBase;
use linfa::dataset::Records;
use ndarray::{ArrayBase, ArrayView1, ArrayView2, Data as ArrayData, Ix2};

use super::hyperparams::{DEFAULT_BATCH_SIZE, MlpValidParams};
use crate::error::{Error, Result, check};
use crate::float::Float;
use crate::history::StopReason;
use crate::train::{Data, Plan, Rows, Run, Until, check_any_weight, check_weights, reads_all_rows};

/// Why training ended: its epochs or a callback, or else the divergence or failure of a callback.
pub type Outcome = Result<StopReason>;

/// Trains a fresh run, or goes on with one, until the epochs of the params are done. The run is given back however that
/// ends, with the reason.
///
/// The data hold validation rows of their own, or else the params say which of the training rows become that. Those that are
/// left are weighed by their classes, where the task has any.
///
/// # Errors
///
/// What is seen before the first step: settings, shapes and values; [`Error::Mismatch`] for a run of another network, loss or
/// optimizer.
pub(super) fn fit_run<'a, F: Float, K>(
    params: &MlpValidParams<K>,
    plan: impl Fn(usize) -> Plan,
    run: Option<Run<F>>,
    data: Data<'a, F>,
    weigh: impl FnOnce(Rows<'a, F>) -> Result<Rows<'a, F>>,
) -> Result<(Run<F>, Outcome)> {
    let mut data = data.validated_by(&params.settings.validation, params.settings.seed)?;
    data.training = weigh(data.training)?;
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
        // Only these come from training itself; whatever else is wrong has been seen before it. Of a source nothing has.
        Err(error @ (Error::Diverged { .. } | Error::Callback { .. } | Error::RowSource { .. })) => {
            Ok((run, Err(error)))
        }
        Err(error) if data.training.source().is_some() => Ok((run, Err(error))),
        Err(error) => Err(error),
    }
}

/// Makes one pass over some rows, in their order, with a fresh run or one that is on its way.
///
/// # Errors
///
/// As [`fit_run`], and [`Error::Parameter`] when the params hold rows out.
pub(super) fn pass_over<F: Float, K>(
    params: &MlpValidParams<K>,
    plan: Plan,
    run: Option<Run<F>>,
    data: &Data<'_, F>,
) -> Result<Run<F>> {
    let validation = &params.settings.validation;
    let none = data.validation.is_none() && validation.is_none();
    check("validation", validation, none, "none where chunks are learned from")?;
    let name = plan.optimizer.name();
    check("optimizer", name, !reads_all_rows(&plan.optimizer), "one that learns batch by batch from chunks")?;
    // Chunks may differ in length: the batch size must not follow them.
    let batch_size = params.settings.batch_size.unwrap_or(DEFAULT_BATCH_SIZE);
    let plan = Plan { shuffle: false, batch_size, ..plan };
    let mut run = match run {
        None => Run::new(plan, data.training.n_features())?,
        Some(run) if *run.plan() == plan => run,
        Some(mut run) => {
            check_same(run.plan(), &plan)?;
            run.renew(plan);
            run
        }
    };
    let goal = run.epochs() + 1;
    run.advance(data, Until::epochs(goal))?;
    Ok(run)
}

/// The views of a data set: records, targets and, where there are any, sample weights.
#[derive(Debug)]
pub(super) struct Views<'a, F, Y> {
    pub(super) x: ArrayView2<'a, F>,
    pub(super) y: Y,
    weights: Option<ArrayView1<'a, f32>>,
}

impl<'a, F: Float, Y> Views<'a, F, Y> {
    /// Those of a data set, whose targets are given apart: what they are viewed as depends on the task.
    pub(super) fn of<D: ArrayData<Elem = F>, T>(
        dataset: &'a DatasetBase<ArrayBase<D, Ix2>, T>,
        y: Y,
    ) -> Self {
        Views { x: dataset.records().view(), y, weights: sample_weights(dataset) }
    }

    /// The rows, with their targets as numbers.
    pub(super) fn rows<'b>(&'b self, y: ArrayView2<'b, F>) -> Result<Rows<'b, F>> {
        let rows = Rows::new(self.x.view(), y)?;
        match &self.weights {
            Some(weights) => rows.with_weights(weights.view()),
            None => Ok(rows),
        }
    }
}

/// The error of validation rows, whose arrays have the names of those to train on.
pub(super) fn of_validation(error: Error) -> Error {
    let named = |array: &'static str| match array {
        "x" => "x of the validation rows",
        "y" => "y of the validation rows",
        "sample weights" => "sample weights of the validation rows",
        other => other,
    };
    match error {
        Error::NoRows { array } => Error::NoRows { array: named(array) },
        Error::NoColumns { array } => Error::NoColumns { array: named(array) },
        Error::NotFinite { array, row, column, value } => {
            Error::NotFinite { array: named(array), row, column, value }
        }
        Error::RowCount { array, expected, found } => {
            Error::RowCount { array: named(array), expected, found }
        }
        other => other,
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

//! A fit inside a search: it hears when to stop, reports its epochs, and may go on from rung to rung.

use super::hyperparams::MlpValidParams;
use crate::callback::AnyCallback;
use crate::error::{Error, Result, check};
use crate::float::Float;
use crate::history::StopReason;
use crate::model_selection::{Curve, DataView, FitContext, FitReport, Goal, Progress, Target};
use crate::train::{Data, Plan, Run, Status, Until, Validation, Watch};

impl<K: Clone> MlpValidParams<K> {
    /// The params with the seed and the epochs that the search asks for.
    pub(super) fn in_search(&self, context: &FitContext<'_>) -> Self {
        let mut params = self.clone();
        let settings = &mut params.settings;
        settings.seed = context.seed(settings.seed);
        if let Some(epochs) = context.epochs() {
            settings.epochs = epochs;
            settings.validation = Validation::none();
            settings.callbacks.retain(|callback| !watches_validation(callback));
        }
        params
    }

    /// Whether the search may choose the validation rows.
    pub(super) fn check_free_of_validation(&self) -> Result<()> {
        let (own, allowed) = (&self.settings.validation, "none where the search keeps stopping rows");
        check("validation", own, own.is_none(), allowed)
    }

    /// Whether fits know which of their epochs is best.
    pub(super) fn check_validated(&self, stopping_rows: bool) -> Result<()> {
        let allowed = "unset where fits have no validation rows, of stopping_rows or their own";
        check("refit_epochs", "set", stopping_rows || !self.settings.validation.is_none(), allowed)
    }

    /// The batches of an epoch over these rows, of which some may be held out.
    fn batches(&self, n_rows: usize, n_weighted: usize) -> u64 {
        let n = n_rows - self.settings.validation.held_out(n_rows).unwrap_or(0);
        n_weighted.min(n).div_ceil(self.rows_of_batch(n)) as u64
    }

    /// The updates of a fit on these rows, up to a goal or to the last epoch.
    pub(super) fn updates_of<F: Float, Y: Target, I: linfa::dataset::TargetDim>(
        &self,
        data: &DataView<'_, F, Y, I>,
        rows: &[usize],
        goal: Option<Goal>,
    ) -> u64 {
        let is_weighted = |row: usize| data.weights().is_none_or(|weights| weights[row] > 0.0);
        let n_weighted = rows.iter().filter(|row| is_weighted(**row)).count();
        let batches = self.batches(rows.len(), n_weighted);
        match goal {
            Some(Goal::Updates { now, .. }) => now,
            Some(Goal::Epochs { now, .. }) => batches.saturating_mul(now as u64),
            None => batches.saturating_mul(self.epochs() as u64),
        }
    }

    /// A run before its first step.
    pub(super) fn begin<F: Float>(&self, plan: impl Fn(usize) -> Plan, data: &Data<'_, F>) -> Result<Run<F>> {
        Run::new(plan(data.training.len()), data.training.n_features())
    }

    /// The data as the params divide them.
    pub(super) fn divided<'a, F: Float>(&self, data: Data<'a, F>) -> Result<Data<'a, F>> {
        data.validated_by(&self.settings.validation, self.settings.seed)
    }
}

fn watches_validation(callback: &AnyCallback) -> bool {
    callback.ops::<f64>().monitor().is_some_and(|monitor| monitor.name().starts_with("val_"))
}

/// How far a run shall go for a goal.
pub(super) fn until<F: Float>(run: &Run<F>, data: &Data<'_, F>, goal: Goal) -> Until {
    let batches = run.plan().batches(data.training.n_weighted()).max(1) as u64;
    match goal {
        Goal::Epochs { now, of } if now >= of => Until::epochs(of),
        Goal::Epochs { now, of } => Until::epochs(of).steps(batches.saturating_mul(now as u64)),
        // A goal in the middle of an epoch is reached there; at the end of one, that epoch is finished.
        Goal::Updates { now, of } => Until::epochs(of.div_ceil(batches) as usize).steps(now),
    }
}

/// The search's view of a run.
struct InSearch<'a>(&'a FitContext<'a>);

impl Watch for InSearch<'_> {
    fn wants_pause(&self) -> bool {
        self.0.should_stop()
    }

    fn epoch_ended(&self, epoch: usize, epochs: usize, loss: f64) {
        self.0.report(Progress { done: epoch, of: epochs, loss });
    }
}

/// Advances a run, and records what came of it.
///
/// # Errors
///
/// As [`Run::advance`]; [`Error::Diverged`] also where a callback took a divergence for the end, because such a model is
/// nobody's best.
pub(super) fn advance<F: Float>(
    run: &mut Run<F>,
    data: &Data<'_, F>,
    until: Until,
    context: &FitContext<'_>,
) -> Result<()> {
    let outcome = run.advance_watched(data, until, &InSearch(context));
    let is_short = until.steps.is_none_or(|steps| run.steps() < steps);
    context.record(report(run, matches!(outcome, Ok(Status::Paused)) && is_short));
    outcome?;
    if let Some(&StopReason::Diverged { epoch, batch }) = run.history().stop_reason() {
        return Err(Error::Diverged { epoch, batch, loss: f64::NAN, learning_rate: run.learning_rate() });
    }
    Ok(())
}

fn report<F: Float>(run: &Run<F>, stopped: bool) -> FitReport {
    let history = run.history();
    let columns = history.names().iter().filter_map(|name| Some((name.as_str(), history.get(name)?)));
    FitReport {
        epochs: Some(run.epochs()),
        best_epoch: run.best_epoch(),
        updates: Some(run.steps()),
        n_params: Some(run.network().count_params()),
        curve: Some(columns.fold(Curve::new(), |curve, (name, values)| curve.with(name, values))),
        stopped,
    }
}

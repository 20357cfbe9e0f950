//! The refit: a candidate, behind its preparation, on all rows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use linfa::Float;
use linfa::dataset::TargetDim;
use ndarray::Array;

use crate::model_selection::engine::guarded::guarded;
use crate::model_selection::engine::protocol::Protocol;
use crate::model_selection::engine::stop::Stop;
use crate::model_selection::engine::trainer::{AnyError, SharedError, Trainer};
use crate::model_selection::fit::continue_rows::Goal;
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::fit_rows::FitContext;
use crate::model_selection::fit::pipeline::Pipeline;
use crate::model_selection::fit::target::{Classes, Target};
use crate::model_selection::observer::Task;
use crate::model_selection::results::Params;

type Refitted<M, F, Y, I> = Pipeline<M, F, Array<Y, I>>;

/// How long the refit is.
pub(super) struct Length {
    /// That of the last rung.
    pub goal: Option<Goal>,
    /// That of the folds.
    pub epochs: Option<usize>,
}

/// Fits a candidate, behind its preparation, on all rows.
pub(super) fn fit_all<T, P, F, Y, I>(
    trainer: &T,
    (index, estimator, params): (usize, &P, &Params),
    length: Length,
    data: &DataView<'_, F, Y, I>,
    classes: Option<&Classes>,
    protocol: &Protocol<F, Y>,
) -> Result<Refitted<T::Model, F, Y, I>, SharedError>
where
    T: Trainer<P, F, Y, I>,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    let rows = protocol.refit_rows(data.n_samples(), classes, length.epochs.is_none());
    let all = rows.map_err(|error| SharedError::from(AnyError::from(error)))?;
    // A search that was told to end still gives a model; told so later, the refit ends too.
    let (flag, report) = (AtomicBool::new(false), Mutex::default());
    let stopped = protocol.stop.load(Ordering::Relaxed);
    let context = FitContext {
        task: Task::new(index, None),
        stop: &Stop::new(if stopped { &flag } else { &protocol.stop }, None),
        observer: &protocol.observers,
        report: &report,
        validation: &all.stopping,
        epochs: length.epochs,
    };
    let fitted = guarded("refit", || {
        let preparation = protocol.preparation.chosen_by(params);
        let fold = trainer.open(&data.reborrow(), &all, &preparation)?;
        let model = trainer.fit(estimator, &fold, length.goal, &mut None, &context)?;
        let (steps, scaling) = T::prepared(&fold);
        Ok::<_, AnyError>(Pipeline::new(steps, scaling, model, data.n_outputs()))
    });
    fitted.map_err(Arc::from)
}

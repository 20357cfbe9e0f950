//! The fits of a rung as an executor sees them.

use std::sync::Arc;

use linfa::Float;
use linfa::dataset::TargetDim;

use super::Evaluation;
use super::fitting::Ready;
use super::past::of_task;
use crate::error::{Error, Result};
use crate::model_selection::engine::fold_rows::FoldRows;
use crate::model_selection::engine::guarded::locked;
use crate::model_selection::engine::rung::Rung;
use crate::model_selection::engine::trainer::{AnyError, Trainer};
use crate::model_selection::executor::{FoldTasks, OpenFold, Work};
use crate::model_selection::fit::target::Target;
use crate::model_selection::journal::TaskKey;
use crate::model_selection::observer::{SearchObserver, Task};
use crate::model_selection::results::{FitRow, FitStatus, Params};

/// The fits of a rung that are to run.
pub(super) struct RungWork<'e, 'a, T, P, F, Y, I>
where
    T: Trainer<P, F, Y, I> + 'a,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    pub evaluation: &'e Evaluation<'a, T, P, F, Y, I>,
    pub rung: &'e Rung<'a>,
    pub folds: Vec<FoldTasks>,
}

impl<'a, T, P, F, Y, I> Work for RungWork<'_, 'a, T, P, F, Y, I>
where
    T: Trainer<P, F, Y, I>,
    P: Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    fn folds(&self) -> Vec<FoldTasks> {
        self.folds.clone()
    }

    fn open<'o>(&'o self, fold: &FoldTasks) -> Box<dyn OpenFold + 'o> {
        let rows = &self.rung.folds[fold.fold];
        let is_open = |(first, prefix, _): &mut (&FoldRows<'_>, usize, _)| {
            std::ptr::eq(*first, rows) && *prefix == fold.prefix
        };
        let first = locked(&self.evaluation.first).take_if(is_open);
        let ready = match first {
            Some((.., ready)) => Some(Ok(ready)),
            // Nothing is prepared for fits that shall not start.
            None if self.evaluation.limits.stop.is_due() => None,
            None => Some(self.evaluation.ready(rows, fold.prefix).map_err(Arc::new)),
        };
        Box::new(Opened { work: self, ready })
    }

    fn key(&self, task: Task) -> Option<TaskKey> {
        let past = self.evaluation.past.filter(|past| task.candidate < past.contents.len())?;
        Some(self.evaluation.key(self.rung, task, past))
    }

    fn params(&self, task: Task) -> Params {
        let content = self.evaluation.past.and_then(|past| past.contents.get(task.candidate));
        content.map_or_else(Params::default, |content| content.params.clone())
    }

    fn restore(&self, task: Task, row: FitRow) -> Option<FitRow> {
        let blank = self.evaluation.row(self.rung, task);
        self.evaluation.could_be(&blank, &row).then(|| of_task(task, row))
    }

    fn given_up(&self, task: Task, message: String) -> FitRow {
        FitRow { status: FitStatus::Failed { message }, ..self.evaluation.row(self.rung, task) }
    }

    fn counts(&self, row: &FitRow) -> bool {
        self.evaluation.counts(row)
    }

    fn is_stopped(&self) -> bool {
        self.evaluation.limits.stop.is_due()
    }
}

struct Opened<'o, 'e, 'a, T, P, F, Y, I>
where
    T: Trainer<P, F, Y, I> + 'a,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    work: &'o RungWork<'e, 'a, T, P, F, Y, I>,
    ready: Option<Result<Ready<T::Fold<'a>, Y, I>, Arc<Error>>>,
}

impl<'a, T, P, F, Y, I> OpenFold for Opened<'_, '_, 'a, T, P, F, Y, I>
where
    T: Trainer<P, F, Y, I>,
    P: Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    fn fit(&self, task: Task) -> FitRow {
        let RungWork { evaluation, rung, .. } = self.work;
        let mut row = evaluation.row(rung, task);
        if evaluation.past.is_some_and(|past| past.store.is_broken()) {
            // The search ends with the journal's error, and nobody sees this row.
            row.status = FitStatus::Stopped { message: "the journal cannot be written".into() };
            return row;
        }
        let ready = match (&self.ready, evaluation.limits.stop.reason()) {
            (Some(ready), None) => ready,
            (_, reason) => {
                let reason = reason.unwrap_or_else(|| "the search was to stop".into());
                row.status = FitStatus::Stopped { message: format!("{reason} before the fit started") };
                return row;
            }
        };
        evaluation.protocol.observers.fit_started(task);
        let outcome = match ready {
            Ok(ready) => {
                let fitted = evaluation.fit_into(&mut row, rung, ready);
                fitted.map(|fitted| evaluation.keep(task, ready, fitted))
            }
            Err(error) => Err(AnyError::from(Arc::clone(error))),
        };
        if let Err(error) = outcome {
            row.status = match ready {
                Err(shared) => FitStatus::of_error(&**shared),
                Ok(_) => FitStatus::of_error(&*error),
            };
            evaluation.failed(task, error);
        }
        row
    }
}

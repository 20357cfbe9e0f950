//! The engine: every candidate of a rung fitted and scored in every fold, whatever the estimator and wherever fits run.

mod fitting;
mod past;
mod work;

pub(crate) use fitting::{Keep, Kept};
pub(crate) use past::Past;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use linfa::Float;
use linfa::dataset::TargetDim;

use crate::error::{Error, Result, check};
use crate::model_selection::engine::fold_rows::FoldRows;
use crate::model_selection::engine::guarded::locked;
use crate::model_selection::engine::limits::Limits;
use crate::model_selection::engine::protocol::Protocol;
use crate::model_selection::engine::rung::Rung;
use crate::model_selection::engine::trainer::{AnyError, Trainer};
use crate::model_selection::executor::{Executor, FoldTasks};
use crate::model_selection::fit::continue_rows::Goal;
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::target::Target;
use crate::model_selection::journal::Digest;
use crate::model_selection::observer::{SearchObserver, Task};
use crate::model_selection::preparation::Prefixes;
use crate::model_selection::results::{FitRow, FitStatus};
use crate::model_selection::scorer::Scorer;
use fitting::Ready;
use work::RungWork;

/// The candidates, the data and the rules of one evaluation.
pub(crate) struct Evaluation<'a, T, P, F, Y, I>
where
    T: Trainer<P, F, Y, I> + 'a,
    F: Float,
    Y: Target + 'a,
    I: TargetDim + 'static,
{
    trainer: &'a T,
    candidates: &'a [P],
    data: DataView<'a, F, Y, I>,
    protocol: &'a Protocol<F, Y>,
    scorers: &'a [Scorer<Y>],
    limits: &'a Limits<'a>,
    prefixes: Prefixes<F>,
    /// A fold that was opened early, to check the candidates against it.
    first: Mutex<Option<(&'a FoldRows<'a>, usize, Ready<T::Fold<'a>, Y, I>)>>,
    /// The failure of the first task that failed, in the order of tasks.
    failure: Mutex<Option<(Task, AnyError)>>,
    /// What fits left for the next rung, by candidate, fold and replicate, and how far they have come: another process may have
    /// gone on with one.
    states: Mutex<BTreeMap<(usize, usize, usize), (Option<Goal>, T::State)>>,
    /// What the first fold looks like behind each prefix of the preprocessing, once it has been opened.
    digests: Mutex<BTreeMap<usize, Digest>>,
    past: Option<Past<'a>>,
    keep: Option<&'a Keep<'a, T::Model, F, Y, I>>,
}

impl<'a, T, P, F, Y, I> Evaluation<'a, T, P, F, Y, I>
where
    T: Trainer<P, F, Y, I>,
    P: Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    pub(crate) fn new(
        trainer: &'a T,
        candidates: &'a [P],
        data: DataView<'a, F, Y, I>,
        protocol: &'a Protocol<F, Y>,
        scorers: &'a [Scorer<Y>],
        limits: &'a Limits<'a>,
        prefixes: Prefixes<F>,
    ) -> Self {
        Evaluation {
            prefixes,
            trainer,
            candidates,
            data,
            protocol,
            scorers,
            limits,
            first: Mutex::new(None),
            failure: Mutex::new(None),
            states: Mutex::default(),
            digests: Mutex::default(),
            past: None,
            keep: None,
        }
    }

    /// Hands over the model and the predictions of every fold.
    pub(crate) fn keeping(self, keep: Option<&'a Keep<'a, T::Model, F, Y, I>>) -> Self {
        Evaluation { keep, ..self }
    }

    /// Checks every candidate against the training rows of every fold, of all rungs. The first fold is opened for it and
    /// kept.
    ///
    /// `name` turns a candidate's error into one that names it.
    pub(crate) fn check(
        &self,
        folds: &[&'a [FoldRows<'a>]],
        name: impl Fn(usize, Error) -> Error,
    ) -> Result<()> {
        let Some(first) = folds.first().and_then(|folds| folds.first()) else { return Ok(()) };
        // The first candidate that cannot run is named, whichever preprocessing it has chosen.
        let mut refused: Option<(usize, Error)> = None;
        for prefix in (0..self.prefixes.len()).rev() {
            let ready = self.ready(first, prefix)?;
            let candidates = self.candidates.iter().enumerate();
            for (index, candidate) in candidates.filter(|(index, _)| self.prefixes.place(*index) == prefix) {
                let mut rows = folds.iter().copied().flatten();
                if let Err(error) = rows.try_for_each(|rows| self.check_candidate(candidate, &ready, rows)) {
                    refused = Some(refused.filter(|(other, _)| *other < index).unwrap_or((index, error)));
                    break;
                }
            }
            self.take_digest(prefix, &ready);
            *locked(&self.first) = Some((first, prefix, ready));
        }
        refused.map_or(Ok(()), |(index, error)| Err(name(index, error)))
    }

    fn check_candidate(
        &self,
        candidate: &P,
        ready: &Ready<T::Fold<'a>, Y, I>,
        rows: &FoldRows<'_>,
    ) -> Result<()> {
        let (trainer, protocol) = (self.trainer, self.protocol);
        trainer.check(candidate, &ready.fold, rows)?;
        let allowed = "1 for an estimator without a seed";
        let replicates = protocol.replicates;
        check("replicates", replicates, replicates == 1 || trainer.seed(candidate).is_some(), allowed)?;
        let planned = || trainer.planned_updates(candidate, &self.data, &rows.train, None).is_some();
        let allowed = "unset for an estimator that cannot say how many updates it makes";
        check("budget: updates", "set", !self.limits.budget.counts_updates() || planned(), allowed)?;
        let reader = self.scorers.iter().find(|scorer| scorer.reads_probabilities());
        match reader.filter(|_| !trainer.has_probabilities(candidate)) {
            Some(scorer) => {
                let allowed = "a scorer of predictions, because the estimator gives no probabilities";
                Err(Error::parameter("scorers", scorer.name(), allowed))
            }
            None => Ok(()),
        }
    }

    /// The fits of a rung, in the order of candidates, folds and replicates.
    fn tasks(&self, rung: &Rung<'a>) -> impl Iterator<Item = Task> {
        let (number, folds, replicates) = (rung.number, rung.folds.len(), self.protocol.replicates);
        let of_fold = move |candidate, fold| {
            (0..replicates).map(move |replicate| Task {
                rung: number,
                replicate,
                ..Task::new(candidate, Some(fold))
            })
        };
        let of_candidate = move |candidate| (0..folds).flat_map(move |fold| of_fold(candidate, fold));
        rung.candidates.clone().into_iter().flat_map(of_candidate)
    }

    /// Runs the fits of a rung that no store has. The rows of all come back in the order of candidates, folds and
    /// replicates.
    ///
    /// # Errors
    ///
    /// What the executor reports, and what is wrong with the store.
    pub(crate) fn run(&self, rung: &Rung<'a>, executor: &dyn Executor) -> Result<Vec<FitRow>> {
        let (folds, known) = self.plan(rung)?;
        if folds.first().is_none_or(|tasks| tasks.fold > 0) {
            // Nobody will ask for the first fold.
            locked(&self.first).take();
        }
        let work = RungWork { evaluation: self, rung, folds };
        let rows = Mutex::new(known);
        executor.execute(&work, &|row| {
            self.write_down(rung, &row);
            self.protocol.observers.fit_finished(&row);
            locked(&rows).push(row);
        })?;
        self.past.map_or(Ok(()), |past| past.store.finish())?;
        let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
        rows.sort_by_key(FitRow::task);
        Ok(rows)
    }

    /// The tasks of a rung that are to run, by fold, and the rows of those that are not: because the store has them, because the
    /// budget does not allow them, or because they are another shard's. A fit that is restored is paid for like any other, so that a search started
    /// again does what it would have done.
    fn plan(&self, rung: &Rung<'a>) -> Result<(Vec<FoldTasks>, Vec<FitRow>)> {
        let prefixes = self.prefixes.len();
        let of_fold = |fold| (0..prefixes).map(move |prefix| FoldTasks { fold, prefix, tasks: Vec::new() });
        let mut folds: Vec<FoldTasks> = (0..rung.folds.len()).flat_map(of_fold).collect();
        let mut known = Vec::new();
        let mut spent = locked(&self.limits.spent);
        let budget = &self.limits.budget;
        for (place, task) in self.tasks(rung).enumerate() {
            let fold = task.fold.unwrap_or(0);
            if let Err(message) = budget.take(&mut spent, self.planned_updates(rung, task.candidate, fold)) {
                let status = FitStatus::Stopped { message };
                known.push(FitRow { status, ..self.row(rung, task) });
            } else if let Some(row) = self.found(rung, task)? {
                self.protocol.observers.fit_restored(&row);
                known.push(row);
            } else if let Some(message) = self.protocol.shard.and_then(|shard| shard.leaves(place)) {
                known.push(FitRow { status: FitStatus::Stopped { message }, ..self.row(rung, task) });
            } else {
                folds[fold * prefixes + self.prefixes.place(task.candidate)].tasks.push(task);
            }
        }
        folds.retain(|fold| !fold.tasks.is_empty());
        Ok((folds, known))
    }

    /// The updates that a fit adds in a rung, where the budget counts them.
    fn planned_updates(&self, rung: &Rung<'a>, candidate: usize, fold: usize) -> u64 {
        if !self.limits.budget.counts_updates() {
            return 0;
        }
        let planned = |goal| {
            let rows = &rung.folds[fold].train;
            self.trainer.planned_updates(&self.candidates[candidate], &self.data, rows, goal).unwrap_or(0)
        };
        let before = rung.from.map_or(0, |goal| planned(Some(goal)));
        planned(rung.goal).saturating_sub(before)
    }

    /// A row before its fit.
    fn row(&self, rung: &Rung<'a>, task: Task) -> FitRow {
        let rows = &rung.folds[task.fold.unwrap_or(0)];
        let mut row = FitRow::started(task, rows.train.len(), rows.test.len(), self.scorers.len());
        row.stopping_rows = rows.stopping.len();
        row.resource = rung.resource;
        row
    }

    /// An error when every fit of these rows failed.
    ///
    /// # Errors
    ///
    /// [`Error::AllFitsFailed`] with the first task's cause.
    pub(crate) fn check_any_fit(&self, rows: &[FitRow]) -> Result<()> {
        if rows.iter().any(|row| row.status.is_fitted() || row.status.is_stopped()) {
            return Ok(());
        }
        let first = rows.first().map(FitRow::task);
        let failure = locked(&self.failure).take().filter(|(task, _)| Some(*task) == first);
        let source = failure.map(|(_, error)| error).unwrap_or_else(|| {
            // Rows of another process, and of a journal, carry only the message.
            rows.first().and_then(|row| row.status.message()).unwrap_or("no fit was run").into()
        });
        Err(Error::AllFitsFailed { fits: rows.len(), source })
    }

    fn failed(&self, task: Task, error: AnyError) {
        let mut failure = locked(&self.failure);
        if failure.as_ref().is_none_or(|(first, _)| task < *first) {
            *failure = Some((task, error));
        }
    }
}

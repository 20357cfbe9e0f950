//! The engine: every candidate fitted and scored in every fold, whatever the estimator and wherever the fits run.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use linfa::Float;
use linfa::dataset::TargetDim;
use ndarray::Array;

use super::data_view::{DataView, columns};
use super::executor::{Executor, FoldTasks, OpenFold, Work};
use super::fit_rows::FitContext;
use super::journal::{Content, Digester, Journal, Ledger, Study};
use super::observer::{SearchObserver, Task};
use super::pipeline::Pipeline;
use super::preparation::Preparation;
use super::results::{FitRow, FitStatus};
use super::scorer::{Estimate, Scorer, same_shape};
use super::split::Split;
use super::target::Target;
use super::trainer::{AnyError, Part, Trainer};
use crate::error::{Error, Result};

/// The candidates, the data and the rules of one evaluation.
pub(crate) struct Evaluation<'a, T, P, F, Y, I>
where
    T: Trainer<P, F, Y, I> + 'a,
    F: Float,
    Y: Target + 'a,
    I: TargetDim + 'static,
{
    pub trainer: &'a T,
    pub candidates: &'a [P],
    pub data: DataView<'a, F, Y, I>,
    pub splits: &'a [Split],
    pub preparation: &'a Preparation<F>,
    pub scorers: &'a [Scorer<Y>],
    pub train_scores: bool,
    pub observer: &'a dyn SearchObserver,
    pub stop: &'a AtomicBool,
    /// The first fold, opened early to check the candidates against it.
    pub first: Mutex<Option<Ready<T::Fold<'a>, Y, I>>>,
    /// The failure of the first task, in the order of candidates and folds, that failed.
    pub failure: Mutex<Option<((usize, usize), AnyError)>>,
    /// The journal, when there is one.
    pub past: Option<Past>,
}

/// What was done before, and where the rest is written down.
pub(crate) struct Past {
    ledger: Ledger,
    /// The rows of fits that were finished, in the order of candidates and folds.
    rows: Vec<FitRow>,
}

/// What a fold's candidates share: the trainer's part, and what predictions are scored against.
pub(crate) struct Ready<D, Y, I: TargetDim> {
    fold: D,
    test: Truth<Y, I>,
    train: Option<Truth<Y, I>>,
}

struct Truth<Y, I: TargetDim> {
    targets: Array<Y, I>,
    weights: Option<Vec<f32>>,
}

/// The lock's value. A panic while it was held cannot have left it half-written: it is set in one assignment.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs foreign code; its panic becomes an error.
pub(crate) fn guarded<R, E: From<Error>>(
    what: &'static str,
    run: impl FnOnce() -> Result<R, E>,
) -> Result<R, E> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
        let message = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Error::Panicked { what, message: message.unwrap_or_else(|| "without a message".into()) }.into())
    })
}

impl<'a, T, P, F, Y, I> Evaluation<'a, T, P, F, Y, I>
where
    T: Trainer<P, F, Y, I>,
    P: Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    /// Checks every candidate against every fold's training rows. The first fold is opened for it and kept.
    ///
    /// `name` turns a candidate's error into one that names it.
    pub(crate) fn check(&self, name: impl Fn(usize, Error) -> Error) -> Result<()> {
        let ready = self.ready(0)?;
        for (index, candidate) in self.candidates.iter().enumerate() {
            for split in self.splits {
                self.trainer
                    .check(candidate, &ready.fold, &split.train)
                    .map_err(|error| name(index, error))?;
            }
            let reader = self.scorers.iter().find(|scorer| scorer.reads_probabilities());
            if let Some(scorer) = reader.filter(|_| !self.trainer.has_probabilities(candidate)) {
                let allowed = "a scorer of predictions, because the estimator gives no probabilities";
                return Err(name(index, Error::parameter("scorers", scorer.name(), allowed)));
            }
        }
        *locked(&self.first) = Some(ready);
        Ok(())
    }

    /// Opens the journal of this evaluation, whose candidates have been checked, and takes the rows that it has.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the journal, or that it is one of another study.
    pub(crate) fn resume(&mut self, journal: &Journal, contents: Vec<Content>) -> Result<()> {
        let study = self.study(journal)?;
        let ledger = Ledger::open(journal, &study, contents)?;
        let mut rows = Vec::new();
        for candidate in 0..self.candidates.len() {
            for (fold, split) in self.splits.iter().enumerate() {
                rows.extend(ledger.row(candidate, fold, |row| self.could_be(row, split))?);
            }
        }
        self.past = Some(Past { ledger, rows });
        Ok(())
    }

    /// The rows that a journal had.
    pub(crate) fn restored(&self) -> &[FitRow] {
        self.past.as_ref().map_or(&[], |past| &past.rows)
    }

    /// What there is to say about the journal.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.past.iter().filter_map(|past| past.ledger.note()).collect()
    }

    /// Everything that all fits depend on.
    fn study(&self, journal: &Journal) -> Result<Study> {
        let first = locked(&self.first).take();
        let first = first.map_or_else(|| self.ready(0), Ok)?;
        let preparation = if self.preparation.keeps_records() && self.preparation.keeps_targets() {
            "none".into()
        } else {
            let mut digester = Digester::new();
            self.trainer.digest(&first.fold, &mut digester);
            format!("{:?}, {}", self.preparation, digester.digest())
        };
        let truth = columns(first.test.targets.view());
        let weights = first.test.weights.as_deref();
        let identity = |scorer: &Scorer<Y>| {
            let identity = guarded("scoring", || Ok::<_, Error>(scorer.identity(&truth, weights)));
            identity.unwrap_or_else(|_| format!("{} (panics in a test)", scorer.name()))
        };
        let scorers = self.scorers.iter().map(identity).collect::<Vec<_>>().join("; ");
        *locked(&self.first) = Some(first);
        Ok(Study::new(journal)
            .data(&self.data)
            .folds(self.splits)
            .with("preparation", preparation)
            .with("scorers", scorers)
            .with("training scores", if self.train_scores { "on" } else { "off" })
            .with("way of training", T::WAY))
    }

    /// Whether a row has the shape of this evaluation's rows.
    fn could_be(&self, row: &FitRow, split: &Split) -> bool {
        let scorers = self.scorers.len();
        let train = row.train_scores.as_ref();
        (row.train_rows, row.test_rows) == (split.train.len(), split.test.len())
            && row.test_scores.len() == scorers
            && train.is_none_or(|scores| self.train_scores && scores.len() == scorers)
            && (!row.status.is_fitted() || train.is_some() == self.train_scores)
    }

    /// Runs all fits that no journal has. The rows of all come back in the order of candidates and folds.
    ///
    /// # Errors
    ///
    /// [`Error::AllFitsFailed`] with the first task's cause, what the executor reports, and [`Error::File`] for a row that
    /// the journal could not take.
    pub(crate) fn run(&self, executor: &dyn Executor) -> Result<Vec<FitRow>> {
        let mut rows = Vec::with_capacity(self.candidates.len() * self.splits.len());
        rows.extend_from_slice(self.restored());
        rows.iter().for_each(|row| self.observer.fit_restored(row));
        if self.folds().first().is_none_or(|tasks| tasks.fold > 0) {
            // Nobody will ask for the first fold.
            locked(&self.first).take();
        }
        let rows = Mutex::new(rows);
        executor.execute(self, &|row| {
            self.write_down(&row);
            self.observer.fit_finished(&row);
            locked(&rows).push(row);
        })?;
        self.past.as_ref().map_or(Ok(()), |past| past.ledger.finish())?;
        let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
        rows.sort_by_key(|row| (row.candidate, row.fold));
        if rows.iter().any(|row| row.status.is_fitted()) {
            return Ok(rows);
        }
        let first = rows.first().map(|row| (row.candidate, row.fold));
        let failure = locked(&self.failure).take().filter(|(task, _)| Some(*task) == first);
        let source = failure.map(|(_, error)| error).unwrap_or_else(|| {
            // Rows of another process, and of a journal, carry only the message.
            rows.first().and_then(|row| row.status.message()).unwrap_or("no fit was run").into()
        });
        Err(Error::AllFitsFailed { fits: rows.len(), source })
    }

    fn ready(&self, fold: usize) -> Result<Ready<T::Fold<'a>, Y, I>> {
        let split = &self.splits[fold];
        let truth = |rows: &[usize]| Truth {
            targets: self.data.gather_targets(rows),
            weights: self.data.gather_weights(rows),
        };
        Ok(Ready {
            fold: guarded("preprocessing", || self.trainer.open(&self.data, split, self.preparation))?,
            test: truth(&split.test),
            train: self.train_scores.then(|| truth(&split.train)),
        })
    }

    /// Fits one candidate in one fold, and keeps its model.
    ///
    /// # Errors
    ///
    /// The candidate's own check. A fit that fails has a row without a model.
    pub(crate) fn replay(
        &self,
        candidate: usize,
        fold: usize,
    ) -> Result<(FitRow, Option<Pipeline<T::Model, F, Array<Y, I>>>)> {
        let split = &self.splits[fold];
        let scorers = self.scorers.len();
        let mut row = FitRow::started(candidate, fold, split.train.len(), split.test.len(), scorers);
        let ready = match self.ready(fold) {
            Ok(ready) => ready,
            Err(error) => {
                row.status = FitStatus::of_error(&error);
                return Ok((row, None));
            }
        };
        self.trainer.check(&self.candidates[candidate], &ready.fold, &split.train)?;
        let model = match self.fit_into(&mut row, &ready) {
            Ok(model) => {
                let (steps, scaling) = T::close(ready.fold);
                Some(Pipeline::new(steps, scaling, model, self.data.n_outputs()))
            }
            Err(error) => {
                row.status = FitStatus::of_error(&*error);
                None
            }
        };
        Ok((row, model))
    }

    /// Puts a row into the journal, unless the fit may have been cut short because the search wants to end.
    fn write_down(&self, row: &FitRow) {
        if let Some(past) = self.past.as_ref().filter(|_| !self.stop.load(Ordering::Relaxed)) {
            past.ledger.append(row);
        }
    }

    /// Fits a candidate, and scores it, into the row.
    fn fit_into(&self, row: &mut FitRow, ready: &Ready<T::Fold<'a>, Y, I>) -> Result<T::Model, AnyError> {
        let params = &self.candidates[row.candidate];
        let task = Task { candidate: row.candidate, fold: Some(row.fold) };
        let context = FitContext::new(task, self.stop, self.observer);
        let start = Instant::now();
        let model = guarded("fit", || self.trainer.fit(params, &ready.fold, &context));
        row.fit_seconds = start.elapsed().as_secs_f64();
        let model = model?;
        let start = Instant::now();
        let scores = guarded("predicting or scoring", || {
            let test = self.score(params, &model, ready, Part::Test, &ready.test)?;
            let train = ready.train.as_ref();
            let train =
                train.map(|truth| self.score(params, &model, ready, Part::Train, truth)).transpose()?;
            Ok::<_, AnyError>((test, train))
        });
        row.score_seconds = start.elapsed().as_secs_f64();
        (row.test_scores, row.train_scores) = scores?;
        Ok(model)
    }

    fn score(
        &self,
        params: &P,
        model: &T::Model,
        ready: &Ready<T::Fold<'a>, Y, I>,
        part: Part,
        truth: &Truth<Y, I>,
    ) -> Result<Vec<f64>, AnyError> {
        let prediction = self.trainer.predict(params, model, &ready.fold, part)?;
        let probabilities = if self.scorers.iter().any(Scorer::reads_probabilities) {
            self.trainer.probabilities(params, model, &ready.fold, part)?
        } else {
            None
        };
        let (targets, prediction) = (columns(truth.targets.view()), columns(prediction.view()));
        same_shape(targets.nrows(), targets.ncols(), prediction.dim())?;
        let estimate = Estimate {
            truth: targets,
            prediction,
            weights: truth.weights.as_deref(),
            probabilities: probabilities.as_ref(),
        };
        Ok(self.scorers.iter().map(|scorer| scorer.score(&estimate)).collect())
    }

    fn failed(&self, task: (usize, usize), error: AnyError) {
        let mut failure = locked(&self.failure);
        if failure.as_ref().is_none_or(|(first, _)| task < *first) {
            *failure = Some((task, error));
        }
    }
}

impl<'a, T, P, F, Y, I> Work for Evaluation<'a, T, P, F, Y, I>
where
    T: Trainer<P, F, Y, I>,
    P: Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    fn folds(&self) -> Vec<FoldTasks> {
        let done: BTreeSet<(usize, usize)> =
            self.restored().iter().map(|row| (row.fold, row.candidate)).collect();
        let missing = |fold| {
            let all = 0..self.candidates.len();
            FoldTasks {
                fold,
                candidates: all.filter(|&candidate| !done.contains(&(fold, candidate))).collect(),
            }
        };
        (0..self.splits.len()).map(missing).filter(|tasks| !tasks.candidates.is_empty()).collect()
    }

    fn open<'o>(&'o self, fold: usize) -> Box<dyn OpenFold + 'o> {
        let first = if fold == 0 { locked(&self.first).take() } else { None };
        let ready = first.map_or_else(|| self.ready(fold).map_err(Arc::new), Ok);
        Box::new(Opened { evaluation: self, fold, ready })
    }
}

struct Opened<'o, 'a, T, P, F, Y, I>
where
    T: Trainer<P, F, Y, I> + 'a,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    evaluation: &'o Evaluation<'a, T, P, F, Y, I>,
    fold: usize,
    ready: Result<Ready<T::Fold<'a>, Y, I>, Arc<Error>>,
}

impl<'a, T, P, F, Y, I> OpenFold for Opened<'_, 'a, T, P, F, Y, I>
where
    T: Trainer<P, F, Y, I>,
    P: Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    fn fit(&self, candidate: usize) -> FitRow {
        let evaluation = self.evaluation;
        let split = &evaluation.splits[self.fold];
        if evaluation.past.as_ref().is_some_and(|past| past.ledger.is_broken()) {
            // The search ends with the journal's error, and nobody sees this row.
            return FitRow::started(candidate, self.fold, split.train.len(), split.test.len(), 0);
        }
        evaluation.observer.fit_started(Task { candidate, fold: Some(self.fold) });
        let scorers = evaluation.scorers.len();
        let mut row = FitRow::started(candidate, self.fold, split.train.len(), split.test.len(), scorers);
        let outcome = match &self.ready {
            Ok(ready) => evaluation.fit_into(&mut row, ready).map(|_| ()),
            Err(error) => Err(AnyError::from(Arc::clone(error))),
        };
        if let Err(error) = outcome {
            row.status = match &self.ready {
                Err(shared) => FitStatus::of_error(&**shared),
                Ok(_) => FitStatus::of_error(&*error),
            };
            evaluation.failed((candidate, self.fold), error);
        }
        row
    }
}

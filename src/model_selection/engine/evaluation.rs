//! The engine: every candidate of a rung fitted and scored in every fold, whatever the estimator and wherever fits run.

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use linfa::Float;
use linfa::dataset::TargetDim;
use ndarray::Array;

use crate::error::{Error, Result, check};
use crate::model_selection::engine::budget::{Budget, Spent};
use crate::model_selection::engine::cpu_time::thread_cpu_seconds;
use crate::model_selection::engine::fold_rows::FoldRows;
use crate::model_selection::engine::protocol::Protocol;
use crate::model_selection::engine::stop::Stop;
use crate::model_selection::engine::trainer::{AnyError, Part, Trainer};
use crate::model_selection::executor::{Executor, FitStore, FoldTasks, OpenFold, Work};
use crate::model_selection::fit::continue_rows::Goal;
use crate::model_selection::fit::data_view::{DataView, columns};
use crate::model_selection::fit::fit_rows::FitContext;
use crate::model_selection::fit::pipeline::Pipeline;
use crate::model_selection::fit::target::Target;
use crate::model_selection::journal::{Content, Digest, Digester, StateOf, Study, TaskKey};
use crate::model_selection::observer::{SearchObserver, Task};
use crate::model_selection::preparation::Prefixes;
use crate::model_selection::results::{FitRow, FitStatus, Params};
use crate::model_selection::scorer::{Estimate, Scorer, same_shape};

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
    past: Option<Past<'a>>,
}

/// The store that keeps finished fits, and what it knows the candidates by.
#[derive(Clone, Copy)]
pub(crate) struct Past<'a> {
    pub store: &'a dyn FitStore,
    pub contents: &'a [Content],
}

/// What a search may spend, and has spent so far.
#[derive(Debug)]
pub(crate) struct Limits<'a> {
    stop: Stop<'a>,
    budget: Budget,
    spent: Mutex<Spent>,
}

impl<'a> Limits<'a> {
    /// The time of the budget starts now.
    pub(crate) fn new<F, Y>(protocol: &'a Protocol<F, Y>) -> Self {
        let budget = protocol.budget;
        Limits { stop: Stop::new(&protocol.stop, budget.time()), budget, spent: Mutex::default() }
    }

    /// How many of so many fits there may be.
    pub(crate) fn at_most(&self, fits: usize) -> usize {
        self.budget.at_most(fits)
    }
}

/// Candidates that are all trained as far, on the same folds.
#[derive(Clone, Debug)]
pub(crate) struct Rung<'a> {
    pub number: usize,
    pub candidates: Vec<usize>,
    pub folds: &'a [FoldRows<'a>],
    /// How far to train; none is each candidate's own end.
    pub goal: Option<Goal>,
    /// How far the rung before trained.
    pub from: Option<Goal>,
    /// How far, as the search counts.
    pub resource: Option<u64>,
    /// Whether fits may go on in another rung.
    pub goes_on: bool,
}

impl<'a> Rung<'a> {
    /// The only rung of candidates that are all trained to their end.
    pub(crate) fn only(candidates: Range<usize>, folds: &'a [FoldRows<'a>]) -> Self {
        Rung {
            number: 0,
            candidates: candidates.collect(),
            folds,
            goal: None,
            from: None,
            resource: None,
            goes_on: false,
        }
    }
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

/// A row from elsewhere: its candidate may have had another number there, its rung another place.
fn of_task(task: Task, row: FitRow) -> FitRow {
    FitRow { candidate: task.candidate, rung: task.rung, ..row }
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
            past: None,
        }
    }

    /// Takes finished fits from this store, and puts those that finish into it.
    pub(crate) fn remember(&mut self, past: Past<'a>) {
        self.past = Some(past);
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
        trainer.check(candidate, &ready.fold, &rows.train)?;
        if !rows.stopping.is_empty() {
            trainer.check_validation_rows(candidate)?;
            trainer.check(candidate, &ready.fold, &rows.stopping)?;
        }
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

    /// Adds everything that all fits depend on to a study. The first fold is opened for it and kept.
    pub(crate) fn describe(&self, study: Study, folds: &'a [FoldRows<'a>]) -> Result<Study> {
        let protocol = self.protocol;
        let study = study.data(&self.data).folds(folds);
        let Some(rows) = folds.first() else { return Ok(study) };
        let first = locked(&self.first).take();
        let (rows, prefix, first) =
            first.map_or_else(|| self.ready(rows, 0).map(|ready| (rows, 0, ready)), Ok)?;
        let prepared = &protocol.preparation;
        let preparation = if prepared.keeps_records() && prepared.keeps_targets() {
            "none".into()
        } else if prepared.has_choices() {
            // What a candidate has chosen belongs to its content.
            format!("{prepared:?}")
        } else {
            let mut digester = Digester::new();
            self.trainer.digest(&first.fold, &mut digester);
            format!("{prepared:?}, {}", digester.digest())
        };
        let truth = columns(first.test.targets.view());
        let weights = first.test.weights.as_deref();
        let identity = |scorer: &Scorer<Y>| {
            let identity = guarded("scoring", || Ok::<_, Error>(scorer.identity(&truth, weights)));
            identity.unwrap_or_else(|_| format!("{} (panics in a test)", scorer.name()))
        };
        let scorers = self.scorers.iter().map(identity).collect::<Vec<_>>().join("; ");
        *locked(&self.first) = Some((rows, prefix, first));
        Ok(study
            .with("preparation", preparation)
            .with("scorers", scorers)
            .with("training scores", if protocol.train_scores { "on" } else { "off" })
            .with("way of training", T::WAY))
    }

    /// What the first fold looks like behind what each candidate has chosen; nothing where there is no choice.
    ///
    /// # Errors
    ///
    /// A step that cannot be fitted.
    pub(crate) fn digests(&self, folds: &'a [FoldRows<'a>]) -> Result<Option<Vec<Digest>>> {
        let Some(rows) = folds.first().filter(|_| self.protocol.preparation.has_choices()) else {
            return Ok(None);
        };
        let of_prefix = |prefix| {
            let mut digester = Digester::new();
            self.trainer.digest(&self.ready(rows, prefix)?.fold, &mut digester);
            Ok(digester.digest())
        };
        let digests = (0..self.prefixes.len()).map(of_prefix).collect::<Result<Vec<_>>>()?;
        let candidates = 0..self.candidates.len();
        Ok(Some(candidates.map(|candidate| digests[self.prefixes.place(candidate)]).collect()))
    }

    /// How many fits of a rung the store has.
    pub(crate) fn restored(&self, rung: &Rung<'a>) -> usize {
        self.tasks(rung).filter(|&task| self.found(rung, task).is_ok_and(|row| row.is_some())).count()
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

    /// What a store calls a fit.
    fn key(&self, rung: &Rung<'a>, task: Task, content: &Content) -> TaskKey {
        let Task { fold, replicate, .. } = task;
        let (goal, resource) = (rung.goal, rung.resource);
        TaskKey { candidate: content.digest, fold: fold.unwrap_or(0), replicate, goal, resource }
    }

    /// The row of a fit, if the store has it.
    fn found(&self, rung: &Rung<'a>, task: Task) -> Result<Option<FitRow>> {
        let Some(Past { store, contents }) = self.past else { return Ok(None) };
        let blank = self.row(rung, task);
        let key = self.key(rung, task, &contents[task.candidate]);
        let row = store.row(&key, &|row| self.could_be(&blank, row))?;
        Ok(row.map(|row| of_task(task, row)))
    }

    /// Whether a row from elsewhere has the shape of one that is here before its fit.
    fn could_be(&self, blank: &FitRow, row: &FitRow) -> bool {
        let (scorers, with_train) = (self.scorers.len(), self.protocol.train_scores);
        let train = row.train_scores.as_ref();
        (row.train_rows, row.test_rows) == (blank.train_rows, blank.test_rows)
            && row.stopping_rows == blank.stopping_rows
            && row.test_scores.len() == scorers
            && train.is_none_or(|scores| with_train && scores.len() == scorers)
            && (!row.status.is_fitted() || train.is_some() == with_train)
    }

    /// Whether a fit that has come back was a whole one. After the search was told to end, it may have been cut short.
    fn counts(&self, row: &FitRow) -> bool {
        !row.status.is_stopped() && !self.limits.stop.is_due()
    }

    /// Puts a finished fit into the store. One that may have been cut short is left out, to be done again.
    fn write_down(&self, rung: &Rung<'a>, row: &FitRow) {
        if let Some(Past { store, contents }) = self.past.filter(|_| self.counts(row)) {
            let content = &contents[row.candidate];
            store.append(&self.key(rung, row.task(), content), &content.params, row);
        }
    }

    /// Runs the fits of a rung that no journal has. The rows of all come back in the order of candidates, folds and
    /// replicates.
    ///
    /// # Errors
    ///
    /// What the executor reports, and what is wrong with the journal.
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

    /// The tasks of a rung that are to run, by fold, and the rows of those that are not: because the journal has them, or
    /// because the budget does not allow them. A fit that is restored is paid for like any other, so that a search started
    /// again does what it would have done.
    fn plan(&self, rung: &Rung<'a>) -> Result<(Vec<FoldTasks>, Vec<FitRow>)> {
        let prefixes = self.prefixes.len();
        let of_fold = |fold| (0..prefixes).map(move |prefix| FoldTasks { fold, prefix, tasks: Vec::new() });
        let mut folds: Vec<FoldTasks> = (0..rung.folds.len()).flat_map(of_fold).collect();
        let mut known = Vec::new();
        let mut spent = locked(&self.limits.spent);
        let budget = &self.limits.budget;
        for task in self.tasks(rung) {
            let fold = task.fold.unwrap_or(0);
            if let Err(message) = budget.take(&mut spent, self.planned_updates(rung, task.candidate, fold)) {
                let status = FitStatus::Stopped { message };
                known.push(FitRow { status, ..self.row(rung, task) });
            } else if let Some(row) = self.found(rung, task)? {
                self.protocol.observers.fit_restored(&row);
                known.push(row);
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

    /// Forgets what fits left for the next rung, but for the candidates that were promoted of those that entered.
    pub(crate) fn keep_states(&self, promoted: &[usize], entered: &[usize]) {
        locked(&self.states).retain(|(candidate, ..), _| promoted.contains(candidate));
        if let Some(Past { store, contents }) = self.past {
            let digest = |&candidate: &usize| contents[candidate].digest;
            let kept: Vec<Digest> = promoted.iter().map(digest).collect();
            let dropped: Vec<Digest> =
                entered.iter().map(digest).filter(|digest| !kept.contains(digest)).collect();
            store.keep_states(&kept, &dropped);
        }
    }

    /// What a store calls the state of a fit.
    fn state_of(&self, row: &FitRow, goal: Option<Goal>) -> Option<(&'a dyn FitStore, StateOf)> {
        let Past { store, contents } = self.past?;
        let candidate = contents[row.candidate].digest;
        Some((store, StateOf { candidate, fold: row.fold, replicate: row.replicate, goal: goal? }))
    }

    fn ready(&self, rows: &'a FoldRows<'a>, prefix: usize) -> Result<Ready<T::Fold<'a>, Y, I>> {
        let truth = |rows: &[usize]| Truth {
            targets: self.data.gather_targets(rows),
            weights: self.data.gather_weights(rows),
        };
        let preparation = self.prefixes.get(prefix);
        Ok(Ready {
            fold: guarded("preprocessing", || self.trainer.open(&self.data, rows, preparation))?,
            test: truth(rows.test),
            train: self.protocol.train_scores.then(|| truth(&rows.train)),
        })
    }

    /// Fits a candidate, and scores it, into the row.
    fn fit_into(
        &self,
        row: &mut FitRow,
        rung: &Rung<'a>,
        ready: &Ready<T::Fold<'a>, Y, I>,
    ) -> Result<T::Model, AnyError> {
        let params = &self.candidates[row.candidate];
        let report = Mutex::default();
        let context = FitContext {
            task: row.task(),
            stop: &self.limits.stop,
            observer: &self.protocol.observers,
            report: &report,
            validation: &rung.folds[row.fold].stopping,
            epochs: None,
        };
        row.seed = self.trainer.seed(params).map(|own| context.seed(own));
        let key = (row.candidate, row.fold, row.replicate);
        // The rung before may have run in another process, which this state is behind then.
        let kept = locked(&self.states).remove(&key).filter(|(goal, _)| *goal == rung.from);
        // Then, and after a restart, the store has what the rung before has left.
        let mut state = kept.map(|(_, state)| state).or_else(|| {
            let (store, of) = self.state_of(row, rung.from)?;
            self.trainer.state_from_bytes(params, &store.load_state(of)?)
        });
        let (start, before) = (Instant::now(), thread_cpu_seconds());
        let model = guarded("fit", || self.trainer.fit(params, &ready.fold, rung.goal, &mut state, &context));
        row.fit_seconds = start.elapsed().as_secs_f64();
        row.cpu_seconds = before.and_then(|before| Some(thread_cpu_seconds()? - before));
        let report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
        let stopped = report.stopped;
        row.take(report);
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
        if stopped {
            let message =
                self.limits.stop.reason().unwrap_or_else(|| "the estimator ended the fit early".into());
            row.status = FitStatus::Stopped { message };
        } else if let Some(state) = state.filter(|_| rung.goes_on) {
            // Before its row is in the store: a row that is there always has its state.
            if let Some((store, of)) = self.state_of(row, rung.goal)
                && let Some(bytes) = self.trainer.state_to_bytes(params, &state)
            {
                store.store_state(of, &bytes);
            }
            locked(&self.states).insert(key, (rung.goal, state));
        }
        Ok(model)
    }

    /// Fits one candidate in one fold, and keeps its model.
    ///
    /// # Errors
    ///
    /// The candidate's own check. A fit that fails has a row without a model.
    pub(crate) fn replay(
        &self,
        rung: &Rung<'a>,
        task: Task,
    ) -> Result<(FitRow, Option<Pipeline<T::Model, F, Array<Y, I>>>)> {
        let rows = &rung.folds[task.fold.unwrap_or(0)];
        let mut row = self.row(rung, task);
        let outcome = match self.ready(rows, self.prefixes.place(task.candidate)) {
            Err(error) => Err(AnyError::from(error)),
            Ok(ready) => {
                self.check_candidate(&self.candidates[task.candidate], &ready, rows)?;
                self.fit_into(&mut row, rung, &ready).map(|model| {
                    let (steps, scaling) = T::close(ready.fold);
                    Pipeline::new(steps, scaling, model, self.data.n_outputs())
                })
            }
        };
        if let Err(error) = &outcome {
            row.status = FitStatus::of_error(&**error);
        }
        Ok((row, outcome.ok()))
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

    fn failed(&self, task: Task, error: AnyError) {
        let mut failure = locked(&self.failure);
        if failure.as_ref().is_none_or(|(first, _)| task < *first) {
            *failure = Some((task, error));
        }
    }
}

/// The fits of a rung that are to run.
struct RungWork<'e, 'a, T, P, F, Y, I>
where
    T: Trainer<P, F, Y, I> + 'a,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    evaluation: &'e Evaluation<'a, T, P, F, Y, I>,
    rung: &'e Rung<'a>,
    folds: Vec<FoldTasks>,
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
        let content = self.evaluation.past?.contents.get(task.candidate)?;
        Some(self.evaluation.key(self.rung, task, content))
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
            Ok(ready) => evaluation.fit_into(&mut row, rung, ready).map(|_| ()),
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

//! One fit: a fold made ready, a candidate trained in it and scored.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use linfa::Float;
use linfa::dataset::TargetDim;
use ndarray::Array;

use super::Evaluation;
use crate::error::Result;
use crate::model_selection::engine::cpu_time::thread_cpu_seconds;
use crate::model_selection::engine::fold_rows::FoldRows;
use crate::model_selection::engine::guarded::{guarded, locked};
use crate::model_selection::engine::rung::Rung;
use crate::model_selection::engine::trainer::{AnyError, Part, Trainer};
use crate::model_selection::fit::data_view::columns;
use crate::model_selection::fit::fit_rows::FitContext;
use crate::model_selection::fit::pipeline::Pipeline;
use crate::model_selection::fit::target::Target;
use crate::model_selection::observer::Task;
use crate::model_selection::results::{FitRow, FitStatus};
use crate::model_selection::scorer::{Estimate, Probabilities, Scorer, same_shape};

/// A fold's model behind its preparation, and what it gives for the fold's test rows, in their order.
#[derive(Debug)]
pub(crate) struct Kept<M, F, Y, I: TargetDim> {
    pub model: Pipeline<M, F, Array<Y, I>>,
    pub prediction: Array<Y, I>,
    pub probabilities: Option<Probabilities<Y>>,
}

/// What becomes of the model of a fold, and of its predictions, once they are scored.
pub(crate) type Keep<'a, M, F, Y, I> = dyn Fn(usize, Kept<M, F, Y, I>) + Sync + 'a;

/// A fitted candidate, and its estimates of the fold's test rows.
pub(super) struct Fitted<M, Y, I: TargetDim> {
    model: M,
    test: Estimated<Y, I>,
}

/// Estimates of some rows of a fold, and their scores.
struct Estimated<Y, I: TargetDim> {
    prediction: Array<Y, I>,
    probabilities: Option<Probabilities<Y>>,
    scores: Vec<f64>,
}

/// What a fold's candidates share: the trainer's part, and what predictions are scored against.
pub(crate) struct Ready<D, Y, I: TargetDim> {
    pub fold: D,
    pub test: Truth<Y, I>,
    pub train: Option<Truth<Y, I>>,
}

pub(crate) struct Truth<Y, I: TargetDim> {
    pub targets: Array<Y, I>,
    pub weights: Option<Vec<f32>>,
}

impl<'a, T, P, F, Y, I> Evaluation<'a, T, P, F, Y, I>
where
    T: Trainer<P, F, Y, I>,
    P: Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    pub(super) fn ready(&self, rows: &'a FoldRows<'a>, prefix: usize) -> Result<Ready<T::Fold<'a>, Y, I>> {
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
    pub(super) fn fit_into(
        &self,
        row: &mut FitRow,
        rung: &Rung<'a>,
        ready: &Ready<T::Fold<'a>, Y, I>,
    ) -> Result<Fitted<T::Model, Y, I>, AnyError> {
        let params = &self.candidates[row.candidate];
        let report = Mutex::default();
        let context = FitContext {
            task: row.task(),
            stop: &self.limits.stop,
            observer: &self.protocol.observers,
            report: &report,
            validation: &rung.folds[row.fold].stopping,
            epochs: rung.epochs,
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
        let (test, train) = scores?;
        row.test_scores.clone_from(&test.scores);
        row.train_scores = train.map(|train| train.scores);
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
        Ok(Fitted { model, test })
    }

    /// Hands the model and its predictions to whoever keeps them. Of replicates, which differ in their seeds alone, the first is
    /// kept.
    pub(super) fn keep(&self, task: Task, ready: &Ready<T::Fold<'a>, Y, I>, fitted: Fitted<T::Model, Y, I>) {
        if let (Some(keep), Some(fold), 0) = (self.keep, task.fold, task.replicate) {
            let Estimated { prediction, probabilities, .. } = fitted.test;
            keep(fold, Kept { model: self.pipeline(ready, fitted.model), prediction, probabilities });
        }
    }

    fn pipeline(
        &self,
        ready: &Ready<T::Fold<'a>, Y, I>,
        model: T::Model,
    ) -> Pipeline<T::Model, F, Array<Y, I>> {
        let (steps, scaling) = T::prepared(&ready.fold);
        Pipeline::new(steps, scaling, model, self.data.n_outputs())
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
                let fitted = self.fit_into(&mut row, rung, &ready);
                fitted.map(|fitted| self.pipeline(&ready, fitted.model))
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
    ) -> Result<Estimated<Y, I>, AnyError> {
        let prediction = self.trainer.predict(params, model, &ready.fold, part)?;
        let kept = self.keep.is_some() && part == Part::Test;
        let probabilities = if kept || self.scorers.iter().any(Scorer::reads_probabilities) {
            self.trainer.probabilities(params, model, &ready.fold, part)?
        } else {
            None
        };
        let (targets, columns) = (columns(truth.targets.view()), columns(prediction.view()));
        same_shape(targets.nrows(), targets.ncols(), columns.dim())?;
        let estimate = Estimate {
            truth: targets,
            prediction: columns,
            weights: truth.weights.as_deref(),
            probabilities: probabilities.as_ref(),
        };
        let scores = self.scorers.iter().map(|scorer| scorer.score(&estimate)).collect();
        Ok(Estimated { prediction, probabilities, scores })
    }
}

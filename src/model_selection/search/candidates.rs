//! Candidates, and what every search does with them.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use linfa::Float;
use linfa::dataset::TargetDim;
use ndarray::Array;

use super::fitted::{Best, FittedSearch};
use super::refit::Refit;
use crate::error::{Error, Result};
use crate::model_selection::data_view::DataView;
use crate::model_selection::evaluation::{Evaluation, guarded};
use crate::model_selection::fit_rows::FitContext;
use crate::model_selection::journal::Content;
use crate::model_selection::observer::{SearchObserver, SearchPlan, Task};
use crate::model_selection::pipeline::Pipeline;
use crate::model_selection::protocol::Protocol;
use crate::model_selection::results::{Params, ScorerInfo, SearchResults};
use crate::model_selection::split::Split;
use crate::model_selection::target::Target;
use crate::model_selection::trainer::{AnyError, SharedError, Trainer};

/// A setting of the estimator that a search may try.
#[derive(Clone, Debug)]
pub struct Candidate<P> {
    pub(super) estimator: P,
    pub(super) params: Params,
}

impl<P> Candidate<P> {
    /// The estimator's builder with the candidate's values.
    #[must_use]
    pub fn estimator(&self) -> &P {
        &self.estimator
    }

    /// The values by the names of their axes.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }
}

/// Names the candidate in an error.
pub(super) fn named(index: usize, params: &Params, source: AnyError) -> Error {
    Error::Candidate { candidate: index, params: params.to_string(), source }
}

/// Evaluates the candidates, chooses the best and fits it on all rows.
pub(super) fn search<T, P, F, Y, I>(
    trainer: &T,
    candidates: Vec<Candidate<P>>,
    data: &DataView<'_, F, Y, I>,
    protocol: &Protocol<F, Y>,
    refit: &Refit,
) -> Result<FittedSearch<T::Model, F, Array<Y, I>>>
where
    T: Trainer<P, F, Y, I>,
    P: Debug + Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    let scorers = protocol.scorers()?;
    let infos: Vec<ScorerInfo> = scorers.iter().map(ScorerInfo::of).collect();
    refit.check(&infos)?;
    let splits = protocol.splits(data, None)?;
    let (estimators, params): (Vec<P>, Vec<Params>) =
        candidates.into_iter().map(|candidate| (candidate.estimator, candidate.params)).unzip();
    let observers = &protocol.observers;
    let mut evaluation = Evaluation {
        trainer,
        candidates: &estimators,
        data: data.reborrow(),
        splits: &splits,
        preparation: &protocol.preparation,
        scorers: &scorers,
        train_scores: protocol.train_scores,
        observer: observers,
        stop: &protocol.stop,
        first: Mutex::new(None),
        failure: Mutex::new(None),
        past: None,
    };
    evaluation.check(|index, error| named(index, &params[index], Box::new(error)))?;
    if let Some(journal) = &protocol.journal {
        let candidates = estimators.iter().zip(&params);
        let contents = candidates.map(|(estimator, params)| Content::of(estimator, params, journal));
        evaluation.resume(journal, contents.collect::<Result<_>>()?)?;
    }
    observers.search_started(&SearchPlan {
        candidates: params.iter().map(ToString::to_string).collect(),
        folds: splits.len(),
        fits: estimators.len() * splits.len(),
        restored: evaluation.restored().len(),
        threads: protocol.executor.threads(),
        scorers: infos.iter().map(|info| info.name.clone()).collect(),
        notes: evaluation.notes(),
    });
    let rows = evaluation.run(&*protocol.executor)?;
    drop(evaluation);
    let results = SearchResults::new(infos, params, rows);

    let best = match refit.choose(&results) {
        Err(reason) => Best::none(reason),
        Ok((index, false)) => Best { index: Some(index), ..Best::none("the search was told not to refit") },
        Ok((index, true)) => {
            observers.refit_started(index);
            let model = fit_all(trainer, index, &estimators[index], data, protocol);
            let problem = model.as_ref().err().map(ToString::to_string);
            observers.refit_finished(index, problem.as_deref());
            Best::refitted(index, model)
        }
    };
    observers.search_finished(&results);
    Ok(FittedSearch::new(results, splits, refit.scorer(), best))
}

type Refitted<M, F, Y, I> = Pipeline<M, F, Array<Y, I>>;

/// Fits a candidate, behind its preparation, on all rows.
fn fit_all<T, P, F, Y, I>(
    trainer: &T,
    index: usize,
    estimator: &P,
    data: &DataView<'_, F, Y, I>,
    protocol: &Protocol<F, Y>,
) -> Result<Refitted<T::Model, F, Y, I>, SharedError>
where
    T: Trainer<P, F, Y, I>,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    let all = Split { train: (0..data.n_samples()).collect(), test: Vec::new() };
    let task = Task { candidate: index, fold: None };
    let context = FitContext::new(task, &protocol.stop, &protocol.observers);
    let fitted = guarded("refit", || {
        let fold = trainer.open(&data.reborrow(), &all, &protocol.preparation)?;
        let model = trainer.fit(estimator, &fold, &context)?;
        let (steps, scaling) = T::close(fold);
        Ok::<_, AnyError>(Pipeline::new(steps, scaling, model, data.n_outputs()))
    });
    fitted.map_err(Arc::from)
}

//! Candidates, and what every search does with them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use linfa::Float;
use linfa::dataset::TargetDim;
use ndarray::Array;

use super::fitted::{Best, FittedSearch};
use super::refit::Refit;
use crate::error::{Error, Result};
use crate::model_selection::data_view::DataView;
use crate::model_selection::evaluation::{Evaluation, Rung, guarded};
use crate::model_selection::fit_rows::FitContext;
use crate::model_selection::fold_rows::FoldRows;
use crate::model_selection::observer::{SearchObserver, SearchPlan, Task};
use crate::model_selection::pipeline::Pipeline;
use crate::model_selection::protocol::Protocol;
use crate::model_selection::results::{Params, ScorerInfo, SearchResults};
use crate::model_selection::stop::Stop;
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
    P: Sync,
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
    let folds: Vec<FoldRows<'_>> = splits.iter().map(FoldRows::of).collect();
    let mut evaluation = Evaluation::new(trainer, &estimators, data.reborrow(), protocol, &scorers);
    evaluation.check(&folds, |index, error| named(index, &params[index], Box::new(error)))?;
    observers.search_started(&SearchPlan {
        candidates: params.iter().map(ToString::to_string).collect(),
        folds: splits.len(),
        fits: estimators.len() * splits.len() * protocol.replicates,
        replicates: protocol.replicates,
        threads: protocol.executor.threads(),
        scorers: infos.iter().map(|info| info.name.clone()).collect(),
    });
    evaluation.start();
    let rows = evaluation.run(&Rung::only(estimators.len(), &folds), &*protocol.executor)?;
    evaluation.check_any_fit(&rows)?;
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
    let all = FoldRows { train: (0..data.n_samples()).collect(), stopping: Vec::new(), test: &[] };
    // A search that was told to end still gives a model; told so later, the refit ends too.
    let (flag, report) = (AtomicBool::new(false), Mutex::default());
    let stopped = protocol.stop.load(Ordering::Relaxed);
    let context = FitContext {
        task: Task::new(index, None),
        stop: &Stop::new(if stopped { &flag } else { &protocol.stop }, None),
        observer: &protocol.observers,
        report: &report,
        validation: &all.stopping,
        epochs: None,
    };
    let fitted = guarded("refit", || {
        let fold = trainer.open(&data.reborrow(), &all, &protocol.preparation)?;
        let model = trainer.fit(estimator, &fold, None, &mut None, &context)?;
        let (steps, scaling) = T::close(fold);
        Ok::<_, AnyError>(Pipeline::new(steps, scaling, model, data.n_outputs()))
    });
    fitted.map_err(Arc::from)
}

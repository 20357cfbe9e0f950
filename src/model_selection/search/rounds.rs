//! What every search does: rounds of candidates, the choice of the best, its refit.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use linfa::Float;
use linfa::dataset::TargetDim;
use ndarray::Array;

use super::builder::Search;
use super::candidates::{Candidate, named};
use super::fitted::{Best, FittedSearch};
use super::strategy::{Strategy, Tried};
use crate::error::Result;
use crate::metric::Direction;
use crate::model_selection::data_view::DataView;
use crate::model_selection::evaluation::{Evaluation, Limits, Past, Rung, guarded};
use crate::model_selection::fit_rows::FitContext;
use crate::model_selection::fold_rows::FoldRows;
use crate::model_selection::journal::{Content, Ledger, Study};
use crate::model_selection::observer::{SearchObserver, SearchPlan, Task};
use crate::model_selection::pipeline::Pipeline;
use crate::model_selection::protocol::Protocol;
use crate::model_selection::results::{FitRow, FitStatus, MeanStd, ScorerInfo, SearchResults};
use crate::model_selection::stop::Stop;
use crate::model_selection::target::Target;
use crate::model_selection::trainer::{AnyError, SharedError, Trainer};

/// Evaluates round after round of candidates, of which `first` is the first, chooses the best and fits it on all rows.
pub(super) fn search<S, T, P, F, Y, I, E>(
    search: &Search<S, P, F, Y, E>,
    trainer: &T,
    first: Vec<Candidate<P>>,
    data: &DataView<'_, F, Y, I>,
) -> Result<FittedSearch<T::Model, F, Array<Y, I>>>
where
    S: Strategy,
    T: Trainer<P, F, Y, I>,
    P: Clone + Debug + Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    let (protocol, refit) = (&search.protocol, &search.refit);
    let scorers = protocol.scorers()?;
    let infos: Vec<ScorerInfo> = scorers.iter().map(ScorerInfo::of).collect();
    refit.check(&infos)?;
    let splits = protocol.splits(data, None)?;
    let folds: Vec<FoldRows<'_>> = splits.iter().map(FoldRows::of).collect();
    let decides = refit.place(&infos);
    let observers = &protocol.observers;

    let (mut estimators, mut params) = (Vec::new(), Vec::new());
    let (mut answers, mut losses, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    let mut asked = search.strategy.asked();
    let limits = Limits::new(protocol);
    let (mut contents, mut ledger) = (Vec::new(), None);
    let mut round = first;
    while !round.is_empty() {
        let from = estimators.len();
        for candidate in round {
            if let Some(journal) = &protocol.journal {
                contents.push(Content::of(&candidate.estimator, &candidate.params, journal)?);
            }
            estimators.push(candidate.estimator);
            params.push(candidate.params);
            answers.push(candidate.answers);
        }
        let mut evaluation =
            Evaluation::new(trainer, &estimators, data.reborrow(), protocol, &scorers, &limits);
        let rung = Rung::only(from..estimators.len(), &folds);
        if from == 0 {
            evaluation.check(&folds, |index, error| named(index, &params[index], Box::new(error)))?;
            observers.ready()?;
            if let Some(journal) = &protocol.journal {
                let study = evaluation.describe(Study::new(journal), &folds)?;
                ledger = Some(Ledger::open(journal, &study)?);
            }
        }
        if let Some(ledger) = &ledger {
            evaluation.remember(Past { ledger, contents: &contents });
        }
        if from == 0 {
            observers.search_started(&SearchPlan {
                candidates: params.clone(),
                folds: splits.len(),
                fits: search.strategy.forecast(params.len()) * splits.len() * protocol.replicates,
                restored: evaluation.restored(&rung),
                replicates: protocol.replicates,
                threads: protocol.executor.threads(),
                scorers: infos.iter().map(|info| info.name.clone()).collect(),
                notes: ledger.iter().filter_map(Ledger::note).collect(),
            });
            rows.extend(evaluation.run(&rung, &*protocol.executor)?);
            evaluation.check_any_fit(&rows)?;
        } else {
            // What has been measured is not thrown away for a candidate that cannot run: its rows say why.
            observers.candidates_added(from, &params[from..]);
            rows.extend(evaluation.run(&rung, &*protocol.executor)?);
        }
        drop(evaluation);
        let stopped = |row: &FitRow| matches!(row.status, FitStatus::Stopped { .. });
        if rows.iter().any(stopped) {
            asked = None;
            break;
        }
        losses.extend((from..params.len()).map(|candidate| loss(&rows, candidate, decides, &infos[decides])));
        round = search.strategy.next_round(&search.space, &Tried::of(&losses, &answers))?;
    }
    let results = SearchResults::new(infos, params, rows).asked(asked);

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

/// The mean test score of a candidate over the folds, turned so that less is better.
fn loss(rows: &[FitRow], candidate: usize, scorer: usize, info: &ScorerInfo) -> f64 {
    let of_candidate = rows.iter().filter(|row| row.candidate == candidate);
    let scores: Vec<f64> = of_candidate.map(|row| row.test_scores[scorer]).collect();
    let mean = MeanStd::of(&scores).mean;
    if info.direction == Direction::Maximize { -mean } else { mean }
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

//! What every search does: rounds of candidates, the choice of the best, its refit.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use linfa::Float;
use linfa::dataset::TargetDim;
use ndarray::Array;

use super::builder::Search;
use super::candidates::{Candidate, named};
use super::climb::{Judge, check_ladder, climb, first_rung, folds_of_rungs};
use super::fitted::{Best, FittedSearch};
use super::ladder::Ladder;
use super::strategy::{Strategy, Tried};
use crate::error::Result;
use crate::model_selection::engine::evaluation::{Evaluation, Limits, Past, guarded};
use crate::model_selection::engine::fold_rows::FoldRows;
use crate::model_selection::engine::keeper::Keeper;
use crate::model_selection::engine::protocol::Protocol;
use crate::model_selection::engine::stop::Stop;
use crate::model_selection::engine::trainer::{AnyError, SharedError, Trainer};
use crate::model_selection::executor::Joined;
use crate::model_selection::fit::continue_rows::Goal;
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::fit_rows::FitContext;
use crate::model_selection::fit::pipeline::Pipeline;
use crate::model_selection::fit::target::{Classes, Target};
use crate::model_selection::journal::{Content, Digester, Study};
use crate::model_selection::observer::{SearchObserver, SearchPlan, Task};
use crate::model_selection::preparation::Prefixes;
use crate::model_selection::results::{Params, ScorerInfo, SearchResults};

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
    let classes = protocol.known(data)?.classes;
    let folds = protocol.fold_rows(&splits, classes.as_ref())?;
    let n_train = folds.iter().map(|fold| fold.train.len()).min().unwrap_or(0);
    let scorer = refit.place(&infos);
    let judge = Judge { scorer, info: &infos[scorer] };
    let observers = &protocol.observers;

    let (mut estimators, mut params) = (Vec::new(), Vec::new());
    let (mut answers, mut losses) = (Vec::new(), Vec::new());
    let (mut rows, mut rungs) = (Vec::new(), Vec::new());
    let mut asked = search.strategy.asked();
    let mut goal = None;
    let limits = Limits::new(protocol);
    let keeper = Keeper::of(protocol)?;
    let (mut contents, mut joined) = (Vec::new(), None::<Joined>);
    let (mut round, mut number) = (first, 0);
    while !round.is_empty() {
        let from = estimators.len();
        for candidate in round {
            if let Some(keeper) = keeper {
                contents.push(Content::of(&candidate.estimator, &candidate.params, keeper.tag())?);
            }
            estimators.push(candidate.estimator);
            params.push(candidate.params);
            answers.push(candidate.answers);
        }
        let candidates = from..estimators.len();
        let ladder = search.strategy.ladder(number, candidates.len(), n_train)?;
        check_ladder(ladder.as_ref(), T::CONTINUES)?;
        let rung_folds = folds_of_rungs(ladder.as_ref(), &folds, classes.as_ref());
        let prefixes = Prefixes::of(&protocol.preparation, &params);
        let mut evaluation =
            Evaluation::new(trainer, &estimators, data.reborrow(), protocol, &scorers, &limits, prefixes);
        if from == 0 {
            goal = ladder.as_ref().and_then(|ladder| ladder.goal(ladder.top()));
            if search.refit_epochs.is_some() {
                let checked = |estimator| trainer.check_epochs(estimator, protocol.stopping.is_some());
                let first = estimators.iter().map(checked).enumerate().find(|(_, checked)| checked.is_err());
                if let Some((index, Err(error))) = first {
                    return Err(named(index, &params[index], Box::new(error)));
                }
            }
            let checked: Vec<&[FoldRows<'_>]> = rung_folds.iter().map(Vec::as_slice).collect();
            evaluation.check(&checked, |index, error| named(index, &params[index], Box::new(error)))?;
            observers.ready()?;
            if let Some(keeper) = keeper {
                let mut study = evaluation.describe(Study::new(keeper.tag()), &folds)?;
                if keeper.is_shared() {
                    study = study.with("search space", space_of::<S>(&contents, ladder.as_ref()));
                }
                joined = Some(keeper.open(&study, protocol)?);
            }
        }
        if keeper.is_some()
            && let Some(digests) = evaluation.digests(&folds)?
        {
            let new = contents[from..].iter_mut().zip(&digests[from..]);
            new.for_each(|(content, digest)| content.behind(*digest));
        }
        if let Some(Joined { store, .. }) = &joined {
            evaluation.remember(Past { store: &**store, contents: &contents });
        }
        if from == 0 {
            let fits = search.strategy.forecast_fits(params.len(), n_train) * splits.len();
            let rung = first_rung(candidates.clone(), ladder.as_ref(), &rung_folds);
            observers.search_started(&SearchPlan {
                candidates: params.clone(),
                folds: splits.len(),
                fits: limits.at_most(fits * protocol.replicates),
                restored: evaluation.restored(&rung),
                replicates: protocol.replicates,
                threads: protocol.executor.threads(),
                scorers: infos.iter().map(|info| info.name.clone()).collect(),
                notes: joined.iter().filter_map(|joined| joined.store.note()).collect(),
            });
        } else {
            observers.candidates_added(from, &params[from..]);
        }
        let executor = joined.as_ref().map_or(&protocol.executor, |joined| &joined.executor);
        let told = (&**executor, observers as &dyn SearchObserver);
        let climbed =
            climb(&evaluation, (number, candidates.clone()), ladder.as_ref(), &rung_folds, judge, told)?;
        // Later on, what has been measured is not thrown away for candidates that cannot run: their rows say why.
        if from == 0 {
            evaluation.check_any_fit(&climbed.rows)?;
        }
        drop(evaluation);
        let stopped = climbed.is_stopped();
        losses.extend(candidates.map(|candidate| judge.loss(&climbed, candidate)));
        rows.extend(climbed.rows);
        rungs.extend(climbed.rungs);
        if stopped {
            asked = None;
            break;
        }
        number += 1;
        round = search.strategy.next_round(&search.space, &Tried::of(&losses, &answers))?;
    }
    let results = SearchResults::new(infos, params.clone(), rows).asked(asked);

    let best = match refit.choose(&results) {
        Err(reason) => Best::none(reason),
        Ok((index, false)) => Best { index: Some(index), ..Best::none("the search was told not to refit") },
        Ok((index, true)) => {
            observers.refit_started(index);
            let epochs = search.refit_epochs.map(|rule| rule.choose(&results, index, data.n_samples()));
            let model = epochs.transpose().map_err(SharedError::from).and_then(|epochs| {
                let goal = if epochs.is_some() { None } else { goal };
                let length = Length { goal, epochs };
                let candidate = (index, &estimators[index], &params[index]);
                fit_all(trainer, candidate, length, data, classes.as_ref(), protocol)
            });
            let problem = model.as_ref().err().map(ToString::to_string);
            observers.refit_finished(index, problem.as_deref());
            Best::refitted(index, model)
        }
    };
    observers.search_finished(&results);
    Ok(FittedSearch::new(results, splits, rungs, refit.scorer(), best))
}

/// What processes that share a store must agree on, besides data and rules: the candidates that the search starts with, and the
/// way they are climbed.
fn space_of<S>(contents: &[Content], ladder: Option<&Ladder>) -> String {
    let mut digester = Digester::new();
    contents.iter().for_each(|content| digester.text(content.digest));
    digester.text(std::any::type_name::<S>());
    digester.text(format_args!("{ladder:?}"));
    format!("{} candidates to start with, {}", contents.len(), digester.digest())
}

type Refitted<M, F, Y, I> = Pipeline<M, F, Array<Y, I>>;

/// How long the refit is.
struct Length {
    /// That of the last rung.
    goal: Option<Goal>,
    /// That of the folds.
    epochs: Option<usize>,
}

/// Fits a candidate, behind its preparation, on all rows.
fn fit_all<T, P, F, Y, I>(
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
        let (steps, scaling) = T::close(fold);
        Ok::<_, AnyError>(Pipeline::new(steps, scaling, model, data.n_outputs()))
    });
    fitted.map_err(Arc::from)
}

//! What every search does: rounds of candidates, the choice of the best, its refit.

use std::fmt::Debug;

use linfa::Float;
use linfa::dataset::TargetDim;
use ndarray::Array;

use super::builder::Search;
use super::candidates::{Candidate, named};
use super::climb::{Judge, check_ladder, climb, first_rung, folds_of_rungs};
use super::fit_all::{Length, fit_all};
use super::fitted::{Best, FittedSearch};
use super::ladder::{Ladder, RungSummary};
use super::strategy::{Strategy, Tried};
use crate::error::Result;
use crate::model_selection::engine::evaluation::{Evaluation, Past};
use crate::model_selection::engine::fold_rows::FoldRows;
use crate::model_selection::engine::keeper::Keeper;
use crate::model_selection::engine::limits::Limits;
use crate::model_selection::engine::trainer::{SharedError, Trainer};
use crate::model_selection::executor::{FitStore, Joined};
use crate::model_selection::fit::continue_rows::Goal;
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::target::{Classes, Target};
use crate::model_selection::journal::{Content, Digester, Study};
use crate::model_selection::observer::{SearchObserver, SearchPlan};
use crate::model_selection::preparation::Prefixes;
use crate::model_selection::results::{Params, ScorerInfo, SearchResults};

/// The rows that a search divides, and its journal if somebody else has opened it.
pub(super) struct Ground<'g> {
    pub folds: &'g [FoldRows<'g>],
    pub classes: Option<&'g Classes>,
    /// The journal of a search inside an outer fold, and that fold.
    pub outer: Option<(Option<&'g dyn FitStore>, usize)>,
}

impl Ground<'_> {
    /// The training rows of the smallest fold.
    pub(super) fn n_train(&self) -> usize {
        self.folds.iter().map(|fold| fold.train.len()).min().unwrap_or(0)
    }
}

/// What came of the rounds of a search.
pub(super) struct Explored<P> {
    pub results: SearchResults,
    pub rungs: Vec<RungSummary>,
    pub estimators: Vec<P>,
    /// What a journal knows the candidates by, if there is one.
    pub contents: Vec<Content>,
    /// The goal of the last rung.
    pub goal: Option<Goal>,
}

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
    let splits = protocol.splits(data, None)?;
    let classes = protocol.known(data)?.classes;
    let folds = protocol.fold_rows(&splits, classes.as_ref())?;
    let ground = Ground { folds: &folds, classes: classes.as_ref(), outer: None };
    let explored = explore(search, trainer, first, data, &ground)?;
    let (observers, results) = (&protocol.observers, &explored.results);
    let best = match (search.unfinished(results), refit.choose(results)) {
        (Some(reason), _) | (None, Err(reason)) => Best::none(reason),
        (None, Ok((index, false))) => {
            Best { index: Some(index), ..Best::none("the search was told not to refit") }
        }
        (None, Ok((index, true))) => {
            observers.refit_started(index);
            let model = search.length(&explored, index, data.n_samples()).and_then(|length| {
                let params = &results.candidates()[index].params;
                let candidate = (index, &explored.estimators[index], params);
                fit_all(trainer, candidate, length, data, classes.as_ref(), protocol)
            });
            let problem = model.as_ref().err().map(ToString::to_string);
            observers.refit_finished(index, problem.as_deref());
            Best::refitted(index, model)
        }
    };
    observers.search_finished(results);
    let scorer = refit.place(results.scorers());
    Ok(FittedSearch::new(explored.results, splits, explored.rungs, scorer, best))
}

impl<S, P, F, Y, E> Search<S, P, F, Y, E> {
    /// Why there is no best candidate yet, in a shard.
    fn unfinished(&self, results: &SearchResults) -> Option<String> {
        let shard =
            self.protocol.shard.filter(|_| results.rows().iter().any(|row| row.status.is_stopped()))?;
        Some(format!(
            "this is shard {} of {}, counted from 0: merge the journals of all, and search without a shard",
            shard.index, shard.of
        ))
    }

    /// How long the candidate that was chosen is fitted on rows that no fold of its search has left out.
    pub(super) fn length(
        &self,
        explored: &Explored<P>,
        index: usize,
        n_samples: usize,
    ) -> Result<Length, SharedError> {
        let epochs = self.refit_epochs.map(|rule| rule.choose(&explored.results, index, n_samples));
        let epochs = epochs.transpose().map_err(SharedError::from)?;
        Ok(Length { goal: explored.goal.filter(|_| epochs.is_none()), epochs })
    }
}

/// The rungs that a round of candidates climbs, checked, and their folds.
pub(super) fn climbing<'s, S, P, F, Y, E>(
    search: &Search<S, P, F, Y, E>,
    (round, candidates): (usize, usize),
    ground: &Ground<'s>,
    continues: bool,
) -> Result<(Option<Ladder>, Vec<Vec<FoldRows<'s>>>)>
where
    S: Strategy,
{
    let ladder = search.strategy.ladder(round, candidates, ground.n_train())?;
    check_ladder(ladder.as_ref(), continues)?;
    let folds = folds_of_rungs(ladder.as_ref(), ground.folds, ground.classes);
    Ok((ladder, folds))
}

/// Checks that every candidate's fits know their best epoch, where the refit is to be as long.
pub(super) fn check_epochs<S, T, P, F, Y, I, E>(
    search: &Search<S, P, F, Y, E>,
    trainer: &T,
    candidates: &[(&P, &Params)],
) -> Result<()>
where
    T: Trainer<P, F, Y, I>,
    F: Float,
    I: TargetDim + 'static,
{
    if search.refit_epochs.is_none() {
        return Ok(());
    }
    candidates.iter().enumerate().try_for_each(|(index, (estimator, params))| {
        let checked = trainer.check_epochs(estimator, search.protocol.stopping.is_some());
        checked.map_err(|error| named(index, params, Box::new(error)))
    })
}

/// Evaluates round after round of candidates, of which `first` is the first.
pub(super) fn explore<'g, S, T, P, F, Y, I, E>(
    search: &Search<S, P, F, Y, E>,
    trainer: &T,
    first: Vec<Candidate<P>>,
    data: &DataView<'_, F, Y, I>,
    ground: &Ground<'g>,
) -> Result<Explored<P>>
where
    S: Strategy,
    T: Trainer<P, F, Y, I>,
    P: Clone + Debug + Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    let (protocol, refit, folds) = (&search.protocol, &search.refit, ground.folds);
    let scorers = protocol.scorers()?;
    let infos: Vec<ScorerInfo> = scorers.iter().map(ScorerInfo::of).collect();
    refit.check(&infos)?;
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
    let (mut contents, mut steps, mut joined) = (Vec::new(), Vec::new(), None::<Joined>);
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
        let (ladder, rung_folds) = climbing(search, (number, candidates.len()), ground, T::CONTINUES)?;
        let prefixes = Prefixes::of(&protocol.preparation, &params);
        let mut evaluation =
            Evaluation::new(trainer, &estimators, data.reborrow(), protocol, &scorers, &limits, prefixes);
        if from == 0 {
            goal = ladder.as_ref().and_then(|ladder| ladder.goal(ladder.top()));
            check_epochs(search, trainer, &estimators.iter().zip(&params).collect::<Vec<_>>())?;
            let checked: Vec<&[FoldRows<'_>]> = rung_folds.iter().map(Vec::as_slice).collect();
            evaluation.check(&checked, |index, error| named(index, &params[index], Box::new(error)))?;
            observers.ready()?;
        }
        if keeper.is_some() {
            evaluation.behind_steps(folds, &mut contents, from, &mut steps)?;
        }
        if let Some(keeper) = keeper.filter(|_| from == 0 && ground.outer.is_none()) {
            let mut study = evaluation.describe(Study::new(keeper.tag()), folds)?;
            if keeper.is_shared() {
                let strategy = Content::of(&search.strategy, &Params::default(), keeper.tag())?;
                let space = space_of(&contents, &strategy, ladder.as_ref(), judge.info);
                study = study.with("search space", space);
            }
            joined = Some(keeper.open(&study, protocol)?);
        }
        let own = joined.as_ref().map(|joined| &*joined.store);
        let store = ground.outer.map_or(own, |(store, _)| store);
        if let Some(store) = store {
            let outer = ground.outer.map(|(_, fold)| fold);
            evaluation.remember(Past { store, contents: &contents, outer });
        }
        if from == 0 {
            let fits = search.strategy.forecast_fits(params.len(), ground.n_train()) * folds.len();
            let rung = first_rung(candidates.clone(), ladder.as_ref(), &rung_folds);
            observers.search_started(&SearchPlan {
                candidates: params.clone(),
                examples: search.examples(params.len()),
                folds: folds.len(),
                fits: protocol.share(limits.at_most(fits * protocol.replicates)),
                restored: evaluation.restored(&rung),
                replicates: protocol.replicates,
                threads: protocol.executor.threads(),
                scorers: infos.iter().map(|info| info.name.clone()).collect(),
                notes: store.iter().filter_map(|store| store.note()).collect(),
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
    let results = SearchResults::new(infos, params, rows).asked(asked);
    Ok(Explored { results, rungs, estimators, contents, goal })
}

/// What processes that share a store must agree on, besides data and rules: the candidates that the search starts with, the way
/// they are climbed, and what later rounds and rungs depend on.
fn space_of(
    contents: &[Content],
    strategy: &Content,
    ladder: Option<&Ladder>,
    scorer: &ScorerInfo,
) -> String {
    let mut digester = Digester::new();
    contents.iter().for_each(|content| digester.text(content.digest));
    digester.text(strategy.digest);
    digester.text(format_args!("{ladder:?}"));
    digester.text(&scorer.name);
    format!("{} candidates to start with, {}", contents.len(), digester.digest())
}

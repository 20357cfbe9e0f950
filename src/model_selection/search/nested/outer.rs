//! The outer folds: in each a search on its training rows, and the winner fitted on all of them.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use linfa::Float;
use linfa::dataset::TargetDim;

use super::result::{InnerSearch, NestedCrossValidation};
use crate::error::{Error, Result};
use crate::model_selection::engine::budget::Budget;
use crate::model_selection::engine::evaluation::{Evaluation, Past};
use crate::model_selection::engine::fold_rows::FoldRows;
use crate::model_selection::engine::guarded::{guarded, locked};
use crate::model_selection::engine::keeper::Keeper;
use crate::model_selection::engine::known_rows::KnownRows;
use crate::model_selection::engine::limits::Limits;
use crate::model_selection::engine::protocol::Protocol;
use crate::model_selection::engine::rung::Rung;
use crate::model_selection::engine::trainer::{AnyError, Trainer};
use crate::model_selection::evaluate::cross_validate::CrossValidation;
use crate::model_selection::executor::{Executor, FitStore, FoldTasks, OpenFold, Work};
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::target::{Classes, Target};
use crate::model_selection::journal::{Ledger, Study};
use crate::model_selection::observer::{Observers, SearchObserver, SearchPlan, Task};
use crate::model_selection::preparation::Prefixes;
use crate::model_selection::results::{FitRow, FitStatus, Params, ScorerInfo, SearchResults};
use crate::model_selection::scorer::Scorer;
use crate::model_selection::search::builder::Search;
use crate::model_selection::search::candidates::{Candidate, named};
use crate::model_selection::search::rounds::{Ground, check_epochs, climbing, explore};
use crate::model_selection::search::strategy::Strategy;
use crate::model_selection::split::{Split, Splitter};

/// Searches in every outer fold, and scores the winners.
pub(super) fn nested<S, P, F, Y, I, E, T>(
    search: &Search<S, P, F, Y, E>,
    trainer: &T,
    first: Vec<Candidate<P>>,
    data: &DataView<'_, F, Y, I>,
    outer: &dyn Splitter,
) -> Result<NestedCrossValidation>
where
    S: Strategy + Clone,
    P: Clone + Debug + Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
    T: Trainer<P, F, Y, I>,
{
    // Outside, an outer fold is one fit. The winner's epochs, if they are chosen, leave no rows for stopping.
    let outside = Protocol {
        budget: Budget::default(),
        replicates: 1,
        stopping: search.protocol.stopping.filter(|_| search.refit_epochs.is_none()),
        ..search.protocol.clone()
    };
    let inside = Search {
        protocol: Protocol { observers: Observers::default(), shard: None, ..search.protocol.clone() },
        ..search.clone()
    };
    if let Some(keeper) = Keeper::of(&search.protocol)?.filter(|keeper| keeper.is_shared()) {
        return Err(keeper.refused());
    }
    let scorers = outside.scorers()?;
    let infos: Vec<ScorerInfo> = scorers.iter().map(ScorerInfo::of).collect();
    search.refit.check(&infos)?;
    let splits = outside.splits(data, Some(outer))?;
    search.protocol.budget.check()?;
    let known = outside.known(data)?;
    let classes = known.classes.as_ref();
    let folds = outside.fold_rows(&splits, classes)?;
    let inner = splits.iter().map(|split| inner_folds(&inside.protocol, &known, &split.train));
    let inner = inner.collect::<Result<Vec<_>>>()?;
    let inner: Vec<Vec<FoldRows<'_>>> =
        inner.iter().map(|splits| inside.protocol.fold_rows(splits, classes)).collect::<Result<_>>()?;

    let limits = Limits::new(&outside);
    let ledger = checked(&inside, trainer, &first, data, (&folds, &inner, classes))?;
    let observers = &outside.observers;
    observers.search_started(&SearchPlan {
        candidates: vec![Params::default()],
        examples: Vec::new(),
        folds: folds.len(),
        fits: outside.share(folds.len()),
        restored: 0,
        replicates: 1,
        threads: outside.executor.threads(),
        scorers: infos.iter().map(|info| info.name.clone()).collect(),
        notes: ledger.iter().filter_map(FitStore::note).collect(),
    });
    let work = Outer {
        search: &inside,
        trainer,
        first: &first,
        data: data.reborrow(),
        outside: &outside,
        scorers: &scorers,
        limits: &limits,
        folds: &folds,
        inner: &inner,
        classes,
        ledger: ledger.as_ref(),
        found: Mutex::default(),
    };
    let mut rows = work.left_to_others();
    let done = Mutex::new(Vec::new());
    outside.executor.execute(&work, &|row| locked(&done).push(row))?;
    ledger.as_ref().map_or(Ok(()), FitStore::finish)?;
    rows.append(&mut locked(&done));
    rows.sort_by_key(FitRow::task);
    if !rows.iter().any(|row| row.status.is_fitted() || row.status.is_stopped()) {
        let message = rows.first().and_then(|row| row.status.message()).unwrap_or("no search was run");
        return Err(Error::AllFitsFailed { fits: rows.len(), source: message.into() });
    }
    let mut found = work.found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let inner = (0..splits.len()).map(|fold| found.remove(&fold)).collect();
    let scorer = search.refit.place(&infos);
    let results = SearchResults::new(infos, vec![Params::default()], rows);
    observers.search_finished(&results);
    Ok(NestedCrossValidation { outer: CrossValidation::new(results, splits), inner, scorer })
}

/// The folds inside an outer fold, as rows of the whole data set.
fn inner_folds<F: Float, Y: Target>(
    protocol: &Protocol<F, Y>,
    known: &KnownRows,
    train: &[usize],
) -> Result<Vec<Split>> {
    let whole = |rows: Vec<usize>| rows.into_iter().map(|place| train[place]).collect();
    let folds = protocol.divide(&known.select(train), None)?;
    Ok(folds.into_iter().map(|fold| Split { train: whole(fold.train), test: whole(fold.test) }).collect())
}

/// Checks every candidate of the first round against every fold, outside and inside, and opens the journal.
fn checked<'f, S, P, F, Y, I, E, T>(
    inside: &Search<S, P, F, Y, E>,
    trainer: &T,
    first: &[Candidate<P>],
    data: &DataView<'_, F, Y, I>,
    (folds, inner, classes): (&'f [FoldRows<'f>], &'f [Vec<FoldRows<'f>>], Option<&'f Classes>),
) -> Result<Option<Ledger>>
where
    S: Strategy,
    P: Clone + Debug + Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
    T: Trainer<P, F, Y, I>,
{
    let protocol = &inside.protocol;
    let (scorers, limits) = (protocol.scorers()?, Limits::new(protocol));
    let (estimators, params): (Vec<P>, Vec<Params>) =
        first.iter().map(|candidate| (candidate.estimator.clone(), candidate.params.clone())).unzip();
    check_epochs(inside, trainer, &estimators.iter().zip(&params).collect::<Vec<_>>())?;
    let ground = |folds| Ground { folds, classes, outer: None };
    let of_rungs =
        inner.iter().map(|folds| Ok(climbing(inside, (0, first.len()), &ground(folds), T::CONTINUES)?.1));
    let of_rungs = of_rungs.collect::<Result<Vec<_>>>()?;
    let rungs = of_rungs.iter().flatten().map(Vec::as_slice);
    let prefixes = Prefixes::of(&protocol.preparation, &params);
    let all: Vec<FoldRows<'_>> = folds.iter().chain(inner.iter().flatten()).cloned().collect();
    let evaluation =
        Evaluation::new(trainer, &estimators, data.reborrow(), protocol, &scorers, &limits, prefixes);
    let of_all: Vec<&[FoldRows<'_>]> = std::iter::once(&all[..]).chain(rungs).collect();
    evaluation.check(&of_all, |index, error| named(index, &params[index], Box::new(error)))?;
    let open = |journal| {
        let study = evaluation.describe(Study::new(journal).with("search", "in outer folds"), &all)?;
        Ledger::open(journal, &study)
    };
    protocol.journal.as_ref().map(open).transpose()
}

/// The outer folds as the work of an executor.
struct Outer<'n, 'd, S, P, F, Y, I, E, T>
where
    I: TargetDim,
{
    search: &'n Search<S, P, F, Y, E>,
    trainer: &'n T,
    first: &'n [Candidate<P>],
    data: DataView<'d, F, Y, I>,
    outside: &'n Protocol<F, Y>,
    scorers: &'n [Scorer<Y>],
    limits: &'n Limits<'n>,
    folds: &'n [FoldRows<'n>],
    inner: &'n [Vec<FoldRows<'n>>],
    classes: Option<&'n Classes>,
    ledger: Option<&'n Ledger>,
    found: Mutex<BTreeMap<usize, InnerSearch>>,
}

impl<S, P, F, Y, I, E, T> Outer<'_, '_, S, P, F, Y, I, E, T>
where
    S: Strategy + Clone,
    P: Clone + Debug + Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
    T: Trainer<P, F, Y, I>,
{
    /// Where finished fits are kept.
    fn store(&self) -> Option<&dyn FitStore> {
        self.ledger.map(|ledger| ledger as &dyn FitStore)
    }

    /// The row of a fold before its search.
    fn row(&self, fold: usize) -> FitRow {
        let FoldRows { train, stopping, test } = &self.folds[fold];
        let mut row = FitRow::started(Task::new(0, Some(fold)), train.len(), test.len(), self.scorers.len());
        row.stopping_rows = stopping.len();
        row
    }

    /// Why a fold is left to another shard, if it is one of another.
    fn left(&self, fold: usize) -> Option<String> {
        self.outside.shard?.leaves(fold)
    }

    /// The row of another shard's fold.
    fn left_row(&self, fold: usize) -> Option<FitRow> {
        let message = self.left(fold)?;
        Some(FitRow { status: FitStatus::Stopped { message }, ..self.row(fold) })
    }

    /// Whether there is something to do in a fold: another shard's may be in the journal, by other settings too.
    fn is_here(&self, fold: usize) -> bool {
        self.left(fold).is_none() || self.ledger.is_some_and(|ledger| ledger.has_fold(fold))
    }

    /// The folds of other shards of which the journal has nothing.
    fn left_to_others(&self) -> Vec<FitRow> {
        (0..self.folds.len())
            .filter(|fold| !self.is_here(*fold))
            .filter_map(|fold| self.left_row(fold))
            .collect()
    }

    /// Searches on the training rows of a fold, and fits the winner on all of them, unless the journal has its row. Of another
    /// shard's fold nothing is fitted: it is an error when the journal does not have all of it.
    fn run(&self, fold: usize) -> Result<FitRow, AnyError> {
        let observers = &self.outside.observers;
        let task = Task::new(0, Some(fold));
        let start = Instant::now();
        // Whoever watches is told at once, unless it may turn out that all has been done before.
        let told = !self.ledger.is_some_and(|ledger| ledger.has_fold(fold));
        if told {
            observers.fit_started(task);
        }
        let left = self.left(fold);
        let restoring = left.clone().map(|reason| Search {
            protocol: Protocol { executor: Arc::new(NoFits { reason }), ..self.search.protocol.clone() },
            ..self.search.clone()
        });
        let (search, folds) = (restoring.as_ref().unwrap_or(self.search), &self.inner[fold]);
        let ground = Ground { folds, classes: self.classes, outer: Some((self.store(), fold)) };
        let explored = guarded("the inner search", || {
            explore(search, self.trainer, self.first.to_vec(), &self.data, &ground)
        })?;
        let chosen = search.refit.choose(&explored.results);
        let (winner, _) = chosen.map_err(|reason| Error::NoModel { reason, source: None })?;
        let rows = &self.folds[fold];
        let length = search.length(&explored, winner, rows.train.len() + rows.stopping.len());
        let length = length.map_err(|error| AnyError::from(error.to_string()))?;

        let params = &explored.results.candidates()[winner].params;
        let estimators = std::slice::from_ref(&explored.estimators[winner]);
        let prefixes = Prefixes::of(&self.outside.preparation, [params]);
        let data = self.data.reborrow();
        let mut evaluation = Evaluation::new(
            self.trainer,
            estimators,
            data,
            self.outside,
            self.scorers,
            self.limits,
            prefixes,
        );
        if let (Some(store), Some(content)) = (self.store(), explored.contents.get(winner)) {
            evaluation.remember(Past { store, contents: std::slice::from_ref(content), outer: None });
        }
        let rung = Rung { goal: length.goal, epochs: length.epochs, ..Rung::only(0..1, self.folds) };
        let known = evaluation.found(&rung, task)?;
        let restored = known.is_some();
        let row = match known {
            Some(row) => {
                observers.fit_restored(&row);
                row
            }
            None => {
                if let Some(reason) = left {
                    return Err(Error::NoModel { reason, source: None }.into());
                }
                if !told {
                    observers.fit_started(task);
                }
                let (mut row, _) = evaluation.replay(&rung, task)?;
                row.fit_seconds = start.elapsed().as_secs_f64() - row.score_seconds;
                let inner = explored.results.rows().iter().map(|row| row.cpu_seconds);
                row.cpu_seconds = inner.chain([row.cpu_seconds]).sum();
                evaluation.write_down(&rung, &row);
                row
            }
        };
        let scorer = search.refit.place(explored.results.scorers());
        locked(&self.found).insert(fold, InnerSearch { results: explored.results, winner, scorer });
        if !restored {
            observers.fit_finished(&row);
        }
        Ok(row)
    }
}

impl<S, P, F, Y, I, E, T> Work for Outer<'_, '_, S, P, F, Y, I, E, T>
where
    S: Strategy + Clone,
    P: Clone + Debug + Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
    T: Trainer<P, F, Y, I>,
{
    fn folds(&self) -> Vec<FoldTasks> {
        let tasks = |fold| FoldTasks { fold, prefix: 0, tasks: vec![Task::new(0, Some(fold))] };
        (0..self.folds.len()).filter(|fold| self.is_here(*fold)).map(tasks).collect()
    }

    fn open<'o>(&'o self, _: &FoldTasks) -> Box<dyn OpenFold + 'o> {
        Box::new(OuterFold(self))
    }
}

/// Runs no fit, so that a search comes to its end with the rows that a store has, or not at all.
#[derive(Debug)]
struct NoFits {
    reason: String,
}

impl Executor for NoFits {
    fn threads(&self) -> usize {
        1
    }

    fn execute(&self, work: &dyn Work, _: &(dyn Fn(FitRow) + Sync)) -> Result<()> {
        if work.folds().is_empty() {
            return Ok(());
        }
        Err(Error::NoModel { reason: self.reason.clone(), source: None })
    }
}

/// An outer fold is opened when its winner is known, by what the winner has chosen.
struct OuterFold<'o, 'n, 'd, S, P, F, Y, I: TargetDim, E, T>(&'o Outer<'n, 'd, S, P, F, Y, I, E, T>);

impl<S, P, F, Y, I, E, T> OpenFold for OuterFold<'_, '_, '_, S, P, F, Y, I, E, T>
where
    S: Strategy + Clone,
    P: Clone + Debug + Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
    T: Trainer<P, F, Y, I>,
{
    fn fit(&self, task: Task) -> FitRow {
        let Self(outer) = *self;
        let fold = task.fold.unwrap_or(0);
        let stopped = |reason| FitStatus::Stopped { message: format!("{reason} before the search started") };
        if outer.ledger.is_some_and(FitStore::is_broken) {
            // The validation ends with the journal's error, and nobody sees this row.
            return FitRow { status: stopped("the journal cannot be written".into()), ..outer.row(fold) };
        }
        let observers = &outer.outside.observers;
        let ended = match outer.limits.stop.reason() {
            Some(reason) => stopped(reason),
            None => match outer.run(fold) {
                Ok(row) => return row,
                Err(error) => match outer.left_row(fold) {
                    Some(row) => return row,
                    None => FitStatus::of_error(&*error),
                },
            },
        };
        let row = FitRow { status: ended, ..outer.row(fold) };
        observers.fit_finished(&row);
        row
    }
}

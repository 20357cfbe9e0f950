//! Observers: who watches a search.
//!
//! The library prints nothing by itself. A [`SearchObserver`] is told what happens; a list of observers is an observer
//! too. Calls come from the threads that fit, so an observer is `Sync` and should be quick.

mod closures;
#[cfg(feature = "progress")]
mod progress_bar;
#[cfg(feature = "tensorboard")]
mod tensorboard;

pub use closures::{OnFit, OnProgress};
#[cfg(feature = "progress")]
pub use progress_bar::SearchProgress;
#[cfg(feature = "tensorboard")]
pub use tensorboard::SearchTensorBoard;

use std::sync::Arc;

use super::results::{FitRow, Params, SearchResults};
use crate::error::Result;

/// One fit of a search, and what tells it from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Task {
    /// The candidate, from 0.
    pub candidate: usize,
    /// The rung, from 0; searches that train every candidate once have no other.
    #[serde(default)]
    pub rung: usize,
    /// The fold, from 0; none is the refit on all rows.
    pub fold: Option<usize>,
    /// The replicate with a seed of its own, from 0.
    #[serde(default)]
    pub replicate: usize,
}

impl Task {
    /// A candidate in a fold, in the first rung and the first replicate.
    #[must_use]
    pub fn new(candidate: usize, fold: Option<usize>) -> Self {
        Task { candidate, rung: 0, fold, replicate: 0 }
    }
}

/// What is about to be done.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SearchPlan {
    /// The parameters of the candidates that are known when the search starts, in order.
    pub candidates: Vec<Params>,
    /// Parameters such as candidates still to be proposed may have, a thousand drawn by chance from the space: whoever needs to know
    /// all names before the first fit finds them here. None, when all candidates are known.
    pub examples: Vec<Params>,
    /// The number of folds.
    pub folds: usize,
    /// The number of fits, without the refit; with those of candidates still to be proposed.
    pub fits: usize,
    /// How many fits of these candidates a journal or a shared store has already, of their first rung: their rows are restored.
    pub restored: usize,
    /// The fits of each candidate in each fold, with seeds of their own.
    pub replicates: usize,
    /// The threads that fits can run on.
    pub threads: usize,
    /// The scorers' names; the first decides.
    pub scorers: Vec<String>,
    /// What else there is to say, for instance that the last line of a journal was unfinished.
    pub notes: Vec<String>,
}

/// A rung that is about to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StartedRung {
    /// The round of candidates, from 0.
    pub round: usize,
    /// Its place in the round, from 0.
    pub rung: usize,
    /// Its candidates.
    pub candidates: Vec<usize>,
    /// How far it trains: epochs, updates or rows.
    pub resource: u64,
}

/// How far a fit is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Epochs or iterations done.
    pub done: usize,
    /// How many there are to be.
    pub of: usize,
    /// The loss at this point.
    pub loss: f64,
}

/// Told what happens in a search. Every method does nothing unless it is written.
///
/// In a search of c candidates and k folds, `fit_started` and `fit_finished` come c · k times each, also for fits that
/// fail, and with r replicates or rungs so many times more; a fit that a budget or a stop flag keeps from starting is
/// finished without having been started, and so is one that another process did while the search runs. A fit whose row was there
/// before, in a journal or a shared store, is neither: `fit_restored` comes instead. The other methods come once, and the two of the refit only when there is one.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use linfa::traits::Fit;
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{FitRow, GridSearch, KFold, SearchObserver};
///
/// static FINISHED: AtomicUsize = AtomicUsize::new(0);
///
/// struct Count;
/// impl SearchObserver for Count {
///     fn fit_finished(&self, _: &FitRow) {
///         FINISHED.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// let search = GridSearch::new(ElasticNet::params())
///     .axis("penalty", [0.1, 1.0], |p, v| p.penalty(v))
///     .cv(KFold::new(3));
/// search.observer(Count).fit(&linfa_datasets::diabetes())?;
/// assert_eq!(FINISHED.load(Ordering::Relaxed), 6);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub trait SearchObserver: Send + Sync {
    /// Says whether it can watch, before anything else: the search ends with the error.
    ///
    /// # Errors
    ///
    /// What keeps it from watching, for instance a directory that cannot be made.
    fn ready(&self) -> Result<()> {
        Ok(())
    }

    /// The grid and the folds are checked, the first fit is about to start.
    fn search_started(&self, plan: &SearchPlan) {
        let _ = plan;
    }

    /// A search that learns from its results has proposed more candidates; the first of them has that number.
    fn candidates_added(&self, first: usize, candidates: &[Params]) {
        let _ = (first, candidates);
    }

    /// A rung starts, in a search that has them.
    fn rung_started(&self, rung: &StartedRung) {
        let _ = rung;
    }

    /// The row of a fit was found in a journal or a shared store.
    fn fit_restored(&self, row: &FitRow) {
        let _ = row;
    }

    /// A fit starts.
    fn fit_started(&self, task: Task) {
        let _ = task;
    }

    /// A fit says how far it is; only estimators of the fast path do, this crate's after every epoch.
    fn fit_progress(&self, task: Task, progress: Progress) {
        let _ = (task, progress);
    }

    /// A fit was scored or failed, here or in another process. With a journal, its row is on the disk by now.
    fn fit_finished(&self, row: &FitRow) {
        let _ = row;
    }

    /// The best candidate is fitted on all rows.
    fn refit_started(&self, candidate: usize) {
        let _ = candidate;
    }

    /// The refit is done, with what went wrong if it failed.
    fn refit_finished(&self, candidate: usize, problem: Option<&str>) {
        let _ = (candidate, problem);
    }

    /// Everything is done.
    fn search_finished(&self, results: &SearchResults) {
        let _ = results;
    }
}

/// A list of observers, told in order.
#[derive(Clone, Default)]
pub(crate) struct Observers(Vec<Arc<dyn SearchObserver>>);

impl std::fmt::Debug for Observers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Observers").field(&self.0.len()).finish()
    }
}

impl Observers {
    pub(crate) fn is_any(&self) -> bool {
        !self.0.is_empty()
    }

    pub(crate) fn push(&mut self, observer: Arc<dyn SearchObserver>) {
        self.0.push(observer);
    }
}

impl SearchObserver for Observers {
    fn ready(&self) -> Result<()> {
        self.0.iter().try_for_each(|observer| observer.ready())
    }

    fn search_started(&self, plan: &SearchPlan) {
        self.0.iter().for_each(|observer| observer.search_started(plan));
    }

    fn candidates_added(&self, first: usize, candidates: &[Params]) {
        self.0.iter().for_each(|observer| observer.candidates_added(first, candidates));
    }

    fn rung_started(&self, rung: &StartedRung) {
        self.0.iter().for_each(|observer| observer.rung_started(rung));
    }

    fn fit_restored(&self, row: &FitRow) {
        self.0.iter().for_each(|observer| observer.fit_restored(row));
    }

    fn fit_started(&self, task: Task) {
        self.0.iter().for_each(|observer| observer.fit_started(task));
    }

    fn fit_progress(&self, task: Task, progress: Progress) {
        self.0.iter().for_each(|observer| observer.fit_progress(task, progress));
    }

    fn fit_finished(&self, row: &FitRow) {
        self.0.iter().for_each(|observer| observer.fit_finished(row));
    }

    fn refit_started(&self, candidate: usize) {
        self.0.iter().for_each(|observer| observer.refit_started(candidate));
    }

    fn refit_finished(&self, candidate: usize, problem: Option<&str>) {
        self.0.iter().for_each(|observer| observer.refit_finished(candidate, problem));
    }

    fn search_finished(&self, results: &SearchResults) {
        self.0.iter().for_each(|observer| observer.search_finished(results));
    }
}

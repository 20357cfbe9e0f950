//! Executors: where fits run.
//!
//! The [`Work`] of a search is a list of tasks, one for each candidate and fold (and replicate). A search with rungs
//! has one work for each rung. An [`Executor`] opens a fold, which
//! prepares what its candidates share, fits candidates in it, and hands every [`FitRow`] back; closing the fold (dropping
//! it) frees its memory. Rows are plain data that can be written down, so an executor may also fetch them from elsewhere:
//! a row is worth the same wherever its fit ran.
//!
//! [`RayonExecutor`] is the default. An executor whose fits run in many processes has a [`SharedStore`], in which they find each
//! other's rows.

#[cfg(feature = "postgres")]
mod postgres;
mod rayon;
mod store;

#[cfg(feature = "postgres")]
pub use self::postgres::{CandidateStatus, Postgres, StudyStatus};
pub use self::rayon::RayonExecutor;
pub use self::store::{FitStore, Joined, SharedStore};

use super::journal::TaskKey;
use super::observer::Task;
use super::results::{FitRow, FitStatus, Params};
use crate::error::Result;

/// The fits of a search.
pub trait Work: Sync {
    /// The folds with the fits that are to run in each.
    fn folds(&self) -> Vec<FoldTasks>;

    /// Prepares a fold: fits its transformers, gathers what its candidates share.
    ///
    /// A fold that cannot be prepared still opens; each fit in it then fails with the reason.
    fn open<'a>(&'a self, fold: &FoldTasks) -> Box<dyn OpenFold + 'a>;

    /// What every process calls a fit; none when no store is shared.
    fn key(&self, task: Task) -> Option<TaskKey> {
        let _ = task;
        None
    }

    /// The parameters of the candidate, for those who read what is stored.
    fn params(&self, task: Task) -> Params {
        let _ = task;
        Params::default()
    }

    /// A row from elsewhere as the row of this task, whose candidate may have another number there; none when it cannot be of
    /// this fit.
    fn restore(&self, task: Task, row: FitRow) -> Option<FitRow> {
        Some(FitRow { candidate: task.candidate, rung: task.rung, ..row })
    }

    /// The row of a fit that failed for this reason without being tried here, because it has ended every process that did.
    fn given_up(&self, task: Task, message: String) -> FitRow {
        FitRow { status: FitStatus::Failed { message }, ..FitRow::started(task, 0, 0, 0) }
    }

    /// Whether the row is that of a whole fit. One that was stopped, or may have been, is for this process alone.
    fn counts(&self, row: &FitRow) -> bool {
        !row.status.is_stopped()
    }

    /// Whether the search is to end: fits that are asked for now come back at once, as stopped.
    fn is_stopped(&self) -> bool {
        false
    }
}

/// The fits that are to run in a fold with the same preprocessing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldTasks {
    /// The fold, from 0.
    pub fold: usize,
    /// Which preprocessing, from 0, where candidates choose one.
    pub prefix: usize,
    /// Its fits.
    pub tasks: Vec<Task>,
}

/// A fold that is ready for its fits.
pub trait OpenFold: Send + Sync {
    /// Fits and scores a candidate. It never panics: whatever happens is in the row. Once the search wants to end, it comes
    /// back at once.
    fn fit(&self, task: Task) -> FitRow;
}

/// Runs the fits of a search.
///
/// # Examples
///
/// ```
/// use linfa::traits::Fit;
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{Executor, FitRow, GridSearch, KFold, Work};
///
/// #[derive(Debug)]
/// struct OneByOne;
///
/// impl Executor for OneByOne {
///     fn threads(&self) -> usize {
///         1
///     }
///
///     fn execute(&self, work: &dyn Work, done: &(dyn Fn(FitRow) + Sync)) -> linfa_mlp::Result<()> {
///         for fold in work.folds() {
///             let open = work.open(&fold);
///             fold.tasks.iter().for_each(|&task| done(open.fit(task)));
///         }
///         Ok(())
///     }
/// }
///
/// let search = GridSearch::new(ElasticNet::params())
///     .axis("penalty", [0.1, 1.0], |p, v| p.penalty(v))
///     .cv(KFold::new(3));
/// let diabetes = linfa_datasets::diabetes();
/// let found = search.clone().executor(OneByOne).fit(&diabetes)?;
/// assert_eq!(found.best_score(), search.fit(&diabetes)?.best_score());
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub trait Executor: std::fmt::Debug + Send + Sync {
    /// The number of fits that can run at a time.
    fn threads(&self) -> usize;

    /// The store that it shares with other processes, if it does.
    ///
    /// A search then [joins](SharedStore::join) it and runs its fits by what it has joined, never by this value.
    fn store(&self) -> Option<&dyn SharedStore> {
        None
    }

    /// Sees to it that every task's row is given to `done` once, in any order and from any thread.
    ///
    /// # Errors
    ///
    /// What keeps the executor from running tasks. A fit that fails is no error: its row says so.
    fn execute(&self, work: &dyn Work, done: &(dyn Fn(FitRow) + Sync)) -> Result<()>;
}

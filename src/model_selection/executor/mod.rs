//! Executors: where fits run.
//!
//! The [`Work`] of a search is a list of tasks, one for each candidate and fold (and replicate). A search with rungs
//! has one work for each rung. An [`Executor`] opens a fold, which
//! prepares what its candidates share, fits candidates in it, and hands every [`FitRow`] back; closing the fold (dropping
//! it) frees its memory. Rows are plain data that can be written down, so an executor may also fetch them from elsewhere:
//! a row is worth the same wherever its fit ran.
//!
//! [`RayonExecutor`] is the default.

mod rayon;

pub use self::rayon::RayonExecutor;

use super::observer::Task;
use super::results::FitRow;
use crate::error::Result;

/// The fits of a search.
pub trait Work: Sync {
    /// The folds with the fits that are to run in each.
    fn folds(&self) -> Vec<FoldTasks>;

    /// Prepares a fold: fits its transformers, gathers what its candidates share.
    ///
    /// A fold that cannot be prepared still opens; each fit in it then fails with the reason.
    fn open<'a>(&'a self, fold: &FoldTasks) -> Box<dyn OpenFold + 'a>;
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
pub trait Executor: std::fmt::Debug + Send + Sync {
    /// The number of fits that can run at a time.
    fn threads(&self) -> usize;

    /// Sees to it that every task's row is given to `done` once, in any order and from any thread.
    ///
    /// # Errors
    ///
    /// What keeps the executor from running tasks. A fit that fails is no error: its row says so.
    fn execute(&self, work: &dyn Work, done: &(dyn Fn(FitRow) + Sync)) -> Result<()>;
}

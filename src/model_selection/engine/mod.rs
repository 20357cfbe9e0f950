//! The engine: candidates × folds, whatever the estimator and wherever fits run.
//!
//! ```text
//! Protocol     what evaluations and searches share: splitter, scorers, preparation, executor, budget …
//! Keeper       where finished fits are kept: a journal, or a store that processes share
//! FoldRows     the rows of a fold: to fit on, to stop by, to score
//! Trainer      how candidates are trained in a fold: linfa's Fit on gathered rows, or FitRows on one copy
//! Evaluation   one rung: the Work of an Executor, rows of results out of it
//! ```

pub(super) mod budget;
mod cpu_time;
pub(super) mod evaluation;
pub(super) mod fold_rows;
pub(super) mod guarded;
pub(super) mod keeper;
pub(super) mod known_rows;
pub(super) mod limits;
pub(super) mod protocol;
pub(super) mod rung;
pub(super) mod shard;
pub(super) mod stop;
pub(super) mod trainer;

pub use budget::Budget;

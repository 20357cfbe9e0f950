//! Stores: where the rows of finished fits are kept, by one process or by many.

use std::fmt::Debug;
use std::sync::Arc;

use super::Executor;
use crate::error::Result;
use crate::model_selection::journal::{Digest, StateOf, Study, TaskKey};
use crate::model_selection::results::{FitRow, Params};

/// Keeps the rows of a study's finished fits, and what unfinished training needs to go on.
///
/// A journal is one, and so is what an executor's processes share. Only [`row`](FitStore::row) must be written: a store whose
/// executor writes rows itself, before it hands them back, leaves the rest as it is.
pub trait FitStore: Debug + Send + Sync {
    /// The row of a fit, if it is known to be finished.
    ///
    /// # Errors
    ///
    /// What is wrong with a row of which `could_be` says that it cannot be of this fit.
    fn row(&self, task: &TaskKey, could_be: &dyn Fn(&FitRow) -> bool) -> Result<Option<FitRow>>;

    /// Writes down a fit that finished here. What goes wrong is said by [`finish`](FitStore::finish).
    fn append(&self, task: &TaskKey, params: &Params, row: &FitRow) {
        let _ = (task, params, row);
    }

    /// Whether a row could not be written: no fit should be started then.
    fn is_broken(&self) -> bool {
        false
    }

    /// Says that all rows are kept.
    ///
    /// # Errors
    ///
    /// The reason why one is not.
    fn finish(&self) -> Result<()> {
        Ok(())
    }

    /// Keeps what a fit needs to go on. It saves time and nothing else: what is lost is trained again, to the same bytes.
    fn store_state(&self, of: StateOf, bytes: &[u8]) {
        let _ = (of, bytes);
    }

    /// What was kept of a fit, if it is still there.
    fn load_state(&self, of: StateOf) -> Option<Vec<u8>> {
        let _ = of;
        None
    }

    /// A rung is over, of the search in an outer fold if there are such: these candidates go on, those do not.
    fn keep_states(&self, outer: Option<usize>, promoted: &[Digest], dropped: &[Digest]) {
        let _ = (outer, promoted, dropped);
    }

    /// What whoever watches the search should know.
    fn note(&self) -> Option<String> {
        None
    }
}

/// The store that the processes of an executor share. Every process runs the whole program: it computes candidates, rungs and
/// ranking from the same rows, so that all agree without a word.
pub trait SharedStore {
    /// Stands for code that has no settings, as the [tag of a journal](crate::model_selection::Journal::tag).
    fn tag(&self) -> Option<&str>;

    /// Joins the other processes at a study.
    ///
    /// # Errors
    ///
    /// What keeps it from joining, above all another study under the same name.
    fn join(&self, study: &Study) -> Result<Joined>;
}

/// A study that a process has joined: the rows that are there already, and who runs the other fits.
#[derive(Clone, Debug)]
pub struct Joined {
    /// Its rows and states.
    pub store: Arc<dyn FitStore>,
    /// Runs one work of this study after the other: every process the same ones, in the same order.
    pub executor: Arc<dyn Executor>,
}

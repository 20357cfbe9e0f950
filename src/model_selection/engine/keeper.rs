//! Where a search keeps its finished fits.

use std::sync::Arc;

use crate::error::{Error, Result, check};
use crate::model_selection::engine::protocol::Protocol;
use crate::model_selection::executor::{FitStore, Joined, SharedStore};
use crate::model_selection::journal::{Journal, Ledger, Study, Tag};

/// A journal that this process alone writes, or the store that the executor's processes share.
#[derive(Clone, Copy)]
pub(crate) enum Keeper<'a> {
    Journal(&'a Journal),
    Shared(&'a dyn SharedStore),
}

impl<'a> Keeper<'a> {
    /// What the protocol asks for.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for both at once, and for an empty tag.
    pub(crate) fn of<F, Y>(protocol: &'a Protocol<F, Y>) -> Result<Option<Self>> {
        match (&protocol.journal, protocol.executor.store()) {
            (None, None) => Ok(None),
            (Some(journal), None) => Ok(Some(Keeper::Journal(journal))),
            (None, Some(shared)) => {
                check("tag of the executor", "empty", shared.tag() != Some(""), "at least one letter")?;
                Ok(Some(Keeper::Shared(shared)))
            }
            (Some(journal), Some(_)) => {
                let allowed = "unset for an executor that keeps the rows itself";
                Err(Error::parameter("journal", journal.path().display(), allowed))
            }
        }
    }

    /// What stands for code that has no settings.
    pub(crate) fn tag(self) -> Tag<'a> {
        match self {
            Keeper::Journal(journal) => journal.into(),
            Keeper::Shared(shared) => Tag { of: "executor", text: shared.tag() },
        }
    }

    /// Whether other processes are to find the same candidates.
    pub(crate) fn is_shared(self) -> bool {
        matches!(self, Keeper::Shared(_))
    }

    /// The store of a study, and the executor where it is not the protocol's own.
    ///
    /// # Errors
    ///
    /// As [`Ledger::open`] and [`SharedStore::join`].
    pub(crate) fn open<F, Y>(self, study: &Study, protocol: &Protocol<F, Y>) -> Result<Joined> {
        match self {
            Keeper::Journal(journal) => {
                let store: Arc<dyn FitStore> = Arc::new(Ledger::open(journal, study)?);
                Ok(Joined { store, executor: Arc::clone(&protocol.executor) })
            }
            Keeper::Shared(shared) => shared.join(study),
        }
    }

    /// The error of an evaluation that keeps more of a fit than its row.
    pub(crate) fn refused(self) -> Error {
        match self {
            Keeper::Journal(journal) => {
                let allowed = "unset where more is kept of a fit than its row, which a journal does not have";
                Error::parameter("journal", journal.path().display(), allowed)
            }
            Keeper::Shared(_) => {
                let allowed = "one of this process where more is kept of a fit than its row";
                Error::parameter("executor", "one of many processes", allowed)
            }
        }
    }
}

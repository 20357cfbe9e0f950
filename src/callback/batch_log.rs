//! Rows of the history for single batches.

use serde::{Deserialize, Serialize};

use super::{Callback, View};
use crate::error::{Result, check};
use crate::part::Configured;

/// Keeps the running loss and metrics of single batches in [`History::batches`](crate::history::History::batches).
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | `every` | 1 | each that many updates; ≥ 1 |
///
/// As in Keras the values are those of the epoch so far, not of the batch alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchLog {
    /// Updates between two rows.
    pub every: u64,
}

impl Default for BatchLog {
    fn default() -> Self {
        BatchLog { every: 1 }
    }
}

impl Configured for BatchLog {
    const NAME: &'static str = "batch_log";

    fn check(&self) -> Result<()> {
        check("every", self.every, self.every >= 1, "at least 1")
    }
}

impl Callback for BatchLog {
    fn on_batch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        if view.step().is_multiple_of(self.every) {
            view.log_batch();
        }
        Ok(())
    }
}

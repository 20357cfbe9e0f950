//! Stopping after some time, or some updates.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::handle::Handle;
use super::{Callback, View};
use crate::error::{Result, check};
use crate::part::Configured;

/// Stops at the first batch that ends after so many seconds.
///
/// | setting | range |
/// | --- | --- |
/// | `seconds` | wall-clock, ≥ 0; the default never stops |
///
/// Times are no part of a run: one that goes on after a load has its seconds anew. The epoch under way is closed, with the
/// batches it had. How far such a run comes depends on the machine; [`UpdateBudget`] does not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeBudget {
    seconds: f64,
    #[serde(skip)]
    start: Handle<Instant>,
}

impl TimeBudget {
    /// That many seconds.
    #[must_use]
    pub fn seconds(seconds: f64) -> Self {
        TimeBudget { seconds, start: Handle::default() }
    }
}

impl Default for TimeBudget {
    fn default() -> Self {
        TimeBudget::seconds(f64::MAX)
    }
}

impl Configured for TimeBudget {
    const NAME: &'static str = "time_budget";

    fn check(&self) -> Result<()> {
        check(
            "seconds",
            self.seconds,
            self.seconds.is_finite() && self.seconds >= 0.0,
            "finite and at least 0",
        )
    }
}

impl Callback for TimeBudget {
    fn on_train_begin(&mut self, _view: &mut View<'_>) -> Result<()> {
        self.start.0 = Some(Instant::now());
        Ok(())
    }

    fn on_epoch_begin(&mut self, _view: &mut View<'_>) -> Result<()> {
        self.start.0.get_or_insert_with(Instant::now);
        Ok(())
    }

    fn on_batch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        if self.start.0.get_or_insert_with(Instant::now).elapsed().as_secs_f64() >= self.seconds {
            view.stop(format!("{} s are over", self.seconds));
        }
        Ok(())
    }
}

/// Stops after so many updates, counted from the beginning of training; of an optimizer that accumulates gradients,
/// every batch counts.
///
/// | setting | range |
/// | --- | --- |
/// | `updates` | ≥ 1; the default never stops |
///
/// The epoch under way is closed, with the batches it had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateBudget {
    updates: u64,
}

impl UpdateBudget {
    /// That many updates.
    #[must_use]
    pub fn updates(updates: u64) -> Self {
        UpdateBudget { updates }
    }
}

impl Default for UpdateBudget {
    fn default() -> Self {
        UpdateBudget::updates(u64::MAX)
    }
}

impl Configured for UpdateBudget {
    const NAME: &'static str = "update_budget";

    fn check(&self) -> Result<()> {
        check("updates", self.updates, self.updates >= 1, "at least 1")
    }
}

impl Callback for UpdateBudget {
    fn on_batch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        if view.step() >= self.updates {
            view.stop(format!("{} updates are made", view.step()));
        }
        Ok(())
    }
}

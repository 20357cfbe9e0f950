//! Lines of progress.

use serde::{Deserialize, Serialize};

use super::{Callback, View};
use crate::error::Result;
use crate::part::Configured;

/// Prints a line per epoch to standard error, as Keras' `verbose=2`:
///
/// ```text
/// epoch 3/10 · 0.42 s · loss 0.2181 · accuracy 0.9347 · val_loss 0.1902 · val_accuracy 0.9431
/// ```
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | `every` | 1 | print each that many epochs, and the last; ≥ 1 |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Verbose {
    /// Epochs between two lines.
    pub every: usize,
}

impl Default for Verbose {
    fn default() -> Self {
        Verbose { every: 1 }
    }
}

impl Configured for Verbose {
    const NAME: &'static str = "verbose";

    fn check(&self) -> Result<()> {
        crate::error::check("every", self.every, self.every >= 1, "at least 1")
    }
}

impl Callback for Verbose {
    fn on_epoch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        if view.epoch().is_multiple_of(self.every) || view.epoch() == view.epochs() {
            eprintln!("{}", line(view));
        }
        Ok(())
    }
}

/// The line of an epoch.
pub(super) fn line(view: &View<'_>) -> String {
    format!("epoch {}/{} · {:.2} s{}", view.epoch(), view.epochs(), view.seconds(), values(view))
}

/// The values there are, each after a dot.
pub(super) fn values(view: &View<'_>) -> String {
    let values = view.values().filter(|(name, _)| *name != "learning_rate");
    values.map(|(name, value)| format!(" · {name} {value:.4}")).collect()
}

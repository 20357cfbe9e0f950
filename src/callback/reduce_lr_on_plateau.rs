//! A smaller learning rate when a value no longer improves.

use serde::{Deserialize, Serialize};

use super::{Callback, Monitor, View};
use crate::error::{Result, check};
use crate::part::Configured;

/// Multiplies the learning rate by `factor` when a monitored value has not improved for some epochs.
///
/// ```text
/// rate ← max(rate · factor, min_learning_rate)   after `patience` epochs without an improvement by more than min_delta
/// ```
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `monitor` | `val_loss` | a value of the run |
/// | `factor` | 0.1 | 0 < factor < 1 |
/// | `patience` | 10 | 0 acts as 1, as in Keras |
/// | `min_delta` | 10⁻⁴ | finite, ≥ 0 |
/// | `cooldown` | 0 | epochs after a reduction that do not count |
/// | `min_learning_rate` | 0 | finite, ≥ 0 |
///
/// The factor applies to all that the optimizer's schedule gives from then on.
///
/// # References
///
/// Keras 3, `keras/src/callbacks/reduce_lr_on_plateau.py`. It refuses an optimizer that has a schedule, and gives no
/// direction to metrics it does not know.
#[doc(alias = "ReduceLROnPlateau")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReduceLrOnPlateau {
    monitor: Monitor,
    factor: f64,
    patience: usize,
    min_delta: f64,
    cooldown: usize,
    min_learning_rate: f64,
    /// What has been seen: part of the run, not of the settings.
    #[serde(skip_serializing_if = "Watch::is_fresh")]
    watch: Watch,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Watch {
    best: Option<f64>,
    wait: usize,
    cooling: usize,
}

impl Watch {
    fn is_fresh(&self) -> bool {
        *self == Watch::default()
    }
}

impl ReduceLrOnPlateau {
    /// Watches that value: `ValLoss`, `Val(Accuracy)` … (see [`Monitor`]).
    #[must_use]
    pub fn on(monitor: impl Into<Monitor>) -> Self {
        ReduceLrOnPlateau { monitor: monitor.into(), ..ReduceLrOnPlateau::default() }
    }

    /// What the learning rate is multiplied by.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Epochs without improvement after which the learning rate is reduced.
    #[must_use]
    pub fn patience(mut self, patience: usize) -> Self {
        self.patience = patience;
        self
    }

    /// The least change that counts as an improvement.
    #[must_use]
    pub fn min_delta(mut self, min_delta: f64) -> Self {
        self.min_delta = min_delta;
        self
    }

    /// Epochs after a reduction that do not count.
    #[must_use]
    pub fn cooldown(mut self, epochs: usize) -> Self {
        self.cooldown = epochs;
        self
    }

    /// The learning rate below which it is not reduced.
    #[must_use]
    #[doc(alias = "min_lr")]
    pub fn min_learning_rate(mut self, rate: f64) -> Self {
        self.min_learning_rate = rate;
        self
    }
}

impl Default for ReduceLrOnPlateau {
    fn default() -> Self {
        ReduceLrOnPlateau {
            monitor: Monitor::default(),
            factor: 0.1,
            patience: 10,
            min_delta: 1e-4,
            cooldown: 0,
            min_learning_rate: 0.0,
            watch: Watch::default(),
        }
    }
}

impl Configured for ReduceLrOnPlateau {
    const NAME: &'static str = "reduce_lr_on_plateau";

    fn check(&self) -> Result<()> {
        let factor = self.factor;
        check("factor", factor, factor > 0.0 && factor < 1.0, "above 0 and below 1")?;
        let delta = self.min_delta;
        check("min_delta", delta, delta.is_finite() && delta >= 0.0, "finite and at least 0")?;
        let least = self.min_learning_rate;
        check("min_learning_rate", least, least.is_finite() && least >= 0.0, "finite and at least 0")
    }
}

impl Callback for ReduceLrOnPlateau {
    fn monitor(&self) -> Option<&Monitor> {
        Some(&self.monitor)
    }

    fn on_train_begin(&mut self, view: &mut View<'_>) -> Result<()> {
        self.monitor.check(view)
    }

    fn on_epoch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        if self.watch.cooling > 0 {
            self.watch.cooling -= 1;
            self.watch.wait = 0;
        }
        if self.monitor.improves(view, self.watch.best, self.min_delta) {
            self.watch.best = Some(self.monitor.value(view));
            self.watch.wait = 0;
        } else if self.watch.cooling == 0 {
            self.watch.wait += 1;
            if self.watch.wait >= self.patience.max(1) {
                let rate = view.learning_rate();
                if rate > self.min_learning_rate {
                    view.set_learning_rate((rate * self.factor).max(self.min_learning_rate))?;
                    self.watch.cooling = self.cooldown;
                    self.watch.wait = 0;
                }
            }
        }
        Ok(())
    }
}

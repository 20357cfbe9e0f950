//! Stopping when a value no longer improves.

use serde::{Deserialize, Serialize};

use super::{Callback, Monitor, View};
use crate::error::{Result, check};
use crate::part::Configured;

/// Stops when a monitored value has not improved for some epochs.
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `monitor` | `val_loss` | a value of the run |
/// | `min_delta` | 0 | finite, ≥ 0 |
/// | `patience` | 0 | |
/// | `baseline` | none | the value must beat it to reset the patience |
/// | `start_from_epoch` | 0 | epochs not watched |
/// | `restore_best_weights` | false | |
///
/// Which values are better is the metric's own affair. NaN never improves, nor does an infinity, so a first epoch without a
/// value is not kept as the best one (Keras keeps it). A patience of 0 acts as 1, as in Keras: it stops at the first epoch
/// that does not improve. With `restore_best_weights` predictions use the weights of the best epoch, whoever ended the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStopping {
    monitor: Monitor,
    min_delta: f64,
    patience: usize,
    baseline: Option<f64>,
    start_from_epoch: usize,
    restore_best_weights: bool,
    /// What has been seen: part of the run, not of the settings.
    #[serde(skip_serializing_if = "Watch::is_fresh")]
    watch: Watch,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Watch {
    best: Option<f64>,
    best_epoch: usize,
    wait: usize,
}

impl Watch {
    fn is_fresh(&self) -> bool {
        *self == Watch::default()
    }
}

impl EarlyStopping {
    /// Watches that value: `ValLoss`, `Val(Accuracy)`, `"val_accuracy"` … (see [`Monitor`]).
    #[must_use]
    pub fn on(monitor: impl Into<Monitor>) -> Self {
        EarlyStopping { monitor: monitor.into(), ..EarlyStopping::default() }
    }

    /// The least change that counts as an improvement.
    #[must_use]
    pub fn min_delta(mut self, min_delta: f64) -> Self {
        self.min_delta = min_delta;
        self
    }

    /// Epochs without improvement after which training stops.
    #[must_use]
    pub fn patience(mut self, patience: usize) -> Self {
        self.patience = patience;
        self
    }

    /// A value that has to be beaten before patience starts anew.
    #[must_use]
    pub fn baseline(mut self, baseline: f64) -> Self {
        self.baseline = Some(baseline);
        self
    }

    /// Epochs at the beginning that are not watched.
    #[must_use]
    pub fn start_from_epoch(mut self, epoch: usize) -> Self {
        self.start_from_epoch = epoch;
        self
    }

    /// Predict with the weights of the best epoch.
    #[must_use]
    pub fn restore_best_weights(mut self) -> Self {
        self.restore_best_weights = true;
        self
    }
}

impl Default for EarlyStopping {
    fn default() -> Self {
        EarlyStopping {
            monitor: Monitor::default(),
            min_delta: 0.0,
            patience: 0,
            baseline: None,
            start_from_epoch: 0,
            restore_best_weights: false,
            watch: Watch::default(),
        }
    }
}

impl Configured for EarlyStopping {
    const NAME: &'static str = "early_stopping";

    fn check(&self) -> Result<()> {
        let delta = self.min_delta;
        check("min_delta", delta, delta.is_finite() && delta >= 0.0, "finite and at least 0")?;
        let baseline = self.baseline.unwrap_or(0.0);
        check("baseline", baseline, baseline.is_finite(), "finite")
    }
}

impl Callback for EarlyStopping {
    fn monitor(&self) -> Option<&Monitor> {
        Some(&self.monitor)
    }

    fn best_epoch(&self) -> Option<usize> {
        self.watch.best.map(|_| self.watch.best_epoch)
    }

    fn on_train_begin(&mut self, view: &mut View<'_>) -> Result<()> {
        self.monitor.check(view)
    }

    fn on_epoch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        if view.epoch() <= self.start_from_epoch {
            return Ok(());
        }
        let improves = |than: Option<f64>| self.monitor.improves(view, than, self.min_delta);
        let (is_best, beats_baseline) = (improves(self.watch.best), improves(self.baseline));
        self.watch.wait += 1;
        if is_best {
            self.watch.best = Some(self.monitor.value(view));
            self.watch.best_epoch = view.epoch();
            if self.restore_best_weights {
                view.keep_best();
                view.restore_best();
            }
            if self.baseline.is_none() || beats_baseline {
                self.watch.wait = 0;
            }
        }
        if self.watch.wait >= self.patience.max(1) {
            view.stop(format!(
                "{} has not improved for {} epochs; best epoch {}",
                self.monitor, self.watch.wait, self.watch.best_epoch
            ));
        }
        Ok(())
    }
}

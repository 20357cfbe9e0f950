//! A smaller learning rate when the loss no longer falls, until it is too small.

use serde::{Deserialize, Serialize};

use super::{Callback, Loss, Monitor, View};
use crate::error::{Result, check};
use crate::metric::Direction;
use crate::part::Configured;

/// scikit-learn's `learning_rate="adaptive"`: divides the learning rate by 5 when the loss has stopped falling, and ends training
/// when the rate is small already.
///
/// ```text
/// count ← count + 1 if loss > best − tolerance, else 0        at the end of an epoch; best is the lowest loss before it
/// count > patience:  stop if rate ≤ min_learning_rate, else rate ← rate / 5 and count ← 0
/// ```
///
/// | setting | default (scikit-learn's) | range |
/// | --- | --- | --- |
/// | `monitor` | `loss` | a value of the run |
/// | `patience` | 10 (`n_iter_no_change`) | |
/// | `tolerance` | 10⁻⁴ (`tol`) | finite, ≥ 0 |
/// | `divisor` | 5 | finite, > 1 |
/// | `min_learning_rate` | 10⁻⁶ | finite, ≥ 0 |
///
/// It differs from [`ReduceLrOnPlateau`](super::ReduceLrOnPlateau) in what scikit-learn does: it waits for `patience + 1` epochs,
/// takes a loss for the best one even if it is lower by less than the tolerance, and stops the run. Of a metric that is better when
/// higher the signs are turned. NaN and infinities are never better.
///
/// ```
/// use linfa_mlp::callback::AdaptiveLearningRate;
/// use linfa_mlp::prelude::*;
/// use ndarray::array;
///
/// let (x, y) = (array![[0.0], [1.0]], array![[1.0], [3.0]]);
/// let mut model = Sequential::new().add(Dense::new(1)).compile(1, Sgd::new(0.5), MeanSquaredError, ())?;
/// model.fit(&x, &y, &Training::epochs(1000).callback(AdaptiveLearningRate::default()))?;
/// assert!(model.history().len() < 1000 && model.run().learning_rate() <= 1e-6);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
///
/// # References
///
/// scikit-learn 1.9, `sklearn/neural_network/_multilayer_perceptron.py`, `_update_no_improvement_count`, and
/// `_stochastic_optimizers.py`, `SGDOptimizer.trigger_stopping`.
#[doc(alias = "adaptive")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdaptiveLearningRate {
    monitor: Monitor,
    patience: usize,
    tolerance: f64,
    divisor: f64,
    min_learning_rate: f64,
    /// What has been seen: part of the run, not of the settings.
    #[serde(skip_serializing_if = "Watch::is_fresh")]
    watch: Watch,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Watch {
    best: Option<f64>,
    count: usize,
}

impl Watch {
    fn is_fresh(&self) -> bool {
        *self == Watch::default()
    }
}

impl AdaptiveLearningRate {
    /// Watches that value: `ValLoss`, `Val(Accuracy)` … (see [`Monitor`]).
    #[must_use]
    pub fn on(monitor: impl Into<Monitor>) -> Self {
        AdaptiveLearningRate { monitor: monitor.into(), ..AdaptiveLearningRate::default() }
    }

    /// Epochs without improvement that are let pass; one more reduces the learning rate.
    #[must_use]
    #[doc(alias = "n_iter_no_change")]
    pub fn patience(mut self, patience: usize) -> Self {
        self.patience = patience;
        self
    }

    /// The decrease that counts as an improvement.
    #[must_use]
    #[doc(alias = "tol")]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// What the learning rate is divided by.
    #[must_use]
    pub fn divisor(mut self, divisor: f64) -> Self {
        self.divisor = divisor;
        self
    }

    /// The learning rate at which the run is stopped and not reduced.
    #[must_use]
    pub fn min_learning_rate(mut self, rate: f64) -> Self {
        self.min_learning_rate = rate;
        self
    }
}

impl Default for AdaptiveLearningRate {
    fn default() -> Self {
        AdaptiveLearningRate {
            monitor: Loss.into(),
            patience: 10,
            tolerance: 1e-4,
            divisor: 5.0,
            min_learning_rate: 1e-6,
            watch: Watch::default(),
        }
    }
}

impl Configured for AdaptiveLearningRate {
    const NAME: &'static str = "adaptive_learning_rate";
    const ALIASES: &'static [&'static str] = &["adaptive"];

    fn check(&self) -> Result<()> {
        let tolerance = self.tolerance;
        check("tolerance", tolerance, tolerance.is_finite() && tolerance >= 0.0, "finite and at least 0")?;
        let divisor = self.divisor;
        check("divisor", divisor, divisor.is_finite() && divisor > 1.0, "finite and above 1")?;
        let least = self.min_learning_rate;
        check("min_learning_rate", least, least.is_finite() && least >= 0.0, "finite and at least 0")
    }
}

impl Callback for AdaptiveLearningRate {
    fn on_train_begin(&mut self, view: &mut View<'_>) -> Result<()> {
        self.monitor.check(view)
    }

    fn on_epoch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        let sign = match view.direction(self.monitor.name()) {
            Some(Direction::Maximize) => -1.0,
            _ => 1.0,
        };
        let loss = sign * self.monitor.value(view);
        let best = self.watch.best.unwrap_or(f64::INFINITY);
        // In scikit-learn's own form: a loss that equals best − tolerance is an improvement. NaN is none.
        let improves = loss.is_finite() && loss <= best - self.tolerance;
        self.watch.count = if improves { 0 } else { self.watch.count + 1 };
        if loss.is_finite() && loss < best {
            self.watch.best = Some(loss);
        }
        if self.watch.count <= self.patience {
            return Ok(());
        }
        let rate = view.learning_rate();
        if rate <= self.min_learning_rate {
            let epochs = self.watch.count;
            let reason =
                format!("{} has not improved for {epochs} epochs at a learning rate of {rate}", self.monitor);
            view.stop(reason);
        } else {
            view.set_learning_rate(rate / self.divisor)?;
            self.watch.count = 0;
        }
        Ok(())
    }
}

//! Which value a callback watches.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::View;
use crate::error::{Error, Result};
use crate::metric::{AnyMetric, Direction, Metric};
use crate::part::Configured;

/// A value of the run that a callback watches, by its name in the history.
///
/// | written | watched |
/// | --- | --- |
/// | [`Loss`], [`ValLoss`] | `loss`, `val_loss` |
/// | `Accuracy`, any metric | its value on the training rows, `accuracy` |
/// | `Val(Accuracy)` | its value on the validation rows, `val_accuracy` |
/// | `"val_f1_score"` | the value of that name |
///
/// Which values are better is the metric's own affair. That the run has the value is checked before the first step.
///
/// ```
/// use linfa_mlp::callback::{Monitor, Val, ValLoss};
/// use linfa_mlp::metric::Accuracy;
///
/// assert_eq!(Monitor::from(ValLoss), Monitor::from("val_loss"));
/// assert_eq!(Monitor::from(Val(Accuracy)).name(), "val_accuracy");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Monitor(String);

/// The loss on the training rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss;

/// The loss on the validation rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValLoss;

/// A metric on the validation rows: `Val(Accuracy)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Val<M>(pub M);

impl Monitor {
    /// The name in the history.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Checks that the run has the value.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] says which values there are.
    pub fn check(&self, view: &View<'_>) -> Result<()> {
        if view.direction(&self.0).is_some() {
            return Ok(());
        }
        Err(Error::parameter("monitor", &self.0, format!("one of {}", view.names().join(", "))))
    }

    /// The value at this moment; NaN when there is none.
    #[must_use]
    pub fn value(&self, view: &View<'_>) -> f64 {
        view.value(&self.0).unwrap_or(f64::NAN)
    }

    /// Whether the value at this moment is better than `best` by more than `min_delta`. Any finite value is better than
    /// none; NaN and infinities are better than nothing, so a run that diverges never has its best value then.
    #[must_use]
    pub fn improves(&self, view: &View<'_>, best: Option<f64>, min_delta: f64) -> bool {
        let direction = view.direction(&self.0).unwrap_or(Direction::Minimize);
        let value = self.value(view);
        value.is_finite() && direction.improves(value, best.unwrap_or(f64::NAN), min_delta)
    }
}

impl Default for Monitor {
    fn default() -> Self {
        ValLoss.into()
    }
}

impl fmt::Display for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for Monitor {
    fn from(name: &str) -> Self {
        Monitor(name.into())
    }
}

impl From<String> for Monitor {
    fn from(name: String) -> Self {
        Monitor(name)
    }
}

impl From<Loss> for Monitor {
    fn from(_: Loss) -> Self {
        "loss".into()
    }
}

impl From<ValLoss> for Monitor {
    fn from(_: ValLoss) -> Self {
        "val_loss".into()
    }
}

impl From<AnyMetric> for Monitor {
    fn from(metric: AnyMetric) -> Self {
        metric.name().into()
    }
}

impl<M: Configured + Metric<f32> + Metric<f64>> From<M> for Monitor {
    fn from(_: M) -> Self {
        M::NAME.into()
    }
}

impl<M: Into<AnyMetric>> From<Val<M>> for Monitor {
    fn from(Val(metric): Val<M>) -> Self {
        Monitor(format!("val_{}", metric.into().name()))
    }
}

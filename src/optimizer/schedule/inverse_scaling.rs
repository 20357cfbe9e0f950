//! scikit-learn's inverse scaling.

use serde::{Deserialize, Serialize};

use super::{Schedule, check_not_negative, check_positive, check_steps};
use crate::error::Result;
use crate::optimizer::power::real_power;
use crate::part::Configured;

/// The rate falls as a power of the time.
///
/// ```text
/// η(t) = η₀ / (1 + n ⌊t / B⌋)ᵖ
/// ```
///
/// t counts steps (batches). With the defaults n = B = 1 the time in brackets is the step, from 1. In scikit-learn's
/// `learning_rate="invscaling"` that time counts **training rows** and moves on at the end of each epoch: there n is
/// the number of rows and B the number of batches of an epoch, which [`over_rows`](Self::over_rows) sets.
///
/// | setting | default (scikit-learn's) | range |
/// | --- | --- | --- |
/// | `initial_rate` η₀ | 0.001 | finite, > 0 |
/// | `power_t` p | 0.5 | finite, ≥ 0 |
/// | `time_per_period` n | 1 here | ≥ 1 |
/// | `period` B | 1 here | ≥ 1 |
///
/// ```
/// use linfa_mlp::optimizer::AnySchedule;
/// use linfa_mlp::optimizer::schedule::InverseScaling;
///
/// let by_step: AnySchedule = InverseScaling::new(0.1).into();
/// assert_eq!([by_step.rate(0), by_step.rate(3)], [0.1, 0.05]);
/// // 80 rows in batches of 32: after each epoch of 3 batches 80 rows more.
/// let as_sklearn: AnySchedule = InverseScaling::new(0.1).over_rows(80, 32).into();
/// assert!((as_sklearn.rate(3) - 0.1 / 9.0).abs() < 1e-12);
/// ```
///
/// # References
///
/// scikit-learn, `sklearn/neural_network/_stochastic_optimizers.py`, `SGDOptimizer.iteration_ends`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InverseScaling {
    initial_rate: f64,
    power_t: f64,
    time_per_period: u64,
    period: u64,
}

impl InverseScaling {
    /// From that rate.
    #[must_use]
    pub fn new(initial_rate: f64) -> Self {
        InverseScaling { initial_rate, power_t: 0.5, time_per_period: 1, period: 1 }
    }

    /// The power p.
    #[must_use]
    pub fn power_t(mut self, power: f64) -> Self {
        self.power_t = power;
        self
    }

    /// Counts time as scikit-learn does: in training rows, epoch by epoch. A `batch_size` of 0 is refused by the check.
    #[must_use]
    pub fn over_rows(mut self, n_samples: u64, batch_size: u64) -> Self {
        self.time_per_period = n_samples;
        self.period = if batch_size == 0 { 0 } else { n_samples.div_ceil(batch_size) };
        self
    }
}

impl Default for InverseScaling {
    fn default() -> Self {
        InverseScaling::new(0.001)
    }
}

impl Configured for InverseScaling {
    const NAME: &'static str = "inverse_scaling";
    const ALIASES: &'static [&'static str] = &["invscaling"];

    fn check(&self) -> Result<()> {
        check_positive("initial_rate", self.initial_rate)?;
        check_not_negative("power_t", self.power_t)?;
        check_steps("time_per_period", self.time_per_period)?;
        check_steps("period", self.period)
    }
}

impl Schedule for InverseScaling {
    fn rate(&self, step: u64) -> f64 {
        let time = 1.0 + self.time_per_period as f64 * (step / self.period) as f64;
        self.initial_rate / real_power(time, self.power_t)
    }
}

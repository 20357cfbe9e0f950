//! Inverse time decay.

use serde::{Deserialize, Serialize};

use super::{Schedule, check_not_negative, check_positive, check_steps};
use crate::error::Result;
use crate::part::Configured;

/// The rate is divided by a number that grows with the time.
///
/// ```text
/// η(t) = η₀ / (1 + r t / T)          staircase: η₀ / (1 + r ⌊t / T⌋)
/// ```
///
/// | setting | default (the example of Keras' page) | range |
/// | --- | --- | --- |
/// | `initial_rate` η₀ | 0.1 | finite, > 0 |
/// | `decay_steps` T | 1 | ≥ 1 |
/// | `decay_rate` r | 0.5 | finite, ≥ 0 |
/// | `staircase` | false | |
///
/// # References
///
/// Keras, `InverseTimeDecay`. H. Robbins, S. Monro, *A Stochastic Approximation Method*, Ann. Math. Stat. 22(3), 1951:
/// rates of order 1/t are what convergence needs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InverseTime {
    initial_rate: f64,
    decay_steps: u64,
    decay_rate: f64,
    staircase: bool,
}

impl InverseTime {
    /// From that rate, divided by 1 more `decay_rate` after every `decay_steps` steps.
    #[must_use]
    pub fn new(initial_rate: f64, decay_steps: u64, decay_rate: f64) -> Self {
        InverseTime { initial_rate, decay_steps, decay_rate, staircase: false }
    }

    /// Changes the rate only every `decay_steps` steps.
    #[must_use]
    pub fn staircase(mut self) -> Self {
        self.staircase = true;
        self
    }
}

impl Default for InverseTime {
    fn default() -> Self {
        InverseTime::new(0.1, 1, 0.5)
    }
}

impl Configured for InverseTime {
    const NAME: &'static str = "inverse_time";
    const ALIASES: &'static [&'static str] = &["InverseTimeDecay"];

    fn check(&self) -> Result<()> {
        check_positive("initial_rate", self.initial_rate)?;
        check_steps("decay_steps", self.decay_steps)?;
        check_not_negative("decay_rate", self.decay_rate)
    }
}

impl Schedule for InverseTime {
    fn rate(&self, step: u64) -> f64 {
        let periods = step as f64 / self.decay_steps as f64;
        let periods = if self.staircase { periods.floor() } else { periods };
        self.initial_rate / (1.0 + self.decay_rate * periods)
    }
}

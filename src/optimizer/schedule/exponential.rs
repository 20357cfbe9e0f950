//! Exponential decay.

use serde::{Deserialize, Serialize};

use super::{Schedule, check_positive, check_steps};
use crate::error::Result;
use crate::optimizer::power::real_power;
use crate::part::Configured;

/// The rate is multiplied by a factor in every so many steps.
///
/// ```text
/// η(t) = η₀ r^(t / T)          staircase: η₀ r^⌊t / T⌋
/// ```
///
/// | setting | default (the example of Keras' page) | range |
/// | --- | --- | --- |
/// | `initial_rate` η₀ | 0.1 | finite, > 0 |
/// | `decay_steps` T | 100 000 | ≥ 1 |
/// | `decay_rate` r | 0.96 | finite, > 0 |
/// | `staircase` | false | |
///
/// ```
/// use linfa_mlp::optimizer::AnySchedule;
/// use linfa_mlp::optimizer::schedule::Exponential;
///
/// let halves: AnySchedule = Exponential::new(0.1, 50, 0.5).staircase().into();
/// assert_eq!([halves.rate(0), halves.rate(49), halves.rate(50)], [0.1, 0.1, 0.05]);
/// ```
///
/// # References
///
/// Keras, `ExponentialDecay`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exponential {
    initial_rate: f64,
    decay_steps: u64,
    decay_rate: f64,
    staircase: bool,
}

impl Exponential {
    /// From that rate, multiplied by `decay_rate` in `decay_steps` steps.
    #[must_use]
    pub fn new(initial_rate: f64, decay_steps: u64, decay_rate: f64) -> Self {
        Exponential { initial_rate, decay_steps, decay_rate, staircase: false }
    }

    /// Changes the rate only every `decay_steps` steps.
    #[must_use]
    pub fn staircase(mut self) -> Self {
        self.staircase = true;
        self
    }
}

impl Default for Exponential {
    fn default() -> Self {
        Exponential::new(0.1, 100_000, 0.96)
    }
}

impl Configured for Exponential {
    const NAME: &'static str = "exponential";
    const ALIASES: &'static [&'static str] = &["ExponentialDecay"];

    fn check(&self) -> Result<()> {
        check_positive("initial_rate", self.initial_rate)?;
        check_steps("decay_steps", self.decay_steps)?;
        check_positive("decay_rate", self.decay_rate)
    }
}

impl Schedule for Exponential {
    fn rate(&self, step: u64) -> f64 {
        let periods = step as f64 / self.decay_steps as f64;
        let periods = if self.staircase { periods.floor() } else { periods };
        self.initial_rate * real_power(self.decay_rate, periods)
    }
}

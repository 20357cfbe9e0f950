//! Polynomial decay.

use serde::{Deserialize, Serialize};

use super::{Schedule, check_not_negative, check_positive, check_steps};
use crate::error::Result;
use crate::optimizer::power::real_power;
use crate::part::Configured;

/// The rate falls to an end rate along a power of the time that is left.
///
/// ```text
/// η(t) = (η₀ − ηₑ)(1 − min(t, T) / T)ᵖ + ηₑ
/// cycle: T is replaced by T · max(1, ⌈t / T⌉), so that the rate jumps up again at the end of every T steps
/// ```
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `initial_rate` η₀ | 0.01 (its page's first example: 0.1) | finite, > 0 |
/// | `decay_steps` T | 10 000 (that example) | ≥ 1 |
/// | `end_rate` ηₑ | 0.0001 | finite, ≥ 0 |
/// | `power` p | 1 | finite, > 0 |
/// | `cycle` | false | |
///
/// # References
///
/// Keras, `PolynomialDecay`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Polynomial {
    initial_rate: f64,
    decay_steps: u64,
    end_rate: f64,
    power: f64,
    cycle: bool,
}

impl Polynomial {
    /// From that rate, in that many steps.
    #[must_use]
    pub fn new(initial_rate: f64, decay_steps: u64) -> Self {
        Polynomial { initial_rate, decay_steps, end_rate: 0.0001, power: 1.0, cycle: false }
    }

    /// The rate ηₑ at the end.
    #[must_use]
    pub fn end_rate(mut self, rate: f64) -> Self {
        self.end_rate = rate;
        self
    }

    /// The power p: 1 falls along a line.
    #[must_use]
    pub fn power(mut self, power: f64) -> Self {
        self.power = power;
        self
    }

    /// Rises again after the end instead of staying there.
    #[must_use]
    pub fn cycle(mut self) -> Self {
        self.cycle = true;
        self
    }
}

impl Default for Polynomial {
    fn default() -> Self {
        Polynomial::new(0.01, 10_000)
    }
}

impl Configured for Polynomial {
    const NAME: &'static str = "polynomial";
    const ALIASES: &'static [&'static str] = &["PolynomialDecay"];

    fn check(&self) -> Result<()> {
        check_positive("initial_rate", self.initial_rate)?;
        check_steps("decay_steps", self.decay_steps)?;
        check_not_negative("end_rate", self.end_rate)?;
        check_positive("power", self.power)
    }
}

impl Schedule for Polynomial {
    fn rate(&self, step: u64) -> f64 {
        let periods = if self.cycle { step.div_ceil(self.decay_steps).max(1) } else { 1 };
        let progress = (step as f64 / (self.decay_steps as f64 * periods as f64)).min(1.0);
        (self.initial_rate - self.end_rate) * real_power(1.0 - progress, self.power) + self.end_rate
    }
}

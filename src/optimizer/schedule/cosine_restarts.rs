//! Cosine decay with restarts.

use serde::{Deserialize, Serialize};

use super::half_cosine::half_cosine;
use super::{Schedule, check_positive, check_share, check_steps};
use crate::error::{Result, check};
use crate::optimizer::power::whole_power;
use crate::part::Configured;

/// The rate falls along half a wave of the cosine and jumps up again, in periods that grow.
///
/// ```text
/// period i = 0, 1, … has T kⁱ steps; after s of them
/// η = η₀ ((1 − α) mⁱ (1 + cos(π s / (T kⁱ))) / 2 + α)
/// ```
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `initial_rate` η₀ | 0.001 here | finite, > 0 |
/// | `first_decay_steps` T | 1000 (the example of its page) | ≥ 1 |
/// | `t_mul` k | 2 | finite, ≥ 1 |
/// | `m_mul` m | 1 | 0 < m ≤ 1 |
/// | `alpha` α, the share of η₀ that stays | 0 | 0 ≤ α ≤ 1 |
///
/// # References
///
/// I. Loshchilov, F. Hutter, *SGDR: Stochastic Gradient Descent with Warm Restarts*, ICLR 2017, eq. 5; Keras,
/// `CosineDecayRestarts`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CosineRestarts {
    initial_rate: f64,
    first_decay_steps: u64,
    t_mul: f64,
    m_mul: f64,
    alpha: f64,
}

impl CosineRestarts {
    /// From that rate, with a first period of that many steps.
    #[must_use]
    pub fn new(initial_rate: f64, first_decay_steps: u64) -> Self {
        CosineRestarts { initial_rate, first_decay_steps, t_mul: 2.0, m_mul: 1.0, alpha: 0.0 }
    }

    /// The factor k by which each period is longer than the one before.
    #[must_use]
    pub fn t_mul(mut self, factor: f64) -> Self {
        self.t_mul = factor;
        self
    }

    /// The factor m of the rate at each restart.
    #[must_use]
    pub fn m_mul(mut self, factor: f64) -> Self {
        self.m_mul = factor;
        self
    }

    /// The share α of the initial rate below which the rate does not fall.
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }
}

impl Default for CosineRestarts {
    fn default() -> Self {
        CosineRestarts::new(0.001, 1000)
    }
}

impl Configured for CosineRestarts {
    const NAME: &'static str = "cosine_restarts";
    const ALIASES: &'static [&'static str] = &["CosineDecayRestarts"];

    fn check(&self) -> Result<()> {
        check_positive("initial_rate", self.initial_rate)?;
        check_steps("first_decay_steps", self.first_decay_steps)?;
        check("t_mul", self.t_mul, self.t_mul.is_finite() && self.t_mul >= 1.0, "finite and at least 1")?;
        check("m_mul", self.m_mul, self.m_mul > 0.0 && self.m_mul <= 1.0, "above 0 and at most 1")?;
        check_share("alpha", self.alpha)
    }
}

impl Schedule for CosineRestarts {
    fn rate(&self, step: u64) -> f64 {
        // Whole periods of the first length go at once, so that a factor of 1 takes no loop.
        let grows = self.t_mul > 1.0;
        let whole = if grows { 0 } else { step / self.first_decay_steps };
        let mut done = (step - whole * self.first_decay_steps) as f64;
        let mut length = self.first_decay_steps as f64;
        let mut height = whole_power(self.m_mul, whole);
        while grows && done >= length {
            done -= length;
            length *= self.t_mul;
            height *= self.m_mul;
        }
        self.initial_rate * ((1.0 - self.alpha) * height * half_cosine(done / length) + self.alpha)
    }
}

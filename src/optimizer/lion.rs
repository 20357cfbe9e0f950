//! Lion.

use serde::{Deserialize, Serialize};

use super::tuning::{Tuning, tuned};
use super::{AnySchedule, MAX_SLOTS, Optimizer, Step, check_decay};
use crate::error::Result;
use crate::float::Float;
use crate::kernel::{self, math};
use crate::part::Configured;

/// Lion: every weight moves by the learning rate, in the direction of its momentum.
///
/// ```text
/// w ← w − η sign(β₁ m + (1 − β₁) g)        m ← β₂ m + (1 − β₂) g        sign(0) = 0
/// ```
///
/// A step is larger than one of Adam's; the paper advises a learning rate 3 to 10 times smaller, and a weight decay as
/// much larger.
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `learning_rate` η | 0.001 (the paper: 0.0001) | finite, > 0, or a schedule |
/// | `beta_1` β₁ | 0.9 (the paper) | 0 ≤ β₁ < 1 |
/// | `beta_2` β₂ | 0.99 (the paper) | 0 ≤ β₂ < 1 |
/// | the other knobs | off | see [`Tuning`] |
///
/// # References
///
/// X. Chen et al., *Symbolic Discovery of Optimization Algorithms*, NeurIPS 2023, algorithm 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Lion {
    #[serde(flatten)]
    tuning: Tuning,
    beta_1: f64,
    beta_2: f64,
}

impl Lion {
    /// With that learning rate.
    #[must_use]
    pub fn new(learning_rate: impl Into<AnySchedule>) -> Self {
        Lion { tuning: Tuning::new(learning_rate), beta_1: 0.9, beta_2: 0.99 }
    }

    /// The share β₁ of the momentum in the direction of a step.
    #[must_use]
    pub fn beta_1(mut self, beta_1: f64) -> Self {
        self.beta_1 = beta_1;
        self
    }

    /// The factor β₂ of the momentum.
    #[must_use]
    pub fn beta_2(mut self, beta_2: f64) -> Self {
        self.beta_2 = beta_2;
        self
    }
}

tuned!(Lion, tuning);

impl Default for Lion {
    fn default() -> Self {
        Lion::new(0.001)
    }
}

impl Configured for Lion {
    const NAME: &'static str = "lion";

    fn check(&self) -> Result<()> {
        self.tuning.check()?;
        check_decay("beta_1", self.beta_1)?;
        check_decay("beta_2", self.beta_2)
    }
}

impl<F: Float> Optimizer<F> for Lion {
    fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    fn slots(&self) -> &'static [&'static str] {
        &["momentum"]
    }

    fn update(&self, step: Step<'_>, weights: &mut [F], gradient: &[F], slots: [&mut [F]; MAX_SLOTS]) {
        let (rate, tiny) = (F::of(step.learning_rate), F::min_positive_value());
        let (beta_1, rest_1) = (F::of(self.beta_1), F::of(1.0 - self.beta_1));
        let (beta_2, rest_2) = (F::of(self.beta_2), F::of(1.0 - self.beta_2));
        let [momentum, ..] = slots;
        kernel::dispatch(
            #[inline(always)]
            || {
                for ((w, &g), m) in weights.iter_mut().zip(gradient).zip(momentum) {
                    let direction = beta_1 * *m + rest_1 * g;
                    // The sign as a quotient, which is ±1 exactly, 0 at 0, and NaN for what is not finite, so that a
                    // run that diverges is seen to. Written with comparisons the loop stays scalar on AVX2.
                    *w -= rate * (direction / math::max(math::abs(direction), tiny));
                    *m = beta_2 * *m + rest_2 * g;
                }
            },
        );
    }
}

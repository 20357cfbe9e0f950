//! Adamax.

use serde::{Deserialize, Serialize};

use super::power::whole_power;
use super::tuning::{Tuning, tuned};
use super::{AnySchedule, MAX_SLOTS, Optimizer, Step, check_decay, check_epsilon};
use crate::error::Result;
use crate::float::Float;
use crate::kernel::{self, math};
use crate::part::Configured;

/// Adamax: [`Adam`](super::Adam) with the largest recent gradient in place of the root mean square.
///
/// ```text
/// m ← m + (1 − β₁)(g − m)        u ← max(β₂ u, |g|)
/// w ← w − η m / ((1 − β₁ᵗ)(u + ε))
/// ```
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `learning_rate` η | 0.001 (the paper: 0.002) | finite, > 0, or a schedule |
/// | `beta_1` β₁ | 0.9 (the paper) | 0 ≤ β₁ < 1 |
/// | `beta_2` β₂ | 0.999 (the paper) | 0 ≤ β₂ < 1 |
/// | `epsilon` ε | 1e-7 (the paper has none; PyTorch adds 1e-8 to the gradient's size instead) | finite, > 0 |
/// | the other knobs | off | see [`Tuning`] |
///
/// # References
///
/// D. P. Kingma, J. Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015, algorithm 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Adamax {
    #[serde(flatten)]
    tuning: Tuning,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
}

impl Adamax {
    /// With that learning rate.
    #[must_use]
    pub fn new(learning_rate: impl Into<AnySchedule>) -> Self {
        Adamax { tuning: Tuning::new(learning_rate), beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }

    /// The factor β₁ of the running mean of the gradient.
    #[must_use]
    pub fn beta_1(mut self, beta_1: f64) -> Self {
        self.beta_1 = beta_1;
        self
    }

    /// The factor β₂ by which the largest gradient is forgotten.
    #[must_use]
    pub fn beta_2(mut self, beta_2: f64) -> Self {
        self.beta_2 = beta_2;
        self
    }

    /// The small number ε.
    #[must_use]
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }
}

tuned!(Adamax, tuning);

impl Default for Adamax {
    fn default() -> Self {
        Adamax::new(0.001)
    }
}

impl Configured for Adamax {
    const NAME: &'static str = "adamax";

    fn check(&self) -> Result<()> {
        self.tuning.check()?;
        check_decay("beta_1", self.beta_1)?;
        check_decay("beta_2", self.beta_2)?;
        check_epsilon(self.epsilon)
    }
}

impl<F: Float> Optimizer<F> for Adamax {
    fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    fn slots(&self) -> &'static [&'static str] {
        &["momentum", "largest_gradient"]
    }

    fn update(&self, step: Step<'_>, weights: &mut [F], gradient: &[F], slots: [&mut [F]; MAX_SLOTS]) {
        let alpha = F::of(step.learning_rate / (1.0 - whole_power(self.beta_1, step.number)));
        let (rest_1, beta_2) = (F::of(1.0 - self.beta_1), F::of(self.beta_2));
        let epsilon = F::of(self.epsilon);
        let [momentum, largest, ..] = slots;
        kernel::dispatch(
            #[inline(always)]
            || {
                for (((w, &g), m), u) in weights.iter_mut().zip(gradient).zip(momentum).zip(largest) {
                    *m += (g - *m) * rest_1;
                    *u = math::max(beta_2 * *u, math::abs(g));
                    *w -= alpha * *m / (*u + epsilon);
                }
            },
        );
    }
}

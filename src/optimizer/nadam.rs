//! Nadam.

use serde::{Deserialize, Serialize};

use super::power::whole_power;
use super::tuning::{Tuning, tuned};
use super::{AnySchedule, MAX_SLOTS, Optimizer, Step, check_decay, check_epsilon};
use crate::error::Result;
use crate::float::Float;
use crate::kernel::{self, math};
use crate::part::Configured;

/// Nadam: [`Adam`](super::Adam) that looks ahead as Nesterov's momentum does.
///
/// ```text
/// μₜ = β₁ (1 − ½·0.96ᵗ)          Πₜ = μ₁ μ₂ … μₜ
/// m ← m + (1 − β₁)(g − m)        v ← v + (1 − β₂)(g² − v)
/// m̂ = μₜ₊₁ m / (1 − Πₜ μₜ₊₁) + (1 − μₜ) g / (1 − Πₜ)
/// w ← w − η m̂ / (√(v / (1 − β₂ᵗ)) + ε)
/// ```
///
/// The product Π is one number for all weights and part of the run. The warm-up of μ is Keras'; the report and PyTorch
/// have 0.96^(t/250), which rises far more slowly.
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `learning_rate` η | 0.001 (the report: 0.002) | finite, > 0, or a schedule |
/// | `beta_1` β₁ | 0.9 | 0 ≤ β₁ < 1 |
/// | `beta_2` β₂ | 0.999 | 0 ≤ β₂ < 1 |
/// | `epsilon` ε | 1e-7 (the report: 1e-8) | finite, > 0 |
/// | the other knobs | off | see [`Tuning`] |
///
/// # References
///
/// T. Dozat, *Incorporating Nesterov Momentum into Adam*, ICLR workshop 2016, algorithm 2; the warm-up of μ is from its
/// appendix, after Sutskever et al. 2013.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Nadam {
    #[serde(flatten)]
    tuning: Tuning,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
}

impl Nadam {
    /// With that learning rate.
    #[must_use]
    pub fn new(learning_rate: impl Into<AnySchedule>) -> Self {
        Nadam { tuning: Tuning::new(learning_rate), beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }

    /// The factor β₁ of the running mean of the gradient.
    #[must_use]
    pub fn beta_1(mut self, beta_1: f64) -> Self {
        self.beta_1 = beta_1;
        self
    }

    /// The factor β₂ of the running mean of the squared gradient.
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

    /// The momentum μₜ of an update.
    fn momentum(&self, number: u64) -> f64 {
        self.beta_1 * (1.0 - 0.5 * whole_power(0.96, number))
    }
}

tuned!(Nadam, tuning);

impl Default for Nadam {
    fn default() -> Self {
        Nadam::new(0.001)
    }
}

impl Configured for Nadam {
    const NAME: &'static str = "nadam";

    fn check(&self) -> Result<()> {
        self.tuning.check()?;
        check_decay("beta_1", self.beta_1)?;
        check_decay("beta_2", self.beta_2)?;
        check_epsilon(self.epsilon)
    }
}

impl<F: Float> Optimizer<F> for Nadam {
    fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    fn slots(&self) -> &'static [&'static str] {
        &["momentum", "velocity"]
    }

    fn scalars(&self) -> &'static [(&'static str, f64)] {
        &[("momentum_product", 1.0)]
    }

    fn begin(&self, number: u64, scalars: &mut [f64]) {
        scalars[0] *= self.momentum(number);
    }

    fn update(&self, step: Step<'_>, weights: &mut [F], gradient: &[F], slots: [&mut [F]; MAX_SLOTS]) {
        let product = step.scalars[0];
        let (now, next) = (self.momentum(step.number), self.momentum(step.number + 1));
        // The learning rate goes into both factors, which saves a product for each weight.
        let of_mean = F::of(step.learning_rate * next / (1.0 - product * next));
        let of_gradient = F::of(step.learning_rate * (1.0 - now) / (1.0 - product));
        let correction = F::of(1.0 / (1.0 - whole_power(self.beta_2, step.number)));
        let (rest_1, rest_2) = (F::of(1.0 - self.beta_1), F::of(1.0 - self.beta_2));
        let epsilon = F::of(self.epsilon);
        let [momentum, velocity, ..] = slots;
        kernel::dispatch(
            #[inline(always)]
            || {
                for (((w, &g), m), v) in weights.iter_mut().zip(gradient).zip(momentum).zip(velocity) {
                    *m += (g - *m) * rest_1;
                    *v += (g * g - *v) * rest_2;
                    *w -= (of_mean * *m + of_gradient * g) / (math::sqrt(*v * correction) + epsilon);
                }
            },
        );
    }
}

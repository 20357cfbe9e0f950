//! Adadelta.

use serde::{Deserialize, Serialize};

use super::tuning::{Tuning, tuned};
use super::{AnySchedule, MAX_SLOTS, Optimizer, Step, check_decay, check_epsilon};
use crate::error::Result;
use crate::float::Float;
use crate::kernel::{self, math};
use crate::part::Configured;

/// Adadelta: steps as long as the recent ones were, measured against the recent gradients.
///
/// ```text
/// s ← ρ s + (1 − ρ) g²           δ = g √(d + ε) / √(s + ε)
/// d ← ρ d + (1 − ρ) δ²           w ← w − η δ
/// ```
///
/// δ has the unit of the weights, so that the paper needs no learning rate.
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `learning_rate` η | 0.001 (the paper: 1) | finite, > 0, or a schedule |
/// | `rho` ρ | 0.95 (the paper; PyTorch: 0.9) | 0 ≤ ρ < 1 |
/// | `epsilon` ε | 1e-7 (the paper and PyTorch: 1e-6) | finite, > 0 |
/// | the other knobs | off | see [`Tuning`] |
///
/// # References
///
/// M. D. Zeiler, *ADADELTA: An Adaptive Learning Rate Method*, arXiv:1212.5701, 2012, algorithm 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Adadelta {
    #[serde(flatten)]
    tuning: Tuning,
    rho: f64,
    epsilon: f64,
}

impl Adadelta {
    /// With that learning rate.
    #[must_use]
    pub fn new(learning_rate: impl Into<AnySchedule>) -> Self {
        Adadelta { tuning: Tuning::new(learning_rate), rho: 0.95, epsilon: 1e-7 }
    }

    /// The factor ρ of both running means.
    #[must_use]
    pub fn rho(mut self, rho: f64) -> Self {
        self.rho = rho;
        self
    }

    /// The small number ε; its root sets the length of the first steps.
    #[must_use]
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }
}

tuned!(Adadelta, tuning);

impl Default for Adadelta {
    fn default() -> Self {
        Adadelta::new(0.001)
    }
}

impl Configured for Adadelta {
    const NAME: &'static str = "adadelta";

    fn check(&self) -> Result<()> {
        self.tuning.check()?;
        check_decay("rho", self.rho)?;
        check_epsilon(self.epsilon)
    }
}

impl<F: Float> Optimizer<F> for Adadelta {
    fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    fn slots(&self) -> &'static [&'static str] {
        &["accumulated_gradient", "accumulated_step"]
    }

    fn update(&self, step: Step<'_>, weights: &mut [F], gradient: &[F], slots: [&mut [F]; MAX_SLOTS]) {
        let (rate, epsilon) = (F::of(step.learning_rate), F::of(self.epsilon));
        let (rho, rest) = (F::of(self.rho), F::of(1.0 - self.rho));
        let [gradients, steps, ..] = slots;
        kernel::dispatch(
            #[inline(always)]
            || {
                for (((w, &g), s), d) in weights.iter_mut().zip(gradient).zip(gradients).zip(steps) {
                    *s = rho * *s + rest * (g * g);
                    let delta = g * math::sqrt(*d + epsilon) / math::sqrt(*s + epsilon);
                    *d = rho * *d + rest * (delta * delta);
                    *w -= rate * delta;
                }
            },
        );
    }
}

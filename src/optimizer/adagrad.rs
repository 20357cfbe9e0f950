//! Adagrad.

use serde::{Deserialize, Serialize};

use super::tuning::{Tuning, tuned};
use super::{AnySchedule, MAX_SLOTS, Optimizer, Step, check_epsilon};
use crate::error::{Result, check};
use crate::float::Float;
use crate::kernel::{self, math};
use crate::part::Configured;

/// Adagrad: each weight's step is divided by the root of all its squared gradients so far.
///
/// ```text
/// s ← s + g²        w ← w − η g / √(s + ε)
/// ```
///
/// ε stands inside the root, as in Keras (PyTorch has it outside, and starts s at 0).
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `learning_rate` η | 0.001 (PyTorch and the paper's experiments: near 0.01 to 0.1) | finite, > 0, or a schedule |
/// | `initial_accumulator_value`, the first s | 0.1 | finite, ≥ 0 |
/// | `epsilon` ε | 1e-7 | finite, > 0 |
/// | the other knobs | off | see [`Tuning`] |
///
/// # References
///
/// J. Duchi, E. Hazan, Y. Singer, *Adaptive Subgradient Methods for Online Learning and Stochastic Optimization*, JMLR
/// 12, 2011, figure 1 (diagonal).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Adagrad {
    #[serde(flatten)]
    tuning: Tuning,
    initial_accumulator_value: f64,
    epsilon: f64,
}

impl Adagrad {
    /// With that learning rate.
    #[must_use]
    pub fn new(learning_rate: impl Into<AnySchedule>) -> Self {
        Adagrad { tuning: Tuning::new(learning_rate), initial_accumulator_value: 0.1, epsilon: 1e-7 }
    }

    /// What the sum of squares starts with.
    #[must_use]
    pub fn initial_accumulator_value(mut self, value: f64) -> Self {
        self.initial_accumulator_value = value;
        self
    }

    /// The small number ε.
    #[must_use]
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }
}

tuned!(Adagrad, tuning);

impl Default for Adagrad {
    fn default() -> Self {
        Adagrad::new(0.001)
    }
}

impl Configured for Adagrad {
    const NAME: &'static str = "adagrad";

    fn check(&self) -> Result<()> {
        self.tuning.check()?;
        let start = self.initial_accumulator_value;
        check(
            "initial_accumulator_value",
            start,
            start.is_finite() && start >= 0.0,
            "finite and at least 0",
        )?;
        check_epsilon(self.epsilon)
    }
}

impl<F: Float> Optimizer<F> for Adagrad {
    fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    fn slots(&self) -> &'static [&'static str] {
        &["accumulator"]
    }

    fn slot_start(&self, _slot: usize) -> f64 {
        self.initial_accumulator_value
    }

    fn update(&self, step: Step<'_>, weights: &mut [F], gradient: &[F], slots: [&mut [F]; MAX_SLOTS]) {
        let (rate, epsilon) = (F::of(step.learning_rate), F::of(self.epsilon));
        let [accumulator, ..] = slots;
        kernel::dispatch(
            #[inline(always)]
            || {
                for ((w, &g), s) in weights.iter_mut().zip(gradient).zip(accumulator) {
                    *s += g * g;
                    *w -= rate * g / math::sqrt(*s + epsilon);
                }
            },
        );
    }
}

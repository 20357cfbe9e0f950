//! AdamW.

use serde::{Deserialize, Serialize};

use super::tuning::{Tuning, tuned};
use super::{Adam, AnySchedule, MAX_SLOTS, Optimizer, Step};
use crate::error::Result;
use crate::float::Float;
use crate::part::Configured;

/// AdamW: [`Adam`] with decoupled weight decay.
///
/// ```text
/// w ← w − η λ w        then Adam's rule, with the gradient of the loss alone
/// ```
///
/// An L2 penalty in the loss would be divided by √v like any gradient, and so would hardly hold weights whose gradients
/// are large; the decay holds all weights alike.
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `learning_rate` η | 0.001 | finite, > 0, or a schedule |
/// | `weight_decay` λ | 0.004 (PyTorch: 0.01) | finite, ≥ 0 |
/// | `beta_1`, `beta_2`, `epsilon`, `amsgrad` | as [`Adam`] | as [`Adam`] |
/// | the other knobs | off | see [`Tuning`] |
///
/// ```
/// use linfa_mlp::optimizer::{AdamW, AnyOptimizer};
///
/// let adam_w: AnyOptimizer = AdamW::default().weight_decay(0.01).into();
/// assert_eq!(adam_w.to_string(), "adamw(weight_decay=0.01)");
/// ```
///
/// # References
///
/// I. Loshchilov, F. Hutter, *Decoupled Weight Decay Regularization*, ICLR 2019, algorithm 2, with its schedule
/// multiplier η inside the learning rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct AdamW {
    #[serde(flatten)]
    adam: Adam,
}

impl AdamW {
    /// With that learning rate.
    #[must_use]
    pub fn new(learning_rate: impl Into<AnySchedule>) -> Self {
        AdamW { adam: Adam::new(learning_rate).weight_decay(0.004) }
    }

    /// The factor β₁ of the running mean of the gradient.
    #[must_use]
    pub fn beta_1(mut self, beta_1: f64) -> Self {
        self.adam = self.adam.beta_1(beta_1);
        self
    }

    /// The factor β₂ of the running mean of the squared gradient.
    #[must_use]
    pub fn beta_2(mut self, beta_2: f64) -> Self {
        self.adam = self.adam.beta_2(beta_2);
        self
    }

    /// The small number ε.
    #[must_use]
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.adam = self.adam.epsilon(epsilon);
        self
    }

    /// Divides by the largest root mean square so far, so that the step of a weight never grows again.
    #[must_use]
    pub fn amsgrad(mut self) -> Self {
        self.adam = self.adam.amsgrad();
        self
    }
}

tuned!(AdamW, adam.tuning);

impl Default for AdamW {
    fn default() -> Self {
        AdamW::new(0.001)
    }
}

impl Configured for AdamW {
    const NAME: &'static str = "adamw";

    fn check(&self) -> Result<()> {
        Configured::check(&self.adam)
    }
}

impl<F: Float> Optimizer<F> for AdamW {
    fn tuning(&self) -> &Tuning {
        &self.adam.tuning
    }

    fn slots(&self) -> &'static [&'static str] {
        Optimizer::<F>::slots(&self.adam)
    }

    fn update(&self, step: Step<'_>, weights: &mut [F], gradient: &[F], slots: [&mut [F]; MAX_SLOTS]) {
        self.adam.update(step, weights, gradient, slots);
    }
}

//! RMSprop.

use serde::{Deserialize, Serialize};

use super::schedule::{AnySchedule, as_number};
use super::{MAX_SLOTS, Optimizer, Step, check_decay, check_epsilon};
use crate::error::{Result, check};
use crate::float::Float;
use crate::kernel::{self, math};
use crate::part::Configured;

/// RMSprop: each weight's step is divided by a running root mean square of its gradient.
///
/// ```text
/// v ← ρ v + (1 − ρ) g²        d = v + ε        centered: m ← ρ m + (1 − ρ) g,  d = v − m² + ε
/// w ← w − η g / √d            with momentum: b ← μ b + η g / √d,  w ← w − b
/// ```
///
/// ε stands inside the root, as in Keras (PyTorch has it outside). v − m² counts as 0 where rounding makes it negative
/// (Keras takes the root of it, and has NaN after some hundred equal gradients).
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `learning_rate` η | 0.001 | finite, > 0, or a schedule |
/// | `rho` ρ | 0.9 | 0 ≤ ρ < 1 |
/// | `momentum` μ | 0 | 0 ≤ μ ≤ 1 |
/// | `epsilon` ε | 1e-7 | finite, > 0 |
/// | `centered` | false | |
///
/// # References
///
/// T. Tieleman, G. Hinton, *Neural Networks for Machine Learning*, lecture 6.5, 2012; A. Graves, *Generating Sequences
/// With Recurrent Neural Networks*, arXiv:1308.0850, eq. 38–41 (centered).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    #[serde(with = "as_number")]
    learning_rate: AnySchedule,
    rho: f64,
    momentum: f64,
    epsilon: f64,
    centered: bool,
}

impl RmsProp {
    /// With that learning rate.
    #[must_use]
    pub fn new(learning_rate: impl Into<AnySchedule>) -> Self {
        RmsProp {
            learning_rate: learning_rate.into(),
            rho: 0.9,
            momentum: 0.0,
            epsilon: 1e-7,
            centered: false,
        }
    }

    /// The learning rate η: a number or a schedule.
    #[must_use]
    pub fn learning_rate(mut self, learning_rate: impl Into<AnySchedule>) -> Self {
        self.learning_rate = learning_rate.into();
        self
    }

    /// The factor ρ of the running mean.
    #[must_use]
    pub fn rho(mut self, rho: f64) -> Self {
        self.rho = rho;
        self
    }

    /// The momentum μ.
    #[must_use]
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// The small number ε.
    #[must_use]
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Subtracts the squared mean gradient, so that the root is a standard deviation.
    #[must_use]
    pub fn centered(mut self) -> Self {
        self.centered = true;
        self
    }
}

impl Default for RmsProp {
    fn default() -> Self {
        RmsProp::new(0.001)
    }
}

impl Configured for RmsProp {
    const NAME: &'static str = "rmsprop";

    fn check(&self) -> Result<()> {
        self.learning_rate.check()?;
        check_decay("rho", self.rho)?;
        check("momentum", self.momentum, (0.0..=1.0).contains(&self.momentum), "between 0 and 1")?;
        check_epsilon(self.epsilon)
    }
}

impl<F: Float> Optimizer<F> for RmsProp {
    fn learning_rate(&self) -> &AnySchedule {
        &self.learning_rate
    }

    fn slots(&self) -> &'static [&'static str] {
        match (self.momentum > 0.0, self.centered) {
            (false, false) => &["velocity"],
            (true, false) => &["velocity", "momentum"],
            (false, true) => &["velocity", "average_gradient"],
            (true, true) => &["velocity", "momentum", "average_gradient"],
        }
    }

    fn update(&self, step: Step, weights: &mut [F], gradient: &[F], slots: [&mut [F]; MAX_SLOTS]) {
        let (rate, rho, epsilon) = (F::of(step.learning_rate), F::of(self.rho), F::of(self.epsilon));
        let (rest, mu) = (F::of(1.0 - self.rho), F::of(self.momentum));
        let [velocity, second, third, _] = slots;
        let (momentum, average) = if self.momentum > 0.0 { (second, third) } else { (third, second) };
        kernel::dispatch(
            #[inline(always)]
            || {
                // One plain loop for the plain rule; the options share another.
                if momentum.is_empty() && average.is_empty() {
                    for ((w, &g), v) in weights.iter_mut().zip(gradient).zip(velocity) {
                        *v = rho * *v + rest * (g * g);
                        *w -= rate * g / math::sqrt(*v + epsilon);
                    }
                    return;
                }
                for (i, (w, &g)) in weights.iter_mut().zip(gradient).enumerate() {
                    velocity[i] = rho * velocity[i] + rest * (g * g);
                    let mut denominator = velocity[i] + epsilon;
                    if let Some(average) = average.get_mut(i) {
                        *average = rho * *average + rest * g;
                        // A variance is not negative; its rounding is, once the gradient stays the same.
                        denominator = math::max(denominator - *average * *average, epsilon);
                    }
                    let mut increment = rate * g / math::sqrt(denominator);
                    if let Some(momentum) = momentum.get_mut(i) {
                        *momentum = mu * *momentum + increment;
                        increment = *momentum;
                    }
                    *w -= increment;
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_gradient_has_no_variance_below_0() {
        // v and m² come to be equal, and their difference is rounding, which may be far larger than ε.
        for gradient in [188.918_91_f32, 2032.4324, -1670.2701, 1e3, -7e7] {
            let (mut w, mut v, mut m) = ([0.0_f32], [0.0_f32], [0.0_f32]);
            let optimizer = RmsProp::new(1e-3).centered();
            for number in 1..500 {
                let step = Step { number, learning_rate: 1e-3 };
                optimizer.update(step, &mut w, &[gradient], [&mut v, &mut m, &mut [], &mut []]);
                assert!(w[0].is_finite(), "step {number} at a gradient of {gradient}");
            }
        }
    }
}

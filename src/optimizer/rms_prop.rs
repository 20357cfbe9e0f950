//! RMSprop.

use serde::{Deserialize, Serialize};

use super::tuning::{Tuning, tuned};
use super::{AnySchedule, MAX_SLOTS, Optimizer, Step, check_decay, check_epsilon};
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
/// | the other knobs | off | see [`Tuning`] |
///
/// # References
///
/// T. Tieleman, G. Hinton, *Neural Networks for Machine Learning*, lecture 6.5, 2012; A. Graves, *Generating Sequences
/// With Recurrent Neural Networks*, arXiv:1308.0850, eq. 38–41 (centered).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct RmsProp {
    #[serde(flatten)]
    tuning: Tuning,
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
            tuning: Tuning::new(learning_rate),
            rho: 0.9,
            momentum: 0.0,
            epsilon: 1e-7,
            centered: false,
        }
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

tuned!(RmsProp, tuning);

impl Default for RmsProp {
    fn default() -> Self {
        RmsProp::new(0.001)
    }
}

impl Configured for RmsProp {
    const NAME: &'static str = "rmsprop";

    fn check(&self) -> Result<()> {
        self.tuning.check()?;
        check_decay("rho", self.rho)?;
        check("momentum", self.momentum, (0.0..=1.0).contains(&self.momentum), "between 0 and 1")?;
        check_epsilon(self.epsilon)
    }
}

impl<F: Float> Optimizer<F> for RmsProp {
    fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    fn slots(&self) -> &'static [&'static str] {
        match (self.momentum > 0.0, self.centered) {
            (false, false) => &["velocity"],
            (true, false) => &["velocity", "momentum"],
            (false, true) => &["velocity", "average_gradient"],
            (true, true) => &["velocity", "momentum", "average_gradient"],
        }
    }

    fn update(&self, step: Step<'_>, weights: &mut [F], gradient: &[F], slots: [&mut [F]; MAX_SLOTS]) {
        let numbers = Numbers {
            rate: F::of(step.learning_rate),
            rho: F::of(self.rho),
            rest: F::of(1.0 - self.rho),
            momentum: F::of(self.momentum),
            epsilon: F::of(self.epsilon),
        };
        let [velocity, second, third, _] = slots;
        match (self.momentum > 0.0, self.centered) {
            (false, false) => numbers.update::<false, false>(weights, gradient, velocity, second, third),
            (true, false) => numbers.update::<true, false>(weights, gradient, velocity, second, third),
            (false, true) => numbers.update::<false, true>(weights, gradient, velocity, third, second),
            (true, true) => numbers.update::<true, true>(weights, gradient, velocity, second, third),
        }
    }
}

/// The settings of a step in the weights' own number type.
struct Numbers<F> {
    rate: F,
    rho: F,
    rest: F,
    momentum: F,
    epsilon: F,
}

impl<F: Float> Numbers<F> {
    /// One loop for each choice of options, so that each becomes vector code; a moment that is not kept is empty.
    fn update<const MOMENTUM: bool, const CENTERED: bool>(
        &self,
        weights: &mut [F],
        gradient: &[F],
        velocity: &mut [F],
        momentum: &mut [F],
        average: &mut [F],
    ) {
        let n = weights.len();
        let (gradient, velocity) = (&gradient[..n], &mut velocity[..n]);
        let momentum = &mut momentum[..if MOMENTUM { n } else { 0 }];
        let average = &mut average[..if CENTERED { n } else { 0 }];
        let Numbers { rate, rho, rest, momentum: mu, epsilon } = *self;
        kernel::dispatch(
            #[inline(always)]
            || {
                for i in 0..n {
                    let g = gradient[i];
                    velocity[i] = rho * velocity[i] + rest * (g * g);
                    let mut denominator = velocity[i] + epsilon;
                    if CENTERED {
                        average[i] = rho * average[i] + rest * g;
                        // A variance is not negative; its rounding is, once the gradient stays the same.
                        denominator = math::max(epsilon, denominator - average[i] * average[i]);
                    }
                    let mut increment = rate * g / math::sqrt(denominator);
                    if MOMENTUM {
                        momentum[i] = mu * momentum[i] + increment;
                        increment = momentum[i];
                    }
                    weights[i] -= increment;
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
                let step = Step { number, learning_rate: 1e-3, scalars: &[] };
                optimizer.update(step, &mut w, &[gradient], [&mut v, &mut m, &mut [], &mut []]);
                assert!(w[0].is_finite(), "step {number} at a gradient of {gradient}");
            }
        }
    }
}

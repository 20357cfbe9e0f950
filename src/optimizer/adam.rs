//! Adam.

use serde::{Deserialize, Serialize};

use super::power::whole_power;
use super::tuning::{Tuning, tuned};
use super::{AnySchedule, MAX_SLOTS, Optimizer, Step, check_decay, check_epsilon};
use crate::error::Result;
use crate::float::Float;
use crate::kernel::{self, math};
use crate::part::Configured;

/// Adam: steps along the running mean of the gradient, divided by its running root mean square.
///
/// ```text
/// m ← m + (1 − β₁)(g − m)        v ← v + (1 − β₂)(g² − v)
/// α = η √(1 − β₂ᵗ) / (1 − β₁ᵗ)   w ← w − α m / (√v + ε)          AMSGrad: u ← max(u, v), and √u for √v
/// ```
///
/// This is the second of the paper's two forms (before section 2.1), in which ε is not corrected: the one of Keras and
/// scikit-learn. PyTorch and optax have the first.
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `learning_rate` η | 0.001 (the paper) | finite, > 0, or a schedule |
/// | `beta_1` β₁ | 0.9 (the paper) | 0 ≤ β₁ < 1 |
/// | `beta_2` β₂ | 0.999 (the paper) | 0 ≤ β₂ < 1 |
/// | `epsilon` ε | 1e-7 (the paper and scikit-learn: 1e-8) | finite, > 0 |
/// | `amsgrad` | false | |
/// | the other knobs | off | see [`Tuning`] |
///
/// ```
/// use linfa_mlp::optimizer::{Adam, AnyOptimizer};
///
/// let adam: AnyOptimizer = Adam::default().learning_rate(0.01).into();
/// assert_eq!(adam.to_string(), "adam(learning_rate=0.01)");
/// assert!(AnyOptimizer::from(Adam::new(-1.0)).check().is_err());
/// ```
///
/// # References
///
/// - D. P. Kingma, J. Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015, algorithm 1.
/// - S. J. Reddi, S. Kale, S. Kumar, *On the Convergence of Adam and Beyond*, ICLR 2018, algorithm 2 (AMSGrad). Theirs
///   has no bias correction; Keras corrects after the maximum, PyTorch the maximum itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Adam {
    #[serde(flatten)]
    pub(super) tuning: Tuning,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    amsgrad: bool,
}

impl Adam {
    /// With that learning rate.
    #[must_use]
    pub fn new(learning_rate: impl Into<AnySchedule>) -> Self {
        Adam { tuning: Tuning::new(learning_rate), beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, amsgrad: false }
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

    /// Divides by the largest root mean square so far, so that the step of a weight never grows again.
    #[must_use]
    pub fn amsgrad(mut self) -> Self {
        self.amsgrad = true;
        self
    }
}

tuned!(Adam, tuning);

impl Default for Adam {
    fn default() -> Self {
        Adam::new(0.001)
    }
}

impl Configured for Adam {
    const NAME: &'static str = "adam";

    fn check(&self) -> Result<()> {
        self.tuning.check()?;
        check_decay("beta_1", self.beta_1)?;
        check_decay("beta_2", self.beta_2)?;
        check_epsilon(self.epsilon)
    }
}

impl<F: Float> Optimizer<F> for Adam {
    fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    fn slots(&self) -> &'static [&'static str] {
        if self.amsgrad { &["momentum", "velocity", "largest_velocity"] } else { &["momentum", "velocity"] }
    }

    fn update(&self, step: Step<'_>, weights: &mut [F], gradient: &[F], slots: [&mut [F]; MAX_SLOTS]) {
        let (rest_1, rest_2) =
            (1.0 - whole_power(self.beta_1, step.number), 1.0 - whole_power(self.beta_2, step.number));
        let alpha = F::of(step.learning_rate * (rest_2.sqrt() / rest_1));
        let (rest_1, rest_2) = (F::of(1.0 - self.beta_1), F::of(1.0 - self.beta_2));
        let epsilon = F::of(self.epsilon);
        let [momentum, velocity, largest, _] = slots;
        let moments = weights.iter_mut().zip(gradient).zip(momentum).zip(velocity);
        if self.amsgrad {
            kernel::dispatch(
                #[inline(always)]
                || {
                    for ((((w, &g), m), v), u) in moments.zip(largest) {
                        *m += (g - *m) * rest_1;
                        *v += (g * g - *v) * rest_2;
                        *u = math::max(*u, *v);
                        *w -= *m * alpha / (math::sqrt(*u) + epsilon);
                    }
                },
            );
        } else {
            kernel::dispatch(
                #[inline(always)]
                || {
                    for (((w, &g), m), v) in moments {
                        // Not read again where they have been written: that would wait for the writes.
                        let (mean, square) = (*m + (g - *m) * rest_1, *v + (g * g - *v) * rest_2);
                        (*m, *v) = (mean, square);
                        *w -= mean * alpha / (math::sqrt(square) + epsilon);
                    }
                },
            );
        }
    }
}

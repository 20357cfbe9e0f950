//! Stochastic gradient descent.

use serde::{Deserialize, Serialize};

use super::tuning::{Tuning, tuned};
use super::{AnySchedule, MAX_SLOTS, Optimizer, Step};
use crate::error::{Result, check};
use crate::float::Float;
use crate::kernel;
use crate::part::Configured;

/// Stochastic gradient descent, with momentum if wanted.
///
/// ```text
/// v ← μ v − η g        w ← w + v                     momentum (v = −η g without)
///                      w ← w + μ v − η g             Nesterov, with the new v
/// ```
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `learning_rate` η | 0.01 | finite, > 0, or a schedule |
/// | `momentum` μ | 0 | 0 ≤ μ ≤ 1 |
/// | `nesterov` | false | |
/// | the other knobs | off | see [`Tuning`] |
///
/// scikit-learn's MLP has 0.001, 0.9 and true.
///
/// ```
/// use linfa_mlp::optimizer::Sgd;
///
/// let sgd = Sgd::default().learning_rate(0.1).momentum(0.9).nesterov();
/// assert_eq!(sgd, Sgd::new(0.1).momentum(0.9).nesterov());
/// ```
///
/// # References
///
/// I. Sutskever, J. Martens, G. Dahl, G. Hinton, *On the importance of initialization and momentum in deep learning*,
/// ICML 2013, eq. 1–4 and 7.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Sgd {
    #[serde(flatten)]
    tuning: Tuning,
    momentum: f64,
    nesterov: bool,
}

impl Sgd {
    /// With that learning rate.
    #[must_use]
    pub fn new(learning_rate: impl Into<AnySchedule>) -> Self {
        Sgd { tuning: Tuning::new(learning_rate), momentum: 0.0, nesterov: false }
    }

    /// The momentum μ.
    #[must_use]
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// Looks ahead by the momentum.
    #[must_use]
    pub fn nesterov(mut self) -> Self {
        self.nesterov = true;
        self
    }

    fn has_momentum(&self) -> bool {
        self.momentum > 0.0
    }
}

tuned!(Sgd, tuning);

impl Default for Sgd {
    fn default() -> Self {
        Sgd::new(0.01)
    }
}

impl Configured for Sgd {
    const NAME: &'static str = "sgd";

    fn check(&self) -> Result<()> {
        self.tuning.check()?;
        check("momentum", self.momentum, (0.0..=1.0).contains(&self.momentum), "between 0 and 1")
    }
}

impl<F: Float> Optimizer<F> for Sgd {
    fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    fn slots(&self) -> &'static [&'static str] {
        if self.has_momentum() { &["momentum"] } else { &[] }
    }

    fn update(&self, step: Step<'_>, weights: &mut [F], gradient: &[F], slots: [&mut [F]; MAX_SLOTS]) {
        let (rate, momentum) = (F::of(step.learning_rate), F::of(self.momentum));
        let [velocity, ..] = slots;
        kernel::dispatch(
            #[inline(always)]
            || {
                if velocity.is_empty() {
                    for (w, &g) in weights.iter_mut().zip(gradient) {
                        *w -= rate * g;
                    }
                } else {
                    for ((w, &g), v) in weights.iter_mut().zip(gradient).zip(velocity) {
                        *v = momentum * *v - rate * g;
                        *w += if self.nesterov { momentum * *v - rate * g } else { *v };
                    }
                }
            },
        );
    }
}

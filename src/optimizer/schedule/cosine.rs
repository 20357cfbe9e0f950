//! Cosine decay.

use serde::{Deserialize, Serialize};

use super::half_cosine::half_cosine;
use super::{Schedule, check_not_negative, check_positive, check_share, check_steps};
use crate::error::Result;
use crate::part::Configured;

/// The rate falls along half a wave of the cosine, after a linear warm-up if wanted.
///
/// ```text
/// η(t) = η₁ ((1 − α) (1 + cos(π min(t, T) / T)) / 2 + α)
/// warm-up: η₀ + (η₁ − η₀) t / W for t < W, then the above with t − W for t; without it η₁ = η₀
/// ```
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `initial_rate` η₀ | 0.001 here | finite, > 0; with warm-up ≥ 0 |
/// | `decay_steps` T, without those of the warm-up | 1000 (the example of its page) | ≥ 1 |
/// | `alpha` α, the share of η₁ that stays | 0 | 0 ≤ α ≤ 1 |
/// | `warmup_target` η₁ | none | finite, > 0 |
/// | `warmup_steps` W | 0 | ≥ 1 with a target |
///
/// ```
/// use linfa_mlp::optimizer::AnySchedule;
/// use linfa_mlp::optimizer::schedule::Cosine;
///
/// let cosine: AnySchedule = Cosine::new(0.0, 100).warmup(0.1, 10).into();
/// assert_eq!([cosine.rate(0), cosine.rate(5), cosine.rate(10), cosine.rate(110)], [0.0, 0.05, 0.1, 0.0]);
/// ```
///
/// # References
///
/// I. Loshchilov, F. Hutter, *SGDR: Stochastic Gradient Descent with Warm Restarts*, ICLR 2017, eq. 5; Keras,
/// `CosineDecay`. Warm-up: P. Goyal et al., *Accurate, Large Minibatch SGD*, arXiv:1706.02677, section 2.2.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cosine {
    initial_rate: f64,
    decay_steps: u64,
    alpha: f64,
    warmup_target: Option<f64>,
    warmup_steps: u64,
}

impl Cosine {
    /// From that rate, in that many steps.
    #[must_use]
    pub fn new(initial_rate: f64, decay_steps: u64) -> Self {
        Cosine { initial_rate, decay_steps, alpha: 0.0, warmup_target: None, warmup_steps: 0 }
    }

    /// The share α of the highest rate that is left at the end.
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// Rises first, in that many steps, from the initial rate to that one.
    #[must_use]
    pub fn warmup(mut self, target: f64, steps: u64) -> Self {
        self.warmup_target = Some(target);
        self.warmup_steps = steps;
        self
    }
}

impl Default for Cosine {
    fn default() -> Self {
        Cosine::new(0.001, 1000)
    }
}

impl Configured for Cosine {
    const NAME: &'static str = "cosine";
    const ALIASES: &'static [&'static str] = &["CosineDecay"];

    fn check(&self) -> Result<()> {
        match self.warmup_target {
            None => check_positive("initial_rate", self.initial_rate)?,
            Some(target) => {
                check_not_negative("initial_rate", self.initial_rate)?;
                check_positive("warmup_target", target)?;
                check_steps("warmup_steps", self.warmup_steps)?;
            }
        }
        check_steps("decay_steps", self.decay_steps)?;
        check_share("alpha", self.alpha)
    }
}

impl Schedule for Cosine {
    fn rate(&self, step: u64) -> f64 {
        let (top, step) = match self.warmup_target {
            None => (self.initial_rate, step),
            Some(target) if step < self.warmup_steps => {
                let progress = step as f64 / self.warmup_steps as f64;
                return self.initial_rate + (target - self.initial_rate) * progress;
            }
            Some(target) => (target, step - self.warmup_steps),
        };
        let progress = (step as f64 / self.decay_steps as f64).min(1.0);
        top * ((1.0 - self.alpha) * half_cosine(progress) + self.alpha)
    }
}

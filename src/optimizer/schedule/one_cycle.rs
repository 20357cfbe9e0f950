//! The one-cycle policy.

use serde::{Deserialize, Serialize};

use super::half_cosine::half_cosine;
use super::{Schedule, check_positive, check_steps};
use crate::error::{Result, check};
use crate::part::Configured;

/// The rate rises to its maximum and falls far below its start, once in the whole run.
///
/// ```text
/// η₀ = ηₘ / d        ηₑ = η₀ / e        t₁ = ρ N − 1        t₂ = N − 1
/// η(t) = from η₀ to ηₘ for t ≤ t₁, from ηₘ to ηₑ for t₁ < t ≤ t₂, ηₑ afterwards
/// ```
///
/// each along half a wave of the cosine, or a line with `linear`. Unlike PyTorch's, momentum stays what it is, and the
/// rate stays at ηₑ past the last step, where PyTorch fails.
///
/// | setting | default (PyTorch's) | range |
/// | --- | --- | --- |
/// | `max_rate` ηₘ | 0.01 here | finite, > 0 |
/// | `total_steps` N | 1000 here | ≥ 1 |
/// | `rising_share` ρ | 0.3 (`pct_start`) | 0 < ρ < 1 |
/// | `div_factor` d | 25 | finite, ≥ 1 |
/// | `final_div_factor` e | 10 000 | finite, ≥ 1 |
/// | `linear` | false | |
///
/// # References
///
/// L. N. Smith, N. Topin, *Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates*,
/// arXiv:1708.07120, section 3 (linear, rising as long as falling); the form and the defaults are those of PyTorch's
/// `OneCycleLR`, after fast.ai.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneCycle {
    max_rate: f64,
    total_steps: u64,
    rising_share: f64,
    div_factor: f64,
    final_div_factor: f64,
    linear: bool,
}

impl OneCycle {
    /// Up to that rate, in a run of that many steps.
    #[must_use]
    pub fn new(max_rate: f64, total_steps: u64) -> Self {
        OneCycle {
            max_rate,
            total_steps,
            rising_share: 0.3,
            div_factor: 25.0,
            final_div_factor: 1e4,
            linear: false,
        }
    }

    /// The share ρ of the steps in which the rate rises.
    #[must_use]
    #[doc(alias = "pct_start")]
    pub fn rising_share(mut self, share: f64) -> Self {
        self.rising_share = share;
        self
    }

    /// How many times the maximum is the first rate.
    #[must_use]
    pub fn div_factor(mut self, factor: f64) -> Self {
        self.div_factor = factor;
        self
    }

    /// How many times the first rate is the last one.
    #[must_use]
    pub fn final_div_factor(mut self, factor: f64) -> Self {
        self.final_div_factor = factor;
        self
    }

    /// Along lines instead of cosines.
    #[must_use]
    pub fn linear(mut self) -> Self {
        self.linear = true;
        self
    }
}

impl Default for OneCycle {
    fn default() -> Self {
        OneCycle::new(0.01, 1000)
    }
}

impl Configured for OneCycle {
    const NAME: &'static str = "one_cycle";
    const ALIASES: &'static [&'static str] = &["OneCycleLR"];

    fn check(&self) -> Result<()> {
        check_positive("max_rate", self.max_rate)?;
        check_steps("total_steps", self.total_steps)?;
        let share = self.rising_share;
        check("rising_share", share, share > 0.0 && share < 1.0, "above 0 and below 1")?;
        let factors = [("div_factor", self.div_factor), ("final_div_factor", self.final_div_factor)];
        factors.iter().try_for_each(|&(name, factor)| {
            check(name, factor, factor.is_finite() && factor >= 1.0, "finite and at least 1")
        })
    }
}

impl Schedule for OneCycle {
    fn rate(&self, step: u64) -> f64 {
        let first = self.max_rate / self.div_factor;
        let last = first / self.final_div_factor;
        let (step, end) = (step as f64, self.total_steps as f64 - 1.0);
        let top = self.rising_share * self.total_steps as f64 - 1.0;
        // A run so short that the rise has no step of its own begins at the top.
        let (from, to, progress) = if step <= top && top > 0.0 {
            (first, self.max_rate, step / top)
        } else if step < end {
            (self.max_rate, last, (step - top.max(0.0)) / (end - top.max(0.0)))
        } else {
            return last;
        };
        let left = if self.linear { 1.0 - progress } else { half_cosine(progress) };
        to + (from - to) * left
    }
}

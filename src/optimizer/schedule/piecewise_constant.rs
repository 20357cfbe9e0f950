//! Piecewise constant rates.

use serde::{Deserialize, Serialize};

use super::{Schedule, check_positive};
use crate::error::{Result, check};
use crate::part::Configured;

/// A rate for each stretch of steps.
///
/// ```text
/// η(t) = v₀ for t ≤ b₁,  v₁ for b₁ < t ≤ b₂,  …,  vₙ for t > bₙ
/// ```
///
/// As in Keras a boundary belongs to the stretch before it, and steps count from 0.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `boundaries` b | none | rising |
/// | `values` v | 0.001 | one more than boundaries; finite, > 0 |
///
/// ```
/// use linfa_mlp::optimizer::AnySchedule;
/// use linfa_mlp::optimizer::schedule::PiecewiseConstant;
///
/// let steps: AnySchedule = PiecewiseConstant::new([100, 300], [0.1, 0.05, 0.01]).into();
/// assert_eq!([steps.rate(100), steps.rate(101), steps.rate(301)], [0.1, 0.05, 0.01]);
/// ```
///
/// # References
///
/// Keras, `PiecewiseConstantDecay`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PiecewiseConstant {
    boundaries: Vec<u64>,
    values: Vec<f64>,
}

impl PiecewiseConstant {
    /// Those rates, changing after those steps.
    #[must_use]
    pub fn new(boundaries: impl Into<Vec<u64>>, values: impl Into<Vec<f64>>) -> Self {
        PiecewiseConstant { boundaries: boundaries.into(), values: values.into() }
    }
}

impl Default for PiecewiseConstant {
    fn default() -> Self {
        PiecewiseConstant::new([], [0.001])
    }
}

impl Configured for PiecewiseConstant {
    const NAME: &'static str = "piecewise_constant";
    const ALIASES: &'static [&'static str] = &["PiecewiseConstantDecay"];

    fn check(&self) -> Result<()> {
        let rising = self.boundaries.is_sorted_by(|a, b| a < b);
        check("boundaries", format!("{:?}", self.boundaries), rising, "rising")?;
        let (n, allowed) = (self.values.len(), self.boundaries.len() + 1);
        check("number of values", n, n == allowed, &format!("{allowed}, one more than boundaries"))?;
        self.values.iter().try_for_each(|&value| check_positive("values", value))
    }
}

impl Schedule for PiecewiseConstant {
    fn rate(&self, step: u64) -> f64 {
        self.values[self.boundaries.partition_point(|&boundary| boundary < step)]
    }
}

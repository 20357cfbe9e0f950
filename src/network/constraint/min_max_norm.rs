//! A norm between two bounds.

use serde::{Deserialize, Serialize};

use super::{Constraint, EPSILON, scale_columns};
use crate::error::{Result, check};
use crate::float::Float;
use crate::part::Configured;

/// The weights into a unit have a norm between two bounds, or move towards it.
///
/// ```text
/// w ← w · (rate · clip(‖w‖, min_value, max_value) + (1 − rate) · ‖w‖) / (‖w‖ + 10⁻⁷)
/// ```
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `min_value` | 0 | finite, 0 ≤ min_value ≤ max_value |
/// | `max_value` | 1 | finite, > 0 |
/// | `rate` | 1 | 0 ≤ rate ≤ 1 |
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MinMaxNorm {
    min_value: f64,
    max_value: f64,
    rate: f64,
}

impl MinMaxNorm {
    /// Between those norms.
    #[must_use]
    pub fn new(min_value: f64, max_value: f64) -> Self {
        MinMaxNorm { min_value, max_value, rate: 1.0 }
    }

    /// Goes that part of the way at each update.
    #[must_use]
    pub fn rate(mut self, rate: f64) -> Self {
        self.rate = rate;
        self
    }
}

impl Default for MinMaxNorm {
    fn default() -> Self {
        MinMaxNorm::new(0.0, 1.0)
    }
}

impl Configured for MinMaxNorm {
    const NAME: &'static str = "min_max_norm";

    fn check(&self) -> Result<()> {
        let (min, max) = (self.min_value, self.max_value);
        check("max_value", max, max.is_finite() && max > 0.0, "finite and > 0")?;
        check("min_value", min, (0.0..=max).contains(&min), "between 0 and max_value")?;
        check("rate", self.rate, (0.0..=1.0).contains(&self.rate), "between 0 and 1")
    }
}

impl<F: Float> Constraint<F> for MinMaxNorm {
    fn apply(&self, rows: usize, columns: usize, weights: &mut [F]) {
        scale_columns(rows, columns, weights, |norm| {
            let clipped = norm.max(self.min_value).min(self.max_value);
            (self.rate * clipped + (1.0 - self.rate) * norm) / (EPSILON + norm)
        });
    }
}

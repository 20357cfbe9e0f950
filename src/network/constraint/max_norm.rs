//! A largest norm.

use serde::{Deserialize, Serialize};

use super::{Constraint, EPSILON, scale_columns};
use crate::error::{Result, check};
use crate::float::Float;
use crate::part::Configured;

/// The weights into a unit have at most that norm.
///
/// ```text
/// w ← w · min(‖w‖, max_value) / (‖w‖ + 10⁻⁷)
/// ```
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `max_value` | 2 (Keras) | finite, > 0 |
///
/// # References
///
/// N. Srivastava et al., *Dropout*, JMLR 15, 2014, section 5.1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaxNorm {
    max_value: f64,
}

impl MaxNorm {
    /// At most that norm.
    #[must_use]
    pub fn new(max_value: f64) -> Self {
        MaxNorm { max_value }
    }
}

impl Default for MaxNorm {
    fn default() -> Self {
        MaxNorm { max_value: 2.0 }
    }
}

impl Configured for MaxNorm {
    const NAME: &'static str = "max_norm";

    fn check(&self) -> Result<()> {
        check(
            "max_value",
            self.max_value,
            self.max_value.is_finite() && self.max_value > 0.0,
            "finite and > 0",
        )
    }
}

impl<F: Float> Constraint<F> for MaxNorm {
    fn apply(&self, rows: usize, columns: usize, weights: &mut [F]) {
        scale_columns(rows, columns, weights, |norm| norm.min(self.max_value) / (EPSILON + norm));
    }
}

//! A norm of 1.

use serde::{Deserialize, Serialize};

use super::{Constraint, EPSILON, scale_columns};
use crate::float::Float;
use crate::part::Configured;

/// The weights into a unit have norm 1.
///
/// ```text
/// w ← w / (‖w‖ + 10⁻⁷)
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitNorm;

impl Configured for UnitNorm {
    const NAME: &'static str = "unit_norm";
}

impl<F: Float> Constraint<F> for UnitNorm {
    fn apply(&self, rows: usize, columns: usize, weights: &mut [F]) {
        scale_columns(rows, columns, weights, |norm| 1.0 / (EPSILON + norm));
    }
}

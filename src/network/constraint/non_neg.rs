//! No negative weights.

use serde::{Deserialize, Serialize};

use super::Constraint;
use crate::float::Float;
use crate::part::Configured;

/// Negative weights become 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NonNeg;

impl Configured for NonNeg {
    const NAME: &'static str = "non_neg";
}

impl<F: Float> Constraint<F> for NonNeg {
    fn apply(&self, _rows: usize, _columns: usize, weights: &mut [F]) {
        for w in weights {
            if *w < F::zero() {
                *w = F::zero();
            }
        }
    }
}

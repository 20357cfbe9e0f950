//! Mean absolute error.

use serde::{Deserialize, Serialize};

use super::{Loss, Rows, mean_over_columns};
use crate::float::Float;
use crate::kernel::math;
use crate::part::Configured;

/// The mean absolute error.
///
/// ```text
/// ℓ = 1/m Σⱼ |ŷⱼ − yⱼ|        ∂ℓ/∂ŷⱼ = sign(ŷⱼ − yⱼ) / m, 0 where they are equal
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MeanAbsoluteError;

impl Configured for MeanAbsoluteError {
    const NAME: &'static str = "mean_absolute_error";
    const ALIASES: &'static [&'static str] = &["mae"];
}

impl<F: Float> Loss<F> for MeanAbsoluteError {
    fn rows(&self, rows: Rows<'_, F>, _from_sums: bool) {
        mean_over_columns(rows, |output, target| {
            let error = output - target;
            let sign = if error > F::zero() {
                F::one()
            } else if error < F::zero() {
                -F::one()
            } else {
                F::zero()
            };
            (math::abs(error), sign)
        });
    }
}

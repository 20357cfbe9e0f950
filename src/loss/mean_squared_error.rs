//! Mean squared error.

use serde::{Deserialize, Serialize};

use super::{Loss, Rows, mean_over_columns};
use crate::float::Float;
use crate::part::Configured;

/// The mean squared error, the default of regression.
///
/// ```text
/// ℓ = 1/m Σⱼ (ŷⱼ − yⱼ)²        ∂ℓ/∂ŷⱼ = 2/m (ŷⱼ − yⱼ)
/// ```
///
/// No factor ½, as in Keras and PyTorch (scikit-learn's MLP has it).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MeanSquaredError;

impl Configured for MeanSquaredError {
    const NAME: &'static str = "mean_squared_error";
    const ALIASES: &'static [&'static str] = &["mse"];
}

impl<F: Float> Loss<F> for MeanSquaredError {
    fn rows(&self, rows: Rows<'_, F>, _from_sums: bool) {
        let two = F::of(2.0);
        mean_over_columns(rows, |output, target| {
            let error = output - target;
            (error * error, two * error)
        });
    }
}

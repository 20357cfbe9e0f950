//! The logarithm of the hyperbolic cosine.

use serde::{Deserialize, Serialize};

use super::{Loss, Rows, mean_over_columns};
use crate::float::Float;
use crate::kernel::math;
use crate::part::Configured;

/// The logarithm of the hyperbolic cosine of the error: ½e² near 0, |e| − ln 2 far away.
///
/// ```text
/// ℓ = 1/m Σⱼ ln cosh(eⱼ),  e = ŷ − y        ∂ℓ/∂ŷⱼ = tanh(eⱼ) / m
/// ```
///
/// Computed as `|e| + ln(1 + e^(−2|e|)) − ln 2`, which does not overflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LogCosh;

impl Configured for LogCosh {
    const NAME: &'static str = "log_cosh";
    const ALIASES: &'static [&'static str] = &["logcosh"];
}

impl<F: Float> Loss<F> for LogCosh {
    fn rows(&self, rows: Rows<'_, F>, _from_sums: bool) {
        let (minus_two, ln_2) = (F::of(-2.0), F::of(std::f64::consts::LN_2));
        mean_over_columns(rows, |output, target| {
            let error = output - target;
            let size = math::abs(error);
            (size + math::ln_1p(math::exp(minus_two * size)) - ln_2, math::tanh(error))
        });
    }
}

//! Softplus.

use serde::{Deserialize, Serialize};

use super::{Activation, map, scale_by};
use crate::float::Float;
use crate::kernel::math;
use crate::part::Configured;

/// Softplus, a smooth ReLU.
///
/// ```text
/// a = ln(1 + eᶻ)        ∂a/∂z = 1 / (1 + e⁻ᶻ) = 1 − e⁻ᵃ
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Softplus;

impl Configured for Softplus {
    const NAME: &'static str = "softplus";
}

impl<F: Float> Activation<F> for Softplus {
    fn forward(&self, z: &mut [F], _width: usize) {
        map(
            z,
            #[inline(always)]
            |z| math::softplus(z),
        );
    }

    fn backward(&self, kept: &[F], delta: &mut [F], _width: usize) {
        scale_by(
            kept,
            delta,
            #[inline(always)]
            |a| -math::exp_m1(-a),
        );
    }
}

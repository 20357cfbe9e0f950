//! The Poisson deviance, up to a constant.

use serde::{Deserialize, Serialize};

use super::{Loss, Rows, mean_over_columns};
use crate::float::Float;
use crate::kernel::math;
use crate::part::Configured;

/// The negative log-likelihood of a Poisson law with mean ŷ, without the term that does not depend on ŷ.
///
/// ```text
/// ℓ = 1/m Σⱼ (ŷⱼ − yⱼ ln(ŷⱼ + ε)),  ε = 1e-7 (Keras)        ∂ℓ/∂ŷⱼ = (1 − yⱼ / (ŷⱼ + ε)) / m
/// ```
///
/// Targets are counts or rates, finite and ≥ 0. The network should end in a positive activation such as
/// [`Exponential`](crate::network::Exponential) or [`Softplus`](crate::network::Softplus).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Poisson;

impl Configured for Poisson {
    const NAME: &'static str = "poisson";
    const ALIASES: &'static [&'static str] = &[];
}

impl<F: Float> Loss<F> for Poisson {
    fn allows(&self, target: f64, _n_outputs: usize) -> bool {
        target.is_finite() && target >= 0.0
    }

    fn allowed(&self, _n_outputs: usize) -> String {
        "finite and at least 0".into()
    }

    fn rows(&self, rows: Rows<'_, F>, _from_sums: bool) {
        let epsilon = F::of(1e-7);
        mean_over_columns(rows, |output, target| {
            let mean = output + epsilon;
            (output - target * math::ln(mean), F::one() - target / mean)
        });
    }
}

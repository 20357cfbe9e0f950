//! The hyperbolic tangent.

use serde::{Deserialize, Serialize};

use super::{Activation, map, scale_by};
use crate::float::Float;
use crate::kernel::math;
use crate::network::graph::{Graph, Value};
use crate::part::Configured;

/// The hyperbolic tangent.
///
/// ```text
/// a = (eᶻ − e⁻ᶻ) / (eᶻ + e⁻ᶻ)        ∂a/∂z = 1 − a²
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tanh;

impl Configured for Tanh {
    const NAME: &'static str = "tanh";
}

impl<F: Float> Activation<F> for Tanh {
    fn forward(&self, z: &mut [F], _width: usize) {
        map(
            z,
            #[inline(always)]
            |z| math::tanh(z),
        );
    }

    fn express(&self, graph: &mut Graph<'_, F>, z: Value) -> Option<Value> {
        Some(graph.apply("Tanh", &[z]))
    }

    fn backward(&self, kept: &[F], delta: &mut [F], _width: usize) {
        scale_by(
            kept,
            delta,
            #[inline(always)]
            |a| F::one() - a * a,
        );
    }
}

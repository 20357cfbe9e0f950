//! Softplus.

use serde::{Deserialize, Serialize};

use super::{Activation, map, scale_by};
use crate::float::Float;
use crate::kernel::math;
use crate::network::graph::{Graph, Precision, Value};
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

    fn express(&self, graph: &mut Graph<'_, F>, z: Value) -> Option<Value> {
        if graph.precision() == Precision::Single {
            return Some(graph.apply("Softplus", &[z]));
        }
        // max(z, 0) + ln(1 + e^−|z|)
        let (zero, one) = (graph.scalar(0.0), graph.scalar(1.0));
        let (above, size) = (graph.apply("Max", &[z, zero]), graph.apply("Abs", &[z]));
        let negative = graph.apply("Neg", &[size]);
        let power = graph.apply("Exp", &[negative]);
        let sum = graph.apply("Add", &[one, power]);
        let logarithm = graph.apply("Log", &[sum]);
        Some(graph.apply("Add", &[above, logarithm]))
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

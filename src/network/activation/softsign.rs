//! Softsign.

use serde::{Deserialize, Serialize};

use super::{Activation, map, scale_by};
use crate::float::Float;
use crate::kernel::math;
use crate::network::graph::{Graph, Precision, Value};
use crate::part::Configured;

/// Softsign, a bounded function with slow tails.
///
/// ```text
/// a = z / (1 + |z|)        ∂a/∂z = (1 − |a|)²
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Softsign;

impl Configured for Softsign {
    const NAME: &'static str = "softsign";
}

impl<F: Float> Activation<F> for Softsign {
    fn forward(&self, z: &mut [F], _width: usize) {
        map(
            z,
            #[inline(always)]
            |z| z / (F::one() + math::abs(z)),
        );
    }

    fn express(&self, graph: &mut Graph<'_, F>, z: Value) -> Option<Value> {
        if graph.precision() == Precision::Single {
            return Some(graph.apply("Softsign", &[z]));
        }
        let (one, size) = (graph.scalar(1.0), graph.apply("Abs", &[z]));
        let divisor = graph.apply("Add", &[one, size]);
        Some(graph.apply("Div", &[z, divisor]))
    }

    fn backward(&self, kept: &[F], delta: &mut [F], _width: usize) {
        scale_by(
            kept,
            delta,
            #[inline(always)]
            |a| {
                let rest = F::one() - math::abs(a);
                rest * rest
            },
        );
    }
}

//! SiLU, also called swish.

use serde::{Deserialize, Serialize};

use super::sigmoid::express_logistic;
use super::{Activation, Keeps, map, scale_by};
use crate::float::Float;
use crate::kernel::math;
use crate::network::graph::{Graph, Value};
use crate::part::Configured;

/// SiLU, also called swish.
///
/// ```text
/// a = z σ(z)        ∂a/∂z = σ(z) (1 + z (1 − σ(z)))
/// ```
///
/// # References
///
/// S. Elfwing, E. Uchibe, K. Doya, *Sigmoid-weighted linear units*, Neural Networks 107, 2018.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Silu;

impl Configured for Silu {
    const NAME: &'static str = "silu";
    const ALIASES: &'static [&'static str] = &["swish"];
}

impl<F: Float> Activation<F> for Silu {
    fn forward(&self, z: &mut [F], _width: usize) {
        map(
            z,
            #[inline(always)]
            |z| z * math::sigmoid(z),
        );
    }

    fn express(&self, graph: &mut Graph<'_, F>, z: Value) -> Option<Value> {
        let sigma = express_logistic(graph, z);
        Some(graph.apply("Mul", &[z, sigma]))
    }

    fn backward(&self, kept: &[F], delta: &mut [F], _width: usize) {
        scale_by(
            kept,
            delta,
            #[inline(always)]
            |z| {
                let sigma = math::sigmoid(z);
                sigma * (F::one() + z * (F::one() - sigma))
            },
        );
    }

    fn keeps(&self) -> Keeps {
        Keeps::Input
    }
}

//! GELU.

use serde::{Deserialize, Serialize};

use super::{Activation, Keeps, map, scale_by};
use crate::float::Float;
use crate::kernel::math;
use crate::network::graph::{Graph, Value};
use crate::part::Configured;

/// GELU in its exact form (Keras' `approximate=False`).
///
/// ```text
/// a = z Φ(z)        ∂a/∂z = Φ(z) + z φ(z)        Φ, φ: the standard normal distribution and its density
/// ```
///
/// # References
///
/// D. Hendrycks, K. Gimpel, *Gaussian Error Linear Units*, arXiv:1606.08415.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gelu;

impl Configured for Gelu {
    const NAME: &'static str = "gelu";
}

impl<F: Float> Activation<F> for Gelu {
    fn forward(&self, z: &mut [F], _width: usize) {
        map(
            z,
            #[inline(always)]
            |z| z * math::normal_cdf(z),
        );
    }

    fn express(&self, graph: &mut Graph<'_, F>, z: Value) -> Option<Value> {
        // The operator of that name is younger than set 17.
        let (root, one, half) =
            (graph.scalar(std::f64::consts::SQRT_2), graph.scalar(1.0), graph.scalar(0.5));
        let scaled = graph.apply("Div", &[z, root]);
        let erf = graph.apply("Erf", &[scaled]);
        let above = graph.apply("Add", &[erf, one]);
        let weighted = graph.apply("Mul", &[z, above]);
        Some(graph.apply("Mul", &[weighted, half]))
    }

    fn backward(&self, kept: &[F], delta: &mut [F], _width: usize) {
        let (half, density) = (F::of(-0.5), F::of(0.398_942_280_401_432_7));
        scale_by(
            kept,
            delta,
            #[inline(always)]
            |z| math::normal_cdf(z) + z * density * math::exp(half * z * z),
        );
    }

    fn keeps(&self) -> Keeps {
        Keeps::Input
    }
}

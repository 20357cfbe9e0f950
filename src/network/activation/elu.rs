//! Exponential linear units.

use serde::{Deserialize, Serialize};

use super::{Activation, map, scale_by};
use crate::error::{Result, check};
use crate::float::Float;
use crate::kernel::math;
use crate::network::graph::{Attribute, Graph, Precision, Value};
use crate::part::Configured;

/// Exponential below 0.
///
/// ```text
/// a = z where z > 0, else alpha (eᶻ − 1)        ∂a/∂z = 1 where a > 0, else a + alpha
/// ```
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `alpha` | 1 (the paper, Keras) | finite, > 0 |
///
/// # References
///
/// D.-A. Clevert, T. Unterthiner, S. Hochreiter, *Exponential Linear Units*, ICLR 2016.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Elu {
    /// The value approached far below 0 is −`alpha`.
    pub alpha: f64,
}

impl Default for Elu {
    fn default() -> Self {
        Elu { alpha: 1.0 }
    }
}

impl Configured for Elu {
    const NAME: &'static str = "elu";

    fn check(&self) -> Result<()> {
        check("alpha", self.alpha, self.alpha.is_finite() && self.alpha > 0.0, "finite and above 0")
    }
}

impl<F: Float> Activation<F> for Elu {
    fn forward(&self, z: &mut [F], _width: usize) {
        scaled_elu(z, F::one(), F::of(self.alpha));
    }

    fn express(&self, graph: &mut Graph<'_, F>, z: Value) -> Option<Value> {
        if graph.precision() == Precision::Single {
            return Some(graph.apply_with("Elu", &[z], vec![("alpha", Attribute::Float(self.alpha as f32))]));
        }
        Some(express_elu(graph, z, self.alpha))
    }

    fn backward(&self, kept: &[F], delta: &mut [F], _width: usize) {
        let alpha = F::of(self.alpha);
        scale_by(
            kept,
            delta,
            #[inline(always)]
            |a| if a > F::zero() { F::one() } else { a + alpha },
        );
    }
}

/// The self-normalising ELU: `a = scale · elu(z)` with fixed constants under which activations of a deep network keep mean
/// 0 and variance 1 when its weights start from LeCun's normal law.
///
/// ```text
/// a = s z where z > 0, else s α (eᶻ − 1)        ∂a/∂z = a + s α where a < 0, else s        s = 1.0507, α = 1.6733
/// ```
///
/// # References
///
/// G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter, *Self-Normalizing Neural Networks*, NeurIPS 2017, eq. 2 and 14.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Selu;

const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;

impl Configured for Selu {
    const NAME: &'static str = "selu";
}

impl<F: Float> Activation<F> for Selu {
    fn forward(&self, z: &mut [F], _width: usize) {
        scaled_elu(z, F::of(SELU_SCALE), F::of(SELU_ALPHA));
    }

    fn express(&self, graph: &mut Graph<'_, F>, z: Value) -> Option<Value> {
        if graph.precision() == Precision::Single {
            let alpha = ("alpha", Attribute::Float(SELU_ALPHA as f32));
            let scale = ("gamma", Attribute::Float(SELU_SCALE as f32));
            return Some(graph.apply_with("Selu", &[z], vec![alpha, scale]));
        }
        let (elu, scale) = (express_elu(graph, z, SELU_ALPHA), graph.scalar(SELU_SCALE));
        Some(graph.apply("Mul", &[elu, scale]))
    }

    fn backward(&self, kept: &[F], delta: &mut [F], _width: usize) {
        let (scale, floor) = (F::of(SELU_SCALE), F::of(SELU_SCALE * SELU_ALPHA));
        // At the kink the slope from above, as in Keras, where the ELU has the one from below.
        scale_by(
            kept,
            delta,
            #[inline(always)]
            |a| if a < F::zero() { a + floor } else { scale },
        );
    }
}

fn scaled_elu<F: Float>(z: &mut [F], scale: F, alpha: F) {
    map(
        z,
        #[inline(always)]
        |z| {
            let below = alpha * math::exp_m1(z);
            scale * if z > F::zero() { z } else { below }
        },
    );
}

/// max(z, 0) + α · (e^min(z, 0) − 1) in a graph.
fn express_elu<F: Float>(graph: &mut Graph<'_, F>, z: Value, alpha: f64) -> Value {
    let (zero, one, alpha) = (graph.scalar(0.0), graph.scalar(1.0), graph.scalar(alpha));
    let (above, below) = (graph.apply("Max", &[z, zero]), graph.apply("Min", &[z, zero]));
    let power = graph.apply("Exp", &[below]);
    let below = graph.apply("Sub", &[power, one]);
    let below = graph.apply("Mul", &[below, alpha]);
    graph.apply("Add", &[above, below])
}

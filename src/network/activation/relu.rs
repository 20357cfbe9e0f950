//! The rectified linear unit, and the one that leaks.

use serde::{Deserialize, Serialize};

use super::{Activation, Keeps, map, scale_by};
use crate::error::{Result, check};
use crate::float::Float;
use crate::network::graph::{Attribute, Graph, Precision, Value};
use crate::part::Configured;

/// The rectified linear unit.
///
/// ```text
/// a = max(z, 0)        ∂a/∂z = 1 where z > 0, else 0
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Relu;

impl Configured for Relu {
    const NAME: &'static str = "relu";
}

impl<F: Float> Activation<F> for Relu {
    fn forward(&self, z: &mut [F], _width: usize) {
        // Not `max`: a NaN must stay one, so that a diverged run is seen.
        map(
            z,
            #[inline(always)]
            |z| if z < F::zero() { F::zero() } else { z },
        );
    }

    fn express(&self, graph: &mut Graph<'_, F>, z: Value) -> Option<Value> {
        Some(graph.apply("Relu", &[z]))
    }

    fn backward(&self, kept: &[F], delta: &mut [F], _width: usize) {
        scale_by(
            kept,
            delta,
            #[inline(always)]
            |a| if a > F::zero() { F::one() } else { F::zero() },
        );
    }
}

/// ReLU with a small slope below 0.
///
/// ```text
/// a = z where z > 0, else negative_slope · z        ∂a/∂z = 1 where z > 0, else negative_slope
/// ```
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `negative_slope` | 0.2 (Keras 3; PyTorch has 0.01) | finite, ≥ 0 |
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeakyRelu {
    /// Slope below 0.
    pub negative_slope: f64,
}

impl Default for LeakyRelu {
    fn default() -> Self {
        LeakyRelu { negative_slope: 0.2 }
    }
}

impl Configured for LeakyRelu {
    const NAME: &'static str = "leaky_relu";

    fn check(&self) -> Result<()> {
        let slope = self.negative_slope;
        check("negative_slope", slope, slope.is_finite() && slope >= 0.0, "finite and at least 0")
    }
}

impl<F: Float> Activation<F> for LeakyRelu {
    fn forward(&self, z: &mut [F], _width: usize) {
        let slope = F::of(self.negative_slope);
        map(
            z,
            #[inline(always)]
            |z| if z < F::zero() { slope * z } else { z },
        );
    }

    fn express(&self, graph: &mut Graph<'_, F>, z: Value) -> Option<Value> {
        if graph.precision() == Precision::Single {
            let settings = vec![("alpha", Attribute::Float(self.negative_slope as f32))];
            return Some(graph.apply_with("LeakyRelu", &[z], settings));
        }
        let (zero, slope) = (graph.scalar(0.0), graph.scalar(self.negative_slope));
        let (above, below) = (graph.apply("Max", &[z, zero]), graph.apply("Min", &[z, zero]));
        let leak = graph.apply("Mul", &[below, slope]);
        Some(graph.apply("Add", &[above, leak]))
    }

    fn backward(&self, kept: &[F], delta: &mut [F], _width: usize) {
        let slope = F::of(self.negative_slope);
        scale_by(
            kept,
            delta,
            #[inline(always)]
            |z| if z > F::zero() { F::one() } else { slope },
        );
    }

    // The sign of the output would do, but for a slope of 0 or an underflow.
    fn keeps(&self) -> Keeps {
        Keeps::Input
    }
}

//! The exponential.

use serde::{Deserialize, Serialize};

use super::{Activation, map, scale_by};
use crate::float::Float;
use crate::kernel::math;
use crate::network::graph::{Graph, Value};
use crate::part::Configured;

/// The exponential, for outputs that are rates: `a = eᶻ`, `∂a/∂z = a`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exponential;

impl Configured for Exponential {
    const NAME: &'static str = "exponential";
    const ALIASES: &'static [&'static str] = &["exp"];
}

impl<F: Float> Activation<F> for Exponential {
    fn forward(&self, z: &mut [F], _width: usize) {
        map(
            z,
            #[inline(always)]
            |z| math::exp(z),
        );
    }

    fn express(&self, graph: &mut Graph<'_, F>, z: Value) -> Option<Value> {
        Some(graph.apply("Exp", &[z]))
    }

    fn backward(&self, kept: &[F], delta: &mut [F], _width: usize) {
        scale_by(
            kept,
            delta,
            #[inline(always)]
            |a| a,
        );
    }
}

//! Softmax.

use serde::{Deserialize, Serialize};

use super::{Activation, map};
use crate::float::Float;
use crate::kernel::math;
use crate::network::graph::{Attribute, Graph, Value};
use crate::part::Configured;

/// Probabilities over the columns of a row.
///
/// ```text
/// aⱼ = e^(zⱼ − max z) / Σₖ e^(zₖ − max z)        ∂loss/∂zⱼ = aⱼ (δⱼ − Σₖ aₖ δₖ),  δ = ∂loss/∂a
/// ```
///
/// With cross-entropy the two are computed as one, from `z`: see [`loss`](crate::loss).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Softmax;

impl Configured for Softmax {
    const NAME: &'static str = "softmax";
}

impl<F: Float> Activation<F> for Softmax {
    fn forward(&self, z: &mut [F], width: usize) {
        for row in z.chunks_exact_mut(width) {
            let largest = row.iter().copied().fold(row[0], |m, z| if z > m || m.is_nan() { z } else { m });
            for z in row.iter_mut() {
                *z -= largest;
            }
        }
        map(
            z,
            #[inline(always)]
            |z| math::exp(z),
        );
        for row in z.chunks_exact_mut(width) {
            let total: F = row.iter().copied().fold(F::zero(), |sum, e| sum + e);
            for a in row.iter_mut() {
                *a /= total;
            }
        }
    }

    fn express(&self, graph: &mut Graph<'_, F>, z: Value) -> Option<Value> {
        Some(graph.apply_with("Softmax", &[z], vec![("axis", Attribute::Int(-1))]))
    }

    fn backward(&self, kept: &[F], delta: &mut [F], width: usize) {
        for (a, delta) in kept.chunks_exact(width).zip(delta.chunks_exact_mut(width)) {
            let mean = a.iter().zip(&*delta).fold(F::zero(), |sum, (&a, &delta)| sum + a * delta);
            for (delta, &a) in delta.iter_mut().zip(a) {
                *delta = a * (*delta - mean);
            }
        }
    }
}

//! What the two normalisations share: the affine map at their end.

use super::{Tensor, Tensors};
use crate::float::Float;
use crate::network::graph::{Graph, Value};
use crate::network::initializer::{Ones, Zeros};
use crate::network::regularizer::AnyRegularizer;

/// `γ` from 1 and `β` from 0, those there are.
pub(super) fn affine(
    width: usize,
    (scale, center): (bool, bool),
    (of_gamma, of_beta): (Option<AnyRegularizer>, Option<AnyRegularizer>),
    trainable: bool,
) -> Vec<Tensor> {
    let gamma = scale.then(|| Tensor {
        regularizer: of_gamma,
        trainable,
        ..Tensor::vector("gamma", width, Ones.into())
    });
    let beta = center.then(|| Tensor {
        regularizer: of_beta,
        trainable,
        ..Tensor::vector("beta", width, Zeros.into())
    });
    gamma.into_iter().chain(beta).collect()
}

/// The values of `γ` and `β`, those there are.
pub(super) fn scale_and_offset<'a, F: Float>(
    weights: Tensors<'a, F>,
    scale: bool,
    center: bool,
) -> (Option<&'a [F]>, Option<&'a [F]>) {
    (scale.then(|| weights.get(0)), center.then(|| weights.get(usize::from(scale))))
}

/// `γ · normal + β` in a graph, as far as they are there.
pub(super) fn express_affine<'a, F: Float>(
    graph: &mut Graph<'a, F>,
    mut normal: Value,
    width: usize,
    weights: Tensors<'a, F>,
    (scale, center): (bool, bool),
) -> Value {
    if scale {
        let gamma = weights.constant(graph, "gamma", 0, &[width]);
        normal = graph.apply("Mul", &[normal, gamma]);
    }
    if center {
        let beta = weights.constant(graph, "beta", usize::from(scale), &[width]);
        normal = graph.apply("Add", &[normal, beta]);
    }
    normal
}

/// `to += a · b`, by element.
#[inline(always)]
pub(super) fn add_products<F: Float>(a: &[F], b: &[F], to: &mut [F]) {
    for ((to, &a), &b) in to.iter_mut().zip(a).zip(b) {
        *to += a * b;
    }
}

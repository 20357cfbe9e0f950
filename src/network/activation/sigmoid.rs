//! The logistic function and its piecewise linear stand-in.

use serde::{Deserialize, Serialize};

use super::{Activation, map, scale_by};
use crate::float::Float;
use crate::kernel::math;
use crate::network::graph::{Attribute, Graph, Precision, Value};
use crate::part::Configured;

/// The logistic function.
///
/// ```text
/// a = 1 / (1 + e⁻ᶻ)        ∂a/∂z = a (1 − a)
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sigmoid;

impl Configured for Sigmoid {
    const NAME: &'static str = "sigmoid";
    const ALIASES: &'static [&'static str] = &["logistic"];
}

impl<F: Float> Activation<F> for Sigmoid {
    fn forward(&self, z: &mut [F], _width: usize) {
        map(
            z,
            #[inline(always)]
            |z| math::sigmoid(z),
        );
    }

    fn express(&self, graph: &mut Graph<'_, F>, z: Value) -> Option<Value> {
        Some(express_logistic(graph, z))
    }

    fn backward(&self, kept: &[F], delta: &mut [F], _width: usize) {
        scale_by(
            kept,
            delta,
            #[inline(always)]
            |a| a * (F::one() - a),
        );
    }
}

/// The logistic function in a graph. In `f64` it is written out, for runtimes that have the operator in `f32` alone.
pub(super) fn express_logistic<F: Float>(graph: &mut Graph<'_, F>, z: Value) -> Value {
    if graph.precision() == Precision::Single {
        return graph.apply("Sigmoid", &[z]);
    }
    // 1 / (1 + e^−z)
    let (one, negative) = (graph.scalar(1.0), graph.apply("Neg", &[z]));
    let power = graph.apply("Exp", &[negative]);
    let sum = graph.apply("Add", &[one, power]);
    graph.apply("Div", &[one, sum])
}

/// A piecewise linear logistic function, as Keras 3 has it.
///
/// ```text
/// a = min(max(z/6 + ½, 0), 1)        ∂a/∂z = ⅙ where 0 < a < 1, else 0
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HardSigmoid;

impl Configured for HardSigmoid {
    const NAME: &'static str = "hard_sigmoid";
}

impl<F: Float> Activation<F> for HardSigmoid {
    fn forward(&self, z: &mut [F], _width: usize) {
        let (sixth, half) = (F::of(1.0 / 6.0), F::of(0.5));
        map(
            z,
            #[inline(always)]
            |z| math::min(math::max(z * sixth + half, F::zero()), F::one()),
        );
    }

    fn express(&self, graph: &mut Graph<'_, F>, z: Value) -> Option<Value> {
        if graph.precision() == Precision::Single {
            let settings = vec![("alpha", Attribute::Float(1.0 / 6.0)), ("beta", Attribute::Float(0.5))];
            return Some(graph.apply_with("HardSigmoid", &[z], settings));
        }
        let (sixth, half) = (graph.scalar(1.0 / 6.0), graph.scalar(0.5));
        let (zero, one) = (graph.scalar(0.0), graph.scalar(1.0));
        let line = graph.apply("Mul", &[z, sixth]);
        let line = graph.apply("Add", &[line, half]);
        let above = graph.apply("Max", &[line, zero]);
        Some(graph.apply("Min", &[above, one]))
    }

    fn backward(&self, kept: &[F], delta: &mut [F], _width: usize) {
        let sixth = F::of(1.0 / 6.0);
        scale_by(
            kept,
            delta,
            #[inline(always)]
            |a| if a > F::zero() && a < F::one() { sixth } else { F::zero() },
        );
    }
}

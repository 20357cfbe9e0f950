//! Activations: the functions between a layer's sums and its outputs.
//!
//! | name | f(z) |
//! | --- | --- |
//! | [`Identity`] | z |
//! | [`Relu`], [`LeakyRelu`] | max(z, 0); z below 0 is scaled |
//! | [`Elu`], [`Selu`] | exponential below 0 |
//! | [`Gelu`], [`Silu`] | z·Φ(z); z·σ(z) |
//! | [`Softplus`], [`Softsign`] | ln(1 + eᶻ); z / (1 + \|z\|) |
//! | [`Sigmoid`], [`HardSigmoid`], [`Tanh`] | bounded |
//! | [`Softmax`] | probabilities over the columns of a row |
//! | [`Exponential`] | eᶻ |

use std::sync::Arc;

use crate::float::Float;
use crate::kernel;
use crate::network::graph::{Graph, Value};
use crate::part::{Configured, Member, Part, Room};

mod elu;
mod exponential;
mod gelu;
mod identity;
mod relu;
mod sigmoid;
mod silu;
mod softmax;
mod softplus;
mod softsign;
mod tanh;

pub use elu::{Elu, Selu};
pub use exponential::Exponential;
pub use gelu::Gelu;
pub use identity::Identity;
pub use relu::{LeakyRelu, Relu};
pub use sigmoid::{HardSigmoid, Sigmoid};
pub use silu::Silu;
pub use softmax::Softmax;
pub use softplus::Softplus;
pub use softsign::Softsign;
pub use tanh::Tanh;

/// What an activation's derivative is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// From its output `a`, which the next layer keeps anyway.
    Output,
    /// From its input `z`, of which a copy is kept.
    Input,
}

/// A function from a layer's sums `z` to its outputs `a`.
///
/// # Shapes
///
/// Slices hold whole rows of `width` values, row-major.
pub trait Activation<F: Float>: Send + Sync {
    /// Replaces `z` by `a`.
    fn forward(&self, z: &mut [F], width: usize);

    /// Replaces ∂loss/∂a by ∂loss/∂z; `kept` is what [`keeps`](Self::keeps) says.
    fn backward(&self, kept: &[F], delta: &mut [F], width: usize);

    /// Adds `a` to a graph, and gives its value; none when that cannot be said. Models with such an activation are not
    /// exported.
    fn express(&self, _graph: &mut Graph<'_, F>, _z: Value) -> Option<Value> {
        None
    }

    /// What [`backward`](Self::backward) reads.
    fn keeps(&self) -> Keeps {
        Keeps::Output
    }
}

/// The room of activations.
#[derive(Debug)]
pub enum Activations {}

/// Any activation: by value, or by name with `"relu".parse()`.
pub type AnyActivation = Part<Activations>;

impl Room for Activations {
    type Ops<F: Float> = dyn Activation<F>;
    const KIND: &'static str = "activation";

    fn members() -> &'static [Member<Self>] {
        const MEMBERS: &[Member<Activations>] = &[
            Member::of::<Identity>(),
            Member::of::<Relu>(),
            Member::of::<LeakyRelu>(),
            Member::of::<Elu>(),
            Member::of::<Selu>(),
            Member::of::<Gelu>(),
            Member::of::<Silu>(),
            Member::of::<Softplus>(),
            Member::of::<Softsign>(),
            Member::of::<Sigmoid>(),
            Member::of::<HardSigmoid>(),
            Member::of::<Tanh>(),
            Member::of::<Softmax>(),
            Member::of::<Exponential>(),
        ];
        MEMBERS
    }
}

impl<A: Configured + Activation<f32> + Activation<f64>> From<A> for AnyActivation {
    fn from(activation: A) -> Self {
        let part = Arc::new(activation);
        let single: Arc<dyn Activation<f32>> = part.clone();
        let double: Arc<dyn Activation<f64>> = part.clone();
        Part::assemble(part, single, double)
    }
}

/// Replaces each value by `f` of it, with the widest instructions of the CPU.
#[inline(always)]
pub(crate) fn map<F: Float>(values: &mut [F], f: impl Fn(F) -> F) {
    kernel::dispatch(
        #[inline(always)]
        || {
            for value in values.iter_mut() {
                *value = f(*value);
            }
        },
    );
}

/// Multiplies each delta by the derivative `f` at the kept value.
#[inline(always)]
pub(crate) fn scale_by<F: Float>(kept: &[F], delta: &mut [F], f: impl Fn(F) -> F) {
    kernel::dispatch(
        #[inline(always)]
        || {
            for (delta, &kept) in delta.iter_mut().zip(kept) {
                *delta *= f(kept);
            }
        },
    );
}

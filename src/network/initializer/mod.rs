//! Initialisers: the laws of the first weights.
//!
//! Formulas and defaults are Keras'. Numbers are drawn in `f64` from a stream of their own for each tensor and rounded
//! to the data's type, so `f32` and `f64` networks of one seed start alike.
//!
//! | for | use |
//! | --- | --- |
//! | weights, unless you say otherwise; tanh, sigmoid | [`GlorotUniform`], [`GlorotNormal`] |
//! | weights before ReLU and its kin | [`HeUniform`], [`HeNormal`] |
//! | weights before [`Selu`](super::Selu) | [`LecunNormal`], [`LecunUniform`] |
//! | biases | [`Zeros`], the default; [`Ones`], [`Constant`] |
//! | anything | [`RandomNormal`], [`RandomUniform`], [`Orthogonal`] |
//!
//! They are given to [`Dense::kernel_initializer`](super::Dense::kernel_initializer) and its neighbours.

use std::sync::Arc;

use crate::float::Float;
use crate::kernel::math;
use crate::part::{Configured, Member, Part, Room};
use crate::rng::Stream;

mod constant;
mod orthogonal;
mod random;
mod variance_scaling;

pub use constant::{Constant, Ones, Zeros};
pub use orthogonal::Orthogonal;
pub use random::{RandomNormal, RandomUniform};
pub use variance_scaling::{GlorotNormal, GlorotUniform, HeNormal, HeUniform, LecunNormal, LecunUniform};

/// The law a tensor's first values follow.
pub trait Initializer: Send + Sync {
    /// Fills a tensor of `rows × columns` values, row-major: `fan_in × fan_out` for weights, `1 × units` for a bias.
    fn fill(&self, rows: usize, columns: usize, stream: Stream, values: &mut [f64]);
}

/// The room of initialisers.
#[derive(Debug)]
pub enum Initializers {}

/// Any initialiser: by value, or by name with `"he_normal".parse()`.
pub type AnyInitializer = Part<Initializers>;

impl Room for Initializers {
    type Ops<F: Float> = dyn Initializer;
    const KIND: &'static str = "initializer";

    fn members() -> &'static [Member<Self>] {
        const MEMBERS: &[Member<Initializers>] = &[
            Member::of::<GlorotUniform>(),
            Member::of::<GlorotNormal>(),
            Member::of::<HeUniform>(),
            Member::of::<HeNormal>(),
            Member::of::<LecunUniform>(),
            Member::of::<LecunNormal>(),
            Member::of::<RandomUniform>(),
            Member::of::<RandomNormal>(),
            Member::of::<Orthogonal>(),
            Member::of::<Zeros>(),
            Member::of::<Ones>(),
            Member::of::<Constant>(),
        ];
        MEMBERS
    }
}

impl<I: Configured + Initializer> From<I> for AnyInitializer {
    fn from(initializer: I) -> Self {
        let part = Arc::new(initializer);
        let single: Arc<dyn Initializer> = part.clone();
        Part::assemble(part, single.clone(), single)
    }
}

/// A draw from the standard normal law: the inverse of its distribution function at a uniform draw inside (0, 1).
fn normal(stream: &mut Stream) -> f64 {
    // The centre of one of 2⁵³ cells, so that neither 0 nor 1 can come up.
    let u = stream.uniform() + 0.5 / (1_u64 << 53) as f64;
    math::inverse_normal_cdf(u)
}

/// A draw from the standard normal law cut off at ±2.
fn truncated_normal(stream: &mut Stream) -> f64 {
    const BELOW: f64 = 0.022_750_131_948_179_21;
    math::inverse_normal_cdf(BELOW + stream.uniform() * (1.0 - 2.0 * BELOW)).clamp(-2.0, 2.0)
}

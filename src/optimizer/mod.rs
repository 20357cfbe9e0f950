//! Optimizers: how weights move.
//!
//! An optimizer is a plain description. The moments it needs are slices it is handed: they belong to the run, so that a
//! run can be paused, cloned and saved. Update rules and defaults are Keras' unless the page says otherwise.

use std::sync::Arc;

use crate::float::Float;
use crate::part::{Configured, Member, Part, Room};

mod adam;
mod rms_prop;
pub mod schedule;
mod sgd;

pub use adam::Adam;
pub use rms_prop::RmsProp;
pub use schedule::AnySchedule;
pub use sgd::Sgd;

/// The most moments an optimizer may have for each weight.
pub const MAX_SLOTS: usize = 4;

/// A step about to be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Number of the step, from 1.
    pub number: u64,
    /// Learning rate of this step.
    pub learning_rate: f64,
}

/// A rule that moves weights along their gradient.
pub trait Optimizer<F: Float>: Send + Sync {
    /// The learning rate over the steps.
    fn learning_rate(&self) -> &AnySchedule;

    /// Names of the moments kept for each weight, at most [`MAX_SLOTS`]; all start at 0.
    fn slots(&self) -> &'static [&'static str];

    /// Moves some weights; every slice has the same length, one for each name in [`slots`](Self::slots), the rest empty.
    /// Element by element, so that any slice of the weights can be moved on its own.
    fn update(&self, step: Step, weights: &mut [F], gradient: &[F], slots: [&mut [F]; MAX_SLOTS]);
}

/// The room of optimizers.
#[derive(Debug)]
pub enum Optimizers {}

/// Any optimizer: by value, or by name with `"adam".parse()`.
pub type AnyOptimizer = Part<Optimizers>;

impl Room for Optimizers {
    type Ops<F: Float> = dyn Optimizer<F>;
    const KIND: &'static str = "optimizer";

    fn members() -> &'static [Member<Self>] {
        const MEMBERS: &[Member<Optimizers>] =
            &[Member::of::<Sgd>(), Member::of::<RmsProp>(), Member::of::<Adam>()];
        MEMBERS
    }
}

impl<O: Configured + Optimizer<f32> + Optimizer<f64>> From<O> for AnyOptimizer {
    fn from(optimizer: O) -> Self {
        let part = Arc::new(optimizer);
        let single: Arc<dyn Optimizer<f32>> = part.clone();
        let double: Arc<dyn Optimizer<f64>> = part.clone();
        Part::assemble(part, single, double)
    }
}

/// Checks a factor of a running mean.
fn check_decay(name: &str, value: f64) -> crate::Result<()> {
    crate::error::check(name, value, (0.0..1.0).contains(&value), "at least 0 and below 1")
}

/// Checks the small number that keeps a division finite.
fn check_epsilon(value: f64) -> crate::Result<()> {
    crate::error::check("epsilon", value, value.is_finite() && value > 0.0, "finite and above 0")
}

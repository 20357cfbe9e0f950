//! Optimizers: how weights move.
//!
//! Start with [`Adam`] at its default rate; if training is slow or jumps about, change the rate first and the optimizer last.
//!
//! | | |
//! | --- | --- |
//! | [`Adam`], [`RmsProp`] | each weight has a step size of its own: good without much tuning |
//! | [`Sgd`] | one step size for all; with momentum and the right rate as good |
//! | [`AdamW`], [`Adamax`], [`Nadam`], [`Adagrad`], [`Adadelta`], [`Lion`] | their relatives |
//! | [`Lbfgs`] | all rows in one step: for small data |
//! | [`schedule`] | rates that change over the steps |
//!
//! An optimizer is a plain description. The moments it needs are slices it is handed: they belong to the run, so that a
//! run can be paused, cloned and saved. Update rules and defaults are Keras' unless the page says otherwise. What every
//! optimizer has besides its rule is its [`Tuning`].
//!
//! [`Lbfgs`] is of another kind: a [`Minimizer`], which reads all rows at once and has no learning rate.

use std::sync::Arc;

use crate::float::Float;
use crate::part::{Configured, Member, Part, Room};

mod adadelta;
mod adagrad;
mod adam;
mod adam_w;
mod adamax;
mod lbfgs;
mod lion;
mod minimizer;
mod nadam;
mod power;
mod rms_prop;
pub mod schedule;
mod sgd;
mod tuning;

pub use crate::history::Ending;
pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adam_w::AdamW;
pub use adamax::Adamax;
pub use lbfgs::Lbfgs;
pub use lion::Lion;
pub use minimizer::{Memory, Minimizer, Objective, Point};
pub use nadam::Nadam;
pub use rms_prop::RmsProp;
pub use schedule::AnySchedule;
pub use sgd::Sgd;
pub use tuning::Tuning;

/// The most moments an optimizer may have for each weight; a [`Minimizer`] may have more.
pub const MAX_SLOTS: usize = 4;

/// A step about to be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step<'s> {
    /// Number of the update, from 1.
    pub number: u64,
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// The numbers that all weights share, as [`Optimizer::begin`] left them.
    pub scalars: &'s [f64],
}

/// A rule that moves weights along their gradient.
pub trait Optimizer<F: Float>: Send + Sync {
    /// The learning rate, and what is done around the rule.
    fn tuning(&self) -> &Tuning;

    /// Names of the moments kept for each weight, at most [`MAX_SLOTS`] unless it is a [`Minimizer`].
    fn slots(&self) -> &'static [&'static str];

    /// What a moment starts with.
    fn slot_start(&self, _slot: usize) -> f64 {
        0.0
    }

    /// Names and first values of the numbers that all weights share.
    fn scalars(&self) -> &'static [(&'static str, f64)] {
        &[]
    }

    /// Moves the shared numbers on, once for each update and before any weight moves; updates count from 1.
    fn begin(&self, _number: u64, _scalars: &mut [f64]) {}

    /// The search over all rows that it is in place of a rule, if it is one: the run then hands it the whole loss, once an
    /// epoch, and never a batch.
    fn minimizer(&self) -> Option<&dyn Minimizer<F>> {
        None
    }

    /// Moves some weights; every slice has the same length, one for each name in [`slots`](Self::slots), the rest empty.
    /// Element by element, so that any slice of the weights can be moved on its own. A weight whose gradients have all
    /// been 0 stays.
    fn update(&self, step: Step<'_>, weights: &mut [F], gradient: &[F], slots: [&mut [F]; MAX_SLOTS]);
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
        const MEMBERS: &[Member<Optimizers>] = &[
            Member::of::<Sgd>(),
            Member::of::<RmsProp>(),
            Member::of::<Adam>(),
            Member::of::<AdamW>(),
            Member::of::<Adamax>(),
            Member::of::<Nadam>(),
            Member::of::<Adagrad>(),
            Member::of::<Adadelta>(),
            Member::of::<Lion>(),
            Member::of::<Lbfgs>(),
        ];
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
fn check_decay(name: &str, value: f64) -> crate::error::Result<()> {
    crate::error::check(name, value, (0.0..1.0).contains(&value), "at least 0 and below 1")
}

/// Checks the small number that keeps a division finite.
fn check_epsilon(value: f64) -> crate::error::Result<()> {
    crate::error::check("epsilon", value, value.is_finite() && value > 0.0, "finite and above 0")
}

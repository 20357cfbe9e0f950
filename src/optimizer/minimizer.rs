//! Optimizers that read all rows at once.

use crate::float::Float;
use crate::history::Ending;
use crate::kernel::Buffer;

/// The loss over all training rows, penalties included, as a function of the weights.
///
/// The same weights give the same bits, however often they are asked for.
pub trait Objective<F> {
    /// The loss at these weights, whose gradient is written; infinite where one of the two is not finite.
    fn evaluate(&mut self, weights: &[F], gradient: &mut [F]) -> f64;
}

/// Some weights, and what is known of the loss there.
#[derive(Debug)]
pub struct Point<'a, F> {
    /// The weights that are trained.
    pub weights: &'a mut [F],
    /// The loss.
    pub loss: f64,
    /// Its gradient.
    pub gradient: &'a mut [F],
}

/// What a [`Minimizer`] keeps, and what it works with.
#[derive(Debug)]
pub struct Memory<'a, F> {
    /// One buffer for each name in [`Optimizer::slots`](super::Optimizer::slots): part of the run. They may be longer than
    /// the weights; what lies behind is not to be touched.
    pub slots: &'a mut [Buffer<F>],
    /// The numbers of [`Optimizer::scalars`](super::Optimizer::scalars): part of the run.
    pub scalars: &'a mut [f64],
    /// As many buffers as [`Minimizer::scratch`] says, for this iteration alone.
    pub scratch: &'a mut [Buffer<F>],
    /// What callbacks have made of a learning rate of 1: the scale of a step that is tried first.
    pub learning_rate: f64,
}

/// An optimizer that looks for a minimum of the loss over all rows, and evaluates it as often as it needs.
///
/// A run makes one iteration an epoch. In between it can be paused, saved and continued, so what an iteration leaves for the
/// next one stands in slots and scalars; loss and gradient where it begins are computed again after a pause.
pub trait Minimizer<F: Float>: Send + Sync {
    /// Buffers as long as the weights that an iteration works in.
    fn scratch(&self) -> usize {
        0
    }

    /// Moves to a point with a smaller loss, and says so when there is nothing left to do.
    fn iterate(
        &self,
        objective: &mut dyn Objective<F>,
        point: &mut Point<'_, F>,
        memory: Memory<'_, F>,
    ) -> Option<Ending>;
}

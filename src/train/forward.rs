//! Rows through the network, up to their losses: the first half of a step, and all of an evaluation.

use crate::float::Float;
use crate::kernel::Crew;
use crate::loss;
use crate::network::{Ends, Network, Pass, Tape, TapeRows};
use crate::rng::Stream;

use super::{Plan, Rows};

/// Rows on their way through a network, whose targets have been read.
pub(super) struct Forward<'f, 'd, F: Float> {
    pub(super) plan: &'f Plan,
    pub(super) network: &'f Network<F>,
    pub(super) rows: &'f Rows<'d, F>,
    /// The rows of the data set.
    pub(super) order: &'f [usize],
    pub(super) targets: &'f [F],
    /// With noise it is a pass of training.
    pub(super) noise: Option<Stream>,
    /// What the loss of each row counts, and of all rows that the gradient is divided by; none in an evaluation.
    pub(super) weights: Option<(&'f [F], f64)>,
}

impl<F: Float> Forward<'_, '_, F> {
    /// Gathers the rows, computes outputs and losses and, for training, where the backward pass begins.
    pub(super) fn run(&self, crew: &Crew, tape: &mut Tape<F>) -> Pass<'static, F> {
        let without_last_activation = self.plan.loss_takes_over();
        let (rows, noise) = (self.order.len(), self.noise);
        let pass = Pass { rows, lent: None, noise, without_last_activation };
        let gather = |part: &mut TapeRows<'_, F>| {
            let range = part.range.clone();
            self.rows.read_inputs(&self.order[range], part.input_mut());
        };
        let (width, n_outputs) = (self.rows.target_width(), self.network.n_outputs());
        let loss = self.plan.loss.ops::<F>();
        self.network.forward(crew, tape, pass, gather, |part| {
            let range = part.range.clone();
            let targets = &self.targets[range.start * width..range.end * width];
            let Ends { outputs, delta, losses } = part.ends();
            let of_rows = loss::Rows { targets, outputs, n_outputs, losses, gradient: delta };
            loss.rows(of_rows, without_last_activation);
            if let Some((weights, mass)) = self.weights {
                part.weigh(n_outputs, &weights[range], mass);
            }
        });
        pass
    }
}

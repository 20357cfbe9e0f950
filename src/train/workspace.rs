//! The buffers of a run under way: made once, used for every batch, no part of the run's value.

use crate::float::Float;
use crate::kernel::{Buffer, Crew};
use crate::network::{Network, Tape};

use super::descent::BLOCK;
use super::evaluate::{self, Evaluator};
use super::plan::reads_all_rows;
use super::{Data, Plan};

#[derive(Debug)]
pub(super) struct Workspace<F: Float> {
    /// The threads that share a step.
    pub(super) crew: Crew,
    pub(super) tape: Tape<F>,
    pub(super) y: Buffer<F>,
    pub(super) weights: Buffer<F>,
    /// Sample weights times class weights; empty where these are none.
    pub(super) loss_weights: Buffer<F>,
    pub(super) gradient: Buffer<F>,
    /// Rows of the data set in the order of the epoch.
    pub(super) order: Vec<usize>,
    pub(super) evaluator: Option<Evaluator<F>>,
    /// The values of the epoch: loss, metrics, their `val_` twins, learning rate.
    pub(super) values: Vec<f64>,
}

impl<F: Float> Workspace<F> {
    pub(super) fn new(network: &Network<F>, plan: &Plan, data: &Data<'_, F>, n_values: usize) -> Self {
        let rows = if reads_all_rows(&plan.optimizer) { BLOCK } else { plan.batch_size };
        let rows = rows.min(data.training.len());
        let target_width = data.training.target_width();
        let validated = data.validation.as_ref().map_or(0, |rows| rows.len().min(evaluate::BLOCK));
        let crew = Crew::for_pieces_of(network.work(rows.max(validated)));
        Workspace {
            tape: Tape::for_training(network, rows, crew.places()),
            crew,
            y: Buffer::zeros(rows * target_width),
            weights: Buffer::zeros(rows),
            loss_weights: Buffer::zeros(data.training.class_weights().map_or(0, |_| rows)),
            gradient: Buffer::zeros(network.weights().len()),
            order: Vec::with_capacity(data.training.len()),
            evaluator: data
                .validation
                .as_ref()
                .map(|rows| Evaluator::new(network, plan, target_width, rows.len())),
            values: Vec::with_capacity(n_values),
        }
    }
}

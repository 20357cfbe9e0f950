//! Loss and metrics of a network on some rows, without training.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::float::Float;
use crate::kernel::{self, Buffer, Crew};
use crate::metric::Batch;
use crate::network::{Network, Tape};

use super::forward::Forward;
use super::{Plan, Rows};

/// Named values: `loss`, and one for each metric.
pub type Scores = BTreeMap<String, f64>;

/// Rows that are evaluated together: they stay in the cache. The loss is summed block by block, so their number is part of its bits.
pub(super) const BLOCK: usize = 256;

/// Loss (with penalties) and metrics on some rows.
///
/// # Errors
///
/// As [`Run::advance`](super::Run::advance) for rows that do not fit the network or the loss, or cannot be read.
pub fn evaluate<F: Float>(network: &Network<F>, plan: &Plan, rows: &Rows<'_, F>) -> Result<Scores> {
    plan.check_rows(network.n_features(), rows, "x")?;
    let mut evaluator = Evaluator::new(network, plan, rows.target_width(), rows.len());
    let mut values = Vec::new();
    let crew = Crew::for_pieces_of(network.work(rows.len().min(BLOCK)));
    evaluator.evaluate((network, plan), rows, &crew, &mut values)?;
    let names = std::iter::once("loss".to_owned()).chain(plan.metrics.iter().map(|m| m.name().to_owned()));
    Ok(names.zip(values).collect())
}

/// Buffers for evaluations: made once, used for every epoch.
#[derive(Debug)]
pub(super) struct Evaluator<F: Float> {
    tape: Tape<F>,
    y: Buffer<F>,
    weights: Buffer<F>,
    index: Vec<usize>,
    metrics: Vec<Vec<f64>>,
}

impl<F: Float> Evaluator<F> {
    pub(super) fn new(network: &Network<F>, plan: &Plan, target_width: usize, n_rows: usize) -> Self {
        let block = BLOCK.min(n_rows);
        Evaluator {
            tape: Tape::for_evaluation(network, block),
            y: Buffer::zeros(block * target_width),
            weights: Buffer::zeros(block),
            index: Vec::with_capacity(block),
            metrics: plan.metrics.iter().map(|_| Vec::with_capacity(64)).collect(),
        }
    }

    /// Appends the loss and each metric; nothing when rows cannot be read.
    pub(super) fn evaluate(
        &mut self,
        (network, plan): (&Network<F>, &Plan),
        rows: &Rows<'_, F>,
        crew: &Crew,
        values: &mut Vec<f64>,
    ) -> Result<()> {
        let n_outputs = network.n_outputs();
        let (mut loss, mut mass) = (0.0, 0.0);
        self.metrics.iter_mut().for_each(Vec::clear);
        for start in (0..rows.len()).step_by(BLOCK) {
            let n = BLOCK.min(rows.len() - start);
            self.index.clear();
            self.index.extend((start..start + n).map(|place| rows.row(place)));
            let y = &mut self.y[..n * rows.target_width()];
            let weights = &mut self.weights[..n];
            plan.read_targets(rows, n_outputs, &self.index, self.tape.input_mut(n), y)?;
            rows.gather_weights(&self.index, weights);
            crew.recruit(network.work(n));
            let order = &self.index[..];
            Forward { plan, network, rows, order, targets: y, noise: None, weights: None }
                .run(crew, &mut self.tape);
            loss += kernel::dot(self.tape.losses(n), weights);
            loss += network.activity_penalty(&self.tape, weights);
            let outputs = self.tape.outputs(n);
            mass += kernel::sum(weights);
            let batch = Batch {
                targets: y,
                target_width: rows.target_width(),
                outputs,
                n_outputs,
                weights: rows.has_weights().then_some(&*weights),
                multilabel: plan.is_multilabel(n_outputs),
            };
            for (metric, state) in plan.metrics.iter().zip(&mut self.metrics) {
                metric.ops::<F>().update(state, &batch);
            }
        }
        values.push(loss / mass + network.penalty());
        for (metric, state) in plan.metrics.iter().zip(&self.metrics) {
            values.push(metric.ops::<F>().value(state));
        }
        Ok(())
    }
}

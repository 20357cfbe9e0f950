//! Iterations of an optimizer that reads all rows at once.

use crate::error::{Error, Result};
use crate::float::Float;
use crate::history::StopReason;
use crate::kernel::{self, Buffer, Slices};
use crate::metric::Batch;
use crate::network::Network;
use crate::optimizer::{Memory, Minimizer, Objective, Point};

use super::forward::Forward;
use super::passage::Passage;
use super::workspace::Workspace;
use super::{Plan, Rows, Run};

/// Rows that are evaluated together: they stay in the cache. Sums go over blocks in the order of the rows, so nothing else
/// decides a bit.
pub(super) const BLOCK: usize = 256;

/// The buffers of such an optimizer, for as long as the run is on its way.
#[derive(Debug)]
pub(super) struct Descent<F: Float> {
    /// The weights that an iteration starts from, and leaves.
    weights: Buffer<F>,
    /// The gradient there.
    gradient: Buffer<F>,
    /// The loss there; none before the first iteration of this passage.
    loss: Option<f64>,
    scratch: Vec<Buffer<F>>,
    /// The sums of the blocks' gradients.
    sums: Vec<f64>,
    /// The sum of the weights of all rows.
    mass: f64,
}

impl<F: Float> Descent<F> {
    /// # Errors
    ///
    /// Rows that cannot be read.
    pub(super) fn new(
        network: &Network<F>,
        minimizer: &dyn Minimizer<F>,
        rows: &Rows<'_, F>,
    ) -> Result<Self> {
        let (len, trained) = (network.weights().len(), network.trained());
        Ok(Descent {
            weights: Buffer::zeros(trained),
            gradient: Buffer::zeros(trained),
            loss: None,
            scratch: (0..minimizer.scratch()).map(|_| Buffer::zeros(len)).collect(),
            sums: vec![0.0; trained],
            mass: rows.mass()?,
        })
    }
}

/// The loss over all training rows.
struct WholeLoss<'w, 'd, F: Float> {
    plan: &'w Plan,
    network: &'w mut Network<F>,
    rows: &'w Rows<'d, F>,
    workspace: &'w mut Workspace<F>,
    sums: &'w mut [f64],
    mass: f64,
    metrics: &'w mut [Vec<f64>],
    evaluated: bool,
    /// What kept rows from being read.
    failure: Option<Error>,
}

impl<F: Float> Objective<F> for WholeLoss<'_, '_, F> {
    /// Loss, gradient and the metrics of these weights, which the network has afterwards.
    fn evaluate(&mut self, weights: &[F], to: &mut [F]) -> f64 {
        if self.failure.is_some() {
            return f64::INFINITY;
        }
        self.evaluated = true;
        let WholeLoss { plan, network, rows, workspace, sums, mass, metrics, failure, .. } = self;
        let Workspace { crew, tape, y, weights: of_rows, loss_weights, gradient, order, .. } =
            &mut **workspace;
        let trained = network.trained();
        network.weights_mut()[..trained].copy_from_slice(weights);
        let n_outputs = network.n_outputs();
        let mut total = 0.0;
        sums.fill(0.0);
        metrics.iter_mut().for_each(Vec::clear);
        for block in order.chunks(BLOCK) {
            let n = block.len();
            let (y, of_rows) = (&mut y[..n * rows.target_width()], &mut of_rows[..n]);
            if let Err(error) = plan.read_targets(rows, n_outputs, block, tape.input_mut(n), y) {
                *failure = Some(error);
                return f64::INFINITY;
            }
            rows.gather_weights(block, of_rows);
            let of_rows = &*of_rows;
            let of_losses = rows.loss_weights(block, y, of_rows, loss_weights);
            crew.recruit(network.work(n));
            let weights = Some((of_losses, *mass));
            let forward =
                Forward { plan, network: &**network, rows, order: block, targets: y, noise: None, weights };
            let pass = forward.run(crew, tape);
            total += kernel::dot(tape.losses(n), of_losses) + network.activity_penalty(tape, of_losses);
            if !total.is_finite() {
                return f64::INFINITY;
            }
            network.backward(crew, tape, pass, (gradient, false), |_| ());
            let cuts = network.weight_cuts(crew, n, tape);
            let parts = (Slices::of(sums, cuts), Slices::of(&mut gradient[..trained], cuts));
            crew.share(parts, |(sums, gradient)| {
                sums.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g.wide());
            });
            let outputs = tape.outputs(n);
            let batch = Batch {
                targets: y,
                target_width: rows.target_width(),
                outputs,
                n_outputs,
                weights: rows.has_weights().then_some(of_rows),
                multilabel: plan.is_multilabel(n_outputs),
            };
            for (metric, state) in plan.metrics.iter().zip(metrics.iter_mut()) {
                metric.ops::<F>().update(state, &batch);
            }
        }
        to.iter_mut().zip(&**sums).for_each(|(to, &sum)| *to = F::of(sum));
        network.add_penalty_gradient(to);
        let loss = total / *mass + network.penalty();
        // Its squares too: an optimizer measures it by its norm.
        let finite = loss.is_finite() && F::of(kernel::sum_of_squares(to)).is_finite();
        if finite { loss } else { f64::INFINITY }
    }
}

impl<F: Float> Passage<'_, '_, F> {
    /// One iteration; gives the reason if the optimizer has come to an end. The loss and the metrics of the epoch are those
    /// of the weights it leaves.
    pub(super) fn iterate(&mut self, descent: &mut Descent<F>) -> Result<Option<StopReason>> {
        let learning_rate = self.run.learning_rate();
        let Passage { run, data, workspace, .. } = self;
        let Run { plan, network, moments, position, totals, .. } = &mut **run;
        let Some(minimizer) = plan.optimizer.ops::<F>().minimizer() else { return Ok(None) };
        let Descent { weights, gradient, loss, scratch, sums, mass } = descent;
        let trained = network.trained();
        weights.copy_from_slice(&network.weights()[..trained]);
        // Arrays can always be read; where rows come from elsewhere, an iteration that fails half-way is taken back.
        let source = data.training.source();
        let before = source.map(|_| (weights.clone(), moments.slots.clone(), moments.scalars.clone()));
        let mut objective = WholeLoss {
            plan,
            network,
            rows: &data.training,
            workspace,
            sums,
            mass: *mass,
            metrics: &mut totals.metrics,
            evaluated: false,
            failure: None,
        };
        let start = loss.unwrap_or_else(|| objective.evaluate(weights, gradient));
        let mut point = Point { weights, loss: start, gradient };
        let mut ending = None;
        if start.is_finite() {
            let (slots, scalars) = (&mut moments.slots[..], &mut moments.scalars[..]);
            let memory = Memory { slots, scalars, scratch, learning_rate };
            ending = minimizer.iterate(&mut objective, &mut point, memory);
            // The last weights that were looked at need not be those that are left.
            let seen = &objective.network.weights()[..trained];
            if !(objective.evaluated && *seen == *point.weights) {
                point.loss = objective.evaluate(point.weights, point.gradient);
            }
        }
        let Point { loss: end, gradient, .. } = point;
        if let Some(failure) = objective.failure {
            totals.metrics.iter_mut().for_each(Vec::clear);
            if let Some((weights, slots, scalars)) = before {
                network.weights_mut()[..trained].copy_from_slice(&weights);
                (moments.slots, moments.scalars) = (slots, scalars);
            }
            return Err(failure);
        }
        if !end.is_finite() {
            totals.metrics.iter_mut().for_each(Vec::clear);
            let (epoch, batch) = (position.epoch as usize + 1, position.batch as usize + 1);
            return Err(Error::Diverged { epoch, batch, loss: end, learning_rate });
        }
        workspace.gradient[..gradient.len()].copy_from_slice(gradient);
        *loss = Some(end);
        (totals.loss, totals.mass) = (end, 1.0);
        position.step += 1;
        position.batch += 1;
        Ok(ending.map(|ending| StopReason::Optimizer { name: plan.optimizer.name().into(), ending }))
    }
}

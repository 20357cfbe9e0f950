//! A training run as one plain value.

use std::time::Instant;

use crate::callback::{Active, Requests, View};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::history::{History, StopReason};
use crate::kernel::{self, Buffer};
use crate::loss;
use crate::metric::{Batch, Direction};
use crate::network::Network;
use crate::optimizer::{MAX_SLOTS, Step};
use crate::rng::Stream;

use super::workspace::Workspace;
use super::{Data, Plan, Rows};

/// How far a run shall go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until {
    /// Stop when that many epochs are done, counted from the beginning of the run.
    pub epochs: usize,
    /// Pause when that many updates are made, counted from the beginning of the run.
    pub steps: Option<u64>,
}

impl Until {
    /// Until that many epochs are done.
    #[must_use]
    pub fn epochs(epochs: usize) -> Self {
        Until { epochs, steps: None }
    }

    /// Until that many updates are made, or the epochs are done.
    #[must_use]
    pub fn steps(self, steps: u64) -> Self {
        Until { steps: Some(steps), ..self }
    }
}

/// Where a run stands after it has advanced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It can go on with the same goal.
    Paused,
    /// The epochs are done, or a callback has stopped it.
    Finished,
}

/// Place in the run: epochs and batches done, updates made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Position {
    pub(super) epoch: u64,
    pub(super) batch: u64,
    pub(super) step: u64,
}

/// Sums over the batches of the epoch under way.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Totals {
    pub(super) loss: f64,
    pub(super) mass: f64,
    pub(super) metrics: Vec<Vec<f64>>,
}

/// Everything a training run is: weights, moments, counters, sums of the epoch under way, best weights, callbacks.
///
/// Random streams need no place here: they are addressed by seed, epoch, batch and layer (see [`rng`](crate::rng)). A run
/// advances over borrowed data; at any batch boundary it can be paused, cloned and saved, and goes on to the same bits.
/// Nothing else in this crate owns training state.
///
/// ```
/// use linfa_mlp::prelude::*;
/// use linfa_mlp::train::{Data, Plan, Rows, Run, Until};
/// use ndarray::array;
///
/// let plan = Plan {
///     network: Sequential::new().add(Dense::new(4).activation(Tanh)).add(Dense::new(1)),
///     loss: MeanSquaredError.into(),
///     optimizer: Adam::new(0.1).into(),
///     metrics: vec![],
///     batch_size: 2,
///     shuffle: true,
///     seed: 42,
///     callbacks: vec![],
/// };
/// let (x, y) = (array![[0.0], [0.5], [1.0]], array![[0.0], [1.0], [0.0]]);
/// let data = Data { training: Rows::new(x.view(), y.view())?, validation: None };
///
/// let mut straight = Run::new(plan.clone(), 1)?;
/// straight.advance(&data, Until::epochs(20))?;
///
/// let mut paused = Run::new(plan, 1)?;
/// paused.advance(&data, Until::epochs(20).steps(7))?;                 // in the middle of an epoch
/// let mut continued = Run::from_bytes(&paused.to_bytes()?)?;
/// continued.advance(&data, Until::epochs(20))?;
/// assert_eq!(continued.to_bytes()?, straight.to_bytes()?);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Run<F: Float> {
    pub(super) plan: Plan,
    pub(super) network: Network<F>,
    /// The optimizer's moments, each laid out as the weights.
    pub(super) slots: Vec<Buffer<F>>,
    pub(super) position: Position,
    pub(super) totals: Totals,
    pub(super) learning_rate_factor: f64,
    pub(super) history: History,
    /// Weights kept for a callback, and whether predictions shall use them.
    pub(super) best: Option<Buffer<F>>,
    pub(super) restore_best: bool,
    pub(super) callbacks: Vec<Box<dyn Active>>,
}

impl<F: Float> Run<F> {
    /// A run that has made no step.
    ///
    /// # Errors
    ///
    /// As [`Plan::check`] and [`Sequential::build`](crate::network::Sequential::build).
    pub fn new(plan: Plan, n_features: usize) -> Result<Self> {
        plan.check()?;
        let network = plan.network.build::<F>(n_features, plan.seed)?;
        Ok(Run::assemble(plan, network))
    }

    /// A run at its beginning, with those weights.
    pub(super) fn assemble(plan: Plan, network: Network<F>) -> Self {
        let slots = plan.optimizer.ops::<F>().slots().iter().map(|_| Buffer::zeros(network.weights().len()));
        Run {
            slots: slots.collect(),
            position: Position::default(),
            totals: Totals { metrics: vec![Vec::new(); plan.metrics.len()], ..Totals::default() },
            learning_rate_factor: 1.0,
            history: History::default(),
            best: None,
            restore_best: false,
            callbacks: plan.callbacks.iter().map(|callback| callback.start()).collect(),
            plan,
            network,
        }
    }

    /// Goes on under another plan with the same network, loss and optimizer: fresh callbacks, and no longer stopped.
    pub(crate) fn renew(&mut self, plan: Plan) {
        self.callbacks = plan.callbacks.iter().map(|callback| callback.start()).collect();
        self.totals.metrics.resize(plan.metrics.len(), Vec::new());
        self.history.stop(None);
        self.plan = plan;
    }

    /// The settings.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The network as the last step left it.
    #[must_use]
    pub fn network(&self) -> &Network<F> {
        &self.network
    }

    /// The network, to set weights by hand before training.
    pub fn network_mut(&mut self) -> &mut Network<F> {
        &mut self.network
    }

    /// The network for predictions: with the best weights if a callback restores them, else as it is.
    #[must_use]
    pub fn result(&self) -> Network<F> {
        let mut network = self.network.clone();
        if let (true, Some(best)) = (self.restore_best, &self.best) {
            network.weights_mut().copy_from_slice(best);
        }
        network
    }

    /// What has happened so far.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Epochs done.
    #[must_use]
    pub fn epochs(&self) -> usize {
        self.position.epoch as usize
    }

    /// Updates made.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.position.step
    }

    /// The learning rate of the next step.
    #[must_use]
    pub fn learning_rate(&self) -> f64 {
        let schedule = self.plan.optimizer.ops::<F>().learning_rate();
        schedule.rate(self.position.step) * self.learning_rate_factor
    }

    /// Trains until the goal is reached, a callback stops the run or an error ends it.
    ///
    /// A run that is told to go further than before goes on as if the goal had been that from the start. After the first
    /// step nothing is allocated, except by callbacks, by metrics that keep all predictions, and for the log of an epoch.
    ///
    /// # Errors
    ///
    /// - [`Error::Width`], [`Error::TargetRange`]: rows that do not fit the network or the loss; nothing is trained.
    /// - [`Error::Parameter`]: sample weights that are all 0, a metric that is not defined for the task; nothing is trained.
    /// - [`Error::Diverged`]: the loss or a gradient is no longer finite, and the run stays as it was before that batch; or,
    ///   at the end of an epoch, a weight or a moment.
    /// - [`Error::Callback`]: a callback failed; the run stays at that boundary.
    pub fn advance(&mut self, data: &Data<'_, F>, until: Until) -> Result<Status> {
        self.plan.check_rows(self.network.n_features(), &data.training, "x")?;
        if let Some(rows) = &data.validation {
            self.plan.check_rows(self.network.n_features(), rows, "x of the validation rows")?;
        }
        let stopped = matches!(self.history.stop_reason(), Some(StopReason::Callback { .. }));
        if stopped || (self.history.stop_reason().is_some() && self.epochs() >= until.epochs) {
            return Ok(Status::Finished);
        }
        let (names, directions) = self.columns(data.validation.is_some());
        self.history.begin(&names, until.epochs);
        self.history.set_rows(data.training.len(), data.validation.as_ref().map_or(0, Rows::len));
        self.history.stop(None);
        let workspace = Workspace::new(&self.network, &self.plan, data, names.len());
        let batches = data.training.n_weighted().div_ceil(self.plan.batch_size);
        let mut passage = Passage {
            run: self,
            data,
            until,
            names,
            directions,
            workspace,
            batches,
            epoch_start: Instant::now(),
        };
        passage.advance()
    }

    /// Names and directions of the values of an epoch.
    fn columns(&self, validation: bool) -> (Vec<String>, Vec<Direction>) {
        let loss = ("loss".to_owned(), Direction::Minimize);
        let metrics = self.plan.metrics.iter().map(|m| (m.name().to_owned(), m.ops::<F>().direction()));
        let mut columns: Vec<(String, Direction)> = std::iter::once(loss).chain(metrics).collect();
        if validation {
            let twins: Vec<_> = columns.iter().map(|(name, dir)| (format!("val_{name}"), *dir)).collect();
            columns.extend(twins);
        }
        columns.push(("learning_rate".to_owned(), Direction::Minimize));
        columns.into_iter().unzip()
    }
}

/// A run on its way through data: the run, the data and the buffers.
struct Passage<'p, 'd, F: Float> {
    run: &'p mut Run<F>,
    data: &'p Data<'d, F>,
    until: Until,
    names: Vec<String>,
    directions: Vec<Direction>,
    workspace: Workspace<F>,
    batches: usize,
    epoch_start: Instant,
}

/// The moments at which callbacks are told.
#[derive(Clone, Copy)]
enum Moment {
    TrainBegin,
    EpochBegin,
    BatchEnd,
    EpochEnd,
    TrainEnd,
}

impl<F: Float> Passage<'_, '_, F> {
    fn advance(&mut self) -> Result<Status> {
        if self.run.position == Position::default() && !self.is_paused() {
            self.tell(Moment::TrainBegin)?;
        }
        while (self.run.position.epoch as usize) < self.until.epochs {
            // Before the epoch begins, so that callbacks are told of its beginning once.
            if self.is_paused() {
                return Ok(Status::Paused);
            }
            self.epoch_start = Instant::now();
            self.order_rows();
            if self.run.position.batch == 0 {
                self.begin_epoch()?;
            }
            let mut stop = None;
            while (self.run.position.batch as usize) < self.batches && stop.is_none() {
                if self.is_paused() {
                    return Ok(Status::Paused);
                }
                self.batch()?;
                stop = self.tell(Moment::BatchEnd)?;
            }
            let stop = stop.or(self.end_epoch()?);
            if stop.is_some() {
                return self.finish(stop);
            }
        }
        self.finish(Some(StopReason::Completed))
    }

    fn is_paused(&self) -> bool {
        self.until.steps.is_some_and(|steps| self.run.position.step >= steps)
    }

    fn finish(&mut self, reason: Option<StopReason>) -> Result<Status> {
        self.run.history.stop(reason);
        self.tell(Moment::TrainEnd)?;
        Ok(Status::Finished)
    }

    /// The order of the rows in this epoch: it depends on seed and epoch alone.
    fn order_rows(&mut self) {
        let rows = &self.data.training;
        let order = &mut self.workspace.order;
        order.clear();
        // A row of weight 0 is as good as absent: no layer, no batch and no counter sees it.
        order.extend((0..rows.len()).map(|place| rows.row(place)).filter(|&row| rows.has_weight(row)));
        if self.run.plan.shuffle {
            Stream::new(self.run.plan.seed).named("shuffle").at(self.run.position.epoch).shuffle(order);
        }
    }

    fn begin_epoch(&mut self) -> Result<()> {
        let totals = &mut self.run.totals;
        (totals.loss, totals.mass) = (0.0, 0.0);
        totals.metrics.iter_mut().for_each(Vec::clear);
        self.workspace.values.clear();
        self.tell(Moment::EpochBegin)?;
        Ok(())
    }

    /// Forward, loss, backward, update.
    fn batch(&mut self) -> Result<()> {
        let Passage { run, data, workspace, .. } = self;
        let Workspace { tape, x, y, weights, losses, gradient, order, .. } = workspace;
        let Run { plan, network, slots, position, totals, learning_rate_factor, .. } = &mut **run;
        let rows = &data.training;
        let start = position.batch as usize * plan.batch_size;
        let order = &order[start..(start + plan.batch_size).min(order.len())];
        let n = order.len();
        let (x, y) = (&mut x[..n * rows.n_features()], &mut y[..n * rows.target_width()]);
        let (weights, losses) = (&mut weights[..n], &mut losses[..n]);
        rows.gather_x(order, x);
        rows.gather_y(order, y);
        rows.gather_weights(order, weights);
        let mass = kernel::sum(weights);

        let n_outputs = network.n_outputs();
        let fused = plan.loss_takes_over();
        let noise = Stream::new(plan.seed).named("dropout").at(position.epoch).at(position.batch);
        network.forward(tape, x, n, Some(noise), fused);
        let (outputs, delta) = tape.output_and_delta(n * n_outputs);
        let of_rows = loss::Rows { targets: y, outputs, n_outputs, losses, gradient: Some(delta) };
        plan.loss.ops::<F>().rows(of_rows, fused);
        for (delta, &weight) in delta.chunks_exact_mut(n_outputs).zip(&*weights) {
            let share = F::of(weight.wide() / mass);
            delta.iter_mut().for_each(|delta| *delta *= share);
        }
        let batch_loss = kernel::dot(losses, weights) / mass + network.penalty();
        let schedule = plan.optimizer.ops::<F>().learning_rate();
        let learning_rate = schedule.rate(position.step) * *learning_rate_factor;
        let diverged = Error::Diverged {
            epoch: position.epoch as usize + 1,
            batch: position.batch as usize + 1,
            loss: batch_loss,
            learning_rate,
        };
        if !batch_loss.is_finite() {
            return Err(diverged);
        }
        network.backward(tape, x, n, Some(noise), fused, gradient);
        network.add_penalty_gradient(gradient);
        // Moments hold squares: a gradient whose squares are no numbers any more would freeze them at infinity.
        let trained = network.trained();
        let squares = kernel::sum_of_squares(&gradient[..trained]);
        if !(F::of(squares).is_finite() && F::of(squares.sqrt() * learning_rate).is_finite()) {
            return Err(diverged);
        }

        let (outputs, _) = tape.output_and_delta(n * n_outputs);
        let weights = rows.has_weights().then_some(&*weights);
        let batch = Batch {
            targets: y,
            target_width: rows.target_width(),
            outputs,
            n_outputs,
            weights,
            multilabel: plan.is_multilabel(n_outputs),
        };
        for (metric, state) in plan.metrics.iter().zip(&mut totals.metrics) {
            metric.ops::<F>().update(state, &batch);
        }
        totals.loss += batch_loss * mass;
        totals.mass += mass;

        let step = Step { number: position.step + 1, learning_rate };
        let mut slots = slots.iter_mut();
        let slots: [&mut [F]; MAX_SLOTS] =
            std::array::from_fn(|_| slots.next().map_or(&mut [][..], |slot| &mut slot[..trained]));
        let moved = &mut network.weights_mut()[..trained];
        plan.optimizer.ops::<F>().update(step, moved, &gradient[..trained], slots);
        network.settle(tape);
        position.step += 1;
        position.batch += 1;
        Ok(())
    }

    /// The running values of the epoch: loss and metrics over its batches so far.
    fn running_values(&mut self) {
        let Passage { run, workspace, .. } = self;
        let values = &mut workspace.values;
        values.clear();
        values.push(run.totals.loss / run.totals.mass);
        for (metric, state) in run.plan.metrics.iter().zip(&run.totals.metrics) {
            values.push(metric.ops::<F>().value(state));
        }
    }

    fn end_epoch(&mut self) -> Result<Option<StopReason>> {
        let learning_rate = self.run.learning_rate();
        self.running_values();
        let Passage { run, data, workspace, names, epoch_start, .. } = self;
        let mut numbers = std::iter::once(run.network.weights()).chain(&run.slots);
        if !numbers.all(|numbers| kernel::sum(numbers).is_finite()) {
            return Err(Error::Diverged {
                epoch: run.position.epoch as usize + 1,
                batch: run.position.batch as usize,
                loss: workspace.values[0],
                learning_rate,
            });
        }
        if let (Some(evaluator), Some(rows)) = (&mut workspace.evaluator, &data.validation) {
            evaluator.evaluate(&run.network, &run.plan, rows, &mut workspace.values);
        }
        workspace.values.push(learning_rate);
        run.history.push(names, &workspace.values, epoch_start.elapsed().as_secs_f64());
        run.position.epoch += 1;
        run.position.batch = 0;
        self.tell(Moment::EpochEnd)
    }

    /// Tells every callback, in order, and does what they ask for; gives the reason if one of them stops the run.
    fn tell(&mut self, moment: Moment) -> Result<Option<StopReason>> {
        if self.run.callbacks.is_empty() {
            return Ok(None);
        }
        if matches!(moment, Moment::BatchEnd) {
            self.running_values();
        }
        let Passage { run, workspace, names, directions, batches, until, epoch_start, .. } = self;
        let epochs_done = run.position.epoch as usize;
        let epoch = match moment {
            Moment::EpochBegin | Moment::BatchEnd => epochs_done + 1,
            Moment::TrainBegin | Moment::EpochEnd | Moment::TrainEnd => epochs_done,
        };
        let mut reason = None;
        for callback in &mut run.callbacks {
            let mut requests = Requests::default();
            let mut view = View {
                epoch,
                epochs: until.epochs,
                batch: run.position.batch as usize,
                batches: *batches,
                step: run.position.step,
                seconds: epoch_start.elapsed().as_secs_f64(),
                names,
                directions,
                values: &workspace.values,
                requests: &mut requests,
            };
            let told = match moment {
                Moment::TrainBegin => callback.on_train_begin(&mut view),
                Moment::EpochBegin => callback.on_epoch_begin(&mut view),
                Moment::BatchEnd => callback.on_batch_end(&mut view),
                Moment::EpochEnd => callback.on_epoch_end(&mut view),
                Moment::TrainEnd => callback.on_train_end(&mut view),
            };
            let name = callback.name();
            told.map_err(|source| match source {
                // A setting that does not fit the run is the user's to mend, not a failure of the callback.
                error @ Error::Parameter { .. } => error.within(name),
                source => Error::Callback { name: name.into(), epoch: epochs_done, source: Box::new(source) },
            })?;
            if requests.keep_best {
                let best = run.best.get_or_insert_with(|| Buffer::zeros(run.network.weights().len()));
                best.copy_from_slice(run.network.weights());
            }
            run.restore_best |= requests.restore_best;
            run.learning_rate_factor *= requests.learning_rate_factor.unwrap_or(1.0);
            if let (Some(why), None) = (requests.stop, &reason) {
                reason = Some(StopReason::Callback { name: name.into(), reason: why });
            }
        }
        Ok(reason)
    }
}

//! A training run as one plain value.

use std::cell::OnceCell;
use std::time::Instant;

use crate::callback::{Active, Requests, Save, View};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::history::{History, StopReason};
use crate::kernel::{self, Buffer};
use crate::loss;
use crate::metric::{Batch, Direction};
use crate::network::Network;
use crate::persistence;
use crate::rng::Stream;

use super::inside::Parts;
use super::update::Moments;
use super::workspace::Workspace;
use super::{Data, Plan, Rows};

/// How far a run shall go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until {
    /// Stop when that many epochs are done, counted from the beginning of the run.
    pub epochs: usize,
    /// Pause when that many steps are made, counted from the beginning of the run.
    pub steps: Option<u64>,
}

impl Until {
    /// Until that many epochs are done.
    #[must_use]
    pub fn epochs(epochs: usize) -> Self {
        Until { epochs, steps: None }
    }

    /// Until that many steps are made, or the epochs are done.
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

/// Place in the run: epochs and batches done, steps made.
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

impl Totals {
    /// Appends the loss and each metric, over the batches of the epoch so far.
    fn append_values<F: Float>(&self, plan: &Plan, to: &mut Vec<f64>) {
        to.push(self.loss / self.mass);
        to.extend(
            plan.metrics.iter().zip(&self.metrics).map(|(metric, state)| metric.ops::<F>().value(state)),
        );
    }

    /// The loss and each metric, over the batches of the epoch so far.
    pub(super) fn values<F: Float>(&self, plan: &Plan) -> Vec<f64> {
        let mut values = Vec::with_capacity(1 + self.metrics.len());
        self.append_values::<F>(plan, &mut values);
        values
    }
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
    pub(super) moments: Moments<F>,
    pub(super) position: Position,
    pub(super) totals: Totals,
    pub(super) learning_rate_factor: f64,
    pub(super) history: History,
    /// Weights kept for a callback, and whether predictions shall use them.
    pub(super) best: Option<Buffer<F>>,
    pub(super) restore_best: bool,
    /// Whether the callbacks have been told that training begins.
    pub(super) begun: bool,
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
        Run {
            moments: Moments::start(plan.optimizer.ops::<F>(), network.weights().len()),
            position: Position::default(),
            totals: Totals { metrics: vec![Vec::new(); plan.metrics.len()], ..Totals::default() },
            learning_rate_factor: 1.0,
            history: History::default(),
            best: None,
            restore_best: false,
            begun: false,
            callbacks: plan.callbacks.iter().map(|callback| callback.start()).collect(),
            plan,
            network,
        }
    }

    /// Goes on under another plan with the same network, loss and optimizer: fresh callbacks, and no longer stopped.
    pub(crate) fn renew(&mut self, plan: Plan) {
        self.callbacks = plan.callbacks.iter().map(|callback| callback.start()).collect();
        self.begun = false;
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

    /// The network for predictions: with the best weights if a callback restores them, else with the averaged ones if
    /// the optimizer keeps an [average](crate::optimizer::Tuning), else as it is. With an average, validation sees the
    /// averaged weights and the best weights are averaged ones too.
    #[must_use]
    pub fn result(&self) -> Network<F> {
        let mut network = self.network.clone();
        let predicting = match &self.best {
            Some(best) if self.restore_best => best,
            _ => self.moments.predicting(self.network.weights(), self.position.step),
        };
        network.weights_mut().copy_from_slice(predicting);
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

    /// Steps made: the batches learned from. An optimizer that accumulates makes an update in every k-th.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.position.step
    }

    /// The learning rate of the next step.
    #[must_use]
    pub fn learning_rate(&self) -> f64 {
        let schedule = &self.plan.optimizer.ops::<F>().tuning().learning_rate;
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
        let (names, directions) = self.columns(data.validation.is_some());
        let resumed = !self.begun && self.resume(data, until, &names, &directions)?;
        let stopped = self.history.stop_reason().cloned();
        let stopped = stopped.filter(|why| *why != StopReason::Completed || self.epochs() >= until.epochs);
        if stopped.is_some() && !resumed {
            return Ok(Status::Finished);
        }
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
            saves: Vec::new(),
        };
        // What was resumed may have been stopped already: its callbacks have not been told of the end.
        if stopped.is_some() { passage.finish(stopped) } else { passage.advance() }
    }

    /// Goes on from the run with the most steps that a callback knows of, if there is one.
    fn resume(
        &mut self,
        data: &Data<'_, F>,
        until: Until,
        names: &[String],
        directions: &[Direction],
    ) -> Result<bool> {
        let scheduled_rate = self.plan.optimizer.ops::<F>().tuning().learning_rate.rate(self.position.step);
        let Run {
            plan, network, moments, position, totals, learning_rate_factor, history, callbacks, ..
        } = self;
        let (position, rate_factor) = (*position, *learning_rate_factor);
        let inside = Parts { plan, network, moments, position, rate_factor, gradient: &[], totals, data };
        let mut best: Option<Run<F>> = None;
        for callback in callbacks {
            let mut requests = Requests::default();
            let mut view = View {
                epoch: position.epoch as usize,
                epochs: until.epochs,
                batch: 0,
                batches: data.training.len().div_ceil(plan.batch_size),
                step: position.step,
                seconds: 0.0,
                names,
                directions,
                values: &[],
                running: None,
                history,
                inside: &inside,
                scheduled_rate,
                rate_factor,
                requests: &mut requests,
            };
            let found =
                callback.resume(&mut view).map_err(|error| failed(error, callback.name(), &position))?;
            for bytes in found {
                let run =
                    Run::from_bytes(&bytes).map_err(|error| failed(error, callback.name(), &position))?;
                if run.network.n_features() != network.n_features() || !run.plan.is_same_fit(plan) {
                    let error = persistence::contradiction(persistence::Kind::Run, "it is of another plan");
                    return Err(failed(error, callback.name(), &position));
                }
                if run.steps() >= best.as_ref().map_or(position.step, Run::steps) {
                    best = Some(run);
                }
            }
        }
        let Some(mut run) = best else { return Ok(false) };
        // Callbacks that cannot be saved go on from their prototypes.
        let unsaved = self.callbacks.drain(..).enumerate().filter(|(_, callback)| !callback.is_saved());
        for (place, callback) in unsaved {
            run.callbacks.insert(place.min(run.callbacks.len()), callback);
        }
        run.plan.callbacks = std::mem::take(&mut self.plan.callbacks);
        *self = run;
        Ok(true)
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
    /// Files that callbacks have asked for, each with the place of its callback.
    saves: Vec<(usize, Save)>,
}

/// The error of a callback.
fn failed(error: Error, name: &str, position: &Position) -> Error {
    match error {
        // A setting that does not fit the run is the user's to mend, not a failure of the callback.
        error @ Error::Parameter { .. } => error.within(name),
        error => {
            Error::Callback { name: name.into(), epoch: position.epoch as usize, source: Box::new(error) }
        }
    }
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
        if !self.run.begun && !self.is_paused() {
            self.tell(Moment::TrainBegin)?;
            self.run.begun = true;
            self.save(None)?;
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
                if stop.is_none() {
                    self.save(None)?;
                }
            }
            // A batch at which a callback stops the run ends the epoch too: its files are written then.
            let stop = stop.or(self.end_epoch()?);
            self.save(stop.as_ref())?;
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
        self.save(None)?;
        Ok(Status::Finished)
    }

    /// Writes the files that callbacks have asked for. When one of them has stopped the run, the files say so.
    fn save(&mut self, stop: Option<&StopReason>) -> Result<()> {
        if self.saves.is_empty() {
            return Ok(());
        }
        let before = self.run.history.stop_reason().cloned();
        if stop.is_some() {
            self.run.history.stop(stop.cloned());
        }
        let saves = std::mem::take(&mut self.saves);
        let (mut whole, mut weights) = (None, None);
        let outcome = saves.iter().enumerate().try_for_each(|(done, (_, save))| {
            write(self.run, save, &mut whole, &mut weights).map_err(|error| (done, error))
        });
        outcome.map_err(|(done, error)| {
            self.run.history.stop(before);
            saves[done..].iter().for_each(|(place, _)| self.run.callbacks[*place].on_save_failed());
            failed(error, self.run.callbacks[saves[done].0].name(), &self.run.position)
        })
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
        let Run { plan, network, moments, position, totals, learning_rate_factor, .. } = &mut **run;
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
        let optimizer = plan.optimizer.ops::<F>();
        let learning_rate = optimizer.tuning().learning_rate.rate(position.step) * *learning_rate_factor;
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

        moments.step(optimizer, (position.step, learning_rate), network, gradient);
        network.settle(tape);
        moments.follow(network);
        position.step += 1;
        position.batch += 1;
        Ok(())
    }

    fn end_epoch(&mut self) -> Result<Option<StopReason>> {
        let learning_rate = self.run.learning_rate();
        let Passage { run, data, workspace, names, epoch_start, .. } = self;
        workspace.values.clear();
        run.totals.append_values::<F>(&run.plan, &mut workspace.values);
        let mut numbers = std::iter::once(run.network.weights()).chain(&run.moments.slots);
        if !numbers.all(|numbers| kernel::sum(numbers).is_finite()) {
            return Err(Error::Diverged {
                epoch: run.position.epoch as usize + 1,
                batch: run.position.batch as usize,
                loss: workspace.values[0],
                learning_rate,
            });
        }
        if let (Some(evaluator), Some(rows)) = (&mut workspace.evaluator, &data.validation) {
            run.moments.swap(&mut run.network, run.position.step);
            evaluator.evaluate(&run.network, &run.plan, rows, &mut workspace.values);
            run.moments.swap(&mut run.network, run.position.step);
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
        // A metric may need the order of all rows so far: after a batch its value is computed when somebody asks for it.
        let running = OnceCell::new();
        let running = matches!(moment, Moment::BatchEnd).then_some(&running);
        let Passage { run, data, workspace, names, directions, batches, until, epoch_start, saves } = self;
        let Run {
            plan,
            network,
            moments,
            position,
            totals,
            learning_rate_factor,
            history,
            best,
            restore_best,
            callbacks,
            ..
        } = &mut **run;
        let position = *position;
        let epochs_done = position.epoch as usize;
        let epoch = match moment {
            Moment::EpochBegin | Moment::BatchEnd => epochs_done + 1,
            Moment::TrainBegin | Moment::EpochEnd | Moment::TrainEnd => epochs_done,
        };
        let scheduled_rate = plan.optimizer.ops::<F>().tuning().learning_rate.rate(position.step);
        let mut reason = None;
        let mut log_batch = false;
        for (place, callback) in callbacks.iter_mut().enumerate() {
            let mut requests = Requests::default();
            let inside = Parts {
                plan,
                network,
                moments,
                position,
                rate_factor: *learning_rate_factor,
                gradient: &workspace.gradient,
                totals,
                data,
            };
            let mut view = View {
                epoch,
                epochs: until.epochs,
                batch: position.batch as usize,
                batches: *batches,
                step: position.step,
                seconds: epoch_start.elapsed().as_secs_f64(),
                names,
                directions,
                values: &workspace.values,
                running,
                history,
                inside: &inside,
                scheduled_rate,
                rate_factor: *learning_rate_factor,
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
            if let Err(error) = told {
                let error = failed(error, name, &position);
                saves.drain(..).for_each(|(place, _)| callbacks[place].on_save_failed());
                return Err(error);
            }
            if requests.keep_best {
                let best = best.get_or_insert_with(|| Buffer::zeros(network.weights().len()));
                best.copy_from_slice(moments.predicting(network.weights(), position.step));
            }
            *restore_best |= requests.restore_best;
            *learning_rate_factor = requests.rate_factor.unwrap_or(*learning_rate_factor);
            log_batch |= requests.log_batch;
            saves.extend(requests.saves.into_iter().map(|save| (place, save)));
            if let (Some(why), None) = (requests.stop, &reason) {
                reason = Some(StopReason::Callback { name: name.into(), reason: why });
            }
        }
        if let (true, Some(running)) = (log_batch, running) {
            let values = running.get_or_init(|| totals.values::<F>(plan));
            history.push_batch(epoch, position.batch, position.step, names, values);
        }
        Ok(reason)
    }
}

/// Writes one file, and removes those it takes the place of.
fn write<F: Float>(
    run: &Run<F>,
    save: &Save,
    whole: &mut Option<Vec<u8>>,
    weights: &mut Option<Vec<u8>>,
) -> Result<()> {
    let bytes = if save.weights_only { weights } else { whole };
    let bytes = match bytes {
        Some(bytes) => bytes,
        None if save.weights_only => bytes.insert(run.weights_to_bytes()?),
        None => bytes.insert(run.to_bytes()?),
    };
    if let Some(folder) = save.path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| Error::File {
            action: "cannot make the folder",
            path: folder.into(),
            source,
        })?;
    }
    persistence::write_atomically(&save.path, bytes)?;
    save.then_remove.iter().filter(|path| **path != save.path).try_for_each(persistence::remove)
}

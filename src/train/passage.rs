//! The loop: epochs of batches, each forward, loss, backward, update.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use crate::callback::Save;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::history::StopReason;
use crate::kernel;
use crate::metric::{Batch, Direction};
use crate::rng::Stream;

use super::descent::Descent;
use super::forward::Forward;
use super::plan::reads_all_rows;
use super::telling::Moment;
use super::update::completes;
use super::watch::Watch;
use super::workspace::Workspace;
use super::{Data, Run, Status, Until};

/// A loss that many times the first one has exploded: no useful training comes back from there.
const EXPLOSION: f64 = 1e12;

/// A run on its way through data: the run, the data and the buffers.
pub(super) struct Passage<'p, 'd, F: Float> {
    pub(super) run: &'p mut Run<F>,
    pub(super) data: &'p Data<'d, F>,
    pub(super) until: Until,
    pub(super) names: Vec<String>,
    pub(super) directions: Vec<Direction>,
    pub(super) workspace: Workspace<F>,
    pub(super) batches: usize,
    pub(super) epoch_start: Instant,
    /// Files that callbacks have asked for, each with the place of its callback.
    pub(super) saves: Vec<(usize, Save)>,
    pub(super) watch: &'p dyn Watch,
}
impl<'p, 'd, F: Float> Passage<'p, 'd, F> {
    /// Makes the buffers, for as long as the run is on its way.
    pub(super) fn new(
        run: &'p mut Run<F>,
        data: &'p Data<'d, F>,
        until: Until,
        (names, directions): (Vec<String>, Vec<Direction>),
        watch: &'p dyn Watch,
    ) -> Self {
        let workspace = Workspace::new(&run.network, &run.plan, data, names.len());
        let batches = run.plan.batches(data.training.n_weighted());
        let (epoch_start, saves) = (Instant::now(), Vec::new());
        Passage { run, data, until, names, directions, workspace, batches, epoch_start, saves, watch }
    }
}

impl<F: Float> Passage<'_, '_, F> {
    pub(super) fn advance(&mut self) -> Result<Status> {
        if !self.run.begun && !self.is_paused() {
            self.tell(Moment::TrainBegin)?;
            self.run.begun = true;
            self.save(None)?;
        }
        let minimizer = self.run.plan.optimizer.ops::<F>().minimizer();
        let mut descent = minimizer
            .map(|minimizer| Descent::new(&self.run.network, minimizer, &self.data.training))
            .transpose()?;
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
                let end = match &mut descent {
                    Some(descent) => self.iterate(descent),
                    None => self.batch().map(|()| None),
                };
                let end = match end {
                    Ok(end) => end,
                    Err(error) => return self.end_diverged(error),
                };
                stop = self.tell(Moment::BatchEnd)?.or(end);
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
        self.until.steps.is_some_and(|steps| self.run.position.step >= steps) || self.watch.wants_pause()
    }

    /// A batch that diverged has changed nothing: it is an error, unless a callback takes it for the end of training.
    fn end_diverged(&mut self, error: Error) -> Result<Status> {
        let &Error::Diverged { epoch, batch, .. } = &error else { return Err(error) };
        if !self.run.callbacks.iter().any(|callback| callback.ends_divergence()) {
            return Err(error);
        }
        let stop = Some(StopReason::Diverged { epoch, batch });
        // An epoch of no batch has no loss to report.
        if self.run.position.batch > 0 {
            self.end_epoch()?;
            self.save(stop.as_ref())?;
        }
        self.finish(stop)
    }

    pub(super) fn finish(&mut self, reason: Option<StopReason>) -> Result<Status> {
        self.run.history.stop(reason);
        self.tell(Moment::TrainEnd)?;
        self.save(None)?;
        Ok(Status::Finished)
    }

    /// The order of the rows in this epoch: it depends on seed and epoch alone.
    fn order_rows(&mut self) {
        let rows = &self.data.training;
        let order = &mut self.workspace.order;
        order.clear();
        // A row of weight 0 is as good as absent: no layer, no batch and no counter sees it.
        order.extend((0..rows.len()).map(|place| rows.row(place)).filter(|&row| rows.has_weight(row)));
        if self.run.plan.shuffle && !reads_all_rows(&self.run.plan.optimizer) {
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
        let Workspace { crew, tape, y, weights, loss_weights, gradient, order, .. } = workspace;
        let Run { plan, network, moments, position, totals, learning_rate_factor, .. } = &mut **run;
        let rows = &data.training;
        let start = position.batch as usize * plan.batch_size;
        let (order, later) = order[start..].split_at(plan.batch_size.min(order.len() - start));
        let n = order.len();
        let (y, weights) = (&mut y[..n * rows.target_width()], &mut weights[..n]);
        let n_outputs = network.n_outputs();
        plan.read_targets(rows, n_outputs, order, tape.input_mut(n), y)?;
        rows.announce(&later[..plan.batch_size.min(later.len())]);
        rows.gather_weights(order, weights);
        let sample_weights = &*weights;
        let weights = rows.loss_weights(order, y, sample_weights, loss_weights);
        let mass = kernel::sum(weights);

        crew.recruit(network.work(n));
        let noise = Some(Stream::new(plan.seed).named("dropout").at(position.epoch).at(position.batch));
        let forward =
            Forward { plan, network, rows, order, targets: y, noise, weights: Some((weights, mass)) };
        let pass = forward.run(crew, tape);
        let of_rows = kernel::dot(tape.losses(n), weights) + network.activity_penalty(tape, weights);
        let batch_loss = of_rows / mass + network.penalty();
        let optimizer = plan.optimizer.ops::<F>();
        let learning_rate = optimizer.tuning().learning_rate.rate(position.step) * *learning_rate_factor;
        let diverged = Error::Diverged {
            epoch: position.epoch as usize + 1,
            batch: position.batch as usize + 1,
            loss: batch_loss,
            learning_rate,
        };
        let first_loss = totals.first_loss.unwrap_or(batch_loss);
        if !batch_loss.is_finite() || batch_loss > EXPLOSION * first_loss.abs().max(1.0) {
            return Err(diverged);
        }
        let largest = Largest::default();
        let moves = completes(optimizer.tuning(), position.step);
        network.backward(crew, tape, pass, (gradient, moves), |mut window| {
            window.add_divisible_penalties();
            largest.look_at(window.gradient);
        });
        let trained = &mut gradient[..network.trained()];
        if network.add_whole_penalties(trained) {
            largest.forget();
            largest.look_at(trained);
        }
        // Moments hold squares: a gradient whose squares are no numbers any more would freeze them at infinity.
        if !has_squares(trained, largest.magnitude(), learning_rate) {
            return Err(diverged);
        }

        let outputs = tape.outputs(n);
        let weights = rows.has_weights().then_some(sample_weights);
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
        totals.first_loss = Some(first_loss);
        totals.loss += batch_loss * mass;
        totals.mass += mass;

        let cuts = network.weight_cuts(crew, n, tape);
        moments.step(optimizer, (position.step, learning_rate), network, gradient, (crew, cuts));
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
            let evaluated =
                evaluator.evaluate((&run.network, &run.plan), rows, &workspace.crew, &mut workspace.values);
            run.moments.swap(&mut run.network, run.position.step);
            evaluated?;
        }
        workspace.values.push(learning_rate);
        run.history.push(names, &workspace.values, epoch_start.elapsed().as_secs_f64());
        run.position.epoch += 1;
        run.position.batch = 0;
        self.watch.epoch_ended(run.position.epoch as usize, self.until.epochs, workspace.values[0]);
        self.tell(Moment::EpochEnd)
    }
}

/// Whether the sum of the squares of a gradient, and its root times the learning rate, are numbers.
fn has_squares<F: Float>(gradient: &[F], largest: f64, learning_rate: f64) -> bool {
    let are_finite =
        |squares: f64| F::of(squares).is_finite() && F::of(squares.sqrt() * learning_rate).is_finite();
    // As a rule the largest element answers: the sum is at most this, and a hundredth more for its rounding errors. NaN
    // answers no.
    let bound = 1.01 * largest * largest * gradient.len() as f64;
    are_finite(bound) || are_finite(kernel::sum_of_squares(gradient))
}

/// The largest magnitude of a gradient that several threads look at: as bits, which order as magnitudes do, NaN above all.
#[derive(Default)]
struct Largest(AtomicU64);

impl Largest {
    fn look_at<F: Float>(&self, gradient: &[F]) {
        self.0.fetch_max(kernel::largest_magnitude(gradient).wide().abs().to_bits(), Relaxed);
    }

    fn forget(&self) {
        self.0.store(0, Relaxed);
    }

    fn magnitude(&self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }
}

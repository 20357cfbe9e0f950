//! A training run as one plain value.

use crate::callback::Active;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::float::Float;
use crate::history::{History, StopReason};
use crate::kernel::Buffer;
use crate::metric::Direction;
use crate::network::Network;

use super::passage::Passage;
use super::update::Moments;
use super::watch::{Nobody, Watch};
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
    /// The epochs are done, or a callback or the optimizer has stopped it.
    Finished,
}

/// Place in the run: epochs and batches done, steps made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Position {
    pub(super) epoch: u64,
    pub(super) batch: u64,
    pub(super) step: u64,
}

/// Sums over the batches of the epoch under way, and what an exploding loss is measured by.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Totals {
    /// The loss of the first batch of all.
    pub(super) first_loss: Option<f64>,
    pub(super) loss: f64,
    pub(super) mass: f64,
    pub(super) metrics: Vec<Vec<f64>>,
}

impl Totals {
    /// Appends the loss and each metric, over the batches of the epoch so far.
    pub(super) fn append_values<F: Float>(&self, plan: &Plan, to: &mut Vec<f64>) {
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

    /// A run at its beginning, with the weights of a network that the plan describes.
    pub(crate) fn with_network(plan: Plan, network: Network<F>) -> Result<Self> {
        plan.check()?;
        Ok(Run::assemble(plan, network))
    }

    /// The same plan at its beginning, with those weights.
    pub(crate) fn restarted(&self, network: Network<F>) -> Self {
        Run::assemble(self.plan.clone(), network)
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

    /// The epoch that was best on the validation rows, from 1: by the callback that judges epochs (such as
    /// [`EarlyStopping`](crate::callback::EarlyStopping)), else by the least `val_loss`; none without validation rows.
    #[must_use]
    pub fn best_epoch(&self) -> Option<usize> {
        let values = self.history.get("val_loss")?;
        let judged = self.callbacks.iter().find_map(|callback| callback.best_epoch());
        judged.or_else(|| {
            let finite = values.iter().enumerate().filter(|(_, value)| value.is_finite());
            finite.reduce(|best, next| if next.1 < best.1 { next } else { best }).map(|(place, _)| place + 1)
        })
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
    /// step nothing is allocated, except by callbacks, by metrics that keep all predictions, for the log of an epoch, for each
    /// offer to a thread that may help, and by [`Lbfgs`](crate::optimizer::Lbfgs) over a [`RowSource`](super::RowSource), which
    /// keeps what it may have to take back.
    ///
    /// Steps of large networks are shared with idle threads of the current rayon pool; no bit depends on it. In a pool of one
    /// thread (`ThreadPoolBuilder::new().num_threads(1)`, then `install`) there is one.
    ///
    /// # Errors
    ///
    /// - [`Error::Width`], [`Error::TargetRange`]: rows that do not fit the network or the loss; nothing is trained.
    /// - [`Error::Parameter`]: sample weights that are all 0, a metric that is not defined for the task, batches for an
    ///   optimizer that reads all rows at once; nothing is trained.
    /// - [`Error::Diverged`]: the loss or a gradient is no longer finite, or the loss is 10¹² times what the first batch had
    ///   (a first loss below 1 counts as 1), and the run stays as it was before that batch; or, at the end of an epoch, a
    ///   weight or a moment is no longer finite. With [`TerminateOnNan`](crate::callback::TerminateOnNan) a batch that
    ///   diverges ends the run instead, and is the reason in its history.
    /// - [`Error::Callback`]: a callback failed; the run stays at that boundary.
    /// - [`Error::RowSource`], [`Error::NotFinite`], [`Error::TargetRange`]: a [`RowSource`](super::RowSource) failed or gave a
    ///   value that is not allowed; the run stays as it was before that batch.
    pub fn advance(&mut self, data: &Data<'_, F>, until: Until) -> Result<Status> {
        self.advance_watched(data, until, &Nobody)
    }

    /// As [`advance`](Self::advance), and paused where the watch wants it.
    pub(crate) fn advance_watched(
        &mut self,
        data: &Data<'_, F>,
        until: Until,
        watch: &dyn Watch,
    ) -> Result<Status> {
        self.plan.check_rows(self.network.n_features(), &data.training, "x")?;
        if let Some(rows) = &data.validation {
            self.plan.check_rows(self.network.n_features(), rows, "x of the validation rows")?;
        }
        self.plan.check_batches(data.training.n_weighted())?;
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
        let mut passage = Passage::new(self, data, until, (names, directions), watch);
        // What was resumed may have been stopped already: its callbacks have not been told of the end.
        if stopped.is_some() { passage.finish(stopped) } else { passage.advance() }
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

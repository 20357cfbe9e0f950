//! What a callback sees of a run, and what it may ask of it.

use std::cell::OnceCell;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Result, check};
use crate::history::History;
use crate::metric::Direction;
use crate::network::Summary;

/// What a callback sees of a run, and what it may ask of it.
///
/// What is asked for is done when all callbacks have been told of the moment, in the order of the callbacks.
#[derive(Debug)]
pub struct View<'a> {
    pub(crate) epoch: usize,
    pub(crate) epochs: usize,
    pub(crate) batch: usize,
    pub(crate) batches: usize,
    pub(crate) step: u64,
    pub(crate) seconds: f64,
    pub(crate) names: &'a [String],
    pub(crate) directions: &'a [Direction],
    pub(crate) values: &'a [f64],
    /// After a batch, the running values in place of `values`, computed when they are asked for.
    pub(crate) running: Option<&'a OnceCell<Vec<f64>>>,
    pub(crate) history: &'a History,
    pub(crate) inside: &'a dyn Inside,
    /// The learning rate of the next step by its schedule, and what callbacks have made of it so far.
    pub(crate) scheduled_rate: f64,
    pub(crate) rate_factor: f64,
    pub(crate) requests: &'a mut Requests,
}

/// The parts of a run that have a number type.
pub(crate) trait Inside: fmt::Debug {
    /// Tells the weights, tensor by tensor.
    fn weights(&self, tell: &mut TellTensor<'_>);
    /// Tells the gradient of the last batch, tensor by tensor.
    fn gradient(&self, tell: &mut TellTensor<'_>);
    /// Loss and metrics over the batches of the epoch so far.
    fn running_values(&self) -> Vec<f64>;
    /// See [`View::summary`].
    fn summary(&self) -> Summary;
    /// See [`View::settings`].
    fn settings(&self) -> Value;
    /// See [`View::fingerprint`].
    fn fingerprint(&self) -> u64;
}

/// Called with a tensor's name and values.
pub(crate) type TellTensor<'t> = dyn FnMut(&str, &mut dyn Iterator<Item = f64>) + 't;

/// What a callback has asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests {
    pub(crate) stop: Option<String>,
    pub(crate) keep_best: bool,
    pub(crate) restore_best: bool,
    pub(crate) rate_factor: Option<f64>,
    pub(crate) log_batch: bool,
    pub(crate) saves: Vec<Save>,
}

/// A file to be written for a callback; see [`View::save`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Save {
    pub(crate) path: PathBuf,
    pub(crate) weights_only: bool,
    pub(crate) then_remove: Vec<PathBuf>,
    /// Whether a fit goes on from it by itself: then it is written after the files it knows of.
    pub(crate) is_backup: bool,
}

impl Save {
    /// The whole run: training goes on from the file as if it had never stopped.
    #[must_use]
    pub fn run(path: impl Into<PathBuf>) -> Self {
        Save { path: path.into(), weights_only: false, then_remove: Vec::new(), is_backup: false }
    }

    /// A run at its beginning with the weights of now: it predicts as the whole run, but remembers no moments, no history
    /// and no counters.
    #[must_use]
    pub fn weights(path: impl Into<PathBuf>) -> Self {
        Save { weights_only: true, ..Save::run(path) }
    }

    /// The whole run, to go on from after a crash.
    pub(crate) fn backup(path: impl Into<PathBuf>) -> Self {
        Save { is_backup: true, ..Save::run(path) }
    }

    /// Once the file is safely there, that one is removed. It is no error if it is gone already.
    #[must_use]
    pub fn then_remove(mut self, path: impl AsRef<Path>) -> Self {
        self.then_remove.push(path.as_ref().into());
        self
    }
}

impl View<'_> {
    /// The epoch under way, or just ended, from 1; 0 before the first.
    #[must_use]
    pub fn epoch(&self) -> usize {
        self.epoch
    }

    /// The epochs asked for.
    #[must_use]
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// The batch just ended, from 1; 0 at the beginning of an epoch.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Batches in an epoch.
    #[must_use]
    pub fn batches(&self) -> usize {
        self.batches
    }

    /// Steps made so far: batches trained on.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Wall-clock seconds of this epoch so far.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Names of the values: `loss`, metrics, then their `val_` twins, `learning_rate`.
    #[must_use]
    pub fn names(&self) -> &[String] {
        self.names
    }

    fn current(&self) -> &[f64] {
        match self.running {
            Some(running) => running.get_or_init(|| self.inside.running_values()),
            None => self.values,
        }
    }

    /// A value of this epoch; at the end of a batch, the running one. `val_` values and `learning_rate` exist at the end
    /// of an epoch.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<f64> {
        let place = self.names.iter().position(|other| other == name)?;
        self.current().get(place).copied()
    }

    /// The values there are at this moment, by name.
    pub fn values(&self) -> impl Iterator<Item = (&str, f64)> {
        self.names.iter().map(String::as_str).zip(self.current().iter().copied())
    }

    /// Which values of a name are better.
    #[must_use]
    pub fn direction(&self, name: &str) -> Option<Direction> {
        let place = self.names.iter().position(|other| other == name)?;
        self.directions.get(place).copied()
    }

    /// The epochs so far; the one that has just ended is among them.
    #[must_use]
    pub fn history(&self) -> &History {
        self.history
    }

    /// The table of layers, shapes and parameters.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.inside.summary()
    }

    /// All settings of the run, as JSON.
    #[must_use]
    pub fn settings(&self) -> Value {
        self.inside.settings()
    }

    /// Calls `tell` with the name (`dense_1/kernel`) and the values of each weight tensor.
    pub fn each_weight(&self, mut tell: impl FnMut(&str, &mut dyn Iterator<Item = f64>)) {
        self.inside.weights(&mut tell);
    }

    /// Calls `tell` with the name and the values of the last batch's gradient, for each weight tensor; not at all while
    /// no batch has been trained since the run was started or loaded.
    pub fn each_gradient(&self, mut tell: impl FnMut(&str, &mut dyn Iterator<Item = f64>)) {
        self.inside.gradient(&mut tell);
    }

    /// A number for the run as it is and the rows it is trained on: plan, weights, moments, counters, training and
    /// validation rows with their weights. It takes a pass over all data.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.inside.fingerprint()
    }

    /// The learning rate of the next step.
    #[must_use]
    pub fn learning_rate(&self) -> f64 {
        self.scheduled_rate * self.factor()
    }

    fn factor(&self) -> f64 {
        self.requests.rate_factor.unwrap_or(self.rate_factor)
    }

    /// Multiplies the learning rate by `factor` from the next step on, for good.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](crate::Error::Parameter) for a factor that is not finite and at least 0, or by which the rate
    /// would not stay so; the rate stays as it is.
    pub fn scale_learning_rate(&mut self, factor: f64) -> Result<()> {
        self.set_factor("factor", factor, self.factor() * factor)
    }

    /// Makes the learning rate of the next step `rate`. The optimizer's schedule goes on from there: what it gives later
    /// is scaled by the same factor. A schedule that gives 0 at this step cannot be scaled and stays as it is.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](crate::Error::Parameter) for a rate that is not finite and at least 0, or too large for the
    /// schedule to be scaled to; the rate stays as it is.
    pub fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        let scales = self.scheduled_rate > 0.0;
        let factor = if scales { quotient(rate, self.scheduled_rate) } else { self.factor() };
        self.set_factor("learning_rate", rate, factor)
    }

    /// What the schedule is multiplied by from now on, because of a number that was given.
    fn set_factor(&mut self, name: &str, given: f64, factor: f64) -> Result<()> {
        let rate = self.scheduled_rate * factor;
        let ok = given >= 0.0 && [given, factor, rate].into_iter().all(f64::is_finite);
        check(name, format!("{given:?}"), ok, "finite and at least 0, and so is the learning rate it makes")?;
        self.requests.rate_factor = Some(factor);
        Ok(())
    }

    /// Ends training after this epoch or batch, for that reason.
    pub fn stop(&mut self, reason: impl Into<String>) {
        self.requests.stop = Some(reason.into());
    }

    /// Keeps a copy of the weights as they are now, in place of the copy kept before.
    pub fn keep_best(&mut self) {
        self.requests.keep_best = true;
    }

    /// Predictions shall use the weights kept, not the last ones. Training, if it goes on, goes on from the last ones.
    pub fn restore_best(&mut self) {
        self.requests.restore_best = true;
    }

    /// Adds the running values of this batch to [`History::batches`]. Nothing at other moments than the end of a batch.
    pub fn log_batch(&mut self) {
        self.requests.log_batch = true;
    }

    /// Writes a file, atomically, once all callbacks have been told of this moment: what is saved holds the state of all of
    /// them after it, so a run that goes on from the file equals one that never stopped. Missing folders are made.
    ///
    /// Files are written in the order of the callbacks, those of a [`Backup`](super::Backup) last: a fit that goes on from one
    /// believes that all other files of that moment are there.
    ///
    /// If it cannot be written the fit ends with an error, and [`Callback::on_save_failed`](super::Callback::on_save_failed)
    /// is called.
    pub fn save(&mut self, save: Save) {
        self.requests.saves.push(save);
    }
}

/// The factor that makes `base` into `rate`, to the last bit where there is one.
fn quotient(rate: f64, base: f64) -> f64 {
    let nearest = rate / base;
    let exact = [nearest, nearest.next_up(), nearest.next_down()].into_iter().find(|factor| {
        let product = base * factor;
        product.to_bits() == rate.to_bits()
    });
    exact.unwrap_or(nearest)
}

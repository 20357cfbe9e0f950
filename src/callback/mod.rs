//! Callbacks: who watches a run.
//!
//! A callback in the params is a prototype. Each fit clones its own, whose fields are part of the run: they are saved and
//! go on after a load. A callback sees the run through a [`View`], may ask for things through it, and may fail with an
//! error, which ends the fit and leaves the run as it is.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::error::Result;
use crate::float::Float;
use crate::metric::Direction;
use crate::part::{Configured, Member, Part, Room};

mod early_stopping;
mod verbose;

pub use early_stopping::EarlyStopping;
pub use verbose::Verbose;

/// What a callback sees of a run, and what it may ask of it.
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
    pub(crate) requests: &'a mut Requests,
}

/// What callbacks have asked for since the last look.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests {
    pub(crate) stop: Option<String>,
    pub(crate) keep_best: bool,
    pub(crate) restore_best: bool,
    pub(crate) learning_rate_factor: Option<f64>,
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

    /// Updates made so far.
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

    /// A value of this epoch; at the end of a batch, the running one. `val_` values exist at the end of an epoch.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<f64> {
        let place = self.names.iter().position(|other| other == name)?;
        self.values.get(place).copied()
    }

    /// Which values of a name are better.
    #[must_use]
    pub fn direction(&self, name: &str) -> Option<Direction> {
        let place = self.names.iter().position(|other| other == name)?;
        self.directions.get(place).copied()
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

    /// Multiplies the learning rate by `factor` from the next step on, for good.
    pub fn scale_learning_rate(&mut self, factor: f64) {
        let before = self.requests.learning_rate_factor.unwrap_or(1.0);
        self.requests.learning_rate_factor = Some(before * factor);
    }
}

/// Code that watches a run. All methods do nothing unless written.
pub trait Callback: Send + Sync {
    /// Before the first epoch of a run; not again when a run is continued.
    ///
    /// # Errors
    ///
    /// A setting that does not fit the run, such as a monitored value that it does not have.
    fn on_train_begin(&mut self, _view: &mut View<'_>) -> Result<()> {
        Ok(())
    }

    /// Before an epoch.
    ///
    /// # Errors
    ///
    /// Whatever shall end the fit.
    fn on_epoch_begin(&mut self, _view: &mut View<'_>) -> Result<()> {
        Ok(())
    }

    /// After a batch.
    ///
    /// # Errors
    ///
    /// Whatever shall end the fit.
    fn on_batch_end(&mut self, _view: &mut View<'_>) -> Result<()> {
        Ok(())
    }

    /// After an epoch, its validation included.
    ///
    /// # Errors
    ///
    /// Whatever shall end the fit.
    fn on_epoch_end(&mut self, _view: &mut View<'_>) -> Result<()> {
        Ok(())
    }

    /// When training ends, whoever ended it.
    ///
    /// # Errors
    ///
    /// Whatever shall be reported.
    fn on_train_end(&mut self, _view: &mut View<'_>) -> Result<()> {
        Ok(())
    }
}

/// A callback of a fit under way.
#[doc(hidden)]
pub trait Active: Callback + fmt::Debug {
    fn duplicate(&self) -> Box<dyn Active>;
    fn name(&self) -> &'static str;
    fn state(&self) -> Value;
}

impl<C: Configured + Callback> Active for C {
    fn duplicate(&self) -> Box<dyn Active> {
        Box::new(self.clone())
    }

    fn name(&self) -> &'static str {
        C::NAME
    }

    fn state(&self) -> Value {
        crate::part::Described::settings(self)
    }
}

impl Clone for Box<dyn Active> {
    fn clone(&self) -> Self {
        (**self).duplicate()
    }
}

/// The room of callbacks.
#[derive(Debug)]
pub enum Callbacks {}

/// Any callback, as a prototype.
pub type AnyCallback = Part<Callbacks>;

impl Room for Callbacks {
    type Ops<F: Float> = dyn Active;
    const KIND: &'static str = "callback";

    fn members() -> &'static [Member<Self>] {
        const MEMBERS: &[Member<Callbacks>] = &[Member::of::<EarlyStopping>(), Member::of::<Verbose>()];
        MEMBERS
    }
}

impl<C: Configured + Callback> From<C> for AnyCallback {
    fn from(callback: C) -> Self {
        let part = Arc::new(callback);
        let single: Arc<dyn Active> = part.clone();
        Part::assemble(part, single.clone(), single)
    }
}

impl AnyCallback {
    /// A fresh callback for a fit.
    pub(crate) fn start(&self) -> Box<dyn Active> {
        self.ops::<f64>().duplicate()
    }
}

//! Callbacks: who watches a run.
//!
//! A callback in the params is a prototype. Each fit clones its own, whose fields are part of the run: they are saved and
//! go on after a load. A callback sees the run through a [`View`], may ask for things through it, and may fail with an
//! error, which ends the fit and leaves the run as it is.
//!
//! | to | use |
//! | --- | --- |
//! | stop early, keep the best weights | [`EarlyStopping`] |
//! | stop after some time or updates | [`TimeBudget`], [`UpdateBudget`] |
//! | end a fit that diverges without an error | [`TerminateOnNan`] |
//! | write files of the run | [`ModelCheckpoint`] |
//! | survive a crash | [`Backup`] |
//! | change the learning rate | [`ReduceLrOnPlateau`], [`AdaptiveLearningRate`], [`LearningRateSchedule`] |
//! | write down what happens | [`CsvLogger`], [`BatchLog`], `TensorBoard` (feature `tensorboard`) |
//! | watch | [`Verbose`], `ProgressBar` (feature `progress`) |
//! | do anything else | [`OnEpochEnd`], [`OnBatchEnd`], or a type of your own with the trait [`Callback`] |
//!
//! # Order
//!
//! Callbacks are told in the order in which they were added. What they ask for is done after all have been told, so a file
//! that is written at the end of an epoch holds the state of all callbacks after that epoch.
//!
//! # A callback of one's own
//!
//! ```
//! use linfa_mlp::callback::View;
//! use linfa_mlp::part::Configured;
//! use linfa_mlp::metric::Mae;
//! use linfa_mlp::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! /// Stops when the loss is small enough.
//! #[derive(Clone, Debug, Serialize, Deserialize)]
//! struct GoodEnough {
//!     loss: f64,
//! }
//!
//! impl Configured for GoodEnough {
//!     const NAME: &'static str = "good_enough";
//! }
//!
//! impl Callback for GoodEnough {
//!     fn on_epoch_end(&mut self, view: &mut View<'_>) -> linfa_mlp::Result<()> {
//!         if view.value("loss").is_some_and(|loss| loss < self.loss) {
//!             view.stop("good enough");
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let (x, y) = (ndarray::array![[0.0], [1.0]], ndarray::array![[1.0], [3.0]]);
//! let mut model = Sequential::new().add(Dense::new(1)).compile(1, Adam::new(0.1), MeanSquaredError, [Mae])?;
//! model.fit(&x, &y, &Training::epochs(1000).callback(GoodEnough { loss: 0.01 }))?;
//! assert!(model.history().len() < 1000);
//! # Ok::<(), linfa_mlp::Error>(())
//! ```

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::error::Result;
use crate::float::Float;
use crate::part::{Configured, Member, Part, Room};

mod adaptive_learning_rate;
mod backup;
mod batch_log;
mod budget;
mod closure;
mod csv_logger;
mod early_stopping;
mod handle;
mod learning_rate_schedule;
mod model_checkpoint;
mod monitor;
#[cfg(feature = "progress")]
mod progress_bar;
mod reduce_lr_on_plateau;
mod template;
#[cfg(feature = "tensorboard")]
mod tensorboard;
mod terminate_on_nan;
mod verbose;
mod view;

pub use adaptive_learning_rate::AdaptiveLearningRate;
pub use backup::Backup;
pub use batch_log::BatchLog;
pub use budget::{TimeBudget, UpdateBudget};
pub use closure::{OnBatchEnd, OnEpochEnd};
pub use csv_logger::CsvLogger;
pub use early_stopping::EarlyStopping;
pub use learning_rate_schedule::{LearningRateFunction, LearningRateSchedule};
pub use model_checkpoint::{BestAmong, ModelCheckpoint};
pub use monitor::{Loss, Monitor, Val, ValLoss};
#[cfg(feature = "progress")]
pub use progress_bar::ProgressBar;
pub use reduce_lr_on_plateau::ReduceLrOnPlateau;
#[cfg(feature = "tensorboard")]
pub use tensorboard::TensorBoard;
pub use terminate_on_nan::TerminateOnNan;
pub use verbose::Verbose;
pub(crate) use view::{Inside, Requests, TellTensor};
pub use view::{Save, View};

/// The callbacks this crate has, but for closures, which have no name to be found by.
const MEMBERS: &[Member<Callbacks>] = &[
    Member::of::<EarlyStopping>(),
    Member::of::<TimeBudget>(),
    Member::of::<UpdateBudget>(),
    Member::of::<TerminateOnNan>(),
    Member::of::<ModelCheckpoint>(),
    Member::of::<Backup>(),
    Member::of::<ReduceLrOnPlateau>(),
    Member::of::<AdaptiveLearningRate>(),
    Member::of::<LearningRateSchedule>(),
    Member::of::<CsvLogger>(),
    Member::of::<BatchLog>(),
    #[cfg(feature = "tensorboard")]
    Member::of::<TensorBoard>(),
    Member::of::<Verbose>(),
    #[cfg(feature = "progress")]
    Member::of::<ProgressBar>(),
];

/// Code that watches a run. All methods do nothing unless written.
pub trait Callback: Send + Sync {
    /// The bytes of whole runs that this fit may go on from in place of starting at its beginning; asked once, before
    /// anything else. The one with the most steps is taken, callbacks included.
    ///
    /// # Errors
    ///
    /// Whatever shall end the fit.
    fn resume(&mut self, _view: &mut View<'_>) -> Result<Vec<Vec<u8>>> {
        Ok(Vec::new())
    }

    /// Before the first epoch of a fit; not again when a run is continued.
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

    /// When training ends because its epochs are done or a callback has stopped it; not when an error ends it. A file
    /// written at the last epoch is older than this moment, so no state that matters should change here.
    ///
    /// # Errors
    ///
    /// Whatever shall be reported.
    fn on_train_end(&mut self, _view: &mut View<'_>) -> Result<()> {
        Ok(())
    }

    /// When a file it has asked for ([`View::save`]) is not written after all, before the fit ends with that error: the place
    /// to take back what its state says of the file.
    fn on_save_failed(&mut self) {}

    /// Whether a batch that diverges ends training like a callback's wish to stop, in place of an error.
    fn ends_divergence(&self) -> bool {
        false
    }

    /// The value that the callback watches, if it watches one.
    fn monitor(&self) -> Option<&Monitor> {
        None
    }

    /// The epoch that the callback holds for the best so far, from 1, if it judges epochs.
    fn best_epoch(&self) -> Option<usize> {
        None
    }

    /// Whether the callback is written into saved runs and settings. One that is not is missing after a load.
    fn is_saved(&self) -> bool {
        true
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

/// Writes the prototypes that can be written; see [`Callback::is_saved`].
pub(crate) fn serialize_saved<S: serde::Serializer>(
    callbacks: &[AnyCallback],
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    let saved: Vec<&AnyCallback> = callbacks.iter().filter(|part| part.ops::<f64>().is_saved()).collect();
    saved.serialize(serializer)
}

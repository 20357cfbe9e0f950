//! A learning rate for each epoch.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::closure::unsaved;
use super::{Callback, View};
use crate::error::{Result, check};
use crate::part::Configured;

/// Sets the learning rate at the beginning of epochs, by a table.
///
/// | setting | range |
/// | --- | --- |
/// | `table` | pairs of an epoch, from 1, in ascending order, and the rate from that epoch on; finite, > 0 |
///
/// Before the first epoch of the table the optimizer's own rate holds. A rate that changes with every update is a
/// [schedule](crate::optimizer::schedule) of the optimizer; if there is one, the table says where it goes on from.
///
/// ```
/// use linfa_mlp::callback::LearningRateSchedule;
/// use linfa_mlp::metric::Mae;
/// use linfa_mlp::prelude::*;
/// use ndarray::array;
///
/// let table = LearningRateSchedule::table([(1, 0.1), (3, 0.01)]);
/// let mut model = Sequential::new().add(Dense::new(1)).compile(1, Sgd::new(0.5), MeanSquaredError, [Mae])?;
/// model.fit(&array![[0.0], [1.0]], &array![[1.0], [3.0]], &Training::epochs(4).callback(table))?;
/// assert_eq!(model.history()["learning_rate"], [0.1, 0.1, 0.01, 0.01]);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[doc(alias = "LearningRateScheduler")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LearningRateSchedule {
    table: Vec<(usize, f64)>,
}

impl LearningRateSchedule {
    /// From each of these epochs on, that rate.
    #[must_use]
    pub fn table(table: impl Into<Vec<(usize, f64)>>) -> Self {
        LearningRateSchedule { table: table.into() }
    }

    /// The rate that a function of the epoch, from 1, and the rate so far gives. A function cannot be saved: see
    /// [`OnEpochEnd`](super::OnEpochEnd).
    #[must_use]
    pub fn by(rate: impl Fn(usize, f64) -> f64 + Send + Sync + 'static) -> LearningRateFunction {
        LearningRateFunction { function: Arc::new(rate) }
    }
}

impl Configured for LearningRateSchedule {
    const NAME: &'static str = "learning_rate_schedule";

    fn check(&self) -> Result<()> {
        let ascending = self.table.is_sorted_by(|(a, _), (b, _)| a < b);
        let epochs: Vec<usize> = self.table.iter().map(|(epoch, _)| *epoch).collect();
        let from_1 = epochs.first().is_none_or(|epoch| *epoch >= 1);
        check("epochs", format!("{epochs:?}"), from_1 && ascending, "at least 1 and ascending")?;
        self.table.iter().try_for_each(|(_, rate)| check_rate(*rate))
    }
}

fn check_rate(rate: f64) -> Result<()> {
    check("learning_rate", rate, rate.is_finite() && rate > 0.0, "finite and above 0")
}

impl Callback for LearningRateSchedule {
    fn on_epoch_begin(&mut self, view: &mut View<'_>) -> Result<()> {
        if let Some((_, rate)) = self.table.iter().rev().find(|(epoch, _)| *epoch <= view.epoch()) {
            view.set_learning_rate(*rate)?;
        }
        Ok(())
    }
}

type RateOfEpoch = dyn Fn(usize, f64) -> f64 + Send + Sync;

/// A [`LearningRateSchedule`] by a function.
#[derive(Clone)]
pub struct LearningRateFunction {
    function: Arc<RateOfEpoch>,
}

impl fmt::Debug for LearningRateFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LearningRateFunction").finish_non_exhaustive()
    }
}

unsaved!(LearningRateFunction, "learning_rate_function");

impl Callback for LearningRateFunction {
    fn on_epoch_begin(&mut self, view: &mut View<'_>) -> Result<()> {
        let rate = (self.function)(view.epoch(), view.learning_rate());
        check_rate(rate)?;
        view.set_learning_rate(rate)
    }

    fn is_saved(&self) -> bool {
        false
    }
}

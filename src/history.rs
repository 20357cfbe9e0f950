//! What happened in a run, one row per epoch.
//!
//! Every fitted model has a [`History`]: `model.history()`. Its columns are named as in Keras – `loss`, `accuracy`, and `val_loss`, `val_accuracy`
//! where rows are held out – and it knows why training ended ([`StopReason`]). With the feature `plot`, `history.plot("curves.svg")` draws it.
//!
//! ```
//! use linfa::prelude::*;
//! use linfa_mlp::prelude::*;
//!
//! let model = MlpClassifier::params().epochs(5).validation_split(0.2).fit(&linfa_datasets::iris())?;
//! let history = model.history();
//! assert_eq!((history.len(), history["val_loss"].len()), (5, 5));
//! assert!(history.last("loss") < history["loss"].first().copied());
//! # Ok::<(), linfa_mlp::Error>(())
//! ```

use std::fmt;
use std::io::Write;
use std::ops::Index;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::number;

/// Why training ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StopReason {
    /// All epochs asked for are done.
    Completed,
    /// A callback asked to stop.
    Callback {
        /// Its name.
        name: String,
        /// What it says.
        reason: String,
    },
    /// The loss or a gradient of a batch was not finite or exploded, and
    /// [`TerminateOnNan`](crate::callback::TerminateOnNan) ended the run there.
    Diverged {
        /// Epoch, from 1.
        epoch: usize,
        /// Batch in the epoch, from 1.
        batch: usize,
    },
    /// An optimizer that reads all rows at once has come to an end.
    Optimizer {
        /// Its name.
        name: String,
        /// Why it ended.
        ending: Ending,
    },
}

/// Why an optimizer that reads all rows at once, such as [`Lbfgs`](crate::optimizer::Lbfgs), goes no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Ending {
    /// No element of the gradient is above the tolerance: a minimum.
    SmallGradient,
    /// The last iteration lowered the loss by no more than the tolerance.
    SmallDecrease,
    /// No step along the line of search lowers the loss: a kink, or the end of the numbers' precision.
    NoDescent,
    /// The evaluations of the loss are used up.
    EvaluationsUsedUp,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ending::SmallGradient => "the gradient is within its tolerance",
            Ending::SmallDecrease => "the loss no longer falls by more than its tolerance",
            Ending::NoDescent => "no step lowers the loss",
            Ending::EvaluationsUsedUp => "all evaluations of the loss are used up",
        })
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StopReason::Completed => f.write_str("all epochs done"),
            StopReason::Callback { name, reason } => write!(f, "{name}: {reason}"),
            StopReason::Diverged { epoch, batch } => write!(f, "diverged in epoch {epoch}, batch {batch}"),
            StopReason::Optimizer { name, ending } => write!(f, "{name}: {ending}"),
        }
    }
}

/// The running values of single batches, when a [`BatchLog`](crate::callback::BatchLog) has asked for them: loss and metrics
/// over the batches of the epoch so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BatchRows {
    names: Vec<String>,
    epochs: Vec<u64>,
    batches: Vec<u64>,
    steps: Vec<u64>,
    #[serde(with = "number::columns")]
    columns: Vec<Vec<f64>>,
}

impl BatchRows {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether no batch was written down.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Names of the columns: `loss` and the metrics.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The epoch of each row, from 1.
    #[must_use]
    pub fn epochs(&self) -> &[u64] {
        &self.epochs
    }

    /// The batch in its epoch of each row, from 1.
    #[must_use]
    pub fn batches(&self) -> &[u64] {
        &self.batches
    }

    /// The updates made after each row's batch, counted from the beginning of training.
    #[must_use]
    pub fn steps(&self) -> &[u64] {
        &self.steps
    }

    /// A column, one value per row.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[f64]> {
        let place = self.names.iter().position(|other| other == name)?;
        Some(&self.columns[place])
    }

    /// Writes one line per row, with a header: `epoch,batch,step,loss,…`.
    ///
    /// # Errors
    ///
    /// What the writer reports.
    pub fn to_csv(&self, mut writer: impl Write) -> std::io::Result<()> {
        writeln!(writer, "epoch,batch,step,{}", self.names.join(","))?;
        for row in 0..self.len() {
            write!(writer, "{},{},{}", self.epochs[row], self.batches[row], self.steps[row])?;
            for column in &self.columns {
                write!(writer, ",{}", column[row])?;
            }
            writeln!(writer)?;
        }
        Ok(())
    }

    fn is_consistent(&self) -> bool {
        let lens = [self.epochs.len(), self.batches.len()];
        lens.into_iter().chain(self.columns.iter().map(Vec::len)).all(|len| len == self.len())
            && self.names.len() == self.columns.len()
    }
}

/// The values of each epoch: loss, metrics, their `val_` twins and the learning rate.
///
/// Times are kept beside them and are no part of a saved run: they would make equal runs differ. serde leaves them out, too; in
/// JSON, numbers that JSON does not have are the strings `"NaN"`, `"inf"` and `"-inf"`.
///
/// ```
/// use linfa_mlp::metric::Mae;
/// use linfa_mlp::prelude::*;
/// use ndarray::array;
///
/// let mut model = Sequential::new().add(Dense::new(1)).compile(1, Sgd::new(0.1), MeanSquaredError, [Mae])?;
/// let history = model.fit(&array![[0.0], [1.0]], &array![[1.0], [3.0]], &Training::epochs(5))?;
/// assert_eq!(history["loss"].len(), 5);
/// assert!(history["loss"][4] < history["loss"][0]);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Saved")]
pub struct History {
    names: Vec<String>,
    #[serde(with = "number::columns")]
    columns: Vec<Vec<f64>>,
    stop_reason: Option<StopReason>,
    n_training_rows: usize,
    n_validation_rows: usize,
    batches: BatchRows,
    #[serde(skip)]
    seconds: Vec<f64>,
}

/// A history as it stands in files, before it is known to be one.
#[derive(Deserialize)]
struct Saved {
    names: Vec<String>,
    #[serde(with = "number::columns")]
    columns: Vec<Vec<f64>>,
    stop_reason: Option<StopReason>,
    n_training_rows: usize,
    n_validation_rows: usize,
    batches: BatchRows,
}

impl TryFrom<Saved> for History {
    type Error = &'static str;

    fn try_from(saved: Saved) -> std::result::Result<Self, Self::Error> {
        let Saved { names, columns, stop_reason, n_training_rows, n_validation_rows, batches } = saved;
        let seconds = vec![f64::NAN; columns.first().map_or(0, Vec::len)];
        let history =
            History { names, columns, stop_reason, n_training_rows, n_validation_rows, batches, seconds };
        let consistent = history.is_consistent();
        consistent.then_some(history).ok_or("the columns of a history have one name and one length each")
    }
}

/// Equal when all values are, times aside. NaN equals NaN.
impl PartialEq for History {
    fn eq(&self, other: &Self) -> bool {
        let bits = |columns: &[Vec<f64>]| -> Vec<Vec<u64>> {
            columns.iter().map(|column| column.iter().map(|value| value.to_bits()).collect()).collect()
        };
        let batches = |rows: &BatchRows| {
            (
                rows.names.clone(),
                rows.epochs.clone(),
                rows.batches.clone(),
                rows.steps.clone(),
                bits(&rows.columns),
            )
        };
        self.names == other.names
            && self.stop_reason == other.stop_reason
            && bits(&self.columns) == bits(&other.columns)
            && batches(&self.batches) == batches(&other.batches)
    }
}

impl History {
    /// Names the columns, before the first epoch. A later run may add columns; earlier epochs have NaN there.
    pub(crate) fn begin(&mut self, names: &[String], epochs: usize) {
        let len = self.len();
        for name in names {
            if !self.names.contains(name) {
                self.names.push(name.clone());
                self.columns.push(vec![f64::NAN; len]);
            }
        }
        let more = epochs.saturating_sub(len).min(1 << 20);
        self.columns.iter_mut().for_each(|column| column.reserve(more));
        self.seconds.resize(len, f64::NAN);
        self.seconds.reserve(more);
    }

    /// Adds an epoch.
    pub(crate) fn push(&mut self, names: &[String], values: &[f64], seconds: f64) {
        for (name, column) in self.names.iter().zip(&mut self.columns) {
            let place = names.iter().position(|other| other == name);
            column.push(place.map_or(f64::NAN, |place| values[place]));
        }
        self.seconds.push(seconds);
    }

    /// Adds a batch, counted from 1; `values` are as many of the names as there are at this moment.
    pub(crate) fn push_batch(
        &mut self,
        epoch: usize,
        batch: u64,
        step: u64,
        names: &[String],
        values: &[f64],
    ) {
        let rows = &mut self.batches;
        let len = rows.len();
        for name in &names[..values.len()] {
            if !rows.names.contains(name) {
                rows.names.push(name.clone());
                rows.columns.push(vec![f64::NAN; len]);
            }
        }
        for (name, column) in rows.names.iter().zip(&mut rows.columns) {
            let place = names.iter().position(|other| other == name);
            column.push(place.map_or(f64::NAN, |place| values[place]));
        }
        rows.epochs.push(epoch as u64);
        rows.batches.push(batch);
        rows.steps.push(step);
    }

    pub(crate) fn stop(&mut self, reason: Option<StopReason>) {
        self.stop_reason = reason;
    }

    pub(crate) fn set_rows(&mut self, training: usize, validation: usize) {
        self.n_training_rows = training;
        self.n_validation_rows = validation;
    }

    /// Whether a history that was read makes sense.
    pub(crate) fn is_consistent(&self) -> bool {
        self.batches.is_consistent()
            && self.names.len() == self.columns.len()
            && self.columns.iter().all(|column| column.len() == self.len())
    }

    /// Number of epochs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    /// Whether no epoch is finished.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names of the columns: `loss`, metrics, their `val_` twins, `learning_rate`.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// A column, one value per epoch.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[f64]> {
        let place = self.names.iter().position(|other| other == name)?;
        Some(&self.columns[place])
    }

    /// The value of a column after the last epoch.
    #[must_use]
    pub fn last(&self, name: &str) -> Option<f64> {
        self.get(name)?.last().copied()
    }

    /// Wall-clock seconds of each epoch; NaN for epochs of a run that was loaded.
    #[must_use]
    pub fn seconds(&self) -> &[f64] {
        &self.seconds
    }

    /// The values of single batches, when a [`BatchLog`](crate::callback::BatchLog) has asked for them.
    #[must_use]
    pub fn batches(&self) -> &BatchRows {
        &self.batches
    }

    /// Why training ended; `None` while it has not.
    #[must_use]
    pub fn stop_reason(&self) -> Option<&StopReason> {
        self.stop_reason.as_ref()
    }

    /// Rows trained on.
    #[must_use]
    pub fn n_training_rows(&self) -> usize {
        self.n_training_rows
    }

    /// Rows held out for validation.
    #[must_use]
    pub fn n_validation_rows(&self) -> usize {
        self.n_validation_rows
    }

    /// Writes one line per epoch, with a header: `epoch,loss,…,seconds`, epochs from 1.
    ///
    /// # Errors
    ///
    /// What the writer reports.
    pub fn to_csv(&self, mut writer: impl Write) -> std::io::Result<()> {
        writeln!(writer, "epoch,{},seconds", self.names.join(","))?;
        for epoch in 0..self.len() {
            write!(writer, "{}", epoch + 1)?;
            for column in &self.columns {
                write!(writer, ",{}", column[epoch])?;
            }
            writeln!(writer, ",{}", self.seconds.get(epoch).copied().unwrap_or(f64::NAN))?;
        }
        Ok(())
    }

    /// The columns by name, as JSON; NaN and infinities become null.
    ///
    /// # Errors
    ///
    /// None that is known: the type leaves room for what serde reports.
    pub fn to_json(&self) -> Result<serde_json::Value> {
        let mut map = serde_json::Map::new();
        for (name, column) in self.names.iter().zip(&self.columns) {
            map.insert(name.clone(), serde_json::to_value(column)?);
        }
        map.insert("seconds".into(), serde_json::to_value(&self.seconds)?);
        map.insert(
            "stop_reason".into(),
            serde_json::to_value(self.stop_reason.as_ref().map(ToString::to_string))?,
        );
        Ok(serde_json::Value::Object(map))
    }
}

impl Index<&str> for History {
    type Output = [f64];

    /// # Panics
    ///
    /// If there is no such column; [`History::get`] asks first.
    fn index(&self, name: &str) -> &[f64] {
        self.get(name).unwrap_or_else(|| panic!("the history has {}, but not {name}", self.names.join(", ")))
    }
}

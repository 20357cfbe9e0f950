//! Results: one typed row for each fit, summaries of the candidates, the ranked table, CSV and JSON.

mod comparison;
mod export;
mod params;
mod saved;
mod student_t;
mod summary;
mod table;

pub use comparison::Comparison;
pub use params::{ParamValue, Params};
pub use summary::{CandidateSummary, MeanStd, ScoreSummary, ScorerInfo, SearchResults};

pub use table::{ResultsTable, Spread};

pub(crate) use table::{Align, Table, mean_std, seconds, significant};

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::observer::Task;
use crate::error::Error;
use crate::model_selection::fit::fit_report::{Curve, FitReport};
use crate::number;

/// How a fit ended.
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::FitStatus;
///
/// let status = FitStatus::Failed { message: "no memory".into() };
/// assert!(status.is_failure() && !status.is_fitted());
/// assert_eq!((status.name(), status.message()), ("failed", Some("no memory")));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
#[non_exhaustive]
pub enum FitStatus {
    /// The model was trained and scored.
    Fitted,
    /// Preparing, fitting, predicting or scoring failed or panicked.
    Failed {
        /// The error's text.
        message: String,
    },
    /// Training diverged.
    Diverged {
        /// The error's text.
        message: String,
        /// The epoch in which it did, from 1.
        epoch: usize,
        /// The batch in the epoch, from 1.
        batch: usize,
    },
    /// A budget or the stop flag ended the fit early, or kept it from starting, or it is another [shard](super::Search::shard)'s. One that
    /// had started was scored as it was.
    Stopped {
        /// Why.
        message: String,
    },
}

impl FitStatus {
    /// The status that an error stands for.
    pub(crate) fn of_error(error: &(dyn std::error::Error + 'static)) -> Self {
        let message = error.to_string();
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(&Error::Diverged { epoch, batch, .. }) = own(error) {
                return FitStatus::Diverged { message, epoch, batch };
            }
            cause = error.source();
        }
        FitStatus::Failed { message }
    }

    /// Whether the fit was trained to its end and scored.
    #[must_use]
    pub fn is_fitted(&self) -> bool {
        *self == FitStatus::Fitted
    }

    /// Whether a budget or the stop flag ended the fit or kept it from starting.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        matches!(self, FitStatus::Stopped { .. })
    }

    /// Whether the fit failed or diverged.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, FitStatus::Failed { .. } | FitStatus::Diverged { .. })
    }

    /// Why the fit was not trained to its end and scored, if it was not.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match self {
            FitStatus::Fitted => None,
            FitStatus::Failed { message }
            | FitStatus::Diverged { message, .. }
            | FitStatus::Stopped { message } => Some(message),
        }
    }

    /// One word: `fitted`, `failed`, `diverged` or `stopped`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            FitStatus::Fitted => "fitted",
            FitStatus::Failed { .. } => "failed",
            FitStatus::Diverged { .. } => "diverged",
            FitStatus::Stopped { .. } => "stopped",
        }
    }
}

/// The error as one of this crate, also behind the pointers in which errors carry their causes.
fn own<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Error> {
    let direct = error.downcast_ref::<Error>();
    let boxed = || error.downcast_ref::<Box<Error>>().map(|boxed| &**boxed);
    direct.or_else(boxed).or_else(|| error.downcast_ref::<Arc<Error>>().map(|shared| &**shared))
}

/// What one fit gave: a candidate in a fold.
///
/// Scores are in the order of the search's scorers and NaN where there is none. In JSON, numbers that JSON does not have
/// are the strings `"NaN"`, `"inf"` and `"-inf"`, so that a row read back is the row written. What only the estimator knows
/// (epochs, updates, curve …) is what it [said](FitReport) of the fit.
///
/// Times are wall-clock: Rust's standard library has no clock of a thread's own work.
///
/// # Examples
///
/// ```
/// use linfa::traits::Fit;
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{GridSearch, KFold};
///
/// let search = GridSearch::new(ElasticNet::params())
///     .axis("penalty", [0.01, 10.0], |p, v| p.penalty(v))
///     .cv(KFold::new(3));
/// let found = search.fit(&linfa_datasets::diabetes())?;
/// let row = &found.results().rows()[4];
/// assert_eq!((row.candidate, row.fold, row.status.is_fitted()), (1, 1, true));
/// assert_eq!(row.train_rows + row.test_rows, 441);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitRow {
    /// The candidate, from 0.
    pub candidate: usize,
    /// The rung, from 0; searches that train every candidate once have no other.
    #[serde(default)]
    pub rung: usize,
    /// The fold, from 0.
    pub fold: usize,
    /// The replicate with a seed of its own, from 0.
    #[serde(default)]
    pub replicate: usize,
    /// How the fit ended.
    #[serde(flatten)]
    pub status: FitStatus,
    /// The rows it was trained on.
    pub train_rows: usize,
    /// The training rows that it was validated on instead.
    #[serde(default)]
    pub stopping_rows: usize,
    /// The rows it was scored on.
    pub test_rows: usize,
    /// The scores on the test rows.
    #[serde(with = "number::list")]
    pub test_scores: Vec<f64>,
    /// The scores on the training rows, when asked for.
    #[serde(with = "number::option_list")]
    pub train_scores: Option<Vec<f64>>,
    /// Seconds of the fit.
    pub fit_seconds: f64,
    /// Seconds of those that its thread was at work rather than waiting; known on Linux, in steps of the kernel's clock, which
    /// are some milliseconds.
    #[serde(default)]
    pub cpu_seconds: Option<f64>,
    /// Seconds of predicting and scoring.
    pub score_seconds: f64,
    /// The seed it was trained with.
    #[serde(default)]
    pub seed: Option<u64>,
    /// How far the rung trains: epochs, updates or rows, as the search counts.
    #[serde(default)]
    pub resource: Option<u64>,
    /// Epochs done, counted from the beginning of training.
    #[serde(default)]
    pub epochs: Option<usize>,
    /// The epoch whose value on the validation rows was best, from 1.
    #[serde(default)]
    pub best_epoch: Option<usize>,
    /// Updates made, counted from the beginning of training.
    #[serde(default)]
    pub updates: Option<u64>,
    /// The number of parameters of the model.
    #[serde(default)]
    pub n_params: Option<usize>,
    /// The values of each epoch.
    #[serde(default)]
    pub curve: Option<Curve>,
}

impl FitRow {
    /// A row before its fit, without scores.
    pub(crate) fn started(task: Task, train_rows: usize, test_rows: usize, scorers: usize) -> Self {
        FitRow {
            candidate: task.candidate,
            rung: task.rung,
            // Only the refit has no fold, and it has no row.
            fold: task.fold.unwrap_or(0),
            replicate: task.replicate,
            status: FitStatus::Fitted,
            train_rows,
            stopping_rows: 0,
            test_rows,
            test_scores: vec![f64::NAN; scorers],
            train_scores: None,
            fit_seconds: 0.0,
            cpu_seconds: None,
            score_seconds: 0.0,
            seed: None,
            resource: None,
            epochs: None,
            best_epoch: None,
            updates: None,
            n_params: None,
            curve: None,
        }
    }

    /// The fit that the row is of.
    #[must_use]
    pub fn task(&self) -> Task {
        Task { rung: self.rung, replicate: self.replicate, ..Task::new(self.candidate, Some(self.fold)) }
    }

    /// Takes over what the estimator said.
    pub(crate) fn take(&mut self, report: FitReport) {
        let FitReport { epochs, best_epoch, updates, n_params, curve, stopped: _ } = report;
        (self.epochs, self.best_epoch, self.updates) = (epochs, best_epoch, updates);
        (self.n_params, self.curve) = (n_params, curve);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_read_back_is_the_row_written() {
        let mut row = FitRow::started(Task::new(2, Some(1)), 80, 20, 0);
        row.status = FitStatus::Diverged { message: "too fast".into(), epoch: 3, batch: 1 };
        row.test_scores = vec![0.1 + 0.2, f64::NEG_INFINITY, -0.0];
        row.train_scores = Some(vec![f64::INFINITY]);
        let text = serde_json::to_string(&row).unwrap();
        assert_eq!(serde_json::from_str::<FitRow>(&text).unwrap(), row);
        row.curve = Some(Curve::new().with("loss", [1.0, f64::INFINITY]));
        (row.seed, row.rung, row.updates) = (Some(u64::MAX), 2, Some(7));
        let text = serde_json::to_string(&row).unwrap();
        assert_eq!(serde_json::from_str::<FitRow>(&text).unwrap(), row);
        row.test_scores = vec![f64::NAN];
        let text = serde_json::to_string(&row).unwrap();
        assert!(text.contains(r#""test_scores":["NaN"]"#), "{text}");
        assert!(serde_json::from_str::<FitRow>(&text).unwrap().test_scores[0].is_nan());
    }

    #[test]
    fn a_row_without_the_newer_fields_can_be_read() {
        let text = r#"{"candidate":1,"fold":2,"status":"fitted","train_rows":8,"test_rows":4,"test_scores":[0.5],
            "train_scores":null,"fit_seconds":0.0,"score_seconds":0.0}"#;
        let mut row = FitRow::started(Task::new(1, Some(2)), 8, 4, 1);
        row.test_scores = vec![0.5];
        assert_eq!(serde_json::from_str::<FitRow>(text).unwrap(), row);
    }

    #[test]
    fn divergence_is_found_behind_other_errors() {
        let diverged = crate::Error::Diverged { epoch: 4, batch: 2, loss: f64::NAN, learning_rate: 10.0 };
        let wrapped = crate::Error::Callback { name: "x".into(), epoch: 4, source: Box::new(diverged) };
        assert!(matches!(FitStatus::of_error(&wrapped), FitStatus::Diverged { epoch: 4, batch: 2, .. }));
        let other = crate::Error::NoRows { array: "x" };
        assert!(matches!(FitStatus::of_error(&other), FitStatus::Failed { .. }));
    }
}

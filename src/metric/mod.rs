//! Metrics: figures that tell how good predictions are, in training, in evaluation and as scorers of a search.
//!
//! A metric carries its own direction and unit. It reads batches and keeps plain numbers, so a run that is paused in
//! the middle of an epoch goes on with the same ones. All arithmetic is in `f64`, whatever the type of the data.
//!
//! | of classes | of the order of scores | of probabilities | of values |
//! | --- | --- | --- | --- |
//! | [`Accuracy`], [`BalancedAccuracy`], [`TopK`] | [`RocAuc`] | [`LogLoss`] | [`Mae`], [`Mape`], [`MedianAbsoluteError`] |
//! | [`Precision`], [`Recall`], [`F1`], [`FBeta`] | [`AveragePrecision`] | [`Brier`] | [`Mse`], [`Rmse`], [`MaxError`] |
//! | [`Matthews`], [`CohenKappa`] | | | [`R2`], [`ExplainedVariance`] |
//!
//! # What all of them keep
//!
//! - A row of weight 2 counts as that row twice, a row of weight 0 as no row.
//! - The value does not depend on how the rows are cut into batches, to the last bit.
//! - A NaN among the outputs of a row that counts makes the value NaN, and so does having no row: neither is ever
//!   anybody's best score.
//! - Values equal those of scikit-learn 1.9; where a member differs, its page says so.
//!
//! # Examples
//!
//! ```
//! use linfa_mlp::metric::{AnyMetric, Batch};
//!
//! let accuracy: AnyMetric = "accuracy".parse()?;
//! let batch = Batch::new(&[0.0, 1.0, 1.0, 0.0], 1, &[0.2, 0.9, 0.4, 0.1], 1);
//! let metric = accuracy.ops::<f64>();
//! metric.check_task(&batch.task())?;
//! assert_eq!(metric.of(&batch), 0.75);
//! # Ok::<(), linfa_mlp::Error>(())
//! ```

use std::sync::Arc;

use crate::error::Result;
use crate::float::Float;
use crate::part::{Configured, Member, Part, Room};

mod accuracy;
mod average;
mod average_precision;
mod balanced_accuracy;
mod batch;
mod brier;
mod cohen_kappa;
mod confusion;
mod explained_variance;
mod f_beta;
mod list;
mod log_loss;
mod mae;
mod mape;
mod matthews;
mod max_error;
mod means;
mod median_absolute_error;
mod mse;
mod precision;
mod r2;
mod ranking;
mod recall;
mod rmse;
mod roc_auc;
mod spread;
mod sums;
mod top_k;

pub use accuracy::Accuracy;
pub use average::Average;
pub use average_precision::AveragePrecision;
pub use balanced_accuracy::BalancedAccuracy;
pub use batch::{Batch, Task};
pub use brier::Brier;
pub use cohen_kappa::CohenKappa;
pub use explained_variance::ExplainedVariance;
pub use f_beta::{F1, FBeta};
pub use list::IntoMetrics;
pub use log_loss::LogLoss;
pub use mae::Mae;
pub use mape::Mape;
pub use matthews::Matthews;
pub use max_error::MaxError;
pub use median_absolute_error::MedianAbsoluteError;
pub use mse::Mse;
pub use precision::Precision;
pub use r2::R2;
pub use recall::Recall;
pub use rmse::Rmse;
pub use roc_auc::RocAuc;
pub use top_k::TopK;

/// The metrics this crate has.
const MEMBERS: &[Member<Metrics>] = &[
    Member::of::<Accuracy>(),
    Member::of::<BalancedAccuracy>(),
    Member::of::<TopK>(),
    Member::of::<Precision>(),
    Member::of::<Recall>(),
    Member::of::<F1>(),
    Member::of::<FBeta>(),
    Member::of::<Matthews>(),
    Member::of::<CohenKappa>(),
    Member::of::<RocAuc>(),
    Member::of::<AveragePrecision>(),
    Member::of::<LogLoss>(),
    Member::of::<Brier>(),
    Member::of::<Mae>(),
    Member::of::<Mse>(),
    Member::of::<Rmse>(),
    Member::of::<Mape>(),
    Member::of::<MedianAbsoluteError>(),
    Member::of::<MaxError>(),
    Member::of::<R2>(),
    Member::of::<ExplainedVariance>(),
];

/// Which values of a metric are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Higher is better, as for accuracy.
    Maximize,
    /// Lower is better, as for an error.
    Minimize,
}

impl Direction {
    /// Whether `value` is better than `best` by more than `min_delta` (≥ 0). NaN is never better than anything;
    /// anything but NaN is better than NaN.
    #[must_use]
    pub fn improves(self, value: f64, best: f64, min_delta: f64) -> bool {
        if value.is_nan() {
            return false;
        }
        best.is_nan()
            || match self {
                Direction::Maximize => value - min_delta > best,
                Direction::Minimize => value + min_delta < best,
            }
    }
}

/// A figure of merit, gathered over batches.
///
/// The state between batches is a plain list of numbers: sums for most metrics, whose state keeps the length it has
/// after the first batch; for those that need the order of all rows, the rows themselves.
pub trait Metric<F: Float>: Send + Sync {
    /// Which values are better.
    fn direction(&self) -> Direction;

    /// Unit of the value, empty for a pure number: `target`, `target²`, `nat`.
    fn unit(&self) -> &'static str {
        ""
    }

    /// Whether the metric compares classes (rather than values).
    fn of_classes(&self) -> bool;

    /// Checks that the metric is defined for a task. Trainers and scorers ask before any work; batches of a task that
    /// was refused give a value without meaning, or NaN.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](crate::Error::Parameter) names the metric and says what is allowed.
    fn check_task(&self, task: &Task) -> Result<()> {
        let _ = task;
        Ok(())
    }

    /// Adds a batch to the state, which starts empty at the first one. All batches are of one [`Task`].
    fn update(&self, state: &mut Vec<f64>, batch: &Batch<'_, F>);

    /// The value over all batches so far; NaN when there was no row of weight above 0.
    fn value(&self, state: &[f64]) -> f64;

    /// The value over one batch.
    fn of(&self, batch: &Batch<'_, F>) -> f64 {
        let mut state = Vec::new();
        self.update(&mut state, batch);
        self.value(&state)
    }
}

/// The room of metrics.
#[derive(Debug)]
pub enum Metrics {}

/// Any metric: by value, or by name with `"accuracy".parse()`.
pub type AnyMetric = Part<Metrics>;

impl Room for Metrics {
    type Ops<F: Float> = dyn Metric<F>;
    const KIND: &'static str = "metric";

    fn members() -> &'static [Member<Self>] {
        MEMBERS
    }
}

impl<M: Configured + Metric<f32> + Metric<f64>> From<M> for AnyMetric {
    fn from(metric: M) -> Self {
        let metric = Arc::new(metric);
        let single: Arc<dyn Metric<f32>> = metric.clone();
        let double: Arc<dyn Metric<f64>> = metric.clone();
        Part::assemble(metric, single, double)
    }
}

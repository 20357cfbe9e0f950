//! Metrics: figures that tell how good predictions are, in training, in evaluation and as scorers of a search.
//!
//! A metric carries its own direction and unit. It reads batches and keeps plain numbers, so a run that is paused in the
//! middle of an epoch goes on with the same ones.

use std::sync::Arc;

use crate::float::Float;
use crate::part::{Configured, Part, Room};

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
    /// Whether `value` is better than `best` by more than `min_delta` (≥ 0). NaN is never better than anything; anything
    /// but NaN is better than NaN.
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

/// Truth and prediction for some rows.
///
/// # Shapes
///
/// `targets` holds `rows × target_width` and `outputs` `rows × n_outputs` values, row-major. Targets are values
/// (regression), 0 or 1 per column (one-hot, multilabel), or one column of class indices beside several outputs.
/// Outputs are values or probabilities; a single output against classes is the probability of class 1.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a, F> {
    /// The true values, row-major.
    pub targets: &'a [F],
    /// Columns of `targets`.
    pub target_width: usize,
    /// The predictions, row-major.
    pub outputs: &'a [F],
    /// Columns of `outputs`.
    pub n_outputs: usize,
    /// Sample weights, one for each row; none means 1.
    pub weights: Option<&'a [F]>,
}

impl<F: Float> Batch<'_, F> {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.outputs.len() / self.n_outputs.max(1)
    }

    /// Sample weight of a row.
    #[must_use]
    pub fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row].wide())
    }

    /// Number of classes when the outputs are read as classes: 2 for a single output.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.n_outputs.max(2)
    }

    /// The true class of a row: the index itself, the side of ½, or the place of the largest value.
    #[must_use]
    pub fn class(&self, row: usize) -> usize {
        let targets = &self.targets[row * self.target_width..][..self.target_width];
        match targets {
            [value] if self.n_outputs == 1 => usize::from(value.wide() > 0.5),
            [index] => index.wide() as usize,
            _ => first_maximum(targets),
        }
    }

    /// The predicted class of a row: the side of ½ of a single output, else the place of the largest one.
    #[must_use]
    pub fn predicted_class(&self, row: usize) -> usize {
        let outputs = &self.outputs[row * self.n_outputs..][..self.n_outputs];
        match outputs {
            [value] => usize::from(value.wide() > 0.5),
            _ => first_maximum(outputs),
        }
    }

    /// The score or probability of a class in a row.
    #[must_use]
    pub fn score(&self, row: usize, class: usize) -> f64 {
        let outputs = &self.outputs[row * self.n_outputs..][..self.n_outputs];
        match outputs {
            [value] if class == 0 => 1.0 - value.wide(),
            [value] => value.wide(),
            _ => outputs[class].wide(),
        }
    }
}

/// Place of the largest value, the first of equals; a NaN is never the largest.
fn first_maximum<F: Float>(values: &[F]) -> usize {
    let mut best = 0;
    for (place, value) in values.iter().enumerate() {
        if *value > values[best] || values[best].is_nan() {
            best = place;
        }
    }
    best
}

/// A figure of merit, gathered over batches.
///
/// The state between batches is a plain list of numbers: sums for most metrics; for those that need the order of all
/// predictions, the predictions themselves.
pub trait Metric<F: Float>: Send + Sync {
    /// Which values are better.
    fn direction(&self) -> Direction;

    /// Unit of the value, empty for a pure number: `target`, `target²`, `nat`.
    fn unit(&self) -> &'static str {
        ""
    }

    /// Whether the metric compares classes (rather than values).
    fn of_classes(&self) -> bool;

    /// Adds a batch to the state, which starts empty at the first one.
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

    fn members() -> &'static [crate::part::Member<Self>] {
        &[]
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

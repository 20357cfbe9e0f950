//! What a metric reads: rows of truth beside rows of prediction.

use crate::error::{Result, check};
use crate::float::Float;

/// Truth and prediction for some rows.
///
/// # Shapes
///
/// `targets` holds `rows × target_width` and `outputs` `rows × n_outputs` values, row-major. Targets are values
/// (regression), 0 or 1 per column (one-hot, multilabel), or one column of class indices beside several outputs.
/// Outputs are values or probabilities; a single output against classes is the probability of class 1.
///
/// One-hot and multilabel targets look alike, so `multilabel` tells them apart: it is set by who knows the task.
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::Batch;
///
/// let batch = Batch::new(&[2.0, 0.0], 1, &[0.1, 0.2, 0.7, 0.3, 0.6, 0.1], 3).weighted(&[1.0, 0.5]);
/// assert_eq!((batch.rows(), batch.class(0), batch.predicted_class(1)), (2, 2, 1));
/// ```
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
    /// Sample weights (≥ 0), one for each row; none means 1. A row of weight 0 is as good as absent.
    pub weights: Option<&'a [F]>,
    /// Whether every column is a yes-or-no question of its own, rather than one class of several.
    pub multilabel: bool,
}

impl<'a, F: Float> Batch<'a, F> {
    /// Rows without weights; several target columns are one-hot or values, not labels.
    #[must_use]
    pub fn new(targets: &'a [F], target_width: usize, outputs: &'a [F], n_outputs: usize) -> Self {
        Batch { targets, target_width, outputs, n_outputs, weights: None, multilabel: false }
    }

    /// The same rows with weights.
    #[must_use]
    pub fn weighted(self, weights: &'a [F]) -> Self {
        Batch { weights: Some(weights), ..self }
    }

    /// The same rows with their columns read as independent labels.
    #[must_use]
    pub fn multilabel(self) -> Self {
        Batch { multilabel: true, ..self }
    }

    /// What all batches of this shape have in common.
    #[must_use]
    pub fn task(&self) -> Task {
        Task { n_outputs: self.n_outputs, target_width: self.target_width, multilabel: self.multilabel }
    }

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

    /// The rows that count, each with its weight: those of weight 0 are left out.
    pub fn weighted_rows(&self) -> impl Iterator<Item = (usize, f64)> + use<'a, F> {
        let batch = *self;
        (0..batch.rows()).map(move |row| (row, batch.weight(row))).filter(|(_, weight)| *weight != 0.0)
    }

    /// Number of classes when the outputs are read as classes: 2 for a single output.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.task().n_classes()
    }

    /// The true value of an output; for a class index, 1 in the column of that class and 0 elsewhere.
    #[must_use]
    pub fn target(&self, row: usize, column: usize) -> f64 {
        if self.target_width == self.n_outputs {
            self.targets[row * self.target_width + column].wide()
        } else {
            f64::from(u8::from(self.class(row) == column))
        }
    }

    /// The predicted value of an output.
    #[must_use]
    pub fn output(&self, row: usize, column: usize) -> f64 {
        self.outputs[row * self.n_outputs + column].wide()
    }

    /// Whether an output of the row is NaN: then no class, order or label can be read from it.
    #[must_use]
    pub fn is_nan(&self, row: usize) -> bool {
        self.outputs_of(row).iter().any(|value| value.is_nan())
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

    /// The predicted class of a row: the side of ½ of a single output, else the place of the largest one. See
    /// [`is_nan`](Self::is_nan) for rows that have none.
    #[must_use]
    pub fn predicted_class(&self, row: usize) -> usize {
        let outputs = self.outputs_of(row);
        match outputs {
            [value] => usize::from(value.wide() > 0.5),
            _ => first_maximum(outputs),
        }
    }

    /// Whether a row truly has a label, for multilabel targets.
    #[must_use]
    pub fn label(&self, row: usize, column: usize) -> bool {
        self.target(row, column) > 0.5
    }

    /// Whether a row is predicted to have a label, for multilabel targets.
    #[must_use]
    pub fn predicted_label(&self, row: usize, column: usize) -> bool {
        self.output(row, column) > 0.5
    }

    /// The score or probability of a class in a row; NaN for a class that has no output.
    #[must_use]
    pub fn score(&self, row: usize, class: usize) -> f64 {
        match self.outputs_of(row) {
            [value] if class == 0 => 1.0 - value.wide(),
            [value] if class == 1 => value.wide(),
            outputs => outputs.get(class).map_or(f64::NAN, |value| value.wide()),
        }
    }

    fn outputs_of(&self, row: usize) -> &'a [F] {
        &self.outputs[row * self.n_outputs..][..self.n_outputs]
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

/// What a metric will be asked to compare: the shape and meaning that all batches of a run share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Columns of the predictions.
    pub n_outputs: usize,
    /// Columns of the targets.
    pub target_width: usize,
    /// Whether every column is a label of its own. A single column is a binary task either way.
    pub multilabel: bool,
}

impl Task {
    /// Number of classes when the outputs are read as classes: 2 for a single output.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.n_outputs.max(2)
    }

    /// Whether there are several labels to a row.
    #[must_use]
    pub fn has_labels(&self) -> bool {
        self.multilabel && self.n_outputs > 1
    }

    /// Checks that the targets of a metric of classes can be read: one class to a row or, where `labels` allows it,
    /// several labels.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](crate::Error::Parameter) names the metric and says what it needs.
    pub fn check_classes(&self, metric: &str, labels: bool) -> Result<()> {
        let name = format!("metric {metric}: targets");
        if self.has_labels() {
            check(&name, "multilabel", labels, "one class per row")?;
            let found = format!("{} columns", self.target_width);
            let allowed = format!("{} columns, one for each output", self.n_outputs);
            return check(&name, found, self.target_width == self.n_outputs, &allowed);
        }
        let n_classes = self.n_classes();
        let readable = self.target_width == 1 || self.target_width == n_classes;
        let allowed = format!("1 column of classes or {n_classes} one-hot columns");
        check(&name, format!("{} columns", self.target_width), readable, &allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_read_from_every_encoding() {
        // One row each; the class is 1 by the side of ½, as an index and as one-hot.
        assert_eq!(Batch::new(&[1.0], 1, &[0.9], 1).class(0), 1);
        assert_eq!(Batch::new(&[1.0], 1, &[0.1, 0.9, 0.0], 3).class(0), 1);
        assert_eq!(Batch::new(&[0.0, 1.0, 0.0], 3, &[0.1, 0.9, 0.0], 3).class(0), 1);
    }

    #[test]
    fn an_index_stands_for_its_one_hot_row() {
        let batch = Batch::new(&[2.0], 1, &[0.1, 0.2, 0.7], 3);
        let row: Vec<bool> = (0..3).map(|column| batch.target(0, column) > 0.5).collect();
        assert_eq!(row, [false, false, true]);
    }

    #[test]
    fn a_class_without_output_has_no_score() {
        assert!(Batch::new(&[7.0], 1, &[0.5, 0.5], 2).score(0, 7).is_nan());
        assert!(Batch::new(&[1.0], 1, &[0.5], 1).score(0, 2).is_nan());
    }

    #[test]
    fn rows_of_weight_zero_are_left_out() {
        let batch = Batch::new(&[1.0, 2.0, 3.0], 1, &[1.0, f64::NAN, 3.0], 1).weighted(&[2.0, 0.0, 1.0]);
        let rows: Vec<usize> = batch.weighted_rows().map(|(row, _)| row).collect();
        assert_eq!(rows, [0, 2]);
    }

    #[test]
    fn a_task_says_which_targets_it_can_read() {
        let task = |n_outputs, target_width, multilabel| Task { n_outputs, target_width, multilabel };
        assert!(task(1, 1, false).check_classes("m", false).is_ok());
        assert!(task(1, 1, true).check_classes("m", false).is_ok());
        assert!(task(3, 1, false).check_classes("m", false).is_ok());
        assert!(task(3, 3, false).check_classes("m", false).is_ok());
        assert!(task(3, 3, true).check_classes("m", true).is_ok());
        assert!(task(3, 2, false).check_classes("m", false).is_err());
        assert!(task(3, 1, true).check_classes("m", true).is_err());
        let refused = task(3, 3, true).check_classes("m", false).map_err(|error| error.to_string());
        assert_eq!(refused, Err("metric m: targets must be one class per row, but is multilabel".into()));
    }
}

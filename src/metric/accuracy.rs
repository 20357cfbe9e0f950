//! Accuracy: how often the predicted class is the true one.

use serde::{Deserialize, Serialize};

use super::{Batch, Direction, Metric, Task, means};
use crate::error::Result;
use crate::float::Float;
use crate::part::Configured;

/// The weighted fraction of rows whose predicted class is the true one.
///
/// ```text
/// accuracy = Σᵢ wᵢ · [ŷᵢ = yᵢ] / Σᵢ wᵢ
/// ```
///
/// A single output predicts class 1 above ½; several predict the class of the largest, the first of equals. With
/// several labels to a row, the row counts when all of its labels are right (scikit-learn's subset accuracy; Keras'
/// `binary_accuracy` counts the labels one by one).
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Accuracy, Batch, Metric};
///
/// let batch = Batch::new(&[0.0, 1.0, 2.0], 1, &[0.8, 0.1, 0.1, 0.2, 0.7, 0.1, 0.1, 0.8, 0.1], 3);
/// assert_eq!(Accuracy.of(&batch), 2.0 / 3.0);
/// ```
#[doc(alias = "accuracy_score")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Accuracy;

impl Configured for Accuracy {
    const NAME: &'static str = "accuracy";
    const ALIASES: &'static [&'static str] =
        &["acc", "categorical_accuracy", "sparse_categorical_accuracy", "accuracy_score"];
}

impl<F: Float> Metric<F> for Accuracy {
    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn of_classes(&self) -> bool {
        true
    }

    fn check_task(&self, task: &Task) -> Result<()> {
        task.check_classes(Self::NAME, true)
    }

    fn update(&self, state: &mut Vec<f64>, batch: &Batch<'_, F>) {
        let labels = batch.task().has_labels();
        means::update(state, batch, 1, |row, _| {
            let hit = if labels {
                (0..batch.n_outputs)
                    .all(|column| batch.label(row, column) == batch.predicted_label(row, column))
            } else {
                batch.class(row) == batch.predicted_class(row)
            };
            if batch.is_nan(row) { f64::NAN } else { f64::from(u8::from(hit)) }
        });
    }

    fn value(&self, state: &[f64]) -> f64 {
        means::mean(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_half_is_class_0_and_ties_go_to_the_first() {
        assert!(Accuracy.of(&Batch::new(&[0.0], 1, &[0.5], 1)) > 0.999);
        assert!(Accuracy.of(&Batch::new(&[0.0], 1, &[0.4, 0.4, 0.2], 3)) > 0.999);
    }

    #[test]
    fn a_row_of_labels_is_right_when_all_are() {
        let targets = [1.0, 0.0, 1.0, 1.0];
        let outputs = [0.9, 0.1, 0.9, 0.2];
        // The second row misses one of its two labels; read as one-hot both rows would be right.
        assert!((Accuracy.of(&Batch::new(&targets, 2, &outputs, 2).multilabel()) - 0.5).abs() < 1e-15);
        assert!((Accuracy.of(&Batch::new(&targets, 2, &outputs, 2)) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_nan_is_no_class() {
        assert!(Accuracy.of(&Batch::new(&[0.0], 1, &[f64::NAN], 1)).is_nan());
    }
}

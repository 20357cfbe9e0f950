//! Recall: how many of the positive rows are found.

use serde::{Deserialize, Serialize};

use super::confusion::ratio;
use super::{Average, Batch, Direction, Metric, Task, confusion};
use crate::error::Result;
use crate::float::Float;
use crate::part::Configured;

/// The weighted fraction of the rows of a class that are predicted as it.
///
/// ```text
/// recall = Σᵢ wᵢ·[ŷᵢ = k][yᵢ = k] / Σᵢ wᵢ·[yᵢ = k]
/// ```
///
/// Several classes or labels are combined as [`Average`] says. A class that has no row has recall 0.
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | `average` | `binary` (scikit-learn's) | how several classes become one number |
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Average, Batch, Metric, Recall};
///
/// // Predicted 0, 1, 1, 1, 0: one of two zeros is found, two of three ones.
/// let batch = Batch::new(&[0.0, 0.0, 1.0, 1.0, 1.0], 1, &[0.1, 0.6, 0.7, 0.8, 0.3], 1);
/// assert_eq!(Recall::default().of(&batch), 2.0 / 3.0);
/// assert_eq!(Recall::default().average(Average::Macro).of(&batch), (1.0 / 2.0 + 2.0 / 3.0) / 2.0);
/// ```
#[doc(alias = "recall_score")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recall {
    /// How several classes become one number.
    pub average: Average,
}

impl Recall {
    /// Sets how several classes become one number.
    #[must_use]
    pub fn average(self, average: Average) -> Self {
        Recall { average }
    }
}

impl Configured for Recall {
    const NAME: &'static str = "recall";
    const ALIASES: &'static [&'static str] = &["recall_score"];
}

impl<F: Float> Metric<F> for Recall {
    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn of_classes(&self) -> bool {
        true
    }

    fn check_task(&self, task: &Task) -> Result<()> {
        self.average.check_task(Self::NAME, task)
    }

    fn update(&self, state: &mut Vec<f64>, batch: &Batch<'_, F>) {
        confusion::update(state, batch);
    }

    fn value(&self, state: &[f64]) -> f64 {
        self.average.of_counts(state, |count| ratio(count.hit, count.actual))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_without_rows_has_recall_0() {
        let batch = Batch::new(&[0.0, 0.0], 1, &[0.1, 0.9], 1);
        assert!(Recall::default().of(&batch).abs() < 1e-15);
    }

    #[test]
    fn labels_are_averaged() {
        // Label 0: 1 of 2 true ones is found; label 1: 1 of 1.
        let batch = Batch::new(&[1.0, 1.0, 1.0, 0.0], 2, &[0.9, 0.8, 0.2, 0.1], 2).multilabel();
        assert!((Recall::default().average(Average::Macro).of(&batch) - 0.75).abs() < 1e-15);
        assert!((Recall::default().average(Average::Micro).of(&batch) - 2.0 / 3.0).abs() < 1e-15);
    }
}

//! Precision: how many of the rows called positive are.

use serde::{Deserialize, Serialize};

use super::confusion::ratio;
use super::{Average, Batch, Direction, Metric, Task, confusion};
use crate::error::Result;
use crate::float::Float;
use crate::part::Configured;

/// The weighted fraction of the rows predicted as a class that are of it.
///
/// ```text
/// precision = Σᵢ wᵢ·[ŷᵢ = k][yᵢ = k] / Σᵢ wᵢ·[ŷᵢ = k]
/// ```
///
/// Several classes or labels are combined as [`Average`] says. A class that is never predicted has precision 0.
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | `average` | `binary` (scikit-learn's) | how several classes become one number |
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Average, Batch, Metric, Precision};
///
/// // Predicted 0, 1, 1, 1, 0.
/// let batch = Batch::new(&[0.0, 0.0, 1.0, 1.0, 1.0], 1, &[0.1, 0.6, 0.7, 0.8, 0.3], 1);
/// assert_eq!(Precision::default().of(&batch), 2.0 / 3.0);
/// assert_eq!(Precision::default().average(Average::Macro).of(&batch), (1.0 / 2.0 + 2.0 / 3.0) / 2.0);
/// ```
#[doc(alias = "precision_score")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Precision {
    /// How several classes become one number.
    pub average: Average,
}

impl Precision {
    /// Sets how several classes become one number.
    #[must_use]
    pub fn average(self, average: Average) -> Self {
        Precision { average }
    }
}

impl Configured for Precision {
    const NAME: &'static str = "precision";
    const ALIASES: &'static [&'static str] = &["precision_score"];
}

impl<F: Float> Metric<F> for Precision {
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
        self.average.of_counts(state, |count| ratio(count.hit, count.predicted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_never_predicted_has_precision_0() {
        let batch = Batch::new(&[0.0, 1.0], 1, &[0.1, 0.2], 1);
        assert!(Precision::default().of(&batch).abs() < 1e-15);
    }

    #[test]
    fn labels_are_averaged() {
        // Label 0: 1 of 2 predicted ones is right; label 1: 1 of 1.
        let batch = Batch::new(&[1.0, 1.0, 0.0, 0.0], 2, &[0.9, 0.8, 0.7, 0.1], 2).multilabel();
        assert!((Precision::default().average(Average::Macro).of(&batch) - 0.75).abs() < 1e-15);
        assert!((Precision::default().average(Average::Micro).of(&batch) - 2.0 / 3.0).abs() < 1e-15);
    }
}

//! Brier score: the squared error of probabilities.

use serde::{Deserialize, Serialize};

use super::{Batch, Direction, Metric, Task, means};
use crate::error::Result;
use crate::float::Float;
use crate::part::Configured;

/// The weighted mean squared distance of the predicted probabilities from the truth.
///
/// ```text
/// brier = s · Σᵢ wᵢ Σₖ (pᵢₖ − [yᵢ = k])² / Σᵢ wᵢ     s = ½ for two classes, else 1
/// ```
///
/// So two classes give `(p − y)²`, between 0 and 1, and more give up to 2, as in scikit-learn.
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Batch, Brier, Metric};
///
/// let batch = Batch::new(&[0.0, 1.0, 1.0, 0.0], 1, &[0.1, 0.9, 0.8, 0.3], 1);
/// assert!((Brier.of(&batch) - 0.0375).abs() < 1e-15);
/// ```
///
/// # References
///
/// Brier (1950), "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78, equation 2.
#[doc(alias = "brier_score_loss")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Brier;

impl Configured for Brier {
    const NAME: &'static str = "brier_score";
    const ALIASES: &'static [&'static str] = &["brier", "brier_score_loss"];
}

impl<F: Float> Metric<F> for Brier {
    fn direction(&self) -> Direction {
        Direction::Minimize
    }

    fn of_classes(&self) -> bool {
        true
    }

    fn check_task(&self, task: &Task) -> Result<()> {
        task.check_classes(Self::NAME, false)
    }

    fn update(&self, state: &mut Vec<f64>, batch: &Batch<'_, F>) {
        let n_classes = batch.n_classes();
        let scale = if n_classes == 2 { 0.5 } else { 1.0 };
        means::update(state, batch, 1, |row, _| {
            let class = batch.class(row);
            let squares = (0..n_classes).map(|other| {
                let truth = f64::from(u8::from(other == class));
                (batch.score(row, other) - truth).powi(2)
            });
            scale * squares.sum::<f64>()
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
    fn three_classes_are_not_halved() {
        let outputs = [0.8, 0.1, 0.1, 0.2, 0.7, 0.1, 0.2, 0.2, 0.6];
        // (0.04 + 0.01 + 0.01 + 0.04 + 0.09 + 0.01 + 0.04 + 0.04 + 0.16) / 3
        let value = Brier.of(&Batch::new(&[0.0, 1.0, 2.0], 1, &outputs, 3));
        assert!((value - 0.44 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn one_column_and_two_agree() {
        let one = Brier.of(&Batch::new(&[1.0, 0.0], 1, &[0.75, 0.5], 1));
        let two = Brier.of(&Batch::new(&[1.0, 0.0], 1, &[0.25, 0.75, 0.5, 0.5], 2));
        assert!((one - 0.15625).abs() < 1e-15 && (two - one).abs() < 1e-15);
    }
}

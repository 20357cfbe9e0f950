//! Log-loss: the mean surprise of the true classes.

use serde::{Deserialize, Serialize};

use super::{Batch, Direction, Metric, Task, means};
use crate::error::Result;
use crate::float::Float;
use crate::part::Configured;

/// The weighted mean of the negative natural logarithm of the true class' probability.
///
/// ```text
/// log_loss = −Σᵢ wᵢ · ln clip(pᵢ[yᵢ], ε, 1 − ε) / Σᵢ wᵢ
/// ```
///
/// ε is the machine epsilon of the outputs' type (2⁻⁵² or 2⁻²³), as in scikit-learn. The value is NaN when an output
/// is not a probability, below 0 or above 1; rows need not sum to 1.
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Batch, LogLoss, Metric};
///
/// let batch = Batch::new(&[1.0, 0.0], 1, &[0.5, 0.5], 1);
/// assert_eq!(LogLoss.of(&batch), 2.0_f64.ln());
/// assert!(LogLoss.of(&Batch::new(&[1.0], 1, &[3.0], 1)).is_nan());
/// ```
#[doc(alias = "cross_entropy")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LogLoss;

impl Configured for LogLoss {
    const NAME: &'static str = "log_loss";
}

impl<F: Float> Metric<F> for LogLoss {
    fn direction(&self) -> Direction {
        Direction::Minimize
    }

    fn unit(&self) -> &'static str {
        "nat"
    }

    fn of_classes(&self) -> bool {
        true
    }

    fn check_task(&self, task: &Task) -> Result<()> {
        task.check_classes(Self::NAME, false)
    }

    fn update(&self, state: &mut Vec<f64>, batch: &Batch<'_, F>) {
        let epsilon = F::epsilon().wide();
        means::update(state, batch, 1, |row, _| {
            let all_probable =
                (0..batch.n_outputs).all(|column| (0.0..=1.0).contains(&batch.output(row, column)));
            let truth = if all_probable { batch.score(row, batch.class(row)) } else { f64::NAN };
            -truth.clamp(epsilon, 1.0 - epsilon).ln()
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
    fn a_certain_mistake_costs_the_logarithm_of_epsilon() {
        let double = LogLoss.of(&Batch::new(&[1.0_f64], 1, &[0.0], 1));
        assert!((double - 52.0 * 2f64.ln()).abs() < 1e-13);
        let single = LogLoss.of(&Batch::new(&[1.0_f32], 1, &[0.0], 1));
        assert!((single - 23.0 * 2f64.ln()).abs() < 1e-13);
    }

    #[test]
    fn rows_are_weighted() {
        let batch = Batch::new(&[0.0, 2.0], 1, &[0.5, 0.25, 0.25, 0.5, 0.25, 0.25], 3).weighted(&[3.0, 1.0]);
        // (3 ln 2 + ln 4) / 4
        assert!((LogLoss.of(&batch) - 1.25 * 2f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn scores_that_are_no_probabilities_have_no_log_loss() {
        for outputs in [[1.5, -0.5], [f64::NAN, 0.5], [f64::INFINITY, 0.0]] {
            assert!(LogLoss.of(&Batch::new(&[0.0], 1, &outputs, 2)).is_nan());
        }
    }
}

//! Mean squared error.

use serde::{Deserialize, Serialize};

use super::{Batch, Direction, Metric, means};
use crate::float::Float;
use crate::part::Configured;

/// The weighted mean squared distance of the predictions from the targets.
///
/// ```text
/// MSE = Σⱼ (Σᵢ wᵢ (ŷᵢⱼ − yᵢⱼ)² / Σᵢ wᵢ) / n_outputs
/// ```
///
/// In the square of the targets' unit.
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Batch, Metric, Mse};
///
/// assert_eq!(Mse.of(&Batch::new(&[1.0, 2.0], 1, &[1.5, 1.0], 1)), 0.625);
/// ```
#[doc(alias = "mean_squared_error")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mse;

impl Configured for Mse {
    const NAME: &'static str = "mean_squared_error";
    const ALIASES: &'static [&'static str] = &["mse"];
}

impl<F: Float> Metric<F> for Mse {
    fn direction(&self) -> Direction {
        Direction::Minimize
    }

    fn unit(&self) -> &'static str {
        "target²"
    }

    fn of_classes(&self) -> bool {
        false
    }

    fn update(&self, state: &mut Vec<f64>, batch: &Batch<'_, F>) {
        means::update(state, batch, batch.n_outputs, |row, column| {
            (batch.output(row, column) - batch.target(row, column)).powi(2)
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
    fn rows_are_weighted_and_outputs_are_not() {
        let batch = Batch::new(&[0.0; 4], 2, &[1.0, -4.0, 4.0, 2.0], 2).weighted(&[2.0, 1.0]);
        // Columns: (2·1 + 16)/3 = 6 and (2·16 + 4)/3 = 12.
        assert!((Mse.of(&batch) - 9.0).abs() < 1e-14);
    }

    #[test]
    fn an_overflow_is_infinite() {
        assert!(Mse.of(&Batch::new(&[0.0], 1, &[1e200], 1)).is_infinite());
    }
}

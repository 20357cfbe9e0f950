//! Mean absolute error.

use serde::{Deserialize, Serialize};

use super::{Batch, Direction, Metric, means};
use crate::float::Float;
use crate::part::Configured;

/// The weighted mean distance of the predictions from the targets.
///
/// ```text
/// MAE = Σⱼ (Σᵢ wᵢ |ŷᵢⱼ − yᵢⱼ| / Σᵢ wᵢ) / n_outputs
/// ```
///
/// In the unit of the targets.
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Batch, Metric, Mae};
///
/// assert_eq!(Mae.of(&Batch::new(&[1.0, 2.0], 1, &[1.5, 1.0], 1)), 0.75);
/// ```
#[doc(alias = "mean_absolute_error")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mae;

impl Configured for Mae {
    const NAME: &'static str = "mean_absolute_error";
    const ALIASES: &'static [&'static str] = &["mae"];
}

impl<F: Float> Metric<F> for Mae {
    fn direction(&self) -> Direction {
        Direction::Minimize
    }

    fn unit(&self) -> &'static str {
        "target"
    }

    fn of_classes(&self) -> bool {
        false
    }

    fn update(&self, state: &mut Vec<f64>, batch: &Batch<'_, F>) {
        means::update(state, batch, batch.n_outputs, |row, column| {
            (batch.output(row, column) - batch.target(row, column)).abs()
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
        // Columns: (2·1 + 4)/3 = 2 and (2·4 + 2)/3.
        assert!((Mae.of(&batch) - (2.0 + 10.0 / 3.0) / 2.0).abs() < 1e-15);
    }

    #[test]
    fn a_class_index_is_compared_as_one_hot() {
        let batch = Batch::new(&[1.0], 1, &[0.2, 0.5, 0.3], 3);
        assert!((Mae.of(&batch) - (0.2 + 0.5 + 0.3) / 3.0).abs() < 1e-15);
    }
}

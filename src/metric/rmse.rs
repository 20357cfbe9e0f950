//! Root mean squared error.

use serde::{Deserialize, Serialize};

use super::{Batch, Direction, Metric, means};
use crate::float::Float;
use crate::part::Configured;

/// The root of the mean squared distance, output by output.
///
/// ```text
/// RMSE = Σⱼ √(Σᵢ wᵢ (ŷᵢⱼ − yᵢⱼ)² / Σᵢ wᵢ) / n_outputs
/// ```
///
/// In the unit of the targets. With several outputs it is the mean of their roots, as in scikit-learn, and not the
/// root of [`Mse`](super::Mse).
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Batch, Metric, Rmse};
///
/// assert_eq!(Rmse.of(&Batch::new(&[0.0, 0.0], 1, &[1.0, 7.0], 1)), 5.0);
/// ```
#[doc(alias = "root_mean_squared_error")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rmse;

impl Configured for Rmse {
    const NAME: &'static str = "root_mean_squared_error";
    const ALIASES: &'static [&'static str] = &["rmse"];
}

impl<F: Float> Metric<F> for Rmse {
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
            (batch.output(row, column) - batch.target(row, column)).powi(2)
        });
    }

    fn value(&self, state: &[f64]) -> f64 {
        means::mean_of(state, f64::sqrt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_taken_for_each_output() {
        let batch = Batch::new(&[0.0; 4], 2, &[1.0, 3.0, 7.0, 3.0], 2);
        // √((1 + 49)/2) = 5 and √9 = 3.
        assert!((Rmse.of(&batch) - 4.0).abs() < 1e-15);
    }
}

//! Max error: the worst prediction.

use serde::{Deserialize, Serialize};

use super::{Batch, Direction, Metric};
use crate::float::Float;
use crate::part::Configured;

/// The largest distance of a prediction from its target, over rows and outputs.
///
/// ```text
/// max_error = maxᵢⱼ |ŷᵢⱼ − yᵢⱼ|     over rows with wᵢ > 0
/// ```
///
/// In the unit of the targets. scikit-learn has it for one output only.
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Batch, MaxError, Metric};
///
/// assert_eq!(MaxError.of(&Batch::new(&[3.0, 2.0, 7.0, 1.0], 1, &[4.0, 2.0, 7.0, 3.5], 1)), 2.5);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MaxError;

impl Configured for MaxError {
    const NAME: &'static str = "max_error";
}

/// The state is the number of rows seen, and the largest error.
impl<F: Float> Metric<F> for MaxError {
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
        state.resize(2, 0.0);
        for (row, _) in batch.weighted_rows() {
            state[0] += 1.0;
            for column in 0..batch.n_outputs {
                let error = (batch.output(row, column) - batch.target(row, column)).abs();
                // `f64::max` would forget a NaN.
                if error > state[1] || error.is_nan() {
                    state[1] = error;
                }
            }
        }
    }

    fn value(&self, state: &[f64]) -> f64 {
        match state {
            [rows, error] if *rows > 0.0 => *error,
            _ => f64::NAN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_is_not_forgotten() {
        assert!(MaxError.of(&Batch::new(&[1.0, 1.0, 1.0], 1, &[2.0, f64::NAN, 9.0], 1)).is_nan());
    }

    #[test]
    fn rows_of_weight_0_do_not_count() {
        let batch = Batch::new(&[1.0, 1.0], 1, &[2.0, 9.0], 1);
        assert!((MaxError.of(&batch.weighted(&[0.5, 0.0])) - 1.0).abs() < 1e-15);
        assert!(MaxError.of(&batch.weighted(&[0.0, 0.0])).is_nan());
    }
}

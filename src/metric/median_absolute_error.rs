//! Median absolute error: the distance that half of the rows stay below.

use serde::{Deserialize, Serialize};

use super::{Batch, Direction, Metric};
use crate::float::Float;
use crate::part::Configured;

/// The weighted median distance of the predictions from the targets, which outliers do not move.
///
/// ```text
/// MedAE = Σⱼ median(|ŷᵢⱼ − yᵢⱼ|, wᵢ) / n_outputs
/// ```
///
/// In the unit of the targets. The median is the first value at which the weights pass half of their sum; where they
/// reach it exactly, the mean of that value and the next (the "averaged inverted distribution function").
///
/// The state keeps the errors of all rows.
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Batch, MedianAbsoluteError, Metric};
///
/// let batch = Batch::new(&[3.0, -0.5, 2.0, 7.0], 1, &[2.5, 0.0, 2.0, 800.0], 1);
/// assert_eq!(MedianAbsoluteError.of(&batch), 0.5);
/// ```
///
/// # References
///
/// Hyndman and Fan (1996), "Sample quantiles in statistical packages", The American Statistician 50, definition 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MedianAbsoluteError;

impl Configured for MedianAbsoluteError {
    const NAME: &'static str = "median_absolute_error";
    const ALIASES: &'static [&'static str] = &["medae"];
}

/// The state is the number of outputs, then for each row its weight and errors.
impl<F: Float> Metric<F> for MedianAbsoluteError {
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
        if state.is_empty() {
            state.push(batch.n_outputs as f64);
        }
        state.reserve(batch.rows() * (1 + batch.n_outputs));
        for (row, weight) in batch.weighted_rows() {
            state.push(weight);
            let errors = (0..batch.n_outputs)
                .map(|column| (batch.output(row, column) - batch.target(row, column)).abs());
            state.extend(errors);
        }
    }

    fn value(&self, state: &[f64]) -> f64 {
        let Some((&n_outputs, rows)) = state.split_first() else { return f64::NAN };
        let row_len = 1 + n_outputs as usize;
        let medians = (1..row_len)
            .map(|column| median(rows.chunks_exact(row_len).map(|row| (row[column], row[0])).collect()));
        medians.sum::<f64>() / n_outputs
    }
}

/// The median of values with weights above 0; NaN when there are none or one is NaN.
fn median(mut values: Vec<(f64, f64)>) -> f64 {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = values.iter().map(|(_, weight)| weight).sum();
    // Sums of weights such as 0.1 miss one half by some roundings.
    let (half, near) = (0.5 * total, f64::EPSILON * total);
    let mut below = 0.0;
    let reached = values.iter().position(|(_, weight)| {
        below += weight;
        below >= half - near
    });
    match reached {
        Some(place) if !values.iter().any(|(value, _)| value.is_nan()) => {
            let value = values[place].0;
            match values.get(place + 1) {
                Some((next, _)) if below <= half + near => value + 0.5 * (next - value),
                _ => value,
            }
        }
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_count_takes_the_middle_two() {
        assert!((median(vec![(4.0, 1.0), (1.0, 1.0), (2.0, 1.0), (9.0, 1.0)]) - 3.0).abs() < 1e-15);
        assert!((median(vec![(4.0, 1.0), (1.0, 1.0), (2.0, 1.0)]) - 2.0).abs() < 1e-15);
    }

    #[test]
    fn a_weight_is_a_repetition() {
        // 1, 1, 1, 5, 9, 9: the weights reach 3 of 6 exactly at 1.
        assert!((median(vec![(9.0, 2.0), (1.0, 3.0), (5.0, 1.0)]) - 3.0).abs() < 1e-15);
        assert!((median(vec![(9.0, 2.0), (1.0, 3.5), (5.0, 1.0)]) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn weights_that_reach_half_up_to_rounding_reach_half() {
        // 0.1 + 0.2 is not 0.3, and yet the two sides weigh the same.
        assert!((median(vec![(1.0, 0.1), (2.0, 0.2), (4.0, 0.3)]) - 3.0).abs() < 1e-15);
    }

    #[test]
    fn nothing_and_nan_have_no_median() {
        assert!(median(vec![]).is_nan());
        assert!(median(vec![(f64::NAN, 1.0), (1.0, 5.0)]).is_nan());
        assert!(median(vec![(-f64::NAN, 1.0), (1.0, 5.0)]).is_nan());
    }
}

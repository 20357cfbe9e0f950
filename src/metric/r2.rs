//! R²: the share of the targets' variance that the predictions explain.

use serde::{Deserialize, Serialize};

use super::spread::{self, Spread};
use super::{Batch, Direction, Metric, sums};
use crate::float::Float;
use crate::part::Configured;

/// The coefficient of determination: 1 when perfect, 0 for always predicting the mean, below 0 when worse.
///
/// ```text
/// R² = Σⱼ (1 − Σᵢ wᵢ (yᵢⱼ − ŷᵢⱼ)² / Σᵢ wᵢ (yᵢⱼ − ȳⱼ)²) / n_outputs     ȳⱼ: weighted mean of output j
/// ```
///
/// An output whose targets are all equal gives 1 when it is predicted exactly and else 0. A single row (of weight at
/// most 1) has no variance to explain: NaN.
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Batch, Metric, R2};
///
/// // Errors 0, 0, 1; distances from the mean −1, 0, 1.
/// assert_eq!(R2.of(&Batch::new(&[1.0, 2.0, 3.0], 1, &[1.0, 2.0, 2.0], 1)), 0.5);
/// ```
///
/// # References
///
/// Wright (1921), "Correlation and causation", Journal of Agricultural Research 20. On constant targets and several
/// outputs the value is that of scikit-learn's `r2_score` with its defaults.
#[doc(alias = "r2_score")]
#[doc(alias = "coefficient of determination")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct R2;

impl Configured for R2 {
    const NAME: &'static str = "r2_score";
    const ALIASES: &'static [&'static str] = &["r2"];
}

/// The state, in pairs: number of rows and sum of weights; then for each output the spread of the targets and the sum
/// of squared errors.
impl<F: Float> Metric<F> for R2 {
    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn of_classes(&self) -> bool {
        false
    }

    fn update(&self, state: &mut Vec<f64>, batch: &Batch<'_, F>) {
        let pairs = sums::started(state, 1 + 2 * batch.n_outputs);
        let Some(([n_rows, total], outputs)) = pairs.split_first_mut() else { return };
        let (outputs, _) = outputs.as_chunks_mut::<2>();
        for (row, weight) in batch.weighted_rows() {
            *n_rows += 1.0;
            *total += weight;
            for (column, [targets, errors]) in outputs.iter_mut().enumerate() {
                let target = batch.target(row, column);
                spread::add(targets, target, weight, *total);
                sums::add(errors, weight * (target - batch.output(row, column)).powi(2));
            }
        }
    }

    fn value(&self, state: &[f64]) -> f64 {
        let Some(([n_rows, total], outputs)) = state.as_chunks().0.split_first() else { return f64::NAN };
        // A row of weight 2 is two rows.
        if n_rows.max(*total) < 2.0 {
            return f64::NAN;
        }
        let (outputs, _): (&[[Spread; 2]], _) = outputs.as_chunks();
        let scores = outputs.iter().map(|[[_, all], errors]| spread::explained(sums::total(*errors), *all));
        scores.sum::<f64>() / outputs.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_count_the_same() {
        // First output perfect, second predicts its mean: (1 + 0)/2.
        let batch = Batch::new(&[1.0, 0.0, 2.0, 4.0], 2, &[1.0, 2.0, 2.0, 2.0], 2);
        assert!((R2.of(&batch) - 0.5).abs() < 1e-15);
    }

    #[test]
    fn constant_targets_score_1_or_0() {
        assert!((R2.of(&Batch::new(&[0.1; 3], 1, &[0.1; 3], 1)) - 1.0).abs() < 1e-15);
        assert!(R2.of(&Batch::new(&[0.1; 3], 1, &[0.1, 0.1, 0.2], 1)).abs() < 1e-15);
    }

    #[test]
    fn one_row_is_too_few_and_one_row_twice_is_not() {
        let row = Batch::new(&[3.0], 1, &[3.0], 1);
        assert!(R2.of(&row).is_nan());
        assert!((R2.of(&row.weighted(&[2.0])) - 1.0).abs() < 1e-15);
        assert!(R2.of(&Batch::new(&[3.0], 1, &[2.0], 1).weighted(&[2.0])).abs() < 1e-15);
    }
}

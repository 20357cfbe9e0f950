//! Explained variance: R² that forgives a constant shift.

use serde::{Deserialize, Serialize};

use super::spread::{self, Spread};
use super::{Batch, Direction, Metric, sums};
use crate::float::Float;
use crate::part::Configured;

/// The share of the targets' variance that is not left in the errors.
///
/// ```text
/// EV = Σⱼ (1 − Var(yⱼ − ŷⱼ) / Var(yⱼ)) / n_outputs     weighted variances
/// ```
///
/// Predictions that are all off by the same amount score 1, where [`R2`](super::R2) counts the shift. An output whose
/// targets are all equal gives 1 when its errors are all equal too and else 0.
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Batch, ExplainedVariance, Metric, R2};
///
/// let shifted = Batch::new(&[1.0, 2.0, 3.0], 1, &[2.0, 3.0, 4.0], 1);
/// assert_eq!((ExplainedVariance.of(&shifted), R2.of(&shifted)), (1.0, -0.5));
/// ```
#[doc(alias = "explained_variance_score")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExplainedVariance;

impl Configured for ExplainedVariance {
    const NAME: &'static str = "explained_variance";
    const ALIASES: &'static [&'static str] = &["explained_variance_score"];
}

/// The state, in pairs: the sum of weights; then for each output the spread of the targets and that of the errors.
impl<F: Float> Metric<F> for ExplainedVariance {
    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn of_classes(&self) -> bool {
        false
    }

    fn update(&self, state: &mut Vec<f64>, batch: &Batch<'_, F>) {
        let pairs = sums::started(state, 1 + 2 * batch.n_outputs);
        let Some(([total, _], outputs)) = pairs.split_first_mut() else { return };
        let (outputs, _) = outputs.as_chunks_mut::<2>();
        for (row, weight) in batch.weighted_rows() {
            *total += weight;
            for (column, [targets, errors]) in outputs.iter_mut().enumerate() {
                let target = batch.target(row, column);
                spread::add(targets, target, weight, *total);
                spread::add(errors, target - batch.output(row, column), weight, *total);
            }
        }
    }

    fn value(&self, state: &[f64]) -> f64 {
        let Some(([total, _], outputs)) = state.as_chunks().0.split_first() else { return f64::NAN };
        if *total <= 0.0 {
            return f64::NAN;
        }
        let (outputs, _): (&[[Spread; 2]], _) = outputs.as_chunks();
        let scores = outputs.iter().map(|[[_, all], [_, left]]| spread::explained(*left, *all));
        scores.sum::<f64>() / outputs.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_measured_from_their_mean() {
        // Targets −1, 0, 1 (variance 2/3); errors 0, 0, 3 with mean 1: variance (1 + 1 + 4)/3.
        let batch = Batch::new(&[-1.0, 0.0, 1.0], 1, &[-1.0, 0.0, -2.0], 1);
        assert!((ExplainedVariance.of(&batch) + 2.0).abs() < 1e-15);
    }

    #[test]
    fn constant_targets_score_1_or_0() {
        assert!((ExplainedVariance.of(&Batch::new(&[0.5; 2], 1, &[2.5; 2], 1)) - 1.0).abs() < 1e-15);
        assert!(ExplainedVariance.of(&Batch::new(&[0.5; 2], 1, &[2.5, 0.5], 1)).abs() < 1e-15);
    }

    #[test]
    fn no_rows_explain_nothing() {
        assert!(ExplainedVariance.of(&Batch::new(&[0.5], 1, &[0.5], 1).weighted(&[0.0])).is_nan());
    }
}

//! Matthews' correlation coefficient: the correlation of predicted and true classes.

use serde::{Deserialize, Serialize};

use super::confusion::{Count, Counts};
use super::{Batch, Direction, Metric, Task, confusion};
use crate::error::Result;
use crate::float::Float;
use crate::part::Configured;

/// The correlation of predicted and true classes: 1 when all agree, about 0 by chance, for two classes −1 when none do.
///
/// ```text
/// MCC = (n · Σₖ hitₖ − Σₖ tₖ pₖ) / √((n² − Σₖ pₖ²) (n² − Σₖ tₖ²))
///
/// tₖ = actualₖ, pₖ = predictedₖ, n = Σₖ tₖ
/// ```
///
/// 0 when the rows, or the predictions, are all of one class.
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Batch, Matthews, Metric};
///
/// let batch = Batch::new(&[1.0, 1.0, 1.0, 0.0], 1, &[0.9, 0.1, 0.9, 0.9], 1);
/// assert!((Matthews.of(&batch) + 1.0 / 3.0).abs() < 1e-15);
/// ```
///
/// # References
///
/// - Matthews (1975), Biochimica et Biophysica Acta 405, 442–451.
/// - Gorodkin (2004), "Comparing two K-category assignments by a K-category correlation coefficient", equation 8.
#[doc(alias = "matthews_corrcoef")]
#[doc(alias = "mcc")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Matthews;

impl Configured for Matthews {
    const NAME: &'static str = "matthews_corrcoef";
    const ALIASES: &'static [&'static str] = &["matthews", "mcc"];
}

impl<F: Float> Metric<F> for Matthews {
    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn of_classes(&self) -> bool {
        true
    }

    fn check_task(&self, task: &Task) -> Result<()> {
        task.check_classes(Self::NAME, false)
    }

    fn update(&self, state: &mut Vec<f64>, batch: &Batch<'_, F>) {
        confusion::update(state, batch);
    }

    fn value(&self, state: &[f64]) -> f64 {
        let Some(counts) = Counts::of(state) else { return f64::NAN };
        let variances =
            unlike_pairs(counts, |class| class.predicted) * unlike_pairs(counts, |class| class.actual);
        if variances == 0.0 {
            return 0.0;
        }
        let sum = counts.sum();
        let chance: f64 = counts.iter().map(|class| class.actual * class.predicted).sum();
        let covariance = sum.actual * sum.hit - chance;
        // One rounding can put a perfect score above 1.
        (covariance / variances.sqrt()).clamp(-1.0, 1.0)
    }
}

/// `n² − Σₖ cₖ²` as `2 Σₖ cₖ Σⱼ﹤ₖ cⱼ`: without cancellation, so it is exactly 0 when one class has everything.
fn unlike_pairs(counts: Counts<'_>, margin: impl Fn(Count) -> f64) -> f64 {
    let (pairs, _) = counts
        .iter()
        .map(margin)
        .fold((0.0, 0.0), |(pairs, before), class| (pairs + 2.0 * class * before, before + class));
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_classes_as_the_textbook_has_it() {
        // tp 3, fn 1, fp 2, tn 4: (3·4 − 2·1) / √(5·4·6·5).
        let batch =
            Batch::new(&[1.0, 1.0, 0.0, 0.0], 1, &[0.9, 0.1, 0.9, 0.1], 1).weighted(&[3.0, 1.0, 2.0, 4.0]);
        assert!((Matthews.of(&batch) - 10.0 / 600f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn one_class_only_is_0() {
        // Weights whose sums are not exact: a difference of squares would be a rounding error instead of 0.
        let weights: Vec<f64> = (1..20).map(|row| 0.1 * f64::from(row)).collect();
        let targets: Vec<f64> = (0..19).map(|row| f64::from(row % 2)).collect();
        let batch = Batch::new(&targets, 1, &[0.9; 19], 1).weighted(&weights);
        assert!(Matthews.of(&batch).abs() < 1e-300);
    }

    #[test]
    fn all_wrong_is_minus_1() {
        let batch = Batch::new(&[1.0, 0.0], 1, &[0.1, 0.9], 1);
        assert!((Matthews.of(&batch) + 1.0).abs() < 1e-15);
    }
}

//! ROC-AUC: how often a positive row is scored above a negative one.

use serde::{Deserialize, Serialize};

use super::ranking::Step;
use super::{Average, Batch, Direction, Metric, Task, ranking};
use crate::error::Result;
use crate::float::Float;
use crate::part::Configured;

/// The area under the ROC curve: the probability that a row of the class scores above one of the rest.
///
/// ```text
/// AUC = Σᵢ Σⱼ wᵢ wⱼ ([sᵢ > sⱼ] + ½ [sᵢ = sⱼ]) / Σᵢ Σⱼ wᵢ wⱼ     i of the class, j of the rest
/// ```
///
/// Exact, ties included, where Keras' `AUC` looks at 200 thresholds. Two classes give the area for class 1, whatever
/// the average. More classes, each against the rest (one-vs-rest), and labels are combined as [`Average`] says.
///
/// NaN when the class or the rest has no row; for `macro`, when that is so for one class; `weighted` leaves out classes
/// without rows. (scikit-learn returns 0 for `weighted` when no label occurs at all; here that is NaN as well.)
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | `average` | `macro` (scikit-learn's) | how several classes become one number |
///
/// The state keeps the scores of all rows.
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Batch, Metric, RocAuc};
///
/// let batch = Batch::new(&[0.0, 0.0, 1.0, 1.0], 1, &[0.1, 0.4, 0.35, 0.8], 1);
/// assert_eq!(RocAuc::default().of(&batch), 0.75);
/// ```
///
/// # References
///
/// - Hanley and McNeil (1982), "The meaning and use of the area under a receiver operating characteristic curve".
/// - Fawcett (2006), "An introduction to ROC analysis", Pattern Recognition Letters 27, section 7.
#[doc(alias = "roc_auc_score")]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RocAuc {
    /// How several classes become one number.
    pub average: Average,
}

impl RocAuc {
    /// Sets how several classes become one number.
    #[must_use]
    pub fn average(self, average: Average) -> Self {
        RocAuc { average }
    }
}

impl Default for RocAuc {
    fn default() -> Self {
        RocAuc { average: Average::Macro }
    }
}

impl Configured for RocAuc {
    const NAME: &'static str = "roc_auc";
    const ALIASES: &'static [&'static str] = &["auc", "roc_auc_score"];
}

impl<F: Float> Metric<F> for RocAuc {
    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn of_classes(&self) -> bool {
        true
    }

    fn check_task(&self, task: &Task) -> Result<()> {
        self.average.check_task(Self::NAME, task)
    }

    fn update(&self, state: &mut Vec<f64>, batch: &Batch<'_, F>) {
        ranking::update(state, batch);
    }

    fn value(&self, state: &[f64]) -> f64 {
        ranking::value(state, self.average, area)
    }
}

fn area(steps: &[Step]) -> f64 {
    let (mut pairs, mut above, mut below) = (0.0, 0.0, 0.0);
    for step in steps {
        pairs += step.negatives * (above + 0.5 * step.positives);
        above += step.positives;
        below += step.negatives;
    }
    // 0/0 where one side is empty. One rounding can put a perfect score above 1.
    (pairs / (above * below)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auc(targets: &[f64], outputs: &[f64], n_outputs: usize, average: Average) -> f64 {
        RocAuc { average }.of(&Batch::new(targets, 1, outputs, n_outputs))
    }

    #[test]
    fn a_tie_counts_half() {
        // Pairs (positive, negative): 0.5 ties with 0.5 (½), beats 0.2 (1); 0.9 beats both.
        let value = auc(&[0.0, 1.0, 1.0, 0.0], &[0.5, 0.5, 0.9, 0.2], 1, Average::Macro);
        assert!((value - 3.5 / 4.0).abs() < 1e-15);
        assert!((auc(&[0.0, 1.0], &[0.5, 0.5], 1, Average::Macro) - 0.5).abs() < 1e-15);
    }

    #[test]
    fn one_side_only_is_undefined() {
        assert!(auc(&[1.0, 1.0], &[0.5, 0.6], 1, Average::Macro).is_nan());
        assert!(auc(&[0.0, 0.0], &[0.5, 0.6], 1, Average::Macro).is_nan());
    }

    #[test]
    fn a_class_without_rows_matters_to_macro_only() {
        let outputs = [0.7, 0.2, 0.1, 0.2, 0.7, 0.1];
        assert!(auc(&[0.0, 1.0], &outputs, 3, Average::Macro).is_nan());
        assert!((auc(&[0.0, 1.0], &outputs, 3, Average::Weighted) - 1.0).abs() < 1e-15);
    }
}

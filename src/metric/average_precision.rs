//! Average precision: the precision at every threshold, averaged over recall.

use serde::{Deserialize, Serialize};

use super::ranking::Step;
use super::{Average, Batch, Direction, Metric, Task, ranking};
use crate::error::Result;
use crate::float::Float;
use crate::part::Configured;

/// The area under the precision–recall curve as a sum of steps, without interpolation.
///
/// ```text
/// AP = Σₙ (Rₙ − Rₙ₋₁) Pₙ     Pₙ, Rₙ: precision and recall at the n-th highest threshold, R₀ = 0
/// ```
///
/// Two classes give the value for class 1, whatever the average. More classes, each against the rest, and labels are
/// combined as [`Average`] says. A class without rows has average precision 0.
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
/// use linfa_mlp::metric::{AveragePrecision, Batch, Metric};
///
/// let batch = Batch::new(&[0.0, 0.0, 1.0, 1.0], 1, &[0.1, 0.4, 0.35, 0.8], 1);
/// assert_eq!(AveragePrecision::default().of(&batch), (1.0 + 2.0 / 3.0) / 2.0);
/// ```
///
/// # References
///
/// Davis and Goadrich (2006), "The relationship between precision-recall and ROC curves", ICML, on why not to
/// interpolate.
#[doc(alias = "average_precision_score")]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AveragePrecision {
    /// How several classes become one number.
    pub average: Average,
}

impl AveragePrecision {
    /// Sets how several classes become one number.
    #[must_use]
    pub fn average(self, average: Average) -> Self {
        AveragePrecision { average }
    }
}

impl Default for AveragePrecision {
    fn default() -> Self {
        AveragePrecision { average: Average::Macro }
    }
}

impl Configured for AveragePrecision {
    const NAME: &'static str = "average_precision";
    const ALIASES: &'static [&'static str] = &["average_precision_score"];
}

impl<F: Float> Metric<F> for AveragePrecision {
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
    let (mut sum, mut hits, mut predicted) = (0.0, 0.0, 0.0);
    for step in steps {
        hits += step.positives;
        predicted += step.positives + step.negatives;
        sum += step.positives * hits / predicted;
    }
    if hits > 0.0 { (sum / hits).clamp(0.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ap(targets: &[f64], outputs: &[f64]) -> f64 {
        AveragePrecision::default().of(&Batch::new(targets, 1, outputs, 1))
    }

    #[test]
    fn all_tied_is_the_share_of_positives() {
        assert!((ap(&[0.0, 1.0, 0.0, 0.0], &[0.5; 4]) - 0.25).abs() < 1e-15);
    }

    #[test]
    fn without_positives_it_is_0() {
        assert!(ap(&[0.0, 0.0], &[0.5, 0.6]).abs() < 1e-15);
    }

    #[test]
    fn a_nan_score_has_no_place() {
        assert!(ap(&[0.0, 1.0], &[0.1, f64::NAN]).is_nan());
    }
}

//! Balanced accuracy: accuracy when every class counts the same.

use serde::{Deserialize, Serialize};

use super::confusion::Counts;
use super::{Batch, Direction, Metric, Task, average, confusion};
use crate::error::Result;
use crate::float::Float;
use crate::part::Configured;

/// The mean recall of the classes that have rows.
///
/// ```text
/// balanced_accuracy = Σₖ (hitₖ / actualₖ) / K     over the K classes with actualₖ > 0
/// ```
///
/// Chance level is 1/K, whatever the shares of the classes.
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{BalancedAccuracy, Batch, Metric};
///
/// // Nine rows of ten are class 0 and all are called so: accuracy 0.9, but no better than chance.
/// let mut targets = [0.0; 10];
/// targets[9] = 1.0;
/// assert_eq!(BalancedAccuracy.of(&Batch::new(&targets, 1, &[0.1; 10], 1)), 0.5);
/// ```
///
/// # References
///
/// Brodersen et al. (2010), "The balanced accuracy and its posterior distribution", ICPR.
#[doc(alias = "balanced_accuracy_score")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BalancedAccuracy;

impl Configured for BalancedAccuracy {
    const NAME: &'static str = "balanced_accuracy";
    const ALIASES: &'static [&'static str] = &["balanced_accuracy_score"];
}

impl<F: Float> Metric<F> for BalancedAccuracy {
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
        let classes = counts.iter().filter(|class| class.actual > 0.0);
        average::mean(classes.map(|class| (class.hit / class.actual, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_without_rows_are_left_out() {
        // True 0, 0, 1 and predicted 0, 2, 1: recalls ½ and 1; class 2 has no row.
        let outputs = [0.8, 0.1, 0.1, 0.1, 0.1, 0.8, 0.1, 0.8, 0.1];
        let batch = Batch::new(&[0.0, 0.0, 1.0], 1, &outputs, 3);
        assert!((BalancedAccuracy.of(&batch) - 0.75).abs() < 1e-15);
    }
}

//! Cohen's kappa: agreement beyond chance.

use serde::{Deserialize, Serialize};

use super::confusion::Counts;
use super::{Batch, Direction, Metric, Task, confusion};
use crate::error::Result;
use crate::float::Float;
use crate::part::Configured;

/// The agreement of predicted and true classes beyond what their shares give by chance.
///
/// ```text
/// κ = (pₒ − pₑ) / (1 − pₑ) = 1 − Σₖ (actualₖ − hitₖ) / Σₖ actualₖ (1 − predictedₖ / n)
///
/// pₒ = Σₖ hitₖ / n,  pₑ = Σₖ actualₖ · predictedₖ / n²
/// ```
///
/// NaN when truth and prediction are all one and the same class: then chance explains everything.
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Batch, CohenKappa, Metric};
///
/// let batch = Batch::new(&[0.0, 0.0, 1.0, 1.0], 1, &[0.1, 0.2, 0.3, 0.9], 1);
/// assert_eq!(CohenKappa.of(&batch), 0.5);
/// ```
///
/// # References
///
/// Cohen (1960), "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20.
#[doc(alias = "cohen_kappa_score")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CohenKappa;

impl Configured for CohenKappa {
    const NAME: &'static str = "cohen_kappa";
    const ALIASES: &'static [&'static str] = &["kappa", "cohen_kappa_score"];
}

impl<F: Float> Metric<F> for CohenKappa {
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
        let all = counts.sum().predicted;
        let missed: f64 = counts.iter().map(|class| class.actual - class.hit).sum();
        let by_chance: f64 = counts.iter().map(|class| class.actual * (all - class.predicted) / all).sum();
        if by_chance == 0.0 { f64::NAN } else { 1.0 - missed / by_chance }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_textbook_example() {
        // Matrix [[20, 5], [10, 15]]: pₒ = 0.7, pₑ = 0.5·0.6 + 0.5·0.4 = 0.5.
        let batch =
            Batch::new(&[0.0, 0.0, 1.0, 1.0], 1, &[0.1, 0.9, 0.1, 0.9], 1).weighted(&[20.0, 5.0, 10.0, 15.0]);
        assert!((CohenKappa.of(&batch) - 0.4).abs() < 1e-15);
    }

    #[test]
    fn one_class_only_is_undefined() {
        assert!(CohenKappa.of(&Batch::new(&[1.0, 1.0], 1, &[0.9, 0.8], 1)).is_nan());
    }
}

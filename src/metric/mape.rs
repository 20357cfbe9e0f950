//! Mean absolute percentage error.

use serde::{Deserialize, Serialize};

use super::{Batch, Direction, Metric, means};
use crate::float::Float;
use crate::part::Configured;

/// The weighted mean distance of the predictions from the targets, relative to the targets.
///
/// ```text
/// MAPE = Σⱼ (Σᵢ wᵢ |ŷᵢⱼ − yᵢⱼ| / max(|yᵢⱼ|, ε) / Σᵢ wᵢ) / n_outputs     ε = 2⁻⁵²
/// ```
///
/// A fraction, as in scikit-learn: 0.1 is 10 %. (Keras multiplies by 100 and has ε = 10⁻⁷.) A target of 0 makes it
/// huge.
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Batch, Metric, Mape};
///
/// assert_eq!(Mape.of(&Batch::new(&[2.0, -4.0], 1, &[1.0, -3.0], 1)), 0.375);
/// ```
#[doc(alias = "mean_absolute_percentage_error")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mape;

impl Configured for Mape {
    const NAME: &'static str = "mean_absolute_percentage_error";
    const ALIASES: &'static [&'static str] = &["mape"];
}

impl<F: Float> Metric<F> for Mape {
    fn direction(&self) -> Direction {
        Direction::Minimize
    }

    fn of_classes(&self) -> bool {
        false
    }

    fn update(&self, state: &mut Vec<f64>, batch: &Batch<'_, F>) {
        means::update(state, batch, batch.n_outputs, |row, column| {
            let target = batch.target(row, column);
            (batch.output(row, column) - target).abs() / target.abs().max(f64::EPSILON)
        });
    }

    fn value(&self, state: &[f64]) -> f64 {
        means::mean(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_of_0_is_divided_by_epsilon() {
        assert!((Mape.of(&Batch::new(&[0.0], 1, &[f64::EPSILON], 1)) - 1.0).abs() < 1e-15);
        assert!(Mape.of(&Batch::new(&[0.0], 1, &[0.0], 1)).abs() < 1e-15);
    }
}

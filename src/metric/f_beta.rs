//! F-measures: precision and recall in one number.

use serde::{Deserialize, Serialize};

use super::confusion::{Count, ratio};
use super::{Average, Batch, Direction, Metric, Task, confusion};
use crate::error::{Result, check};
use crate::float::Float;
use crate::part::Configured;

/// The weighted harmonic mean of precision and recall, recall counting `beta` times as much.
///
/// ```text
/// Fᵦ = (1 + β²) · precision · recall / (β² · precision + recall)
///    = (1 + β²) · hit / (β² · actual + predicted)
/// ```
///
/// Several classes or labels are combined as [`Average`] says, F by F (not from the averages of precision and
/// recall). A class that is neither predicted nor true has F 0.
///
/// | setting | default | meaning | range |
/// | --- | --- | --- | --- |
/// | `beta` | 1 | weight of recall against precision; 0 is precision | finite, at least 0 |
/// | `average` | `binary` (scikit-learn's) | how several classes become one number | |
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Batch, FBeta, Metric};
///
/// // Precision 1/2, recall 1: F₂ = 5 · ½ / (4 · ½ + 1).
/// let batch = Batch::new(&[0.0, 1.0], 1, &[0.9, 0.8], 1);
/// assert_eq!(FBeta::new(2.0).of(&batch), 5.0 / 6.0);
/// ```
///
/// # References
///
/// van Rijsbergen (1979), *Information Retrieval*, chapter 7.
#[doc(alias = "fbeta_score")]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FBeta {
    /// Weight of recall against precision.
    pub beta: f64,
    /// How several classes become one number.
    pub average: Average,
}

impl FBeta {
    /// The measure with this weight of recall.
    #[must_use]
    pub fn new(beta: f64) -> Self {
        FBeta { beta, average: Average::Binary }
    }

    /// Sets how several classes become one number.
    #[must_use]
    pub fn average(self, average: Average) -> Self {
        FBeta { average, ..self }
    }
}

impl Default for FBeta {
    fn default() -> Self {
        FBeta::new(1.0)
    }
}

impl Configured for FBeta {
    const NAME: &'static str = "fbeta_score";
    const ALIASES: &'static [&'static str] = &["f_beta", "fbeta"];

    fn check(&self) -> Result<()> {
        let ok = self.beta.is_finite() && self.beta >= 0.0;
        check("beta", self.beta, ok, "finite and at least 0")
    }
}

impl<F: Float> Metric<F> for FBeta {
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
        confusion::update(state, batch);
    }

    fn value(&self, state: &[f64]) -> f64 {
        self.average.of_counts(state, |count| f_beta(self.beta, count))
    }
}

/// The harmonic mean of precision and recall: [`FBeta`] with `beta` 1.
///
/// ```text
/// F₁ = 2 · precision · recall / (precision + recall) = 2 · hit / (actual + predicted)
/// ```
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | `average` | `binary` (scikit-learn's) | how several classes become one number |
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Average, Batch, F1, Metric};
///
/// let batch = Batch::new(&[0.0, 1.0, 1.0], 1, &[0.9, 0.8, 0.1], 1);
/// assert_eq!(F1::default().of(&batch), 0.5);
/// assert_eq!(F1::default().average(Average::Macro).of(&batch), 0.25);
/// ```
#[doc(alias = "f1_score")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct F1 {
    /// How several classes become one number.
    pub average: Average,
}

impl F1 {
    /// Sets how several classes become one number.
    #[must_use]
    pub fn average(self, average: Average) -> Self {
        F1 { average }
    }
}

impl Configured for F1 {
    const NAME: &'static str = "f1_score";
    const ALIASES: &'static [&'static str] = &["f1"];
}

impl<F: Float> Metric<F> for F1 {
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
        confusion::update(state, batch);
    }

    fn value(&self, state: &[f64]) -> f64 {
        self.average.of_counts(state, |count| f_beta(1.0, count))
    }
}

fn f_beta(beta: f64, count: Count) -> f64 {
    let square = beta * beta;
    ratio((1.0 + square) * count.hit, square * count.actual + count.predicted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beta_0_is_precision() {
        // One of two predicted ones is right; one of one is found.
        let count = Count { hit: 1.0, predicted: 2.0, actual: 1.0 };
        assert!((f_beta(0.0, count) - 0.5).abs() < 1e-15);
        assert!((f_beta(1e6, count) - 1.0).abs() < 1e-11);
        assert!((f_beta(1.0, count) - 2.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn a_class_that_never_occurs_has_f_0() {
        assert!(f_beta(1.0, Count::default()).abs() < 1e-15);
    }

    #[test]
    fn beta_is_checked() {
        for beta in [0.0, 0.5, 2.0] {
            assert!(Configured::check(&FBeta::new(beta)).is_ok());
        }
        for beta in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(Configured::check(&FBeta::new(beta)).is_err());
        }
    }
}

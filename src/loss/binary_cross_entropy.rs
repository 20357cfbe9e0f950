//! Cross-entropy of independent yes-or-no targets.

use serde::{Deserialize, Serialize};

use super::{Loss, Rows, mean_over_columns};
use crate::error::{Result, check};
use crate::float::Float;
use crate::kernel::math;
use crate::part::Configured;

/// Cross-entropy of independent yes-or-no targets, one for each output.
///
/// ```text
/// ℓ = 1/m Σⱼ −yⱼ ln ŷⱼ − (1 − yⱼ) ln(1 − ŷⱼ)        behind a sigmoid: ℓⱼ = softplus(zⱼ) − yⱼ zⱼ,  ∂ℓ/∂zⱼ = (ŷⱼ − yⱼ)/m
/// ```
///
/// Label smoothing s replaces y by y (1 − s) + s/2. Without a sigmoid before it, ŷ is kept inside [1e-7, 1 − 1e-7], as in
/// Keras.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `label_smoothing` | 0 (Keras) | 0 ≤ s ≤ 1 |
///
/// Targets lie in [0, 1].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BinaryCrossEntropy {
    /// How far targets are drawn towards ½.
    pub label_smoothing: f64,
}

impl Configured for BinaryCrossEntropy {
    const NAME: &'static str = "binary_crossentropy";

    fn check(&self) -> Result<()> {
        check_smoothing(self.label_smoothing)
    }
}

pub(super) fn check_smoothing(smoothing: f64) -> Result<()> {
    check("label_smoothing", smoothing, (0.0..=1.0).contains(&smoothing), "between 0 and 1")
}

impl<F: Float> Loss<F> for BinaryCrossEntropy {
    fn allows(&self, target: f64, _n_outputs: usize) -> bool {
        (0.0..=1.0).contains(&target)
    }

    fn allowed(&self, _n_outputs: usize) -> String {
        "between 0 and 1".into()
    }

    fn independent_outputs(&self) -> bool {
        true
    }

    fn takes_over(&self) -> Option<&'static str> {
        Some("sigmoid")
    }

    fn rows(&self, rows: Rows<'_, F>, from_sums: bool) {
        let (keep, shift) = (F::of(1.0 - self.label_smoothing), F::of(0.5 * self.label_smoothing));
        if from_sums {
            let Rows { targets, outputs, n_outputs, losses, gradient } = rows;
            let on_sums = Rows { targets, outputs: &mut *outputs, n_outputs, losses, gradient };
            mean_over_columns(on_sums, |z, target| {
                let target = target * keep + shift;
                (math::softplus(z) - target * z, math::sigmoid(z) - target)
            });
            crate::kernel::sigmoid_slice(outputs);
        } else {
            let (low, high) = (F::of(1e-7), F::of(1.0 - 1e-7));
            mean_over_columns(rows, |output, target| {
                let target = target * keep + shift;
                let p = math::min(math::max(output, low), high);
                let loss = -(target * math::ln(p) + (F::one() - target) * math::ln(F::one() - p));
                let inside = output > low && output < high;
                let slope = if inside { (p - target) / (p * (F::one() - p)) } else { F::zero() };
                (loss, slope)
            });
        }
    }
}

//! Cross-entropy of one class out of several.

use serde::{Deserialize, Serialize};

use super::binary_cross_entropy::check_smoothing;
use super::{Loss, Rows};
use crate::error::Result;
use crate::float::Float;
use crate::kernel::{self, math};
use crate::part::Configured;

/// Cross-entropy of one class out of several, targets one-hot or probabilities.
///
/// ```text
/// ℓ = −Σⱼ yⱼ ln ŷⱼ        behind a softmax: ℓ = Σⱼ yⱼ (ln Σₖ e^(zₖ) − zⱼ),  ∂ℓ/∂zⱼ = ŷⱼ Σₖ yₖ − yⱼ
/// ```
///
/// Label smoothing s replaces y by y (1 − s) + s/m. Without a softmax before it, the outputs are divided by their sum
/// and kept inside [1e-7, 1 − 1e-7], as in Keras.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `label_smoothing` | 0 (Keras) | 0 ≤ s ≤ 1 |
///
/// Targets lie in [0, 1].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CategoricalCrossEntropy {
    /// How far targets are drawn towards equal probabilities.
    pub label_smoothing: f64,
}

/// Cross-entropy of one class out of several, targets class indices: one column that holds 0, 1, … as numbers.
///
/// ```text
/// ℓ = −ln ŷ_c,  c the true class        behind a softmax: ℓ = ln Σₖ e^(zₖ) − z_c,  ∂ℓ/∂zⱼ = ŷⱼ − [j = c]
/// ```
///
/// The same numbers as [`CategoricalCrossEntropy`] on one-hot targets, without their memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SparseCategoricalCrossEntropy;

impl Configured for CategoricalCrossEntropy {
    const NAME: &'static str = "categorical_crossentropy";

    fn check(&self) -> Result<()> {
        check_smoothing(self.label_smoothing)
    }
}

impl Configured for SparseCategoricalCrossEntropy {
    const NAME: &'static str = "sparse_categorical_crossentropy";
}

impl<F: Float> Loss<F> for CategoricalCrossEntropy {
    fn allows(&self, target: f64, _n_outputs: usize) -> bool {
        (0.0..=1.0).contains(&target)
    }

    fn allowed(&self, _n_outputs: usize) -> String {
        "between 0 and 1".into()
    }

    fn takes_over(&self) -> Option<&'static str> {
        Some("softmax")
    }

    fn rows(&self, rows: Rows<'_, F>, from_sums: bool) {
        let width = rows.n_outputs;
        let keep = F::of(1.0 - self.label_smoothing);
        let shift = F::of(self.label_smoothing / width as f64);
        let targets = rows.targets;
        cross_entropy(rows, from_sums, |row, column| targets[row * width + column] * keep + shift);
    }
}

impl<F: Float> Loss<F> for SparseCategoricalCrossEntropy {
    fn target_width(&self, _n_outputs: usize) -> usize {
        1
    }

    fn allows(&self, target: f64, n_outputs: usize) -> bool {
        target >= 0.0 && target < n_outputs as f64 && target.fract().abs() <= 0.0
    }

    fn allowed(&self, n_outputs: usize) -> String {
        format!("a whole number from 0 to {}", n_outputs.saturating_sub(1))
    }

    fn takes_over(&self) -> Option<&'static str> {
        Some("softmax")
    }

    fn rows(&self, rows: Rows<'_, F>, from_sums: bool) {
        let targets = rows.targets;
        cross_entropy(rows, from_sums, |row, column| {
            if targets[row].wide() as usize == column { F::one() } else { F::zero() }
        });
    }
}

/// Cross-entropy for targets given by `target(row, column)`.
fn cross_entropy<F: Float>(rows: Rows<'_, F>, from_sums: bool, target: impl Fn(usize, usize) -> F) {
    if from_sums {
        from_softmax_sums(rows, target);
    } else {
        from_probabilities(rows, target);
    }
}

fn from_softmax_sums<F: Float>(rows: Rows<'_, F>, target: impl Fn(usize, usize) -> F) {
    let Rows { outputs, n_outputs: width, losses, mut gradient, .. } = rows;
    // Sums become differences to the largest of their row; the loss takes its part Σ y·z before they are gone.
    for (row, (z, loss)) in outputs.chunks_exact_mut(width).zip(losses.iter_mut()).enumerate() {
        let largest = z.iter().copied().fold(z[0], |m, z| if z > m || m.is_nan() { z } else { m });
        *loss = F::zero();
        for (column, z) in z.iter_mut().enumerate() {
            *z -= largest;
            let y = target(row, column);
            // A class of weight 0 adds nothing, however far away it is.
            if y > F::zero() {
                *loss -= y * *z;
            }
        }
    }
    kernel::exp_slice(outputs);
    for (row, (e, loss)) in outputs.chunks_exact_mut(width).zip(losses.iter_mut()).enumerate() {
        let total = e.iter().copied().fold(F::zero(), |sum, e| sum + e);
        let mass = (0..width).fold(F::zero(), |sum, column| sum + target(row, column));
        *loss += mass * math::ln(total);
        for (column, e) in e.iter_mut().enumerate() {
            *e /= total;
            if let Some(gradient) = gradient.as_deref_mut() {
                gradient[row * width + column] = *e * mass - target(row, column);
            }
        }
    }
}

fn from_probabilities<F: Float>(rows: Rows<'_, F>, target: impl Fn(usize, usize) -> F) {
    let (low, high) = (F::of(1e-7), F::of(1.0 - 1e-7));
    let Rows { outputs, n_outputs: width, losses, mut gradient, .. } = rows;
    for (row, (outputs, loss)) in outputs.chunks_exact(width).zip(losses.iter_mut()).enumerate() {
        let total = outputs.iter().copied().fold(F::zero(), |sum, output| sum + output);
        let clipped = |column: usize| {
            let share: F = outputs[column] / total;
            (math::min(math::max(share, low), high), share > low && share < high)
        };
        *loss = F::zero();
        // ℓ = −Σ yⱼ ln pⱼ with pⱼ = ŷⱼ / Σ ŷ: both the numerator and the sum depend on ŷⱼ.
        let mut through_sum = F::zero();
        for column in 0..width {
            let (p, inside) = clipped(column);
            let y = target(row, column);
            *loss -= y * math::ln(p);
            if inside {
                through_sum += y;
            }
        }
        if let Some(gradient) = gradient.as_deref_mut() {
            for (column, slope) in gradient[row * width..][..width].iter_mut().enumerate() {
                let (p, inside) = clipped(column);
                let direct = if inside { target(row, column) / p } else { F::zero() };
                *slope = (through_sum - direct) / total;
            }
        }
    }
}

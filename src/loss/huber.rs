//! The Huber loss.

use serde::{Deserialize, Serialize};

use super::{Loss, Rows, mean_over_columns};
use crate::error::{Result, check};
use crate::float::Float;
use crate::kernel::math;
use crate::part::Configured;

/// Quadratic for small errors, linear for large ones, so that outliers pull less.
///
/// ```text
/// ℓ = 1/m Σⱼ h(eⱼ),  e = ŷ − y,  h(e) = ½e² where |e| ≤ δ, else δ|e| − ½δ²        h′(e) = min(max(e, −δ), δ)
/// ```
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `delta` | 1 (Keras) | finite, > 0 |
///
/// # References
///
/// P. J. Huber, *Robust Estimation of a Location Parameter*, Annals of Mathematical Statistics 35, 1964.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Huber {
    /// The error at which the loss becomes linear.
    pub delta: f64,
}

impl Huber {
    /// Linear beyond `delta`.
    #[must_use]
    pub fn new(delta: f64) -> Self {
        Huber { delta }
    }
}

impl Default for Huber {
    fn default() -> Self {
        Huber { delta: 1.0 }
    }
}

impl Configured for Huber {
    const NAME: &'static str = "huber";

    fn check(&self) -> Result<()> {
        check("delta", self.delta, self.delta.is_finite() && self.delta > 0.0, "finite and above 0")
    }
}

impl<F: Float> Loss<F> for Huber {
    fn rows(&self, rows: Rows<'_, F>, _from_sums: bool) {
        let (delta, half) = (F::of(self.delta), F::of(0.5));
        mean_over_columns(rows, |output, target| {
            let error = output - target;
            let size = math::abs(error);
            let inside = size <= delta;
            let loss = if inside { half * error * error } else { delta * size - half * delta * delta };
            let slope = if inside { error } else { math::copysign(delta, error) };
            (loss, slope)
        });
    }
}

//! Regularisers: penalties on weights, added to the loss in training and in validation.
//!
//! The forms are Keras': no factor ½, no division by the number of rows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Result, check};
use crate::float::Float;
use crate::kernel;
use crate::part::{Configured, Member, Part, Room};

/// A penalty on the values of a tensor.
pub trait Regularizer<F: Float>: Send + Sync {
    /// The penalty.
    fn penalty(&self, weights: &[F]) -> f64;

    /// Adds the penalty's gradient.
    fn add_gradient(&self, weights: &[F], gradient: &mut [F]);

    /// Whether the gradient goes weight by weight, so that that of any slice of a tensor can be added on its own.
    fn is_elementwise(&self) -> bool {
        false
    }
}

/// The room of regularisers.
#[derive(Debug)]
pub enum Regularizers {}

/// Any regulariser: by value, or by name with `"l2".parse()`.
pub type AnyRegularizer = Part<Regularizers>;

impl Room for Regularizers {
    type Ops<F: Float> = dyn Regularizer<F>;
    const KIND: &'static str = "regularizer";

    fn members() -> &'static [Member<Self>] {
        const MEMBERS: &[Member<Regularizers>] =
            &[Member::of::<L1>(), Member::of::<L2>(), Member::of::<L1L2>()];
        MEMBERS
    }
}

impl<R: Configured + Regularizer<f32> + Regularizer<f64>> From<R> for AnyRegularizer {
    fn from(regularizer: R) -> Self {
        let part = Arc::new(regularizer);
        let single: Arc<dyn Regularizer<f32>> = part.clone();
        let double: Arc<dyn Regularizer<f64>> = part.clone();
        Part::assemble(part, single, double)
    }
}

/// `l1 · Σ |w|`; its gradient is `l1 · sign(w)`, 0 at 0.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `l1` | 0.01 (Keras) | finite, ≥ 0 |
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct L1 {
    /// The factor.
    pub l1: f64,
}

/// `l2 · Σ w²`; its gradient is `2 · l2 · w`.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `l2` | 0.01 (Keras) | finite, ≥ 0 |
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct L2 {
    /// The factor.
    pub l2: f64,
}

/// `l1 · Σ |w| + l2 · Σ w²`, also called the elastic net.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `l1` | 0 (Keras) | finite, ≥ 0 |
/// | `l2` | 0 (Keras) | finite, ≥ 0 |
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct L1L2 {
    /// The factor of the absolute values.
    pub l1: f64,
    /// The factor of the squares.
    pub l2: f64,
}

impl L1 {
    /// With that factor.
    #[must_use]
    pub fn new(l1: f64) -> Self {
        L1 { l1 }
    }
}

impl L2 {
    /// With that factor.
    #[must_use]
    pub fn new(l2: f64) -> Self {
        L2 { l2 }
    }
}

impl L1L2 {
    /// With those factors.
    #[must_use]
    pub fn new(l1: f64, l2: f64) -> Self {
        L1L2 { l1, l2 }
    }
}

impl Default for L1 {
    fn default() -> Self {
        L1 { l1: 0.01 }
    }
}

impl Default for L2 {
    fn default() -> Self {
        L2 { l2: 0.01 }
    }
}

fn check_factor(name: &str, factor: f64) -> Result<()> {
    check(name, factor, factor.is_finite() && factor >= 0.0, "finite and at least 0")
}

impl Configured for L1 {
    const NAME: &'static str = "l1";

    fn check(&self) -> Result<()> {
        check_factor("l1", self.l1)
    }
}

impl Configured for L2 {
    const NAME: &'static str = "l2";

    fn check(&self) -> Result<()> {
        check_factor("l2", self.l2)
    }
}

impl Configured for L1L2 {
    const NAME: &'static str = "l1_l2";
    const ALIASES: &'static [&'static str] = &["l1l2"];

    fn check(&self) -> Result<()> {
        check_factor("l1", self.l1)?;
        check_factor("l2", self.l2)
    }
}

impl<F: Float> Regularizer<F> for L1 {
    fn penalty(&self, weights: &[F]) -> f64 {
        self.l1 * kernel::sum_of_abs(weights)
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn add_gradient(&self, weights: &[F], gradient: &mut [F]) {
        L1L2::new(self.l1, 0.0).add_gradient(weights, gradient);
    }
}

impl<F: Float> Regularizer<F> for L2 {
    fn penalty(&self, weights: &[F]) -> f64 {
        self.l2 * kernel::sum_of_squares(weights)
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn add_gradient(&self, weights: &[F], gradient: &mut [F]) {
        L1L2::new(0.0, self.l2).add_gradient(weights, gradient);
    }
}

impl<F: Float> Regularizer<F> for L1L2 {
    fn penalty(&self, weights: &[F]) -> f64 {
        self.l1 * kernel::sum_of_abs(weights) + self.l2 * kernel::sum_of_squares(weights)
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn add_gradient(&self, weights: &[F], gradient: &mut [F]) {
        let (l1, twice_l2) = (F::of(self.l1), F::of(2.0 * self.l2));
        kernel::dispatch(
            #[inline(always)]
            || {
                for (g, &w) in gradient.iter_mut().zip(weights) {
                    let sign = if w > F::zero() {
                        l1
                    } else if w < F::zero() {
                        -l1
                    } else {
                        F::zero()
                    };
                    *g += sign + twice_l2 * w;
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn penalties_and_gradients_by_hand() {
        let w = [1.0, -2.0, 0.0, 0.5];
        assert_eq!(L1::new(0.1).penalty(&w), 0.1 * 3.5);
        assert_eq!(L2::new(0.1).penalty(&w), 0.1 * 5.25);
        assert_eq!(L1L2::new(0.1, 0.2).penalty(&w), 0.1 * 3.5 + 0.2 * 5.25);
        let mut g = [1.0; 4];
        L1L2::new(0.5, 0.25).add_gradient(&w, &mut g);
        assert_eq!(g, [1.0 + 0.5 + 0.5, 1.0 - 0.5 - 1.0, 1.0, 1.0 + 0.5 + 0.25]);
    }
}

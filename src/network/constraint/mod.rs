//! Constraints: what weights are made to obey after each update.
//!
//! The forms are Keras' with its `axis = 0`: a norm is that of the weights into one unit, a column of a kernel. A bias is
//! handed over as one column, so its norm is that of all biases of the layer.

use std::sync::Arc;

use crate::float::Float;
use crate::kernel;
use crate::part::{Configured, Member, Part, Room};

mod max_norm;
mod min_max_norm;
mod non_neg;
mod unit_norm;

pub use max_norm::MaxNorm;
pub use min_max_norm::MinMaxNorm;
pub use non_neg::NonNeg;
pub use unit_norm::UnitNorm;

/// A rule for the values of a tensor.
pub trait Constraint<F: Float>: Send + Sync {
    /// Changes the weights, `rows × columns`, to obey the rule. It allocates nothing.
    fn apply(&self, rows: usize, columns: usize, weights: &mut [F]);
}

/// The room of constraints.
#[derive(Debug)]
pub enum Constraints {}

/// Any constraint: by value, or by name with `"non_neg".parse()`.
pub type AnyConstraint = Part<Constraints>;

impl Room for Constraints {
    type Ops<F: Float> = dyn Constraint<F>;
    const KIND: &'static str = "constraint";

    fn members() -> &'static [Member<Self>] {
        const MEMBERS: &[Member<Constraints>] = &[
            Member::of::<MaxNorm>(),
            Member::of::<NonNeg>(),
            Member::of::<UnitNorm>(),
            Member::of::<MinMaxNorm>(),
        ];
        MEMBERS
    }
}

impl<C: Configured + Constraint<f32> + Constraint<f64>> From<C> for AnyConstraint {
    fn from(constraint: C) -> Self {
        let part = Arc::new(constraint);
        let single: Arc<dyn Constraint<f32>> = part.clone();
        let double: Arc<dyn Constraint<f64>> = part.clone();
        Part::assemble(part, single, double)
    }
}

/// Keras' guard against a norm of 0.
const EPSILON: f64 = 1e-7;

/// Columns whose norms are computed together.
const WIDTH: usize = 16;

/// Multiplies each column by `factor(norm)`. Norms are summed in `f64` from the first row to the last.
fn scale_columns<F: Float>(rows: usize, columns: usize, weights: &mut [F], factor: impl Fn(f64) -> f64) {
    debug_assert_eq!(weights.len(), rows * columns, "weights are (rows, columns)");
    kernel::dispatch(
        #[inline(always)]
        || {
            for at in (0..columns).step_by(WIDTH) {
                let width = WIDTH.min(columns - at);
                let mut factors = [0.0; WIDTH];
                for row in weights.chunks_exact(columns) {
                    for (sum, &w) in factors.iter_mut().zip(&row[at..at + width]) {
                        *sum += w.wide() * w.wide();
                    }
                }
                factors.iter_mut().for_each(|sum| *sum = factor(sum.sqrt()));
                for row in weights.chunks_exact_mut(columns) {
                    for (w, &factor) in row[at..at + width].iter_mut().zip(&factors) {
                        *w = F::of(w.wide() * factor);
                    }
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns (3, 4) and (0, 0.6): norms 5 and 0.6.
    fn applied(constraint: impl Into<AnyConstraint>) -> Vec<f64> {
        let mut w = vec![3.0, 0.0, -4.0, 0.6];
        constraint.into().ops::<f64>().apply(2, 2, &mut w);
        w.iter().map(|w| (w * 1e6).round() / 1e6).collect()
    }

    #[test]
    fn columns_obey_by_hand() {
        assert_eq!(applied(MaxNorm::new(2.0)), [1.2, 0.0, -1.6, 0.6]);
        assert_eq!(applied(NonNeg), [3.0, 0.0, 0.0, 0.6]);
        assert_eq!(applied(UnitNorm), [0.6, 0.0, -0.8, 1.0]);
        assert_eq!(applied(MinMaxNorm::new(0.8, 1.0)), [0.6, 0.0, -0.8, 0.8]);
        // Half the way from 5 to 1, and from 0.6 to 0.8.
        assert_eq!(applied(MinMaxNorm::new(0.8, 1.0).rate(0.5)), [1.8, 0.0, -2.4, 0.7]);
    }

    #[test]
    fn a_norm_of_0_stays_and_bounds_are_checked() {
        let mut w = [0.0_f32; 40];
        Constraint::apply(&UnitNorm, 2, 20, &mut w);
        assert_eq!(w, [0.0; 40]);
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(MaxNorm::new(bad).check().is_err(), "{bad}");
            assert!(MinMaxNorm::new(0.0, bad).check().is_err(), "{bad}");
            assert!(MinMaxNorm::new(0.0, 1.0).rate(bad - 1e-9).check().is_err(), "{bad}");
        }
        assert!(MinMaxNorm::new(2.0, 1.0).check().is_err());
    }
}

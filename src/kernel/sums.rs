//! Sums in an order that does not depend on the machine.
//!
//! Element `i` is added to lane `i mod 32`, in `f64` for both number types; then the upper half of the lanes is added
//! to the lower half until one is left. Thirty-two lanes fill four AVX-512 registers, enough to hide the latency of
//! an addition, and on any other machine they are the same thirty-two lanes.

use super::{Scalar, dispatch};

const LANES: usize = 32;

/// `Σ f(lane, element)`, the structure all sums share.
#[inline(always)]
fn lanes<S: Scalar>(values: &[S], add: impl Fn(f64, f64) -> f64 + Copy) -> f64 {
    dispatch(
        #[inline(always)]
        || {
            let mut lanes = [0.0f64; LANES];
            let (blocks, tail) = values.as_chunks::<LANES>();
            for block in blocks {
                for (lane, value) in lanes.iter_mut().zip(block) {
                    *lane = add(*lane, value.s_to_f64());
                }
            }
            for (lane, value) in lanes.iter_mut().zip(tail) {
                *lane = add(*lane, value.s_to_f64());
            }
            fold(lanes)
        },
    )
}

#[inline(always)]
fn fold(mut lanes: [f64; LANES]) -> f64 {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// `Σ v`.
#[must_use]
pub fn sum<S: Scalar>(values: &[S]) -> f64 {
    lanes(
        values,
        #[inline(always)]
        |lane, v| lane + v,
    )
}

/// `Σ v²`.
#[must_use]
pub fn sum_of_squares<S: Scalar>(values: &[S]) -> f64 {
    lanes(
        values,
        #[inline(always)]
        |lane, v| v.s_fma(v, lane),
    )
}

/// `Σ |v|`.
#[must_use]
pub fn sum_of_abs<S: Scalar>(values: &[S]) -> f64 {
    lanes(
        values,
        #[inline(always)]
        |lane, v| lane + v.s_abs(),
    )
}

/// `Σ aᵢ·bᵢ`.
///
/// # Panics
///
/// If the lengths differ.
#[must_use]
pub fn dot<S: Scalar>(a: &[S], b: &[S]) -> f64 {
    assert_eq!(a.len(), b.len(), "a and b have one length");
    dispatch(
        #[inline(always)]
        || {
            let mut lanes = [0.0f64; LANES];
            let (a_blocks, a_tail) = a.as_chunks::<LANES>();
            let (b_blocks, b_tail) = b.as_chunks::<LANES>();
            for (a, b) in a_blocks.iter().zip(b_blocks) {
                for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
                    *lane = a.s_to_f64().s_fma(b.s_to_f64(), *lane);
                }
            }
            for (lane, (a, b)) in lanes.iter_mut().zip(a_tail.iter().zip(b_tail)) {
                *lane = a.s_to_f64().s_fma(b.s_to_f64(), *lane);
            }
            fold(lanes)
        },
    )
}

/// `db[o] = Σᵣ dz[r,o]`: the gradient of the bias.
///
/// Row `r` is added to chain `r mod 4` of its column; the chains end as `(0 + 1) + (2 + 3)`.
///
/// # Shapes
///
/// `dz` `(rows, cols)`, `db` `(cols,)`.
///
/// # Panics
///
/// If a slice has another length than its shape.
pub fn column_sums<S: Scalar>(rows: usize, cols: usize, dz: &[S], db: &mut [S]) {
    assert_eq!(dz.len(), rows * cols, "dz is (rows, cols)");
    assert_eq!(db.len(), cols, "db is (cols,)");
    for (o, db) in db.iter_mut().enumerate() {
        let mut chains = [S::default(); 4];
        for r in 0..rows {
            chains[r % 4] += dz[r * cols + o];
        }
        *db = (chains[0] + chains[1]) + (chains[2] + chains[3]);
    }
}

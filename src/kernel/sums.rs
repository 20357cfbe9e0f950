//! Sums in an order that does not depend on the machine.
//!
//! Element `i` is added to lane `i mod 32`, in `f64` for both number types; then the upper half of the lanes is added
//! to the lower half until one is left. Thirty-two lanes fill four AVX-512 registers, enough to hide the latency of
//! an addition, and on any other machine they are the same thirty-two lanes.
//!
//! The loops convert, then add, by index: written in one step or with iterators, LLVM leaves them scalar.
#![allow(clippy::needless_range_loop, reason = "see above")]

use super::{Scalar, dispatch, is_shape};

const LANES: usize = 32;

/// Independent chains of a column's sum.
const CHAINS: usize = 4;

/// The structure all sums share: `add` takes a lane and the next element for it.
#[inline(always)]
fn lanes<S: Scalar>(values: &[S], add: impl Fn(f64, f64) -> f64 + Copy) -> f64 {
    let (blocks, tail) = values.as_chunks::<LANES>();
    dispatch(
        #[inline(always)]
        || {
            let mut lanes = [0.0f64; LANES];
            for block in blocks {
                let mut wide = [0.0f64; LANES];
                for i in 0..LANES {
                    wide[i] = block[i].s_to_f64();
                }
                for i in 0..LANES {
                    lanes[i] = add(lanes[i], wide[i]);
                }
            }
            for (i, value) in tail.iter().enumerate() {
                lanes[i] = add(lanes[i], value.s_to_f64());
            }
            fold(lanes)
        },
    )
}

/// Adds the upper half of the lanes to the lower until one is left.
#[inline(always)]
fn fold(mut lanes: [f64; LANES]) -> f64 {
    for i in 0..16 {
        lanes[i] += lanes[i + 16];
    }
    for i in 0..8 {
        lanes[i] += lanes[i + 8];
    }
    for i in 0..4 {
        lanes[i] += lanes[i + 4];
    }
    (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
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

/// The largest `|v|`: 0 of nothing, NaN if a value is NaN. Any order gives the same.
#[must_use]
pub fn largest_magnitude<S: Scalar>(values: &[S]) -> S {
    let (blocks, tail) = values.as_chunks::<LANES>();
    dispatch(
        #[inline(always)]
        || {
            // Bits without the sign order as magnitudes do, infinity above all numbers and NaN above infinity.
            let mut lanes = [S::default().s_magnitude(); LANES];
            for block in blocks {
                for i in 0..LANES {
                    lanes[i] = lanes[i].max(block[i].s_magnitude());
                }
            }
            for (i, value) in tail.iter().enumerate() {
                lanes[i] = lanes[i].max(value.s_magnitude());
            }
            S::s_of_magnitude(lanes.into_iter().fold(lanes[0], Ord::max))
        },
    )
}

/// Whether every value is a number: neither NaN nor infinite.
#[must_use]
pub fn all_finite<S: Scalar>(values: &[S]) -> bool {
    largest_magnitude(values).s_to_f64().is_finite()
}

/// `Σ aᵢ·bᵢ`.
///
/// # Panics
///
/// If the lengths differ.
#[must_use]
pub fn dot<S: Scalar>(a: &[S], b: &[S]) -> f64 {
    assert_eq!(a.len(), b.len(), "a and b have one length");
    let (a_blocks, a_tail) = a.as_chunks::<LANES>();
    let (b_blocks, b_tail) = b.as_chunks::<LANES>();
    dispatch(
        #[inline(always)]
        || {
            let mut lanes = [0.0f64; LANES];
            for (a, b) in a_blocks.iter().zip(b_blocks) {
                let (mut wide_a, mut wide_b) = ([0.0f64; LANES], [0.0f64; LANES]);
                for i in 0..LANES {
                    wide_a[i] = a[i].s_to_f64();
                }
                for i in 0..LANES {
                    wide_b[i] = b[i].s_to_f64();
                }
                for i in 0..LANES {
                    lanes[i] = wide_a[i].s_fma(wide_b[i], lanes[i]);
                }
            }
            for (i, (a, b)) in a_tail.iter().zip(b_tail).enumerate() {
                lanes[i] = a.s_to_f64().s_fma(b.s_to_f64(), lanes[i]);
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
    assert!(is_shape(dz.len(), rows, cols), "dz is (rows, cols)");
    assert_eq!(db.len(), cols, "db is (cols,)");
    if cols == 0 {
        return;
    }
    dispatch(
        #[inline(always)]
        || {
            let mut at = 0;
            at = blocks_of_columns::<S, 64>(at, cols, dz, db);
            at = blocks_of_columns::<S, 16>(at, cols, dz, db);
            at = blocks_of_columns::<S, 4>(at, cols, dz, db);
            blocks_of_columns::<S, 1>(at, cols, dz, db);
        },
    );
}

/// Sums blocks of `WIDTH` columns from column `at` on, as many as there are, and returns the first column left.
#[inline(always)]
fn blocks_of_columns<S: Scalar, const WIDTH: usize>(
    mut at: usize,
    cols: usize,
    dz: &[S],
    db: &mut [S],
) -> usize {
    while at + WIDTH <= cols {
        let mut chains = [[S::default(); WIDTH]; CHAINS];
        for rows in dz.chunks(CHAINS * cols) {
            for (chain, row) in chains.iter_mut().zip(rows.chunks_exact(cols)) {
                for (sum, &value) in chain.iter_mut().zip(&row[at..at + WIDTH]) {
                    *sum += value;
                }
            }
        }
        for (o, db) in db[at..at + WIDTH].iter_mut().enumerate() {
            *db = (chains[0][o] + chains[1][o]) + (chains[2][o] + chains[3][o]);
        }
        at += WIDTH;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Path, with_path};

    /// Values of very different size, so that any other order shows.
    fn values<S: Scalar>(len: usize) -> Vec<S> {
        (0..len)
            .map(|i| S::s_from_f64(((i * 7919 % 1000) as f64 - 499.3) * 1.37f64.powi((i % 37) as i32)))
            .collect()
    }

    /// Element `i` into lane `i mod 32`, then halves onto halves.
    fn as_documented(terms: impl Iterator<Item = f64>) -> f64 {
        let mut lanes = vec![0.0; 32];
        terms.enumerate().for_each(|(i, term)| lanes[i % 32] += term);
        while lanes.len() > 1 {
            let upper = lanes.split_off(lanes.len() / 2);
            lanes.iter_mut().zip(upper).for_each(|(a, b)| *a += b);
        }
        lanes[0]
    }

    fn check_sums<S: Scalar>() {
        for len in [0, 1, 5, 31, 32, 33, 100, 1000] {
            let v = values::<S>(len);
            let expected = as_documented(v.iter().map(|v| v.s_to_f64()));
            let first = (sum_of_squares(&v), sum_of_abs(&v), dot(&v, &v));
            assert!(first.0.to_bits() == first.2.to_bits(), "a sum of squares is a dot product");
            for path in Path::available() {
                with_path(path, || {
                    assert_eq!(sum(&v).to_bits(), expected.to_bits(), "{len} on {path:?}");
                    let all = (sum_of_squares(&v), sum_of_abs(&v), dot(&v, &v));
                    assert!(all == first, "{len} on {path:?}");
                });
            }
        }
    }

    fn check_columns<S: Scalar>(rows: usize, cols: usize) {
        let dz = values::<S>(rows * cols);
        for path in Path::available() {
            let mut db = vec![S::s_from_f64(f64::NAN); cols];
            with_path(path, || column_sums(rows, cols, &dz, &mut db));
            for (o, &db) in db.iter().enumerate() {
                let chain = |first: usize| {
                    (first..rows).step_by(4).fold(S::default(), |sum, r| sum + dz[r * cols + o])
                };
                assert!(db == (chain(0) + chain(1)) + (chain(2) + chain(3)), "{rows}×{cols} on {path:?}");
            }
        }
    }

    #[test]
    fn sums_are_the_documented_tree_on_every_path() {
        check_sums::<f32>();
        check_sums::<f64>();
    }

    fn check_largest<S: Scalar>() {
        for len in [1, 5, 31, 32, 33, 100, 1000] {
            let v = values::<S>(len);
            let expected = v.iter().fold(0.0, |largest, v| v.s_to_f64().abs().max(largest));
            for path in Path::available() {
                with_path(path, || {
                    assert!(largest_magnitude(&v).s_to_f64() == expected, "{len} on {path:?}");
                    assert!(all_finite(&v), "{len} on {path:?}");
                    for place in [0, len / 2, len - 1] {
                        let with = |value: f64| {
                            let mut v = v.clone();
                            v[place] = S::s_from_f64(value);
                            v
                        };
                        assert!(largest_magnitude(&with(f64::NEG_INFINITY)).s_to_f64() == f64::INFINITY);
                        assert!(largest_magnitude(&with(f64::NAN)).s_to_f64().is_nan());
                        assert!(largest_magnitude(&with(-f64::NAN)).s_to_f64().is_nan());
                        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                            assert!(!all_finite(&with(value)), "{value} at {place} of {len} on {path:?}");
                        }
                    }
                });
            }
        }
        assert!(largest_magnitude::<S>(&[]).s_to_f64() == 0.0 && all_finite::<S>(&[]));
    }

    #[test]
    fn the_largest_magnitude_sees_what_is_no_number_on_every_path() {
        check_largest::<f32>();
        check_largest::<f64>();
    }

    #[test]
    fn column_sums_are_four_chains_on_every_path() {
        for rows in [0, 1, 2, 3, 4, 5, 31, 200] {
            for cols in [0, 1, 2, 3, 4, 7, 10, 16, 21, 64, 65, 128, 149] {
                check_columns::<f32>(rows, cols);
                check_columns::<f64>(rows, cols);
            }
        }
    }
}

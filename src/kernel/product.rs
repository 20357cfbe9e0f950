//! The three matrix products of a dense layer.

use super::multiply::Product;
use super::{Scalar, is_shape};
use std::ops::Range;
use std::ptr::null;

/// `z[r,o] = bias[o] + Σᵢ x[r,i]·w[i,o]`: a dense layer before its activation.
///
/// # Shapes
///
/// `x` `(rows, fan_in)`, `w` `(fan_in, fan_out)`, `bias` `(fan_out,)` or none for zeros, `z` `(rows, fan_out)`.
///
/// # Panics
///
/// If a slice has another length than its shape.
pub fn dense_forward<S: Scalar>(
    rows: usize,
    fan_in: usize,
    fan_out: usize,
    x: &[S],
    w: &[S],
    bias: Option<&[S]>,
    z: &mut [S],
) {
    assert!(is_shape(x.len(), rows, fan_in), "x is (rows, fan_in)");
    assert!(is_shape(w.len(), fan_in, fan_out), "w is (fan_in, fan_out)");
    assert!(bias.is_none_or(|bias| bias.len() == fan_out), "bias is (fan_out,)");
    assert!(is_shape(z.len(), rows, fan_out), "z is (rows, fan_out)");
    let product = Product {
        m: rows,
        n: fan_out,
        k: fan_in,
        a: x.as_ptr(),
        a_row: fan_in,
        a_col: 1,
        b: w.as_ptr(),
        b_row: fan_out,
        start: bias.map_or(null(), <[S]>::as_ptr),
        start_row: 0,
        c: z.as_mut_ptr(),
        c_row: fan_out,
    };
    // SAFETY: the slices have the shapes the product names, and `z` is borrowed mutably.
    unsafe { S::s_multiply(&product) }
}

/// `dx[r,i] = Σₒ dz[r,o]·w[i,o]`: what reaches the layer below.
///
/// Takes `wt`, the [`transpose`](super::transpose()) of `w`, made once a step and shared by all rows.
///
/// # Shapes
///
/// `dz` `(rows, fan_out)`, `wt` `(fan_out, fan_in)`, `dx` `(rows, fan_in)`.
///
/// # Panics
///
/// If a slice has another length than its shape.
pub fn dense_input_gradient<S: Scalar>(
    rows: usize,
    fan_in: usize,
    fan_out: usize,
    dz: &[S],
    wt: &[S],
    dx: &mut [S],
) {
    dense_forward(rows, fan_out, fan_in, dz, wt, None, dx);
}

/// `dw[i,o] = Σᵣ x[r,i]·dz[r,o]` for `i` in `range`, so that threads can share the work.
///
/// # Shapes
///
/// `x` `(rows, fan_in)`, `dz` `(rows, fan_out)`, `dw` `(range.len(), fan_out)`.
///
/// # Panics
///
/// If a slice has another length than its shape, or `range` reaches beyond `fan_in`.
pub fn dense_weight_gradient<S: Scalar>(
    rows: usize,
    fan_in: usize,
    fan_out: usize,
    range: Range<usize>,
    x: &[S],
    dz: &[S],
    dw: &mut [S],
) {
    assert!(range.start <= range.end && range.end <= fan_in, "range lies within fan_in");
    assert!(is_shape(x.len(), rows, fan_in), "x is (rows, fan_in)");
    assert!(is_shape(dz.len(), rows, fan_out), "dz is (rows, fan_out)");
    assert!(is_shape(dw.len(), range.len(), fan_out), "dw is (range, fan_out)");
    let product = Product {
        m: range.len(),
        n: fan_out,
        k: rows,
        a: x.as_ptr().wrapping_add(range.start),
        a_row: 1,
        a_col: fan_in,
        b: dz.as_ptr(),
        b_row: fan_out,
        start: null(),
        start_row: 0,
        c: dw.as_mut_ptr(),
        c_row: fan_out,
    };
    // SAFETY: the slices have the shapes the product names, the range lies within them, `dw` is borrowed mutably.
    unsafe { S::s_multiply(&product) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Path, transpose, with_path};

    const SIZES: [usize; 16] = [1, 2, 3, 7, 8, 13, 15, 16, 17, 31, 33, 64, 65, 127, 128, 200];

    /// Numbers with random mantissas, so that any other order of a sum shows in the bits.
    pub(super) fn noise<S: Scalar>(len: usize, seed: u64) -> Vec<S> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        (0..len)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                S::s_from_f64((state >> 11) as f64 / (1u64 << 52) as f64 - 1.0)
            })
            .collect()
    }

    /// `start + a·b` as the promise words it.
    fn chain<S: Scalar>(start: S, pairs: impl Iterator<Item = (S, S)>) -> S {
        pairs.fold(start, |sum, (a, b)| a.s_fma(b, sum))
    }

    fn bits<S: Scalar>(values: &[S]) -> Vec<u64> {
        values.iter().map(|v| v.s_to_f64().to_bits()).collect()
    }

    /// All three products of a layer against the chains, on every path.
    fn check<S: Scalar>(rows: usize, fan_in: usize, fan_out: usize) {
        let x = noise::<S>(rows * fan_in, 1);
        let w = noise::<S>(fan_in * fan_out, 2);
        let bias = noise::<S>(fan_out, 3);
        let dz = noise::<S>(rows * fan_out, 4);
        let mut wt = vec![S::default(); w.len()];
        transpose(fan_in, fan_out, &w, &mut wt);

        let of = |height: usize, width: usize, f: &dyn Fn(usize, usize) -> S| -> Vec<S> {
            (0..height * width).map(|at| f(at / width, at % width)).collect()
        };
        let z_start = |r: usize, o: usize, start: S| {
            chain(start, (0..fan_in).map(|i| (x[r * fan_in + i], w[i * fan_out + o])))
        };
        let z = of(rows, fan_out, &|r, o| z_start(r, o, bias[o]));
        let z_plain = of(rows, fan_out, &|r, o| z_start(r, o, S::default()));
        let dx = of(rows, fan_in, &|r, i| {
            chain(S::default(), (0..fan_out).map(|o| (dz[r * fan_out + o], w[i * fan_out + o])))
        });
        let dw = of(fan_in, fan_out, &|i, o| {
            chain(S::default(), (0..rows).map(|r| (x[r * fan_in + i], dz[r * fan_out + o])))
        });

        for path in Path::available() {
            with_path(path, || {
                let what = format!("{rows}×{fan_in}×{fan_out} on {path:?}");
                same(&z, &format!("z {what}"), |out| {
                    dense_forward(rows, fan_in, fan_out, &x, &w, Some(&bias), out);
                });
                same(&z_plain, &format!("z without bias {what}"), |out| {
                    dense_forward(rows, fan_in, fan_out, &x, &w, None, out);
                });
                same(&dx, &format!("dx {what}"), |out| {
                    dense_input_gradient(rows, fan_in, fan_out, &dz, &wt, out);
                });
                same(&dw, &format!("dw {what}"), |out| {
                    dense_weight_gradient(rows, fan_in, fan_out, 0..fan_in, &x, &dz, out);
                });
                same(&dw, &format!("dw in two ranges {what}"), |out| {
                    let cut = fan_in / 3;
                    let (low, high) = out.split_at_mut(cut * fan_out);
                    dense_weight_gradient(rows, fan_in, fan_out, cut..fan_in, &x, &dz, high);
                    dense_weight_gradient(rows, fan_in, fan_out, 0..cut, &x, &dz, low);
                });
                same(&z, &format!("z in two blocks of rows {what}"), |out| {
                    let cut = rows / 3;
                    let (low, high) = out.split_at_mut(cut * fan_out);
                    let (x_low, x_high) = x.split_at(cut * fan_in);
                    dense_forward(rows - cut, fan_in, fan_out, x_high, &w, Some(&bias), high);
                    dense_forward(cut, fan_in, fan_out, x_low, &w, Some(&bias), low);
                });
            });
        }
    }

    /// Runs `product` and compares: NaN stands where nothing was written, and behind the end, where it must stay.
    fn same<S: Scalar>(expected: &[S], what: &str, product: impl FnOnce(&mut [S])) {
        const GUARD: usize = 40;
        let mut out = vec![S::s_from_f64(f64::NAN); expected.len() + GUARD];
        product(&mut out[..expected.len()]);
        let (out, guard) = out.split_at(expected.len());
        assert!(bits(out) == bits(expected), "{what}");
        assert!(guard.iter().all(|v| v.s_to_f64().is_nan()), "{what} wrote behind the end");
    }

    #[test]
    fn products_are_chains_of_fused_multiply_adds_for_all_small_sizes() {
        for rows in 0..=18 {
            for fan_in in 0..=9 {
                for fan_out in 0..=18 {
                    check::<f32>(rows, fan_in, fan_out);
                    check::<f64>(rows, fan_in, fan_out);
                }
            }
        }
    }

    #[test]
    fn products_are_chains_of_fused_multiply_adds_for_odd_sizes() {
        for (at, rows) in SIZES.into_iter().enumerate() {
            for (step, fan_out) in SIZES.into_iter().enumerate() {
                // Not all triples: every pair of outer sizes, with the inner sizes in turn.
                let fan_in = SIZES[(at + 3 * step) % SIZES.len()];
                check::<f32>(rows, fan_in, fan_out);
                check::<f64>(rows, fan_out, fan_in);
            }
        }
    }

    #[test]
    fn long_chains_are_cut_without_a_trace() {
        for (rows, fan_in, fan_out) in
            [(5, 784, 10), (13, 300, 17), (600, 3, 33), (20, 5, 700), (1, 1000, 130)]
        {
            check::<f32>(rows, fan_in, fan_out);
            check::<f64>(rows, fan_in, fan_out);
        }
    }

    #[test]
    fn sizes_whose_product_wraps_are_no_shape() {
        // `HALF` rows of four are none when the product is not looked at: each call would reach beyond its slices.
        const HALF: usize = 1 << (usize::BITS - 2);
        let panics = |call: fn()| std::panic::catch_unwind(call).is_err();
        assert!(panics(|| dense_forward::<f32>(HALF, 4, 4, &[], &[1.0; 16], None, &mut [])));
        assert!(panics(|| dense_forward::<f32>(4, HALF, 4, &[], &[], None, &mut [0.0; 16])));
        assert!(panics(|| dense_forward::<f64>(4, 4, HALF, &[1.0; 16], &[], None, &mut [])));
        assert!(panics(|| dense_input_gradient::<f32>(HALF, 4, 4, &[], &[1.0; 16], &mut [])));
        assert!(panics(|| dense_weight_gradient::<f32>(HALF, 4, 4, 0..4, &[], &[], &mut [0.0; 16])));
        assert!(panics(|| dense_weight_gradient::<f32>(4, HALF, 4, 0..HALF, &[], &[1.0; 16], &mut [])));
        assert!(panics(|| transpose::<f32>(HALF, 4, &[], &mut [])));
        assert!(panics(|| crate::kernel::column_sums::<f32>(HALF, 4, &[], &mut [0.0; 4])));
        assert!(panics(|| crate::kernel::gather_rows::<f32>(&[], HALF, 1, &[0; 4], &mut [])));
        transpose::<f32>(usize::MAX, 0, &[], &mut []);
    }

    #[test]
    #[should_panic(expected = "w is (fan_in, fan_out)")]
    fn a_wrong_length_panics() {
        dense_forward::<f32>(1, 2, 3, &[0.0; 2], &[0.0; 5], None, &mut [0.0; 3]);
    }
}

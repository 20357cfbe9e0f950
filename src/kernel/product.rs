//! The three matrix products of a dense layer.

use super::Scalar;
use std::ops::Range;

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
    assert_eq!(x.len(), rows * fan_in, "x is (rows, fan_in)");
    assert_eq!(w.len(), fan_in * fan_out, "w is (fan_in, fan_out)");
    assert!(bias.is_none_or(|bias| bias.len() == fan_out), "bias is (fan_out,)");
    assert_eq!(z.len(), rows * fan_out, "z is (rows, fan_out)");
    for r in 0..rows {
        for o in 0..fan_out {
            let start = bias.map_or(S::default(), |bias| bias[o]);
            z[r * fan_out + o] =
                (0..fan_in).fold(start, |sum, i| x[r * fan_in + i].s_fma(w[i * fan_out + o], sum));
        }
    }
}

/// `dx[r,i] = Σₒ dz[r,o]·w[i,o]`: what reaches the layer below.
///
/// Takes `wt`, the [`transpose`](super::transpose) of `w`, made once a step and shared by all rows.
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
    assert_eq!(x.len(), rows * fan_in, "x is (rows, fan_in)");
    assert_eq!(dz.len(), rows * fan_out, "dz is (rows, fan_out)");
    assert_eq!(dw.len(), range.len() * fan_out, "dw is (range, fan_out)");
    for (row, i) in range.enumerate() {
        for o in 0..fan_out {
            dw[row * fan_out + o] =
                (0..rows).fold(S::default(), |sum, r| x[r * fan_in + i].s_fma(dz[r * fan_out + o], sum));
        }
    }
}

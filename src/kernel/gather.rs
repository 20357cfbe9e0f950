//! A batch of rows, collected from a shuffled order.

use super::Scalar;

/// Copies row `rows[i]` of `src` to row `i` of `dst`.
///
/// # Shapes
///
/// Row `r` of `src` is the `row_len` elements from `r·stride`; `dst` is `(rows.len(), row_len)`, dense.
///
/// # Panics
///
/// If a row lies outside `src`, or `dst` has another length than its shape.
pub fn gather_rows<S: Scalar>(src: &[S], row_len: usize, stride: usize, rows: &[usize], dst: &mut [S]) {
    assert_eq!(dst.len(), rows.len() * row_len, "dst is (rows, row_len)");
    if row_len == 0 {
        return;
    }
    for (&row, dst) in rows.iter().zip(dst.chunks_exact_mut(row_len)) {
        dst.copy_from_slice(&src[row * stride..][..row_len]);
    }
}

//! Rows to columns.

use super::Scalar;

/// `dst[c,r] = src[r,c]`.
///
/// # Shapes
///
/// `src` `(rows, cols)`, `dst` `(cols, rows)`.
///
/// # Panics
///
/// If a slice has another length than its shape.
pub fn transpose<S: Scalar>(rows: usize, cols: usize, src: &[S], dst: &mut [S]) {
    assert_eq!(src.len(), rows * cols, "src is (rows, cols)");
    assert_eq!(dst.len(), rows * cols, "dst is (cols, rows)");
    for r in 0..rows {
        for c in 0..cols {
            dst[c * rows + r] = src[r * cols + c];
        }
    }
}

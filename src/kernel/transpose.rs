//! Rows to columns.

use super::{Scalar, is_shape};

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
    assert!(is_shape(src.len(), rows, cols), "src is (rows, cols)");
    assert!(is_shape(dst.len(), rows, cols), "dst is (cols, rows)");
    if rows <= 1 || cols <= 1 {
        dst.copy_from_slice(src);
        return;
    }
    // SAFETY: the slices have the shapes, and `dst` is borrowed mutably.
    unsafe { transpose_strided(rows, cols, src.as_ptr(), cols, dst.as_mut_ptr(), rows) }
}

/// `dst[c,r] = src[r,c]` for matrices whose rows lie `src_row` and `dst_row` elements apart.
///
/// # Safety
///
/// `src` holds `rows` rows of `cols` elements, `dst` `cols` rows of `rows` elements, and they do not overlap.
pub(super) unsafe fn transpose_strided<S: Scalar>(
    rows: usize,
    cols: usize,
    src: *const S,
    src_row: usize,
    dst: *mut S,
    dst_row: usize,
) {
    let side = 32 / size_of::<S>();
    let (whole_rows, whole_cols) = (rows / side * side, cols / side * side);
    // SAFETY: blocks and single elements lie within `rows` and `cols`.
    unsafe {
        S::s_transpose_blocks(whole_rows, whole_cols, src, src_row, dst, dst_row);
        // What the blocks left: the right edge, and all of the rows below them.
        for r in if whole_cols == cols { whole_rows } else { 0 }..rows {
            for c in if r < whole_rows { whole_cols } else { 0 }..cols {
                dst.add(c * dst_row + r).write(src.add(r * src_row + c).read());
            }
        }
    }
}

/// Blocks of 8×8 (`f32`) or 4×4 (`f64`), element by element; `rows` and `cols` are multiples of `SIDE`.
///
/// # Safety
///
/// As for [`transpose_strided`].
pub(super) unsafe fn blocks_portable<S: Scalar, const SIDE: usize>(
    rows: usize,
    cols: usize,
    src: *const S,
    src_row: usize,
    dst: *mut S,
    dst_row: usize,
) {
    for (r, c) in (0..rows).step_by(SIDE).flat_map(|r| (0..cols).step_by(SIDE).map(move |c| (r, c))) {
        for j in 0..SIDE {
            for i in 0..SIDE {
                // SAFETY: `r + i < rows` and `c + j < cols`.
                unsafe { dst.add((c + j) * dst_row + r + i).write(src.add((r + i) * src_row + c + j).read()) }
            }
        }
    }
}

/// As [`blocks_portable`], each block in eight registers.
///
/// Its halves are joined while they are loaded: rows `i` and `i + 4` share a register, so that only steps within
/// 128 bits remain, which every core does at full speed.
///
/// # Safety
///
/// As for [`transpose_strided`], on a CPU with AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn blocks_f32(
    rows: usize,
    cols: usize,
    src: *const f32,
    src_row: usize,
    dst: *mut f32,
    dst_row: usize,
) {
    use std::arch::x86_64::*;
    for r in (0..rows).step_by(8) {
        for c in (0..cols).step_by(4) {
            // SAFETY: rows `r..r + 8` and columns `c..c + 4` lie within the matrix.
            unsafe {
                let from = src.add(r * src_row + c);
                let pair = |i: usize| {
                    let low = _mm256_castps128_ps256(_mm_loadu_ps(from.add(i * src_row)));
                    _mm256_insertf128_ps::<1>(low, _mm_loadu_ps(from.add((i + 4) * src_row)))
                };
                let (a, b, c_, d) = (pair(0), pair(1), pair(2), pair(3));
                let (low, high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                let (low_2, high_2) = (_mm256_unpacklo_ps(c_, d), _mm256_unpackhi_ps(c_, d));
                let to = dst.add(c * dst_row + r);
                _mm256_storeu_ps(to, _mm256_shuffle_ps::<0x44>(low, low_2));
                _mm256_storeu_ps(to.add(dst_row), _mm256_shuffle_ps::<0xee>(low, low_2));
                _mm256_storeu_ps(to.add(2 * dst_row), _mm256_shuffle_ps::<0x44>(high, high_2));
                _mm256_storeu_ps(to.add(3 * dst_row), _mm256_shuffle_ps::<0xee>(high, high_2));
            }
        }
    }
}

/// As [`blocks_f32`], for blocks of 4×4.
///
/// # Safety
///
/// As for [`transpose_strided`], on a CPU with AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn blocks_f64(
    rows: usize,
    cols: usize,
    src: *const f64,
    src_row: usize,
    dst: *mut f64,
    dst_row: usize,
) {
    use std::arch::x86_64::*;
    for r in (0..rows).step_by(4) {
        for c in (0..cols).step_by(2) {
            // SAFETY: rows `r..r + 4` and columns `c..c + 2` lie within the matrix.
            unsafe {
                let from = src.add(r * src_row + c);
                let pair = |i: usize| {
                    let low = _mm256_castpd128_pd256(_mm_loadu_pd(from.add(i * src_row)));
                    _mm256_insertf128_pd::<1>(low, _mm_loadu_pd(from.add((i + 2) * src_row)))
                };
                let (a, b) = (pair(0), pair(1));
                let to = dst.add(c * dst_row + r);
                _mm256_storeu_pd(to, _mm256_unpacklo_pd(a, b));
                _mm256_storeu_pd(to.add(dst_row), _mm256_unpackhi_pd(a, b));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Path, with_path};

    fn check<S: Scalar>(rows: usize, cols: usize) {
        let src: Vec<S> = (0..rows * cols).map(|i| S::s_from_f64(i as f64)).collect();
        for path in Path::available() {
            let mut dst = vec![S::s_from_f64(-1.0); src.len()];
            with_path(path, || transpose(rows, cols, &src, &mut dst));
            for (at, &value) in dst.iter().enumerate() {
                assert!(value == src[at % rows * cols + at / rows], "{rows}×{cols} on {path:?}");
            }
        }
    }

    #[test]
    fn every_element_changes_its_place() {
        for rows in 0..20 {
            for cols in 0..20 {
                check::<f32>(rows, cols);
                check::<f64>(rows, cols);
            }
        }
        check::<f32>(65, 127);
        check::<f64>(33, 128);
    }
}

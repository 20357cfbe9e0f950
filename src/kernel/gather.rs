//! A batch of rows, collected from a shuffled order.

use super::Scalar;

/// How far ahead of the copy rows are asked for, in bytes: enough to cover a trip to memory for short rows, one row
/// ahead for long ones.
const AHEAD: usize = 2048;

/// Copies row `rows[i]` of `src` to row `i` of `dst`.
///
/// Shuffled rows defeat the CPU's own prefetching, so the rows to come are asked for while one is copied.
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
    let ahead = (AHEAD / (row_len * size_of::<S>())).max(1);
    for (i, (&row, dst)) in rows.iter().zip(dst.chunks_exact_mut(row_len)).enumerate() {
        if let Some(&next) = rows.get(i + ahead) {
            prefetch(src.as_ptr().wrapping_add(next.wrapping_mul(stride)), row_len);
        }
        dst.copy_from_slice(&src[row * stride..][..row_len]);
    }
}

/// Asks for `len` elements from `start`. Only a hint: the address need not be valid.
#[inline(always)]
fn prefetch<S>(start: *const S, len: usize) {
    #[cfg(target_arch = "x86_64")]
    for byte in (0..len * size_of::<S>()).step_by(super::ALIGN) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 CPU has SSE, and a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(start.cast::<i8>().wrapping_add(byte)) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (start, len);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_arrive_in_the_order_asked_for() {
        let src: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let mut dst = [0.0; 6];
        gather_rows(&src, 2, 3, &[3, 0, 3], &mut dst);
        assert_eq!(dst.map(|v| v as usize), [9, 10, 0, 1, 9, 10]);
        gather_rows(&src, 0, 3, &[3, 0], &mut []);
    }

    #[test]
    #[should_panic(expected = "out of range")]
    fn a_row_outside_panics() {
        gather_rows(&[0.0f64; 6], 2, 2, &[0, 3], &mut [0.0; 4]);
    }
}

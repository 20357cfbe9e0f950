//! A batch of rows, collected from a shuffled order.

use super::ahead::{ROWS_TOGETHER, look_up, prefetch};
use super::{ALIGN, Scalar, is_shape};

/// How far ahead of the copy rows are asked for, in bytes: enough to cover a trip to memory for short rows, one row
/// ahead for long ones.
const AHEAD: usize = 2048;
/// Longer rows span pages enough to look them up together.
const LONG: usize = 1024;

/// Copies row `rows[i]` of `src` to row `i` of `dst`.
///
/// Shuffled rows defeat the CPU's own prefetching, so the rows to come are asked for while one is copied; those that have
/// been [announced](super::announce_rows) are in the cache by then.
///
/// # Shapes
///
/// Row `r` of `src` is the `row_len` elements from `r·stride`; `dst` is `(rows.len(), row_len)`, dense.
///
/// # Panics
///
/// If a row lies outside `src`, or `dst` has another length than its shape.
pub fn gather_rows<S: Scalar>(src: &[S], row_len: usize, stride: usize, rows: &[usize], dst: &mut [S]) {
    assert!(is_shape(dst.len(), rows.len(), row_len), "dst is (rows, row_len)");
    if dst.is_empty() {
        return;
    }
    let bytes = row_len * size_of::<S>();
    let address = |row: usize| src.as_ptr().wrapping_add(row.wrapping_mul(stride));
    let ahead = (AHEAD / bytes).max(1);
    for (i, (&row, dst)) in rows.iter().zip(dst.chunks_exact_mut(row_len)).enumerate() {
        if bytes >= LONG && i % ROWS_TOGETHER == 0 {
            // The rows after those that are looked up already; at the beginning these too.
            let from = if i == 0 { 0 } else { i + ROWS_TOGETHER };
            let rows = rows.get(from..rows.len().min(i + 2 * ROWS_TOGETHER)).unwrap_or_default();
            rows.iter().for_each(|&row| look_up(address(row).addr(), bytes));
        }
        if let Some(&next) = rows.get(i + ahead) {
            let next = address(next).cast::<u8>();
            (0..bytes).step_by(ALIGN).for_each(|at| prefetch(next.wrapping_add(at)));
        }
        dst.copy_from_slice(&src[row.saturating_mul(stride)..][..row_len]);
    }
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

    #[test]
    #[should_panic(expected = "out of range")]
    fn a_row_whose_place_is_too_large_to_be_counted_panics() {
        gather_rows(&[0.0f64; 6], 2, 2, &[1 << (usize::BITS - 1)], &mut [0.0; 2]);
    }
}

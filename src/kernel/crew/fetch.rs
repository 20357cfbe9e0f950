//! Asking for what another thread has written.

/// Asks for columns `from..to` of all rows of a matrix of that width, to be in the second cache soon. Only a hint.
///
/// A product that reads a matrix by columns comes to a new page in every step, where the CPU's own prefetching gives up. That
/// matters little while the matrix is in its own cache, and much when half of it is in that of another core.
pub(crate) fn fetch_columns<S>(values: &[S], width: usize, (from, to): (usize, usize)) {
    #[cfg(target_arch = "x86_64")]
    for row in values.chunks_exact(width) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        let columns = row[from..to].as_ptr_range();
        let mut line = columns.start.cast::<i8>();
        while line < columns.end.cast() {
            // SAFETY: every x86-64 CPU has SSE, and a prefetch never faults.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(line) }
            line = line.wrapping_add(super::super::ALIGN);
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (values, width, from, to);
}

//! Memory that is made ready while products are computed: rows are fetched, lines are claimed.
//!
//! The shuffled rows of a large data set are in no cache, and copying them takes a trip to memory for each; a product
//! meanwhile reads little that is new. So whoever knows which rows come next announces them, and the products that
//! follow on this thread ask for a few lines of them between their tiles. Only a hint: no number depends on it.
//!
//! A line that several cores have read is in the caches of all of them, and to write it is to wait until the others have given
//! it up. That takes four times as long as to fetch a line that only one core has, and longest between cores without a common
//! cache (`cargo bench --bench workloads -- cores` measures it). Weights are such lines in a step that threads share. So whoever
//! will write next [claims](claiming) its lines, a few at a time.

use super::{ALIGN, Scalar};
use std::cell::{Cell, RefCell};
use std::ptr::{null, null_mut};

/// Data sets of fewer bytes stay in the caches from epoch to epoch.
const LEAST_BYTES: usize = 4 << 20;
/// No more bytes are announced: what is asked for too early is pushed out before it is read.
const MOST_BYTES: usize = 2 << 20;
/// Lines asked for at once: more would wait for one another, and the product for them.
const BURST: usize = 16;
/// Vectors of multiply-adds that are computed for each line asked for.
const WORK: usize = 256;
/// Rows whose pages are looked up together: several look-ups at a time take little longer than one, and each makes the
/// CPU wait.
pub(super) const ROWS_TOGETHER: usize = 8;
/// Bytes of the smallest page.
const PAGE: usize = 4096;

/// The rows of this thread that have been announced, and how far they have been asked for.
#[derive(Default)]
struct Queue {
    /// The address of each row.
    rows: Vec<usize>,
    row_bytes: usize,
    /// The next line: its row, and its distance from the beginning of that.
    row: usize,
    at: usize,
    /// Rows whose pages have been looked up.
    looked_up: usize,
}

/// Vectors of multiply-adds that are computed for each line claimed, and lines claimed at once: no more than the CPU puts aside.
const CLAIM_WORK: usize = 128;
const CLAIM_BURST: usize = 48;
/// What is larger would be pushed out of the second cache before it is written.
const MOST_CLAIMED: usize = 1 << 20;

/// Lines that only this thread has until its claim ends, and how far they have been claimed.
#[derive(Clone, Copy)]
struct Claim {
    next: *mut u8,
    end: *const u8,
}

impl Claim {
    const NONE: Claim = Claim { next: null_mut(), end: null() };

    fn is_empty(self) -> bool {
        self.next.cast_const() >= self.end
    }
}

thread_local! {
    /// Whether the queue or the claim has lines left; beside it, because every tile of a product asks.
    static WAITING: Cell<bool> = const { Cell::new(false) };
    static QUEUE: RefCell<Queue> =
        const { RefCell::new(Queue { rows: Vec::new(), row_bytes: 0, row: 0, at: 0, looked_up: 0 }) };
    static CLAIM: Cell<Claim> = const { Cell::new(Claim::NONE) };
}

/// Announces the rows that will be gathered or read next, in place of those announced before: the products that follow
/// on this thread fetch them into the cache.
///
/// It pays for rows that are in no cache, and does nothing where all of `src` is small enough to be in one. Announcing a
/// row that is never read, or a row outside of `src`, costs time and nothing else.
///
/// # Shapes
///
/// As for [`gather_rows`](super::gather_rows): row `r` of `src` is the `row_len` elements from `r·stride`.
pub fn announce_rows<S: Scalar>(
    src: &[S],
    row_len: usize,
    stride: usize,
    rows: impl IntoIterator<Item = usize>,
) {
    if size_of_val(src) < LEAST_BYTES || row_len == 0 {
        return;
    }
    let row_bytes = row_len.saturating_mul(size_of::<S>());
    let address = |row: usize| src.as_ptr().wrapping_add(row.wrapping_mul(stride)).addr();
    // The caller's iterator may compute products, which look into the queue: it finds an empty one.
    WAITING.set(false);
    let mut places = QUEUE.take().rows;
    places.clear();
    places.extend(rows.into_iter().take(MOST_BYTES / row_bytes).map(address));
    QUEUE.set(Queue { rows: places, row_bytes, row: 0, at: 0, looked_up: 0 });
    WAITING.set(true);
}

/// Whether announced rows wait to be asked for, or lines to be claimed.
#[inline(always)]
pub(super) fn is_waiting() -> bool {
    WAITING.get()
}

/// Calls `work`; meanwhile the products it computes on this thread claim lines of `values`, as many as go with them, so that writing
/// those after it takes no longer than if no other core had read them. To be used when `values` are written next.
///
/// A claimed line is written: one byte of it, with what it holds. The CPU puts the write aside and goes on computing.
pub(crate) fn claiming<S: Scalar, R>(values: &mut [S], work: impl FnOnce() -> R) -> R {
    /// The claim before, for when this one ends; also by a panic.
    struct Before(Claim);
    impl Drop for Before {
        fn drop(&mut self) {
            CLAIM.set(self.0);
            WAITING.set(WAITING.get() || !self.0.is_empty());
        }
    }
    if size_of_val(values) > MOST_CLAIMED {
        return work();
    }
    let lines = values.as_mut_ptr_range();
    let _before = Before(CLAIM.replace(Claim { next: lines.start.cast(), end: lines.end.cast() }));
    WAITING.set(true);
    work()
}

/// Claims and asks for as many lines as go with that many vectors of multiply-adds.
#[inline(never)]
pub(super) fn fetch(work: usize) {
    let mut claim = CLAIM.get();
    for _ in 0..(work / CLAIM_WORK).min(CLAIM_BURST) {
        if claim.is_empty() {
            break;
        }
        // SAFETY: the place is within the slice that `claiming` holds exclusively until it takes its claim back.
        unsafe { claim.next.write_volatile(claim.next.read_volatile()) }
        claim.next = claim.next.wrapping_add(ALIGN);
    }
    CLAIM.set(claim);
    let are_left = QUEUE.with_borrow_mut(|queue| queue.fetch((work / WORK).min(BURST)));
    WAITING.set(are_left || !claim.is_empty());
}

impl Queue {
    /// Asks for some lines, or for the pages of the next rows; false when there is nothing left.
    fn fetch(&mut self, lines: usize) -> bool {
        if self.row == self.looked_up {
            self.looked_up = (self.row + ROWS_TOGETHER).min(self.rows.len());
            self.rows[self.row..self.looked_up].iter().for_each(|&row| look_up(row, self.row_bytes));
            return self.row < self.looked_up;
        }
        for _ in 0..lines {
            prefetch_far(self.rows[self.row].wrapping_add(self.at) as *const u8);
            self.at += ALIGN;
            if self.at >= self.row_bytes {
                (self.row, self.at) = (self.row + 1, 0);
                if self.row == self.looked_up {
                    break;
                }
            }
        }
        self.row < self.rows.len()
    }
}

/// Asks for one line of each page of a row, so that the CPU knows where the pages are.
#[inline(always)]
pub(super) fn look_up(start: usize, bytes: usize) {
    let mut at = start;
    while at < start.saturating_add(bytes) {
        prefetch_far(at as *const u8);
        at = (at | (PAGE - 1)).wrapping_add(1).max(at.saturating_add(1));
    }
}

/// Asks for columns `from..to` of all rows of a matrix of that width, to be in the second cache soon. Only a hint.
///
/// A product that reads a matrix by columns comes to a new page in every step, where the CPU's own prefetching gives up. That
/// matters little while the matrix is in its own cache, and much when half of it is in that of another core.
pub(crate) fn fetch_columns<S>(values: &[S], width: usize, (from, to): (usize, usize)) {
    for row in values.chunks_exact(width) {
        let columns = row[from..to].as_ptr_range();
        let mut line = columns.start;
        while line < columns.end {
            prefetch_far(line);
            line = line.wrapping_byte_add(ALIGN);
        }
    }
}

/// Asks for a line in the first cache. Only a hint: the address need not be valid.
#[inline(always)]
pub(super) fn prefetch<T>(from: *const T) {
    prefetch_to::<T, true>(from);
}

/// As [`prefetch`], in the second cache.
#[inline(always)]
fn prefetch_far<T>(from: *const T) {
    prefetch_to::<T, false>(from);
}

#[inline(always)]
fn prefetch_to<T, const FIRST: bool>(from: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};
        let from = from.cast();
        // SAFETY: every x86-64 CPU has SSE, and a prefetch never faults.
        unsafe { if FIRST { _mm_prefetch::<_MM_HINT_T0>(from) } else { _mm_prefetch::<_MM_HINT_T1>(from) } }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = from;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Buffer, dense_forward};

    fn waiting_rows() -> usize {
        QUEUE.with_borrow(|queue| queue.rows.len() - queue.row)
    }

    #[test]
    fn products_work_through_the_rows_and_compute_the_same() {
        let (rows, width) = (64, 96);
        let src = vec![1.0f32; (4 << 20) / 4 + width];
        let numbers: Vec<f32> = (0..rows * width).map(|i| (i % 23) as f32 - 11.0).collect();
        let (mut before, mut after) = (Buffer::zeros(rows * width), Buffer::zeros(rows * width));
        let square = &numbers[..rows * rows];
        let multiply = |out: &mut [f32]| dense_forward(rows, rows, width, square, &numbers, None, out);
        multiply(&mut before);
        announce_rows(&src, width, width, (0..rows).map(|row| row * 163));
        assert!(is_waiting() && waiting_rows() == rows);
        for _ in 0..1000 {
            multiply(&mut after);
        }
        assert!(!is_waiting() && waiting_rows() == 0);
        assert_eq!(*before, *after);
    }

    #[test]
    fn products_claim_lines_until_none_is_left_and_change_none() {
        let numbers: Vec<f32> = (0..64 * 64).map(|i| (i % 23) as f32 - 11.0).collect();
        let (mut claimed, before) = (numbers.clone(), numbers.clone());
        let mut out = Buffer::zeros(64 * 64);
        let mut multiply = || dense_forward(64, 64, 64, &numbers, &numbers, None, &mut out);
        claiming(&mut claimed[..4000], || {
            assert!(is_waiting());
            claiming(&mut [0.0_f64; 3], &mut multiply);
            assert!(!CLAIM.get().is_empty(), "the outer claim goes on");
            (0..100).for_each(|_| multiply());
            assert!(CLAIM.get().is_empty() && !is_waiting());
        });
        assert_eq!(claimed, before);
        let panics = std::panic::catch_unwind(|| claiming(&mut [0.0_f32; 100], || panic!("on purpose")));
        assert!(panics.is_err() && CLAIM.get().is_empty(), "nobody writes what is no longer lent");
        claiming(&mut [0.0_f32; 0], multiply);
        assert!(CLAIM.get().is_empty());
    }

    #[test]
    fn rows_that_do_not_exist_are_harmless_and_small_data_is_left_alone() {
        announce_rows(&[0.0f64; 64], 8, 8, [1, 2, 3]);
        assert!(!is_waiting());
        let src = vec![0.0f64; 1 << 20];
        for rows in [vec![], vec![usize::MAX, usize::MAX / 8, 1 << 40, 0]] {
            announce_rows(&src, 8, 8, rows);
            for _ in 0..20 {
                fetch(usize::MAX);
            }
            assert!(!is_waiting());
        }
        announce_rows(&src, 0, 8, [1, 2]);
        assert!(!is_waiting());
        announce_rows(&src, usize::MAX / 2, 8, [1, 2]);
        fetch(usize::MAX);
        assert!(!is_waiting());
    }

    #[test]
    fn whoever_counts_the_rows_may_compute_products_meanwhile() {
        let src = vec![1.0f32; 1 << 20];
        announce_rows(&src, 8, 8, 0..100);
        announce_rows(&src, 8, 8, (0..100).inspect(|_| fetch(usize::MAX)));
        assert_eq!(waiting_rows(), 100);
    }
}

//! Products with few columns, computed the other way round.
//!
//! Vectors along one, three or ten columns would be mostly empty. `cᵀ = bᵀ·aᵀ` has long rows instead, and every element is
//! still the same chain, since the two factors of a product may trade places.

use super::multiply::{Product, panels};
use super::simd::Simd;
use super::transpose::transpose_strided;
use std::mem::MaybeUninit;

/// Most columns of a narrow product.
const MOST: usize = 16;
/// Bytes of a row of the turned product that are computed at once, and of the turned `a` under it.
const ROW_BYTES: usize = 512;
const TURNED_ROW_BYTES: usize = 256;
/// Steps of the chains between two transpositions of `a`.
const STEPS: usize = 64;

#[repr(C, align(64))]
struct Scratch<const ROWS: usize, const BYTES: usize>([[MaybeUninit<u8>; BYTES]; ROWS]);

impl<const ROWS: usize, const BYTES: usize> Scratch<ROWS, BYTES> {
    fn new() -> Self {
        Self([[MaybeUninit::uninit(); BYTES]; ROWS])
    }

    fn as_mut_ptr<S>(&mut self) -> *mut S {
        self.0.as_mut_ptr().cast()
    }
}

/// Whether turning the product round pays.
pub(super) fn is_narrow<V: Simd>(p: &Product<V::Elem>) -> bool {
    let filled = p.n.next_multiple_of(V::LANES);
    if p.n == 0 || p.n > MOST || p.m < V::LANES || p.k == 0 {
        return false;
    }
    if p.a_row == 1 {
        // `aᵀ` has contiguous rows already: worth it when a quarter of the lanes would idle.
        4 * p.n <= 3 * filled
    } else {
        // `a` must be transposed on the way, which costs as much as a few columns.
        p.a_col == 1 && p.k > 1 && 4 * p.n <= V::LANES
    }
}

/// # Safety
///
/// As for [`multiply`](super::multiply::multiply), for a narrow product.
#[inline(never)]
pub(super) unsafe fn multiply<V: Simd>(p: &Product<V::Elem>) {
    let contiguous = p.a_row == 1;
    let bytes = if contiguous { ROW_BYTES } else { TURNED_ROW_BYTES };
    let width = bytes / size_of::<V::Elem>();
    let steps = if contiguous { p.k } else { STEPS };
    let mut sums = Scratch::<MOST, ROW_BYTES>::new();
    let sums: *mut V::Elem = sums.as_mut_ptr();
    let mut turned = MaybeUninit::<Scratch<STEPS, TURNED_ROW_BYTES>>::uninit();
    let turned: *mut V::Elem = turned.as_mut_ptr().cast();
    for row in (0..p.m).step_by(width) {
        let rows = width.min(p.m - row);
        // SAFETY: `row + rows ≤ m`, `n ≤ MOST` and `rows ≤ width` keep every access within the matrices and the scratch.
        unsafe {
            for o in 0..p.n {
                for r in 0..rows {
                    let start = if p.start.is_null() {
                        V::Elem::default()
                    } else {
                        *p.start.add((row + r) * p.start_row + o)
                    };
                    sums.add(o * width + r).write(start);
                }
            }
            for step in (0..p.k).step_by(steps) {
                let k = steps.min(p.k - step);
                let a = p.a.add(row * p.a_row + step * p.a_col);
                let (b, b_row) = if contiguous {
                    (a, p.a_col)
                } else {
                    transpose_strided(rows, k, a, p.a_row, turned, width);
                    (turned.cast_const(), width)
                };
                panels::<V>(&Product {
                    m: p.n,
                    n: rows,
                    k,
                    a: p.b.add(step * p.b_row),
                    a_row: 1,
                    a_col: p.b_row,
                    b,
                    b_row,
                    start: sums,
                    start_row: width,
                    c: sums,
                    c_row: width,
                });
            }
            transpose_strided(p.n, rows, sums, width, p.c.add(row * p.c_row), p.c_row);
        }
    }
}

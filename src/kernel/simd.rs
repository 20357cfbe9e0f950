//! What a tile of a matrix product needs from an instruction set.
#![allow(
    clippy::needless_range_loop,
    reason = "LLVM unrolls these loops early enough to keep the sums in registers"
)]

use super::Scalar;
use super::ahead::prefetch;

/// Steps of the chains between asking for what a step reads and reading it: a trip to the second cache, or to the third.
const STEPS_AHEAD: usize = 8;
/// Tiles of fewer rows are done with a step too soon to ask for another.
const AHEAD_FROM: usize = 4;

/// A block of tiles of `MR` rows each, one below the other, over the same columns:
/// `c = start + a·b`, every element one chain of fused multiply-adds over `0..k`.
///
/// `a` is read one element at a time and may have any strides; rows of `b` and `c` are contiguous. Without
/// [`Simd::MASKED_LOADS`], the rows of `b` under a tile of up to three vectors are filled up to whole vectors.
#[derive(Clone, Copy)]
pub(super) struct Tiles<S> {
    /// How many tiles.
    pub count: usize,
    /// Columns in the last vector of a row, in `1..=LANES`.
    pub last: usize,
    /// Length of the chains.
    pub k: usize,
    pub a: *const S,
    /// Elements from one row of `a` to the next.
    pub a_row: usize,
    /// Elements from one column of `a` to the next.
    pub a_col: usize,
    pub b: *const S,
    pub b_row: usize,
    /// Where the chains start: a matrix with rows `start_row` apart (0 repeats a bias), or null for zeros.
    pub start: *const S,
    pub start_row: usize,
    pub c: *mut S,
    pub c_row: usize,
}

/// Computes [`Tiles`] of one shape.
///
/// # Safety
///
/// The CPU has the instructions, and every element the tiles touch lies within its matrix.
pub(super) type TileFn<S> = unsafe fn(&Tiles<S>);

/// The tile functions of one width in vectors, by height: element `h` has `h + 1` rows.
///
/// `full` writes whole vectors, `tail` only [`Tiles::last`] columns of the last one.
#[derive(Clone, Copy)]
pub(super) struct Shape<S: 'static> {
    pub vectors: usize,
    pub full: &'static [TileFn<S>],
    pub tail: &'static [TileFn<S>],
}

/// One vector register of an instruction set.
///
/// # Safety
///
/// The methods may run only on a CPU with that instruction set, inlined into a function compiled for it.
pub(super) trait Simd: Copy {
    type Elem: Scalar;
    type Vec: Copy;
    type Mask: Copy;
    const LANES: usize;
    /// Whether reading under a mask costs no more than reading, as it does where a vector may be a whole line; if not, `b`
    /// of a tile always has whole vectors.
    const MASKED_LOADS: bool;
    /// The tiles that fit its registers: one, two and three vectors wide, and wide ones for products of few rows, where
    /// only other columns keep the multipliers busy: four, five, six and eight.
    const SHAPES: [Shape<Self::Elem>; 7];
    /// Vectors of half the width, for columns that fill no more; the type itself where they would not be faster.
    type Half: Simd<Elem = Self::Elem>;

    unsafe fn zero() -> Self::Vec;
    unsafe fn splat(value: Self::Elem) -> Self::Vec;
    unsafe fn load(from: *const Self::Elem) -> Self::Vec;
    unsafe fn store(to: *mut Self::Elem, value: Self::Vec);
    /// The first `lanes` lanes, `1..=LANES`.
    unsafe fn mask(lanes: usize) -> Self::Mask;
    /// Reads the lanes of the mask only; the others are zero.
    unsafe fn load_first(from: *const Self::Elem, mask: Self::Mask) -> Self::Vec;
    /// Writes the lanes of the mask only.
    unsafe fn store_first(to: *mut Self::Elem, mask: Self::Mask, value: Self::Vec);
    unsafe fn fma(a: Self::Vec, b: Self::Vec, c: Self::Vec) -> Self::Vec;
}

/// The body of every tile function: `MR` rows by `NV` vectors of sums stay in registers while `k` runs.
///
/// # Safety
///
/// As for [`TileFn`].
#[inline(always)]
pub(super) unsafe fn tiles<V: Simd, const MR: usize, const NV: usize, const TAIL: bool>(t: &Tiles<V::Elem>) {
    // SAFETY: the caller promises that the CPU has the instructions and that `count` tiles of `MR` rows and
    // `(NV − 1)·LANES + last` columns lie within the matrices; all reads and writes below stay within those.
    unsafe {
        let mask = V::mask(if TAIL { t.last } else { V::LANES });
        for tile in 0..t.count {
            let first = tile * MR;
            let mut sums = [[V::zero(); NV]; MR];
            if !t.start.is_null() {
                for i in 0..MR {
                    for j in 0..NV {
                        sums[i][j] = load::<V, NV, TAIL>(t.start.add((first + i) * t.start_row), j, mask);
                    }
                }
            }
            let mut a = t.a.add(first * t.a_row);
            let mut b = t.b;
            // Columns of `a` one below the other lie a row of the batch apart, and those of `b` too unless they have been
            // copied together: no CPU guesses such steps across pages.
            let a_ahead = if t.a_row == 1 { STEPS_AHEAD * t.a_col } else { 0 };
            let b_ahead = STEPS_AHEAD * t.b_row;
            for _ in 0..t.k {
                if MR >= AHEAD_FROM && (V::MASKED_LOADS || t.a_row == 1) {
                    prefetch(a.wrapping_add(a_ahead));
                    prefetch(a.wrapping_add(a_ahead + MR - 1));
                    if V::MASKED_LOADS {
                        (0..NV).for_each(|j| prefetch(b.wrapping_add(b_ahead + j * V::LANES)));
                    }
                }
                let mut row = [V::zero(); NV];
                for j in 0..NV {
                    row[j] = if V::MASKED_LOADS || NV > 3 {
                        load::<V, NV, TAIL>(b, j, mask)
                    } else {
                        V::load(b.add(j * V::LANES))
                    };
                }
                for i in 0..MR {
                    // Rows in threes: base, base + stride, base + 2·stride are one addressing mode each, so a tile
                    // of twelve rows needs four pointers, not twelve.
                    let value = V::splat(*a.add((i / 3 * 3) * t.a_row).add(i % 3 * t.a_row));
                    for j in 0..NV {
                        sums[i][j] = V::fma(value, row[j], sums[i][j]);
                    }
                }
                a = a.wrapping_add(t.a_col);
                b = b.wrapping_add(t.b_row);
            }
            for i in 0..MR {
                for j in 0..NV {
                    let to = t.c.add((first + i) * t.c_row + j * V::LANES);
                    if TAIL && j == NV - 1 {
                        V::store_first(to, mask, sums[i][j])
                    } else {
                        V::store(to, sums[i][j])
                    }
                }
            }
        }
    }
}

/// Vector `j` of a row of `NV`.
#[inline(always)]
unsafe fn load<V: Simd, const NV: usize, const TAIL: bool>(
    row: *const V::Elem,
    j: usize,
    mask: V::Mask,
) -> V::Vec {
    // SAFETY: the caller promises the instructions and the row.
    unsafe {
        let from = row.add(j * V::LANES);
        if TAIL && j == NV - 1 { V::load_first(from, mask) } else { V::load(from) }
    }
}

/// Tile functions of one width: `shape!(tile_function, vectors, [1, 2, …])`.
macro_rules! shape {
    ($run:ident, $vectors:literal, [$($rows:literal)*]) => {
        $crate::kernel::simd::Shape {
            vectors: $vectors,
            full: &[$($run::<$rows, $vectors, false>),*],
            tail: &[$($run::<$rows, $vectors, true>),*],
        }
    };
}
pub(super) use shape;

//! A matrix product cut into tiles.
//!
//! `a` is read by broadcast, whatever its strides. The rows of `b` are contiguous already; where many tiles use the
//! same columns of it, those are copied together first, because the rows of a matrix a power of two wide all compete
//! for the same few lines of the first cache. The order of the sums does not depend on how the product is cut:
//! each block of the chains goes on from where the one before left `c`.

use super::simd::{Shape, Simd, TileFn, Tiles};
use super::{Scalar, narrow};
use std::mem::MaybeUninit;

/// Longest piece of the chains that runs at once, so that the columns of `b` under a tile stay in the first cache.
const K_BLOCK: usize = 256;

/// Rows of `a` that all panels use before the next rows come: they stay in the second cache, but are never so few that
/// copying the columns of `b` for them would not pay.
const A_BLOCK_BYTES: usize = 768 << 10;
const LEAST_ROWS: usize = 96;

/// From this many tiles under one another on, copying their columns of `b` pays.
const PACK_FROM: usize = 4;

/// Room for the widest packed panel: three vectors of at most 64 bytes for every step of a block.
#[repr(C, align(64))]
struct Packed([MaybeUninit<[u8; 192]>; K_BLOCK]);

/// `c = start + a·b` with `m × n` elements of `k` products each.
#[derive(Clone, Copy)]
pub struct Product<S> {
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub a: *const S,
    pub a_row: usize,
    pub a_col: usize,
    pub b: *const S,
    pub b_row: usize,
    /// Null for zeros; `start_row` 0 for one bias under every row.
    pub start: *const S,
    pub start_row: usize,
    pub c: *mut S,
    pub c_row: usize,
}

/// Computes the product with the tiles of `V`.
///
/// # Safety
///
/// The CPU has the instructions of `V`; `a`, `b`, `start` and `c` hold the matrices the product names; `c` does not
/// overlap `a` or `b`, and `start` is `c` itself or does not overlap it either.
pub(super) unsafe fn multiply<V: Simd>(p: &Product<V::Elem>) {
    if p.m == 0 || p.n == 0 {
        return;
    }
    if narrow::is_narrow::<V>(p) {
        // SAFETY: the caller's promise.
        return unsafe { narrow::multiply::<V>(p) };
    }
    // SAFETY: the caller's promise.
    unsafe { panels::<V>(p) }
}

/// All panels of columns, side by side, for one block of rows after the other.
///
/// # Safety
///
/// As for [`multiply`].
pub(super) unsafe fn panels<V: Simd>(p: &Product<V::Elem>) {
    let vectors = p.n.div_ceil(V::LANES);
    let row_bytes = (p.k * size_of::<V::Elem>()).max(1);
    let blocks = p.m.div_ceil((A_BLOCK_BYTES / row_bytes).max(LEAST_ROWS));
    for block in 0..blocks {
        let from = p.m * block / blocks;
        let mut rows = *p;
        rows.m = p.m * (block + 1) / blocks - from;
        rows.a = p.a.wrapping_add(from * p.a_row);
        rows.c = p.c.wrapping_add(from * p.c_row);
        if !p.start.is_null() {
            rows.start = p.start.wrapping_add(from * p.start_row);
        }
        let mut done = 0;
        while done < vectors {
            let shape = shape_for::<V>(rows.m, vectors - done);
            let column = done * V::LANES;
            done += shape.vectors;
            let columns = (p.n - column).min(shape.vectors * V::LANES);
            // SAFETY: `column + columns ≤ n`, the rows are some of the product's, and the caller's promise.
            unsafe { panel::<V>(&rows, shape, column, columns) }
        }
    }
}

/// The tile width for what is left of the columns: two vectors, three where one would stay behind.
fn shape_for<V: Simd>(m: usize, vectors: usize) -> &'static Shape<V::Elem> {
    let [one, two, three, wide] = const { &V::SHAPES };
    match vectors {
        _ if m <= wide.full.len() && vectors >= wide.vectors => wide,
        1 => one,
        3 => three,
        _ => two,
    }
}

/// All rows of one panel of columns.
///
/// # Safety
///
/// As for [`multiply`], with `column + columns ≤ n` and `columns` within the shape.
unsafe fn panel<V: Simd>(p: &Product<V::Elem>, shape: &Shape<V::Elem>, column: usize, columns: usize) {
    let whole = columns == shape.vectors * V::LANES;
    let functions = if whole { shape.full } else { shape.tail };
    let last = columns - (shape.vectors - 1) * V::LANES;
    let blocks = p.k.div_ceil(K_BLOCK).max(1);
    let many = p.m > (PACK_FROM - 1) * functions.len() && p.b_row != columns;
    let pack = shape.vectors <= 3 && (many || !whole && !V::MASKED_LOADS);
    let mut packed = Packed([const { MaybeUninit::uninit() }; K_BLOCK]);
    for block in 0..blocks {
        let from = p.k * block / blocks;
        let to = p.k * (block + 1) / blocks;
        // SAFETY: all offsets stay within the matrices because `column < n` and `from ≤ k`.
        unsafe {
            let c = p.c.add(column);
            // From the second block on, the chains go on from where the first left them.
            let (start, start_row) = match (block, p.start.is_null()) {
                (0, true) => (p.start, 0),
                (0, false) => (p.start.add(column), p.start_row),
                _ => (c.cast_const(), p.c_row),
            };
            let (mut b, mut b_row) = (p.b.add(from * p.b_row + column), p.b_row);
            if pack {
                let to_packed = packed.0.as_mut_ptr().cast::<V::Elem>();
                let width = shape.vectors * V::LANES;
                pack_columns(b, b_row, to - from, columns, to_packed, width);
                (b, b_row) = (to_packed, width);
            }
            let tiles = Tiles {
                count: 0,
                last,
                k: to - from,
                a: p.a.add(from * p.a_col),
                a_row: p.a_row,
                a_col: p.a_col,
                b,
                b_row,
                start,
                start_row,
                c,
                c_row: p.c_row,
            };
            rows(tiles, p.m, functions);
        }
    }
}

/// Copies `columns` columns of `k` rows together and fills them with zeros up to `width`.
///
/// # Safety
///
/// `from` holds `k` rows of `columns` elements `row` apart, `to` has room for `k` rows of `width ≥ columns`.
unsafe fn pack_columns<S: Scalar>(
    from: *const S,
    row: usize,
    k: usize,
    columns: usize,
    to: *mut S,
    width: usize,
) {
    // Copies of known size, because a call of memcpy for a few dozen bytes would cost more than the bytes.
    type Chunk = [u8; 32];
    let chunk = size_of::<Chunk>() / size_of::<S>();
    let chunked = columns / chunk * chunk;
    for step in 0..k {
        // SAFETY: all offsets are below `columns` on the one side and below `width` on the other.
        unsafe {
            let (from, to) = (from.add(step * row), to.add(step * width));
            for at in (0..chunked).step_by(chunk) {
                to.add(at).cast::<Chunk>().write_unaligned(from.add(at).cast::<Chunk>().read_unaligned());
            }
            for at in chunked..columns {
                to.add(at).write(from.add(at).read());
            }
            for at in columns..width {
                to.add(at).write(S::default());
            }
        }
    }
}

/// Cuts `m` rows into tiles whose heights differ by one at most: 33 rows are 11 + 11 + 11, not 12 + 12 + 9.
///
/// # Safety
///
/// As for [`TileFn`], for `m` rows.
unsafe fn rows<S>(mut tiles: Tiles<S>, m: usize, functions: &[TileFn<S>]) {
    let count = m.div_ceil(functions.len());
    let (low, higher) = (m / count, m % count);
    for (height, count) in [(low + 1, higher), (low, count - higher)] {
        if count > 0 {
            tiles.count = count;
            let rows = count * height;
            // SAFETY: the heights of both calls add up to `m`. The pointers may end one past the last row, and
            // `wrapping_add` allows them to end further on, unused.
            unsafe { functions[height - 1](&tiles) }
            tiles.a = tiles.a.wrapping_add(rows * tiles.a_row);
            tiles.c = tiles.c.wrapping_add(rows * tiles.c_row);
            if !tiles.start.is_null() {
                tiles.start = tiles.start.wrapping_add(rows * tiles.start_row);
            }
        }
    }
}

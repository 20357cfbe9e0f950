//! A matrix product cut into tiles.
//!
//! `a` is read by broadcast, whatever its strides. The rows of `b` are contiguous already; where many tiles use the
//! same columns of it, those are copied together first, because the rows of a matrix a power of two wide all compete
//! for the same few lines of the first cache. The order of the sums does not depend on how the product is cut:
//! each block of the chains goes on from where the one before left `c`.

use super::simd::{Shape, Simd, TileFn, Tiles};
use super::{Scalar, narrow};
use std::mem::MaybeUninit;
use std::ptr::null_mut;

/// Longest piece of the chains that runs at once, so that the columns of `b` under a tile stay in the first cache.
const K_BLOCK: usize = 256;

/// Rows of `a` that all panels use before the next rows come: they stay in the second cache, but are never so few that
/// copying the columns of `b` for them would not pay.
const A_BLOCK_BYTES: usize = 768 << 10;
const LEAST_ROWS: usize = 96;

/// From this many tiles under one another on, copying their columns of `b` pays, unless all of `b` is so small that it
/// stays in the first cache as it lies.
const PACK_FROM: usize = 4;
const PACK_FROM_BYTES: usize = 16 << 10;

/// From this many rows on, vectors of half the width keep the multipliers busy.
const HALVES_FROM: usize = 4;

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
    // A few columns beside whole vectors are a narrow product of their own.
    let edge = p.n % V::LANES;
    let (inner, edge) = (from_column(p, 0, p.n - edge), from_column(p, p.n - edge, p.n));
    // SAFETY: the caller's promise, for all columns or for some and the others.
    unsafe {
        if narrow::is_narrow::<V>(p) {
            narrow::multiply::<V>(p);
        } else if inner.n > 0 && 2 * edge.n <= V::LANES && narrow::is_narrow::<V>(&edge) {
            panels::<V>(&inner);
            narrow::multiply::<V>(&edge);
        } else {
            panels::<V>(p);
        }
    }
}

/// The product with columns `from..to` alone.
fn from_column<S>(p: &Product<S>, from: usize, to: usize) -> Product<S> {
    let start = if p.start.is_null() { p.start } else { p.start.wrapping_add(from) };
    Product { n: to - from, b: p.b.wrapping_add(from), start, c: p.c.wrapping_add(from), ..*p }
}

/// All panels of columns, side by side, for one block of rows after the other.
///
/// # Safety
///
/// As for [`multiply`].
pub(super) unsafe fn panels<V: Simd>(p: &Product<V::Elem>) {
    let row_bytes = (p.k * size_of::<V::Elem>()).max(1);
    let blocks =
        if p.m <= LEAST_ROWS { 1 } else { p.m.div_ceil((A_BLOCK_BYTES / row_bytes).max(LEAST_ROWS)) };
    for block in 0..blocks {
        let (from, to) = cut(p.m, block, blocks);
        let mut rows = *p;
        rows.m = to - from;
        rows.a = p.a.wrapping_add(from * p.a_row);
        rows.c = p.c.wrapping_add(from * p.c_row);
        if !p.start.is_null() {
            rows.start = p.start.wrapping_add(from * p.start_row);
        }
        let rest = p.n % V::LANES;
        let halved =
            rows.m >= HALVES_FROM && V::Half::LANES < V::LANES && (1..=V::Half::LANES).contains(&rest);
        let whole = if halved { p.n - rest } else { p.n };
        // SAFETY: the rows are some of the product's, and the caller's promise.
        unsafe {
            columns::<V>(&rows, 0, whole);
            columns::<V::Half>(&rows, whole, p.n);
        }
    }
}

/// The panels from column `from` to column `to`.
///
/// # Safety
///
/// As for [`multiply`], with `to ≤ n`.
unsafe fn columns<V: Simd>(p: &Product<V::Elem>, mut from: usize, to: usize) {
    while from < to {
        let shape = shape_for::<V>(p.m, (to - from).div_ceil(V::LANES));
        let columns = (to - from).min(shape.vectors * V::LANES);
        // SAFETY: `from + columns ≤ to`, and the caller's promise.
        unsafe { panel::<V>(p, shape, from, columns) }
        from += columns;
    }
}

/// The tile width for what is left of the columns: two vectors, three where one would stay behind, and for few rows as
/// many as there are.
fn shape_for<V: Simd>(m: usize, vectors: usize) -> &'static Shape<V::Elem> {
    let [one, two, three, four, five, six, eight] = const { &V::SHAPES };
    let wide = match vectors {
        1..=3 => two,
        4 | 7 => four,
        5 | 9 => five,
        6 | 10 | 11 => six,
        _ => eight,
    };
    match vectors {
        4.. if m <= wide.full.len() => wide,
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
    let height = if whole { shape.full.len() } else { shape.tail.len() };
    let many = p.m > (PACK_FROM - 1) * height
        && p.b_row != columns
        && p.k * p.b_row * size_of::<V::Elem>() > PACK_FROM_BYTES;
    // SAFETY: the caller's promise.
    unsafe {
        if shape.vectors <= 3 && (many || !whole && !V::MASKED_LOADS) {
            packed_panel::<V>(p, shape, column, columns);
        } else {
            chains::<V>(p, shape, column, columns, null_mut());
        }
    }
}

/// As [`panel`], its columns of `b` copied together. Not inlined: small products shall not pay for the room it takes.
///
/// # Safety
///
/// As for [`panel`].
#[inline(never)]
unsafe fn packed_panel<V: Simd>(p: &Product<V::Elem>, shape: &Shape<V::Elem>, column: usize, columns: usize) {
    let mut packed = Packed([const { MaybeUninit::uninit() }; K_BLOCK]);
    // SAFETY: the caller's promise; `packed` has room for a block of three vectors.
    unsafe { chains::<V>(p, shape, column, columns, packed.0.as_mut_ptr().cast()) }
}

/// One panel, block after block of its chains; the columns of `b` go through `packed` unless it is null.
///
/// # Safety
///
/// As for [`panel`]; `packed` is null or has room for [`K_BLOCK`] rows of the shape's vectors.
#[inline(always)]
unsafe fn chains<V: Simd>(
    p: &Product<V::Elem>,
    shape: &Shape<V::Elem>,
    column: usize,
    columns: usize,
    packed: *mut V::Elem,
) {
    let width = shape.vectors * V::LANES;
    let functions = if columns == width { shape.full } else { shape.tail };
    let last = columns - (shape.vectors - 1) * V::LANES;
    let blocks = p.k.div_ceil(K_BLOCK).max(1);
    for block in 0..blocks {
        let (from, to) = cut(p.k, block, blocks);
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
            if !packed.is_null() {
                pack_columns(b, b_row, to - from, columns, packed, width);
                (b, b_row) = (packed.cast_const(), width);
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

/// Part `part` of `len` cut into `parts` of lengths that differ by one at most. A division takes longer than a small tile.
fn cut(len: usize, part: usize, parts: usize) -> (usize, usize) {
    if parts == 1 { (0, len) } else { (len * part / parts, len * (part + 1) / parts) }
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
    let count = if m <= functions.len() { 1 } else { m.div_ceil(functions.len()) };
    let (low, higher) = if count == 1 { (m, 0) } else { (m / count, m % count) };
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

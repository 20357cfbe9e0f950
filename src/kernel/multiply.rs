//! A matrix product cut into tiles.
//!
//! `a` is read by broadcast, whatever its strides. The rows of `b` are contiguous already, and vectors of a whole line
//! read them where they lie. Narrower ones read too often for that: where many tiles use the same columns of `b`, those
//! are copied together first, because the rows of a matrix a power of two wide all compete for the same few lines of the
//! first cache. The order of the sums does not depend on how the product is cut: each piece of the chains goes on from
//! where the one before left `c`.

use super::crew::even_part;
use super::simd::{Shape, Simd, TileFn, Tiles};
use super::{Scalar, ahead, narrow};
use std::mem::MaybeUninit;

/// Longest piece of the chains that runs at once. The columns of `b` under a tile come from the second cache as fast as
/// they are needed where a vector is a whole line of it; narrower ones are copied together, and stay in the first.
const K_BLOCK: usize = 1024;
const PACKED_K_BLOCK: usize = 256;

/// Rows of `a` that all panels use before the next rows come: they stay in the second cache beside some columns of `b`,
/// but are never so few that fetching those for them would not pay.
const A_BLOCK_BYTES: usize = 256 << 10;
const LEAST_ROWS: usize = 56;

/// From this many tiles under one another on, copying their columns of `b` pays, unless all of `b` is so small that it
/// stays in the first cache as it lies.
const PACK_FROM: usize = 4;
const PACK_FROM_BYTES: usize = 16 << 10;

/// From this many rows on, vectors of half the width keep the multipliers busy.
const HALVES_FROM: usize = 4;

/// Room for the widest packed panel: three vectors of at most 32 bytes for every step of a piece.
#[repr(C, align(64))]
struct Packed([MaybeUninit<[u8; 96]>; PACKED_K_BLOCK]);

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
    // Unless `a` would have to be turned for more of them than one: half a vector is quicker then.
    let pays = edge.a_row == 1 || V::Half::LANES == V::LANES || (edge.n == 1 && inner.n > V::LANES);
    // SAFETY: the caller's promise, for all columns or for some and the others.
    unsafe {
        if narrow::is_narrow::<V>(p) {
            narrow::multiply::<V>(p);
        } else if inner.n > 0 && 2 * edge.n <= V::LANES && pays && narrow::is_narrow::<V>(&edge) {
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

/// All panels of columns, side by side, for one block of rows after the other, and in it for one piece of the chains
/// after the other.
///
/// # Safety
///
/// As for [`multiply`].
pub(super) unsafe fn panels<V: Simd>(p: &Product<V::Elem>) {
    let longest = if V::MASKED_LOADS { K_BLOCK } else { PACKED_K_BLOCK };
    let pieces = if p.k <= longest { 1 } else { p.k.div_ceil(longest) };
    let blocks = if p.m <= LEAST_ROWS {
        1
    } else {
        let row_bytes = (p.k.min(longest) * size_of::<V::Elem>()).max(1);
        p.m.div_ceil((A_BLOCK_BYTES / row_bytes).max(LEAST_ROWS))
    };
    for (block, piece) in (0..blocks).flat_map(|block| (0..pieces).map(move |piece| (block, piece))) {
        let (rows, steps) = (even_part(p.m, block, blocks), even_part(p.k, piece, pieces));
        let mut part = *p;
        (part.m, part.k) = (rows.len(), steps.len());
        part.a = p.a.wrapping_add(rows.start * p.a_row + steps.start * p.a_col);
        part.b = p.b.wrapping_add(steps.start * p.b_row);
        part.c = p.c.wrapping_add(rows.start * p.c_row);
        if piece > 0 {
            // The chains go on from where the piece before left them.
            (part.start, part.start_row) = (part.c.cast_const(), p.c_row);
        } else if !p.start.is_null() {
            part.start = p.start.wrapping_add(rows.start * p.start_row);
        }
        let rest = p.n % V::LANES;
        let halved =
            part.m >= HALVES_FROM && V::Half::LANES < V::LANES && (1..=V::Half::LANES).contains(&rest);
        let whole = if halved { p.n - rest } else { p.n };
        // SAFETY: the part is some rows and steps of the product, and the caller's promise.
        unsafe {
            columns::<V>(&part, 0, whole);
            columns::<V::Half>(&part, whole, p.n);
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
    let functions = if whole { shape.full } else { shape.tail };
    let tiles = Tiles {
        count: 0,
        last: columns - (shape.vectors - 1) * V::LANES,
        k: p.k,
        a: p.a,
        a_row: p.a_row,
        a_col: p.a_col,
        b: p.b.wrapping_add(column),
        b_row: p.b_row,
        start: if p.start.is_null() { p.start } else { p.start.wrapping_add(column) },
        start_row: p.start_row,
        c: p.c.wrapping_add(column),
        c_row: p.c_row,
    };
    let many = p.m > (PACK_FROM - 1) * functions.len()
        && p.b_row != columns
        && p.k * p.b_row * size_of::<V::Elem>() > PACK_FROM_BYTES;
    // SAFETY: the caller's promise: `column + columns ≤ n`.
    unsafe {
        if !V::MASKED_LOADS && shape.vectors <= 3 && (many || !whole) {
            packed_rows(tiles, p.m, functions, shape.vectors, columns, shape.vectors * V::LANES);
        } else {
            rows(tiles, p.m, functions, shape.vectors);
        }
    }
}

/// As [`rows`], the columns of `b` copied together. Not inlined: small products shall not pay for the room it takes.
///
/// # Safety
///
/// As for [`rows`], with `k` and the shape within [`Packed`].
#[inline(never)]
unsafe fn packed_rows<S: Scalar>(
    mut tiles: Tiles<S>,
    m: usize,
    functions: &[TileFn<S>],
    vectors: usize,
    columns: usize,
    width: usize,
) {
    let mut packed = Packed([const { MaybeUninit::uninit() }; PACKED_K_BLOCK]);
    let packed: *mut S = packed.0.as_mut_ptr().cast();
    // SAFETY: the caller's promise; `packed` has room for `k` rows of the shape's vectors.
    unsafe {
        pack_columns(tiles.b, tiles.b_row, tiles.k, columns, packed, width);
        (tiles.b, tiles.b_row) = (packed.cast_const(), width);
        rows(tiles, m, functions, vectors);
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
unsafe fn rows<S: Scalar>(mut tiles: Tiles<S>, m: usize, functions: &[TileFn<S>], vectors: usize) {
    let count = if m <= functions.len() { 1 } else { m.div_ceil(functions.len()) };
    let (low, higher) = if count == 1 { (m, 0) } else { (m / count, m % count) };
    for (height, count) in [(low + 1, higher), (low, count - higher)] {
        if count > 0 {
            let function = functions[height - 1];
            // Between tiles there is time to ask memory for rows that have been announced, and to claim lines.
            let together = if ahead::is_waiting() { 1 } else { count };
            for _ in (0..count).step_by(together) {
                tiles.count = together;
                // SAFETY: the heights of all calls add up to `m`. The pointers may end one past the last row, and
                // `wrapping_add` allows them to end further on, unused.
                unsafe { function(&tiles) }
                tiles.a = tiles.a.wrapping_add(together * height * tiles.a_row);
                tiles.c = tiles.c.wrapping_add(together * height * tiles.c_row);
                if !tiles.start.is_null() {
                    tiles.start = tiles.start.wrapping_add(together * height * tiles.start_row);
                }
                if together < count {
                    ahead::fetch(height * vectors * tiles.k);
                }
            }
        }
    }
}

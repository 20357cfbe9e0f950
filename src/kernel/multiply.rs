//! A matrix product cut into tiles.
//!
//! Nothing is packed: `a` is read by broadcast, whatever its strides, and the rows of `b` are contiguous already. The
//! order of the sums does not depend on how the product is cut, because each tile runs its chains from where the
//! matrix holds them.

use super::simd::{Shape, Simd, TileFn, Tiles};

/// Longest piece of the chains that runs at once, so that the columns of `b` under a tile stay in the first cache.
const K_BLOCK: usize = 256;

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
/// The CPU has the instructions of `V`; `a`, `b`, `start` and `c` hold the matrices the product names, and `c` does
/// not overlap the others.
pub(super) unsafe fn multiply<V: Simd>(p: &Product<V::Elem>) {
    if p.m == 0 || p.n == 0 {
        return;
    }
    let vectors = p.n.div_ceil(V::LANES);
    let mut done = 0;
    while done < vectors {
        let shape = shape_for::<V>(p.m, vectors - done);
        let column = done * V::LANES;
        done += shape.vectors;
        let columns = (p.n - column).min(shape.vectors * V::LANES);
        // SAFETY: `column + columns ≤ n`, and the caller's promise.
        unsafe { panel::<V>(p, shape, column, columns) }
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
            let tiles = Tiles {
                count: 0,
                last,
                k: to - from,
                a: p.a.add(from * p.a_col),
                a_row: p.a_row,
                a_col: p.a_col,
                b: p.b.add(from * p.b_row + column),
                b_row: p.b_row,
                start,
                start_row,
                c,
                c_row: p.c_row,
            };
            rows(tiles, p.m, functions);
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

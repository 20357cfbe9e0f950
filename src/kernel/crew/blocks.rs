//! Matrices with as many rows each, lent out by blocks of rows.

use std::marker::PhantomData;
use std::ops::Range;

use super::super::{Buffer, Scalar};
use super::parts::{Cuts, Parts};

/// Matrices of different widths with as many rows each.
#[derive(Debug, Default)]
pub(crate) struct Matrices<S> {
    buffers: Vec<Buffer<S>>,
    widths: Vec<usize>,
    rows: usize,
}

impl<S: Scalar> Matrices<S> {
    /// Of zeros.
    pub(crate) fn zeros(rows: usize, widths: impl Iterator<Item = usize>) -> Self {
        let widths: Vec<usize> = widths.collect();
        // What is lent out is measured by these numbers: none may have wrapped.
        let len = |width: &usize| rows.checked_mul(*width).expect("a matrix fits an address");
        let buffers = widths.iter().map(|width| Buffer::zeros(len(width))).collect();
        Matrices { buffers, widths, rows }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.buffers.len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.buffers.is_empty()
    }

    /// Whether they have so many rows.
    pub(crate) fn has_rows(&self, rows: usize) -> bool {
        self.rows == rows
    }

    /// The width of each.
    pub(crate) fn widths(&self) -> &[usize] {
        &self.widths
    }

    /// The first rows of one.
    pub(crate) fn get(&self, matrix: usize, rows: usize) -> &[S] {
        &self.buffers[matrix][..rows * self.widths[matrix]]
    }

    /// The first rows of one.
    pub(crate) fn get_mut(&mut self, matrix: usize, rows: usize) -> &mut [S] {
        &mut self.buffers[matrix][..rows * self.widths[matrix]]
    }

    /// The first rows of all.
    pub(crate) fn block(&mut self, rows: usize) -> Block<'_, S> {
        assert!(rows <= self.rows || self.is_empty(), "there are so many rows");
        let (buffers, owner) = (self.buffers.as_ptr(), PhantomData);
        Block { buffers, widths: &self.widths, rows: 0..rows, owner }
    }

    /// The rows of all, in parts.
    pub(crate) fn cut<'a>(&'a mut self, cuts: Cuts<'a>) -> Blocks<'a, S> {
        Blocks { whole: self.block(cuts.end()), cuts }
    }
}

/// Some rows of some matrices, in exclusive hands.
pub(crate) struct Block<'a, S> {
    buffers: *const Buffer<S>,
    widths: &'a [usize],
    rows: Range<usize>,
    owner: PhantomData<&'a mut [S]>,
}

// SAFETY: a block is as good as a list of exclusive slices. The headers of the buffers are only read while there are blocks.
unsafe impl<S: Send> Send for Block<'_, S> {}
// SAFETY: a shared block gives shared slices only.
unsafe impl<S: Sync> Sync for Block<'_, S> {}

impl<S: Scalar> Block<'_, S> {
    /// How many matrices there are.
    pub(crate) fn len(&self) -> usize {
        self.widths.len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.widths.is_empty()
    }

    /// The rows of one matrix.
    pub(crate) fn get(&self, matrix: usize) -> &[S] {
        let (start, len) = self.place(matrix);
        // SAFETY: the place is within the buffer, which is borrowed; nobody else writes these rows, and we are shared.
        unsafe { std::slice::from_raw_parts(start, len) }
    }

    /// The rows of one matrix.
    pub(crate) fn get_mut(&mut self, matrix: usize) -> &mut [S] {
        let (start, len) = self.place(matrix);
        // SAFETY: as in `get`; these rows are ours alone, and we are borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(start, len) }
    }

    /// The matrices before a place, and those from there on.
    pub(crate) fn split_at(&mut self, matrix: usize) -> (Block<'_, S>, Block<'_, S>) {
        let (before, after) = self.widths.split_at(matrix);
        // The length of `before` is not past the end.
        let behind = self.buffers.wrapping_add(before.len());
        let block = |buffers, widths| Block { buffers, widths, rows: self.rows.clone(), owner: PhantomData };
        (block(self.buffers, before), block(behind, after))
    }

    fn place(&self, matrix: usize) -> (*mut S, usize) {
        let width = self.widths[matrix];
        // SAFETY: there is a buffer for each width, and `Matrices::block` has seen that it has the rows.
        unsafe {
            let start = (*self.buffers.add(matrix)).start_of_all();
            (start.add(self.rows.start * width), self.rows.len() * width)
        }
    }
}

/// Blocks of rows.
pub(crate) struct Blocks<'a, S> {
    whole: Block<'a, S>,
    cuts: Cuts<'a>,
}

// SAFETY: rows of different parts do not overlap.
unsafe impl<'a, S: Scalar> Parts for Blocks<'a, S> {
    type Part = Block<'a, S>;

    fn count(&self) -> usize {
        self.cuts.parts()
    }

    unsafe fn part(&self, number: usize) -> Block<'a, S> {
        let Block { buffers, widths, owner, .. } = self.whole;
        Block { buffers, widths, rows: self.cuts.range(number), owner }
    }
}

//! The space of a search: a builder, and grids of what may be done to it.

use std::fmt;

use super::candidates::Candidate;
use super::grid::Grid;
use crate::error::Result;

/// The settings among which a search chooses: an estimator's builder, and the grids over it.
pub struct Space<P> {
    prototype: P,
    grids: Vec<Grid<P>>,
}

impl<P: Clone> Clone for Space<P> {
    fn clone(&self) -> Self {
        Space { prototype: self.prototype.clone(), grids: self.grids.clone() }
    }
}

impl<P: fmt::Debug> fmt::Debug for Space<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Space").field("prototype", &self.prototype).field("grids", &self.grids).finish()
    }
}

impl<P> Space<P> {
    /// The builder alone, without axes yet.
    pub(super) fn of(prototype: P) -> Self {
        Space { prototype, grids: vec![Grid::new()] }
    }

    /// Adds a grid.
    pub(super) fn push(&mut self, grid: Grid<P>) {
        // A grid that nobody gave an axis is only the place where `axis` would put one.
        self.grids.retain(|grid| !grid.is_empty());
        self.grids.push(grid);
    }

    /// Changes the last grid.
    pub(super) fn change_last(&mut self, change: impl FnOnce(Grid<P>) -> Grid<P>) {
        let last = self.grids.pop().unwrap_or_default();
        self.grids.push(change(last));
    }

    /// Every combination of every grid, one grid after the other.
    ///
    /// # Errors
    ///
    /// As [`Grid::candidates`].
    pub fn combinations(&self) -> Result<Vec<Candidate<P>>>
    where
        P: Clone,
    {
        let mut candidates = Vec::new();
        for grid in &self.grids {
            candidates.extend(grid.candidates(&self.prototype)?);
        }
        Ok(candidates)
    }
}

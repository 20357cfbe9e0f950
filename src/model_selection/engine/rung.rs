//! Candidates that are all trained as far.

use std::ops::Range;

use crate::model_selection::engine::fold_rows::FoldRows;
use crate::model_selection::fit::continue_rows::Goal;

/// Candidates that are all trained as far, on the same folds.
#[derive(Clone, Debug)]
pub(crate) struct Rung<'a> {
    pub number: usize,
    pub candidates: Vec<usize>,
    pub folds: &'a [FoldRows<'a>],
    /// How far to train; none is each candidate's own end.
    pub goal: Option<Goal>,
    /// How far the rung before trained.
    pub from: Option<Goal>,
    /// The epochs to train in place of the candidates' own.
    pub epochs: Option<usize>,
    /// How far, as the search counts.
    pub resource: Option<u64>,
    /// Whether fits may go on in another rung.
    pub goes_on: bool,
}

impl<'a> Rung<'a> {
    /// The only rung of candidates that are all trained to their end.
    pub(crate) fn only(candidates: Range<usize>, folds: &'a [FoldRows<'a>]) -> Self {
        Rung {
            number: 0,
            candidates: candidates.collect(),
            folds,
            goal: None,
            from: None,
            epochs: None,
            resource: None,
            goes_on: false,
        }
    }
}

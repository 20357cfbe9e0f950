//! The rows of a fold, by what they are for.

use std::borrow::Cow;

use super::split::Split;

/// The rows of a fold. Preparation and weights are fitted on `train` alone; `stopping` may tell the fit when to stop, and
/// `test` is scored.
#[derive(Clone, Debug)]
pub(crate) struct FoldRows<'s> {
    pub train: Cow<'s, [usize]>,
    pub stopping: Vec<usize>,
    pub test: &'s [usize],
}

impl<'s> FoldRows<'s> {
    /// All training rows are fitted on.
    pub(crate) fn of(split: &'s Split) -> Self {
        FoldRows { train: Cow::Borrowed(&split.train), stopping: Vec::new(), test: &split.test }
    }
}

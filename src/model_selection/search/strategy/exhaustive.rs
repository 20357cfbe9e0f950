//! All of them.

use super::{Strategy, Tried};
use crate::error::Result;
use crate::model_selection::search::candidates::Candidate;
use crate::model_selection::search::space::Space;

/// Tries every combination, in the order of the grids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exhaustive;

impl Strategy for Exhaustive {
    fn next_round<P: Clone>(&self, space: &Space<P>, tried: &Tried<'_>) -> Result<Vec<Candidate<P>>> {
        if tried.is_empty() { space.combinations() } else { Ok(Vec::new()) }
    }

    fn learns(&self) -> bool {
        false
    }
}

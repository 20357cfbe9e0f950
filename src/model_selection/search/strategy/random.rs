//! Some, drawn by chance.

use super::{Strategy, Tried};
use crate::error::{Result, check};
use crate::model_selection::search::candidates::Candidate;
use crate::model_selection::search::space::{Space, Unseen};
use crate::rng::Stream;

/// Tries candidates drawn by chance, each once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Random {
    pub(in crate::model_selection::search) n_candidates: usize,
    pub(in crate::model_selection::search) seed: u64,
}

impl Default for Random {
    /// 10 candidates, as scikit-learn has it.
    fn default() -> Self {
        Random { n_candidates: 10, seed: 0 }
    }
}

/// The root of the random numbers of a search.
pub(crate) fn stream(seed: u64) -> Stream {
    Stream::new(seed).named("search")
}

impl Random {
    /// This many candidates.
    #[must_use]
    pub fn new(n_candidates: usize, seed: u64) -> Self {
        Random { n_candidates, seed }
    }
}

impl Strategy for Random {
    fn next_round<P: Clone>(&self, space: &Space<P>, tried: &Tried<'_>) -> Result<Vec<Candidate<P>>> {
        check("n_candidates", self.n_candidates, self.n_candidates > 0, "at least 1")?;
        let mut candidates = Vec::new();
        let mut unseen = Unseen::of(space, stream(self.seed));
        while tried.is_empty() && candidates.len() < self.n_candidates {
            let Some(candidate) = unseen.next()? else { break };
            candidates.push(candidate);
        }
        Ok(candidates)
    }

    fn asked(&self) -> Option<usize> {
        Some(self.n_candidates)
    }

    fn learns(&self) -> bool {
        false
    }
}

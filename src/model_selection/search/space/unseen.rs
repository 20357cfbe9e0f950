//! Candidates that were not there before.

use std::collections::HashSet;

use super::Space;
use crate::error::Result;
use crate::model_selection::search::candidates::Candidate;
use crate::rng::Stream;

/// Draws without anything new after which the space is taken for exhausted.
const PATIENCE: usize = 1000;

/// The most candidates a space is gone through for, when drawing finds nothing new.
const LIMIT: usize = 100_000;

/// Gives each candidate of a space once.
///
/// Draws are numbered, and each has a stream of its own; a draw that a filter refuses, or that was there before, is left out.
/// So the i-th candidate is the same however many are asked for. When drawing finds nothing new for long, the space is gone
/// through, and what is missing comes in an order that depends on the seed.
pub(crate) struct Unseen<'a, P> {
    space: &'a Space<P>,
    stream: Stream,
    seen: HashSet<String>,
    draws: u64,
    /// What is left of the space, last one first, once it was gone through.
    left: Option<Vec<Candidate<P>>>,
}

impl<'a, P: Clone> Unseen<'a, P> {
    pub fn of(space: &'a Space<P>, stream: Stream) -> Self {
        Unseen { space, stream, seen: HashSet::new(), draws: 0, left: None }
    }

    /// The candidate, if it was not there before.
    pub fn new_one(&mut self, candidate: Candidate<P>) -> Option<Candidate<P>> {
        self.seen.insert(self.space.key(&candidate)).then_some(candidate)
    }

    /// The next candidate by chance; none when the space is exhausted.
    ///
    /// # Errors
    ///
    /// As [`Space::draw`], and [`Error::Parameter`](crate::Error::Parameter) when the filters refuse everything.
    pub fn next(&mut self) -> Result<Option<Candidate<P>>> {
        if self.left.is_none() {
            for _ in 0..PATIENCE {
                let drawn = self.space.draw(self.stream.at(self.draws))?;
                self.draws += 1;
                if let Some(candidate) = drawn.and_then(|candidate| self.new_one(candidate)) {
                    return Ok(Some(candidate));
                }
            }
            let mut left = self.space.all(LIMIT).unwrap_or_default();
            self.space.check_kept(!(self.seen.is_empty() && left.is_empty()), PATIENCE)?;
            self.stream.named("left").shuffle(&mut left);
            self.left = Some(left);
        }
        while let Some(candidate) = self.left.as_mut().and_then(Vec::pop) {
            if let Some(candidate) = self.new_one(candidate) {
                return Ok(Some(candidate));
            }
        }
        Ok(None)
    }
}

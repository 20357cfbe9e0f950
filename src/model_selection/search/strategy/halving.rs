//! The best of many, trained further.

use super::{Random, Strategy, Tried};
use crate::error::{Result, check};
use crate::model_selection::search::candidates::Candidate;
use crate::model_selection::search::ladder::{Epochs, Ladder, Resource, check_factor, powers};
use crate::model_selection::search::space::Space;

/// Successive halving: of the candidates of a rung, the best 1 of `factor` are trained `factor` times as far in the next.
///
/// With n candidates, the factor η and a resource from r to R:
///
/// ```text
/// rungs       k = 1 + min(⌊log_η n⌋, ⌊log_η (R / r)⌋)
/// candidates  n₀ = n, nᵢ₊₁ = ⌈nᵢ / η⌉
/// resource    rᵢ = max(r, ⌊R / η^(k − 1 − i)⌋)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halving {
    pub(in crate::model_selection::search) resource: Resource,
    pub(in crate::model_selection::search) factor: usize,
    /// How many candidates are drawn by chance; none is every combination.
    pub(in crate::model_selection::search) n_candidates: Option<usize>,
    pub(in crate::model_selection::search) seed: u64,
}

impl Default for Halving {
    /// From 1 to 81 epochs by a factor of 3.
    fn default() -> Self {
        Halving::new(Epochs { min: 1, max: 81 }, 3)
    }
}

impl Halving {
    /// With that resource and factor.
    #[must_use]
    pub fn new(resource: impl Into<Resource>, factor: usize) -> Self {
        Halving { resource: resource.into(), factor, n_candidates: None, seed: 0 }
    }
}

impl Strategy for Halving {
    fn next_round<P: Clone>(&self, space: &Space<P>, tried: &Tried<'_>) -> Result<Vec<Candidate<P>>> {
        check_factor(self.factor)?;
        match self.n_candidates {
            _ if !tried.is_empty() => Ok(Vec::new()),
            None => space.combinations(),
            Some(n_candidates) => Random::new(n_candidates, self.seed).next_round(space, tried),
        }
    }

    fn ladder(&self, _: usize, candidates: usize, n_train: usize) -> Result<Option<Ladder>> {
        let factor = check_factor(self.factor)?;
        let resource = self.resource.within(n_train)?;
        check("candidates", candidates, candidates >= 1, "at least 1")?;
        let last = powers(candidates as u64, factor).min(resource.powers(factor));
        let mut entering = candidates;
        let rungs: Vec<(usize, u64)> = (0..=last)
            .map(|rung| {
                let now = entering;
                entering = entering.div_ceil(self.factor);
                (now, resource.before_last(last - rung, factor))
            })
            .collect();
        Ok(Some(Ladder::new(self.resource.unit, rungs)))
    }

    fn asked(&self) -> Option<usize> {
        self.n_candidates
    }

    fn forecast_fits(&self, first_round: usize, n_train: usize) -> usize {
        let ladder = self.ladder(0, first_round, n_train).ok().flatten();
        ladder.map_or(first_round, |ladder| ladder.rungs().iter().map(|(candidates, _)| candidates).sum())
    }

    fn learns(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model_selection::search::ladder::Samples;

    fn rungs(resource: impl Into<Resource>, factor: usize, candidates: usize) -> Vec<(usize, u64)> {
        Halving::new(resource, factor).ladder(0, candidates, 1000).unwrap().unwrap().rungs().to_vec()
    }

    #[test]
    fn the_counts_are_scikit_learns() {
        // HalvingGridSearchCV(factor=3, min_resources="exhaust"): n_candidates_ and n_resources_.
        assert_eq!(rungs(Epochs { min: 1, max: 81 }, 3, 200), [(200, 1), (67, 3), (23, 9), (8, 27), (3, 81)]);
        assert_eq!(rungs(Epochs { min: 1, max: 81 }, 3, 9), [(9, 9), (3, 27), (1, 81)]);
        assert_eq!(rungs(Epochs { min: 1, max: 64 }, 2, 10), [(10, 8), (5, 16), (3, 32), (2, 64)]);
    }

    #[test]
    fn few_candidates_or_little_resource_have_fewer_rungs() {
        assert_eq!(rungs(Epochs { min: 1, max: 81 }, 3, 1), [(1, 81)]);
        assert_eq!(rungs(Epochs { min: 27, max: 81 }, 3, 200), [(200, 27), (67, 81)]);
        assert_eq!(rungs(Epochs { min: 5, max: 5 }, 3, 200), [(200, 5)]);
        assert_eq!(rungs(Samples { min: 100, max: usize::MAX }, 3, 20), [(20, 111), (7, 333), (3, 1000)]);
    }
}

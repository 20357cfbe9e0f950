//! Halvings of different haste.

use super::{Random, Strategy, Tried};
use crate::error::{Error, Result};
use crate::model_selection::search::candidates::Candidate;
use crate::model_selection::search::ladder::{Epochs, Ladder, Resource, check_factor};
use crate::model_selection::search::space::Space;

/// Hyperband: one round of successive halving after the other, the first with many candidates that start with the least
/// resource, the last with few that are trained the whole way at once.
///
/// With the factor η, a resource from r to R and `s_max = ⌊log_η (R / r)⌋`, for the brackets s = s_max, …, 0:
///
/// ```text
/// candidates   n = ⌈(s_max + 1) / (s + 1) · η^s⌉, and ⌊n / η^i⌋ in rung i
/// resource     ⌊R / η^(s − i)⌋ in rung i = 0, …, s
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hyperband {
    pub(in crate::model_selection::search) resource: Resource,
    pub(in crate::model_selection::search) factor: usize,
    pub(in crate::model_selection::search) seed: u64,
}

impl Default for Hyperband {
    /// From 1 to 81 epochs by a factor of 3.
    fn default() -> Self {
        Hyperband { resource: Epochs { min: 1, max: 81 }.into(), factor: 3, seed: 0 }
    }
}

impl Hyperband {
    /// With that resource and factor.
    #[must_use]
    pub fn new(resource: impl Into<Resource>, factor: usize) -> Self {
        Hyperband { resource: resource.into(), factor, seed: 0 }
    }

    /// The number of candidates of each bracket, from the one with the most rungs to the one with a single rung.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a resource or a factor outside its range.
    pub fn brackets(&self) -> Result<Vec<usize>> {
        let factor = check_factor(self.factor)?;
        let resource = self.resource.bounded()?;
        let most = resource.powers(factor);
        (0..=most)
            .rev()
            .map(|s| {
                let candidates = u128::from(most + 1) * u128::from(factor).pow(s);
                let candidates = candidates.div_ceil(u128::from(s + 1));
                usize::try_from(candidates).ok().filter(|n| *n <= 1_000_000).ok_or_else(|| {
                    let allowed = "a resource and a factor that ask for at most 1000000 candidates a bracket";
                    Error::parameter("hyperband", candidates, allowed)
                })
            })
            .collect()
    }
}

impl Strategy for Hyperband {
    fn next_round<P: Clone>(&self, space: &Space<P>, tried: &Tried<'_>) -> Result<Vec<Candidate<P>>> {
        let brackets = self.brackets()?;
        let mut end = 0;
        for candidates in &brackets {
            end += candidates;
            if end > tried.len() {
                break;
            }
        }
        // Candidate i of a seed is the same however many there are: the bracket's are those after the ones tried.
        let all = Random::new(end.max(1), self.seed).next_round(space, &Tried::nothing())?;
        Ok(all.into_iter().skip(tried.len()).collect())
    }

    fn ladder(&self, round: usize, candidates: usize, n_train: usize) -> Result<Option<Ladder>> {
        let factor = check_factor(self.factor)?;
        let resource = self.resource.within(n_train)?;
        let rungs = (resource.powers(factor) + 1).saturating_sub(round as u32).max(1);
        let entering =
            |rung: u32| factor.checked_pow(rung).map_or(0, |divisor| candidates / divisor as usize);
        let rungs: Vec<(usize, u64)> = (0..rungs)
            .map(|rung| (entering(rung).max(1), resource.before_last(rungs - 1 - rung, factor)))
            .collect();
        Ok(Some(Ladder::new(self.resource.unit, rungs)))
    }

    fn forecast_fits(&self, _: usize, n_train: usize) -> usize {
        let brackets = self.brackets().unwrap_or_default();
        let of_bracket = |(round, n): (usize, &usize)| match self.ladder(round, *n, n_train) {
            Ok(Some(ladder)) => ladder.rungs().iter().map(|(candidates, _)| candidates).sum(),
            _ => 0_usize,
        };
        brackets.iter().enumerate().map(of_bracket).sum()
    }

    fn forecast(&self, _: usize) -> usize {
        self.brackets().map_or(0, |brackets| brackets.iter().sum())
    }

    fn asked(&self) -> Option<usize> {
        self.brackets().ok().map(|brackets| brackets.iter().sum())
    }

    fn learns(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model_selection::search::ladder::Samples;

    fn rungs(strategy: Hyperband, round: usize, candidates: usize) -> Vec<(usize, u64)> {
        strategy.ladder(round, candidates, 1000).unwrap().unwrap().rungs().to_vec()
    }

    #[test]
    fn the_brackets_are_those_of_the_paper() {
        // Li et al. 2018, table 1: R = 81, η = 3.
        let strategy = Hyperband::default();
        assert_eq!(strategy.brackets().unwrap(), [81, 34, 15, 8, 5]);
        assert_eq!(rungs(strategy, 0, 81), [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)]);
        assert_eq!(rungs(strategy, 1, 34), [(34, 3), (11, 9), (3, 27), (1, 81)]);
        assert_eq!(rungs(strategy, 2, 15), [(15, 9), (5, 27), (1, 81)]);
        assert_eq!(rungs(strategy, 3, 8), [(8, 27), (2, 81)]);
        assert_eq!(rungs(strategy, 4, 5), [(5, 81)]);
        assert_eq!(strategy.forecast_fits(81, 1000), 121 + 49 + 21 + 10 + 5);
    }

    #[test]
    fn impossible_brackets_are_refused() {
        let whole = Samples { min: 10, max: usize::MAX };
        let error = Hyperband::new(whole, 3).brackets().unwrap_err().to_string();
        assert!(error.starts_with("resource: most samples must be a number"), "{error}");
        let error = Hyperband::new(Epochs { min: 1, max: usize::MAX }, 2).brackets().unwrap_err().to_string();
        assert!(error.starts_with("hyperband must be"), "{error}");
        assert!(Hyperband::new(Epochs { min: 1, max: 9 }, 1).brackets().is_err());
        assert!(Hyperband::new(Epochs { min: 0, max: 9 }, 3).brackets().is_err());
        assert_eq!(Hyperband::new(Epochs { min: 9, max: 9 }, 3).brackets().unwrap(), [1]);
    }
}

//! Rungs: fewer and fewer candidates, trained further and further.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Result, check};
use crate::model_selection::fit::continue_rows::Goal;

/// Epochs as the resource of a search in rungs: survivors go on from where they stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epochs {
    /// The least that a rung may train; at least 1.
    pub min: usize,
    /// What the last rung trains.
    pub max: usize,
}

/// Updates of the weights, that is batches, as the resource of a search in rungs: survivors go on from where they stopped, in
/// the middle of an epoch if need be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Updates {
    /// The least that a rung may train; at least 1.
    pub min: u64,
    /// What the last rung trains.
    pub max: u64,
}

/// Training rows as the resource of a search in rungs: each rung fits its candidates anew, on more rows of every fold.
///
/// Any estimator will do. The rows of a rung are among those of the next, drawn by chance, of every class its share; all test
/// rows are scored in every rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Samples {
    /// The least that a rung may train on; at least 1.
    pub min: usize,
    /// What the last rung trains on: at most the training rows of the smallest fold, which `usize::MAX` stands for.
    pub max: usize,
}

/// What a search in rungs gives its candidates more and more of: [`Epochs`], [`Updates`] or [`Samples`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    pub(super) unit: Unit,
    min: u64,
    max: u64,
}

/// What a resource is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Passes over the training rows.
    Epochs,
    /// Batches learned from.
    Updates,
    /// Training rows.
    Samples,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Unit::Epochs => "epochs",
            Unit::Updates => "updates",
            Unit::Samples => "samples",
        })
    }
}

impl From<Epochs> for Resource {
    fn from(Epochs { min, max }: Epochs) -> Self {
        Resource { unit: Unit::Epochs, min: min as u64, max: max as u64 }
    }
}

impl From<Updates> for Resource {
    fn from(Updates { min, max }: Updates) -> Self {
        Resource { unit: Unit::Updates, min, max }
    }
}

impl From<Samples> for Resource {
    fn from(Samples { min, max }: Samples) -> Self {
        let max = if max == usize::MAX { u64::MAX } else { max as u64 };
        Resource { unit: Unit::Samples, min: min as u64, max }
    }
}

impl Resource {
    /// The resource as it is for folds of which the smallest trains on so many rows.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](crate::Error::Parameter) for a least that is 0 or more than the most, and for more rows than
    /// there are.
    pub(super) fn within(mut self, n_train: usize) -> Result<Self> {
        let unit = self.unit;
        if unit == Unit::Samples {
            let rows = n_train as u64;
            let max = if self.max == u64::MAX { rows } else { self.max };
            let allowed = format!("at most the {n_train} training rows of the smallest fold");
            check("resource: most samples", max, max <= rows, &allowed)?;
            self.max = max;
        }
        let allowed = format!("at least 1, and at most the {} of the last rung", self.max);
        check(&format!("resource: least {unit}"), self.min, (1..=self.max).contains(&self.min), &allowed)?;
        Ok(self)
    }

    /// The resource, if its most is known without the data.
    ///
    /// # Errors
    ///
    /// As [`within`](Resource::within), and for all rows of data that nobody has seen yet.
    pub(super) fn bounded(self) -> Result<Self> {
        let known = self.unit != Unit::Samples || self.max != u64::MAX;
        check(
            "resource: most samples",
            "all",
            known,
            "a number, which the number of candidates follows from",
        )?;
        self.within(usize::MAX)
    }

    /// How many times the least can be multiplied by the factor.
    pub(super) fn powers(&self, factor: u64) -> u32 {
        powers(self.max / self.min, factor)
    }

    /// What a rung gets that is so many rungs before the last.
    pub(super) fn before_last(&self, rungs: u32, factor: u64) -> u64 {
        factor.checked_pow(rungs).map_or(0, |divisor| self.max / divisor).max(self.min)
    }
}

/// The largest k for which factorᵏ ≤ n.
pub(super) fn powers(n: u64, factor: u64) -> u32 {
    let mut powers = 0;
    let mut left = n / factor;
    while left >= 1 {
        powers += 1;
        left /= factor;
    }
    powers
}

/// Checks the factor by which candidates become fewer and the resource more.
pub(super) fn check_factor(factor: usize) -> Result<u64> {
    check("factor", factor, factor >= 2, "at least 2")?;
    Ok(factor as u64)
}

/// The rungs that the candidates of a round climb.
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{Halving, Epochs, Strategy, Unit};
///
/// let ladder = Halving::new(Epochs { min: 1, max: 9 }, 3).ladder(0, 9, 100)?.unwrap();
/// assert_eq!((ladder.unit(), ladder.rungs()), (Unit::Epochs, &[(9, 1), (3, 3), (1, 9)][..]));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    unit: Unit,
    /// How many candidates each rung trains, and how far.
    rungs: Vec<(usize, u64)>,
}

impl Ladder {
    /// The rungs: how many candidates each trains, and how far. The first trains all candidates of the round, whatever it
    /// says.
    #[must_use]
    pub fn new(unit: Unit, rungs: impl Into<Vec<(usize, u64)>>) -> Self {
        Ladder { unit, rungs: rungs.into() }
    }

    /// What the resource is counted in.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// How many candidates each rung trains, and how far.
    #[must_use]
    pub fn rungs(&self) -> &[(usize, u64)] {
        &self.rungs
    }

    /// What the last rung trains.
    pub(super) fn top(&self) -> u64 {
        self.rungs.last().map_or(0, |(_, resource)| *resource)
    }

    /// How far a fit shall go; none where more of the resource means another fit.
    pub(super) fn goal(&self, resource: u64) -> Option<Goal> {
        let of = self.top();
        match self.unit {
            Unit::Epochs => Some(Goal::Epochs { now: resource as usize, of: of as usize }),
            Unit::Updates => Some(Goal::Updates { now: resource, of }),
            Unit::Samples => None,
        }
    }
}

/// A rung of a finished search.
///
/// # Examples
///
/// ```
/// use linfa::traits::Fit;
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{HalvingSearch, KFold, Samples};
///
/// let found = HalvingSearch::new(ElasticNet::params())
///     .axis("penalty", [0.01, 0.1, 100.0], |p, v| p.penalty(v))
///     .resource(Samples { min: 60, max: 200 })
///     .cv(KFold::new(3))
///     .fit(&linfa_datasets::diabetes())?;
/// let rungs = found.rungs();
/// assert_eq!((rungs[0].candidates.len(), rungs[1].resource), (3, 200));
/// assert_eq!(rungs[0].promoted, rungs[1].candidates);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RungSummary {
    /// The round of candidates, from 0: a bracket of Hyperband, for instance.
    pub round: usize,
    /// Its place in the round, from 0.
    pub rung: usize,
    /// What the resource is counted in.
    pub unit: Unit,
    /// How far it trains.
    pub resource: u64,
    /// Its candidates.
    pub candidates: Vec<usize>,
    /// Those that went on to the next rung, in the order of the candidates.
    pub promoted: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_counted_in_whole_numbers() {
        let seen = [1, 2, 3, 8, 9, 242, 243, u64::MAX].map(|n| powers(n, 3));
        assert_eq!(seen, [0, 0, 1, 1, 2, 4, 5, 40]);
    }

    #[test]
    fn impossible_resources_are_refused() {
        let error = |resource: Resource| resource.within(50).unwrap_err().to_string();
        assert_eq!(
            error(Epochs { min: 0, max: 9 }.into()),
            "resource: least epochs must be at least 1, and at most the 9 of the last rung, but is 0"
        );
        assert!(error(Updates { min: 10, max: 9 }.into()).starts_with("resource: least updates"));
        assert_eq!(
            error(Samples { min: 1, max: 51 }.into()),
            "resource: most samples must be at most the 50 training rows of the smallest fold, but is 51"
        );
        assert!(error(Samples { min: 51, max: usize::MAX }.into()).starts_with("resource: least samples"));
        assert!(check_factor(1).is_err() && check_factor(0).is_err() && check_factor(2).is_ok());
    }

    #[test]
    fn the_resource_falls_from_the_last_rung_to_the_least() {
        let resource = Resource::from(Epochs { min: 2, max: 100 }).within(5).unwrap();
        let seen: Vec<u64> = (0..6).map(|rungs| resource.before_last(rungs, 3)).collect();
        assert_eq!(seen, [100, 33, 11, 3, 2, 2]);
        assert_eq!(resource.powers(3), 3);
        assert_eq!(resource.before_last(u32::MAX, 3), 2);
    }
}

//! How much a search may spend.

use std::time::Duration;

use crate::error::{Result, check};

/// How much a search may spend on its fits, the refit of the best candidate aside. What is reached first counts.
///
/// | budget | counts | the same result on every machine |
/// | --- | --- | --- |
/// | [`seconds`](Budget::seconds) | wall-clock time since the first fit started | no |
/// | [`fits`](Budget::fits) | fits, in the order of candidates and folds | yes |
/// | [`updates`](Budget::updates) | updates of weights that fits may make, in the same order | yes |
///
/// Fits that are outside the budget have rows with the status [`Stopped`](super::FitStatus::Stopped), and a candidate that
/// was not scored in every fold ranks behind those that were. When the time is over, fits of the fast path end at their next
/// batch; others run to their end, and no new ones start.
///
/// Updates are counted before the fits start, as many as a fit makes at most: a fit that early stopping ends gives nothing
/// back. So which fits run depends on no other fit.
///
/// ```
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{Budget, GridSearch, KFold};
///
/// let search = GridSearch::new(ElasticNet::params())
///     .axis("penalty", [0.01, 0.1, 1.0], |p, v| p.penalty(v))
///     .cv(KFold::new(4))
///     .budget(Budget::fits(9));
/// # use linfa::traits::Fit;
/// let found = search.fit(&linfa_datasets::diabetes())?;
/// let complete: Vec<bool> = found.results().candidates().iter().map(|c| c.stopped == 0).collect();
/// assert_eq!(complete, [true, true, false]);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Budget {
    seconds: Option<f64>,
    fits: Option<usize>,
    updates: Option<u64>,
}

impl Budget {
    /// That many seconds.
    #[must_use]
    pub fn seconds(seconds: f64) -> Self {
        Budget { seconds: Some(seconds), ..Budget::default() }
    }

    /// That many fits.
    #[must_use]
    pub fn fits(fits: usize) -> Self {
        Budget { fits: Some(fits), ..Budget::default() }
    }

    /// That many updates, for estimators that can say how many they make
    /// ([`FitRows::planned_updates`](super::FitRows::planned_updates)).
    #[must_use]
    pub fn updates(updates: u64) -> Self {
        Budget { updates: Some(updates), ..Budget::default() }
    }

    /// This budget or the other, whichever ends first.
    #[must_use]
    pub fn or(self, other: Budget) -> Self {
        let seconds = match (self.seconds, other.seconds) {
            // A number that is none must stay one, so that it is refused.
            (Some(a), Some(b)) => Some(if a <= b || a.is_nan() { a } else { b }),
            (a, b) => a.or(b),
        };
        let least = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
        let fits = self.fits.into_iter().chain(other.fits).min();
        Budget { seconds, fits, updates: least(self.updates, other.updates) }
    }

    /// Checks the ranges.
    pub(crate) fn check(&self) -> Result<()> {
        let seconds = self.seconds.unwrap_or(0.0);
        check("budget: seconds", seconds, seconds.is_finite() && seconds >= 0.0, "finite and at least 0")?;
        check("budget: fits", 0, self.fits != Some(0), "at least 1")?;
        check("budget: updates", 0, self.updates != Some(0), "at least 1")
    }

    pub(crate) fn time(&self) -> Option<Duration> {
        // Checked: what a duration cannot hold is longer than any search.
        self.seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    }

    pub(crate) fn counts_updates(&self) -> bool {
        self.updates.is_some()
    }

    pub(crate) fn at_most(&self, fits: usize) -> usize {
        self.fits.map_or(fits, |budget| budget.min(fits))
    }

    /// Takes a fit of so many updates out of what is left, or says that it does not fit in.
    pub(crate) fn take(&self, spent: &mut Spent, updates: u64) -> Result<(), String> {
        if let Some(fits) = self.fits.filter(|fits| spent.fits >= *fits) {
            return Err(format!("the budget of {fits} fits is spent"));
        }
        let after = spent.updates.saturating_add(updates);
        if let Some(budget) = self.updates.filter(|budget| after > *budget) {
            return Err(format!("the budget of {budget} updates has no {updates} left"));
        }
        *spent = Spent { fits: spent.fits + 1, updates: after };
        Ok(())
    }
}

/// What a search has spent so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    fits: usize,
    updates: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reached_first_counts() {
        let budget = Budget::fits(3).or(Budget::updates(100)).or(Budget::fits(9)).or(Budget::seconds(60.0));
        let mut spent = Spent::default();
        assert!(budget.take(&mut spent, 60).is_ok());
        let refused = budget.take(&mut spent, 41).unwrap_err();
        assert_eq!(refused, "the budget of 100 updates has no 41 left");
        assert!(budget.take(&mut spent, 40).is_ok() && budget.take(&mut spent, 0).is_ok());
        assert_eq!(budget.take(&mut spent, 0).unwrap_err(), "the budget of 3 fits is spent");
        assert_eq!(budget.time(), Some(Duration::from_secs(60)));
    }

    #[test]
    fn impossible_budgets_are_refused() {
        for seconds in [f64::NAN, -1.0, f64::INFINITY] {
            assert!(Budget::seconds(seconds).check().is_err(), "{seconds}");
            assert!(Budget::seconds(seconds).or(Budget::seconds(1e9)).check().is_err() || seconds > 0.0);
        }
        assert!(Budget::fits(0).check().is_err() && Budget::updates(0).check().is_err());
        assert!(Budget::seconds(0.0).check().is_ok() && Budget::default().check().is_ok());
        assert!(Budget::seconds(f64::MAX).check().is_ok() && Budget::seconds(f64::MAX).time().is_none());
    }
}

//! Which candidate is best, and whether it is fitted on all rows.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::metric::Direction;
use crate::model_selection::results::{CandidateSummary, ScorerInfo, SearchResults};

/// A rule that chooses a candidate from the whole table.
type Rule = Arc<dyn Fn(&SearchResults) -> usize + Send + Sync>;

/// What a candidate costs.
type Cost = Arc<dyn Fn(&CandidateSummary) -> f64 + Send + Sync>;

/// What a search does with its best candidate.
///
/// | given as | meaning |
/// | --- | --- |
/// | `true` (default) | the best mean of the first scorer, fitted on all rows |
/// | `"r2"` | the best mean of that scorer, fitted on all rows |
/// | [`Refit::one_standard_error`] | the smallest model whose mean is within one standard error of the best, fitted on all rows |
/// | [`Refit::by`] | the candidate that a rule names, fitted on all rows |
/// | `false` | the best mean of the first scorer, not fitted: there is no best model |
#[derive(Clone)]
pub struct Refit(Choice);

#[derive(Clone)]
enum Choice {
    No,
    First,
    Scorer(String),
    Rule(Rule),
    /// By this cost, or else by the number of parameters.
    OneStandardError(Option<Cost>),
}

impl Default for Refit {
    fn default() -> Self {
        Refit(Choice::First)
    }
}

impl From<bool> for Refit {
    fn from(refit: bool) -> Self {
        Refit(if refit { Choice::First } else { Choice::No })
    }
}

impl From<&str> for Refit {
    fn from(scorer: &str) -> Self {
        Refit(Choice::Scorer(scorer.into()))
    }
}

impl fmt::Debug for Refit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Choice::No => "No",
            Choice::First => "First",
            Choice::Scorer(name) => name,
            Choice::Rule(_) => "Rule",
            Choice::OneStandardError(_) => "OneStandardError",
        })
    }
}

impl Refit {
    /// A rule of one's own: it gets the whole table and names a candidate, from 0.
    #[must_use]
    pub fn by(rule: impl Fn(&SearchResults) -> usize + Send + Sync + 'static) -> Self {
        Refit(Choice::Rule(Arc::new(rule)))
    }

    /// The simplest of the candidates that are as good as the best, as far as can be seen:
    ///
    /// ```text
    /// as good:   mean within one standard error of the best mean,  SE = s/√k of the best candidate's k folds
    /// simplest:  the fewest parameters; of equals, the best mean
    /// ```
    ///
    /// It is for estimators that say how many parameters their models have, as this crate's do; for others there is
    /// [`one_standard_error_by`](Refit::one_standard_error_by).
    ///
    /// # References
    ///
    /// L. Breiman et al., *Classification and Regression Trees*, 1984, section 3.4.3.
    #[must_use]
    pub fn one_standard_error() -> Self {
        Refit(Choice::OneStandardError(None))
    }

    /// As [`one_standard_error`](Refit::one_standard_error), where the simplest candidate is the one that costs least. A
    /// candidate whose cost is NaN is left out.
    #[must_use]
    pub fn one_standard_error_by(cost: impl Fn(&CandidateSummary) -> f64 + Send + Sync + 'static) -> Self {
        Refit(Choice::OneStandardError(Some(Arc::new(cost))))
    }

    pub(super) fn check(&self, scorers: &[ScorerInfo]) -> Result<()> {
        let Choice::Scorer(name) = &self.0 else { return Ok(()) };
        let names: Vec<&str> = scorers.iter().map(|scorer| scorer.name.as_str()).collect();
        let known = names.contains(&name.as_str());
        crate::error::check("refit", name, known, &format!("one of the scorers ({})", names.join(", ")))
    }

    /// The scorer that decides.
    pub(super) fn scorer(&self) -> Option<&str> {
        if let Choice::Scorer(name) = &self.0 { Some(name) } else { None }
    }

    /// The place of the scorer that decides.
    pub(super) fn place(&self, scorers: &[ScorerInfo]) -> usize {
        self.scorer().and_then(|name| scorers.iter().position(|info| info.name == name)).unwrap_or(0)
    }

    /// The best candidate and whether it shall be fitted on all rows, or why there is none.
    pub(super) fn choose(&self, results: &SearchResults) -> Result<(usize, bool), String> {
        let candidates = results.candidates().len();
        if let Choice::Rule(rule) = &self.0 {
            let rule = std::panic::AssertUnwindSafe(|| Ok::<_, Error>(rule(results)));
            let index = crate::model_selection::evaluation::guarded("the rule of refit", rule.0)
                .map_err(|error| error.to_string())?;
            return if index < candidates {
                Ok((index, true))
            } else {
                Err(format!("refit must name a candidate below {candidates}, but named {index}"))
            };
        }
        if let Choice::OneStandardError(cost) = &self.0 {
            let simplest = std::panic::AssertUnwindSafe(|| Ok::<_, Error>(simplest(results, cost.as_ref())));
            let simplest = crate::model_selection::evaluation::guarded("the cost of refit", simplest.0);
            return simplest.map_err(|error| error.to_string())?.map(|index| (index, true));
        }
        let scorer = self.scorer().and_then(|name| results.scorer(name)).unwrap_or(0);
        let best = results.best(scorer);
        let index = best.ok_or_else(|| "no candidate has a mean score".to_string())?;
        Ok((index, !matches!(self.0, Choice::No)))
    }
}

/// The cheapest candidate within one standard error of the best, by the first scorer.
fn simplest(results: &SearchResults, cost: Option<&Cost>) -> Result<usize, String> {
    let best = results.best(0).ok_or("no candidate was scored in every fold")?;
    let top = results.candidates()[best].test[0];
    let folds = results.fits(best).count() as f64;
    // The table has the population's deviation: s/√k = std/√(k − 1).
    let error = if folds > 1.0 { top.std / (folds - 1.0).sqrt() } else { 0.0 };
    let as_good = |mean: f64| match results.scorers()[0].direction {
        Direction::Maximize => mean >= top.mean - error,
        Direction::Minimize => mean <= top.mean + error,
    };
    let cost = |candidate: &CandidateSummary| match cost {
        Some(cost) => Some(cost(candidate)),
        None => results.n_params(candidate.candidate),
    };
    // In the order of the ranks, so that of equals the best comes first.
    let mut cheapest: Option<(usize, f64)> = None;
    for candidate in results.ranked(0).into_iter().filter(|candidate| as_good(candidate.test[0].mean)) {
        let Some(cost) = cost(candidate) else {
            let index = candidate.candidate;
            return Err(format!("the estimator does not say how many parameters candidate {index} has"));
        };
        let cheaper = cheapest.is_none_or(|(_, least)| cost < least);
        if cheaper && !cost.is_nan() {
            cheapest = Some((candidate.candidate, cost));
        }
    }
    cheapest.map(|(index, _)| index).ok_or_else(|| "no candidate has a cost".into())
}

//! Which candidate is best, and whether it is fitted on all rows.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::metric::Direction;
use crate::model_selection::engine::guarded::guarded;
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
///
/// One scorer decides in the whole search: which candidates go on to the next rung, what a search that learns learns from, which are
/// as good as the best. It is the first one, or the one that is named here or by [`scorer`](Refit::scorer).
///
/// # Examples
///
/// The smallest network that is as good as the best by its R², where the table is headed by another score:
///
/// ```
/// use linfa_mlp::MlpRegressor;
/// use linfa_mlp::model_selection::{GridSearch, KFold, Refit, Scorer, TargetScaling};
///
/// let search = GridSearch::new(MlpRegressor::params().epochs(5))
///     .axis("hidden", [vec![2], vec![32]], |p, sizes| p.hidden_layer_sizes(sizes))
///     .scale_targets(TargetScaling::Standard)
///     .scorers([Scorer::neg_mean_absolute_error(), Scorer::r2()])
///     .refit(Refit::one_standard_error().scorer("r2"))
///     .cv(KFold::new(3))
///     .fit(&linfa_datasets::diabetes())?;
/// let best = search.best_index().unwrap();
/// assert_eq!(search.best_score(), Some(search.results().candidates()[best].test[1].mean));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Refit {
    choice: Choice,
    scorer: Option<String>,
}

#[derive(Clone, Default)]
enum Choice {
    No,
    #[default]
    Best,
    Rule(Rule),
    /// By this cost, or else by the number of parameters.
    OneStandardError(Option<Cost>),
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Choice::No => "No",
            Choice::Best => "Best",
            Choice::Rule(_) => "Rule",
            Choice::OneStandardError(_) => "OneStandardError",
        })
    }
}

impl From<Choice> for Refit {
    fn from(choice: Choice) -> Self {
        Refit { choice, scorer: None }
    }
}

impl From<bool> for Refit {
    fn from(refit: bool) -> Self {
        if refit { Choice::Best.into() } else { Choice::No.into() }
    }
}

impl From<&str> for Refit {
    fn from(scorer: &str) -> Self {
        Refit::default().scorer(scorer)
    }
}

impl Refit {
    /// A rule of one's own: it gets the whole table and names a candidate, from 0.
    #[must_use]
    pub fn by(rule: impl Fn(&SearchResults) -> usize + Send + Sync + 'static) -> Self {
        Choice::Rule(Arc::new(rule)).into()
    }

    /// The scorer that decides, by its name. The default is the first one.
    #[must_use]
    pub fn scorer(mut self, name: impl Into<String>) -> Self {
        self.scorer = Some(name.into());
        self
    }

    /// The simplest of the candidates that are as good as the best, as far as can be seen:
    ///
    /// ```text
    /// as good:   mean within one standard error of the best mean,  SE = s/√k of the best candidate's k folds
    /// simplest:  the fewest parameters; of equals, the best mean
    /// ```
    ///
    /// A fold's score is the mean of its replicates. Where candidates climb rungs, those of the best candidate's resource are
    /// compared, the others have been trained less; and a candidate with stopped fits has not been measured in every fold.
    ///
    /// It is for estimators that say how many parameters their models have, as this crate's do; for others there is
    /// [`one_standard_error_by`](Refit::one_standard_error_by).
    ///
    /// # References
    ///
    /// L. Breiman et al., *Classification and Regression Trees*, 1984, section 3.4.3.
    #[must_use]
    pub fn one_standard_error() -> Self {
        Choice::OneStandardError(None).into()
    }

    /// As [`one_standard_error`](Refit::one_standard_error), where the simplest candidate is the one that costs least. A
    /// candidate whose cost is NaN is left out.
    #[must_use]
    pub fn one_standard_error_by(cost: impl Fn(&CandidateSummary) -> f64 + Send + Sync + 'static) -> Self {
        Choice::OneStandardError(Some(Arc::new(cost))).into()
    }

    pub(super) fn check(&self, scorers: &[ScorerInfo]) -> Result<()> {
        let Some(name) = &self.scorer else { return Ok(()) };
        let names: Vec<&str> = scorers.iter().map(|scorer| scorer.name.as_str()).collect();
        let known = names.contains(&name.as_str());
        crate::error::check("refit", name, known, &format!("one of the scorers ({})", names.join(", ")))
    }

    /// The scorer that decides, where it is named.
    pub(super) fn named_scorer(&self) -> Option<&str> {
        self.scorer.as_deref()
    }

    /// The place of the scorer that decides.
    pub(super) fn place(&self, scorers: &[ScorerInfo]) -> usize {
        self.named_scorer().and_then(|name| scorers.iter().position(|info| info.name == name)).unwrap_or(0)
    }

    /// The best candidate and whether it shall be fitted on all rows, or why there is none.
    pub(super) fn choose(&self, results: &SearchResults) -> Result<(usize, bool), String> {
        let (candidates, scorer) = (results.candidates().len(), self.place(results.scorers()));
        match &self.choice {
            Choice::Rule(rule) => {
                let index = guarded("the rule of refit", || Ok::<_, Error>(rule(results)));
                let index = index.map_err(|error| error.to_string())?;
                if index < candidates {
                    Ok((index, true))
                } else {
                    Err(format!("refit must name a candidate below {candidates}, but named {index}"))
                }
            }
            Choice::OneStandardError(cost) => {
                let simplest = || Ok::<_, Error>(simplest(results, scorer, cost.as_ref()));
                let simplest = guarded("the cost of refit", simplest).map_err(|error| error.to_string())?;
                simplest.map(|index| (index, true))
            }
            choice @ (Choice::Best | Choice::No) => {
                let index =
                    results.best(scorer).ok_or_else(|| "no candidate has a mean score".to_string())?;
                Ok((index, matches!(choice, Choice::Best)))
            }
        }
    }
}

/// The cheapest candidate within one standard error of the best, by that scorer.
fn simplest(results: &SearchResults, scorer: usize, cost: Option<&Cost>) -> Result<usize, String> {
    let best = results.best(scorer).ok_or("no candidate was scored in every fold")?;
    let best = &results.candidates()[best];
    if best.stopped > 0 {
        // Then no candidate has all its fits, and their means are of different folds.
        return Ok(best.candidate);
    }
    let top = best.test[scorer].mean;
    let error = results.plain_standard_error(scorer, best.candidate).unwrap_or(0.0);
    let as_good = |candidate: &&CandidateSummary| {
        let mean = candidate.test[scorer].mean;
        candidate.resource == best.resource
            && candidate.stopped == 0
            && match results.scorers()[scorer].direction {
                Direction::Maximize => mean >= top - error,
                Direction::Minimize => mean <= top + error,
            }
    };
    let cost = |candidate: &CandidateSummary| match cost {
        Some(cost) => Some(cost(candidate)),
        None => results.n_params(candidate.candidate),
    };
    // In the order of the ranks, so that of equals the best comes first.
    let mut cheapest: Option<(usize, f64)> = None;
    for candidate in results.ranked(scorer).into_iter().filter(as_good) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model_selection::observer::Task;
    use crate::model_selection::results::{FitRow, FitStatus, Params};

    /// Scores by candidate; each of (rung, fold, replicate, score), no number where the fit never started.
    fn chosen(fits: &[&[(usize, usize, usize, f64)]]) -> usize {
        let mut rows = Vec::new();
        for (candidate, fits) in fits.iter().enumerate() {
            for &(rung, fold, replicate, score) in *fits {
                let task = Task { rung, replicate, ..Task::new(candidate, Some(fold)) };
                let mut row = FitRow::started(task, 8, 4, 1);
                row.resource = Some(3_u64.pow(rung as u32));
                row.test_scores = vec![score];
                if score.is_nan() {
                    row.status = FitStatus::Stopped { message: "late".into() };
                }
                rows.push(row);
            }
        }
        let scorer = ScorerInfo { name: "r2".into(), direction: Direction::Maximize };
        let results = SearchResults::new(vec![scorer], vec![Params::default(); fits.len()], rows);
        // The first candidate is the simplest.
        Refit::one_standard_error_by(|candidate| candidate.candidate as f64).choose(&results).unwrap().0
    }

    #[test]
    fn candidates_of_a_lower_rung_are_not_compared_with_the_best() {
        let lower: &[_] = &[(0, 0, 0, 0.9), (0, 1, 0, 1.0)];
        let higher: &[_] = &[(1, 0, 0, 0.8), (1, 1, 0, 1.0)];
        assert_eq!(chosen(&[lower, higher]), 1);
        assert_eq!(chosen(&[&[(1, 0, 0, 0.8), (1, 1, 0, 0.9)], higher]), 0);
    }

    #[test]
    fn candidates_with_stopped_fits_are_chosen_only_where_all_have_some() {
        let whole: &[_] = &[(0, 0, 0, 0.8), (0, 1, 0, 1.0)];
        let half = |score| [(0, 0, 0, score), (0, 1, 0, f64::NAN)];
        assert_eq!(chosen(&[&half(0.95), whole]), 1);
        assert_eq!(chosen(&[&half(0.9), &half(0.95)]), 1, "the best, and nothing can be said of others");
    }

    #[test]
    fn replicates_of_a_fold_are_no_folds() {
        // Fold means 0.8 and 1: s = √0.02, SE = s/√2 = 0.1, whatever the number of replicates.
        let of = |scores: [f64; 2], replicates: usize| -> Vec<(usize, usize, usize, f64)> {
            let fold = |fold: usize| (0..replicates).map(move |nth| (0, fold, nth, scores[fold]));
            (0..2).flat_map(fold).collect()
        };
        for replicates in [1, 10] {
            let best = of([0.8, 1.0], replicates);
            assert_eq!(chosen(&[&of([0.8, 0.81], replicates), &best]), 0);
            assert_eq!(chosen(&[&of([0.8, 0.79], replicates), &best]), 1);
        }
    }
}

//! What pictures of a search read from its results.

use crate::error::{Error, Result, check};
use crate::metric::Direction;
use crate::model_selection::{ParamValue, SearchResults};

/// A candidate: its number, and its mean score by the scorer that is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scored {
    pub candidate: usize,
    /// NaN when a fit failed.
    pub score: f64,
}

/// The candidates in their order, by the scorer of that name.
pub(super) fn scored(results: &SearchResults, scorer: &str) -> Result<(Vec<Scored>, Direction)> {
    let names: Vec<&str> = results.scorers().iter().map(|info| info.name.as_str()).collect();
    let allowed = format!("one of the scorers ({})", names.join(", "));
    let place = results.scorer(scorer).ok_or_else(|| Error::parameter("scorer", scorer, allowed))?;
    let score = |summary: &crate::model_selection::CandidateSummary| Scored {
        candidate: summary.candidate,
        score: if summary.test[place].mean.is_finite() { summary.test[place].mean } else { f64::NAN },
    };
    let scores: Vec<Scored> = results.candidates().iter().map(score).collect();
    check("results", "without candidates", !scores.is_empty(), "of at least one candidate")?;
    let direction = results.scorers()[place].direction;
    Ok((scores, direction))
}

/// The lowest and the highest score.
pub(super) fn range(scores: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = scores.into_iter().filter(|score| score.is_finite());
    finite.fold(None, |range, score| {
        let (low, high) = range.unwrap_or((score, score));
        Some((score.min(low), score.max(high)))
    })
}

/// The place of a score between the worst (0) and the best (1).
pub(super) fn share(score: f64, (low, high): (f64, f64), direction: Direction) -> f64 {
    let share = if high > low { (score / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0) } else { 1.0 };
    if direction == Direction::Maximize || high <= low { share } else { 1.0 - share }
}

/// Whether the first score is better.
pub(super) fn better(one: f64, other: f64, direction: Direction) -> bool {
    direction.improves(one, other, 0.0)
}

/// The different values of a parameter: numbers from low to high, others in the order of the candidates.
pub(super) fn values(results: &SearchResults, axis: &str) -> Result<Vec<ParamValue>> {
    let allowed = format!("one of the parameters ({})", results.axes().join(", "));
    check("axis", axis, results.axes().iter().any(|name| name == axis), &allowed)?;
    let mut values: Vec<ParamValue> = Vec::new();
    for value in results.candidates().iter().filter_map(|summary| summary.params.get(axis)) {
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    if values.iter().all(|value| value.number().is_some()) {
        values.sort_by(|a, b| a.number().partial_cmp(&b.number()).unwrap_or(std::cmp::Ordering::Equal));
    }
    Ok(values)
}

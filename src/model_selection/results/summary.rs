//! The rows of a search, gathered by candidate and ranked.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{FitRow, Params};
use crate::metric::Direction;
use crate::model_selection::scorer::{Scorer, better_first};
use crate::number;

/// A scorer's name and direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScorerInfo {
    /// The name.
    pub name: String,
    /// Which scores are better.
    pub direction: Direction,
}

impl ScorerInfo {
    pub(crate) fn of<Y>(scorer: &Scorer<Y>) -> Self {
        ScorerInfo { name: scorer.name().into(), direction: scorer.direction() }
    }
}

/// Mean and standard deviation over the folds, and over the replicates in each.
///
/// ```text
/// mean = Σ sᵢ / k          std² = Σ (sᵢ − mean)² / k
/// ```
///
/// Every fold counts the same, whatever its number of rows, as in scikit-learn; one NaN makes both NaN.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MeanStd {
    /// The mean.
    #[serde(serialize_with = "number::single")]
    pub mean: f64,
    /// The standard deviation, of the population.
    #[serde(serialize_with = "number::single")]
    pub std: f64,
}

impl MeanStd {
    /// Of these values, in their order.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
        MeanStd { mean, std: variance.sqrt() }
    }
}

/// A candidate's test score over the folds, by one scorer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ScoreSummary {
    /// Mean over the folds; NaN when a fit failed or diverged.
    #[serde(serialize_with = "number::single")]
    pub mean: f64,
    /// Standard deviation over the folds.
    #[serde(serialize_with = "number::single")]
    pub std: f64,
    /// The place among the candidates, from 1: by the resource of their rungs, then by their means. Equal candidates share the
    /// smaller rank. Behind them are those with fits that were stopped, the ones with more finished fits first, and last those
    /// without a mean.
    pub rank: usize,
}

/// A candidate and what its fits gave. Lists are in the order of the scorers.
///
/// Where fits go on in rungs, its last rung counts, or the one before when not all fits of the last could be run. A fit that
/// was stopped counts with the score it had, one that never started does not count.
///
/// # Examples
///
/// ```
/// use linfa::traits::Fit;
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{GridSearch, KFold};
///
/// let search = GridSearch::new(ElasticNet::params())
///     .axis("penalty", [0.01, 10.0], |p, v| p.penalty(v))
///     .cv(KFold::new(3));
/// let found = search.fit(&linfa_datasets::diabetes())?;
/// let best = found.results().ranked(0)[0];
/// assert_eq!((best.candidate, best.params.to_string()), (0, "penalty=0.01".to_string()));
/// assert!(best.test[0].mean > 0.3 && best.test[0].rank == 1 && best.failed == 0);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CandidateSummary {
    /// Its place in the search, from 0.
    pub candidate: usize,
    /// Its parameters.
    pub params: Params,
    /// The rung that counts, from 0.
    pub rung: usize,
    /// How far that rung trains: epochs, updates or rows, as the search counts.
    pub resource: Option<u64>,
    /// Test scores.
    pub test: Vec<ScoreSummary>,
    /// Training scores, when asked for.
    pub train: Option<Vec<MeanStd>>,
    /// Seconds of a fit.
    pub fit_seconds: MeanStd,
    /// Seconds of predicting and scoring.
    pub score_seconds: MeanStd,
    /// Fits that failed.
    pub failed: usize,
    /// Fits that diverged.
    pub diverged: usize,
    /// Fits that were stopped or never started; a candidate that has some ranks behind those that have none.
    pub stopped: usize,
    /// Fits in all.
    pub fits: usize,
}

/// Everything a search measured.
///
/// `Display` prints the ranked table; [`to_csv`](SearchResults::to_csv), [`fits_to_csv`](SearchResults::fits_to_csv) and
/// [`to_json`](SearchResults::to_json) write it for other programs. serde writes and reads it in any format that describes
/// itself, such as JSON: what is read back has the same table, rows and ranks.
///
/// ```
/// use linfa_mlp::model_selection::{KFold, Scorer, SearchResults, cross_validate};
/// use linfa_mlp::prelude::*;
///
/// let params = MlpRegressor::params().hidden_layer_sizes([4]).epochs(2);
/// let folds = cross_validate(&params, &linfa_datasets::diabetes(), &KFold::new(2), &[Scorer::r2()])?;
/// let text = serde_json::to_string(folds.results())?;
/// let read: SearchResults = serde_json::from_str(&text)?;
/// assert_eq!(read.to_string(), folds.results().to_string());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SearchResults {
    pub(super) scorers: Vec<ScorerInfo>,
    pub(super) axes: Vec<String>,
    pub(super) candidates: Vec<CandidateSummary>,
    pub(super) rows: Vec<FitRow>,
    pub(super) asked: Option<usize>,
}

impl SearchResults {
    /// Gathers rows that are sorted by candidate, rung, fold and replicate.
    pub(crate) fn new(scorers: Vec<ScorerInfo>, params: Vec<Params>, rows: Vec<FitRow>) -> Self {
        let mut axes: Vec<String> = Vec::new();
        for (name, _) in params.iter().flat_map(Params::iter) {
            if !axes.iter().any(|axis| axis == name) {
                axes.push(name.into());
            }
        }
        let mut candidates: Vec<CandidateSummary> = params
            .into_iter()
            .enumerate()
            .map(|(candidate, params)| {
                let fits: Vec<&FitRow> = rows.iter().filter(|row| row.candidate == candidate).collect();
                summarise(candidate, params, &fits, scorers.len())
            })
            .collect();
        for (place, scorer) in scorers.iter().enumerate() {
            rank(&mut candidates, place, scorer.direction);
        }
        SearchResults { scorers, axes, candidates, rows, asked: None }
    }

    /// Remembers how many candidates the search was asked for.
    pub(crate) fn asked(mut self, candidates: Option<usize>) -> Self {
        self.asked = candidates;
        self
    }

    /// The number of candidates the search was asked for, when its space had fewer: all there are were tried.
    #[must_use]
    pub fn exhausted(&self) -> Option<usize> {
        self.asked.filter(|&asked| asked > self.candidates.len())
    }

    /// The first fit, in the order of candidates and folds, that failed or diverged.
    #[must_use]
    pub fn first_failure(&self) -> Option<&FitRow> {
        self.rows.iter().find(|row| row.status.is_failure())
    }

    /// The scorers; the first decides unless the search was told otherwise.
    #[must_use]
    pub fn scorers(&self) -> &[ScorerInfo] {
        &self.scorers
    }

    /// The names of the parameters, in the order of the axes.
    #[must_use]
    pub fn axes(&self) -> &[String] {
        &self.axes
    }

    /// The candidates, in the order of the grid.
    #[must_use]
    pub fn candidates(&self) -> &[CandidateSummary] {
        &self.candidates
    }

    /// The fits, in the order of candidates and folds.
    #[must_use]
    pub fn rows(&self) -> &[FitRow] {
        &self.rows
    }

    /// The place of a scorer in the lists of scores.
    #[must_use]
    pub fn scorer(&self, name: &str) -> Option<usize> {
        self.scorers.iter().position(|scorer| scorer.name == name)
    }

    /// A candidate's fits, in the rung that counts.
    pub fn fits(&self, candidate: usize) -> impl Iterator<Item = &FitRow> {
        let rung = self.candidates.get(candidate).map(|candidate| candidate.rung);
        self.rows.iter().filter(move |row| row.candidate == candidate && Some(row.rung) == rung)
    }

    /// A candidate's test scores by fold, and replicates in each.
    #[must_use]
    pub fn test_scores(&self, candidate: usize, scorer: usize) -> Vec<f64> {
        self.fits(candidate).filter_map(|row| row.test_scores.get(scorer).copied()).collect()
    }

    /// The number of parameters of a candidate's models, the mean over its fits; none unless the estimator says it of each.
    #[must_use]
    pub fn n_params(&self, candidate: usize) -> Option<f64> {
        let counts: Option<Vec<f64>> = self.fits(candidate).map(|row| Some(row.n_params? as f64)).collect();
        counts.filter(|counts| !counts.is_empty()).map(|counts| MeanStd::of(&counts).mean)
    }

    /// The candidates from best to worst by the scorer in that place; ties keep the order of the grid.
    #[must_use]
    pub fn ranked(&self, scorer: usize) -> Vec<&CandidateSummary> {
        let mut ranked: Vec<_> = self.candidates.iter().collect();
        ranked.sort_by_key(|candidate| candidate.test.get(scorer).map(|score| score.rank));
        ranked
    }

    /// The candidate with the best mean by the scorer in that place, the first of equals; none when no candidate has a
    /// mean.
    #[must_use]
    pub fn best(&self, scorer: usize) -> Option<usize> {
        let first = self.ranked(scorer).into_iter().next()?;
        let mean = first.test.get(scorer)?.mean;
        (!mean.is_nan()).then_some(first.candidate)
    }
}

/// Whether the fit was stopped before it could be scored.
fn is_missing(row: &FitRow) -> bool {
    row.status.is_stopped() && row.test_scores.iter().all(|score| score.is_nan())
}

/// The rung that counts: the last, or the one before it when fits of the last were stopped.
fn counting_rung(fits: &[&FitRow]) -> usize {
    let last = fits.iter().map(|row| row.rung).max().unwrap_or(0);
    let before = fits.iter().map(|row| row.rung).filter(|rung| *rung < last).max();
    let status = |name| fits.iter().any(|row| row.rung == last && row.status.name() == name);
    match before {
        Some(before) if status("stopped") && !status("failed") && !status("diverged") => before,
        _ => last,
    }
}

fn summarise(candidate: usize, params: Params, fits: &[&FitRow], scorers: usize) -> CandidateSummary {
    let rung = counting_rung(fits);
    let fits: Vec<&FitRow> = fits.iter().copied().filter(|row| row.rung == rung).collect();
    let over_folds = |value: &dyn Fn(&FitRow) -> f64| {
        let scored = fits.iter().filter(|row| !is_missing(row));
        MeanStd::of(&scored.map(|row| value(row)).collect::<Vec<f64>>())
    };
    let test = (0..scorers).map(|scorer| {
        let MeanStd { mean, std } = over_folds(&|row| row.test_scores[scorer]);
        ScoreSummary { mean, std, rank: 0 }
    });
    // A failed fit has no training scores, also when they were asked for.
    let has_train = fits.iter().any(|row| row.train_scores.is_some());
    let train = has_train.then(|| {
        let score =
            |row: &FitRow, scorer: usize| row.train_scores.as_ref().map_or(f64::NAN, |all| all[scorer]);
        (0..scorers).map(|scorer| over_folds(&|row| score(row, scorer))).collect()
    });
    let with_status = |name| fits.iter().filter(|row| row.status.name() == name).count();
    CandidateSummary {
        candidate,
        params,
        rung,
        resource: fits.first().and_then(|row| row.resource),
        test: test.collect(),
        train,
        fit_seconds: over_folds(&|row| row.fit_seconds),
        score_seconds: over_folds(&|row| row.score_seconds),
        failed: with_status("failed"),
        diverged: with_status("diverged"),
        stopped: with_status("stopped"),
        fits: fits.len(),
    }
}

/// The better of two candidates first, by the scorer in that place.
pub(crate) fn better_candidate_first(
    a: &CandidateSummary,
    b: &CandidateSummary,
    scorer: usize,
    direction: Direction,
) -> Ordering {
    let mean = |candidate: &CandidateSummary| candidate.test[scorer].mean;
    // 0: every fit is finished; 1: some were stopped; 2: there is no mean.
    let class =
        |candidate: &CandidateSummary| if mean(candidate).is_nan() { 2 } else { candidate.stopped.min(1) };
    let finished = |candidate: &CandidateSummary| candidate.fits - candidate.stopped;
    class(a)
        .cmp(&class(b))
        .then(b.resource.cmp(&a.resource).then(finished(b).cmp(&finished(a))))
        .then(better_first(direction, mean(a), mean(b)))
}

/// Gives every candidate 1 + the number of candidates that are better by the scorer in that place.
fn rank(candidates: &mut [CandidateSummary], scorer: usize, direction: Direction) {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    let compare = |a: usize, b: usize, candidates: &[CandidateSummary]| {
        better_candidate_first(&candidates[a], &candidates[b], scorer, direction)
    };
    order.sort_by(|&a, &b| compare(a, b, candidates));
    let mut shared = 0;
    for (place, &candidate) in order.iter().enumerate() {
        let ties = place > 0 && compare(order[place - 1], candidate, candidates).is_eq();
        if !ties {
            shared = place + 1;
        }
        candidates[candidate].test[scorer].rank = shared;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{FitStatus, ParamValue};
    use super::*;
    use crate::model_selection::observer::Task;

    /// Four candidates in two folds; candidate 2 diverged in its second fold.
    pub fn example() -> SearchResults {
        let values = ParamValue::of_axis(&[0.1, 0.2, 0.3, 0.4]).unwrap();
        let params = values.into_iter().map(|value| Params::default().with("penalty", value)).collect();
        let scores = [[0.5, 0.75], [0.75, 0.75], [0.9, f64::NAN], [0.75, 0.75]];
        let mut rows = Vec::new();
        for (candidate, scores) in scores.iter().enumerate() {
            for (fold, &score) in scores.iter().enumerate() {
                let mut row = FitRow::started(Task::new(candidate, Some(fold)), 8, 4, 2);
                row.test_scores = vec![score, -score];
                if score.is_nan() {
                    row.status = FitStatus::Diverged { message: "too fast, far".into(), epoch: 1, batch: 2 };
                }
                rows.push(row);
            }
        }
        let info = |name: &str, direction| ScorerInfo { name: name.into(), direction };
        let scorers = vec![info("r2", Direction::Maximize), info("loss", Direction::Minimize)];
        SearchResults::new(scorers, params, rows)
    }

    #[test]
    fn ties_share_the_smaller_rank_and_nan_is_last() {
        let results = example();
        for scorer in 0..2 {
            let ranks: Vec<usize> = results.candidates().iter().map(|c| c.test[scorer].rank).collect();
            assert_eq!(ranks, [3, 1, 4, 1]);
            assert_eq!(results.best(scorer), Some(1));
        }
        let order: Vec<usize> = results.ranked(0).iter().map(|candidate| candidate.candidate).collect();
        assert_eq!(order, [1, 3, 0, 2]);
    }

    #[test]
    fn means_are_plain_and_deviations_are_the_populations() {
        let results = example();
        let first = &results.candidates()[0];
        assert!((first.test[0].mean - 0.625).abs() < 1e-15 && (first.test[0].std - 0.125).abs() < 1e-15);
    }

    #[test]
    fn without_any_mean_there_is_no_best() {
        let mut rows = example().rows;
        rows.iter_mut().for_each(|row| row.test_scores = vec![f64::NAN; 2]);
        let results = SearchResults::new(example().scorers, vec![Params::default(); 4], rows);
        assert_eq!(results.best(0), None);
        assert!(results.candidates().iter().all(|candidate| candidate.test[0].rank == 1));
    }
}

//! What nested cross-validation gives.

use std::fmt;

use crate::metric::Direction;
use crate::model_selection::evaluate::cross_validate::CrossValidation;
use crate::model_selection::results::{
    Align, FitRow, MeanStd, Params, SearchResults, Table, mean_std, seconds, significant,
};

/// The search inside an outer fold: its table, and the candidate that it chose.
///
/// # Examples
///
/// ```
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{GridSearch, KFold, nested_cross_validate};
///
/// let search = GridSearch::new(ElasticNet::params())
///     .axis("penalty", [0.01, 10.0], |p, v| p.penalty(v))
///     .cv(KFold::new(2));
/// let nested = nested_cross_validate(&search, &linfa_datasets::diabetes(), &KFold::new(3))?;
/// let inner = nested.inner()[0].as_ref().unwrap();
/// assert_eq!((inner.winner(), inner.results().rows().len()), (0, 4));
/// assert_eq!(inner.score(), inner.results().candidates()[0].test[0].mean);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct InnerSearch {
    pub(super) results: SearchResults,
    pub(super) winner: usize,
    pub(super) scorer: usize,
}

impl InnerSearch {
    /// The chosen candidate, from 0.
    #[must_use]
    pub fn winner(&self) -> usize {
        self.winner
    }

    /// The chosen candidate's parameters.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.results.candidates()[self.winner].params
    }

    /// The chosen candidate's mean score over the inner folds, by the scorer that decides: the score that is too good.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.results.candidates()[self.winner].test[self.scorer].mean
    }

    /// The whole inner table.
    #[must_use]
    pub fn results(&self) -> &SearchResults {
        &self.results
    }
}

/// What nested cross-validation measured: an outer score for each fold, and the search that each fold's model came from.
/// `Display` prints a table.
#[derive(Clone, Debug, PartialEq)]
pub struct NestedCrossValidation {
    pub(super) outer: CrossValidation,
    pub(super) inner: Vec<Option<InnerSearch>>,
    pub(super) scorer: usize,
}

impl NestedCrossValidation {
    /// The outer scores: of the chosen models, on rows that had no part in the choice.
    #[must_use]
    pub fn outer(&self) -> &CrossValidation {
        &self.outer
    }

    /// The inner search of each outer fold; none where it failed or chose nothing.
    #[must_use]
    pub fn inner(&self) -> &[Option<InnerSearch>] {
        &self.inner
    }

    /// The scorer that decides.
    #[must_use]
    pub fn scorer(&self) -> &str {
        &self.outer.scorers()[self.scorer].name
    }

    /// By how much the inner scores are better than the outer ones, on average over the folds: the optimism of a search's own
    /// best score. NaN when a fold failed.
    #[must_use]
    pub fn optimism(&self) -> f64 {
        let score = |inner: &Option<InnerSearch>| inner.as_ref().map_or(f64::NAN, InnerSearch::score);
        let inner = MeanStd::of(&self.inner.iter().map(score).collect::<Vec<f64>>()).mean;
        let outer = MeanStd::of(&self.outer.results().test_scores(0, self.scorer)).mean;
        match self.outer.scorers()[self.scorer].direction {
            Direction::Maximize => inner - outer,
            Direction::Minimize => outer - inner,
        }
    }
}

/// A line for each outer fold: the chosen parameters, their inner and their outer score.
impl fmt::Display for NestedCrossValidation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.scorer();
        let heads = [
            ("fold", Align::Right),
            ("chosen", Align::Left),
            (&format!("inner {name}"), Align::Right),
            (&format!("outer {name}"), Align::Right),
            ("fit time", Align::Right),
            ("status", Align::Left),
        ];
        let mut table = Table::new(heads.map(|(head, align)| (head.to_string(), align)).to_vec());
        let mut scores = (Vec::new(), Vec::new());
        let line = |row: &FitRow, inner: &Option<InnerSearch>| {
            let chosen = inner.as_ref().map_or_else(|| "–".into(), |inner| inner.params().to_string());
            let score = inner.as_ref().map_or(f64::NAN, InnerSearch::score);
            (chosen, score, row.test_scores[self.scorer])
        };
        for (row, inner) in self.outer.rows().iter().zip(&self.inner) {
            let (chosen, inner, outer) = line(row, inner);
            let [shown, scored] = [inner, outer].map(|score| significant(score, 4));
            let status = row.status.name().to_string();
            table.push(vec![row.fold.to_string(), chosen, shown, scored, seconds(row.fit_seconds), status]);
            scores.0.push(inner);
            scores.1.push(outer);
        }
        let means = [scores.0, scores.1].map(|scores| MeanStd::of(&scores));
        let [inner, outer] = means.map(|score| mean_std(score.mean, score.std));
        let time = seconds(self.outer.results().candidates()[0].fit_seconds.mean);
        table.push(vec!["mean".into(), String::new(), inner, outer, time, String::new()]);
        table.fmt(f)
    }
}

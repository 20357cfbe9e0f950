//! Scores along one parameter.

use std::fmt;

use crate::model_selection::results::{
    Align, FitRow, MeanStd, ParamValue, ScorerInfo, SearchResults, Table, mean_std, seconds,
};

/// Test and training scores along one parameter: what [`learning_curve`](crate::model_selection::learning_curve) and
/// [`validation_curve`](crate::model_selection::validation_curve) give. `Display` prints a table.
#[cfg_attr(
    feature = "plot",
    doc = "\n[`report::score_curve`](crate::report::score_curve) draws it, with bands of mean ± standard deviation."
)]
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreCurve {
    parameter: String,
    results: SearchResults,
}

impl ScoreCurve {
    /// Each candidate of the results is a value of the parameter.
    pub(crate) fn new(parameter: String, results: SearchResults) -> Self {
        ScoreCurve { parameter, results }
    }

    /// The parameter's name; `train_size` for a learning curve.
    #[must_use]
    pub fn parameter(&self) -> &str {
        &self.parameter
    }

    /// The parameter's values, in the order of the curve.
    pub fn values(&self) -> impl Iterator<Item = &ParamValue> {
        self.results.candidates().iter().filter_map(|candidate| candidate.params.get(&self.parameter))
    }

    /// The parameter's values as numbers; none unless all of them are.
    #[must_use]
    pub fn numbers(&self) -> Option<Vec<f64>> {
        self.values().map(ParamValue::number).collect()
    }

    /// The scorers.
    #[must_use]
    pub fn scorers(&self) -> &[ScorerInfo] {
        self.results.scorers()
    }

    /// Mean and standard deviation over the folds of the test scores, for each value, by the scorer of that name.
    #[must_use]
    pub fn test(&self, scorer: &str) -> Option<Vec<MeanStd>> {
        let place = self.results.scorer(scorer)?;
        let of = |score: &crate::model_selection::results::ScoreSummary| MeanStd {
            mean: score.mean,
            std: score.std,
        };
        Some(self.results.candidates().iter().map(|candidate| of(&candidate.test[place])).collect())
    }

    /// Mean and standard deviation over the folds of the training scores, for each value, by the scorer of that name; NaN where
    /// every fit failed.
    #[must_use]
    pub fn train(&self, scorer: &str) -> Option<Vec<MeanStd>> {
        let place = self.results.scorer(scorer)?;
        let none = MeanStd { mean: f64::NAN, std: f64::NAN };
        let candidates = self.results.candidates().iter();
        Some(
            candidates.map(|candidate| candidate.train.as_ref().map_or(none, |train| train[place])).collect(),
        )
    }

    /// The test scores by value and fold, by the scorer of that name; NaN where a fit failed.
    #[must_use]
    pub fn test_scores(&self, scorer: &str) -> Option<Vec<Vec<f64>>> {
        let place = self.results.scorer(scorer)?;
        let candidates = 0..self.results.candidates().len();
        Some(candidates.map(|candidate| self.results.test_scores(candidate, place)).collect())
    }

    /// One row for each fit, by value and fold.
    #[must_use]
    pub fn rows(&self) -> &[FitRow] {
        self.results.rows()
    }

    /// The same as the results of a search whose candidates are the values, to be written as CSV or JSON.
    #[must_use]
    pub fn results(&self) -> &SearchResults {
        &self.results
    }
}

/// A line for each value, in the order of the curve: test and training score as mean ± standard deviation.
impl fmt::Display for ScoreCurve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut heads = vec![(self.parameter.clone(), Align::Right)];
        for scorer in self.scorers() {
            heads.push((scorer.name.clone(), Align::Right));
            heads.push((format!("train {}", scorer.name), Align::Right));
        }
        heads.push(("fit time".into(), Align::Right));
        let mut table = Table::new(heads);
        for (value, candidate) in self.values().zip(self.results.candidates()) {
            let mut cells = vec![value.to_string()];
            for (place, test) in candidate.test.iter().enumerate() {
                let train = candidate.train.as_ref().map(|train| train[place]);
                cells.push(mean_std(test.mean, test.std));
                cells.push(train.map_or_else(|| "–".into(), |train| mean_std(train.mean, train.std)));
            }
            cells.push(seconds(candidate.fit_seconds.mean));
            table.push(cells);
        }
        table.fmt(f)
    }
}

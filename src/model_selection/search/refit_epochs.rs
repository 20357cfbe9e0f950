//! For how long the best candidate is refitted.

use crate::model_selection::results::{FitRow, SearchResults};

/// How many epochs the best candidate is refitted for, from the best epochs of its fits in the folds: those at which the
/// [stopping rows](super::Search::stopping_rows) (or the estimator's own validation rows) saw the best value.
///
/// ```text
/// max_best      max eᵢ
/// median_best   the middle eᵢ, or the mean of the two in the middle
/// mean_best     Σ eᵢ / k
/// scaled        e · n̄ / n        n̄ the mean of the rows the fits trained on, n all rows
/// ```
///
/// Halves are rounded up, and 1 is the least.
///
/// ```
/// use linfa_mlp::MlpRegressor;
/// use linfa_mlp::model_selection::{GridSearch, KFold, RefitEpochs, TargetScaling};
/// use linfa_mlp::prelude::{Adam, EarlyStopping};
///
/// let diabetes = linfa_datasets::diabetes();
/// let params = MlpRegressor::params().hidden_layer_sizes([16]).optimizer(Adam::new(0.02)).epochs(60);
/// let found = GridSearch::new(params.callback(EarlyStopping::default().patience(5)))
///     .axis("alpha", [1e-4, 1e-2], |p, v| p.alpha(v))
///     .scale_targets(TargetScaling::Standard)
///     .cv(KFold::new(3).shuffle(1))
///     .stopping_rows(0.2)
///     .refit_epochs(RefitEpochs::median_best())
///     .fit(&diabetes)?;
/// let best = found.best_index().unwrap();
/// let mut epochs: Vec<usize> = found.results().fits(best).filter_map(|row| row.best_epoch).collect();
/// epochs.sort();
/// let refitted = found.best_model()?.model();
/// assert_eq!((refitted.run().epochs(), refitted.history().n_training_rows()), (epochs[1], 441));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RefitEpochs {
    rule: Rule,
    scaled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Rule {
    Max,
    Median,
    Mean,
}

impl RefitEpochs {
    /// As many as the fit whose best epoch was the latest.
    #[must_use]
    pub fn max_best() -> Self {
        RefitEpochs { rule: Rule::Max, scaled: false }
    }

    /// The median of the best epochs.
    #[must_use]
    pub fn median_best() -> Self {
        RefitEpochs { rule: Rule::Median, scaled: false }
    }

    /// The mean of the best epochs.
    #[must_use]
    pub fn mean_best() -> Self {
        RefitEpochs { rule: Rule::Mean, scaled: false }
    }

    /// Fewer epochs, by as much as the refit has more rows: so that it makes about as many updates as the fits did.
    #[must_use]
    pub fn scaled_by_rows(self) -> Self {
        RefitEpochs { scaled: true, ..self }
    }

    /// The epochs of the refit of a candidate, or why they cannot be chosen.
    pub(super) fn choose(
        self,
        results: &SearchResults,
        candidate: usize,
        n_samples: usize,
    ) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
        let fits: Vec<&FitRow> = results.fits(candidate).filter(|row| row.status.is_fitted()).collect();
        let mut epochs: Vec<usize> = fits.iter().filter_map(|row| row.best_epoch).collect();
        if epochs.is_empty() || epochs.len() < fits.len() {
            return Err("its fits do not say which of their epochs was best".into());
        }
        let n = fits.len() as f64;
        let rows = fits.iter().map(|row| row.train_rows as f64).sum::<f64>() / n;
        let scale = if self.scaled { rows / n_samples as f64 } else { 1.0 };
        Ok(((self.of(&mut epochs) * scale).round() as usize).max(1))
    }

    fn of(self, epochs: &mut [usize]) -> f64 {
        epochs.sort_unstable();
        let n = epochs.len();
        match self.rule {
            Rule::Max => epochs[n - 1] as f64,
            Rule::Median => (epochs[(n - 1) / 2] + epochs[n / 2]) as f64 / 2.0,
            Rule::Mean => epochs.iter().sum::<usize>() as f64 / n as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model_selection::observer::Task;
    use crate::model_selection::results::Params;

    fn results(best: &[Option<usize>]) -> SearchResults {
        let row = |(fold, best_epoch): (usize, &Option<usize>)| {
            let mut row = FitRow::started(Task::new(0, Some(fold)), 60, 20, 0);
            row.best_epoch = *best_epoch;
            row
        };
        SearchResults::new(vec![], vec![Params::default()], best.iter().enumerate().map(row).collect())
    }

    #[test]
    fn epochs_are_the_latest_the_middle_or_the_mean() {
        let results = results(&[Some(4), Some(20), Some(9), Some(10)]);
        let rules = [RefitEpochs::max_best(), RefitEpochs::median_best(), RefitEpochs::mean_best()];
        assert_eq!(rules.map(|rule| rule.choose(&results, 0, 80).unwrap()), [20, 10, 11]);
        // 60 of 80 rows: 15, 9.5 · 3/4 = 7.125, 10.75 · 3/4 = 8.0625.
        assert_eq!(rules.map(|rule| rule.scaled_by_rows().choose(&results, 0, 80).unwrap()), [15, 7, 8]);
        assert_eq!(RefitEpochs::max_best().scaled_by_rows().choose(&results, 0, 10_000).unwrap(), 1);
    }

    #[test]
    fn without_best_epochs_there_is_no_choice() {
        assert!(RefitEpochs::max_best().choose(&results(&[Some(3), None]), 0, 80).is_err());
        assert!(RefitEpochs::max_best().choose(&results(&[]), 0, 80).is_err());
    }
}

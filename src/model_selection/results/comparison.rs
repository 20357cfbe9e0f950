//! Is one candidate better than another, or was it luck?

use std::fmt;

use super::table::significant;
use super::{SearchResults, student_t};
use crate::error::{Error, Result, check};

/// The difference of two candidates over the same folds, by the corrected resampled t test:
///
/// ```text
/// dᵢ  the difference of their scores in fold i of k
/// s²  = Σ (dᵢ − d̄)² / (k − 1)
/// t   = d̄ / √((1/k + n_test/n_train) · s²)        Student's t with k − 1 degrees of freedom
/// ```
///
/// The training rows of the folds overlap, so their scores are not independent, and the usual t test finds differences
/// where there are none. The term n_test/n_train corrects for it.
///
/// # References
///
/// C. Nadeau, Y. Bengio, *Inference for the Generalization Error*, Machine Learning 52, 2003, section 5.
///
/// # Examples
///
/// See [`SearchResults::compare`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// The mean difference, the first candidate's score minus the second's.
    pub difference: f64,
    /// Its standard error, corrected.
    pub standard_error: f64,
    /// The difference in standard errors; infinite when every fold has the same difference, 0 when it is 0 in every fold.
    pub t: f64,
    /// The probability of so large a difference, to either side, between candidates that are equally good.
    pub p: f64,
    /// The degrees of freedom: one less than there are folds.
    pub freedom: usize,
}

impl Comparison {
    /// Of differences in the folds, of which each was scored on `test_to_train` times as many rows as it was trained on.
    pub(super) fn of(differences: &[f64], test_to_train: f64) -> Self {
        let (difference, standard_error) = corrected(differences, test_to_train);
        let t = if difference == 0.0 { 0.0 } else { difference / standard_error };
        let freedom = differences.len() - 1;
        Comparison { difference, standard_error, t, p: student_t::two_sided(t, freedom), freedom }
    }

    /// The interval that holds the difference with this confidence, 0.95 for instance.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a level outside (0, 1).
    pub fn interval(&self, level: f64) -> Result<(f64, f64)> {
        check("level", level, 0.0 < level && level < 1.0, "above 0 and below 1")?;
        let reach = student_t::quantile(level, self.freedom) * self.standard_error;
        Ok((self.difference - reach, self.difference + reach))
    }
}

/// The mean of figures of folds, and its standard error, corrected for training rows that overlap.
pub(super) fn corrected(values: &[f64], test_to_train: f64) -> (f64, f64) {
    let k = values.len() as f64;
    let mean = values.iter().sum::<f64>() / k;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (k - 1.0);
    (mean, ((1.0 / k + test_to_train) * variance).sqrt())
}

/// `difference 0.0123 (95 % interval -0.0023 to 0.0269), t(9) = 1.911, p = 0.08830`
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reach = student_t::quantile(0.95, self.freedom) * self.standard_error;
        let [difference, low, high] = [0.0, -reach, reach].map(|off| significant(self.difference + off, 4));
        let (t, p) = (significant(self.t, 4), significant(self.p, 4));
        write!(
            f,
            "difference {difference} (95 % interval {low} to {high}), t({}) = {t}, p = {p}",
            self.freedom
        )
    }
}

impl SearchResults {
    /// Compares two candidates by the first scorer.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a candidate that does not exist or has no score in a fold of the other, and for fewer than
    /// 2 folds.
    ///
    /// # Examples
    ///
    /// ```
    /// use linfa::traits::Fit;
    /// use linfa_elasticnet::ElasticNet;
    /// use linfa_mlp::model_selection::{GridSearch, KFold};
    ///
    /// let search = GridSearch::new(ElasticNet::params())
    ///     .axis("penalty", [0.001, 100.0], |p, v| p.penalty(v))
    ///     .cv(KFold::new(10).shuffle(1))
    ///     .fit(&linfa_datasets::diabetes())?;
    /// let comparison = search.results().compare(0, 1)?;
    /// assert!(comparison.p < 0.01);
    /// let (low, high) = comparison.interval(0.95)?;
    /// assert!(0.0 < low && low < high);
    /// # Ok::<(), linfa_mlp::Error>(())
    /// ```
    pub fn compare(&self, a: usize, b: usize) -> Result<Comparison> {
        self.compare_in(0, a, b)
    }

    /// Compares two candidates by the scorer of that name.
    ///
    /// # Errors
    ///
    /// As [`compare`](SearchResults::compare), and [`Error::Parameter`] for an unknown scorer.
    pub fn compare_by(&self, scorer: &str, a: usize, b: usize) -> Result<Comparison> {
        let names: Vec<&str> = self.scorers().iter().map(|info| info.name.as_str()).collect();
        let allowed = format!("one of {}", names.join(", "));
        let place = self.scorer(scorer).ok_or_else(|| Error::parameter("scorer", scorer, allowed))?;
        self.compare_in(place, a, b)
    }

    fn compare_in(&self, scorer: usize, a: usize, b: usize) -> Result<Comparison> {
        let (ours, theirs) = (self.by_fold(scorer, a)?, self.by_fold(scorer, b)?);
        for (mine, other, candidate) in [(&ours, &theirs, b), (&theirs, &ours, a)] {
            let alone = mine.iter().find(|fold| other.iter().all(|one| one.fold != fold.fold));
            alone.map_or(Ok(()), |fold| Err(unscored(candidate, fold.fold)))?;
        }
        check("folds", ours.len(), ours.len() > 1, "at least 2 for a comparison")?;
        let differences: Vec<f64> = ours.iter().zip(&theirs).map(|(a, b)| a.score - b.score).collect();
        Ok(Comparison::of(&differences, test_to_train(&ours)))
    }

    /// A candidate's score in each fold, and the corrected standard error of their mean; none for fewer than 2 folds.
    pub(super) fn standard_error(&self, scorer: usize, candidate: usize) -> Option<(usize, f64)> {
        let (scores, test_to_train) = self.fold_scores(scorer, candidate)?;
        Some((scores.len(), corrected(&scores, test_to_train).1))
    }

    /// The standard error of a candidate's mean as if its folds were independent, s/√k; none for fewer than 2 folds.
    pub(crate) fn plain_standard_error(&self, scorer: usize, candidate: usize) -> Option<f64> {
        let (scores, _) = self.fold_scores(scorer, candidate)?;
        Some(corrected(&scores, 0.0).1)
    }

    /// A candidate's scores fold by fold, and how many test rows there are for a training row; none for fewer than 2 folds.
    fn fold_scores(&self, scorer: usize, candidate: usize) -> Option<(Vec<f64>, f64)> {
        let folds = self.by_fold(scorer, candidate).ok().filter(|folds| folds.len() > 1)?;
        Some((folds.iter().map(|fold| fold.score).collect(), test_to_train(&folds)))
    }

    /// The mean score over the replicates, fold by fold.
    fn by_fold(&self, scorer: usize, candidate: usize) -> Result<Vec<FoldScore>> {
        let count = self.candidates().len();
        let allowed = format!("below the number of candidates, {count}");
        check("candidate", candidate, candidate < count, &allowed)?;
        let mut folds: Vec<FoldScore> = Vec::new();
        for row in self.fits(candidate) {
            let score = row.test_scores[scorer];
            check_scored(score, candidate, row.fold)?;
            match folds.last_mut().filter(|last| last.fold == row.fold) {
                Some(last) => {
                    last.score += (score - last.score) / (last.replicates + 1.0);
                    last.replicates += 1.0;
                }
                None => folds.push(FoldScore {
                    fold: row.fold,
                    score,
                    replicates: 1.0,
                    train_rows: row.train_rows,
                    test_rows: row.test_rows,
                }),
            }
        }
        Ok(folds)
    }
}

struct FoldScore {
    fold: usize,
    score: f64,
    replicates: f64,
    train_rows: usize,
    test_rows: usize,
}

fn test_to_train(folds: &[FoldScore]) -> f64 {
    let sum = |rows: fn(&FoldScore) -> usize| folds.iter().map(rows).sum::<usize>() as f64;
    sum(|fold| fold.test_rows) / sum(|fold| fold.train_rows)
}

fn check_scored(score: f64, candidate: usize, fold: usize) -> Result<()> {
    if score.is_finite() { Ok(()) } else { Err(unscored(candidate, fold)) }
}

fn unscored(candidate: usize, fold: usize) -> Error {
    let found = format!("without one in fold {fold}");
    Error::parameter(format!("the score of candidate {candidate}"), found, "finite in every fold")
}

#[cfg(test)]
mod tests {
    use super::super::summary::tests::example;
    use super::*;

    #[test]
    fn the_test_is_the_papers_worked_by_hand() {
        // d̄ = 2, s² = (1 + 0 + 1) / 2 = 1, standard error √(1/3 + 1/6) = √½.
        let comparison = Comparison::of(&[1.0, 2.0, 3.0], 1.0 / 6.0);
        assert!((comparison.difference - 2.0).abs() < 1e-15 && comparison.freedom == 2);
        assert!((comparison.standard_error - 0.5_f64.sqrt()).abs() < 1e-15);
        assert!((comparison.t - 8.0_f64.sqrt()).abs() < 1e-14);
        // With 2 degrees of freedom P = 1 − t/√(t² + 2).
        assert!((comparison.p - (1.0 - (8.0_f64 / 10.0).sqrt())).abs() < 1e-14);
        let (low, high) = comparison.interval(1.0 - comparison.p).unwrap();
        assert!(low.abs() < 1e-9 && (high - 4.0).abs() < 1e-9, "{low} {high}");
    }

    #[test]
    fn equal_candidates_and_constant_differences_have_an_answer() {
        let same = Comparison::of(&[0.0; 4], 0.25);
        assert_eq!((same.t, same.p, same.interval(0.9).unwrap()), (0.0, 1.0, (0.0, 0.0)));
        let constant = Comparison::of(&[0.5; 4], 0.25);
        assert_eq!((constant.t, constant.p), (f64::INFINITY, 0.0));
    }

    #[test]
    fn candidates_are_compared_fold_by_fold() {
        let results = example();
        let comparison = results.compare(1, 0).unwrap();
        assert_eq!((comparison.difference, comparison.freedom), (0.125, 1));
        assert_eq!(results.compare(0, 1).unwrap().t, -comparison.t);
        assert_eq!(results.compare_by("loss", 1, 0).unwrap().difference, -0.125);
        assert!(comparison.to_string().starts_with("difference 0.1250 (95 % interval "), "{comparison}");
    }

    #[test]
    fn what_cannot_be_compared_is_an_error() {
        let results = example();
        let error = |found: Result<Comparison>| found.unwrap_err().to_string();
        assert_eq!(
            error(results.compare(0, 2)),
            "the score of candidate 2 must be finite in every fold, but is without one in fold 1"
        );
        assert!(
            error(results.compare(4, 0)).starts_with("candidate must be below the number of candidates, 4")
        );
        assert!(error(results.compare_by("mse", 0, 1)).starts_with("scorer must be one of r2, loss"));
        for level in [0.0, 1.0, f64::NAN] {
            assert!(results.compare(0, 1).unwrap().interval(level).is_err());
        }
    }
}

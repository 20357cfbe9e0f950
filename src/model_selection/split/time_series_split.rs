//! Folds that train on the past and score the future.

use super::{Rows, Split, Splitter, check_memory};
use crate::error::{Error, Result, check};

/// Scores blocks of rows in the order of time, each by a model that is trained on rows before it.
///
/// ```text
/// fold i of k:   test  = test_size rows from n − (k − i) · test_size on          i = 0 … k − 1
///                train = the rows before the test rows, without the last `gap` of them
/// ```
///
/// The rows must stand in the order of time. The first rows are never scored.
///
/// | parameter | default | meaning | range |
/// | --- | --- | --- | --- |
/// | `n_splits` | – | number of folds k | at least 2, below n |
/// | `test_size` | ⌊n / (k + 1)⌋ | test rows of a fold | at least 1 |
/// | `gap` | 0 | rows left out before the test rows, for targets that look ahead | k · test_size + gap below n |
/// | `max_train_size` | all | the most recent rows that train, for a sliding window | at least 1 |
///
/// # Errors
///
/// - [`Error::Parameter`] when k is below 2 or a size is 0
/// - [`Error::Split`] when no row is left to train the first fold
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{Rows, Splitter, TimeSeriesSplit};
///
/// let folds = TimeSeriesSplit::new(3).test_size(2).gap(1).split(&Rows::new(9))?;
/// assert_eq!((&folds[0].train[..], &folds[0].test[..]), (&[0, 1][..], &[3, 4][..]));
/// assert_eq!(folds[2].test, [7, 8]);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TimeSeriesSplit {
    n_splits: usize,
    test_size: Option<usize>,
    gap: usize,
    max_train_size: Option<usize>,
}

impl TimeSeriesSplit {
    /// `n_splits` test blocks at the end of the rows.
    #[must_use]
    pub fn new(n_splits: usize) -> Self {
        TimeSeriesSplit { n_splits, test_size: None, gap: 0, max_train_size: None }
    }

    /// The test rows of each fold.
    #[must_use]
    pub fn test_size(mut self, rows: usize) -> Self {
        self.test_size = Some(rows);
        self
    }

    /// Rows to leave out between training and test rows.
    #[must_use]
    pub fn gap(mut self, rows: usize) -> Self {
        self.gap = rows;
        self
    }

    /// The largest number of training rows; the oldest ones are left out.
    #[must_use]
    pub fn max_train_size(mut self, rows: usize) -> Self {
        self.max_train_size = Some(rows);
        self
    }
}

impl Splitter for TimeSeriesSplit {
    fn name(&self) -> &str {
        "TimeSeriesSplit"
    }

    fn n_splits(&self, _: &Rows<'_>) -> usize {
        self.n_splits
    }

    fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>> {
        let (k, n_samples) = (self.n_splits, rows.n_samples());
        check("n_splits", k, k >= 2, "at least 2")?;
        for (name, size) in [("test_size", self.test_size), ("max_train_size", self.max_train_size)] {
            check(name, size.unwrap_or(1), size != Some(0), "at least 1")?;
        }
        if k >= n_samples {
            return Err(Error::Split {
                splitter: self.name().into(),
                needed: format!("more rows than folds ({k})"),
                found: format!("there are {n_samples}"),
            });
        }
        check_memory(self.name(), k, n_samples)?;
        let test_size = self.test_size.unwrap_or(n_samples / (k + 1));
        let scored = k.saturating_mul(test_size);
        if scored.saturating_add(self.gap) >= n_samples {
            return Err(Error::Split {
                splitter: self.name().into(),
                needed: format!("more than {k} folds of {test_size} test rows and a gap of {}", self.gap),
                found: format!("there are {n_samples} rows"),
            });
        }
        let fold = |fold: usize| {
            let test = n_samples - (k - fold) * test_size;
            let end = test - self.gap;
            let start = self.max_train_size.map_or(0, |most| end.saturating_sub(most));
            Split { train: (start..end).collect(), test: (test..test + test_size).collect() }
        };
        Ok((0..k).map(fold).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_blocks_stand_at_the_end() {
        let folds = TimeSeriesSplit::new(3).split(&Rows::new(7)).unwrap();
        assert_eq!(folds[0], Split { train: vec![0, 1, 2, 3], test: vec![4] });
        assert_eq!(folds[2], Split { train: (0..6).collect(), test: vec![6] });
    }

    #[test]
    fn a_window_slides_and_a_gap_is_left() {
        let splitter = TimeSeriesSplit::new(2).test_size(3).gap(2).max_train_size(4);
        let folds = splitter.split(&Rows::new(15)).unwrap();
        assert_eq!(folds[0], Split { train: vec![3, 4, 5, 6], test: vec![9, 10, 11] });
        assert_eq!(folds[1], Split { train: vec![6, 7, 8, 9], test: vec![12, 13, 14] });
    }

    #[test]
    fn folds_without_a_past_are_refused() {
        let refused = |splitter: TimeSeriesSplit, n| splitter.split(&Rows::new(n)).unwrap_err();
        assert!(matches!(refused(TimeSeriesSplit::new(1), 9), Error::Parameter { .. }));
        assert!(matches!(refused(TimeSeriesSplit::new(2).test_size(0), 9), Error::Parameter { .. }));
        assert!(matches!(refused(TimeSeriesSplit::new(2).max_train_size(0), 9), Error::Parameter { .. }));
        assert!(matches!(refused(TimeSeriesSplit::new(9), 9), Error::Split { .. }));
        assert!(matches!(refused(TimeSeriesSplit::new(3).test_size(3), 9), Error::Split { .. }));
        assert!(matches!(refused(TimeSeriesSplit::new(3).test_size(2).gap(3), 9), Error::Split { .. }));
        assert!(matches!(refused(TimeSeriesSplit::new(3).test_size(usize::MAX), 9), Error::Split { .. }));
        assert!(TimeSeriesSplit::new(3).test_size(2).gap(2).split(&Rows::new(9)).is_ok());
    }
}

//! Folds that are given row by row.

use std::collections::BTreeSet;

use super::{Rows, Split, Splitter, check_memory};
use crate::error::{Error, Result};

/// Takes the fold in which each row is scored from a list; a row with `None` trains in every fold.
///
/// With one fold it is a fixed validation set. Folds come in the order of their numbers, which may have gaps.
///
/// # Errors
///
/// - [`Error::RowCount`] when the list is not as long as there are rows
/// - [`Error::Split`] when no row has a fold
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{PredefinedSplit, Rows, Splitter};
///
/// let folds = PredefinedSplit::new([Some(0), Some(1), None, Some(1)]).split(&Rows::new(4))?;
/// assert_eq!(folds[0].test, [0]);
/// assert_eq!((&folds[1].train[..], &folds[1].test[..]), (&[0, 2][..], &[1, 3][..]));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PredefinedSplit {
    test_fold: Vec<Option<usize>>,
}

impl PredefinedSplit {
    /// The fold that scores each row.
    #[must_use]
    pub fn new(test_fold: impl IntoIterator<Item = Option<usize>>) -> Self {
        PredefinedSplit { test_fold: test_fold.into_iter().collect() }
    }

    fn folds(&self) -> BTreeSet<usize> {
        self.test_fold.iter().flatten().copied().collect()
    }
}

impl Splitter for PredefinedSplit {
    fn name(&self) -> &str {
        "PredefinedSplit"
    }

    fn n_splits(&self, _: &Rows<'_>) -> usize {
        self.folds().len()
    }

    fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>> {
        let (expected, found) = (rows.n_samples(), self.test_fold.len());
        if expected != found {
            return Err(Error::RowCount { array: "the list of folds", expected, found });
        }
        let folds = self.folds();
        if folds.is_empty() {
            return Err(Error::Split {
                splitter: self.name().into(),
                needed: "a row with a fold".into(),
                found: "every row is None".into(),
            });
        }
        check_memory(self.name(), folds.len(), expected)?;
        let marks = |fold: usize| -> Vec<usize> {
            self.test_fold.iter().map(|&other| usize::from(other == Some(fold))).collect()
        };
        Ok(folds.into_iter().map(|fold| Split::by_mark(&marks(fold), 1)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_come_in_the_order_of_their_numbers() {
        let splitter = PredefinedSplit::new([Some(9), None, Some(2), Some(9)]);
        let folds = splitter.split(&Rows::new(4)).unwrap();
        assert_eq!(folds.len(), splitter.n_splits(&Rows::new(4)));
        assert_eq!(folds[0], Split { train: vec![0, 1, 3], test: vec![2] });
        assert_eq!(folds[1], Split { train: vec![1, 2], test: vec![0, 3] });
    }

    #[test]
    fn lists_of_another_length_or_without_a_fold_are_refused() {
        let short = PredefinedSplit::new([Some(0)]).split(&Rows::new(2));
        assert!(matches!(short, Err(Error::RowCount { expected: 2, found: 1, .. })));
        let none = PredefinedSplit::new([None, None]).split(&Rows::new(2));
        assert!(matches!(none, Err(Error::Split { .. })));
    }
}

//! Every row alone as the test row.

use super::{Rows, Split, Splitter, combinations};
use crate::error::{Error, Result};

/// Scores every row by a model that is trained on all the others: n folds, in the order of the rows.
///
/// Nothing is random and hardly a row is kept from training; but n fits are needed, and scores that want several rows, such
/// as R², are NaN on one: average errors instead, or score the predictions of [`cross_val_predict`] together.
///
/// # Errors
///
/// [`Error::Split`] for fewer than 2 rows, or for so many (above 32 768) that the folds' lists would fill 8 GiB.
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{LeaveOneOut, Rows, Splitter};
///
/// let folds = LeaveOneOut.split(&Rows::new(3))?;
/// assert_eq!(folds[1].test, [1]);
/// assert_eq!(folds[1].train, [0, 2]);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
///
/// [`cross_val_predict`]: crate::model_selection::cross_val_predict
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeaveOneOut;

impl Splitter for LeaveOneOut {
    fn name(&self) -> &str {
        "LeaveOneOut"
    }

    fn n_splits(&self, rows: &Rows<'_>) -> usize {
        rows.n_samples()
    }

    fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>> {
        leave_p_rows(self.name(), 1, rows.n_samples())
    }
}

/// Every choice of p test rows, in lexicographic order.
pub(super) fn leave_p_rows(splitter: &str, p: usize, n_samples: usize) -> Result<Vec<Split>> {
    if p >= n_samples {
        return Err(Error::Split {
            splitter: splitter.into(),
            needed: format!("at least {} rows", p.saturating_add(1)),
            found: format!("there are {n_samples}"),
        });
    }
    let choices = combinations::all(splitter, n_samples, p, n_samples)?;
    let split = |test: Vec<usize>| {
        // Both lists ascend, so one walk over the test rows is enough.
        let mut left_out = test.iter().copied().peekable();
        let train = (0..n_samples).filter(|&row| left_out.next_if_eq(&row).is_none()).collect();
        Split { train, test }
    };
    Ok(choices.into_iter().map(split).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_scored_once() {
        let folds = LeaveOneOut.split(&Rows::new(4)).unwrap();
        assert_eq!(folds.len(), LeaveOneOut.n_splits(&Rows::new(4)));
        assert_eq!(folds[3], Split { train: vec![0, 1, 2], test: vec![3] });
    }

    #[test]
    fn one_row_cannot_be_left_out() {
        for n in [0, 1] {
            assert!(matches!(LeaveOneOut.split(&Rows::new(n)), Err(Error::Split { .. })));
        }
        assert!(matches!(LeaveOneOut.split(&Rows::new(40_000)), Err(Error::Split { .. })));
    }
}

//! Every choice of p test rows.

use super::leave_one_out::leave_p_rows;
use super::{Rows, Split, Splitter, combinations};
use crate::error::{Result, check};

/// Scores every choice of `p` rows by a model that is trained on all the others.
///
/// ```text
/// number of folds = n! / (p! (n − p)!)
/// ```
///
/// For p above 1 the folds overlap: every row is scored several times. Their number grows fast; this is for small data.
///
/// | parameter | default | meaning | range |
/// | --- | --- | --- | --- |
/// | `p` | – | test rows of a fold | 1 … n − 1 |
///
/// # Errors
///
/// - [`Error::Parameter`](crate::Error::Parameter) when p is 0
/// - [`Error::Split`](crate::Error::Split) when p is not below the number of rows, or when the folds' lists would fill more
///   than 8 GiB
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{LeavePOut, Rows, Splitter};
///
/// let folds = LeavePOut::new(2).split(&Rows::new(4))?;
/// assert_eq!(folds.len(), 6);
/// assert_eq!(folds[5].test, [2, 3]);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeavePOut {
    p: usize,
}

impl LeavePOut {
    /// Leaves `p` rows out of each fold's training rows.
    #[must_use]
    pub fn new(p: usize) -> Self {
        LeavePOut { p }
    }
}

impl Splitter for LeavePOut {
    fn name(&self) -> &str {
        "LeavePOut"
    }

    fn n_splits(&self, rows: &Rows<'_>) -> usize {
        combinations::count(rows.n_samples(), self.p)
    }

    fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>> {
        check("p", self.p, self.p >= 1, "at least 1")?;
        leave_p_rows(self.name(), self.p, rows.n_samples())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn every_pair_is_scored_once() {
        let folds = LeavePOut::new(2).split(&Rows::new(4)).unwrap();
        let tests: Vec<&[usize]> = folds.iter().map(|fold| &fold.test[..]).collect();
        assert_eq!(tests, [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]);
        assert_eq!(folds[4].train, [0, 2]);
    }

    #[test]
    fn none_all_and_too_many_choices_are_refused() {
        let split = |p, n| LeavePOut::new(p).split(&Rows::new(n));
        assert!(matches!(split(0, 5), Err(Error::Parameter { .. })));
        assert!(matches!(split(5, 5), Err(Error::Split { .. })));
        assert!(matches!(split(usize::MAX, 5), Err(Error::Split { .. })));
        assert!(matches!(split(50, 100), Err(Error::Split { .. })));
    }
}

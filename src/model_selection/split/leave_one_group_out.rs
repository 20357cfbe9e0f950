//! Every group alone as the test rows.

use super::groups::{leave_out, members};
use super::{Rows, Split, Splitter, combinations};
use crate::error::{Error, Result};

/// Scores every group by a model that is trained on all the other groups, in the order of the groups' numbers.
///
/// # Errors
///
/// [`Error::Split`] without groups, or with fewer than 2.
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{LeaveOneGroupOut, Rows, Splitter};
///
/// let years = [2019, 2020, 2019, 2021];
/// let folds = LeaveOneGroupOut.split(&Rows::new(4).groups(&years))?;
/// assert_eq!(folds.len(), 3);
/// assert_eq!(folds[0].test, [0, 2]);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeaveOneGroupOut;

impl Splitter for LeaveOneGroupOut {
    fn name(&self) -> &str {
        "LeaveOneGroupOut"
    }

    fn n_splits(&self, rows: &Rows<'_>) -> usize {
        rows.require_groups(self.name()).map_or(0, |groups| members(groups).len())
    }

    fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>> {
        leave_p_groups(self.name(), 1, rows)
    }
}

/// Every choice of p test groups, in lexicographic order.
pub(super) fn leave_p_groups(splitter: &str, p: usize, rows: &Rows<'_>) -> Result<Vec<Split>> {
    let members = members(rows.require_groups(splitter)?);
    if p >= members.len() {
        return Err(Error::Split {
            splitter: splitter.into(),
            needed: format!("at least {} groups", p.saturating_add(1)),
            found: format!("there are {}", members.len()),
        });
    }
    let choices = combinations::all(splitter, members.len(), p, rows.n_samples())?;
    Ok(choices.iter().map(|test| leave_out(&members, test, rows.n_samples())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_is_scored_once() {
        let rows = Rows::new(5).groups(&[7, 3, 7, 3, 9]);
        let folds = LeaveOneGroupOut.split(&rows).unwrap();
        assert_eq!(folds.len(), LeaveOneGroupOut.n_splits(&rows));
        let tests: Vec<&[usize]> = folds.iter().map(|fold| &fold.test[..]).collect();
        assert_eq!(tests, [&[1, 3][..], &[0, 2], &[4]]);
        assert_eq!(folds[2].train, [0, 1, 2, 3]);
    }

    #[test]
    fn a_single_group_cannot_be_left_out() {
        assert!(matches!(LeaveOneGroupOut.split(&Rows::new(3).groups(&[1; 3])), Err(Error::Split { .. })));
        assert!(matches!(LeaveOneGroupOut.split(&Rows::new(3)), Err(Error::Split { .. })));
        assert_eq!(LeaveOneGroupOut.n_splits(&Rows::new(3)), 0);
    }
}

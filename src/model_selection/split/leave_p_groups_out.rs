//! Every choice of p test groups.

use super::groups::members;
use super::leave_one_group_out::leave_p_groups;
use super::{Rows, Split, Splitter, combinations};
use crate::error::{Result, check};

/// Scores every choice of `p` groups by a model that is trained on all the other groups.
///
/// For p above 1 the folds overlap: every row is scored several times.
///
/// | parameter | default | meaning | range |
/// | --- | --- | --- | --- |
/// | `n_groups` | – | test groups of a fold, p | 1 … groups − 1 |
///
/// # Errors
///
/// - [`Error::Parameter`](crate::Error::Parameter) when p is 0
/// - [`Error::Split`](crate::Error::Split) without groups, when p is not below their number, or when the folds' lists would
///   fill more than 8 GiB
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{LeavePGroupsOut, Rows, Splitter};
///
/// let folds = LeavePGroupsOut::new(2).split(&Rows::new(4).groups(&[0, 1, 2, 2]))?;
/// assert_eq!(folds[1].test, [0, 2, 3]);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeavePGroupsOut {
    n_groups: usize,
}

impl LeavePGroupsOut {
    /// Leaves `n_groups` groups out of each fold's training rows.
    #[must_use]
    pub fn new(n_groups: usize) -> Self {
        LeavePGroupsOut { n_groups }
    }
}

impl Splitter for LeavePGroupsOut {
    fn name(&self) -> &str {
        "LeavePGroupsOut"
    }

    fn n_splits(&self, rows: &Rows<'_>) -> usize {
        let groups = rows.require_groups(self.name()).map_or(0, |groups| members(groups).len());
        combinations::count(groups, self.n_groups)
    }

    fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>> {
        check("n_groups", self.n_groups, self.n_groups >= 1, "at least 1")?;
        leave_p_groups(self.name(), self.n_groups, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn every_pair_of_groups_is_scored_once() {
        let rows = Rows::new(5).groups(&[0, 1, 2, 1, 2]);
        let folds = LeavePGroupsOut::new(2).split(&rows).unwrap();
        let tests: Vec<&[usize]> = folds.iter().map(|fold| &fold.test[..]).collect();
        assert_eq!(tests, [&[0, 1, 3][..], &[0, 2, 4], &[1, 2, 3, 4]]);
        assert_eq!(LeavePGroupsOut::new(2).n_splits(&rows), 3);
    }

    #[test]
    fn none_and_all_groups_are_refused() {
        let rows = Rows::new(3).groups(&[0, 1, 2]);
        assert!(matches!(LeavePGroupsOut::new(0).split(&rows), Err(Error::Parameter { .. })));
        assert!(matches!(LeavePGroupsOut::new(3).split(&rows), Err(Error::Split { .. })));
    }
}

//! Independent random splits of whole groups.

use super::groups::members;
use super::share::{Share, sizes};
use super::{Rows, Split, Splitter, check_memory};
use crate::error::{Result, check};
use crate::rng::Stream;

/// Draws whole groups as test rows anew for every fold, so folds may overlap and a row may never be scored.
///
/// | parameter | default | meaning | range |
/// | --- | --- | --- | --- |
/// | `n_splits` | – | number of folds | at least 1 |
/// | `test_size` | the rest of `train_size`, else 0.2 (scikit-learn) | test *groups* | 1 … groups − 1, or a fraction of them |
/// | `train_size` | the rest of `test_size` | training groups | 1 … groups − 1, or a fraction of them |
/// | `seed` | 0 | where the random numbers start | any |
///
/// # Errors
///
/// - [`Error::Parameter`](crate::Error::Parameter) when a size or `n_splits` is outside its range
/// - [`Error::Split`](crate::Error::Split) without groups, or when a part would be empty
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{GroupShuffleSplit, Rows, Splitter};
///
/// let houses = [0, 0, 1, 1, 2, 2, 3, 3];
/// let folds = GroupShuffleSplit::new(5).test_size(0.25).split(&Rows::new(8).groups(&houses))?;
/// assert!(folds.iter().all(|fold| fold.test.len() == 2 && houses[fold.test[0]] == houses[fold.test[1]]));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GroupShuffleSplit {
    n_splits: usize,
    test_size: Option<Share>,
    train_size: Option<Share>,
    seed: u64,
}

impl GroupShuffleSplit {
    /// `n_splits` random splits with a fifth of the groups as test rows.
    #[must_use]
    pub fn new(n_splits: usize) -> Self {
        GroupShuffleSplit { n_splits, test_size: None, train_size: None, seed: 0 }
    }

    /// The test groups: a number such as `20` or a fraction such as `0.2`.
    #[must_use]
    pub fn test_size(mut self, size: impl Into<Share>) -> Self {
        self.test_size = Some(size.into());
        self
    }

    /// The training groups: a number or a fraction.
    #[must_use]
    pub fn train_size(mut self, size: impl Into<Share>) -> Self {
        self.train_size = Some(size.into());
        self
    }

    /// Where the random numbers start.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

impl Splitter for GroupShuffleSplit {
    fn name(&self) -> &str {
        "GroupShuffleSplit"
    }

    fn n_splits(&self, _: &Rows<'_>) -> usize {
        self.n_splits
    }

    fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>> {
        check("n_splits", self.n_splits, self.n_splits >= 1, "at least 1")?;
        check_memory(self.name(), self.n_splits, rows.n_samples())?;
        let members = members(rows.require_groups(self.name())?);
        let (train, test) =
            sizes(self.name(), members.len(), "groups", self.train_size, self.test_size, 0.2)?;
        let root = Stream::new(self.seed).named("split");
        let gathered = |groups: &[usize]| {
            let mut rows: Vec<usize> = groups.iter().flat_map(|&group| &members[group]).copied().collect();
            rows.sort_unstable();
            rows
        };
        Ok((0..self.n_splits)
            .map(|fold| {
                let mut order: Vec<usize> = (0..members.len()).collect();
                root.at(fold as u64).shuffle(&mut order);
                Split { test: gathered(&order[..test]), train: gathered(&order[test..test + train]) }
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn sizes_count_groups_and_groups_stay_whole() {
        let groups: Vec<usize> = (0..50).map(|row| row % 10).collect();
        let splitter = GroupShuffleSplit::new(6).test_size(3).train_size(0.5).seed(2);
        for fold in splitter.split(&Rows::new(50).groups(&groups)).unwrap() {
            assert_eq!((fold.test.len(), fold.train.len()), (15, 25));
            assert!(fold.test.iter().all(|&row| !fold.train.iter().any(|&other| other % 10 == row % 10)));
        }
    }

    #[test]
    fn a_single_group_cannot_be_on_both_sides() {
        let one = Rows::new(4).groups(&[1; 4]);
        assert!(matches!(GroupShuffleSplit::new(1).split(&one), Err(Error::Split { .. })));
        let ten =
            GroupShuffleSplit::new(1).test_size(10).split(&Rows::new(3).groups(&[0, 1, 2])).unwrap_err();
        assert!(matches!(&ten, Error::Parameter { allowed, .. } if allowed.contains("3 groups")), "{ten}");
        assert!(matches!(GroupShuffleSplit::new(0).split(&one), Err(Error::Parameter { .. })));
    }
}

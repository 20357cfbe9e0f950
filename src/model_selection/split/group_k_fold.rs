//! k folds of whole groups.

use super::groups::members;
use super::{Rows, Split, Splitter, check_memory, check_n_splits};
use crate::error::Result;
use crate::rng::Stream;

/// Divides the rows into `k` folds without dividing a group: a model is always scored on groups it has never seen.
///
/// Rows that belong together (of one patient, one machine, one house) would otherwise stand on both sides and make scores
/// too good. The largest group goes first, each to the fold that has the fewest rows so far, so the folds have about as
/// many rows as the groups allow. Of groups of one size the one with the larger number goes first, as in scikit-learn.
///
/// With [`shuffle`](GroupKFold::shuffle) the groups are shuffled and divided into k blocks, whose *numbers of groups* differ
/// by at most one.
///
/// | parameter | default | meaning | range |
/// | --- | --- | --- | --- |
/// | `n_splits` | – | number of folds k | 2 … number of groups |
/// | `shuffle` | off | divides the shuffled groups instead, by this seed | any |
///
/// # Errors
///
/// - [`Error::Parameter`](crate::Error::Parameter) when k is below 2
/// - [`Error::Split`](crate::Error::Split) without groups, or with fewer groups than folds
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{GroupKFold, Rows, Splitter};
///
/// let patients = [0, 0, 0, 1, 1, 2];
/// let folds = GroupKFold::new(2).split(&Rows::new(6).groups(&patients))?;
/// assert_eq!(folds[0].test, [0, 1, 2]);
/// assert_eq!(folds[1].test, [3, 4, 5]);
/// assert!(GroupKFold::new(4).split(&Rows::new(6).groups(&patients)).is_err());
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct GroupKFold {
    n_splits: usize,
    shuffle: Option<u64>,
}

impl GroupKFold {
    /// `n_splits` folds with about as many rows each.
    #[must_use]
    pub fn new(n_splits: usize) -> Self {
        GroupKFold { n_splits, shuffle: None }
    }

    /// Shuffles the groups and divides them by their number.
    #[must_use]
    pub fn shuffle(mut self, seed: u64) -> Self {
        self.shuffle = Some(seed);
        self
    }
}

impl Splitter for GroupKFold {
    fn name(&self) -> &str {
        "GroupKFold"
    }

    fn n_splits(&self, _: &Rows<'_>) -> usize {
        self.n_splits
    }

    fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>> {
        let k = self.n_splits;
        let members = members(rows.require_groups(self.name())?);
        check_n_splits(self.name(), k, members.len(), "groups")?;
        check_memory(self.name(), k, rows.n_samples())?;
        let mut folds = vec![0; rows.n_samples()];
        let mut put = |group: usize, fold| members[group].iter().for_each(|&row| folds[row] = fold);
        let mut order: Vec<usize> = (0..members.len()).collect();
        if let Some(seed) = self.shuffle {
            Stream::new(seed).named("split").shuffle(&mut order);
            let (size, more) = (order.len() / k, order.len() % k);
            let mut groups = order.into_iter();
            for fold in 0..k {
                groups.by_ref().take(size + usize::from(fold < more)).for_each(|group| put(group, fold));
            }
        } else {
            order.sort_by_key(|&group| (members[group].len(), group));
            let mut filled = vec![0; k];
            for group in order.into_iter().rev() {
                let lightest = (0..k).min_by_key(|&fold| filled[fold]).unwrap_or(0);
                filled[lightest] += members[group].len();
                put(group, lightest);
            }
        }
        Ok((0..k).map(|fold| Split::by_mark(&folds, fold)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn the_largest_groups_go_first_to_the_emptiest_fold() {
        // Sizes 1, 4, 2, 3: 4 | 3, then 2 to the second, then 1 to the first.
        let groups = [1, 1, 1, 1, 2, 2, 3, 3, 3, 0];
        let folds = GroupKFold::new(2).split(&Rows::new(10).groups(&groups)).unwrap();
        assert_eq!(folds[0].test, [0, 1, 2, 3, 9]);
        assert_eq!(folds[1].test, [4, 5, 6, 7, 8]);
    }

    #[test]
    fn shuffled_groups_are_divided_by_their_number() {
        let groups: Vec<usize> = (0..70).map(|row| row / 10).collect();
        let folds = |seed| GroupKFold::new(3).shuffle(seed).split(&Rows::new(70).groups(&groups)).unwrap();
        assert_eq!(folds(1).iter().map(|fold| fold.test.len()).collect::<Vec<_>>(), [30, 20, 20]);
        assert_eq!(folds(1), folds(1));
        assert_ne!(folds(1), folds(2));
    }

    #[test]
    fn without_groups_or_with_too_few_there_are_no_folds() {
        assert!(matches!(GroupKFold::new(2).split(&Rows::new(4)), Err(Error::Split { .. })));
        let two = Rows::new(4).groups(&[5, 5, 9, 9]);
        assert!(matches!(GroupKFold::new(3).split(&two), Err(Error::Split { .. })));
        assert!(matches!(GroupKFold::new(1).split(&two), Err(Error::Parameter { .. })));
        let short = Rows::new(4).groups(&[1, 2]);
        assert!(matches!(GroupKFold::new(2).split(&short), Err(Error::RowCount { array: "groups", .. })));
    }
}

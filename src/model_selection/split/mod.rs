//! Splitters: which rows train and which rows are scored.
//!
//! A [`Splitter`] gives lists of row indices and copies no data. It sees the number of rows, and when there are any, the
//! classes and the groups of the rows. A splitter is plain data: its randomness comes from its seed and position alone,
//! so the same splitter gives the same folds whenever it is asked.
//!
//! | splitter | every row is scored | test rows |
//! | --- | --- | --- |
//! | [`KFold`] | once | blocks, or shuffled |
//! | [`StratifiedKFold`] | once | with the classes' shares |
//! | [`GroupKFold`] | once | whole groups |
//! | [`StratifiedGroupKFold`] | once | whole groups, about the classes' shares |
//! | [`RepeatedKFold`], [`RepeatedStratifiedKFold`] | once in each repeat | shuffled anew |
//! | [`LeaveOneOut`], [`LeaveOneGroupOut`] | once | a row; a group |
//! | [`LeavePOut`], [`LeavePGroupsOut`] | several times | every choice of p rows or groups |
//! | [`ShuffleSplit`], [`StratifiedShuffleSplit`], [`GroupShuffleSplit`] | by chance | drawn anew for every fold |
//! | [`TimeSeriesSplit`] | once, but for the first rows | blocks after the training rows |
//! | [`PredefinedSplit`] | once, or never | given row by row |
//! | [`TrainTestSplit`] | once, or never | one fold: drawn, stratified, grouped, or the last rows |
//! | [`SplitBy`], `Vec<Split>` | as it says | of a closure; given |
//!
//! [`Binned`] lets the stratified ones divide by a target that is a number.
//!
//! # References
//!
//! Fold sizes and the allocation of classes follow scikit-learn 1.9, `model_selection/_split.py`. The random numbers are
//! this crate's ([`rng`](crate::rng)), so shuffled folds differ from scikit-learn's.

mod binned;
mod combinations;
mod group_k_fold;
mod group_shuffle_split;
mod groups;
mod k_fold;
mod leave_one_group_out;
mod leave_one_out;
mod leave_p_groups_out;
mod leave_p_out;
mod predefined_split;
mod repeated_k_fold;
mod share;
mod shuffle_split;
mod split_by;
mod stratified_group_k_fold;
mod stratified_k_fold;
mod stratified_shuffle_split;
mod time_series_split;
mod train_test_split;

pub use binned::Binned;
pub use group_k_fold::GroupKFold;
pub use group_shuffle_split::GroupShuffleSplit;
pub use k_fold::KFold;
pub use leave_one_group_out::LeaveOneGroupOut;
pub use leave_one_out::LeaveOneOut;
pub use leave_p_groups_out::LeavePGroupsOut;
pub use leave_p_out::LeavePOut;
pub use predefined_split::PredefinedSplit;
pub use repeated_k_fold::{RepeatedKFold, RepeatedStratifiedKFold};
pub use share::Share;
pub use shuffle_split::ShuffleSplit;
pub use split_by::SplitBy;
pub use stratified_group_k_fold::StratifiedGroupKFold;
pub use stratified_k_fold::StratifiedKFold;
pub use stratified_shuffle_split::StratifiedShuffleSplit;
pub use time_series_split::TimeSeriesSplit;
pub use train_test_split::{TrainTestSplit, train_test_split};

use std::fmt;

use crate::error::{Error, Result};
use crate::model_selection::fit::target::Classes;

/// What a splitter may know of the rows.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    n_samples: usize,
    classes: Option<&'a Classes>,
    numbers: Option<&'a [f64]>,
    groups: Option<&'a [usize]>,
}

impl<'a> Rows<'a> {
    /// Rows of which only the number is known.
    #[must_use]
    pub fn new(n_samples: usize) -> Self {
        Rows { n_samples, classes: None, numbers: None, groups: None }
    }

    /// Adds the class of each row.
    #[must_use]
    pub fn classes(mut self, classes: &'a Classes) -> Self {
        self.classes = Some(classes);
        self
    }

    /// Adds the target of each row, when it is one number.
    #[must_use]
    pub fn numbers(mut self, numbers: &'a [f64]) -> Self {
        self.numbers = Some(numbers);
        self
    }

    /// Adds the group of each row. Any numbers will do; they may have gaps.
    #[must_use]
    pub fn groups(mut self, groups: &'a [usize]) -> Self {
        self.groups = Some(groups);
        self
    }

    /// The number of rows.
    #[must_use]
    pub fn n_samples(&self) -> usize {
        self.n_samples
    }

    /// The classes, when the targets are one column of labels.
    ///
    /// # Errors
    ///
    /// [`Error::Split`] when there are none, [`Error::RowCount`] when they are not as many as the rows.
    pub fn require_classes(&self, splitter: &str) -> Result<&'a Classes> {
        let classes = self.classes.ok_or_else(|| Error::Split {
            splitter: splitter.into(),
            needed: "one column of class labels as targets".into(),
            found: "the targets are numbers or several columns".into(),
        })?;
        self.check_length("y", classes.indices.len())?;
        Ok(classes)
    }

    /// The targets, when they are one column of numbers.
    ///
    /// # Errors
    ///
    /// [`Error::Split`] when they are not, [`Error::RowCount`] when they are not as many as the rows.
    pub fn require_numbers(&self, splitter: &str) -> Result<&'a [f64]> {
        let numbers = self.numbers.ok_or_else(|| Error::Split {
            splitter: splitter.into(),
            needed: "one column of numbers as targets".into(),
            found: "the targets are labels or several columns".into(),
        })?;
        self.check_length("y", numbers.len())?;
        Ok(numbers)
    }

    /// The groups.
    ///
    /// # Errors
    ///
    /// [`Error::Split`] when there are none, [`Error::RowCount`] when they are not as many as the rows.
    pub fn require_groups(&self, splitter: &str) -> Result<&'a [usize]> {
        let groups = self.groups.ok_or_else(|| Error::Split {
            splitter: splitter.into(),
            needed: "the group of every row".into(),
            found: "no groups were given".into(),
        })?;
        self.check_length("groups", groups.len())?;
        Ok(groups)
    }

    fn check_length(&self, array: &'static str, found: usize) -> Result<()> {
        if found == self.n_samples {
            Ok(())
        } else {
            Err(Error::RowCount { array, expected: self.n_samples, found })
        }
    }
}

/// One fold: the rows that train and the rows that are scored, both ascending unless the splitter says otherwise.
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{KFold, Rows, Split, Splitter};
///
/// let folds = KFold::new(2).split(&Rows::new(4))?;
/// assert_eq!(folds[0], Split { train: vec![2, 3], test: vec![0, 1] });
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Split {
    /// The rows to train on.
    pub train: Vec<usize>,
    /// The rows to score.
    pub test: Vec<usize>,
}

impl Split {
    /// The fold that scores the rows with that mark and trains on the others.
    fn by_mark(marks: &[usize], mark: usize) -> Self {
        let (mut test, mut train): (Vec<_>, Vec<_>) = (0..marks.len()).partition(|&row| marks[row] == mark);
        // All folds are held for the whole search: room that the lists grew into would be.
        test.shrink_to_fit();
        train.shrink_to_fit();
        Split { train, test }
    }
}

/// A way to divide rows into training and test rows, several times.
///
/// Your own splitter is a type with these three methods:
///
/// ```
/// use linfa_mlp::model_selection::{Rows, Split, Splitter};
///
/// #[derive(Debug)]
/// struct EvenOdd;
///
/// impl Splitter for EvenOdd {
///     fn name(&self) -> &str { "EvenOdd" }
///     fn n_splits(&self, _: &Rows<'_>) -> usize { 1 }
///     fn split(&self, rows: &Rows<'_>) -> linfa_mlp::Result<Vec<Split>> {
///         let (train, test) = (0..rows.n_samples()).partition(|row| row % 2 == 0);
///         Ok(vec![Split { train, test }])
///     }
/// }
/// assert_eq!(EvenOdd.split(&Rows::new(5))?[0].test, [1, 3]);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub trait Splitter: fmt::Debug + Send + Sync {
    /// The name in errors and tables.
    fn name(&self) -> &str;

    /// The number of folds for these rows.
    fn n_splits(&self, rows: &Rows<'_>) -> usize;

    /// The folds.
    ///
    /// # Errors
    ///
    /// Whatever the splitter needs and the rows do not give; each splitter says it.
    fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>>;
}

impl<S: Splitter + ?Sized> Splitter for &S {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn n_splits(&self, rows: &Rows<'_>) -> usize {
        (**self).n_splits(rows)
    }

    fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>> {
        (**self).split(rows)
    }
}

/// The folds of a splitter, checked: there are folds, each has training and test rows, no row is both, no index is out
/// of range, and, unless they may, no class is missing where it trains.
pub(crate) fn checked(splitter: &dyn Splitter, rows: &Rows<'_>, missing_classes: bool) -> Result<Vec<Split>> {
    let n_samples = rows.n_samples();
    if n_samples == 0 {
        return Err(Error::NoRows { array: "x" });
    }
    let splits = splitter.split(rows)?;
    if splits.is_empty() {
        return Err(Error::Split {
            splitter: splitter.name().into(),
            needed: "at least 1 fold".into(),
            found: "it gives none".into(),
        });
    }
    for (fold, split) in splits.iter().enumerate() {
        check_fold(fold, split, n_samples)?;
        if let Some(classes) = rows.classes.filter(|_| !missing_classes) {
            check_classes(fold, &split.train, classes)?;
        }
    }
    Ok(splits)
}

/// Checks that the training rows of a fold hold every class.
pub(crate) fn check_classes(fold: usize, train: &[usize], classes: &Classes) -> Result<()> {
    let mut seen = vec![false; classes.names.len()];
    train.iter().for_each(|&row| seen[classes.indices[row]] = true);
    match seen.iter().position(|seen| !seen) {
        Some(missing) => Err(Error::ClassMissing { fold, class: classes.names[missing].clone() }),
        None => Ok(()),
    }
}

fn check_fold(fold: usize, split: &Split, n_samples: usize) -> Result<()> {
    let mut trains = vec![false; n_samples];
    for (part, rows) in [("training", &split.train), ("test", &split.test)] {
        if rows.is_empty() {
            return Err(Error::EmptyFold { fold, part });
        }
        if let Some(position) = rows.iter().position(|&row| row >= n_samples) {
            return Err(Error::RowIndex { position, row: rows[position], n_samples });
        }
    }
    split.train.iter().for_each(|&row| trains[row] = true);
    match split.test.iter().find(|&&row| trains[row]) {
        Some(&row) => Err(Error::SharedRow { fold, row }),
        None => Ok(()),
    }
}

/// The row indices that the folds of one splitter may hold together: 8 GiB of them.
const MOST_INDICES: u128 = 1 << 30;

/// Checks that so many folds of all rows fit into memory.
fn check_memory(splitter: &str, folds: usize, n_samples: usize) -> Result<()> {
    if folds as u128 * n_samples.max(1) as u128 <= MOST_INDICES {
        return Ok(());
    }
    Err(Error::Split {
        splitter: splitter.into(),
        needed: "folds that together hold at most 2^30 rows".into(),
        found: format!("{folds} folds of {n_samples} rows were asked for"),
    })
}

/// Checks that there are at least two folds and no more folds than things to divide.
fn check_n_splits(splitter: &str, n_splits: usize, things: usize, called: &str) -> Result<()> {
    crate::error::check("n_splits", n_splits, n_splits >= 2, "at least 2")?;
    if n_splits > things {
        return Err(Error::Split {
            splitter: splitter.into(),
            needed: format!("at least as many {called} as folds ({n_splits})"),
            found: format!("there are {things}"),
        });
    }
    Ok(())
}

/// Checks that every class has at least that many rows.
fn check_members(splitter: &str, classes: &Classes, needed: usize) -> Result<()> {
    let counts = classes.counts();
    match counts.iter().position(|&members| members < needed) {
        Some(class) => Err(Error::ClassTooSmall {
            splitter: splitter.into(),
            class: classes.names[class].clone(),
            members: counts[class],
            needed,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed(Vec<Split>);

    impl Splitter for Fixed {
        fn name(&self) -> &str {
            "Fixed"
        }

        fn n_splits(&self, _: &Rows<'_>) -> usize {
            self.0.len()
        }

        fn split(&self, _: &Rows<'_>) -> Result<Vec<Split>> {
            Ok(self.0.clone())
        }
    }

    fn check(train: &[usize], test: &[usize]) -> Result<Vec<Split>> {
        let split = Split { train: train.to_vec(), test: test.to_vec() };
        checked(&Fixed(vec![split]), &Rows::new(4), false)
    }

    #[test]
    fn folds_of_any_splitter_are_checked() {
        assert!(check(&[0, 1], &[2, 3]).is_ok());
        assert!(matches!(check(&[], &[2]), Err(Error::EmptyFold { fold: 0, part: "training" })));
        assert!(matches!(check(&[1], &[]), Err(Error::EmptyFold { fold: 0, part: "test" })));
        let outside = check(&[0, 1], &[2, 4]);
        assert!(matches!(outside, Err(Error::RowIndex { position: 1, row: 4, n_samples: 4 })));
        assert!(matches!(check(&[0, 1], &[1, 2]), Err(Error::SharedRow { fold: 0, row: 1 })));
        assert!(matches!(checked(&Fixed(vec![]), &Rows::new(4), false), Err(Error::Split { .. })));
        assert!(matches!(checked(&KFold::new(2), &Rows::new(0), false), Err(Error::NoRows { array: "x" })));
    }

    #[test]
    fn a_fold_that_trains_without_a_class_is_refused() {
        let labels = ndarray::array!["a", "a", "b", "b"];
        let classes = Classes::of(labels.view());
        let rows = Rows::new(4).classes(&classes);
        let error = checked(&KFold::new(2), &rows, false).unwrap_err();
        assert!(matches!(&error, Error::ClassMissing { fold: 0, class } if class == "a"), "{error}");
        assert!(checked(&KFold::new(2), &rows, true).is_ok());
        assert!(checked(&StratifiedKFold::new(2), &rows, false).is_ok());
    }
}

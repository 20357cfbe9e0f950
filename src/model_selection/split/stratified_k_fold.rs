//! k folds with the classes' shares in each.

use super::{Rows, Split, Splitter, check_members, check_memory, check_n_splits};
#[cfg(any(doc, test))]
use crate::error::Error;
use crate::error::Result;
use crate::model_selection::target::Classes;
use crate::rng::Stream;

/// Divides the rows into `k` folds that have every class in the same share, as nearly as whole rows allow.
///
/// The rows are put in the order of their classes and dealt out to the folds in turn, which settles how many rows of each
/// class a fold scores; a class then fills the folds one after the other. So both the folds and each class' parts differ
/// by at most one row. Classes are taken in the order in which they first appear, as scikit-learn does.
///
/// | parameter | default | meaning | range |
/// | --- | --- | --- | --- |
/// | `n_splits` | – | number of folds k | 2 … rows of the smallest class |
/// | `shuffle` | off | shuffles the rows of each class first, by this seed | any |
///
/// # Errors
///
/// - [`Error::Parameter`] when k is below 2
/// - [`Error::Split`] when the targets are not one column of class labels, or when k is above the number of rows
/// - [`Error::ClassTooSmall`] when a class has fewer than k rows. Scikit-learn warns here and leaves the class out of
///   some folds.
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{Classes, Rows, Splitter, StratifiedKFold};
///
/// let classes = Classes::of(ndarray::array!["no", "no", "no", "no", "yes", "yes"].view());
/// let folds = StratifiedKFold::new(2).split(&Rows::new(6).classes(&classes))?;
/// assert_eq!(folds[0].test, [0, 1, 4]);
/// assert_eq!(folds[1].test, [2, 3, 5]);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StratifiedKFold {
    n_splits: usize,
    shuffle: Option<u64>,
}

impl StratifiedKFold {
    /// `n_splits` folds; each class fills them in the order of its rows.
    #[must_use]
    pub fn new(n_splits: usize) -> Self {
        StratifiedKFold { n_splits, shuffle: None }
    }

    /// Shuffles the rows of each class before they are divided.
    #[must_use]
    pub fn shuffle(mut self, seed: u64) -> Self {
        self.shuffle = Some(seed);
        self
    }
}

/// The classes' numbers in the order in which the classes first appear.
fn by_appearance(classes: &Classes) -> Vec<usize> {
    let mut seen = vec![false; classes.names.len()];
    classes.indices.iter().copied().filter(|&class| !std::mem::replace(&mut seen[class], true)).collect()
}

impl Splitter for StratifiedKFold {
    fn name(&self) -> &str {
        "StratifiedKFold"
    }

    fn n_splits(&self, _: &Rows<'_>) -> usize {
        self.n_splits
    }

    fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>> {
        check_n_splits(self.name(), self.n_splits, rows.n_samples(), "rows")?;
        check_memory(self.name(), self.n_splits, rows.n_samples())?;
        let classes = rows.require_classes(self.name())?;
        check_members(self.name(), classes, self.n_splits)?;
        let order = by_appearance(classes);
        let counts = classes.counts();

        let mut folds = vec![0; rows.n_samples()];
        let mut dealt = 0;
        for (place, &class) in order.iter().enumerate() {
            // Cards `dealt … dealt + members` of the sorted rows are this class'; card c goes to fold c mod k.
            let mut hands = vec![0; self.n_splits];
            (dealt..dealt + counts[class]).for_each(|card| hands[card % self.n_splits] += 1);
            dealt += counts[class];
            let mut marks: Vec<usize> =
                hands.iter().enumerate().flat_map(|(fold, &rows)| vec![fold; rows]).collect();
            if let Some(seed) = self.shuffle {
                Stream::new(seed).named("split").at(place as u64).shuffle(&mut marks);
            }
            let members = (0..rows.n_samples()).filter(|&row| classes.indices[row] == class);
            members.zip(marks).for_each(|(row, fold)| folds[row] = fold);
        }
        Ok((0..self.n_splits).map(|fold| Split::by_mark(&folds, fold)).collect())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, array};

    use super::*;

    fn folds(splitter: StratifiedKFold, labels: &Array1<usize>) -> Result<Vec<Split>> {
        let classes = Classes::of(labels.view());
        splitter.split(&Rows::new(labels.len()).classes(&classes))
    }

    #[test]
    fn the_folds_are_scikit_learns() {
        // scikit-learn 1.9: StratifiedKFold(3).split(X, [1, 0, 1, 1, 0, 2, 2, 0, 1, 2, 1])
        let labels = array![1, 0, 1, 1, 0, 2, 2, 0, 1, 2, 1];
        let tests: Vec<Vec<usize>> =
            folds(StratifiedKFold::new(3), &labels).unwrap().into_iter().map(|split| split.test).collect();
        assert_eq!(tests, [vec![0, 1, 2, 5], vec![3, 4, 6, 8], vec![7, 9, 10]]);
    }

    #[test]
    fn the_seed_alone_decides_the_shuffle() {
        let labels: Array1<usize> = (0..60).map(|row| row % 3).collect();
        let shuffled = |seed| folds(StratifiedKFold::new(4).shuffle(seed), &labels).unwrap();
        assert_eq!(shuffled(5), shuffled(5));
        assert_ne!(shuffled(5), shuffled(6));
    }

    #[test]
    fn a_class_smaller_than_the_number_of_folds_is_refused() {
        let error = folds(StratifiedKFold::new(3), &array![0, 0, 0, 7, 7]).unwrap_err();
        assert!(
            matches!(&error, Error::ClassTooSmall { class, members: 2, needed: 3, .. } if class == "7"),
            "{error}"
        );
    }

    #[test]
    fn numbers_cannot_be_stratified() {
        let error = StratifiedKFold::new(2).split(&Rows::new(4)).unwrap_err();
        assert!(matches!(error, Error::Split { .. }), "{error}");
    }
}

//! Independent random splits with the classes' shares in both parts.

use super::share::{Share, sizes};
use super::{Rows, Split, Splitter, check_members, check_memory};
use crate::error::{Error, Result, check};
use crate::rng::Stream;

/// Draws the test rows anew for every fold, so that training and test rows have every class in the share it has in the data.
///
/// ```text
/// training rows of class c = ⌊train · n_c / n⌋, and 1 more where the remainders are largest
/// ```
///
/// Test rows are taken from the rest in the same way. Equal remainders are decided by chance, anew in every fold, as in
/// scikit-learn. A class that is too small for its share to be one row may be missing on one side.
///
/// | parameter | default | meaning | range |
/// | --- | --- | --- | --- |
/// | `n_splits` | – | number of folds | at least 1 |
/// | `test_size` | the rest of `train_size`, else 0.1 (scikit-learn) | test rows | classes … n − 1, or a fraction |
/// | `train_size` | the rest of `test_size` | training rows | classes … n − 1, or a fraction |
/// | `seed` | 0 | where the random numbers start | any |
///
/// Training and test rows come in a random order.
///
/// # Errors
///
/// - [`Error::Parameter`] when a size or `n_splits` is outside its range
/// - [`Error::Split`] without class labels, or when a part would have fewer rows than there are classes
/// - [`Error::ClassTooSmall`] when a class has a single row
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{Classes, Rows, Splitter, StratifiedShuffleSplit};
///
/// let labels = ndarray::Array1::from_shape_fn(40, |row| if row < 30 { "common" } else { "rare" });
/// let classes = Classes::of(labels.view());
/// let folds = StratifiedShuffleSplit::new(3).test_size(0.2).split(&Rows::new(40).classes(&classes))?;
/// assert!(folds.iter().all(|fold| fold.test.iter().filter(|&&row| labels[row] == "rare").count() == 2));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct StratifiedShuffleSplit {
    n_splits: usize,
    test_size: Option<Share>,
    train_size: Option<Share>,
    seed: u64,
}

impl StratifiedShuffleSplit {
    /// `n_splits` random splits with a tenth of the rows as test rows.
    #[must_use]
    pub fn new(n_splits: usize) -> Self {
        StratifiedShuffleSplit { n_splits, test_size: None, train_size: None, seed: 0 }
    }

    /// The test rows: a number such as `20` or a fraction such as `0.2`.
    #[must_use]
    pub fn test_size(mut self, size: impl Into<Share>) -> Self {
        self.test_size = Some(size.into());
        self
    }

    /// The training rows: a number or a fraction.
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

/// How many of `draws` rows come from each class, in whole numbers: the largest remainders are rounded up, equal ones by
/// chance.
fn shares(counts: &[usize], draws: usize, mut chance: Stream) -> Vec<usize> {
    let total = counts.iter().sum::<usize>().max(1) as u128;
    let exact = |count: usize| count as u128 * draws as u128;
    let mut drawn: Vec<usize> = counts.iter().map(|&count| (exact(count) / total) as usize).collect();
    let mut order: Vec<usize> = (0..counts.len()).collect();
    chance.shuffle(&mut order);
    order.sort_by_key(|&class| std::cmp::Reverse(exact(counts[class]) % total));
    let missing = draws - drawn.iter().sum::<usize>();
    order.into_iter().take(missing).for_each(|class| drawn[class] += 1);
    drawn
}

impl Splitter for StratifiedShuffleSplit {
    fn name(&self) -> &str {
        "StratifiedShuffleSplit"
    }

    fn n_splits(&self, _: &Rows<'_>) -> usize {
        self.n_splits
    }

    fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>> {
        check("n_splits", self.n_splits, self.n_splits >= 1, "at least 1")?;
        check_memory(self.name(), self.n_splits, rows.n_samples())?;
        let classes = rows.require_classes(self.name())?;
        let (train, test) =
            sizes(self.name(), rows.n_samples(), "rows", self.train_size, self.test_size, 0.1)?;
        check_members(self.name(), classes, 2)?;
        let n_classes = classes.names.len();
        if train < n_classes || test < n_classes {
            return Err(Error::Split {
                splitter: self.name().into(),
                needed: format!(
                    "at least {n_classes} training and {n_classes} test rows, one for each class"
                ),
                found: format!("the sizes ask for {train} and {test}"),
            });
        }
        let counts = classes.counts();
        let mut members = vec![Vec::new(); n_classes];
        classes.indices.iter().enumerate().for_each(|(row, &class)| members[class].push(row));
        let root = Stream::new(self.seed).named("split");
        Ok((0..self.n_splits)
            .map(|fold| {
                let fold = root.at(fold as u64);
                let trains = shares(&counts, train, fold.named("train shares"));
                let left: Vec<usize> = counts.iter().zip(&trains).map(|(all, train)| all - train).collect();
                let tests = shares(&left, test, fold.named("test shares"));
                let mut split = Split { train: Vec::with_capacity(train), test: Vec::with_capacity(test) };
                for (class, members) in members.iter().enumerate() {
                    let mut members = members.clone();
                    fold.named("class").at(class as u64).shuffle(&mut members);
                    let (train, rest) = members.split_at(trains[class]);
                    split.train.extend_from_slice(train);
                    split.test.extend_from_slice(&rest[..tests[class]]);
                }
                fold.named("train").shuffle(&mut split.train);
                fold.named("test").shuffle(&mut split.test);
                split
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;

    use super::*;
    use crate::model_selection::target::Classes;

    #[test]
    fn the_largest_remainders_are_rounded_up() {
        let chance = Stream::new(1);
        assert_eq!(shares(&[4, 2], 3, chance), [2, 1]);
        assert_eq!(shares(&[5, 2], 4, chance), [3, 1]);
        // Equal remainders are not decided alike for every seed.
        let firsts: Vec<usize> = (0..40).map(|seed| shares(&[2, 2, 2, 1], 2, Stream::new(seed))[0]).collect();
        assert!(firsts.contains(&0) && firsts.contains(&1));
    }

    #[test]
    fn both_parts_have_the_shares_of_the_data() {
        let labels: Array1<usize> = (0..100).map(|row| usize::from(row % 10 == 0)).collect();
        let classes = Classes::of(labels.view());
        let splitter = StratifiedShuffleSplit::new(4).test_size(30).train_size(50).seed(8);
        let folds = splitter.split(&Rows::new(100).classes(&classes)).unwrap();
        assert_ne!(folds[0], folds[1]);
        for fold in folds {
            let ones = |rows: &[usize]| rows.iter().filter(|&&row| labels[row] == 1).count();
            assert_eq!((fold.train.len(), ones(&fold.train)), (50, 5));
            assert_eq!((fold.test.len(), ones(&fold.test)), (30, 3));
        }
    }

    #[test]
    fn sizes_and_classes_that_do_not_fit_are_refused() {
        let classes = Classes::of(Array1::from(vec![0_usize, 0, 0, 1, 1, 2]).view());
        let rows = Rows::new(6).classes(&classes);
        let split = |test: usize| StratifiedShuffleSplit::new(1).test_size(test).split(&rows);
        assert!(matches!(split(3), Err(Error::ClassTooSmall { members: 1, needed: 2, .. })));
        let classes = Classes::of(Array1::from(vec![0_usize, 0, 2, 1, 1, 2]).view());
        let rows = Rows::new(6).classes(&classes);
        let split = |test: usize| StratifiedShuffleSplit::new(1).test_size(test).split(&rows);
        assert!(matches!(split(2), Err(Error::Split { .. })));
        assert!(matches!(split(6), Err(Error::Parameter { .. })));
        assert_eq!(split(3).unwrap()[0].test.len(), 3);
    }
}

//! Independent random splits.

use super::share::{Share, sizes};
use super::{Rows, Split, Splitter, check_memory};
use crate::error::{Result, check};
use crate::rng::Stream;

/// Draws the test rows anew for every fold, so folds may overlap and a row may never be scored.
///
/// | parameter | default | meaning | range |
/// | --- | --- | --- | --- |
/// | `n_splits` | – | number of folds | at least 1 |
/// | `test_size` | the rest of `train_size`, else 0.1 (scikit-learn) | test rows | 1 … n − 1, or a fraction |
/// | `train_size` | the rest of `test_size` | training rows | 1 … n − 1, or a fraction |
/// | `seed` | 0 | where the random numbers start | any |
///
/// Training and test rows come in the order in which they were drawn.
///
/// # Errors
///
/// - [`Error::Parameter`](crate::Error::Parameter) when a size or `n_splits` is outside its range
/// - [`Error::Split`](crate::Error::Split) when a part would be empty or both together exceed the rows
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{Rows, ShuffleSplit, Splitter};
///
/// let folds = ShuffleSplit::new(3).test_size(0.25).seed(7).split(&Rows::new(10))?;
/// assert!(folds.iter().all(|fold| fold.test.len() == 3 && fold.train.len() == 7));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ShuffleSplit {
    n_splits: usize,
    test_size: Option<Share>,
    train_size: Option<Share>,
    seed: u64,
}

impl ShuffleSplit {
    /// `n_splits` random splits with a tenth of the rows as test rows.
    #[must_use]
    pub fn new(n_splits: usize) -> Self {
        ShuffleSplit { n_splits, test_size: None, train_size: None, seed: 0 }
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

impl Splitter for ShuffleSplit {
    fn name(&self) -> &str {
        "ShuffleSplit"
    }

    fn n_splits(&self, _: &Rows<'_>) -> usize {
        self.n_splits
    }

    fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>> {
        check("n_splits", self.n_splits, self.n_splits >= 1, "at least 1")?;
        check_memory(self.name(), self.n_splits, rows.n_samples())?;
        let (train, test) =
            sizes(self.name(), rows.n_samples(), "rows", self.train_size, self.test_size, 0.1)?;
        let root = Stream::new(self.seed).named("split");
        Ok((0..self.n_splits)
            .map(|fold| {
                let mut order: Vec<usize> = (0..rows.n_samples()).collect();
                root.at(fold as u64).shuffle(&mut order);
                Split { test: order[..test].to_vec(), train: order[test..test + train].to_vec() }
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn folds_differ_and_come_back_with_the_seed() {
        let folds = |seed| ShuffleSplit::new(4).test_size(0.3).seed(seed).split(&Rows::new(20)).unwrap();
        assert_eq!(folds(3), folds(3));
        assert_ne!(folds(3), folds(4));
        assert_ne!(folds(3)[0], folds(3)[1]);
    }

    #[test]
    fn sizes_may_leave_rows_out() {
        let fold = &ShuffleSplit::new(1).train_size(5).test_size(2).split(&Rows::new(20)).unwrap()[0];
        assert_eq!((fold.train.len(), fold.test.len()), (5, 2));
    }

    #[test]
    fn a_split_that_leaves_no_row_is_refused() {
        assert!(matches!(ShuffleSplit::new(2).split(&Rows::new(1)), Err(Error::Split { .. })));
        assert!(matches!(ShuffleSplit::new(0).split(&Rows::new(9)), Err(Error::Parameter { .. })));
        let whole = ShuffleSplit::new(1).test_size(9).split(&Rows::new(9));
        assert!(matches!(whole, Err(Error::Parameter { .. })));
    }
}

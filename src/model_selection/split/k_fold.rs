//! k folds of rows.

use super::{Rows, Split, Splitter, check_memory, check_n_splits};
use crate::error::Result;
use crate::rng::Stream;

/// Divides the rows into `k` folds; each fold is scored once by a model that is trained on the others.
///
/// ```text
/// |fold i| = ⌊n / k⌋ + [i < n mod k]        i = 0 … k − 1
/// ```
///
/// Without [`shuffle`](KFold::shuffle) the folds are blocks in the order of the rows.
///
/// | parameter | default | meaning | range |
/// | --- | --- | --- | --- |
/// | `n_splits` | – | number of folds k | 2 … n |
/// | `shuffle` | off | shuffles the rows first, by this seed | any |
///
/// # Errors
///
/// - [`Error::Parameter`](crate::Error::Parameter) when k is below 2
/// - [`Error::Split`](crate::Error::Split) when k is above the number of rows
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{KFold, Rows, Splitter};
///
/// let folds = KFold::new(2).split(&Rows::new(5))?;
/// assert_eq!(folds[0].test, [0, 1, 2]);
/// assert_eq!(folds[1].test, [3, 4]);
/// assert!(KFold::new(6).split(&Rows::new(5)).is_err());
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KFold {
    n_splits: usize,
    shuffle: Option<u64>,
}

impl KFold {
    /// `n_splits` folds in the order of the rows.
    #[must_use]
    pub fn new(n_splits: usize) -> Self {
        KFold { n_splits, shuffle: None }
    }

    /// Shuffles the rows before they are divided.
    #[must_use]
    pub fn shuffle(mut self, seed: u64) -> Self {
        self.shuffle = Some(seed);
        self
    }
}

impl Splitter for KFold {
    fn name(&self) -> &str {
        "KFold"
    }

    fn n_splits(&self, _: &Rows<'_>) -> usize {
        self.n_splits
    }

    fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>> {
        let n_samples = rows.n_samples();
        check_n_splits("KFold", self.n_splits, n_samples, "rows")?;
        check_memory("KFold", self.n_splits, n_samples)?;
        let mut order: Vec<usize> = (0..n_samples).collect();
        if let Some(seed) = self.shuffle {
            Stream::new(seed).named("split").shuffle(&mut order);
        }
        let mut folds = vec![0; n_samples];
        let (size, more) = (n_samples / self.n_splits, n_samples % self.n_splits);
        let mut places = order.into_iter();
        for fold in 0..self.n_splits {
            places.by_ref().take(size + usize::from(fold < more)).for_each(|row| folds[row] = fold);
        }
        Ok((0..self.n_splits).map(|fold| Split::by_mark(&folds, fold)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn the_first_folds_get_the_remainder() {
        let sizes: Vec<usize> =
            KFold::new(4).split(&Rows::new(11)).unwrap().iter().map(|split| split.test.len()).collect();
        assert_eq!(sizes, [3, 3, 3, 2]);
    }

    #[test]
    fn folds_without_shuffling_are_blocks() {
        let folds = KFold::new(2).split(&Rows::new(5)).unwrap();
        assert_eq!(folds[0], Split { train: vec![3, 4], test: vec![0, 1, 2] });
        assert_eq!(folds[1], Split { train: vec![0, 1, 2], test: vec![3, 4] });
    }

    #[test]
    fn the_seed_alone_decides_the_shuffle() {
        let folds = |seed| KFold::new(3).shuffle(seed).split(&Rows::new(30)).unwrap();
        assert_eq!(folds(1), folds(1));
        assert_ne!(folds(1), folds(2));
        assert_ne!(folds(1), KFold::new(3).split(&Rows::new(30)).unwrap());
    }

    #[test]
    fn fewer_than_two_folds_and_more_folds_than_rows_are_refused() {
        for k in [0, 1] {
            assert!(matches!(KFold::new(k).split(&Rows::new(9)), Err(Error::Parameter { .. })));
        }
        assert!(matches!(KFold::new(10).split(&Rows::new(9)), Err(Error::Split { .. })));
        assert_eq!(KFold::new(9).split(&Rows::new(9)).unwrap().len(), 9);
    }
}

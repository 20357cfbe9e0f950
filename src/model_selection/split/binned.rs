//! Stratification by a target that is a number.

use super::{Rows, Split, Splitter};
use crate::error::{Error, Result, check};
use crate::model_selection::target::Classes;

/// Lets a stratified splitter divide rows by a numeric target: bins of the target with about as many rows each are its
/// classes.
///
/// ```text
/// bin of a row = ⌊bins · rank / n⌋        rank: how many rows have a smaller target
/// ```
///
/// Equal targets are in one bin, so there may be fewer bins than asked for. Every fold then has small, middling and large
/// targets, which makes scores of few rows steadier.
///
/// | parameter | default | meaning | range |
/// | --- | --- | --- | --- |
/// | `splitter` | – | the splitter that stratifies | any |
/// | `n_bins` | – | number of bins | 2 … n |
///
/// # Errors
///
/// - [`Error::Parameter`] for a number of bins outside its range
/// - [`Error::Split`] when the targets are not one column of numbers, [`Error::NotFinite`] for one that is NaN or infinite
/// - what the splitter says, for instance [`Error::ClassTooSmall`] for a bin with fewer rows than folds
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{Binned, Rows, Splitter, StratifiedKFold};
///
/// let prices = [1.0, 2.0, 3.0, 4.0, 50.0, 60.0, 70.0, 80.0];
/// let folds = Binned::new(StratifiedKFold::new(4), 2).split(&Rows::new(8).numbers(&prices))?;
/// assert!(folds.iter().all(|fold| prices[fold.test[0]] < 5.0 && prices[fold.test[1]] > 5.0));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Binned<S> {
    splitter: S,
    n_bins: usize,
}

impl<S: Splitter> Binned<S> {
    /// A splitter that sees `n_bins` bins of the target as classes.
    #[must_use]
    pub fn new(splitter: S, n_bins: usize) -> Self {
        Binned { splitter, n_bins }
    }

    fn classes(&self, rows: &Rows<'_>) -> Result<Classes> {
        let numbers = rows.require_numbers(self.splitter.name())?;
        let n = numbers.len();
        if let Some(row) = numbers.iter().position(|number| !number.is_finite()) {
            return Err(Error::NotFinite { array: "y", row, column: 0, value: numbers[row] });
        }
        let allowed = format!("at least 2 and at most the {n} rows");
        check("n_bins", self.n_bins, (2..=n).contains(&self.n_bins), &allowed)?;
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
        let mut classes = Classes { indices: vec![0; n], names: Vec::new() };
        let (mut rank, mut last) = (0, None);
        for (place, &row) in order.iter().enumerate() {
            // +0 and −0 are one target; `total_cmp` puts them side by side.
            if place > 0 && numbers[order[place - 1]] < numbers[row] {
                rank = place;
            }
            let bin = (rank as u128 * self.n_bins as u128 / n as u128) as usize;
            if last != Some(bin) {
                classes.names.push(format!("y from {}", numbers[row]));
                last = Some(bin);
            }
            classes.indices[row] = classes.names.len() - 1;
        }
        Ok(classes)
    }
}

impl<S: Splitter> Splitter for Binned<S> {
    fn name(&self) -> &str {
        self.splitter.name()
    }

    fn n_splits(&self, rows: &Rows<'_>) -> usize {
        self.splitter.n_splits(rows)
    }

    fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>> {
        let classes = self.classes(rows)?;
        self.splitter.split(&rows.classes(&classes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model_selection::split::StratifiedKFold;

    fn bins(numbers: &[f64], n_bins: usize) -> Result<Vec<usize>> {
        let binned = Binned::new(StratifiedKFold::new(2), n_bins);
        binned.classes(&Rows::new(numbers.len()).numbers(numbers)).map(|classes| classes.indices)
    }

    #[test]
    fn bins_have_as_many_rows_and_equal_targets_stay_together() {
        assert_eq!(bins(&[5.0, 1.0, 3.0, 2.0, 4.0, 6.0], 3).unwrap(), [2, 0, 1, 0, 1, 2]);
        assert_eq!(bins(&[0.0, -0.0, 0.0, 7.0], 4).unwrap(), [0, 0, 0, 1]);
        assert_eq!(bins(&[1.0, 1.0], 2).unwrap(), [0, 0]);
    }

    #[test]
    fn bad_numbers_of_bins_and_bad_targets_are_refused() {
        for n_bins in [0, 1, 4] {
            assert!(matches!(bins(&[1.0, 2.0, 3.0], n_bins), Err(Error::Parameter { .. })), "{n_bins}");
        }
        assert!(matches!(bins(&[1.0, f64::NAN], 2), Err(Error::NotFinite { row: 1, .. })));
        let labels = Binned::new(StratifiedKFold::new(2), 2).split(&Rows::new(4));
        assert!(matches!(labels, Err(Error::Split { .. })));
        let small = Binned::new(StratifiedKFold::new(3), 2).split(&Rows::new(4).numbers(&[1., 2., 3., 4.]));
        assert!(matches!(small, Err(Error::ClassTooSmall { class, .. }) if class == "y from 1"));
    }
}

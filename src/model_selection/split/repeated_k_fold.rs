//! k folds, shuffled anew several times.

use super::{KFold, Rows, Split, Splitter, StratifiedKFold, check_memory};
use crate::error::{Result, check};
use crate::rng::Stream;

/// `n_repeats` times k shuffled folds, each time in another order.
///
/// Every row is scored once in each repeat. The mean over the repeats depends less on the luck of one division.
///
/// | parameter | default | meaning | range |
/// | --- | --- | --- | --- |
/// | `n_splits` | – | number of folds k of a repeat | 2 … n |
/// | `n_repeats` | – | number of repeats | at least 1 |
/// | `seed` | 0 | where the random numbers start | any |
///
/// Folds come repeat by repeat: fold f of repeat r is number r · k + f, from 0.
///
/// # Errors
///
/// As [`KFold`], and [`Error::Parameter`](crate::Error::Parameter) for no repeat.
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{RepeatedKFold, Rows, Splitter};
///
/// let folds = RepeatedKFold::new(5, 10).seed(1).split(&Rows::new(20))?;
/// assert_eq!(folds.len(), 50);
/// assert_ne!(folds[0], folds[5]);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RepeatedKFold {
    n_splits: usize,
    n_repeats: usize,
    seed: u64,
}

/// `n_repeats` times k shuffled folds that have every class in the same share, as [`StratifiedKFold`] makes them.
///
/// | parameter | default | meaning | range |
/// | --- | --- | --- | --- |
/// | `n_splits` | – | number of folds k of a repeat | 2 … rows of the smallest class |
/// | `n_repeats` | – | number of repeats | at least 1 |
/// | `seed` | 0 | where the random numbers start | any |
///
/// Folds come repeat by repeat: fold f of repeat r is number r · k + f, from 0.
///
/// # Errors
///
/// As [`StratifiedKFold`], and [`Error::Parameter`](crate::Error::Parameter) for no repeat.
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{Classes, RepeatedStratifiedKFold, Rows, Splitter};
///
/// let classes = Classes::of(ndarray::array!["no", "no", "no", "yes", "yes", "yes"].view());
/// let folds = RepeatedStratifiedKFold::new(3, 2).split(&Rows::new(6).classes(&classes))?;
/// assert!(folds.iter().all(|fold| fold.test.len() == 2 && fold.test[0] < 3 && fold.test[1] >= 3));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RepeatedStratifiedKFold {
    n_splits: usize,
    n_repeats: usize,
    seed: u64,
}

/// The folds of every repeat; `of_seed` is the splitter of a repeat's own seed.
fn repeated<S: Splitter>(
    all: &dyn Splitter,
    n_repeats: usize,
    seed: u64,
    rows: &Rows<'_>,
    of_seed: impl Fn(u64) -> S,
) -> Result<Vec<Split>> {
    check("n_repeats", n_repeats, n_repeats >= 1, "at least 1")?;
    check_memory(all.name(), all.n_splits(rows), rows.n_samples())?;
    let root = Stream::new(seed).named("split").named("repeat");
    let mut folds = Vec::new();
    for repeat in 0..n_repeats {
        folds.extend(of_seed(root.value(repeat as u64)).split(rows)?);
    }
    Ok(folds)
}

macro_rules! repeats {
    ($repeated:ident of $once:ident) => {
        impl $repeated {
            /// `n_repeats` times `n_splits` folds.
            #[must_use]
            pub fn new(n_splits: usize, n_repeats: usize) -> Self {
                $repeated { n_splits, n_repeats, seed: 0 }
            }

            /// Where the random numbers start.
            #[must_use]
            pub fn seed(mut self, seed: u64) -> Self {
                self.seed = seed;
                self
            }
        }

        impl Splitter for $repeated {
            fn name(&self) -> &str {
                stringify!($repeated)
            }

            fn n_splits(&self, _: &Rows<'_>) -> usize {
                self.n_splits.saturating_mul(self.n_repeats)
            }

            fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>> {
                repeated(self, self.n_repeats, self.seed, rows, |seed| {
                    $once::new(self.n_splits).shuffle(seed)
                })
            }
        }
    };
}

repeats!(RepeatedKFold of KFold);
repeats!(RepeatedStratifiedKFold of StratifiedKFold);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn repeats_differ_and_the_seed_gives_the_whole_sequence_again() {
        let folds = |seed| RepeatedKFold::new(3, 4).seed(seed).split(&Rows::new(20)).unwrap();
        assert_eq!(folds(5), folds(5));
        assert_ne!(folds(5), folds(6));
        let folds = folds(5);
        for repeat in 1..4 {
            assert_ne!(folds[..3], folds[3 * repeat..3 * repeat + 3]);
        }
    }

    #[test]
    fn more_repeats_begin_as_fewer_do() {
        let folds = |repeats| RepeatedKFold::new(3, repeats).seed(9).split(&Rows::new(20)).unwrap();
        assert_eq!(folds(5)[..6], folds(2)[..]);
    }

    #[test]
    fn no_repeat_and_what_a_single_division_refuses_are_refused() {
        let rows = Rows::new(5);
        assert!(matches!(RepeatedKFold::new(2, 0).split(&rows), Err(Error::Parameter { .. })));
        assert!(matches!(RepeatedKFold::new(1, 2).split(&rows), Err(Error::Parameter { .. })));
        assert!(matches!(RepeatedKFold::new(6, 2).split(&rows), Err(Error::Split { .. })));
        assert!(matches!(RepeatedStratifiedKFold::new(2, 2).split(&rows), Err(Error::Split { .. })));
    }
}

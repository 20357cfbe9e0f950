//! k folds of whole groups with the classes' shares in each.

use super::groups::members;
use super::{Rows, Split, Splitter, check_memory, check_n_splits};
use crate::error::Result;
use crate::rng::Stream;

/// Divides the rows into `k` folds of whole groups that have every class in about the same share.
///
/// Groups are taken one by one, those whose classes are most uneven first. Each goes to the fold where the spread of the
/// classes over the folds gets smallest:
///
/// ```text
/// spread = mean over the classes of std over the folds of (rows of the class in the fold / rows of the class)
/// ```
///
/// Of folds that are as good the one with fewer rows is taken. Both follow scikit-learn, to the rounding of its sums: without
/// `shuffle` the folds are its own. But no fold stays empty. It is a
/// heuristic: whole groups may not allow equal shares, and a class that lies in one group only is missing where that group
/// is scored, which cross-validation and searches refuse unless they are told otherwise.
///
/// | parameter | default | meaning | range |
/// | --- | --- | --- | --- |
/// | `n_splits` | – | number of folds k | 2 … number of groups |
/// | `shuffle` | off | the order of groups that are equally uneven, by this seed | any |
///
/// # Errors
///
/// - [`Error::Parameter`](crate::Error::Parameter) when k is below 2
/// - [`Error::Split`](crate::Error::Split) without groups or class labels, or with fewer groups than folds
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{Classes, Rows, Splitter, StratifiedGroupKFold};
///
/// let classes = Classes::of(ndarray::array!["no", "no", "yes", "no", "yes", "no"].view());
/// let rows = Rows::new(6).classes(&classes).groups(&[0, 0, 1, 1, 2, 2]);
/// let folds = StratifiedGroupKFold::new(2).split(&rows)?;
/// assert_eq!(folds[0].test, [0, 1, 4, 5]);
/// assert_eq!(folds[1].test, [2, 3]);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
///
/// # References
///
/// scikit-learn 1.9, `StratifiedGroupKFold`, after a program by J. Wasikowski.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StratifiedGroupKFold {
    n_splits: usize,
    shuffle: Option<u64>,
}

impl StratifiedGroupKFold {
    /// `n_splits` folds; groups that are equally uneven are taken in the order of their numbers.
    #[must_use]
    pub fn new(n_splits: usize) -> Self {
        StratifiedGroupKFold { n_splits, shuffle: None }
    }

    /// Takes groups that are equally uneven in a random order.
    #[must_use]
    pub fn shuffle(mut self, seed: u64) -> Self {
        self.shuffle = Some(seed);
        self
    }
}

/// A sum as numpy adds up numbers that lie side by side: eight chains from eight numbers on, halves from 129 on.
fn numpy_sum(values: &[f64]) -> f64 {
    match values.len() {
        0..8 => values.iter().fold(0.0, |sum, value| sum + value),
        n @ 8..=128 => {
            let mut chains = [0.0; 8];
            let (eights, rest) = values.split_at(n - n % 8);
            eights.chunks_exact(8).for_each(|eight| (0..8).for_each(|i| chains[i] += eight[i]));
            let [a, b, c, d, e, f, g, h] = chains;
            rest.iter().fold(((a + b) + (c + d)) + ((e + f) + (g + h)), |sum, value| sum + value)
        }
        n => {
            let (left, right) = values.split_at(n / 2 - n / 2 % 8);
            numpy_sum(left) + numpy_sum(right)
        }
    }
}

/// The standard deviation of a group's rows over the classes. Groups whose counts are the same but for their order are meant to be
/// equally uneven; numpy's rounding may untie them, and so does this one.
fn unevenness(counts: &[u64]) -> f64 {
    let counts: Vec<f64> = counts.iter().map(|&count| count as f64).collect();
    let n = counts.len() as f64;
    let mean = numpy_sum(&counts) / n;
    let squares: Vec<f64> = counts.iter().map(|count| (count - mean) * (count - mean)).collect();
    (numpy_sum(&squares) / n).sqrt()
}

/// The standard deviation over the folds of a class' shares. numpy adds up columns one number after the other.
fn spread(shares: impl Iterator<Item = f64> + Clone, k: f64) -> f64 {
    let mean = shares.clone().sum::<f64>() / k;
    (shares.map(|share| (share - mean) * (share - mean)).sum::<f64>() / k).sqrt()
}

/// The fold that a group with these counts goes to: scikit-learn's arithmetic, operation by operation, because folds that are
/// as good are often told apart by nothing but its rounding. With `empty_only`, a fold that has no row yet.
fn best_fold(filled: &[Vec<u64>], group: &[u64], totals: &[u64], empty_only: bool) -> usize {
    let k = filled.len();
    let evaluate = |fold: usize| {
        let spread_of = |class: usize| {
            let share = |other: usize| {
                let more = if other == fold { group[class] } else { 0 };
                (filled[other][class] + more) as f64 / totals[class] as f64
            };
            spread((0..k).map(share), k as f64)
        };
        let spreads: Vec<f64> = (0..totals.len()).map(spread_of).collect();
        numpy_sum(&spreads) / totals.len() as f64
    };
    let (mut best, mut least, mut fewest) = (0, f64::INFINITY, u64::MAX);
    for (fold, counts) in filled.iter().enumerate() {
        let (value, rows) = (evaluate(fold), counts.iter().sum::<u64>());
        // numpy's `isclose`.
        let close = (value - least).abs() <= 1e-8 + 1e-5 * least;
        if (value < least || (close && rows < fewest)) && !(empty_only && rows > 0) {
            (best, least, fewest) = (fold, value, rows);
        }
    }
    best
}

impl Splitter for StratifiedGroupKFold {
    fn name(&self) -> &str {
        "StratifiedGroupKFold"
    }

    fn n_splits(&self, _: &Rows<'_>) -> usize {
        self.n_splits
    }

    fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>> {
        let k = self.n_splits;
        let classes = rows.require_classes(self.name())?;
        let members = members(rows.require_groups(self.name())?);
        check_n_splits(self.name(), k, members.len(), "groups")?;
        check_memory(self.name(), k, rows.n_samples())?;
        let count = |rows: &mut dyn Iterator<Item = usize>| {
            let mut counts = vec![0_u64; classes.names.len()];
            rows.for_each(|row| counts[classes.indices[row]] += 1);
            counts
        };
        let totals = count(&mut (0..rows.n_samples()));
        let present: Vec<usize> = (0..totals.len()).filter(|&class| totals[class] > 0).collect();
        let narrow = |counts: Vec<u64>| present.iter().map(|&class| counts[class]).collect::<Vec<u64>>();
        let groups: Vec<Vec<u64>> =
            members.iter().map(|rows| narrow(count(&mut rows.iter().copied()))).collect();
        let totals = narrow(totals);

        let mut order: Vec<usize> = (0..groups.len()).collect();
        if let Some(seed) = self.shuffle {
            Stream::new(seed).named("split").shuffle(&mut order);
        }
        let uneven: Vec<f64> = groups.iter().map(|counts| unevenness(counts)).collect();
        order.sort_by(|&a, &b| uneven[b].total_cmp(&uneven[a]));
        let mut filled = vec![vec![0; totals.len()]; k];
        let mut folds = vec![0; rows.n_samples()];
        for (done, &group) in order.iter().enumerate() {
            let empty = filled.iter().filter(|counts| counts.iter().all(|&rows| rows == 0)).count();
            let last_chance = empty >= order.len() - done;
            let fold = best_fold(&filled, &groups[group], &totals, last_chance);
            filled[fold].iter_mut().zip(&groups[group]).for_each(|(sum, count)| *sum += count);
            members[group].iter().for_each(|&row| folds[row] = fold);
        }
        Ok((0..k).map(|fold| Split::by_mark(&folds, fold)).collect())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;

    use super::*;
    use crate::error::Error;
    use crate::model_selection::fit::target::Classes;

    #[test]
    fn groups_of_one_class_each_are_dealt_by_class() {
        let labels: Array1<usize> = (0..40).map(|row| usize::from(row >= 20)).collect();
        let groups: Vec<usize> = (0..40).map(|row| row / 5).collect();
        let classes = Classes::of(labels.view());
        let rows = Rows::new(40).classes(&classes).groups(&groups);
        for splitter in [StratifiedGroupKFold::new(4), StratifiedGroupKFold::new(4).shuffle(3)] {
            for fold in splitter.split(&rows).unwrap() {
                let ones = fold.test.iter().filter(|&&row| labels[row] == 1).count();
                assert_eq!((fold.test.len(), ones), (10, 5));
            }
        }
    }

    #[test]
    fn the_seed_decides_among_equal_groups() {
        let labels: Array1<usize> = (0..60).map(|row| row % 2).collect();
        let groups: Vec<usize> = (0..60).map(|row| row / 4).collect();
        let classes = Classes::of(labels.view());
        let rows = Rows::new(60).classes(&classes).groups(&groups);
        let folds = |seed| StratifiedGroupKFold::new(3).shuffle(seed).split(&rows).unwrap();
        assert_eq!(folds(1), folds(1));
        assert_ne!(folds(1), folds(2));
    }

    #[test]
    fn sums_are_numpys_to_the_last_bit() {
        // numpy.sum(1 / numpy.arange(1.0, n + 1)).hex() by numpy 2.4.
        let sum = |n: usize| numpy_sum(&(1..=n).map(|i| 1.0 / i as f64).collect::<Vec<f64>>());
        for (n, bits) in SUMS {
            assert_eq!(sum(n).to_bits(), bits, "{n}");
        }
    }

    #[test]
    fn labels_and_groups_are_both_needed() {
        let classes = Classes::of(Array1::from(vec![0_usize, 1, 0, 1]).view());
        let splitter = StratifiedGroupKFold::new(2);
        assert!(matches!(splitter.split(&Rows::new(4).classes(&classes)), Err(Error::Split { .. })));
        assert!(matches!(splitter.split(&Rows::new(4).groups(&[0, 0, 1, 1])), Err(Error::Split { .. })));
        let one = Rows::new(4).classes(&classes).groups(&[8; 4]);
        assert!(matches!(splitter.split(&one), Err(Error::Split { .. })));
    }

    const SUMS: [(usize, u64); 9] = [
        (0, 0x0000_0000_0000_0000),
        (1, 0x3ff0_0000_0000_0000),
        (7, 0x4004_be2b_e2be_2be2),
        (8, 0x4005_be2b_e2be_2be2),
        (15, 0x400a_8bbb_a474_75d4),
        (100, 0x4014_bfdf_e459_1243),
        (128, 0x4015_bb8a_e954_1ca7),
        (129, 0x4015_c37b_0914_9ba9),
        (1000, 0x401d_f11f_45f4_e61a),
    ];
}

//! The rows of a fold, by what they are for.

use std::borrow::Cow;

use super::split::Split;
use super::target::Classes;
use crate::rng::Stream;

/// The rows of a fold. Preparation and weights are fitted on `train` alone; `stopping` may tell the fit when to stop, and
/// `test` is scored.
#[derive(Clone, Debug)]
pub(crate) struct FoldRows<'s> {
    pub train: Cow<'s, [usize]>,
    pub stopping: Vec<usize>,
    pub test: &'s [usize],
}

impl<'s> FoldRows<'s> {
    /// All training rows are fitted on.
    pub(crate) fn of(split: &'s Split) -> Self {
        FoldRows { train: Cow::Borrowed(&split.train), stopping: Vec::new(), test: &split.test }
    }

    /// The fold with so many of its training rows: fewer are always among more.
    pub(crate) fn with_samples(&self, n: usize, fold: usize, classes: Option<&Classes>) -> Self {
        let mut order = by_chance(&self.train, Stream::new(0).named("samples").at(fold as u64), classes);
        order.truncate(n);
        order.sort_unstable();
        FoldRows { train: Cow::Owned(order), stopping: self.stopping.clone(), test: self.test }
    }
}

/// The rows in an order by chance, of which every beginning has the classes' shares, and one row of each class at least once it
/// has as many rows as there are classes.
pub(crate) fn by_chance(rows: &[usize], stream: Stream, classes: Option<&Classes>) -> Vec<usize> {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); classes.map_or(1, |classes| classes.names.len())];
    for &row in rows {
        members[classes.map_or(0, |classes| classes.indices[row])].push(row);
    }
    let mut places: Vec<(f64, usize)> = Vec::with_capacity(rows.len());
    for (class, mut members) in members.into_iter().enumerate() {
        stream.at(class as u64).shuffle(&mut members);
        let n = members.len() as f64;
        // Member i of n stands at i / n of the whole.
        places.extend(members.into_iter().enumerate().map(|(place, row)| (place as f64 / n, row)));
    }
    // Stable: rows at the same place keep the order of the classes.
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    places.into_iter().map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beginning_has_the_classes_shares() {
        let labels: Vec<usize> =
            (0..100).map(|row| usize::from(row >= 60) + usize::from(row >= 90)).collect();
        let classes = Classes::of(ndarray::ArrayView1::from(&labels));
        let rows: Vec<usize> = (0..100).collect();
        let order = by_chance(&rows, Stream::new(1), Some(&classes));
        for n in [3, 10, 25, 50, 99] {
            for (class, share) in [0.6, 0.3, 0.1].into_iter().enumerate() {
                let count = order[..n].iter().filter(|row| labels[**row] == class).count() as f64;
                assert!(
                    (count - share * n as f64).abs() < 2.0 && count >= 1.0,
                    "{n} rows, class {class}: {count}"
                );
            }
        }
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, rows);
        assert_ne!(order, by_chance(&rows, Stream::new(2), Some(&classes)));
    }

    #[test]
    fn fewer_samples_are_among_more() {
        let split = Split { train: (5..50).collect(), test: (0..5).collect() };
        let fold = FoldRows::of(&split);
        let (few, many) = (fold.with_samples(7, 2, None), fold.with_samples(20, 2, None));
        assert_eq!((few.train.len(), many.train.len()), (7, 20));
        assert!(few.train.iter().all(|row| many.train.contains(row)) && few.train.is_sorted());
        assert_ne!(few.train, fold.with_samples(7, 3, None).train);
        assert_eq!(fold.with_samples(99, 2, None).train, fold.train);
    }
}

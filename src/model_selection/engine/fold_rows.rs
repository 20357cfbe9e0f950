//! The rows of a fold, by what they are for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::error::{Error, Result, check};
use crate::model_selection::fit::target::Classes;
use crate::model_selection::split::{Share, Split};
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
        let stream = Stream::new(0).named("samples").at(fold as u64);
        let (chosen, _) = divided(&self.train, &by_chance(&self.train, stream, classes, 0.0), n);
        FoldRows { train: Cow::Owned(chosen), stopping: self.stopping.clone(), test: self.test }
    }

    /// The fold with that share of its training rows kept for stopping; the refit is the fold none.
    ///
    /// Rows are drawn by chance, of every class its share. A class of a single row stays among the training rows if the share is
    /// below a half. Groups stay together: whole ones are drawn until they have as many rows, and the classes are as near to
    /// their shares as that allows.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a share outside its range, [`Error::Split`] when all training rows are of one group.
    pub(crate) fn keeping(
        &self,
        share: Share,
        fold: Option<usize>,
        classes: Option<&Classes>,
        groups: Option<&[usize]>,
    ) -> Result<Self> {
        let n = share.of("stopping_rows", self.train.len(), "training rows", f64::ceil)?;
        let stream = Stream::new(0).named("stopping rows");
        let stream = fold.map_or_else(|| stream.named("refit"), |fold| stream.at(fold as u64));
        let (order, n) = match groups {
            None => (by_chance(&self.train, stream, classes, 0.5), n),
            Some(groups) => by_group(&self.train, stream, groups, classes, n)?,
        };
        let (stopping, train) = divided(&self.train, &order, n);
        let needed = "a share that leaves a row to train on".to_string();
        check("stopping_rows", format!("all {} training rows", stopping.len()), !train.is_empty(), &needed)?;
        Ok(FoldRows { train: Cow::Owned(train), stopping, test: self.test })
    }
}

/// The rows that are among the first `n` of the order, and the others; both in their own order.
fn divided(rows: &[usize], order: &[usize], n: usize) -> (Vec<usize>, Vec<usize>) {
    let mut first = order[..n.min(order.len())].to_vec();
    first.sort_unstable();
    rows.iter().copied().partition(|row| first.binary_search(row).is_ok())
}

/// The rows of whole groups, by chance, and how many there are: `n` or more, unless that leaves no group to train on. With
/// classes, a group that would bring them further from their shares is taken only where the others are not enough.
fn by_group(
    rows: &[usize],
    mut stream: Stream,
    groups: &[usize],
    classes: Option<&Classes>,
    n: usize,
) -> Result<(Vec<usize>, usize)> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    rows.iter().for_each(|&row| members.entry(groups[row]).or_default().push(row));
    let mut order: Vec<Vec<usize>> = members.into_values().collect();
    stream.shuffle(&mut order);

    let class = |row: usize| classes.map_or(0, |classes| classes.indices[row]);
    let add = |counts: &[usize], group: &[usize]| {
        let mut counts = counts.to_vec();
        group.iter().for_each(|&row| counts[class(row)] += 1);
        counts
    };
    let none = vec![0; classes.map_or(1, |classes| classes.names.len())];
    let (totals, share) = (add(&none, rows), n as f64 / rows.len() as f64);
    // How far the classes are from the share of each that is to be kept.
    let off = |counts: &[usize]| -> f64 {
        let there = counts.iter().zip(&totals).filter(|(_, total)| **total > 0);
        there.map(|(&count, &total)| (count as f64 / total as f64 - share).powi(2)).sum()
    };
    let (mut kept, mut counts, mut others) = (Vec::new(), none, Vec::new());
    for (place, group) in order.iter().enumerate() {
        let more = add(&counts, group);
        // One group at least is left to train on.
        let wanted = kept.len() < n && place + 1 < order.len();
        if wanted && (classes.is_none() || off(&more) <= off(&counts)) {
            kept.extend_from_slice(group);
            counts = more;
        } else {
            others.push(group);
        }
    }
    while kept.len() < n && others.len() > 1 {
        let off = |place: &usize| off(&add(&counts, others[*place]));
        let Some(next) = (0..others.len()).min_by(|a, b| off(a).total_cmp(&off(b))) else { break };
        let group = others.remove(next);
        kept.extend_from_slice(group);
        counts = add(&counts, group);
    }
    if kept.is_empty() {
        return Err(Error::Split {
            splitter: "stopping_rows".into(),
            needed: "at least 2 groups among the training rows of every fold".into(),
            found: format!("there are {}", order.len()),
        });
    }
    let n = kept.len();
    Ok((kept, n))
}

/// The rows in an order by chance, of which every beginning has the classes' shares. Row i of the n of a class stands at
/// (i + offset) / n of the whole: with 0, a beginning with as many rows as classes has one row of each.
fn by_chance(rows: &[usize], stream: Stream, classes: Option<&Classes>, offset: f64) -> Vec<usize> {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); classes.map_or(1, |classes| classes.names.len())];
    for &row in rows {
        members[classes.map_or(0, |classes| classes.indices[row])].push(row);
    }
    let mut places: Vec<(f64, usize)> = Vec::with_capacity(rows.len());
    for (class, mut members) in members.into_iter().enumerate() {
        stream.at(class as u64).shuffle(&mut members);
        let n = members.len() as f64;
        let place = |(place, row): (usize, usize)| ((place as f64 + offset) / n, row);
        places.extend(members.into_iter().enumerate().map(place));
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
        let order = by_chance(&rows, Stream::new(1), Some(&classes), 0.0);
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
        assert_ne!(order, by_chance(&rows, Stream::new(2), Some(&classes), 0.0));
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

    #[test]
    fn stopping_rows_are_training_rows_no_more() {
        let split = Split { train: (10..60).rev().collect(), test: (0..10).collect() };
        let fold = FoldRows::of(&split);
        let kept = fold.keeping(0.1.into(), Some(0), None, None).unwrap();
        assert_eq!((kept.train.len(), kept.stopping.len()), (45, 5));
        let mut all = [kept.train.to_vec(), kept.stopping.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (10..60).collect::<Vec<_>>());
        assert!(kept.train.is_sorted_by(|a, b| a > b), "they keep the order of the fold");
        assert_ne!(kept.stopping, fold.keeping(0.1.into(), Some(1), None, None).unwrap().stopping);
        assert_ne!(kept.stopping, fold.keeping(0.1.into(), None, None, None).unwrap().stopping);

        let labels: Vec<usize> = (0..60).map(|row| usize::from(row >= 50) + usize::from(row == 59)).collect();
        let classes = Classes::of(ndarray::ArrayView1::from(&labels));
        let kept = fold.keeping(0.2.into(), Some(0), Some(&classes), None).unwrap();
        let count = |rows: &[usize], class| rows.iter().filter(|row| labels[**row] == class).count();
        assert_eq!([0, 1, 2].map(|class| count(&kept.stopping, class)), [8, 2, 0]);
        assert_eq!(count(&kept.train, 2), 1);

        let groups: Vec<usize> = (0..60).map(|row| row / 7).collect();
        let kept = fold.keeping(12.into(), Some(0), None, Some(&groups)).unwrap();
        assert!((12..=20).contains(&kept.stopping.len()));
        assert!(kept.stopping.iter().all(|a| kept.train.iter().all(|b| groups[*a] != groups[*b])));
    }

    #[test]
    fn whole_groups_have_of_every_class_its_share_as_near_as_they_can() {
        let split = Split { train: (0..200).collect(), test: Vec::new() };
        let all = FoldRows::of(&split);
        let kept_of = |labels: &[usize], groups: &[usize], share: f64, fold: usize| {
            let classes = Classes::of(ndarray::ArrayView1::from(labels));
            let kept = all.keeping(share.into(), Some(fold), Some(&classes), Some(groups)).unwrap();
            assert!(kept.stopping.iter().all(|a| kept.train.iter().all(|b| groups[*a] != groups[*b])));
            let mut counts = vec![0; classes.names.len()];
            kept.stopping.iter().for_each(|&row| counts[labels[row]] += 1);
            counts
        };
        // 40 groups of a single class each: 30 of the first, 8 of the second and 2 of the third.
        let groups: Vec<usize> = (0..200).map(|row| row / 5).collect();
        let labels: Vec<usize> =
            groups.iter().map(|&group| usize::from(group >= 30) + usize::from(group >= 38)).collect();
        for fold in 0..20 {
            let counts = kept_of(&labels, &groups, 0.25, fold);
            assert!(
                (35..=40).contains(&counts[0]) && (5..=10).contains(&counts[1]) && counts[2] <= 5,
                "{counts:?}"
            );
        }
        // The only group of a class stays among the training rows, however the groups fall.
        let labels: Vec<usize> = groups.iter().map(|&group| usize::from(group == 17)).collect();
        assert!((0..20).all(|fold| kept_of(&labels, &groups, 0.4, fold)[1] == 0));
        // Groups larger than the share, one of them with all of a class.
        let groups: Vec<usize> = (0..200).map(|row| row / 50).collect();
        let labels: Vec<usize> = (0..200).map(|row| usize::from(row >= 150)).collect();
        assert!((0..20).all(|fold| kept_of(&labels, &groups, 0.1, fold) == [50, 0]));
    }

    #[test]
    fn stopping_rows_that_leave_nothing_are_refused() {
        let split = Split { train: vec![4, 5, 6], test: vec![0] };
        let fold = FoldRows::of(&split);
        for share in [0.0, 1.0, f64::NAN, -1.0] {
            assert!(matches!(fold.keeping(share.into(), Some(0), None, None), Err(Error::Parameter { .. })));
        }
        assert!(fold.keeping(3.into(), Some(0), None, None).is_err());
        assert!(fold.keeping(0.99.into(), Some(0), None, None).is_err());
        let error = fold.keeping(1.into(), Some(0), None, Some(&[7; 9])).unwrap_err();
        assert!(matches!(error, Error::Split { .. }), "{error}");
    }
}

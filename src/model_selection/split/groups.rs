//! The rows of each group.

use std::collections::BTreeMap;

use super::Split;

/// The rows of every group that has any, in the order of the groups' numbers. Numbers may have gaps.
pub(super) fn members(groups: &[usize]) -> Vec<Vec<usize>> {
    let mut rows: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (row, &group) in groups.iter().enumerate() {
        rows.entry(group).or_default().push(row);
    }
    rows.into_values().collect()
}

/// The fold that scores the rows of these groups and trains on the others.
pub(super) fn leave_out(members: &[Vec<usize>], test: &[usize], n_samples: usize) -> Split {
    let mut marks = vec![0; n_samples];
    test.iter().flat_map(|&group| &members[group]).for_each(|&row| marks[row] = 1);
    Split::by_mark(&marks, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_gaps_are_groups_like_any_other() {
        let members = members(&[usize::MAX, 3, usize::MAX, 7]);
        assert_eq!(members, [vec![1], vec![3], vec![0, 2]]);
        assert_eq!(leave_out(&members, &[0, 2], 4), Split { train: vec![3], test: vec![0, 1, 2] });
    }
}

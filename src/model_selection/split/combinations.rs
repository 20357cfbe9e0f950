//! Every choice of p things out of n.

use super::check_memory;
use crate::error::Result;

/// The number of choices, or the largest number there is.
pub(super) fn count(n: usize, p: usize) -> usize {
    if p > n {
        return 0;
    }
    let mut choices: u128 = 1;
    for i in 0..p.min(n - p) {
        // The product of i + 1 neighbours is divisible by (i + 1)!, so nothing is lost.
        choices = choices * (n - i) as u128 / (i + 1) as u128;
        if choices > usize::MAX as u128 {
            return usize::MAX;
        }
    }
    choices as usize
}

/// Every choice of `p` of the numbers below `n`, in lexicographic order.
///
/// # Errors
///
/// [`Error::Split`](crate::Error::Split) when so many folds of `n_samples` rows would not fit into memory.
pub(super) fn all(splitter: &str, n: usize, p: usize, n_samples: usize) -> Result<Vec<Vec<usize>>> {
    let folds = count(n, p);
    check_memory(splitter, folds, n_samples)?;
    let mut choices = Vec::with_capacity(folds);
    let mut choice: Vec<usize> = (0..p).collect();
    loop {
        choices.push(choice.clone());
        // The last place that can still move up; those behind it follow in a row.
        let Some(place) = (0..p).rfind(|&place| choice[place] < n - p + place) else { return Ok(choices) };
        choice[place] += 1;
        (place + 1..p).for_each(|later| choice[later] = choice[later - 1] + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn choices_come_in_lexicographic_order_and_are_as_many_as_counted() {
        let pairs = all("", 4, 2, 4).unwrap();
        assert_eq!(pairs, [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]);
        for (n, p) in [(1, 1), (5, 1), (5, 5), (9, 3), (12, 7)] {
            assert_eq!(all("", n, p, n).unwrap().len(), count(n, p), "{p} of {n}");
        }
        assert_eq!((count(3, 4), count(52, 5), count(1000, 500)), (0, 2_598_960, usize::MAX));
    }

    #[test]
    fn folds_that_no_memory_holds_are_refused() {
        assert!(matches!(all("", 1000, 500, 1000), Err(Error::Split { .. })));
        assert!(matches!(all("", 40_000, 1, 40_000), Err(Error::Split { .. })));
    }
}

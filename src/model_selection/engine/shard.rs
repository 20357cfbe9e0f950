//! A share of a search's fits, for as many processes as there are shares.

use crate::error::{Result, check};

/// One of so many shares: every so many-th fit of a rung, counted in the order of candidates and folds.
///
/// Which fits these are depends on nothing but the search, so that processes that know nothing of each other leave none out and
/// do none twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    pub index: usize,
    pub of: usize,
}

impl Shard {
    pub(crate) fn check(self) -> Result<()> {
        check("shard: number of shards", self.of, self.of >= 1, "at least 1")?;
        check("shard", self.index, self.index < self.of, &format!("below {}, counted from 0", self.of))
    }

    /// Why the fit in this place is left to others, if it is.
    pub(crate) fn leaves(self, place: usize) -> Option<String> {
        let owner = place % self.of;
        (owner != self.index).then(|| format!("left to shard {owner} of {}", self.of))
    }

    /// How many of so many fits it has.
    pub(crate) fn share(self, fits: usize) -> usize {
        (fits + self.of - 1 - self.index) / self.of
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fit_is_in_one_shard() {
        for (of, fits) in [(1, 5), (3, 10), (4, 4), (7, 3), (2, 0)] {
            let shards = || (0..of).map(|index| Shard { index, of });
            for place in 0..fits {
                assert_eq!(shards().filter(|shard| shard.leaves(place).is_none()).count(), 1);
            }
            assert_eq!(shards().map(|shard| shard.share(fits)).sum::<usize>(), fits);
            assert!(shards().all(|shard| shard.check().is_ok()));
        }
        assert!(Shard { index: 3, of: 3 }.check().is_err() && Shard { index: 0, of: 0 }.check().is_err());
    }
}

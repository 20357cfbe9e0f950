//! Distributions: what a parameter may be drawn from.

use std::ops::RangeInclusive;

use serde::Serialize;

use crate::error::{Result, check};
use crate::kernel::math::{exp, ln};

/// What a parameter may be drawn from, told as a function of a coordinate.
///
/// A coordinate lies in [0, 1); drawn evenly, its values have the distribution. Searches draw coordinates and remember them:
/// one that learns does so on this common scale, whatever the values are.
///
/// | distribution | values |
/// | --- | --- |
/// | [`Uniform`] | numbers from low to high, evenly |
/// | [`LogUniform`] | positive numbers from low to high, evenly in their logarithm |
/// | [`Integer`] | whole numbers from low to high, evenly |
/// | [`LogInteger`] | whole numbers from 1 up, about evenly in their logarithm |
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{Distribution, Integer, LogUniform};
///
/// assert_eq!(Integer::new(3..=6).value(0.5), 5);
/// assert!((LogUniform::new(1e-4, 1.0).value(0.5) - 1e-2).abs() < 1e-12);
/// assert!(LogUniform::new(0.0, 1.0).check().is_err());
/// ```
pub trait Distribution: Send + Sync {
    /// A value. Its serde form is what tables and files show of it.
    type Value: Serialize + 'static;

    /// Checks the distribution itself.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](crate::Error::Parameter) for a range that is empty, reversed or not finite.
    fn check(&self) -> Result<()>;

    /// The value at a coordinate of [0, 1).
    fn value(&self, coordinate: f64) -> Self::Value;

    /// The number of values, when they can be counted.
    fn count(&self) -> Option<usize> {
        None
    }

    /// The coordinate in the middle of a countable value's, numbered from 0.
    fn coordinate(&self, place: usize) -> f64 {
        self.count().map_or(0.0, |count| (place as f64 + 0.5) / count as f64)
    }
}

/// Numbers from `low` to `high`, each as likely as any other.
///
/// # Examples
///
/// ```
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{RandomSearch, Uniform};
///
/// let search = RandomSearch::new(ElasticNet::<f64>::params())
///     .axis_from("l1_ratio", Uniform::new(0.0, 1.0), |params, ratio| params.l1_ratio(ratio))
///     .n_candidates(5);
/// # let search: linfa_mlp::model_selection::RandomSearch<_, f64, f64, linfa_elasticnet::ElasticNetError> = search;
/// assert_eq!(search.candidates()?.len(), 5);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uniform {
    low: f64,
    high: f64,
}

impl Uniform {
    /// From `low` to `high`.
    #[must_use]
    pub fn new(low: f64, high: f64) -> Self {
        Uniform { low, high }
    }
}

impl Distribution for Uniform {
    type Value = f64;

    fn check(&self) -> Result<()> {
        check("low", self.low, self.low.is_finite(), "finite")?;
        let allowed = format!("finite and above low ({:?})", self.low);
        check("high", self.high, self.low < self.high && (self.high - self.low).is_finite(), &allowed)
    }

    fn value(&self, coordinate: f64) -> f64 {
        (self.low + coordinate * (self.high - self.low)).clamp(self.low, self.high)
    }
}

/// Positive numbers from `low` to `high`, each decade as likely as any other.
///
/// ```text
/// value = exp(ln low + u · (ln high − ln low))        u evenly in [0, 1)
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogUniform {
    low: f64,
    high: f64,
}

impl LogUniform {
    /// From `low` to `high`.
    #[must_use]
    pub fn new(low: f64, high: f64) -> Self {
        LogUniform { low, high }
    }
}

impl Distribution for LogUniform {
    type Value = f64;

    fn check(&self) -> Result<()> {
        check("low", self.low, self.low.is_finite() && self.low > 0.0, "finite and > 0")?;
        let allowed = format!("finite and above low ({:?})", self.low);
        check("high", self.high, self.high.is_finite() && self.low < self.high, &allowed)
    }

    fn value(&self, coordinate: f64) -> f64 {
        let (low, high) = (ln(self.low), ln(self.high));
        exp(low + coordinate * (high - low)).clamp(self.low, self.high)
    }
}

/// The most whole numbers in a range: coordinates tell them apart.
const WHOLE: usize = 1 << 52;

/// How many numbers a range has, when it has any and coordinates tell them apart.
fn whole(range: &RangeInclusive<usize>) -> Option<usize> {
    let span = range.end().checked_sub(*range.start())?;
    (span < WHOLE).then(|| span + 1)
}

fn check_whole(range: &RangeInclusive<usize>) -> Result<()> {
    let found = format!("{} to {}", range.start(), range.end());
    check("range", found, whole(range).is_some(), "of at least 1 and at most 2⁵² numbers")
}

/// Whole numbers of a range, each as likely as any other. A grid tries them all.
///
/// # Examples
///
/// ```
/// use linfa_mlp::MlpClassifier;
/// use linfa_mlp::model_selection::{GridSearch, Integer};
///
/// let search: GridSearch<_, f64, usize> = GridSearch::new(MlpClassifier::params())
///     .axis_from("units", Integer::new(4..=7), |params, units| params.hidden_layer_sizes([units]));
/// assert_eq!(search.candidates()?.len(), 4);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integer(RangeInclusive<usize>);

impl Integer {
    /// The numbers of this range.
    #[must_use]
    pub fn new(range: RangeInclusive<usize>) -> Self {
        Integer(range)
    }
}

impl Distribution for Integer {
    type Value = usize;

    fn check(&self) -> Result<()> {
        check_whole(&self.0)
    }

    fn value(&self, coordinate: f64) -> usize {
        let count = whole(&self.0).unwrap_or(1);
        self.0.start() + ((coordinate * count as f64) as usize).min(count - 1)
    }

    fn count(&self) -> Option<usize> {
        whole(&self.0)
    }
}

/// Positive whole numbers of a range, each decade about as likely as any other.
///
/// ```text
/// value = ⌊exp(ln low + u · (ln(high + 1) − ln low))⌋        u evenly in [0, 1)
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogInteger(RangeInclusive<usize>);

impl LogInteger {
    /// The numbers of this range.
    #[must_use]
    pub fn new(range: RangeInclusive<usize>) -> Self {
        LogInteger(range)
    }

    /// The logarithms of the ends of the range, where the last number's cell ends too.
    fn ends(&self) -> (f64, f64) {
        (ln(*self.0.start() as f64), ln(*self.0.end() as f64 + 1.0))
    }
}

impl Distribution for LogInteger {
    type Value = usize;

    fn check(&self) -> Result<()> {
        check_whole(&self.0)?;
        check("low", self.0.start(), *self.0.start() > 0, "at least 1")
    }

    fn value(&self, coordinate: f64) -> usize {
        let (low, high) = self.ends();
        // The cast takes a number that is not finite to one of the ends.
        (exp(low + coordinate * (high - low)) as usize)
            .clamp(*self.0.start(), (*self.0.end()).max(*self.0.start()))
    }

    fn count(&self) -> Option<usize> {
        whole(&self.0)
    }

    fn coordinate(&self, place: usize) -> f64 {
        let (low, high) = self.ends();
        let middle = self.0.start().saturating_add(place) as f64 + 0.5;
        (ln(middle) - low) / (high - low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_in_the_range_and_reach_its_ends() {
        let last = 1.0 - f64::EPSILON / 2.0;
        assert_eq!((Uniform::new(-1.0, 3.0).value(0.0), Uniform::new(-1.0, 3.0).value(0.25)), (-1.0, 0.0));
        assert!(Uniform::new(0.1, 0.3).value(last) <= 0.3);
        assert_eq!(LogUniform::new(1e-5, 1e-1).value(0.0), 1e-5);
        assert!(LogUniform::new(1e-5, 1e-1).value(last) <= 1e-1);
        assert_eq!((Integer::new(2..=4).value(0.0), Integer::new(2..=4).value(last)), (2, 4));
        assert_eq!((LogInteger::new(2..=500).value(0.0), LogInteger::new(2..=500).value(last)), (2, 500));
        assert_eq!(Integer::new(0..=0).value(last), 0);
    }

    #[test]
    fn the_middle_of_a_number_s_coordinates_gives_the_number() {
        for range in [1..=1, 1..=7, 3..=1000, 999_999..=1_000_010] {
            for (place, number) in range.clone().enumerate() {
                let (even, log) = (Integer::new(range.clone()), LogInteger::new(range.clone()));
                assert_eq!(even.value(even.coordinate(place)), number);
                assert_eq!(log.value(log.coordinate(place)), number);
            }
        }
    }

    #[test]
    fn decades_are_equally_likely() {
        let numbers = LogInteger::new(1..=999);
        let below =
            |limit| (0..30_000).filter(|i| numbers.value((*i as f64 + 0.5) / 30_000.0) < limit).count();
        assert_eq!((below(10), below(100)), (10_000, 20_000));
    }

    #[test]
    fn empty_reversed_and_infinite_ranges_are_refused() {
        for (low, high) in [
            (1.0, 1.0),
            (2.0, 1.0),
            (f64::NAN, 1.0),
            (1.0, f64::NAN),
            (1.0, f64::INFINITY),
            (f64::MIN, f64::MAX),
        ] {
            assert!(Uniform::new(low, high).check().is_err(), "{low} {high}");
        }
        for (low, high) in [(0.0, 1.0), (-1.0, 1.0), (0.1, 0.1), (0.2, 0.1), (f64::NAN, 1.0), (1.0, f64::NAN)]
        {
            assert!(LogUniform::new(low, high).check().is_err(), "{low} {high}");
        }
        #[allow(clippy::reversed_empty_ranges)]
        for range in [2..=1, 0..=usize::MAX] {
            assert!(Integer::new(range.clone()).check().is_err() && LogInteger::new(range).check().is_err());
        }
        assert!(LogInteger::new(0..=3).check().is_err() && Integer::new(0..=3).check().is_ok());
        assert!(LogUniform::new(f64::MIN_POSITIVE, f64::MAX).check().is_ok());
    }
}

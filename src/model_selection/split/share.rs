//! A number of rows, or a share of them.

use crate::error::{Error, Result};

/// How many rows: a number, or a fraction of all.
///
/// A fraction of n rows is rounded up for test rows and down for training rows, as in scikit-learn, after the product
/// has been freed from its floating-point error: 7 % of 100 rows are 7, not 8.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Share {
    /// This many rows.
    Rows(usize),
    /// This fraction of the rows, between 0 and 1.
    Fraction(f64),
}

impl From<usize> for Share {
    fn from(rows: usize) -> Self {
        Share::Rows(rows)
    }
}

impl From<f64> for Share {
    fn from(fraction: f64) -> Self {
        Share::Fraction(fraction)
    }
}

impl Share {
    /// The rows meant, of `n`, or the groups when `things` are groups; `round` is `f64::ceil` or `f64::floor`.
    pub(in crate::model_selection) fn of(
        self,
        name: &str,
        n: usize,
        things: &str,
        round: fn(f64) -> f64,
    ) -> Result<usize> {
        match self {
            Share::Rows(rows) if (1..n).contains(&rows) => Ok(rows),
            Share::Rows(rows) => {
                Err(Error::parameter(name, rows, format!("at least 1 and below the {n} {things}")))
            }
            Share::Fraction(fraction) if fraction > 0.0 && fraction < 1.0 => {
                Ok(product(fraction, n, round) as usize)
            }
            Share::Fraction(fraction) => Err(Error::parameter(name, fraction, "above 0 and below 1")),
        }
    }

    /// The rows meant, of `most` that may all be meant: at least 1.
    pub(in crate::model_selection) fn up_to(self, name: &str, most: usize) -> Result<usize> {
        match self {
            Share::Rows(rows) if (1..=most).contains(&rows) => Ok(rows),
            Share::Rows(rows) => Err(Error::parameter(name, rows, format!("at least 1 and at most {most}"))),
            Share::Fraction(fraction) if fraction > 0.0 && fraction <= 1.0 => {
                Ok((product(fraction, most, f64::floor) as usize).clamp(1, most))
            }
            Share::Fraction(fraction) => Err(Error::parameter(name, fraction, "above 0 and at most 1")),
        }
    }
}

/// A fraction of n, rounded.
fn product(fraction: f64, n: usize, round: fn(f64) -> f64) -> f64 {
    let exact = fraction * n as f64;
    let whole = exact.round();
    // A product of two rounded numbers: within this distance it means the whole number.
    if (exact - whole).abs() <= 4.0 * f64::EPSILON * exact { whole } else { round(exact) }
}

/// The number of training and of test rows, or of groups when `things` are groups; what is not given is the other's rest.
pub(super) fn sizes(
    splitter: &str,
    n: usize,
    things: &str,
    train: Option<Share>,
    test: Option<Share>,
    default_test: f64,
) -> Result<(usize, usize)> {
    let train = train.map(|share| share.of("train_size", n, things, f64::floor)).transpose()?;
    let test = match (test, train) {
        (None, Some(train)) => n - train,
        (test, _) => test.unwrap_or(Share::Fraction(default_test)).of("test_size", n, things, f64::ceil)?,
    };
    let train = train.unwrap_or(n - test);
    if train == 0 || test == 0 || train + test > n {
        return Err(Error::Split {
            splitter: splitter.into(),
            needed: format!("at least 1 for training and 1 for testing, together at most {n} {things}"),
            found: format!("the sizes ask for {train} and {test}"),
        });
    }
    Ok((train, test))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_not_moved_by_floating_point_error() {
        assert_eq!(Share::from(0.07).of("test_size", 100, "rows", f64::ceil).unwrap(), 7);
        assert_eq!(Share::from(0.9).of("train_size", 10, "rows", f64::floor).unwrap(), 9);
        assert_eq!(Share::from(0.25).of("test_size", 10, "rows", f64::ceil).unwrap(), 3);
        assert_eq!(sizes("", 10, "rows", Some(0.29.into()), None, 0.1).unwrap(), (2, 8));
        assert_eq!(sizes("", 30, "rows", None, None, 0.1).unwrap(), (27, 3));
    }

    #[test]
    fn zero_one_nan_and_too_many_rows_are_refused() {
        for share in [0.0, 1.0, -0.1, f64::NAN, f64::INFINITY] {
            let error = Share::from(share).of("test_size", 10, "rows", f64::ceil).unwrap_err();
            assert!(matches!(error, Error::Parameter { .. }), "{error}");
        }
        for rows in [0, 10, 11] {
            assert!(Share::from(rows).of("test_size", 10, "rows", f64::ceil).is_err());
        }
        assert!(matches!(
            sizes("", 10, "rows", Some(6.into()), Some(5.into()), 0.1),
            Err(Error::Split { .. })
        ));
        assert!(matches!(sizes("", 1, "rows", None, None, 0.1), Err(Error::Split { .. })));
    }
}

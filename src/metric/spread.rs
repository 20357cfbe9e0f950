//! How far values lie from their mean, in one pass: the state behind R² and explained variance.
//!
//! ```text
//! W ← W + w,  d = v − m,  m ← m + d·w/W,  S ← S + w·d·(v − m)     S = Σ w (v − mean)²
//! ```
//!
//! Unlike `Σ w v² − …` it loses nothing when the mean is large, and S of equal values is exactly 0.
//!
//! # References
//!
//! West (1979), "Updating mean and variance estimates: an improved method", Communications of the ACM 22.

/// The mean `m` and the sum of squares `S`.
pub(super) type Spread = [f64; 2];

/// Adds a value of weight `weight` (above 0), with which all weights sum to `total`.
pub(super) fn add([mean, squares]: &mut Spread, value: f64, weight: f64, total: f64) {
    let distance = value - *mean;
    *mean += distance * (weight / total);
    *squares += weight * distance * (value - *mean);
}

/// `1 − unexplained / all`, what a model explains of the targets' spread, where that is not 0; for targets that are
/// constant, 1 when nothing is unexplained and else 0 (scikit-learn's `force_finite`).
pub(super) fn explained(unexplained: f64, all: f64) -> f64 {
    if all != 0.0 {
        1.0 - unexplained / all
    } else if unexplained.is_nan() {
        f64::NAN
    } else {
        f64::from(u8::from(unexplained == 0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(values: &[(f64, f64)]) -> Spread {
        let (mut spread, mut total) = ([0.0; 2], 0.0);
        for (value, weight) in values {
            total += weight;
            add(&mut spread, *value, *weight, total);
        }
        spread
    }

    #[test]
    fn a_large_mean_does_not_hide_a_small_spread() {
        // 1, 2, 2, 4 above 1e9: mean 2.25, squares 1.5625 + 2·0.0625 + 3.0625.
        let [mean, squares] = spread(&[(1e9 + 1.0, 1.0), (1e9 + 2.0, 2.0), (1e9 + 4.0, 1.0)]);
        assert!((mean - 1e9 - 2.25).abs() < 1e-6 && (squares - 4.75).abs() < 1e-6);
    }

    #[test]
    fn equal_values_have_no_spread_at_all() {
        let [_, squares] = spread(&[(0.1, 0.3), (0.1, 0.7), (0.1, 0.1)]);
        assert!(squares.abs() < f64::MIN_POSITIVE);
    }

    #[test]
    fn constant_targets_are_explained_or_not() {
        let close = |value: f64, expected: f64| (value - expected).abs() < 1e-15;
        assert!(close(explained(0.0, 0.0), 1.0) && close(explained(2.0, 0.0), 0.0));
        assert!(close(explained(1.0, 4.0), 0.75) && explained(f64::NAN, 0.0).is_nan());
    }
}

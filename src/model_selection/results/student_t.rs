//! Student's t distribution, for whole degrees of freedom.

use crate::kernel::math::{exp, ln, ln_1p};

/// P(|T| > |t|) for `freedom` degrees of freedom, at least 1:
///
/// ```text
/// P = I_x(ν/2, 1/2)        x = ν / (ν + t²)
/// ```
///
/// I is the regularised incomplete beta function, by its continued fraction (W. H. Press et al., *Numerical Recipes*, 3rd edition,
/// section 6.4), so that small probabilities keep their digits.
pub(super) fn two_sided(t: f64, freedom: usize) -> f64 {
    if t.is_nan() {
        return f64::NAN;
    }
    let nu = freedom as f64;
    let square = t * t;
    if square.is_infinite() {
        return 0.0;
    }
    let (a, b) = (nu / 2.0, 0.5);
    let x = nu / (nu + square);
    // ln x^a·(1 − x)^b, without the rounding of x near 1.
    let ln_front = -a * ln_1p(square / nu) + b * (ln(square) - ln(nu + square));
    if square == 0.0 {
        1.0
    } else if x < (a + 1.0) / (a + b + 2.0) {
        exp(ln_front) * continued_fraction(x, a, b) / (a * beta_half(freedom))
    } else {
        1.0 - exp(ln_front) * continued_fraction(square / (nu + square), b, a) / (b * beta_half(freedom))
    }
}

/// The value that |T| exceeds with probability 1 − `level`, for a level of (0, 1).
pub(super) fn quantile(level: f64, freedom: usize) -> f64 {
    let exceeds = |t: f64| two_sided(t, freedom) > 1.0 - level;
    let (mut low, mut high) = (0.0, 1.0);
    while exceeds(high) && high < 1e300 {
        low = high;
        high *= 2.0;
    }
    // Bisection to the last bit: there is no hurry.
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return middle;
        }
        if exceeds(middle) { low = middle } else { high = middle }
    }
}

/// B(ν/2, 1/2), from B(1/2, 1/2) = π and B(1, 1/2) = 2 by B(a + 1, b) = B(a, b) · a/(a + b).
fn beta_half(freedom: usize) -> f64 {
    let (mut a, mut beta) = if freedom % 2 == 1 { (0.5, std::f64::consts::PI) } else { (1.0, 2.0) };
    while a < freedom as f64 / 2.0 {
        beta *= a / (a + 0.5);
        a += 1.0;
    }
    beta
}

/// The continued fraction of the incomplete beta function, by Lentz's method.
fn continued_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    // It converges in about the root of a or b steps.
    for m in 1..100_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_and_quantiles_are_those_of_forty_digits() {
        let fixture = include_str!("../../../tests/fixtures/student_t.csv");
        let mut seen = 0;
        for line in fixture.lines().filter(|line| !line.starts_with('#')) {
            let numbers: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
            let [freedom, t, p, q] = numbers[..] else { panic!("{line}") };
            let freedom = freedom as usize;
            // A handful of roundings; the powers multiply them by the degrees of freedom.
            let tolerance = 1e-13 * (10.0 + freedom as f64);
            for sign in [1.0, -1.0] {
                let ours = two_sided(sign * t, freedom);
                assert!((ours - p).abs() <= tolerance * p, "{line}: {ours:e}");
            }
            let ours = quantile(0.95, freedom);
            assert!((ours - q).abs() <= 1e-11 * q, "{line}: {ours}");
            seen += 1;
        }
        assert_eq!(seen, 132);
    }

    #[test]
    fn the_ends_are_exact() {
        assert_eq!((two_sided(0.0, 3), two_sided(f64::INFINITY, 3), two_sided(1e300, 3)), (1.0, 0.0, 0.0));
        assert!(two_sided(f64::NAN, 3).is_nan());
    }
}

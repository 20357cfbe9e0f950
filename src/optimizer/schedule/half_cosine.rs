//! Half a wave of the cosine.

use std::f64::consts::PI;

/// `(1 + cos πp) / 2` for `0 ≤ p ≤ 1`: from 1 down to 0.
///
/// Computed as the square of `cos(πp/2) = sin(π(1−p)/2)`, whichever argument is at most π/4, by Taylor's series: the
/// platform's cosine may differ in its last bit from machine to machine.
pub(super) fn half_cosine(p: f64) -> f64 {
    let root = if p <= 0.5 {
        let square = (0.5 * PI * p) * (0.5 * PI * p);
        // The next term of either series is below 2⁻⁵⁶ of the first.
        series(square, 0.0, 8)
    } else {
        let x = 0.5 * PI * (1.0 - p);
        x * series(x * x, 1.0, 8)
    };
    root * root
}

/// `1 − s/((o+1)(o+2)) · (1 − s/((o+3)(o+4)) · (1 − …))`: the cosine for `o = 0`, the sine over its argument for `o = 1`.
fn series(square: f64, offset: f64, terms: u32) -> f64 {
    (1..=terms).rev().fold(1.0, |rest, k| {
        let k = 2.0 * f64::from(k) + offset;
        1.0 - square / ((k - 1.0) * k) * rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_cosine_of_the_platform_within_rounding() {
        for i in 0..=1000 {
            let p = f64::from(i) / 1000.0;
            let expected = 0.5 * (1.0 + (PI * p).cos());
            assert!((half_cosine(p) - expected).abs() < 3e-16, "{p}: {} {expected}", half_cosine(p));
        }
        assert!(half_cosine(0.0).to_bits() == 1f64.to_bits() && half_cosine(1.0).abs() < f64::MIN_POSITIVE);
    }
}

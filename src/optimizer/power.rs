//! Powers with the same bits everywhere, which the platform's `pow` does not promise.

use crate::kernel::math;

/// `base` to a whole power, by squaring.
pub(super) fn whole_power(mut base: f64, mut exponent: u64) -> f64 {
    let mut result = 1.0;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    result
}

/// `base` to any power, both at least 0: the whole part by squaring, the rest by `e^(rest · ln base)`.
pub(super) fn real_power(base: f64, exponent: f64) -> f64 {
    let whole = exponent.floor();
    let rest = exponent - whole;
    let power = whole_power(base, whole as u64);
    if rest > 0.0 { power * math::exp(rest * math::ln(base)) } else { power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_the_platform_s_within_rounding() {
        for (base, exponent) in
            [(0.9f64, 10.3f64), (0.5, 0.5), (2.0, 3.0), (0.0, 0.5), (0.0, 0.0), (1e-3, 7.25)]
        {
            let (found, expected) = (real_power(base, exponent), base.powf(exponent));
            assert!((found - expected).abs() <= 4e-15 * expected, "{base}^{exponent}: {found} {expected}");
        }
        assert!(whole_power(0.9, u64::MAX) < 1e-300);
    }
}

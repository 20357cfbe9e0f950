//! `eˣ` and what is made of it.

use super::{Scalar, abs, copysign, fma, ln_1p, of};

/// `eˣ = 2ⁿ·e^(r + low)` with `|r| ≤ ln 2 / 2`: `n`, `r` and `low`.
#[inline(always)]
pub(super) fn reduce<S: Scalar>(x: S) -> (S, S, S) {
    let n = fma(x, S::INVERSE_LN_2, S::SHIFTER) - S::SHIFTER;
    let exact = fma(-n, S::LN_2_HIGH, x);
    let r = fma(-n, S::LN_2_LOW, exact);
    (n, r, fma(-n, S::LN_2_LOW, exact - r))
}

/// `e^(r + low) − 1` for a reduced argument, high and low part.
#[inline(always)]
pub(super) fn exp_m1_reduced<S: Scalar>(r: S, low: S) -> (S, S) {
    let (square, rest) = (r * r, r.exp_rest());
    let high = fma(square, rest, r);
    (high, fma(square, rest, r - high) + low)
}

/// `x·2ⁿ`. Half of the exponent at a time, so that the way to a subnormal result leads over normal factors.
#[inline(always)]
pub(super) fn scale<S: Scalar>(x: S, n: S) -> S {
    let shifted = fma(n, S::HALF, S::SHIFTER);
    let rest = n - (shifted - S::SHIFTER);
    x * S::power_of_two(shifted) * S::power_of_two(rest + S::SHIFTER)
}

/// `x` within `[low, high]`; NaN stays NaN.
#[inline(always)]
fn clamp<S: Scalar>(x: S, low: S, high: S) -> S {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// `eˣ`: zero below about −104 (`f32`) or −746 (`f64`), subnormal results before that, infinite from 88.73 or 709.79.
#[inline(always)]
pub fn exp<S: Scalar>(x: S) -> S {
    let (n, r, low) = reduce(clamp(x, S::EXP_LOW, S::EXP_HIGH));
    scale(S::ONE + exp_m1_reduced(r, low).0, n)
}

/// `eˣ − 1`, high and low part.
#[inline(always)]
fn exp_m1_parts<S: Scalar>(x: S) -> (S, S) {
    let (n, r, low) = reduce(clamp(x, S::EXP_M1_LOW, S::EXP_HIGH));
    let (p, p_low) = exp_m1_reduced(r, low);
    // 2ⁿ·(p + 1) − 1 with half of 2ⁿ, which is still finite where the result is.
    let half = S::power_of_two(n - S::ONE + S::SHIFTER);
    let start = half - S::HALF;
    let high = fma(half, p, start);
    let low = fma(half, p_low, fma(half, p, start - high));
    (high + high, low + low)
}

/// `eˣ − 1`, accurate near zero.
#[inline(always)]
pub fn exp_m1<S: Scalar>(x: S) -> S {
    copysign(exp_m1_parts(x).0, x)
}

/// Hyperbolic tangent.
#[inline(always)]
pub fn tanh<S: Scalar>(x: S) -> S {
    // −e/(e + 2) with e = e^(−2|x|) − 1; then one step of Newton's with all low parts.
    let (e, low) = exp_m1_parts(abs(x) * of(-2.0));
    let d = e + of(2.0);
    let d_low = e - (d - of(2.0)) + low;
    let inverse = S::ONE / d;
    let q = -e * inverse;
    let missing = -fma(q, d, e) - fma(q, d_low, low);
    copysign(fma(missing, inverse, q), x)
}

/// The logistic function `1 / (1 + e⁻ˣ)`, without overflow and accurate in both tails.
#[inline(always)]
pub fn sigmoid<S: Scalar>(x: S) -> S {
    let (n, r, low) = reduce(clamp(-abs(x), S::EXP_LOW, S::default()));
    let (p, p_low) = exp_m1_reduced(r, low);
    let y = S::ONE + p;
    let y_low = p - (y - S::ONE) + p_low;
    let e = scale(y, n);
    // 1/(1 + e), and one step of Newton's for what the sum lost.
    let d = S::ONE + e;
    let inverse = S::ONE / d;
    let above = fma(inverse, fma(-inverse, e - (d - S::ONE), fma(-inverse, d, S::ONE)), inverse);
    let below = scale(fma(above, y, above * y_low), n);
    if x < S::default() { below } else { above }
}

/// `ln(1 + eˣ)`, without overflow and accurate in both tails.
#[inline(always)]
pub fn softplus<S: Scalar>(x: S) -> S {
    super::max(x, S::default()) + ln_1p(exp(-abs(x)))
}

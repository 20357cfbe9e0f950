//! `ln x` and `ln(1 + x)`.
//!
//! Both by `f = (1+s)/(1−s) − 1`, as in FreeBSD's `e_log.c`: the odd series in `s` converges fast, and what is rounded
//! is small beside `f`.

use super::{Scalar, fma};

/// `e·ln 2 + ln(1 + f) + low`.
#[inline(always)]
fn compose<S: Scalar>(e: S, f: S, low: S) -> S {
    let s = f / (f + S::ONE + S::ONE);
    let z = s * s;
    let half_square = S::HALF * f * f;
    let rest = fma(s, fma(z, z.ln_rest(), half_square), fma(e, S::LN_2_LOW, low));
    fma(e, S::LN_2_HIGH, f - (half_square - rest))
}

/// Natural logarithm: `−∞` at zero, NaN below, exact digits for subnormal numbers too.
#[inline(always)]
pub fn ln<S: Scalar>(x: S) -> S {
    let small = x < S::MIN_NORMAL;
    let (e, m) = (if small { x * S::LIFT } else { x }).split();
    let e = if small { e - S::LIFT_EXPONENT } else { e };
    at_the_ends(compose(e, m - S::ONE, S::default()), x, x)
}

/// `ln(1 + x)`, accurate near zero: `−∞` at −1, NaN below.
#[inline(always)]
pub fn ln_1p<S: Scalar>(x: S) -> S {
    let u = S::ONE + x;
    // What rounding 1 + x lost, relative to u.
    let lost = if x > S::ONE { S::ONE - (u - x) } else { x - (u - S::ONE) };
    let (e, m) = u.split();
    // Within [√½, √2) the sum need not be split, and x itself has all digits.
    let whole = e == S::default();
    let f = if whole { x } else { m - S::ONE };
    let low = if whole { S::default() } else { lost / u };
    // −0 would come out as +0.
    let result = at_the_ends(compose(e, f, low), u, x);
    if x == S::default() { x } else { result }
}

/// The result where `0 < argument < ∞`, and the limits elsewhere; `infinite` is what an infinite argument gives.
#[inline(always)]
fn at_the_ends<S: Scalar>(result: S, argument: S, infinite: S) -> S {
    let result = if argument == S::INFINITY { infinite } else { result };
    let result = if argument == S::default() { -S::INFINITY } else { result };
    if argument >= S::default() { result } else { S::NAN }
}

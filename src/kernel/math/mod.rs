//! Elementary functions with the same bits on every path.
//!
//! Scalar signatures, `#[inline(always)]` and free of branches, so that a loop over them inside
//! [`dispatch`](super::dispatch) becomes vector code.

use super::Scalar;

/// A constant, rounded from `f64`.
#[inline(always)]
pub fn of<S: Scalar>(value: f64) -> S {
    S::s_from_f64(value)
}

/// `a·b + c`, rounded once.
#[inline(always)]
pub fn fma<S: Scalar>(a: S, b: S, c: S) -> S {
    a.s_fma(b, c)
}

/// `|x|`.
#[inline(always)]
pub fn abs<S: Scalar>(x: S) -> S {
    x.s_abs()
}

/// `√x`, correctly rounded.
#[inline(always)]
pub fn sqrt<S: Scalar>(x: S) -> S {
    x.s_sqrt()
}

/// The magnitude of `x` with the sign of `sign`.
#[inline(always)]
pub fn copysign<S: Scalar>(x: S, sign: S) -> S {
    x.s_copysign(sign)
}

/// The larger of `a` and `b`; `b` if either is NaN (one instruction, unlike `f32::max`).
#[inline(always)]
pub fn max<S: Scalar>(a: S, b: S) -> S {
    if a > b { a } else { b }
}

/// The smaller of `a` and `b`; `b` if either is NaN.
#[inline(always)]
pub fn min<S: Scalar>(a: S, b: S) -> S {
    if a < b { a } else { b }
}

/// `eˣ`.
#[inline(always)]
pub fn exp<S: Scalar>(x: S) -> S {
    x.s_exp()
}

/// `eˣ − 1`, accurate near zero.
#[inline(always)]
pub fn exp_m1<S: Scalar>(x: S) -> S {
    x.s_exp_m1()
}

/// Natural logarithm.
#[inline(always)]
pub fn ln<S: Scalar>(x: S) -> S {
    x.s_ln()
}

/// `ln(1 + x)`, accurate near zero.
#[inline(always)]
pub fn ln_1p<S: Scalar>(x: S) -> S {
    x.s_ln_1p()
}

/// Hyperbolic tangent.
#[inline(always)]
pub fn tanh<S: Scalar>(x: S) -> S {
    x.s_tanh()
}

/// `1 / (1 + e⁻ˣ)`.
#[inline(always)]
pub fn sigmoid<S: Scalar>(x: S) -> S {
    x.s_sigmoid()
}

/// `ln(1 + eˣ)`, without overflow.
#[inline(always)]
pub fn softplus<S: Scalar>(x: S) -> S {
    x.s_softplus()
}

/// The error function `2/√π · ∫₀ˣ e^(−t²) dt`.
#[inline(always)]
pub fn erf<S: Scalar>(x: S) -> S {
    x.s_erf()
}

/// The standard normal distribution function `Φ(x)`.
#[inline(always)]
pub fn normal_cdf<S: Scalar>(x: S) -> S {
    x.s_normal_cdf()
}

/// The quantile `Φ⁻¹(p)` of the standard normal distribution.
#[inline(always)]
pub fn inverse_normal_cdf<S: Scalar>(p: S) -> S {
    p.s_inverse_normal_cdf()
}

//! Elementary functions with the same bits on every path.
//!
//! Scalar signatures, `#[inline(always)]` and free of branches, so that a loop over them inside
//! [`dispatch`](super::dispatch) becomes vector code.

#[cfg(test)]
mod accuracy;
mod elementary;
mod exponential;
mod logarithm;
mod normal;

pub use elementary::Elementary;
pub use exponential::{exp, exp_m1, sigmoid, softplus, tanh};
pub use logarithm::{ln, ln_1p};
pub use normal::{erf, inverse_normal_cdf, normal_cdf};

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

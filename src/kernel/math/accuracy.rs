//! How far the functions are from the truth, and that all paths agree.
#![allow(clippy::float_cmp, clippy::type_complexity, reason = "exact results are the point of these tests")]

use super::*;
use crate::kernel::{Path, dispatch, with_path};

const SINGLES: [(&str, fn(f32) -> f32, fn(f64) -> f64); 9] = [
    ("exp", exp::<f32>, f64::exp),
    ("exp_m1", exp_m1::<f32>, f64::exp_m1),
    ("ln", ln::<f32>, f64::ln),
    ("ln_1p", ln_1p::<f32>, f64::ln_1p),
    ("tanh", tanh::<f32>, f64::tanh),
    ("sigmoid", sigmoid::<f32>, |x| 1.0 / (1.0 + (-x).exp())),
    ("softplus", softplus::<f32>, |x| if x > 40.0 { x } else { x.exp().ln_1p() }),
    // Without a reference in std, the f64 version is one: the fixtures check it.
    ("erf", erf::<f32>, erf::<f64>),
    ("normal_cdf", normal_cdf::<f32>, normal_cdf::<f64>),
];

/// Distance from `value` to the true `reference`, in units of the last place of `f32` there.
fn ulps(value: f32, reference: f64) -> f64 {
    let near = reference as f32;
    if f64::from(value) == reference || value == near || (value.is_nan() && reference.is_nan()) {
        return 0.0;
    }
    let near = near.abs().min(f32::MAX);
    let exponent = (near.max(f32::MIN_POSITIVE).to_bits() >> 23) as i32 - 127 - 23;
    (f64::from(value) - reference).abs() / f64::from(exponent).exp2()
}

/// Every `step`-th `f32`, of both signs, with all special values.
fn bit_patterns(step: usize) -> impl Iterator<Item = f32> {
    let special =
        [0.0, -0.0, 1.0, -1.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MIN_POSITIVE, f32::MAX];
    (0..=u32::MAX).step_by(step).map(f32::from_bits).chain(special)
}

/// The largest distance over the sample, and where.
fn worst(f: fn(f32) -> f32, reference: fn(f64) -> f64, step: usize) -> (f64, f32) {
    let mut worst = (0.0, 0.0);
    for x in bit_patterns(step) {
        let distance = ulps(f(x), reference(f64::from(x)));
        // A NaN where the reference is a number counts as infinitely far.
        let distance = if distance.is_nan() { f64::INFINITY } else { distance };
        if distance > worst.0 {
            worst = (distance, x);
        }
    }
    worst
}

#[test]
fn single_precision_functions_are_within_two_units_in_the_last_place() {
    for (name, f, reference) in SINGLES {
        let (distance, x) = dispatch(|| worst(f, reference, 2503));
        assert!(distance <= 2.0, "{name}({x:e}) is {distance} ulp off");
    }
}

#[test]
#[ignore = "seventeen million numbers a function, half a minute"]
fn single_precision_functions_over_many_more_numbers() {
    for (name, f, reference) in SINGLES {
        let (distance, x) = dispatch(|| worst(f, reference, 257));
        println!("{name}: {distance:.3} ulp at {x:e}");
    }
}

const DOUBLES: [(&str, fn(f64) -> f64, f64); 10] = [
    ("exp", exp::<f64>, 2.0),
    ("exp_m1", exp_m1::<f64>, 2.0),
    ("ln", ln::<f64>, 2.0),
    ("ln_1p", ln_1p::<f64>, 2.0),
    ("tanh", tanh::<f64>, 2.0),
    ("sigmoid", sigmoid::<f64>, 2.0),
    ("softplus", softplus::<f64>, 2.0),
    ("erf", erf::<f64>, 2.0),
    ("normal_cdf", normal_cdf::<f64>, 2.0),
    // Algorithm AS 241 promises a relative error of 1e-16 from its coefficients alone.
    ("inverse_normal_cdf", inverse_normal_cdf::<f64>, 8.0),
];

/// A decimal number of 25 digits as the sum of two `f64`.
fn two_parts(decimal: &str) -> (f64, f64) {
    let high: f64 = decimal.parse().expect("the fixture holds numbers");
    let (digits, exponent) = decimal.split_once('e').unwrap_or((decimal, "0"));
    let exponent: i32 = exponent.parse().expect("the fixture holds exponents");
    // The exact value of `high` has too many digits for any integer type: compare in steps of its last place.
    let scaled = |value: &str| -> i128 {
        let (whole, part) = value.split_once('.').unwrap_or((value, ""));
        format!("{whole}{part:0<27}")[..].parse().expect("digits")
    };
    let (near, near_exponent) = {
        let text = format!("{high:.40e}");
        let (digits, exponent) = text.split_once('e').expect("this format has an exponent");
        (digits[..digits.len() - 13].to_owned(), exponent.parse::<i32>().expect("an exponent"))
    };
    let mut near = scaled(&near);
    // Rounding may have moved `high` over a power of ten.
    near = if near_exponent > exponent { near * 10 } else { near };
    let difference = (scaled(digits) - near) as f64;
    (high, difference * 10f64.powi(exponent.max(-280) - 27) * 10f64.powi(exponent.min(-280) + 280))
}

#[test]
fn double_precision_functions_are_within_two_units_in_the_last_place() {
    let fixture = include_str!("../../../tests/fixtures/math_f64.csv");
    for (name, f, allowed) in DOUBLES {
        let mut worst = (0.0, 0.0);
        let rows = fixture.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        for row in rows.filter(|row| row[0] == name) {
            let x: f64 = row[1].parse().expect("an argument");
            let (high, low) = two_parts(row[2]);
            let unit =
                if high.abs() < f64::MIN_POSITIVE { 5e-324 } else { high.abs().next_up() - high.abs() };
            let distance = ((f(x) - high) - low).abs() / unit;
            if distance > worst.0 || distance.is_nan() {
                worst = (distance, x);
            }
        }
        println!("{name}: {:.3} ulp at {:e}", worst.0, worst.1);
        assert!(worst.0 > 0.0 && worst.0 <= allowed, "{name}({:e}) is {} ulp off", worst.1, worst.0);
    }
}

#[test]
fn special_values_are_the_limits() {
    fn check<S: Scalar>() {
        let (zero, one, inf, nan) = (S::default(), S::ONE, S::INFINITY, S::NAN);
        let same = |a: S, b: S| a.s_to_f64().to_bits() == b.s_to_f64().to_bits();
        let all: [fn(S) -> S; 10] =
            [exp, exp_m1, ln, ln_1p, tanh, sigmoid, softplus, erf, normal_cdf, inverse_normal_cdf];
        for f in all {
            assert!(f(nan).s_to_f64().is_nan());
        }
        for (f, low, high) in [
            (exp as fn(S) -> S, zero, inf),
            (exp_m1, -one, inf),
            (tanh, -one, one),
            (sigmoid, zero, one),
            (softplus, zero, inf),
            (erf, -one, one),
            (normal_cdf, zero, one),
        ] {
            assert!(same(f(-inf), low) && same(f(inf), high));
        }
        assert!(same(ln(zero), -inf) && same(ln(-zero), -inf) && same(ln(inf), inf) && same(ln(one), zero));
        assert!(same(ln_1p(-one), -inf) && same(ln_1p(inf), inf));
        assert!(same(inverse_normal_cdf(zero), -inf) && same(inverse_normal_cdf(one), inf));
        for f in [ln as fn(S) -> S, ln_1p, inverse_normal_cdf] {
            assert!(f(-one - one).s_to_f64().is_nan() && f(-inf).s_to_f64().is_nan());
        }
        for f in [exp_m1 as fn(S) -> S, ln_1p, tanh, erf] {
            assert!(same(f(zero), zero) && same(f(-zero), -zero));
        }
        assert!(same(exp(zero), one) && same(sigmoid(zero), of(0.5)) && same(normal_cdf(zero), of(0.5)));
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn functions_have_the_same_bits_on_every_path() {
    fn check<S: Scalar>(arguments: &[S]) {
        let all: [fn(&mut [S]); 6] = [
            crate::kernel::exp_slice,
            crate::kernel::ln_slice,
            crate::kernel::tanh_slice,
            crate::kernel::sigmoid_slice,
            crate::kernel::softplus_slice,
            crate::kernel::erf_slice,
        ];
        let more: [fn(&mut [S]); 4] = [
            |v| {
                dispatch(
                    #[inline(always)]
                    || v.iter_mut().for_each(|v| *v = exp_m1(*v)),
                )
            },
            |v| {
                dispatch(
                    #[inline(always)]
                    || v.iter_mut().for_each(|v| *v = ln_1p(*v)),
                )
            },
            |v| {
                dispatch(
                    #[inline(always)]
                    || v.iter_mut().for_each(|v| *v = normal_cdf(*v)),
                )
            },
            |v| {
                dispatch(
                    #[inline(always)]
                    || v.iter_mut().for_each(|v| *v = inverse_normal_cdf(*v)),
                )
            },
        ];
        for f in all.into_iter().chain(more) {
            let run = |path| {
                let mut values = arguments.to_vec();
                with_path(path, || f(&mut values));
                // All NaN are one: their payload is not promised.
                values.iter().map(|v| if v == v { v.s_to_f64().to_bits() } else { 0 }).collect::<Vec<_>>()
            };
            let expected = run(Path::Portable);
            for path in Path::available() {
                assert!(run(path) == expected, "{path:?} differs from portable code");
            }
        }
    }
    check::<f32>(&bit_patterns(65_521).collect::<Vec<_>>());
    let doubles =
        bit_patterns(262_147).map(f64::from).chain((0..20_000).map(|i| f64::from(i) / 777.0 - 12.0));
    check::<f64>(&doubles.collect::<Vec<_>>());
}

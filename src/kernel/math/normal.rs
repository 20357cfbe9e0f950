//! The normal distribution: the error function, `Φ` and its quantile.
#![allow(clippy::excessive_precision, reason = "coefficients stand as they were made")]

use super::exponential::{exp_m1_reduced, reduce, scale};
use super::{Scalar, abs, copysign, fma, ln, max, min, of, sqrt};

/// `Φ(−a)` for `a ≥ 0`, with small relative error down to the subnormal numbers.
///
/// `Φ(−a) = e^(−a²/2)·P(t)/(a + 5)` with `t = 1 − 10/(a + 5)`, after Shepherd and Laframboise (1981), *Chebyshev
/// approximation of (1 + 2x) exp(x²) erfc x*. Four factors with a rounding each would be too much, so the low parts
/// of all of them are carried to the end.
#[inline(always)]
fn tail<S: Scalar>(a: S) -> S {
    let a = if a > S::TAIL_TOP { S::TAIL_TOP } else { a };
    // 1/(a + 5), high and low part.
    let five = of::<S>(5.0);
    let d = a + five;
    let part = d - a;
    let d_low = (a - (d - part)) + (five - part);
    let r = S::ONE / d;
    let r_low = r * fma(-r, d_low, fma(-r, d, S::ONE));
    // The polynomial; a parabola is slope enough for what rounding took from t.
    let ten = of::<S>(10.0);
    let product = ten * r;
    let t = S::ONE - product;
    let part = t - S::ONE;
    let t_low = (S::ONE - (t - part)) - (product + part) - fma(ten, r, -product) - ten * r_low;
    let slope = fma(t, fma(t, of(-0.98), of(1.445)), of(-0.665));
    let high_orders = t.tail_rest();
    let rest = fma(t, high_orders, S::TAIL_SECOND);
    let rest_low = fma(t, high_orders, S::TAIL_SECOND - rest);
    let p = fma(t, rest, S::TAIL_FIRST);
    let p_low = fma(slope, t_low, fma(t, rest_low, fma(t, rest, S::TAIL_FIRST - p)));
    // e^(−a²/2): the square's rounding error counts a² times.
    let square = a * a;
    let square_low = -S::HALF * fma(a, a, -square);
    let (n, exact, exact_low) = reduce(-S::HALF * square);
    let reduced = exact + square_low;
    let (m, m_low) = exp_m1_reduced(reduced, (exact - reduced) + square_low + exact_low);
    let e = S::ONE + m;
    let e_low = m - (e - S::ONE) + m_low;
    // (r + r_low)·(p + p_low)·(e + e_low).
    let rp = r * p;
    let rp_low = fma(r, p, -rp) + fma(r, p_low, r_low * p);
    scale(fma(rp, e, fma(rp, e_low, rp_low * e)), n)
}

/// The error function `2/√π · ∫₀ˣ e^(−t²) dt`.
#[inline(always)]
pub fn erf<S: Scalar>(x: S) -> S {
    let a = abs(x);
    let small = fma(a, (a * a).erf_rest(), a);
    let large = fma(of(-2.0), tail(a * of(std::f64::consts::SQRT_2)), S::ONE);
    copysign(if a < S::ONE { small } else { large }, x)
}

/// The standard normal distribution function `Φ(x) = ½·(1 + erf(x/√2))`, accurate in the lower tail too.
#[inline(always)]
pub fn normal_cdf<S: Scalar>(x: S) -> S {
    let a = abs(x);
    // ½·x/√2 = slope·x
    let slope = of::<S>(std::f64::consts::FRAC_1_SQRT_2 / 2.0);
    let near = fma(x, fma(slope, (S::HALF * a * a).erf_rest(), slope), S::HALF);
    let tail = tail(a);
    let far = if x < S::default() { tail } else { S::ONE - tail };
    if a < of(0.7) { near } else { far }
}

/// The quantile `Φ⁻¹(p)` of the standard normal distribution: `∓∞` at 0 and 1, NaN outside.
///
/// Relative error about 1e-15 for `f64`. Not for inner loops: it computes in `f64` for both types.
///
/// # References
///
/// Wichura (1988), *Algorithm AS 241: The percentage points of the normal distribution*, PPND16.
#[inline(always)]
pub fn inverse_normal_cdf<S: Scalar>(p: S) -> S {
    S::s_from_f64(quantile(p.s_to_f64()))
}

#[inline(always)]
fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    // The centre.
    let r = 0.180625 - q * q;
    let centre = q * ratio(r, &AS241_CENTRE);
    // The tails, in r = √(−ln min(p, 1 − p)).
    let r = sqrt(-ln(min(p, 1.0 - p)));
    let far = r > 5.0;
    let tail = if far { ratio(r - 5.0, &AS241_FAR) } else { ratio(r - 1.6, &AS241_TAIL) };
    // At 0 and 1 the ratio is infinity over infinity.
    let tail = if r == f64::INFINITY { r } else { tail };
    let result = if abs(q) <= 0.425 { centre } else { copysign(tail, q) };
    if max(p, 1.0 - p) <= 1.0 { result } else { f64::NAN }
}

/// Numerator over denominator, eight coefficients each, the lowest first.
#[inline(always)]
fn ratio(r: f64, [above, below]: &[[f64; 8]; 2]) -> f64 {
    let (mut numerator, mut denominator) = (above[7], below[7]);
    for i in (0..7).rev() {
        numerator = fma(numerator, r, above[i]);
        denominator = fma(denominator, r, below[i]);
    }
    numerator / denominator
}

const AS241_CENTRE: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_608,
        1.331_416_678_917_843_774_5e2,
        1.971_590_950_306_551_442_7e3,
        1.373_169_376_550_946_112_5e4,
        4.592_195_393_154_987_145_7e4,
        6.726_577_092_700_870_085_3e4,
        3.343_057_558_358_812_810_5e4,
        2.509_080_928_730_122_672_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091_125_2e1,
        6.871_870_074_920_579_083e2,
        5.394_196_021_424_751_107_7e3,
        2.121_379_430_158_659_586_7e4,
        3.930_789_580_009_271_061e4,
        2.872_908_573_572_194_267_4e4,
        5.226_495_278_852_854_561e3,
    ],
];

const AS241_TAIL: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_577_34,
        4.630_337_846_156_545_295_9,
        5.769_497_221_460_691_405_5,
        3.647_848_324_763_204_605_04,
        1.270_458_252_452_368_382_58,
        2.417_807_251_774_506_117_7e-1,
        2.272_384_498_926_918_458_33e-2,
        7.745_450_142_783_414_076_4e-4,
    ],
    [
        1.0,
        2.053_191_626_637_758_821_87,
        1.676_384_830_183_803_849_4,
        6.897_673_349_851_000_045_5e-1,
        1.481_039_764_274_800_745_9e-1,
        1.519_866_656_361_645_719_66e-2,
        5.475_938_084_995_344_946e-4,
        1.050_750_071_644_416_843_24e-9,
    ],
];

const AS241_FAR: [[f64; 8]; 2] = [
    [
        6.657_904_643_501_103_777_2,
        5.463_784_911_164_114_369_9,
        1.784_826_539_917_291_335_8,
        2.965_605_718_285_048_912_3e-1,
        2.653_218_952_657_612_309_3e-2,
        1.242_660_947_388_078_438_6e-3,
        2.711_555_568_743_487_578_15e-5,
        2.010_334_399_292_288_132_65e-7,
    ],
    [
        1.0,
        5.998_322_065_558_879_376_9e-1,
        1.369_298_809_227_358_053_1e-1,
        1.487_536_129_085_061_485_25e-2,
        7.868_691_311_456_132_591e-4,
        1.846_318_317_510_054_681_8e-5,
        1.421_511_758_316_445_888_7e-7,
        2.044_263_103_389_939_785_64e-15,
    ],
];

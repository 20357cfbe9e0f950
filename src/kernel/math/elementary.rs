//! What differs between `f32` and `f64`: constants, coefficients and the layout of the bits.
//!
//! `tests/fixtures/math_coefficients.py` made the coefficients.
#![allow(clippy::excessive_precision, reason = "coefficients stand as they were made")]

/// The raw material of the functions in this room.
#[doc(hidden)]
pub trait Elementary: Sized {
    const ONE: Self;
    const HALF: Self;
    const INFINITY: Self;
    const NAN: Self;
    const MIN_NORMAL: Self;
    const INVERSE_LN_2: Self;
    /// ln 2 in two parts; the first has so few digits that its product with an exponent is exact.
    const LN_2_HIGH: Self;
    const LN_2_LOW: Self;
    /// `1.5·2^digits`: adding it leaves the nearest integer in the lowest bits.
    const SHIFTER: Self;
    /// Below it `eˣ` rounds to zero, above to infinity.
    const EXP_LOW: Self;
    const EXP_HIGH: Self;
    /// Below it `eˣ − 1` rounds to −1.
    const EXP_M1_LOW: Self;
    /// Lifts a subnormal number to the normal ones, and by how many binary places.
    const LIFT: Self;
    const LIFT_EXPONENT: Self;
    /// Beyond it `Φ(−a)` is zero.
    const TAIL_TOP: Self;
    /// The two lowest coefficients of the tail's polynomial, whose sums carry their rounding errors along.
    const TAIL_FIRST: Self;
    const TAIL_SECOND: Self;

    /// `2ⁿ` from `n + SHIFTER`.
    fn power_of_two(shifted: Self) -> Self;
    /// `(e, m)` with `x = m·2^e` and `√½ ≤ m < √2`, for a normal positive `x`.
    fn split(self) -> (Self, Self);
    /// `(e^r − 1 − r)/r²` for `|r| ≤ ln 2 / 2`.
    fn exp_rest(self) -> Self;
    /// `(ln((1+s)/(1−s)) − 2s)/s³` of `s²`.
    fn ln_rest(self) -> Self;
    /// `erf(√s)/√s − 1` for `0 ≤ s ≤ 1`.
    fn erf_rest(self) -> Self;
    /// `((a + 5)·Φ(−a)·e^(a²/2) − TAIL_FIRST − TAIL_SECOND·t)/t²` of `t = 1 − 10/(a + 5)`.
    fn tail_rest(self) -> Self;
}

/// A polynomial by Horner's rule, the lowest coefficient first.
macro_rules! horner {
    ($x:expr; $last:expr) => { $last };
    ($x:expr; $first:expr, $($rest:expr),+) => { Self::mul_add(horner!($x; $($rest),+), $x, $first) };
}

macro_rules! layout {
    ($t:ty, $bits:ty, $digits:literal, $bias:literal, $sqrt_half:literal) => {
        const ONE: Self = 1.0;
        const HALF: Self = 0.5;
        const INFINITY: Self = <$t>::INFINITY;
        const NAN: Self = <$t>::NAN;
        const MIN_NORMAL: Self = <$t>::MIN_POSITIVE;
        const SHIFTER: Self = (3u64 << ($digits - 1)) as $t;

        #[inline(always)]
        fn power_of_two(shifted: Self) -> Self {
            <$t>::from_bits(shifted.to_bits().wrapping_add($bias) << $digits)
        }

        #[inline(always)]
        fn split(self) -> (Self, Self) {
            const LARGE: $t = (1u64 << $digits) as $t;
            // From √½ up, instead of from one up, the exponent field counts the powers of two.
            let moved = self.to_bits().wrapping_add((1.0 as $t).to_bits() - $sqrt_half);
            // No conversion of 64-bit integers before AVX-512: the exponent goes into the digits of a large number.
            let exponent = <$t>::from_bits((moved >> $digits) | LARGE.to_bits()) - (LARGE + $bias as $t);
            let mantissa = <$t>::from_bits((moved & ((1 << $digits) - 1)).wrapping_add($sqrt_half));
            (exponent, mantissa)
        }
    };
}

impl Elementary for f32 {
    layout!(f32, u32, 23, 127, 0x3f35_04f3);
    const INVERSE_LN_2: Self = std::f32::consts::LOG2_E;
    const LN_2_HIGH: Self = 0.693_145_75;
    const LN_2_LOW: Self = 1.428_606_8e-6;
    const EXP_LOW: Self = -105.0;
    const EXP_HIGH: Self = 89.0;
    const EXP_M1_LOW: Self = -20.0;
    const LIFT: Self = 16_777_216.0;
    const LIFT_EXPONENT: Self = 24.0;
    const TAIL_TOP: Self = 15.0;
    const TAIL_FIRST: Self = 0.769_193_053;
    const TAIL_SECOND: Self = -0.665382504;

    #[inline(always)]
    fn exp_rest(self) -> Self {
        horner!(self; 0.5, 0.166666672, 0.041666463, 0.00833331048, 0.00139337312, 0.000198910799)
    }
    #[inline(always)]
    fn ln_rest(self) -> Self {
        horner!(self; 0.666666687, 0.400001228, 0.285507798, 0.233316138)
    }
    #[inline(always)]
    fn erf_rest(self) -> Self {
        horner!(self; 0.128379166, -0.376126379, 0.112837821, -0.0268654302, 0.00522103161, -0.000848408032,
            0.000112659589, -9.66704465e-06)
    }
    #[inline(always)]
    fn tail_rest(self) -> Self {
        horner!(self; 0.495305628, -0.313533217, 0.165020272, -0.0691179335, 0.0207960922,
            -0.00299728848, -0.000803541159, 0.000553978782, -4.38623974e-05, -5.54194849e-05)
    }
}

impl Elementary for f64 {
    layout!(f64, u64, 52, 1023, 0x3fe6_a09e_667f_3bcd);
    const INVERSE_LN_2: Self = std::f64::consts::LOG2_E;
    const LN_2_HIGH: Self = 6.931_471_803_691_238_2e-1;
    const LN_2_LOW: Self = 1.908_214_929_270_587_7e-10;
    const EXP_LOW: Self = -746.0;
    const EXP_HIGH: Self = 710.0;
    const EXP_M1_LOW: Self = -40.0;
    const LIFT: Self = 18_014_398_509_481_984.0;
    const LIFT_EXPONENT: Self = 54.0;
    const TAIL_TOP: Self = 39.0;
    const TAIL_FIRST: Self = 0.769193049750063;
    const TAIL_SECOND: Self = -0.6653825028900568;

    #[inline(always)]
    fn exp_rest(self) -> Self {
        horner!(self; 0.5, 0.1666666666666667, 0.04166666666666667, 0.008333333333326084, 0.0013888888888883711,
            0.0001984126987500228, 2.480158732567746e-05, 2.755725517000089e-06, 2.755727347871858e-07,
            2.5105312729622103e-08, 2.09147553258932e-09)
    }
    #[inline(always)]
    fn ln_rest(self) -> Self {
        horner!(self; 0.666666666666667, 0.3999999999989889, 0.28571428626253836, 0.22222211089379496,
            0.1818289243253687, 0.15331611722055008, 0.14617807153417325)
    }
    #[inline(always)]
    fn erf_rest(self) -> Self {
        horner!(self; 0.1283791670955126, -0.37612638903183754, 0.1128379167095512, -0.02686617064512984,
            0.0052239776254232985, -0.000854832702193483, 0.00012055332902888736, -1.4925647567519332e-05,
            1.6462045441468418e-06, -1.6364642158167616e-07, 1.4792401209404813e-08, -1.216456005728345e-09,
            8.709045129053106e-11, -4.230945824295338e-12)
    }
    #[inline(always)]
    fn tail_rest(self) -> Self {
        horner!(self; 0.495305615969976, -0.3135331566712881, 0.16502036617040983,
            -0.06911863870685579, 0.020795066799200485, -0.0029933767622323353, -0.0007978693886321235,
            0.0005448989960971598, -5.9375811494585084e-05, -4.976247516686963e-05, 1.6681654735816092e-05,
            3.979875146352331e-06, -2.7707520210893634e-06, -3.347456433999717e-07, 4.3632213903968043e-07,
            4.0453499469914684e-08, -7.012796329386927e-08, -8.83395147619223e-09, 1.0732670653455705e-08,
            2.380938735908965e-09, -1.1003514880321343e-09, -4.215048810150002e-10, -1.9750205117389054e-11)
    }
}

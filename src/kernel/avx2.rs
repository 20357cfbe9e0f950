//! 256-bit vectors: 16 registers. A masked store is microcode on many cores, so tails are stored in halves.

use super::simd::{Shape, Simd, Tiles, shape, tiles};
use std::arch::x86_64::*;

macro_rules! avx2 {
    (
        $name:ident, $elem:ty, $vec:ty, $lanes:literal, $run:ident,
        $zero:ident, $splat:ident, $load:ident, $store:ident, $mask_load:ident, $store_some:ident, $fma:ident,
        $compare:ident, $int:ty, $ones:ident, $ramp:expr
    ) => {
        #[derive(Clone, Copy)]
        pub(super) struct $name;

        #[target_feature(enable = "avx2,fma")]
        unsafe fn $run<const MR: usize, const NV: usize, const TAIL: bool>(t: &Tiles<$elem>) {
            // SAFETY: the caller's promise is the same.
            unsafe { tiles::<$name, MR, NV, TAIL>(t) }
        }

        impl Simd for $name {
            type Elem = $elem;
            type Vec = $vec;
            type Mask = usize;
            const LANES: usize = $lanes;
            const MASKED_LOADS: bool = false;
            type Half = Self;
            const SHAPES: [Shape<$elem>; 7] = [
                shape!($run, 1, [1 2 3 4 5 6 7 8 9 10 11 12]),
                shape!($run, 2, [1 2 3 4 5 6]),
                shape!($run, 3, [1 2 3 4]),
                shape!($run, 4, [1 2]),
                shape!($run, 5, [1 2]),
                shape!($run, 6, [1 2]),
                shape!($run, 8, [1]),
            ];

            #[inline(always)]
            unsafe fn zero() -> $vec {
                // SAFETY: the caller promises AVX2.
                unsafe { $zero() }
            }
            #[inline(always)]
            unsafe fn splat(value: $elem) -> $vec {
                // SAFETY: the caller promises AVX2.
                unsafe { $splat(value) }
            }
            #[inline(always)]
            unsafe fn load(from: *const $elem) -> $vec {
                // SAFETY: the caller promises AVX2 and a whole vector to read.
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn store(to: *mut $elem, value: $vec) {
                // SAFETY: the caller promises AVX2 and a whole vector to write.
                unsafe { $store(to, value) }
            }
            #[inline(always)]
            unsafe fn mask(lanes: usize) -> usize {
                lanes
            }
            #[inline(always)]
            unsafe fn load_first(from: *const $elem, mask: usize) -> $vec {
                const RAMP: [$int; $lanes] = $ramp;
                // SAFETY: the caller promises AVX2; `RAMP` is as long as a vector; lanes outside the mask are not read.
                unsafe {
                    let mask = $compare($ones(mask as $int), _mm256_loadu_si256(RAMP.as_ptr().cast()));
                    $mask_load(from, mask)
                }
            }
            #[inline(always)]
            unsafe fn store_first(to: *mut $elem, mask: usize, value: $vec) {
                // SAFETY: the caller promises AVX2; lanes outside the mask are not written.
                unsafe { $store_some(to, mask, value) }
            }
            #[inline(always)]
            unsafe fn fma(a: $vec, b: $vec, c: $vec) -> $vec {
                // SAFETY: the caller promises FMA.
                unsafe { $fma(a, b, c) }
            }
        }
    };
}

avx2!(
    F32x8,
    f32,
    __m256,
    8,
    run_f32,
    _mm256_setzero_ps,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_maskload_ps,
    store_some_f32,
    _mm256_fmadd_ps,
    _mm256_cmpgt_epi32,
    i32,
    _mm256_set1_epi32,
    [0, 1, 2, 3, 4, 5, 6, 7]
);
avx2!(
    F64x4,
    f64,
    __m256d,
    4,
    run_f64,
    _mm256_setzero_pd,
    _mm256_set1_pd,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_maskload_pd,
    store_some_f64,
    _mm256_fmadd_pd,
    _mm256_cmpgt_epi64,
    i64,
    _mm256_set1_epi64x,
    [0, 1, 2, 3]
);

/// Stores the first `lanes < 8` lanes, four, two and one at a time.
#[inline(always)]
unsafe fn store_some_f32(mut to: *mut f32, lanes: usize, value: __m256) {
    // SAFETY: the caller promises AVX2; the pieces add up to `lanes`.
    unsafe {
        let mut rest = _mm256_castps256_ps128(value);
        if lanes & 4 != 0 {
            _mm_storeu_ps(to, rest);
            rest = _mm256_extractf128_ps::<1>(value);
            to = to.add(4);
        }
        if lanes & 2 != 0 {
            to.cast::<f64>().write_unaligned(_mm_cvtsd_f64(_mm_castps_pd(rest)));
            rest = _mm_movehl_ps(rest, rest);
            to = to.add(2);
        }
        if lanes & 1 != 0 {
            *to = _mm_cvtss_f32(rest);
        }
    }
}

/// Stores the first `lanes < 4` lanes, two and one at a time.
#[inline(always)]
unsafe fn store_some_f64(mut to: *mut f64, lanes: usize, value: __m256d) {
    // SAFETY: the caller promises AVX2; the pieces add up to `lanes`.
    unsafe {
        let mut rest = _mm256_castpd256_pd128(value);
        if lanes & 2 != 0 {
            _mm_storeu_pd(to, rest);
            rest = _mm256_extractf128_pd::<1>(value);
            to = to.add(2);
        }
        if lanes & 1 != 0 {
            *to = _mm_cvtsd_f64(rest);
        }
    }
}

//! 256-bit vectors: 16 registers, masks in vectors.

use super::simd::{Shape, Simd, Tiles, shape, tiles};
use std::arch::x86_64::*;

macro_rules! avx2 {
    (
        $name:ident, $elem:ty, $vec:ty, $lanes:literal, $run:ident,
        $zero:ident, $splat:ident, $load:ident, $store:ident, $mask_load:ident, $mask_store:ident, $fma:ident,
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
            type Mask = __m256i;
            const LANES: usize = $lanes;
            const SHAPES: [Shape<$elem>; 4] = [
                shape!($run, 1, [1 2 3 4 5 6 7 8 9 10 11 12]),
                shape!($run, 2, [1 2 3 4 5 6]),
                shape!($run, 3, [1 2 3 4]),
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
            unsafe fn mask(lanes: usize) -> __m256i {
                const RAMP: [$int; $lanes] = $ramp;
                // SAFETY: the caller promises AVX2; `RAMP` is as long as a vector.
                unsafe { $compare($ones(lanes as $int), _mm256_loadu_si256(RAMP.as_ptr().cast())) }
            }
            #[inline(always)]
            unsafe fn load_first(from: *const $elem, mask: __m256i) -> $vec {
                // SAFETY: the caller promises AVX2; lanes outside the mask are not read.
                unsafe { $mask_load(from, mask) }
            }
            #[inline(always)]
            unsafe fn store_first(to: *mut $elem, mask: __m256i, value: $vec) {
                // SAFETY: the caller promises AVX2; lanes outside the mask are not written.
                unsafe { $mask_store(to, mask, value) }
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
    _mm256_maskstore_ps,
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
    _mm256_maskstore_pd,
    _mm256_fmadd_pd,
    _mm256_cmpgt_epi64,
    i64,
    _mm256_set1_epi64x,
    [0, 1, 2, 3]
);

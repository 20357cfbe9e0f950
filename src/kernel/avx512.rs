//! 512-bit vectors: 32 registers, masks for free. And 256-bit vectors with the same comforts: a core that computes 512
//! bits in two halves spends no time on a half that is not there.

use super::simd::{Shape, Simd, Tiles, shape, tiles};
use std::arch::x86_64::*;

macro_rules! avx512 {
    (
        $name:ident, $half:ty, $elem:ty, $vec:ty, $mask:ty, $lanes:literal, $run:ident,
        $zero:ident, $splat:ident, $load:ident, $store:ident, $maskz_load:ident, $mask_store:ident, $fma:ident
    ) => {
        #[derive(Clone, Copy)]
        pub(super) struct $name;

        #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
        unsafe fn $run<const MR: usize, const NV: usize, const TAIL: bool>(t: &Tiles<$elem>) {
            // SAFETY: the caller's promise is the same.
            unsafe { tiles::<$name, MR, NV, TAIL>(t) }
        }

        impl Simd for $name {
            type Elem = $elem;
            type Vec = $vec;
            type Mask = $mask;
            const LANES: usize = $lanes;
            const MASKED_LOADS: bool = true;
            type Half = $half;
            const SHAPES: [Shape<$elem>; 7] = [
                shape!($run, 1, [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16]),
                shape!($run, 2, [1 2 3 4 5 6 7 8 9 10 11 12 13 14]),
                shape!($run, 3, [1 2 3 4 5 6 7 8 9]),
                shape!($run, 4, [1 2 3]),
                shape!($run, 5, [1 2 3]),
                shape!($run, 6, [1 2 3]),
                shape!($run, 8, [1 2]),
            ];

            #[inline(always)]
            unsafe fn zero() -> $vec {
                // SAFETY: the caller promises AVX-512.
                unsafe { $zero() }
            }
            #[inline(always)]
            unsafe fn splat(value: $elem) -> $vec {
                // SAFETY: the caller promises AVX-512.
                unsafe { $splat(value) }
            }
            #[inline(always)]
            unsafe fn load(from: *const $elem) -> $vec {
                // SAFETY: the caller promises AVX-512 and a whole vector to read.
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn store(to: *mut $elem, value: $vec) {
                // SAFETY: the caller promises AVX-512 and a whole vector to write.
                unsafe { $store(to, value) }
            }
            #[inline(always)]
            unsafe fn mask(lanes: usize) -> $mask {
                <$mask>::MAX >> (<$mask>::BITS as usize - lanes)
            }
            #[inline(always)]
            unsafe fn load_first(from: *const $elem, mask: $mask) -> $vec {
                // SAFETY: the caller promises AVX-512; lanes outside the mask are not read.
                unsafe { $maskz_load(mask, from) }
            }
            #[inline(always)]
            unsafe fn store_first(to: *mut $elem, mask: $mask, value: $vec) {
                // SAFETY: the caller promises AVX-512; lanes outside the mask are not written.
                unsafe { $mask_store(to, mask, value) }
            }
            #[inline(always)]
            unsafe fn fma(a: $vec, b: $vec, c: $vec) -> $vec {
                // SAFETY: the caller promises AVX-512.
                unsafe { $fma(a, b, c) }
            }
        }
    };
}

avx512!(
    F32x16,
    F32x8,
    f32,
    __m512,
    __mmask16,
    16,
    run_f32,
    _mm512_setzero_ps,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_maskz_loadu_ps,
    _mm512_mask_storeu_ps,
    _mm512_fmadd_ps
);
avx512!(
    F64x8,
    F64x4,
    f64,
    __m512d,
    __mmask8,
    8,
    run_f64,
    _mm512_setzero_pd,
    _mm512_set1_pd,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_maskz_loadu_pd,
    _mm512_mask_storeu_pd,
    _mm512_fmadd_pd
);
avx512!(
    F32x8,
    F32x8,
    f32,
    __m256,
    __mmask8,
    8,
    run_half_f32,
    _mm256_setzero_ps,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_maskz_loadu_ps,
    _mm256_mask_storeu_ps,
    _mm256_fmadd_ps
);
avx512!(
    F64x4,
    F64x4,
    f64,
    __m256d,
    __mmask8,
    4,
    run_half_f64,
    _mm256_setzero_pd,
    _mm256_set1_pd,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_maskz_loadu_pd,
    _mm256_mask_storeu_pd,
    _mm256_fmadd_pd
);

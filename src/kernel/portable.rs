//! Vectors of plain Rust, for CPUs without a kernel of their own; the compiler maps them to what there is (NEON).

use super::simd::{Shape, Simd, Tiles, shape, tiles};
use std::array::from_fn;

macro_rules! portable {
    ($name:ident, $elem:ty, $lanes:literal, $run:ident) => {
        #[derive(Clone, Copy)]
        pub(super) struct $name;

        unsafe fn $run<const MR: usize, const NV: usize, const TAIL: bool>(t: &Tiles<$elem>) {
            // SAFETY: the caller's promise is the same.
            unsafe { tiles::<$name, MR, NV, TAIL>(t) }
        }

        impl Simd for $name {
            type Elem = $elem;
            type Vec = [$elem; $lanes];
            type Mask = usize;
            const LANES: usize = $lanes;
            const MASKED_LOADS: bool = false;
            type Half = Self;
            const SHAPES: [Shape<$elem>; 7] = [
                shape!($run, 1, [1 2 3 4]),
                shape!($run, 2, [1 2 3 4]),
                shape!($run, 3, [1 2 3 4]),
                shape!($run, 4, [1]),
                shape!($run, 5, [1]),
                shape!($run, 6, [1]),
                shape!($run, 8, [1]),
            ];

            #[inline(always)]
            unsafe fn zero() -> Self::Vec {
                [0.0; $lanes]
            }
            #[inline(always)]
            unsafe fn splat(value: $elem) -> Self::Vec {
                [value; $lanes]
            }
            #[inline(always)]
            unsafe fn load(from: *const $elem) -> Self::Vec {
                // SAFETY: the caller promises a whole vector to read; arrays of floats need no more alignment.
                unsafe { from.cast::<Self::Vec>().read() }
            }
            #[inline(always)]
            unsafe fn store(to: *mut $elem, value: Self::Vec) {
                // SAFETY: the caller promises a whole vector to write.
                unsafe { to.cast::<Self::Vec>().write(value) }
            }
            #[inline(always)]
            unsafe fn mask(lanes: usize) -> usize {
                lanes
            }
            #[inline(always)]
            unsafe fn load_first(from: *const $elem, mask: usize) -> Self::Vec {
                // SAFETY: lanes from `mask` on are not read.
                from_fn(|lane| if lane < mask { unsafe { *from.add(lane) } } else { 0.0 })
            }
            #[inline(always)]
            unsafe fn store_first(to: *mut $elem, mask: usize, value: Self::Vec) {
                for (lane, value) in value.into_iter().enumerate().take(mask) {
                    // SAFETY: lanes from `mask` on are not written.
                    unsafe { *to.add(lane) = value }
                }
            }
            #[inline(always)]
            unsafe fn fma(a: Self::Vec, b: Self::Vec, c: Self::Vec) -> Self::Vec {
                from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
            }
        }
    };
}

portable!(F32x4, f32, 4, run_f32);
portable!(F64x2, f64, 2, run_f64);

//! The two number types the kernels have code for.

use super::math::Elementary;
use super::multiply::{Product, multiply};
use super::transpose::blocks_portable;
use super::{Path, path};
use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`: the number types the kernels have code for.
///
/// The methods are for the kernels; elementwise code calls the free functions of [`math`](super::math), whose names
/// cannot collide with those of `num_traits`.
pub trait Scalar:
    Copy
    + PartialOrd
    + Default
    + Debug
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Elementary
    + sealed::Sealed
{
    #[doc(hidden)]
    fn s_from_f64(value: f64) -> Self;
    #[doc(hidden)]
    fn s_to_f64(self) -> f64;
    #[doc(hidden)]
    fn s_fma(self, b: Self, c: Self) -> Self;
    #[doc(hidden)]
    fn s_abs(self) -> Self;
    #[doc(hidden)]
    fn s_sqrt(self) -> Self;
    #[doc(hidden)]
    fn s_copysign(self, sign: Self) -> Self;
    /// The bits without the sign.
    #[doc(hidden)]
    type Magnitude: Ord + Copy;
    #[doc(hidden)]
    fn s_magnitude(self) -> Self::Magnitude;
    #[doc(hidden)]
    fn s_of_magnitude(bits: Self::Magnitude) -> Self;
    /// # Safety
    ///
    /// The matrices are what the product says they are, and `c` overlaps none of the others.
    #[doc(hidden)]
    unsafe fn s_multiply(product: &Product<Self>);
    /// # Safety
    ///
    /// As for the blocks of `transpose.rs`.
    #[doc(hidden)]
    unsafe fn s_transpose_blocks(
        rows: usize,
        cols: usize,
        src: *const Self,
        src_row: usize,
        dst: *mut Self,
        dst_row: usize,
    );
}

macro_rules! scalar {
    ($t:ty, $bits:ty, $portable:ty, $avx2:ty, $avx512:ty, $side:literal, $transpose:ident) => {
        impl Scalar for $t {
            #[inline(always)]
            fn s_from_f64(value: f64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn s_to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn s_fma(self, b: Self, c: Self) -> Self {
                self.mul_add(b, c)
            }
            #[inline(always)]
            fn s_abs(self) -> Self {
                self.abs()
            }
            #[inline(always)]
            fn s_sqrt(self) -> Self {
                self.sqrt()
            }
            #[inline(always)]
            fn s_copysign(self, sign: Self) -> Self {
                self.copysign(sign)
            }
            type Magnitude = $bits;
            #[inline(always)]
            fn s_magnitude(self) -> $bits {
                self.to_bits() & (<$bits>::MAX >> 1)
            }
            #[inline(always)]
            fn s_of_magnitude(bits: $bits) -> Self {
                <$t>::from_bits(bits)
            }
            unsafe fn s_multiply(product: &Product<Self>) {
                // SAFETY: the caller promises the matrices, `path` the instructions.
                unsafe {
                    match path() {
                        #[cfg(target_arch = "x86_64")]
                        Path::Avx512 => multiply::<$avx512>(product),
                        #[cfg(target_arch = "x86_64")]
                        Path::Avx2 => multiply::<$avx2>(product),
                        _ => multiply::<$portable>(product),
                    }
                }
            }
            unsafe fn s_transpose_blocks(
                rows: usize,
                cols: usize,
                src: *const Self,
                src_row: usize,
                dst: *mut Self,
                dst_row: usize,
            ) {
                // SAFETY: the caller promises the matrices, `path` the instructions.
                unsafe {
                    match path() {
                        #[cfg(target_arch = "x86_64")]
                        Path::Avx512 | Path::Avx2 => {
                            super::transpose::$transpose(rows, cols, src, src_row, dst, dst_row)
                        }
                        _ => blocks_portable::<Self, $side>(rows, cols, src, src_row, dst, dst_row),
                    }
                }
            }
        }
    };
}

scalar!(f32, u32, super::portable::F32x4, super::avx2::F32x8, super::avx512::F32x16, 8, blocks_f32);
scalar!(f64, u64, super::portable::F64x2, super::avx2::F64x4, super::avx512::F64x8, 4, blocks_f64);

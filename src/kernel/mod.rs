//! How fast: matrix products, sums and elementwise functions, chosen for the CPU at run time.
//!
//! One promise decides everything here: **the same bits on every path**.
//!
//! - An element of a matrix product is one chain of fused multiply-adds in rising order of the summed index, started
//!   from the bias or from zero. Vector width, blocking and the split of rows over threads never touch that order.
//! - A sum is a fixed set of lanes and a fixed tree ([`sum`]), whatever the registers are.
//! - `exp`, `ln`, `tanh`, … are our own, branch-free, and made of operations that every CPU rounds alike ([`math`]).
//!
//! So a fit gives the same bytes on AVX-512, on AVX2 and in portable code, on one thread or sixteen. (The payload of
//! a NaN is the one thing that is not promised.)
//!
//! Start with [`dense_forward`] for the products, [`dispatch`] for a loop of your own, [`Buffer`] for the memory.
//! This is the one room where `unsafe` may live.
#![allow(unsafe_code)]

mod ahead;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod buffer;
mod crew;
mod gather;
pub mod math;
mod multiply;
mod narrow;
mod path;
mod peak;
mod portable;
mod product;
mod scalar;
mod simd;
mod slices;
mod sums;
mod transpose;
#[cfg(test)]
mod tuning;

pub use ahead::announce_rows;
pub(crate) use ahead::{claiming, fetch_columns};
pub use buffer::{ALIGN, Buffer, aligned_len};
pub(crate) use crew::{Block, Crew, Cuts, MOST_PARTS, Matrices, Slices};
#[doc(hidden)]
pub use crew::{helped_parts, with_shared_steps};
pub use gather::gather_rows;
pub use path::{Path, dispatch, path, with_path};
#[doc(hidden)]
pub use peak::fma_peak;
pub use product::{dense_forward, dense_input_gradient, dense_weight_gradient};
pub use scalar::Scalar;
pub use slices::{erf_slice, exp_slice, ln_slice, sigmoid_slice, softplus_slice, tanh_slice};
pub use sums::{all_finite, column_sums, dot, largest_magnitude, sum, sum_of_abs, sum_of_squares};
pub use transpose::transpose;

/// Whether a slice of that length holds a matrix of those rows and columns. A product too large for a `usize` is no length.
fn is_shape(len: usize, rows: usize, columns: usize) -> bool {
    rows.checked_mul(columns) == Some(len)
}

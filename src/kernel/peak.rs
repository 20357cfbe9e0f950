//! What this CPU can do at most: fused multiply-adds that wait for nothing.

use super::simd::Simd;
use super::{Path, Scalar, path, portable};
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};
use std::hint::black_box;
use std::time::Instant;

/// Independent chains: latency times throughput of the widest core, and few enough for sixteen registers.
const CHAINS: usize = 12;
/// Links of a chain in one block, some ten microseconds.
const LINKS: usize = 2000;
/// Blocks, of which the fastest counts.
const BLOCKS: usize = 8;

/// GFLOP/s of one thread that does nothing but fused multiply-adds in registers, on the [`path`] in use: what a share
/// of the peak is a share of. Takes a tenth of a millisecond, so that benchmarks can ask between any two measurements.
#[doc(hidden)]
#[must_use]
pub fn fma_peak<S: Scalar>() -> f64 {
    let (lanes, run): (usize, unsafe fn()) = match (path(), size_of::<S>()) {
        #[cfg(target_arch = "x86_64")]
        (Path::Avx512, 4) => (16, avx512_single),
        #[cfg(target_arch = "x86_64")]
        (Path::Avx512, _) => (8, avx512_double),
        #[cfg(target_arch = "x86_64")]
        (Path::Avx2, 4) => (8, avx2_single),
        #[cfg(target_arch = "x86_64")]
        (Path::Avx2, _) => (4, avx2_double),
        (_, 4) => (4, chains::<portable::F32x4>),
        _ => (2, chains::<portable::F64x2>),
    };
    let seconds = || {
        let start = Instant::now();
        // SAFETY: `path` returns only what the CPU has.
        unsafe { run() };
        start.elapsed().as_secs_f64()
    };
    let best = (0..BLOCKS).map(|_| seconds()).fold(f64::INFINITY, f64::min);
    (2 * CHAINS * LINKS * lanes) as f64 / best / 1e9
}

/// # Safety
///
/// The CPU has the instructions of `V`, and the caller is compiled for them.
#[inline(always)]
unsafe fn chains<V: Simd>() {
    // SAFETY: the caller's promise.
    unsafe {
        let factor = V::splat(black_box(V::Elem::s_from_f64(0.999)));
        let mut sums = [factor; CHAINS];
        for _ in 0..LINKS {
            for sum in &mut sums {
                *sum = V::fma(*sum, factor, factor);
            }
        }
        black_box(sums);
    }
}

#[cfg(target_arch = "x86_64")]
macro_rules! chains_on {
    ($name:ident, $vector:ty, $features:literal) => {
        #[target_feature(enable = $features)]
        unsafe fn $name() {
            // SAFETY: compiled for the instructions of the vector, and the caller promises them.
            unsafe { chains::<$vector>() }
        }
    };
}
#[cfg(target_arch = "x86_64")]
chains_on!(avx512_single, avx512::F32x16, "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma");
#[cfg(target_arch = "x86_64")]
chains_on!(avx512_double, avx512::F64x8, "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma");
#[cfg(target_arch = "x86_64")]
chains_on!(avx2_single, avx2::F32x8, "avx2,fma");
#[cfg(target_arch = "x86_64")]
chains_on!(avx2_double, avx2::F64x4, "avx2,fma");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::with_path;

    #[test]
    fn every_path_has_a_peak() {
        for forced in Path::available() {
            let (single, double) = with_path(forced, || (fma_peak::<f32>(), fma_peak::<f64>()));
            assert!(single.is_finite() && single > 0.0, "{forced:?}: {single}");
            assert!(double.is_finite() && double > 0.0, "{forced:?}: {double}");
        }
    }
}

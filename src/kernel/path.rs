//! Which instruction set runs, and how a plain loop gets it.

use std::cell::Cell;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// The code a kernel runs: the widest the CPU has, unless a test forces another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Path {
    /// Plain Rust. Without a fused multiply-add in the build's own instruction set it is slow, but has the same bits.
    Portable = 1,
    /// 256-bit vectors with fused multiply-add (x86-64 since 2013).
    Avx2 = 2,
    /// 512-bit vectors with masks.
    Avx512 = 3,
}

/// 0 until asked for the first time, then the path in use.
static CURRENT: AtomicU8 = AtomicU8::new(0);
/// Held while a test forces a path.
static FORCED: Mutex<()> = Mutex::new(());

impl Path {
    /// Whether this CPU can run it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Path::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Path::Avx512 => {
                Path::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("bmi1")
                    && is_x86_feature_detected!("bmi2")
            }
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    /// All paths this CPU can run, the fastest first.
    #[must_use]
    pub fn available() -> Vec<Path> {
        [Path::Avx512, Path::Avx2, Path::Portable].into_iter().filter(|path| path.is_available()).collect()
    }
}

/// The path in use.
#[inline]
#[must_use]
pub fn path() -> Path {
    match CURRENT.load(Relaxed) {
        1 => Path::Portable,
        2 => Path::Avx2,
        3 => Path::Avx512,
        _ => detect(),
    }
}

#[cold]
fn detect() -> Path {
    let best = Path::available().into_iter().next().unwrap_or(Path::Portable);
    // Another thread may have forced a path since: keep that one.
    match CURRENT.compare_exchange(0, best as u8, Relaxed, Relaxed) {
        Ok(_) => best,
        Err(_) => path(),
    }
}

/// Runs `f` with every kernel of the process, on all its threads, on `forced`: for tests and benchmarks.
///
/// Callers on other threads wait for their turn. Nested calls on one thread are fine.
///
/// # Panics
///
/// If this CPU cannot run `forced`.
#[doc(hidden)]
pub fn with_path<R>(forced: Path, f: impl FnOnce() -> R) -> R {
    thread_local!(static INSIDE: Cell<bool> = const { Cell::new(false) });

    struct Restore {
        path: Path,
        outermost: bool,
    }
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.store(self.path as u8, Relaxed);
            if self.outermost {
                INSIDE.set(false);
            }
        }
    }

    // The safety of every kernel rests on this check: `CURRENT` only ever holds an available path.
    assert!(forced.is_available(), "this CPU cannot run {forced:?}");
    let outermost = !INSIDE.get();
    let _turn = outermost.then(|| FORCED.lock().unwrap_or_else(PoisonError::into_inner));
    INSIDE.set(true);
    let _restore = Restore { path: path(), outermost };
    CURRENT.store(forced as u8, Relaxed);
    f()
}

/// Runs `f` compiled for the widest instruction set of this CPU, so that the plain loops in it become vector code.
///
/// Write the closure with `#[inline(always)]`, as below: only what is inlined into the call is compiled for the wide
/// registers. The same holds for the functions it calls; those of [`math`](super::math) are marked. Keep to
/// operations that every CPU rounds alike (`+ − × ÷`, `math::fma`, `math::sqrt`, comparisons, selections) and to sums
/// from [`sums`](super::sum), and the bits are the same on every path.
///
/// ```ignore
/// dispatch(
///     #[inline(always)]
///     || {
///         for z in values.iter_mut() {
///             *z = math::max(*z, of(0.0));
///         }
///     },
/// );
/// ```
#[inline(always)]
pub fn dispatch<R>(f: impl FnOnce() -> R) -> R {
    match path() {
        // SAFETY: `path` returns only what the CPU was found to have.
        #[cfg(target_arch = "x86_64")]
        Path::Avx512 => unsafe { with_avx512(f) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Path::Avx2 => unsafe { with_avx2(f) },
        _ => f(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,bmi1,bmi2")]
fn with_avx512<R>(f: impl FnOnce() -> R) -> R {
    f()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2<R>(f: impl FnOnce() -> R) -> R {
    f()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forced_path_lasts_as_long_as_the_closure() {
        for forced in Path::available() {
            with_path(forced, || {
                assert_eq!(path(), forced);
                with_path(Path::Portable, || assert_eq!(path(), Path::Portable));
                assert_eq!(path(), forced);
            });
        }
    }

    #[test]
    fn a_panic_releases_the_forced_path() {
        let caught = std::panic::catch_unwind(|| with_path(Path::Portable, || panic!("on purpose")));
        assert!(caught.is_err());
        with_path(Path::available()[0], || assert_eq!(path(), Path::available()[0]));
    }
}

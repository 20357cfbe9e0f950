//! A switch for tests: every piece is shared, however small.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Callers under the switch.
static FORCED: AtomicUsize = AtomicUsize::new(0);
/// Parts that helpers have done under it.
static HELPED: AtomicU64 = AtomicU64::new(0);

/// How long to wait for the first helper under the switch.
const WAIT: Duration = Duration::from_millis(20);

/// Runs `f` with every fit of the process shared among the threads of its pool, however small it is, and cut into as many parts
/// as the pool has threads, whoever does them: for tests.
#[doc(hidden)]
pub fn with_shared_steps<R>(f: impl FnOnce() -> R) -> R {
    struct Off;
    impl Drop for Off {
        fn drop(&mut self) {
            FORCED.fetch_sub(1, Relaxed);
        }
    }
    FORCED.fetch_add(1, Relaxed);
    let _off = Off;
    f()
}

/// Parts of pieces that helpers have done under [`with_shared_steps`]: for tests.
#[doc(hidden)]
#[must_use]
pub fn helped_parts() -> u64 {
    HELPED.load(Relaxed)
}

pub(super) fn is_on() -> bool {
    FORCED.load(Relaxed) > 0
}

/// Waits for something that need not come.
pub(super) fn wait_until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() && start.elapsed() < WAIT {
        std::thread::yield_now();
    }
}

/// Lets others come first now and then, who on a busy machine would come too late for such small pieces.
pub(super) fn give_way() {
    static PIECES: AtomicU64 = AtomicU64::new(0);
    if is_on() && PIECES.fetch_add(1, Relaxed).is_multiple_of(8) {
        std::thread::yield_now();
    }
}

pub(super) fn count_help() {
    if is_on() {
        HELPED.fetch_add(1, Relaxed);
    }
}

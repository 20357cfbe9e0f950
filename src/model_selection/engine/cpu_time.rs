//! How long a thread has been at work.

/// Seconds that this thread has spent on a processor since it began. The standard library has no such clock, and Linux tells it
/// in a file; nothing is known elsewhere.
pub(super) fn thread_cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    // Nanoseconds at work, nanoseconds in the queue, turns.
    let nanoseconds: u64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds as f64 * 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn sleep_is_no_work_and_work_is() {
        let Some(start) = thread_cpu_seconds() else {
            assert!(!cfg!(target_os = "linux") || std::fs::metadata("/proc/thread-self/schedstat").is_err());
            return;
        };
        std::thread::sleep(Duration::from_millis(200));
        let slept = thread_cpu_seconds().expect("it was there before") - start;
        assert!((0.0..0.1).contains(&slept), "{slept}");
        let begin = Instant::now();
        let mut sum = 0.0_f64;
        while thread_cpu_seconds().expect("it was there before") - start < slept + 0.02 {
            sum += (0..1000).map(f64::from).sum::<f64>().sqrt();
            assert!(begin.elapsed() < Duration::from_secs(60), "the clock stands still; {sum}");
        }
    }
}

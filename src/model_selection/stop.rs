//! When fits shall stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The search's flag, and the moment at which its time is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop<'a> {
    flag: &'a AtomicBool,
    deadline: Option<(Instant, Duration)>,
}

impl<'a> Stop<'a> {
    /// From now on, as the flag says and for so long.
    pub(crate) fn new(flag: &'a AtomicBool, time: Option<Duration>) -> Self {
        // A time too long for the clock never ends.
        let deadline = time.and_then(|time| Some((Instant::now().checked_add(time)?, time)));
        Stop { flag, deadline }
    }

    /// Why to stop, if there is a reason now.
    pub(crate) fn reason(&self) -> Option<String> {
        if self.flag.load(Ordering::Relaxed) {
            return Some("the stop flag was set".into());
        }
        let (_, time) = self.deadline.filter(|(end, _)| Instant::now() >= *end)?;
        Some(format!("the budget of {} s is spent", time.as_secs_f64()))
    }

    /// Whether there is a reason to stop now.
    pub(crate) fn is_due(&self) -> bool {
        self.flag.load(Ordering::Relaxed) || self.deadline.is_some_and(|(end, _)| Instant::now() >= end)
    }
}

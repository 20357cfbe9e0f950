//! What other processes do meanwhile: the machine may not be ours alone.

use std::fs::read_to_string;
use std::time::Instant;

/// Clock ticks a second in `/proc`, on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// A moment from which the load of others is counted.
pub struct Load {
    start: Instant,
    seconds: Option<f64>,
}

impl Load {
    pub fn now() -> Self {
        Load { start: Instant::now(), seconds: others() }
    }

    /// The mean number of cores that others have kept busy since; none where the system does not say.
    pub fn since(&self) -> Option<f64> {
        let wall = self.start.elapsed().as_secs_f64();
        Some(((others()? - self.seconds?) / wall).max(0.0))
    }
}

/// Seconds of all cores spent for others, since some moment.
fn others() -> Option<f64> {
    let stat = read_to_string("/proc/stat").ok()?;
    let all: Vec<f64> =
        stat.lines().next()?.split_whitespace().skip(1).filter_map(|t| t.parse().ok()).collect();
    // user, nice, system, then idle and waiting, then interrupts and what the host took.
    let busy: f64 = all.iter().take(8).sum::<f64>() - all.get(3)? - all.get(4)?;
    let own = read_to_string("/proc/self/stat").ok()?;
    let own: f64 = own
        .rsplit_once(')')?
        .1
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|t| t.parse::<f64>().ok())
        .sum();
    Some((busy - own) / TICKS)
}

/// Most memory this process has held at once, in MiB.
pub fn peak_rss() -> Option<f64> {
    let status = read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

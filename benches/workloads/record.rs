//! Measurements, and the lines they become.

use std::time::Instant;

use linfa_mlp::kernel::fma_peak;
use serde::Serialize;

use crate::arguments::Arguments;
use crate::cores::round_trip_ns;
use crate::load::Load;

/// One line: the schema that all libraries share.
#[derive(Serialize)]
struct Record<'r> {
    workload: &'r str,
    peer: &'r str,
    version: &'r str,
    threads: usize,
    metric: &'r str,
    /// Median of the repeats.
    value: f64,
    min: f64,
    max: f64,
    n: usize,
    unit: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_cpu: Option<f64>,
}

/// Writes lines.
pub struct Recorder {
    pub peer: String,
    threads: usize,
    json: bool,
}

/// Repeats of one measurement.
pub struct Times {
    /// Seconds of each.
    pub seconds: Vec<f64>,
    /// Of the most disturbed one.
    pub other_cpu: Option<f64>,
    /// GFLOP/s of fused multiply-adds, one thread, measured before and after each repeat.
    pub peaks: Vec<f64>,
    /// Nanoseconds to another core and back, before and after each repeat; none on one thread.
    pub round_trips: Vec<f64>,
}

/// A repeat is quiet when others kept fewer cores busy.
const QUIET: f64 = 0.1;
/// Seconds that a repeat must take to tell the load of others.
const LEAST: f64 = 0.3;

/// Calls `f` until `n` calls were left alone, or patience ends; keeps the least disturbed ones. What is kept depends
/// on the load of others, never on the time that was measured.
pub fn repeat(arguments: &Arguments, n: usize, mut f: impl FnMut()) -> Times {
    let patience = if arguments.quick { 0.0 } else { arguments.patience as f64 };
    let peak = if arguments.double { fma_peak::<f64> } else { fma_peak::<f32> };
    let start = Instant::now();
    let round_trip = || (arguments.threads > 1).then(round_trip_ns);
    let mut attempts = Vec::new();
    let mut calls = 1;
    loop {
        let (before, there) = (peak(), round_trip());
        let (load, begin) = (Load::now(), Instant::now());
        for _ in 0..calls {
            f();
        }
        let seconds = begin.elapsed().as_secs_f64() / calls as f64;
        let other = load.since().unwrap_or(0.0);
        let (most, back) = (before.max(peak()), round_trip());
        if calls == 1 && seconds < LEAST && !arguments.quick {
            // Too short to tell: this was the warm-up.
            calls = (LEAST / seconds) as usize + 1;
            continue;
        }
        attempts.push((other, seconds, most, [there, back]));
        let quiet = attempts.iter().filter(|(other, ..)| *other <= QUIET).count();
        if quiet >= n || attempts.len() >= n && start.elapsed().as_secs_f64() > patience {
            break;
        }
    }
    attempts.sort_by(|a, b| f64::total_cmp(&a.0, &b.0));
    attempts.truncate(n);
    Times {
        seconds: attempts.iter().map(|(_, seconds, ..)| *seconds).collect(),
        other_cpu: attempts.last().map(|(other, ..)| *other),
        peaks: attempts.iter().map(|(.., peak, _)| *peak).collect(),
        round_trips: attempts.iter().flat_map(|(.., trips)| trips.iter().copied().flatten()).collect(),
    }
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

impl Recorder {
    pub fn new(arguments: &Arguments) -> Self {
        let best = linfa_mlp::kernel::Path::available().first() == Some(&arguments.path);
        let path = if best { String::new() } else { format!("-{:?}", arguments.path).to_lowercase() };
        Recorder { peer: format!("linfa-mlp{path}"), threads: arguments.threads, json: arguments.json }
    }

    /// One line for some repeats.
    pub fn emit(&mut self, workload: &str, metric: &str, unit: &str, values: &[f64], other: Option<f64>) {
        let six = |value: f64| (value * 1e6).round() / 1e6;
        let record = Record {
            workload,
            peer: &self.peer,
            version: env!("CARGO_PKG_VERSION"),
            threads: self.threads,
            metric,
            value: six(median(values)),
            min: six(values.iter().copied().fold(f64::INFINITY, f64::min)),
            max: six(values.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
            n: values.len(),
            unit,
            other_cpu: other.map(|other| (other * 1e3).round() / 1e3),
        };
        if self.json {
            println!("{}", serde_json::to_string(&record).expect("numbers and names become JSON"));
            return;
        }
        let other = other.map_or(String::new(), |other| format!("   others {other:.2} cores"));
        println!(
            "{workload:>14} {metric:24} {:>14} {unit:10} {} to {}{other}",
            short(record.value),
            short(record.min),
            short(record.max),
        );
    }
}

/// Four digits that count.
fn short(value: f64) -> String {
    let digits = (3 - value.abs().max(1e-3).log10().floor() as i32).clamp(0, 6) as usize;
    format!("{value:.digits$}")
}

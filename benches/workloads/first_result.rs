//! W5: a process starts, fits W2's model once and ends.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use linfa_mlp::train::Training;

use crate::arguments::Arguments;
use crate::data;
use crate::load::{Load, peak_rss};
use crate::record::Recorder;
use crate::training::small_model;

/// The process that is measured: says when the fit has returned, and how much memory it has held.
pub fn child() -> Result<(), Box<dyn Error>> {
    let (x, y) = data::tabular_small();
    let mut model = small_model::<f32>()?;
    model.fit(&x, &y, &Training::epochs(100).batch_size(32))?;
    println!("{}", peak_rss().unwrap_or(f64::NAN));
    Ok(())
}

pub fn run(arguments: &Arguments, recorder: &mut Recorder) -> Result<(), Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let (mut fitted, mut ended, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    let load = Load::now();
    let runs = if arguments.quick { 1 } else { arguments.repeats.max(5) };
    // The first one fills the cache of files and is not counted.
    for run in 0..=runs {
        let start = Instant::now();
        let mut child = Command::new(&program).arg("--child").stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("the child has an output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let at_fitted = start.elapsed().as_secs_f64();
        if !child.wait()?.success() {
            return Err("the child has failed".into());
        }
        if run > 0 {
            fitted.push(at_fitted);
            ended.push(start.elapsed().as_secs_f64());
            memory.push(line.trim().parse()?);
        }
    }
    // The children's time counts as ours once they have ended.
    let other = load.since();
    recorder.emit("first_result", "start_to_fitted_s", "s", &fitted, other);
    recorder.emit("first_result", "start_to_exit_s", "s", &ended, other);
    recorder.emit("first_result", "peak_rss_mib", "MiB", &memory, other);
    Ok(())
}

//! The workloads that other libraries are measured by, and what share of the CPU's peak the kernels reach.
//!
//! ```text
//! cargo bench --bench workloads -- w1 --threads 1 --json
//! cargo bench --bench workloads -- shapes --path avx2
//! cargo bench --bench workloads -- --peak
//! ```
//!
//! `benches/README.md` says what each workload is, `benches/peers` runs other libraries on the same ones.

mod arguments;
mod cores;
mod data;
mod first_result;
mod inference;
mod load;
mod record;
mod search;
mod shapes;
mod slopes;
mod threads;
mod training;

use std::error::Error;
use std::process::ExitCode;

use arguments::{Arguments, Workload};
use linfa_mlp::kernel::{fma_peak, with_path};
use record::Recorder;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    if arguments.child {
        return first_result::child();
    }
    // What runs on all cores by default runs on so many.
    rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build_global()?;
    let mut recorder = Recorder::new(&arguments);
    if arguments.peak {
        with_path(arguments.path, || peak(&mut recorder));
    }
    for &workload in &arguments.workloads {
        with_path(arguments.path, || match workload {
            Workload::Training if arguments.double => training::large::<f64>(&arguments, &mut recorder),
            Workload::Training => training::large::<f32>(&arguments, &mut recorder),
            Workload::SmallSteps if arguments.double => training::small::<f64>(&arguments, &mut recorder),
            Workload::SmallSteps => training::small::<f32>(&arguments, &mut recorder),
            Workload::Search => search::grid(&arguments, &mut recorder),
            Workload::Inference => inference::run(&arguments, &mut recorder),
            Workload::FirstResult => first_result::run(&arguments, &mut recorder),
            Workload::Shapes => shapes::run(&arguments, &mut recorder),
            Workload::Slopes => slopes::run(&arguments, &mut recorder),
            Workload::Cores => {
                cores::run(&arguments, &mut recorder);
                Ok(())
            }
            Workload::Threads => threads::run(&arguments, &mut recorder),
        })?;
    }
    Ok(())
}

/// GFLOP/s of fused multiply-adds alone, one thread.
fn peak(recorder: &mut Recorder) {
    let (mut single, mut double) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        single.push(fma_peak::<f32>());
        double.push(fma_peak::<f64>());
    }
    recorder.emit("peak", "fma_f32_gflops", "GFLOP/s", &single, None);
    recorder.emit("peak", "fma_f64_gflops", "GFLOP/s", &double, None);
}

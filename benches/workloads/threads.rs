//! Whole steps on one thread and on several, by width and batch: where threads begin to pay.

use std::error::Error;
use std::time::Instant;

use linfa_mlp::loss::MeanSquaredError;
use linfa_mlp::network::{Dense, Relu, Sequential};
use linfa_mlp::optimizer::Adam;
use linfa_mlp::train::{Data, Plan, Rows, Run, Until};
use ndarray::Array2;

use crate::arguments::Arguments;
use crate::record::{Recorder, median};

const WIDTHS: [usize; 6] = [16, 32, 64, 128, 256, 512];
const BATCHES: [usize; 4] = [32, 128, 200, 512];
const BATCHES_OF_EPOCH: usize = 8;

/// Seconds that one measurement shall take.
const BLOCK: f64 = 0.1;

/// Prints, for every width and batch, the time of a step on one thread and how many times faster it is on the others: the
/// median of pairs that follow one another.
pub fn run(arguments: &Arguments, recorder: &mut Recorder) -> Result<(), Box<dyn Error>> {
    let pairs = if arguments.quick { 3 } else { 4 * arguments.repeats + 3 };
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let (alone, together) = (pool(1)?, pool(arguments.threads)?);
    for width in WIDTHS {
        for rows in BATCHES {
            let x = Array2::from_shape_fn((BATCHES_OF_EPOCH * rows, width), |(i, j)| {
                ((i * 7 + j * 13) % 31) as f32 / 31.0
            });
            let data = Data { training: Rows::new(x.view(), x.view())?, validation: None };
            let mut run = Run::<f32>::new(plan(width, rows), width)?;
            let mut goal = 0;
            // Seconds of a step, over so many epochs.
            let mut step = |pool: &rayon::ThreadPool, epochs: usize| -> linfa_mlp::Result<f64> {
                goal += epochs;
                let start = Instant::now();
                pool.install(|| run.advance(&data, Until::epochs(goal)))?;
                Ok(start.elapsed().as_secs_f64() / (epochs * BATCHES_OF_EPOCH) as f64)
            };
            let block = if arguments.quick { BLOCK / 20.0 } else { BLOCK };
            step(&alone, 1)?;
            let epochs = (block / step(&alone, 2)? / BATCHES_OF_EPOCH as f64) as usize + 1;
            let (mut micros, mut ratios) = (Vec::new(), Vec::new());
            for _ in 0..pairs {
                let (one, many) = (step(&alone, epochs)?, step(&together, epochs)?);
                micros.push(1e6 * one);
                ratios.push(one / many);
            }
            let name = format!("threads_{width}x{rows}");
            recorder.emit(&name, "step_us_one_thread", "us", &[median(&micros)], None);
            recorder.emit(&name, "times_faster", "", &ratios, None);
        }
    }
    Ok(())
}

fn plan(width: usize, rows: usize) -> Plan {
    let hidden = || Dense::new(width).activation(Relu);
    Plan {
        network: Sequential::new().add(hidden()).add(hidden()).add(Dense::new(width)),
        loss: MeanSquaredError.into(),
        optimizer: Adam::new(1e-6).into(),
        metrics: vec![],
        batch_size: rows,
        shuffle: true,
        seed: 1,
        callbacks: vec![],
    }
}

//! What share of the peak the products of a layer reach, by its width and the rows of a batch.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use linfa_mlp::Float;
use linfa_mlp::kernel::{
    Buffer, dense_forward, dense_input_gradient, dense_weight_gradient, fma_peak, path, transpose,
};
use linfa_mlp::loss::MeanSquaredError;
use linfa_mlp::network::{Dense, Relu, Sequential};
use linfa_mlp::optimizer::Adam;
use linfa_mlp::train::{Data, Plan, Rows, Run, Until};
use ndarray::Array2;

use crate::arguments::Arguments;
use crate::record::{Recorder, median};

/// Powers of two, odd sizes beside them, and what tables often have.
const WIDTHS: [usize; 17] = [8, 10, 13, 16, 31, 32, 33, 48, 63, 64, 65, 100, 127, 128, 129, 256, 512];
const BATCHES: [usize; 5] = [1, 8, 32, 128, 200];

/// Seconds of one block, long enough for the clock, short enough to fit between two other processes.
const BLOCK: f64 = 2e-4;

pub fn run(arguments: &Arguments, recorder: &mut Recorder) -> Result<(), Box<dyn Error>> {
    if arguments.double { table::<f64>(arguments, recorder) } else { table::<f32>(arguments, recorder) }
}

fn table<F: Float>(arguments: &Arguments, recorder: &mut Recorder) -> Result<(), Box<dyn Error>> {
    if !arguments.json {
        println!(
            "% of the peak, {} bits on {:?}: layers of n × n, and whole steps of n-n-n-n with Adam",
            8 * size_of::<F>(),
            path()
        );
        println!(
            "{:>6} {:>6} {:>9} {:>9} {:>9} {:>9} {:>11}",
            "rows", "n", "forward", "dW", "dX", "step", "step µs"
        );
    }
    let blocks = if arguments.quick { 1 } else { 40 };
    for rows in BATCHES {
        for width in WIDTHS {
            let products = products::<F>(rows, width, blocks);
            let (step, micros) = steps::<F>(rows, width, blocks)?;
            if arguments.json {
                for (metric, share) in ["forward", "weight_gradient", "input_gradient"].iter().zip(products) {
                    recorder.emit(&format!("shape_{rows}x{width}"), metric, "%", &[share], None);
                }
                recorder.emit(&format!("shape_{rows}x{width}"), "step", "%", &[step], None);
            } else {
                let [forward, dw, dx] = products;
                println!(
                    "{rows:>6} {width:>6} {forward:>9.0} {dw:>9.0} {dx:>9.0} {step:>9.0} {micros:>11.2}"
                );
            }
        }
    }
    Ok(())
}

/// Percent of the peak: the median of blocks, each beside its own measurement of the peak.
fn share<F: Float>(flops: f64, blocks: usize, mut f: impl FnMut()) -> (f64, f64) {
    let start = Instant::now();
    f();
    let calls = (BLOCK / start.elapsed().as_secs_f64().max(1e-9)) as usize + 1;
    let mut shares = Vec::with_capacity(blocks);
    let mut best = f64::INFINITY;
    for _ in 0..blocks {
        let before = fma_peak::<F>();
        let start = Instant::now();
        (0..calls).for_each(|_| f());
        let seconds = start.elapsed().as_secs_f64() / calls as f64;
        let peak = before.max(fma_peak::<F>());
        shares.push(100.0 * flops / seconds / 1e9 / peak);
        best = best.min(seconds);
    }
    (median(&shares), best)
}

/// Forward, gradient of the weights, gradient of the input (with the transposition it needs once a step).
fn products<F: Float>(rows: usize, width: usize, blocks: usize) -> [f64; 3] {
    let fill = |len: usize| {
        let mut buffer = Buffer::<F>::zeros(len);
        buffer.iter_mut().enumerate().for_each(|(i, value)| *value = F::of((i % 17) as f64 / 17.0));
        buffer
    };
    let (x, w, bias) = (fill(rows * width), fill(width * width), fill(width));
    let (dz, mut z, mut wt, mut dw) =
        (fill(rows * width), fill(rows * width), fill(width * width), fill(width * width));
    let mut dx = fill(rows * width);
    let flops = 2.0 * (rows * width * width) as f64;
    let forward = share::<F>(flops, blocks, || {
        dense_forward(rows, width, width, &x, black_box(&w), Some(&bias), &mut z);
    });
    let weight = share::<F>(flops, blocks, || {
        dense_weight_gradient(rows, width, width, 0..width, &x, black_box(&dz), &mut dw);
    });
    let input = share::<F>(flops, blocks, || {
        transpose(width, width, &w, &mut wt);
        dense_input_gradient(rows, width, width, black_box(&dz), &wt, &mut dx);
    });
    [forward.0, weight.0, input.0]
}

/// Whole steps of a network of three layers: gather, forward, loss, backward, Adam. Share and microseconds.
fn steps<F: Float>(rows: usize, width: usize, blocks: usize) -> linfa_mlp::Result<(f64, f64)> {
    let plan = Plan {
        network: Sequential::new()
            .add(Dense::new(width).activation(Relu))
            .add(Dense::new(width).activation(Relu))
            .add(Dense::new(width)),
        loss: MeanSquaredError.into(),
        optimizer: Adam::new(1e-6).into(),
        metrics: vec![],
        batch_size: rows,
        shuffle: true,
        seed: 1,
        callbacks: vec![],
    };
    const STEPS: usize = 16;
    let x =
        Array2::from_shape_fn((STEPS * rows, width), |(i, j)| F::of(((i * 7 + j * 13) % 31) as f64 / 31.0));
    let data = Data { training: Rows::new(x.view(), x.view())?, validation: None };
    let mut run = Run::<F>::new(plan, width)?;
    let mut goal = 0;
    // Nobody asks for the gradient at the input of the first layer.
    let flops = (STEPS * 2 * rows * width * width * (3 + 3 + 2)) as f64;
    let mut failed = None;
    let (share, seconds) = share::<F>(flops, blocks, || {
        goal += 1;
        failed = failed.take().or(run.advance(&data, Until::epochs(goal)).err());
    });
    failed.map_or(Ok((share, seconds / STEPS as f64 * 1e6)), Err)
}

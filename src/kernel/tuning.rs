//! GFLOP/s of every product and the throughput of every function, against the peak measured in the same run:
//! `cargo test --release kernel::tuning -- --ignored --nocapture`.
#![allow(clippy::type_complexity, reason = "tables of functions")]

use super::*;
use std::hint::black_box;
use std::time::Instant;

/// Shapes of the two training workloads, `rows × fan_in × fan_out`, and some odd ones.
const SHAPES: [(usize, usize, usize); 13] = [
    (200, 784, 128),
    (200, 128, 128),
    (200, 128, 10),
    (32, 13, 64),
    (32, 64, 64),
    (32, 64, 1),
    (1, 784, 128),
    (1, 64, 64),
    (32, 33, 33),
    (65, 65, 65),
    (127, 127, 127),
    (512, 512, 512),
    (200, 30, 3),
];

/// Seconds per call: the best of several blocks, because the machine is shared.
fn seconds(mut f: impl FnMut()) -> f64 {
    let mut calls = 1usize;
    loop {
        let start = Instant::now();
        (0..calls).for_each(|_| f());
        if start.elapsed().as_secs_f64() > 2e-3 {
            break;
        }
        calls *= 2;
    }
    let mut best = f64::INFINITY;
    for _ in 0..12 {
        let start = Instant::now();
        (0..calls).for_each(|_| f());
        best = best.min(start.elapsed().as_secs_f64() / calls as f64);
    }
    best
}

fn products<S: Scalar>() {
    let peak = fma_peak::<S>();
    println!("{} bytes on {:?}: peak {peak:.1} GFLOP/s", size_of::<S>(), path());
    println!("{:>14} {:>15} {:>15} {:>15} {:>9}", "shape", "forward", "dW", "dX", "transpose");
    for (rows, fan_in, fan_out) in SHAPES {
        let fill = |len: usize| {
            let mut buffer = Buffer::<S>::zeros(len);
            buffer.iter_mut().enumerate().for_each(|(i, v)| *v = S::s_from_f64((i % 17) as f64 / 17.0));
            buffer
        };
        let (x, w, bias) = (fill(rows * fan_in), fill(fan_in * fan_out), fill(fan_out));
        let (dz, mut z, mut dx) = (fill(rows * fan_out), fill(rows * fan_out), fill(rows * fan_in));
        let (mut wt, mut dw) = (fill(fan_in * fan_out), fill(fan_in * fan_out));
        let rate = |seconds: f64| {
            let rate = 2.0 * (rows * fan_in * fan_out) as f64 / seconds / 1e9;
            format!("{rate:.1} ({:.0} %)", 100.0 * rate / peak)
        };
        let forward = seconds(|| dense_forward(rows, fan_in, fan_out, &x, &w, Some(&bias), &mut z));
        let weight = seconds(|| dense_weight_gradient(rows, fan_in, fan_out, 0..fan_in, &x, &dz, &mut dw));
        let flip = seconds(|| transpose(fan_in, fan_out, &w, &mut wt));
        let input = seconds(|| dense_input_gradient(rows, fan_in, fan_out, &dz, &wt, &mut dx));
        println!(
            "{:>14} {:>15} {:>15} {:>15} {:>6.2} µs",
            format!("{rows}·{fan_in}·{fan_out}"),
            rate(forward),
            rate(weight),
            rate(input),
            flip * 1e6
        );
    }
}

fn functions<S: Scalar>() {
    let values: Vec<S> = (0..4096).map(|i| S::s_from_f64(f64::from(i) / 512.0 - 4.0)).collect();
    let mut out = values.clone();
    let mut line = format!("{} bytes on {:?}, ns per 1000:", size_of::<S>(), path());
    let all: [(&str, fn(&mut [S])); 6] = [
        ("exp", exp_slice),
        ("ln", ln_slice),
        ("tanh", tanh_slice),
        ("sigmoid", sigmoid_slice),
        ("softplus", softplus_slice),
        ("erf", erf_slice),
    ];
    for (name, f) in all {
        let time = seconds(|| {
            out.copy_from_slice(&values);
            f(&mut out);
        });
        line += &format!("  {name} {:.0}", time * 1e12 / 4096.0);
    }
    let mut dense =
        |rows, cols| seconds(|| column_sums(rows, cols, &values[..rows * cols], &mut out[..cols]));
    line += &format!("  sum {:.0}", seconds(|| _ = black_box(sum(black_box(&values)))) * 1e12 / 4096.0);
    line +=
        &format!("  dot {:.0}", seconds(|| _ = black_box(dot(&values, black_box(&values)))) * 1e12 / 4096.0);
    line += &format!("  columns 32×64 {:.0}", dense(32, 64) * 1e12 / 2048.0);
    line += &format!("  columns 32×1 {:.0} ns", dense(32, 1) * 1e9);
    println!("{line}");
}

fn gather() {
    let (rows, len) = (20_000, 784);
    let src = vec![1.0f32; rows * len];
    let mut dst = Buffer::<f32>::zeros(200 * len);
    let order: Vec<usize> = (0..rows).map(|i| i * 7919 % rows).collect();
    let mut at = 0;
    let time = seconds(|| {
        gather_rows(&src, len, len, &order[at..at + 200], &mut dst);
        black_box(&mut dst);
        at = (at + 200) % rows;
    });
    println!("gather 200 rows of 784: {:.1} µs, {:.1} GB/s", time * 1e6, 200.0 * 784.0 * 4.0 / time / 1e9);
}

#[test]
#[ignore = "prints timings, checks nothing"]
fn speed_of_every_kernel() {
    for forced in Path::available().into_iter().filter(|&path| path != Path::Portable) {
        with_path(forced, || {
            products::<f32>();
            products::<f64>();
            functions::<f32>();
            functions::<f64>();
        });
    }
    gather();
}

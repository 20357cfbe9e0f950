//! The kernels by themselves: the three products of a layer, what comes between them, and the update.
//!
//! ```text
//! cargo bench --bench kernels
//! cargo bench --bench kernels -- forward
//! ```
//!
//! `cargo bench --bench workloads -- shapes` prints the products as shares of the CPU's peak.

// criterion's macro makes a public function.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linfa_mlp::Float;
use linfa_mlp::kernel::{
    Buffer, dense_forward, dense_input_gradient, dense_weight_gradient, gather_rows, sum, tanh_slice,
    transpose,
};
use linfa_mlp::optimizer::{Adam, MAX_SLOTS, Optimizer, Step};
use linfa_mlp::rng::Stream;

/// Rows, inputs and outputs: the layers of an image network, of a small one, and an odd one.
const LAYERS: [(usize, usize, usize); 5] =
    [(200, 784, 128), (200, 128, 128), (200, 128, 10), (32, 64, 64), (33, 65, 33)];

fn numbers<F: Float>(len: usize) -> Buffer<F> {
    let mut stream = Stream::new(len as u64);
    let mut buffer = Buffer::zeros(len);
    buffer.iter_mut().for_each(|value| *value = F::of(2.0 * stream.uniform() - 1.0));
    buffer
}

/// Elements a second are multiplications a second.
fn products<F: Float>(c: &mut Criterion, precision: &str) {
    for (rows, fan_in, fan_out) in LAYERS {
        let (x, w, dz) =
            (numbers::<F>(rows * fan_in), numbers::<F>(fan_in * fan_out), numbers::<F>(rows * fan_out));
        let bias = numbers::<F>(fan_out);
        let mut wt = Buffer::zeros(w.len());
        transpose(fan_in, fan_out, &w, &mut wt);
        let (mut z, mut dx, mut dw) =
            (Buffer::zeros(dz.len()), Buffer::zeros(x.len()), Buffer::zeros(w.len()));
        let layer = format!("{rows}x{fan_in}x{fan_out} {precision}");
        let mut group = c.benchmark_group("products");
        group.throughput(Throughput::Elements((rows * fan_in * fan_out) as u64));
        group.bench_function(BenchmarkId::new("forward", &layer), |b| {
            b.iter(|| dense_forward(rows, fan_in, fan_out, black_box(&x), &w, Some(&bias), &mut z));
        });
        group.bench_function(BenchmarkId::new("gradient of the input", &layer), |b| {
            b.iter(|| dense_input_gradient(rows, fan_in, fan_out, black_box(&dz), &wt, &mut dx));
        });
        group.bench_function(BenchmarkId::new("gradient of the weights", &layer), |b| {
            b.iter(|| dense_weight_gradient(rows, fan_in, fan_out, 0..fan_in, black_box(&x), &dz, &mut dw));
        });
        group.finish();
    }
}

/// Elements a second, of slices in the first cache.
fn slices<F: Float>(c: &mut Criterion, precision: &str) {
    const LEN: usize = 2048;
    let values = numbers::<F>(LEN);
    let mut group = c.benchmark_group("slices");
    group.throughput(Throughput::Elements(LEN as u64));
    group.bench_function(BenchmarkId::new("sum", precision), |b| b.iter(|| sum(black_box(&values))));
    let mut to = numbers::<F>(LEN);
    group.bench_function(BenchmarkId::new("tanh", precision), |b| {
        b.iter(|| {
            to.copy_from_slice(&values);
            tanh_slice(black_box(&mut to));
        });
    });
    let (mut weights, mut mean, mut square) = (numbers::<F>(LEN), Buffer::zeros(LEN), Buffer::zeros(LEN));
    let adam = Adam::default();
    group.bench_function(BenchmarkId::new("adam", precision), |b| {
        b.iter(|| {
            let step = Step { number: 9, learning_rate: 1e-6, scalars: &[] };
            let mut slots: [&mut [F]; MAX_SLOTS] = Default::default();
            (slots[0], slots[1]) = (&mut mean, &mut square);
            adam.update(step, &mut weights, black_box(&values), slots);
        });
    });
    group.finish();
}

/// A batch of 200 images out of 20 000, in random order. Elements a second.
fn rows(c: &mut Criterion) {
    const WIDTH: usize = 784;
    let x = numbers::<f32>(20_000 * WIDTH);
    let mut stream = Stream::new(1);
    let mut batch = Buffer::zeros(200 * WIDTH);
    let mut group = c.benchmark_group("rows");
    group.throughput(Throughput::Elements(batch.len() as u64));
    group.bench_function("gather 200 of 784", |b| {
        b.iter_batched(
            || (0..200).map(|_| stream.below(20_000)).collect::<Vec<usize>>(),
            |rows| gather_rows(&x, WIDTH, WIDTH, &rows, &mut batch),
            criterion::BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn both(c: &mut Criterion) {
    products::<f32>(c, "f32");
    products::<f64>(c, "f64");
    slices::<f32>(c, "f32");
    slices::<f64>(c, "f64");
    rows(c);
}

criterion_group!(benches, both);
criterion_main!(benches);

//! Single steps of training, from the rows of a batch to the updated weights, by network and optimizer.
//!
//! ```text
//! cargo bench --bench steps
//! RAYON_NUM_THREADS=1 cargo bench --bench steps -- image
//! ```

// criterion's macro makes a public function.
#![allow(missing_docs)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linfa_mlp::loss::MeanSquaredError;
use linfa_mlp::network::{Dense, Dropout, Relu, Sequential};
use linfa_mlp::optimizer::{Adam, AnyOptimizer, RmsProp, Sgd};
use linfa_mlp::rng::Stream;
use linfa_mlp::train::{Data, Plan, Rows, Run, Until};
use ndarray::Array2;

const BATCHES: usize = 16;

fn layers(hidden: &[usize], outputs: usize, dropout: f64) -> Sequential {
    let mut network = Sequential::new();
    for &units in hidden {
        network = network.add(Dense::new(units).activation(Relu));
        if dropout > 0.0 {
            network = network.add(Dropout::new(dropout));
        }
    }
    network.add(Dense::new(outputs))
}

/// An epoch of sixteen batches at a time. Elements a second are rows a second.
fn steps(c: &mut Criterion) {
    let mut group = c.benchmark_group("epoch of 16 steps");
    let optimizers: [(&str, AnyOptimizer); 3] = [
        ("sgd", Sgd::new(1e-6).into()),
        ("rmsprop", RmsProp::new(1e-6).into()),
        ("adam", Adam::new(1e-6).into()),
    ];
    for (name, inputs, hidden, outputs, rows, dropout) in [
        ("table 13-64-64-1", 13, &[64, 64][..], 1, 32, 0.0),
        ("table with dropout", 13, &[64, 64], 1, 32, 0.1),
        ("image 784-128-128-128-10", 784, &[128, 128, 128], 10, 200, 0.0),
        ("image with dropout", 784, &[128, 128, 128], 10, 200, 0.1),
    ] {
        let mut stream = Stream::new(inputs as u64);
        let mut array =
            |width| Array2::from_shape_simple_fn((BATCHES * rows, width), || stream.uniform() as f32);
        let (x, y) = (array(inputs), array(outputs));
        let data =
            Data { training: Rows::new(x.view(), y.view()).expect("finite numbers"), validation: None };
        group.throughput(Throughput::Elements((BATCHES * rows) as u64));
        for (optimizer_name, optimizer) in &optimizers {
            let plan = Plan {
                network: layers(hidden, outputs, dropout),
                loss: MeanSquaredError.into(),
                optimizer: optimizer.clone(),
                metrics: vec![],
                batch_size: rows,
                shuffle: true,
                seed: 1,
                callbacks: vec![],
            };
            let mut run = Run::<f32>::new(plan, inputs).expect("a plan that can be followed");
            let mut epochs = 0;
            group.bench_function(BenchmarkId::new(name, optimizer_name), |b| {
                b.iter(|| {
                    epochs += 1;
                    run.advance(&data, Until::epochs(epochs)).expect("training goes on")
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);

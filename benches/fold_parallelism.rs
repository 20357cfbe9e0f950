//! Grid search over folds and candidates on 1, 2, … threads.
//!
//! ```text
//! cargo bench --bench fold_parallelism
//! ```

// criterion's macro makes a public function.
#![allow(missing_docs)]

use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use linfa::Dataset;
use linfa_mlp::MlpRegressor;
use linfa_mlp::model_selection::{GridSearch, KFold, Scorer};
use linfa_mlp::rng::Stream;
use ndarray::{Array1, Array2};

/// 506 rows of 13 features, as many as Boston Housing has, and a target that is not linear in them.
fn data() -> Dataset<f32, f32, ndarray::Ix1> {
    let mut stream = Stream::new(2);
    let x = Array2::from_shape_simple_fn((506, 13), || (2.0 * stream.uniform() - 1.0) as f32);
    let y: Array1<f32> =
        x.rows().into_iter().map(|row| 10.0 * row[0] * row[1] + 5.0 * row[2] * row[2] + row[3]).collect();
    Dataset::new(x, y)
}

fn folds_and_candidates(c: &mut Criterion) {
    let data = data();
    let mut group = c.benchmark_group("grid_search");
    group.sample_size(10);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for (folds, candidates) in [(5, 1), (5, 4), (10, 12)] {
        for threads in (1..=cores).filter(|threads| threads.is_power_of_two()) {
            let pool = Arc::new(
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start"),
            );
            let rates: Vec<f64> = (1..=candidates).map(|i| 1e-3 * f64::from(i)).collect();
            let search = GridSearch::new(
                MlpRegressor::params().hidden_layer_sizes([64, 64]).epochs(20).batch_size(32),
            )
            .axis("alpha", rates, |params, alpha| params.alpha(alpha))
            .cv(KFold::new(folds))
            .scorers([Scorer::neg_mean_squared_error()])
            .pool(pool);
            let id = BenchmarkId::new(
                format!("{folds} folds x {candidates} candidates"),
                format!("{threads} threads"),
            );
            group.bench_with_input(id, &search, |b, search| {
                b.iter(|| search.fit(&data).expect("the search runs"))
            });
        }
    }
    group.finish();
}

criterion_group!(benches, folds_and_candidates);
criterion_main!(benches);

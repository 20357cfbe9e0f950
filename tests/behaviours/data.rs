//! Small data sets that the other files train on.

use linfa::Dataset;
use linfa_mlp::Float;
use linfa_mlp::estimator::MlpClassifierParams;
use linfa_mlp::network::Network;
use linfa_mlp::{MlpClassifier, optimizer::Adam};
use ndarray::{Array1, Array2, Ix1, Ix2};

/// Fractions in [0, 1) that look like noise and are the same everywhere.
pub fn noise(i: usize, j: usize) -> f64 {
    linfa_mlp::rng::Stream::new(7).at(i as u64).at(j as u64).uniform()
}

/// Rows in three clouds, in turn: classes 0, 1, 2.
pub fn clouds(n: usize) -> Dataset<f64, usize, Ix1> {
    let x = Array2::from_shape_fn((n, 3), |(i, j)| f64::from(u8::from(i % 3 == j)) + 0.6 * noise(i, j));
    Dataset::new(x, Array1::from_shape_fn(n, |i| i % 3))
}

/// The same with names for labels.
pub fn named(n: usize) -> Dataset<f64, &'static str, Ix1> {
    clouds(n).map_targets(|&class| ["rot", "grün", "blau"][class])
}

/// Two classes, the second of them a quarter of the rows.
pub fn pair(n: usize) -> Dataset<f64, bool, Ix1> {
    let x = Array2::from_shape_fn((n, 2), |(i, j)| noise(i, j) + 0.5 * f64::from(u8::from(i % 4 == 0)));
    Dataset::new(x, Array1::from_shape_fn(n, |i| i % 4 == 0))
}

/// Three yes-or-no labels.
pub fn labels(n: usize) -> Dataset<f64, bool, Ix2> {
    let x = Array2::from_shape_fn((n, 3), |(i, j)| 2.0 * noise(i, j) - 1.0);
    let y = Array2::from_shape_fn((n, 3), |(i, j)| x[[i, j]] + 0.5 * x[[i, (j + 1) % 3]] > 0.0);
    Dataset::new(x, y)
}

pub fn classifier() -> MlpClassifierParams {
    MlpClassifier::params().hidden_layer_sizes([6]).optimizer(Adam::new(0.02)).batch_size(16).epochs(8)
}

/// All weights, as bits.
pub fn bits<F: Float>(network: &Network<F>) -> Vec<u64> {
    let values = network.tensors().flat_map(|(_, tensor)| tensor.iter().copied().collect::<Vec<F>>());
    values.map(|value| value.wide().to_bits()).collect()
}

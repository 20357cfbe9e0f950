//! Networks with normalisation and noise. In training a batch's mean and variance depend on every weight below them, so
//! the differences see all terms.

use linfa_mlp::loss::{AnyLoss, Losses, MeanSquaredError};
use linfa_mlp::network::layer::AnyLayer;
use linfa_mlp::network::{
    ActivationLayer, AlphaDropout, BatchNorm, Dense, GaussianNoise, Identity, L2, LayerNorm, RandomUniform,
    Sequential, Silu, Tanh,
};

use crate::members::{self, usual_output};
use crate::problem::{Count, Problem};

fn dense(units: usize) -> Dense {
    Dense::new(units).activation(Tanh).bias_initializer(RandomUniform::new(-0.5, 0.5))
}

fn new_layers() -> Vec<AnyLayer> {
    vec![
        LayerNorm::new().into(),
        LayerNorm::new().scale(false).epsilon(0.1).into(),
        LayerNorm::new().center(false).gamma_regularizer(L2::new(0.1)).into(),
        BatchNorm::new().into(),
        BatchNorm::new().scale(false).epsilon(0.1).into(),
        BatchNorm::new().center(false).gamma_regularizer(L2::new(0.1)).into(),
        BatchNorm::new().center(false).scale(false).into(),
        GaussianNoise::new(0.3).into(),
        AlphaDropout::new(0.3).into(),
        ActivationLayer::new(Tanh).into(),
        ActivationLayer::new(Silu).into(),
    ]
}

#[test]
fn normalisation_and_noise_between_layers() {
    let mut count = Count::default();
    for loss in members::all::<Losses>() {
        for (seed, layer) in (0..).zip(new_layers()) {
            let network = Sequential::new()
                .add(dense(7))
                .add(layer.clone())
                .add(dense(3).activation(usual_output(&loss)));
            count += Problem::new(network, &loss, 5, 3, seed).check(1, &format!("{loss}, {layer}"));
        }
    }
    count.assert_few_skipped(2_000);
}

#[test]
fn normalisation_and_noise_at_both_ends_and_with_weights() {
    let loss: AnyLoss = MeanSquaredError.into();
    let mut count = Count::default();
    for (seed, layer) in (0..).zip(new_layers()) {
        let network = Sequential::new()
            .add(layer.clone())
            .add(dense(5))
            .add(dense(3).activation(Identity))
            .add(layer.clone());
        let problem = Problem::new(network, &loss, 9, 5, seed);
        count += problem.check(1, &format!("{layer} at both ends"));
        count += problem.weighted().check(1, &format!("{layer} at both ends, weighted"));
    }
    count.assert_few_skipped(500);
}

#[test]
fn batches_of_one_row_and_one_feature() {
    let loss: AnyLoss = MeanSquaredError.into();
    for (rows, features) in [(1, 1), (1, 4), (2, 1), (3, 1)] {
        for (seed, layer) in (0..).zip(new_layers()) {
            let network = Sequential::new().add(layer.clone()).add(dense(1)).add(layer.clone()).add(dense(2));
            Problem::new(network, &loss, rows, features, seed)
                .check(1, &format!("{layer}, {rows}×{features}"));
        }
    }
}

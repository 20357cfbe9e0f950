//! Residual connections and penalties on activations.

use linfa_mlp::loss::{AnyLoss, Losses, MeanSquaredError};
use linfa_mlp::network::regularizer::{AnyRegularizer, Regularizers};
use linfa_mlp::network::{
    BatchNorm, Dense, Dropout, Identity, L2, LayerNorm, RandomUniform, Residual, Sequential, Tanh,
};
use ndarray::Axis;

use crate::members::{self, usual_output};
use crate::problem::{Count, Problem};

fn dense(units: usize) -> Dense {
    Dense::new(units).activation(Tanh).bias_initializer(RandomUniform::new(-0.5, 0.5))
}

fn stack() -> Sequential {
    Sequential::new()
}

/// Branches that take and give 4 columns.
fn branches() -> Vec<Sequential> {
    let nested = Residual::new(stack().add(dense(4)));
    vec![
        stack().add(dense(4)),
        stack().add(dense(7)).add(dense(4).activation(Identity)),
        stack().add(dense(3)).add(Dropout::new(0.3)).add(dense(4)),
        stack().add(LayerNorm::new()).add(dense(4)),
        stack().add(BatchNorm::new()).add(dense(5)).add(BatchNorm::new()).add(dense(4)),
        // Two branches that begin in one place, two that end in one, and one inside.
        stack().add(nested.clone()).add(dense(4)),
        stack().add(dense(4)).add(nested.clone()),
        stack().add(dense(4)).add(Residual::new(stack().add(nested).add(dense(4)))).add(dense(4)),
        stack()
            .add(dense(6).activity_regularizer(L2::new(0.1)))
            .add(dense(4).kernel_regularizer(L2::new(0.1))),
    ]
}

#[test]
fn residual_connections_between_layers_with_every_loss() {
    let mut count = Count::default();
    for loss in members::all::<Losses>() {
        for (seed, branch) in (0..).zip(branches()) {
            let network = stack()
                .add(dense(4))
                .add(Residual::new(branch))
                .add(dense(3).activation(usual_output(&loss)));
            let what = format!("{loss}, {network:?}");
            count += Problem::new(network, &loss, 5, 3, seed).check(1, &what);
        }
    }
    count.assert_few_skipped(2_000);
}

#[test]
fn residual_connections_at_both_ends_in_a_row_and_with_weights() {
    let loss: AnyLoss = MeanSquaredError.into();
    let mut count = Count::default();
    for (seed, branch) in (0..).zip(branches()) {
        let block = || Residual::new(branch.clone());
        let network = stack().add(block()).add(block()).add(dense(4)).add(block());
        let problem = Problem::new(network, &loss, 9, 4, seed);
        count += problem.check(2, &format!("{branch:?}"));
        count += problem.weighted().check(2, &format!("{branch:?}, weighted"));
        let alone = Problem::new(stack().add(block()), &loss, 5, 4, seed);
        count += alone.check(1, &format!("{branch:?}, alone"));
    }
    count.assert_few_skipped(500);
}

fn with_activity(regularizer: &AnyRegularizer, output: Dense) -> Sequential {
    let penalised = |dense: Dense| dense.activity_regularizer(regularizer.clone());
    stack().add(penalised(dense(5))).add(dense(4)).add(penalised(output))
}

#[test]
fn penalties_on_the_output_of_any_layer_with_every_loss() {
    let mut count = Count::default();
    for loss in members::all::<Losses>() {
        for regularizer in members::all::<Regularizers>() {
            let network = with_activity(&regularizer, dense(3).activation(usual_output(&loss)));
            let problem = Problem::new(network.clone(), &loss, 5, 3, 31);
            let what = format!("{loss}, {regularizer}");
            count += problem.check(1, &what);
            count += problem.clone().weighted().check(1, &format!("{what}, weighted"));
            for problem in [problem.clone(), problem.weighted()] {
                let (training, evaluation) = (problem.loss_and_gradient().0, problem.loss_without_training());
                assert!((training - evaluation).abs() <= 1e-14 * training.abs().max(1.0), "{what}");
            }
        }
    }
    count.assert_few_skipped(1_000);
}

#[test]
fn a_penalty_on_activations_is_their_mean_over_the_rows() {
    let loss: AnyLoss = MeanSquaredError.into();
    let l2: AnyRegularizer = L2::new(0.3).into();
    let layer = || Dense::new(2).activation(Identity);
    let plain = Problem::new(stack().add(layer()), &loss, 5, 3, 37);
    let penalised = Problem::new(stack().add(layer().activity_regularizer(l2)), &loss, 5, 3, 37);
    let kernel = &plain.tensors()[0].1;
    let squares = plain.x.dot(kernel).iter().map(|a| a * a).sum::<f64>();
    let expected = plain.loss_and_gradient().0 + 0.3 * squares / 5.0;
    assert!((penalised.loss_and_gradient().0 - expected).abs() <= 1e-14);
    assert!((penalised.loss_without_training() - expected).abs() <= 1e-14);
}

#[test]
fn weight_2_is_the_row_twice_with_a_penalty_on_activations() {
    let loss: AnyLoss = MeanSquaredError.into();
    for regularizer in members::all::<Regularizers>() {
        let mut weighted = Problem::new(with_activity(&regularizer, dense(2)), &loss, 3, 2, 41);
        let mut repeated = weighted.clone();
        weighted.weights = Some(ndarray::array![0.0, 2.0, 1.0]);
        (repeated.x, repeated.y) =
            (weighted.x.select(Axis(0), &[1, 1, 2]), weighted.y.select(Axis(0), &[1, 1, 2]));
        let ((loss_a, gradient_a), (loss_b, gradient_b)) =
            (weighted.loss_and_gradient(), repeated.loss_and_gradient());
        assert!((loss_a - loss_b).abs() <= 1e-14, "{regularizer}: {loss_a}, {loss_b}");
        for (a, b) in gradient_a.iter().flatten().zip(gradient_b.iter().flatten()) {
            assert!((a - b).abs() <= 1e-14, "{regularizer}: {a}, {b}");
        }
    }
}

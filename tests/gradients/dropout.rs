//! Networks with dropout. Seed, epoch and batch fix the masks, so that a loss of training is a plain function of the
//! weights and its differences can be taken.

use linfa_mlp::loss::{AnyLoss, Losses, MeanSquaredError};
use linfa_mlp::network::{Dense, Dropout, Identity, RandomUniform, Sequential, Tanh};

use crate::members::{self, usual_output};
use crate::problem::{Count, Problem};

fn dense(units: usize) -> Dense {
    Dense::new(units).activation(Tanh).bias_initializer(RandomUniform::new(-0.5, 0.5))
}

#[test]
fn dropout_between_layers() {
    let mut count = Count::default();
    for loss in members::all::<Losses>() {
        for (seed, rate) in (0..).zip([0.0, 0.1, 0.5, 0.75]) {
            let network = Sequential::new()
                .add(dense(7))
                .add(Dropout::new(rate))
                .add(dense(5))
                .add(Dropout::new(rate))
                .add(dense(3).activation(usual_output(&loss)));
            let problem = Problem::new(network, &loss, 5, 3, seed);
            count += problem.check(1, &format!("{loss}, dropout {rate}"));
            // The masks are there at all: nothing is dropped outside of training.
            let difference = (problem.loss_and_gradient().0 - problem.loss_without_training()).abs();
            assert!((difference > 1e-6) == (rate > 0.0), "{loss}, dropout {rate}: {difference}");
        }
    }
    count.assert_few_skipped(2_000);
}

#[test]
fn dropout_before_the_first_layer_and_after_the_last() {
    let loss: AnyLoss = MeanSquaredError.into();
    let network = Sequential::new()
        .add(Dropout::new(0.3))
        .add(dense(5))
        .add(dense(3).activation(Identity))
        .add(Dropout::new(0.3));
    let problem = Problem::new(network, &loss, 9, 5, 3);
    let count = problem.check(1, "dropout at both ends");
    assert!(count.compared >= 45);
}

#[test]
fn a_dropped_unit_has_no_gradient() {
    let loss: AnyLoss = MeanSquaredError.into();
    let network = Sequential::new().add(dense(40)).add(Dropout::new(0.5)).add(dense(1));
    // One row: a unit that is dropped in it has no part in the loss.
    let (_, gradients) = Problem::new(network, &loss, 1, 3, 5).loss_and_gradient();
    let [_, bias, kernel, _] = &gradients[..] else { panic!("two layers have four tensors") };
    let dropped = bias.iter().filter(|g| g.abs() <= 0.0).count();
    assert!((8..=32).contains(&dropped), "{dropped} of 40 dropped");
    for (into, out) in bias.iter().zip(kernel) {
        assert_eq!(into.abs() > 0.0, out.abs() > 0.0);
    }
}

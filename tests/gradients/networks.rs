//! Dense networks.

use linfa_mlp::loss::{AnyLoss, CategoricalCrossEntropy, Losses, MeanSquaredError};
use linfa_mlp::network::activation::{Activations, AnyActivation};
use linfa_mlp::network::regularizer::{AnyRegularizer, Regularizers};
use linfa_mlp::network::{Dense, L1L2, RandomUniform, Sequential, Softmax, Tanh};
use ndarray::{Axis, concatenate};

use crate::members::{self, gives, outputs_of, usual_output};
use crate::problem::{Count, Problem};

/// A layer whose bias is not 0, where half of all activations have their kink.
fn layer(units: usize, activation: &AnyActivation) -> Dense {
    Dense::new(units).activation(activation.clone()).bias_initializer(RandomUniform::new(-0.5, 0.5))
}

/// A last layer of which a rectifier would not cut everything off.
fn last_layer(units: usize, activation: &AnyActivation) -> Dense {
    layer(units, activation).bias_initializer(RandomUniform::new(0.2, 0.8))
}

fn tanh() -> AnyActivation {
    Tanh.into()
}

/// Some weight must matter, or the check proves nothing.
fn assert_alive(problem: &Problem, what: &str) {
    let (_, gradients) = problem.loss_and_gradient();
    let largest = gradients.iter().flatten().fold(0.0_f64, |largest, g| largest.max(g.abs()));
    assert!(largest > 1e-4, "{what}: all gradients are below {largest}");
}

#[test]
fn every_hidden_activation_with_every_output_activation_and_loss() {
    let activations = members::all::<Activations>();
    let mut count = Count::default();
    let mut seed = 0;
    for loss in members::all::<Losses>() {
        let outputs: Vec<_> = activations.iter().filter(|a| gives(a, outputs_of(&loss))).collect();
        assert!(outputs.len() >= 2, "{loss} is checked with {} output activations only", outputs.len());
        for hidden in &activations {
            for output in &outputs {
                seed += 1;
                let what = format!("{hidden}, {output}, {loss}, seed {seed}");
                let network = Sequential::new().add(layer(3, hidden)).add(last_layer(3, output));
                let problem = Problem::new(network, &loss, 4, 2, seed);
                count += problem.check(1, &what);
                assert_alive(&problem, &what);
                // Two ways to the same number, which differ in nothing but the order of sums.
                let (training, evaluation) = (problem.loss_and_gradient().0, problem.loss_without_training());
                assert!(
                    (training - evaluation).abs() <= 1e-14 * training.abs().max(1.0),
                    "{what}: {training} in training, {evaluation} outside"
                );
            }
        }
    }
    count.assert_few_skipped(20_000);
}

#[test]
fn single_rows_single_features_and_odd_sizes() {
    // Rows, features, units, outputs: below, at and beside the widths of vectors and tiles.
    let shapes = [(1, 1, 1, 1), (1, 1, 5, 3), (1, 7, 1, 2), (3, 1, 9, 1), (5, 3, 17, 7), (17, 5, 8, 3)];
    let mut count = Count::default();
    for loss in members::all::<Losses>() {
        for activation in members::all::<Activations>() {
            for (seed, (rows, n_features, units, n_outputs)) in (1000..).zip(shapes) {
                let what = format!("{activation}, {loss}, {rows} × {n_features} → {units} → {n_outputs}");
                let network = Sequential::new()
                    .add(layer(units, &activation))
                    .add(layer(n_outputs, &usual_output(&loss)));
                // Every third weight: all places of all tensors are seen over the cases together.
                count += Problem::new(network, &loss, rows, n_features, seed).check(3, &what);
            }
        }
    }
    count.assert_few_skipped(5_000);
}

#[test]
fn layers_wider_than_the_kernels_tiles() {
    let mut count = Count::default();
    let losses: [AnyLoss; 2] = [MeanSquaredError.into(), CategoricalCrossEntropy::default().into()];
    for loss in losses {
        let network = Sequential::new()
            .add(layer(67, &tanh()))
            .add(layer(35, &tanh()))
            .add(layer(9, &usual_output(&loss)));
        count += Problem::new(network, &loss, 70, 33, 1).check(41, &format!("{loss}, wide"));
    }
    count.assert_few_skipped(150);
}

#[test]
fn networks_of_one_layer_and_of_five() {
    for loss in members::all::<Losses>() {
        for depth in [1, 5] {
            let mut network = Sequential::new();
            for _ in 1..depth {
                network = network.add(layer(3, &tanh()));
            }
            let network = network.add(layer(2, &usual_output(&loss)));
            let count = Problem::new(network, &loss, 5, 3, 7).check(1, &format!("{loss}, {depth} layers"));
            assert!(count.compared >= 8);
        }
    }
}

#[test]
fn every_penalty_on_kernel_and_bias_in_any_layer() {
    let loss: AnyLoss = MeanSquaredError.into();
    let none: Option<AnyRegularizer> = None;
    let penalties: Vec<_> = members::all::<Regularizers>().into_iter().map(Some).chain([none]).collect();
    let mut count = Count::default();
    // A loss near 1 and some penalties, added in another order.
    const ROUNDING: f64 = 1e-14;
    let network = |kernel: &Option<AnyRegularizer>, bias: &Option<AnyRegularizer>| {
        let penalised = |units| {
            let mut dense = layer(units, &tanh());
            if let Some(kernel) = kernel {
                dense = dense.kernel_regularizer(kernel.clone());
            }
            if let Some(bias) = bias {
                dense = dense.bias_regularizer(bias.clone());
            }
            dense
        };
        Sequential::new().add(penalised(4)).add(layer(3, &tanh())).add(penalised(2))
    };
    let (without, _) = Problem::new(network(&None, &None), &loss, 5, 3, 11).loss_and_gradient();
    for kernel in &penalties {
        for bias in &penalties {
            let problem = Problem::new(network(kernel, bias), &loss, 5, 3, 11);
            let what = format!("penalties {kernel:?} and {bias:?}");
            count += problem.check(1, &what);

            let mut expected = without;
            for (name, values) in problem.tensors() {
                let of_tensor = if name.ends_with("kernel") { kernel } else { bias };
                if let (Some(penalty), false) = (of_tensor, name.starts_with("dense_2")) {
                    expected += penalty.ops::<f64>().penalty(values.as_slice().expect("a new array"));
                }
            }
            let (training, evaluation) = (problem.loss_and_gradient().0, problem.loss_without_training());
            assert!((training - expected).abs() <= ROUNDING, "{what}: {training}, not {expected}");
            assert!((evaluation - expected).abs() <= ROUNDING, "{what}: {evaluation}, not {expected}");
        }
    }
    count.assert_few_skipped(1_000);
}

#[test]
fn layers_without_bias() {
    for loss in members::all::<Losses>() {
        let network = Sequential::new()
            .add(layer(5, &tanh()).use_bias(false))
            .add(layer(3, &usual_output(&loss)).use_bias(false));
        let problem = Problem::new(network, &loss, 5, 3, 13);
        assert_eq!(problem.tensors().len(), 2);
        let count = problem.check(1, &format!("{loss} without bias"));
        assert!(count.compared >= 25);
    }
}

#[test]
fn weighted_rows() {
    for loss in members::all::<Losses>() {
        let network = Sequential::new().add(layer(5, &tanh())).add(layer(3, &usual_output(&loss)));
        let plain = Problem::new(network, &loss, 5, 3, 17);
        let weighted = plain.clone().weighted();
        let count = weighted.check(1, &format!("{loss} with weights"));
        assert!(count.compared >= 30);
        assert!((plain.loss_and_gradient().0 - weighted.loss_and_gradient().0).abs() > 1e-3, "{loss}");
    }
}

#[test]
fn weight_2_is_the_row_twice_and_weight_0_the_row_absent() {
    for loss in members::all::<Losses>() {
        let network = Sequential::new().add(layer(5, &tanh())).add(layer(3, &usual_output(&loss)));
        let mut weighted = Problem::new(network, &loss, 3, 2, 19);
        let mut repeated = weighted.clone();
        weighted.weights = Some(ndarray::array![0.0, 2.0, 1.0]);
        let pick = [1, 1, 2];
        (repeated.x, repeated.y) = (weighted.x.select(Axis(0), &pick), weighted.y.select(Axis(0), &pick));
        let (loss_a, gradient_a) = weighted.loss_and_gradient();
        let (loss_b, gradient_b) = repeated.loss_and_gradient();
        // Sums of three terms in another order.
        assert!((loss_a - loss_b).abs() <= 1e-14, "{loss}: {loss_a}, {loss_b}");
        for (a, b) in gradient_a.iter().flatten().zip(gradient_b.iter().flatten()) {
            assert!((a - b).abs() <= 1e-14, "{loss}: {a}, {b}");
        }
    }
}

#[test]
fn a_gradient_is_the_mean_over_the_rows() {
    let loss: AnyLoss = CategoricalCrossEntropy::default().into();
    let network = Sequential::new().add(layer(5, &tanh())).add(layer(3, &Softmax.into()));
    let whole = Problem::new(network, &loss, 7, 2, 23);
    let mut mean = whole.tensors().iter().map(|(_, values)| values * 0.0).collect::<Vec<_>>();
    for row in 0..7 {
        let mut alone = whole.clone();
        (alone.x, alone.y) = (whole.x.select(Axis(0), &[row]), whole.y.select(Axis(0), &[row]));
        alone.plan.batch_size = 1;
        for (sum, gradient) in mean.iter_mut().zip(alone.loss_and_gradient().1) {
            *sum += &(gradient / 7.0);
        }
    }
    let flat = |tensors: &[ndarray::Array2<f64>]| {
        let columns: Vec<_> = tensors.iter().map(|t| t.flatten().to_owned()).collect();
        let views: Vec<_> = columns.iter().map(|column| column.view()).collect();
        concatenate(Axis(0), &views).expect("columns of numbers")
    };
    let difference = flat(&mean) - flat(&whole.loss_and_gradient().1);
    // Seven terms in another order, and the rounding of seven steps of size 1.
    assert!(difference.iter().all(|d| d.abs() <= 1e-15), "{difference}");
}

#[test]
fn single_precision_has_the_same_gradients() {
    // Some twenty roundings of 6·10⁻⁸ in forward and backward pass, and one of the step by which the gradient is read.
    const TOLERANCE: f64 = 5e-6;
    for loss in members::all::<Losses>() {
        for (seed, activation) in (2000..).zip(members::all::<Activations>()) {
            let network = Sequential::new()
                .add(layer(9, &activation).kernel_regularizer(L1L2::new(0.01, 0.01)))
                .add(layer(3, &usual_output(&loss)));
            let problem = Problem::new(network, &loss, 5, 3, seed);
            let (single, gradients) = problem.in_single_precision();
            let (double, exact) = problem.loss_and_gradient();
            let close = |found: f64, exact: f64| (found - exact).abs() <= TOLERANCE * exact.abs().max(1.0);
            assert!(close(single, double), "{activation}, {loss}: {single}, {double}");
            for (found, exact) in gradients.iter().flatten().zip(exact.iter().flatten()) {
                assert!(close(*found, *exact), "{activation}, {loss}: {found}, {exact}");
            }
        }
    }
}

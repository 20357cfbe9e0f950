//! Penalties on activations, in the loss, in the loss of the validation rows and in the gradient, against Keras.

use linfa_mlp::loss::CategoricalCrossEntropy;
use linfa_mlp::network::{L1, L1L2, L2, Softmax};
use linfa_mlp::prelude::*;
use linfa_mlp::train::{Data, Plan, Rows, Run, Until, evaluate};
use ndarray::Array2;

use crate::fixture::{Comparison, list, matrix, number, numbers, read, text};

/// The rounding of 24 steps.
const TOLERANCE: f64 = 1e-12;

fn network(name: &str) -> Sequential {
    let (empty, tanh) = (Sequential::new(), |units| Dense::new(units).activation(Tanh));
    match name {
        "l2" => empty.add(tanh(5).activity_regularizer(L2::new(0.05))).add(Dense::new(1)),
        "l1_and_l2" => empty
            .add(tanh(4).activity_regularizer(L1L2::new(0.02, 0.03)).kernel_regularizer(L2::new(0.01)))
            .add(Dense::new(3).activation(Sigmoid).activity_regularizer(L1::new(0.1)))
            .add(Dense::new(1)),
        "output" => empty.add(tanh(5)).add(Dense::new(1).activity_regularizer(L2::new(0.1))),
        "softmax_output" => {
            empty.add(tanh(5)).add(Dense::new(2).activation(Softmax).activity_regularizer(L2::new(0.2)))
        }
        unknown => panic!("the fixture has a network nobody compares: {unknown}"),
    }
}

#[test]
fn penalties_on_activations_are_those_of_keras() {
    let fixture = read("activity.json");
    let mut comparison = Comparison::default();
    for expected in list(&fixture, "runs") {
        let name = text(expected, "network");
        let (x, y): (Array2<f64>, Array2<f64>) = (matrix(&expected["x"]), matrix(&expected["y"]));
        let loss = match name {
            "softmax_output" => CategoricalCrossEntropy::default().into(),
            _ => MeanSquaredError.into(),
        };
        let plan = Plan {
            network: network(name),
            loss,
            optimizer: Sgd::new(0.1).into(),
            metrics: vec![],
            batch_size: number(&fixture, "batch_size") as usize,
            shuffle: false,
            seed: 1,
            callbacks: vec![],
        };
        let mut run = Run::<f64>::new(plan, 3).expect("a run");
        let tensors: Vec<_> = run.network().tensors().map(|(name, values)| (name, values.dim())).collect();
        for ((tensor, shape), values) in tensors.iter().zip(list(expected, "initial_weights")) {
            let values = Array2::from_shape_vec(*shape, numbers(values)).expect("the same shape");
            run.network_mut().set_tensor(tensor, values.view()).expect("a tensor of the network");
        }
        let rows = Rows::new(x.view(), y.view()).expect("rows");
        let held_out = (x.nrows() as f64 * number(&fixture, "validation_split")) as usize;
        let (training, validation): (Vec<usize>, Vec<usize>) =
            (0..x.nrows()).partition(|&row| row < x.nrows() - held_out);
        let training = rows.select(training).expect("rows");
        let data = Data { training, validation: Some(rows.select(validation).expect("rows")) };
        run.advance(&data, Until::epochs(number(&fixture, "epochs") as usize)).expect("it trains");
        for column in ["loss", "val_loss"] {
            let what = format!("{name}: {column}");
            comparison.all_close(&run.history()[column], &expected[column], TOLERANCE, &what);
        }
        let whole = evaluate(run.network(), run.plan(), &rows).expect("a loss")["loss"];
        comparison.close(whole, number(expected, "evaluate"), TOLERANCE, || format!("{name}: evaluate"));
        for ((tensor, values), keras) in run.network().tensors().zip(list(expected, "weights")) {
            let values: Vec<f64> = values.iter().copied().collect();
            comparison.all_close(&values, keras, TOLERANCE, &format!("{name}: {tensor}"));
        }
    }
    comparison.assert(150);
}

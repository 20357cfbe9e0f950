//! Normalisation, frozen layers and constraints against Keras: 50 steps of SGD and Adam.

use std::path::Path;

use linfa_mlp::loss::MeanSquaredError;
use linfa_mlp::network::{
    BatchNorm, Dense, L2, LayerNorm, MaxNorm, MinMaxNorm, NonNeg, Sequential, Tanh, UnitNorm,
};
use linfa_mlp::optimizer::{Adam, AnyOptimizer, Sgd};
use linfa_mlp::train::{Data, Plan, Rows, Run, Until, evaluate};
use ndarray::{Array2, ArrayView2};
use serde_json::Value;

/// Relative, or absolute for values below 1. What sets it: the rounding of 50 steps, which reaches 4·10⁻¹⁵.
const TOLERANCE: f64 = 1e-13;

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().expect("a number")],
    }
}

fn tanh(units: usize) -> Dense {
    Dense::new(units).activation(Tanh)
}

fn network(name: &str) -> Sequential {
    let empty = Sequential::new();
    let stack = match name {
        "layer_norm" => empty.add(tanh(5)).add(LayerNorm::new()),
        "layer_norm_plain" => {
            empty.add(LayerNorm::new().epsilon(0.01).center(false).scale(false)).add(tanh(4))
        }
        "batch_norm" => empty
            .add(Dense::new(5).use_bias(false))
            .add(BatchNorm::new().momentum(0.9))
            .add(tanh(4))
            .add(BatchNorm::new().scale(false).epsilon(0.01)),
        "norm_regularizers" => empty
            .add(BatchNorm::new().gamma_regularizer(L2::new(0.01)).center(false))
            .add(tanh(5))
            .add(LayerNorm::new().beta_regularizer(L2::new(0.02))),
        "frozen" => empty
            .add(tanh(5).trainable(false).kernel_regularizer(L2::new(0.01)))
            .add(BatchNorm::new().trainable(false)),
        "max_norm" => empty.add(tanh(5).kernel_constraint(MaxNorm::new(0.7))),
        "non_neg" => empty.add(tanh(5).kernel_constraint(NonNeg)),
        "unit_norm" => empty.add(tanh(5).kernel_constraint(UnitNorm).bias_constraint(MaxNorm::new(0.1))),
        "min_max_norm" => empty.add(tanh(5).kernel_constraint(MinMaxNorm::new(0.6, 0.9).rate(0.5))),
        other => panic!("a network that this test does not know: {other}"),
    };
    stack.add(Dense::new(1))
}

/// The largest difference, relative or absolute for values below 1.
fn distance(found: impl IntoIterator<Item = f64>, expected: &Value) -> f64 {
    let (found, expected) = (found.into_iter().collect::<Vec<_>>(), numbers(expected));
    assert_eq!(found.len(), expected.len());
    let pairs = found.iter().zip(&expected);
    pairs.map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f64::max)
}

#[test]
fn fifty_steps_are_those_of_keras() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/layers.json");
    let text = std::fs::read_to_string(path).expect("the fixture is in the repository");
    let fixture: Value = serde_json::from_str(&text).expect("the fixture is JSON");
    let n_rows = fixture["x"].as_array().expect("rows").len();
    let x = Array2::from_shape_vec((n_rows, 3), numbers(&fixture["x"])).expect("three columns");
    let y = Array2::from_shape_vec((n_rows, 1), numbers(&fixture["y"])).expect("one column");
    let rows = Rows::new(x.view(), y.view()).expect("rows");
    let mut worst = Vec::new();
    for expected in fixture["runs"].as_array().expect("runs") {
        let name = expected["network"].as_str().expect("a name");
        let optimizer: AnyOptimizer = match expected["optimizer"].as_str() {
            Some("SGD") => Sgd::new(0.05).into(),
            _ => Adam::new(0.01).into(),
        };
        let what = format!("{name}, {optimizer}");
        let plan = Plan {
            network: network(name),
            loss: MeanSquaredError.into(),
            optimizer,
            metrics: vec![],
            batch_size: fixture["batch_size"].as_u64().expect("a size") as usize,
            shuffle: false,
            seed: 1,
            callbacks: vec![],
        };
        let epochs = fixture["epochs"].as_u64().expect("epochs") as usize;
        let mut run = Run::<f64>::new(plan, 3).expect("a run");
        let tensors: Vec<(String, (usize, usize))> =
            run.network().tensors().map(|(name, values)| (name, values.dim())).collect();
        let initial = expected["initial_weights"].as_array().expect("weights");
        let names = expected["names"].as_array().expect("names");
        assert_eq!(tensors.len(), initial.len(), "{what}");
        for (((tensor, shape), values), keras) in tensors.iter().zip(initial).zip(names) {
            assert_eq!(tensor.rsplit('/').next(), keras.as_str(), "{what}");
            let values = numbers(values);
            let view = ArrayView2::from_shape(*shape, &values).expect("the same shape");
            run.network_mut().set_tensor(tensor, view).expect("a tensor of the network");
        }
        let network = run.network();
        assert_eq!(network.count_trainable_params() as u64, expected["trainable"].as_u64().expect("a count"));
        let fixed = network.summary().count_non_trainable_params();
        assert_eq!(fixed as u64, expected["non_trainable"].as_u64().expect("a count"));

        run.advance(&Data { training: rows.clone(), validation: None }, Until::epochs(epochs))
            .expect("50 steps");
        assert_eq!(run.steps(), expected["steps"].as_u64().expect("steps"));
        let mut errors = vec![distance(run.history()["loss"].iter().copied(), &expected["loss"])];
        for ((_, values), keras) in
            run.network().tensors().zip(expected["weights"].as_array().expect("weights"))
        {
            errors.push(distance(values.iter().copied(), keras));
        }
        errors.push(distance(run.network().predict(x.view()).expect("outputs"), &expected["predict"]));
        let loss = evaluate(run.network(), run.plan(), &rows).expect("a loss")["loss"];
        errors.push(distance([loss], &expected["evaluate"]));
        worst.push((what, errors.into_iter().fold(0.0, f64::max)));
    }
    for (what, error) in &worst {
        println!("{what}: {error:.1e}");
    }
    for (what, error) in &worst {
        assert!(*error <= TOLERANCE, "{what}: {error:e}");
    }
}

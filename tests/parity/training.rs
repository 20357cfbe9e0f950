//! One `fit` with penalties, a short last batch and a validation split, through the model of Keras' floor.

use linfa_mlp::Float;
use linfa_mlp::prelude::*;
use ndarray::Array2;
use serde_json::Value;

use crate::fixture::{Comparison, list, matrix, number, read, tensors, text};

fn compare<F: Float>(fixture: &Value, case: &Value, tolerance: f64, comparison: &mut Comparison) {
    let hidden = Dense::new(8).activation(Relu).kernel_regularizer(L2::new(0.01));
    let output = Dense::new(1).kernel_regularizer(L1::new(0.001));
    let (x, y): (Array2<F>, Array2<F>) = (matrix(&fixture["x"]), matrix(&fixture["y"]));
    let mut model: Model<F> = Sequential::new()
        .add(hidden)
        .add(output)
        .compile(x.ncols(), Adam::default(), MeanSquaredError, [linfa_mlp::metric::Mae])
        .expect("a model");
    for (name, values) in tensors(&fixture["initial_weights"]) {
        model.set_tensor(&name, values.view()).expect("a tensor of the network");
    }
    let training = Training::epochs(number(fixture, "epochs") as usize)
        .batch_size(number(fixture, "batch_size") as usize)
        .shuffle(false)
        .validation_split(number(fixture, "validation_split"));
    model.fit(&x, &y, &training).expect("a fit");

    let dtype = F::DTYPE;
    assert_eq!(model.run().steps(), number(case, "steps") as u64);
    for (ours, theirs) in [
        ("loss", "loss"),
        ("mean_absolute_error", "mae"),
        ("val_loss", "val_loss"),
        ("val_mean_absolute_error", "val_mae"),
    ] {
        let expected = &case["history"][theirs];
        comparison.all_close(&model.history()[ours], expected, tolerance, &format!("{dtype}: {ours}"));
    }
    let scores = model.evaluate(&x, &y).expect("scores");
    for (ours, theirs) in [("loss", "loss"), ("mean_absolute_error", "mae")] {
        let expected = number(&case["evaluate"], theirs);
        comparison.close(scores[ours], expected, tolerance, || format!("{dtype}: evaluate, {ours}"));
    }
    let outputs = model.predict(&x).expect("outputs").into_raw_vec_and_offset().0;
    comparison.all_close(&outputs, &case["predict"], tolerance, &format!("{dtype}: predict"));
    for ((name, found), (_, expected)) in model.network().tensors().zip(tensors::<f64>(&case["weights"])) {
        for (at, found) in found.indexed_iter() {
            comparison.close(found.wide(), expected[at], tolerance, || format!("{dtype}: {name}{at:?}"));
        }
    }
}

#[test]
fn a_fit_with_penalties_and_validation_equals_keras() {
    let fixture = read("training.json");
    let mut comparison = Comparison::default();
    for case in list(&fixture, "runs") {
        // The rounding of 80 steps.
        match text(case, "dtype") {
            "float64" => compare::<f64>(&fixture, case, 1e-14, &mut comparison),
            _ => compare::<f32>(&fixture, case, 5e-6, &mut comparison),
        }
    }
    comparison.assert(2 * (4 * 20 + 2 + 33 + 41));
}

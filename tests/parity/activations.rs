//! Activations and their derivatives on points from −100 to 100.

use std::collections::BTreeSet;

use linfa_mlp::Float;
use linfa_mlp::network::activation::{Activations, AnyActivation, Keeps};
use linfa_mlp::part::names;
use serde_json::{Value, json};

use crate::fixture::{Comparison, list, numbers, read, table, text};

fn activation(case: &Value) -> AnyActivation {
    let mut arguments = case["arguments"].clone();
    // Our GELU has the exact form only, and no setting for it.
    if arguments == json!({"approximate": false}) {
        arguments = json!({});
    }
    AnyActivation::build(text(case, "activation"), arguments).expect("an activation of the same name")
}

/// Values, and ∂loss/∂z for a loss with those ∂loss/∂a.
fn both<F: Float>(activation: &AnyActivation, z: &[F], delta: &[F], width: usize) -> (Vec<F>, Vec<F>) {
    let (mut a, mut delta) = (z.to_vec(), delta.to_vec());
    let ops = activation.ops::<F>();
    ops.forward(&mut a, width);
    ops.backward(if ops.keeps() == Keeps::Input { z } else { &a }, &mut delta, width);
    (a, delta)
}

/// Those of a column of the fixture, with its names for the two.
fn compare<F: Float>(case: &Value, column: &str, tolerance: f64, comparison: &mut Comparison) {
    let activation = activation(case);
    let width = table(&case["x"]).1;
    let z: Vec<F> = numbers(&case["x"]);
    let (delta, derivative): (Vec<F>, _) = match case.get("weights") {
        Some(weights) => (numbers::<F>(weights).repeat(z.len() / width), "gradient"),
        None => (vec![F::one(); z.len()], "derivative"),
    };
    let (values, derivatives) = both(&activation, &z, &delta, width);
    let what = |of| format!("{activation} {}, {column}, {of}", F::DTYPE);
    comparison.all_close(&values, &case[column]["y"], tolerance, &what("value"));
    comparison.all_close(&derivatives, &case[column][derivative], tolerance, &what(derivative));
}

#[test]
fn every_activation_has_a_fixture() {
    let fixture = read("activations.json");
    let there: BTreeSet<_> = list(&fixture, "activations").iter().map(|c| activation(c).name()).collect();
    assert_eq!(there, names::<Activations>().into_iter().collect());
}

#[test]
fn activations_equal_the_exact_values() {
    let fixture = read("activations.json");
    let mut comparison = Comparison::default();
    for case in list(&fixture, "activations") {
        // A few operations near 1, each rounded by half of 2.2·10⁻¹⁶ or of 1.2·10⁻⁷.
        compare::<f64>(case, "exact", 1e-15, &mut comparison);
        compare::<f32>(case, "exact", 5e-7, &mut comparison);
    }
    comparison.assert(2000);
}

#[test]
fn activations_equal_keras() {
    let fixture = read("activations.json");
    let mut comparison = Comparison::default();
    for case in list(&fixture, "activations") {
        let in_single = matches!(text(case, "activation"), "leaky_relu" | "gelu");
        // TensorFlow rounds the slope of one and the √2 of the other to f32, also in float64.
        compare::<f64>(case, "float64", if in_single { 2e-8 } else { 1e-15 }, &mut comparison);
        // Their rounding and ours, and TensorFlow's fast exponentials.
        compare::<f32>(case, "float32", 1e-6, &mut comparison);
    }
    comparison.assert(2000);
}

#[test]
fn small_values_are_exact_to_their_own_last_places() {
    let fixture = read("activations.json");
    let mut comparison = Comparison::default();
    for case in list(&fixture, "activations") {
        let width = table(&case["x"]).1;
        let z: Vec<f64> = numbers(&case["x"]);
        let (values, _) = both(&activation(case), &z, &vec![1.0; z.len()], width);
        for ((z, found), expected) in z.iter().zip(&values).zip(table(&case["exact"]["y"]).0) {
            // Four units in the last place of the value itself, however small: expm1, ln1p and erfc, not exp − 1,
            // ln(1 + …) and 1 − erf.
            let tolerance = 4.0 * f64::EPSILON * expected.abs();
            comparison.close(*found, expected, tolerance, || format!("{} at {z}", case["activation"]));
        }
    }
    comparison.assert(500);
}

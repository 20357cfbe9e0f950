//! Penalties and their gradients.

use std::collections::BTreeSet;

use linfa_mlp::Float;
use linfa_mlp::network::regularizer::{AnyRegularizer, Regularizers};
use linfa_mlp::part::names;
use serde_json::Value;

use crate::fixture::{Comparison, list, number, numbers, read, text};

fn name(case: &Value) -> &'static str {
    match text(case, "regularizer") {
        "L1" => "l1",
        "L2" => "l2",
        "L1L2" => "l1_l2",
        unknown => panic!("the fixture has a regularizer nobody compares: {unknown}"),
    }
}

fn compare<F: Float>(fixture: &Value, tolerance: f64, comparison: &mut Comparison) {
    let kernel: Vec<F> = numbers(&fixture["kernel"]);
    for case in list(fixture, "regularizers") {
        let regularizer =
            AnyRegularizer::build(name(case), case["arguments"].clone()).expect("the same settings");
        let what = format!("{regularizer:?} {}", F::DTYPE);
        let (ops, expected) = (regularizer.ops::<F>(), &case[F::DTYPE]);
        let penalty = number(expected, "penalty");
        let room = tolerance * penalty.abs().max(1.0);
        comparison.close(ops.penalty(&kernel), penalty, room, || format!("{what}: penalty"));
        // On top of a gradient that is there.
        let mut gradient = vec![F::zero(); kernel.len()];
        ops.add_gradient(&kernel, &mut gradient);
        comparison.all_close(&gradient, &expected["gradient"], tolerance, &what);
        let mut on_top = vec![F::one(); kernel.len()];
        ops.add_gradient(&kernel, &mut on_top);
        for (on_top, alone) in on_top.iter().zip(&gradient) {
            let expected = 1.0 + alone.wide();
            comparison.close(on_top.wide(), expected, tolerance, || format!("{what}: on top of 1"));
        }
    }
}

#[test]
fn every_regularizer_has_a_fixture() {
    let fixture = read("regularizers.json");
    let there: BTreeSet<_> = list(&fixture, "regularizers").iter().map(name).collect();
    assert_eq!(there, names::<Regularizers>().into_iter().collect());
}

#[test]
fn penalties_equal_keras() {
    let fixture = read("regularizers.json");
    let mut comparison = Comparison::default();
    // A handful of multiplications and one sum.
    compare::<f64>(&fixture, 1e-15, &mut comparison);
    compare::<f32>(&fixture, 5e-7, &mut comparison);
    comparison.assert(150);
}

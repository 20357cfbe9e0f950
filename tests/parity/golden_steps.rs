//! Keras' own golden tests, to full precision: given gradients, no network.

use std::path::Path;

use linfa_mlp::Float;
use linfa_mlp::optimizer::{AnyOptimizer, MAX_SLOTS, Optimizer, Step};
use serde_json::{Map, Value};

fn numbers<F: Float>(value: &Value) -> Vec<F> {
    value.as_array().expect("a list").iter().map(|v| F::of(v.as_f64().expect("a number"))).collect()
}

fn optimizer(case: &Value) -> AnyOptimizer {
    let name = case["optimizer"].as_str().expect("a name").to_lowercase();
    let settings: Map<String, Value> = case["arguments"].as_object().expect("arguments").clone();
    AnyOptimizer::build(&name, Value::Object(settings)).expect("Keras' arguments are in range")
}

fn follow<F: Float>(case: &Value, tolerance: f64) {
    let part = optimizer(case);
    let rule: &dyn Optimizer<F> = part.ops::<F>();
    let mut weights = numbers::<F>(&case["start"]);
    let mut moments: Vec<Vec<F>> =
        (0..rule.slots().len()).map(|slot| vec![F::of(rule.slot_start(slot)); weights.len()]).collect();
    let mut scalars: Vec<f64> = rule.scalars().iter().map(|(_, start)| *start).collect();
    let gradients = case["gradients"].as_array().expect("a list");
    let path = case["after_each_step"].as_array().expect("a list");
    for (number, (gradient, expected)) in (1..).zip(gradients.iter().zip(path)) {
        rule.begin(number, &mut scalars);
        let learning_rate = rule.tuning().learning_rate.rate(number - 1);
        // A run does this part around the rule.
        if let Some(decay) = rule.tuning().weight_decay {
            weights.iter_mut().for_each(|w| *w -= *w * F::of(decay * learning_rate));
        }
        let mut slots = moments.iter_mut();
        let slots: [&mut [F]; MAX_SLOTS] =
            std::array::from_fn(|_| slots.next().map_or(&mut [][..], |slot| &mut slot[..]));
        let step = Step { number, learning_rate, scalars: &scalars };
        rule.update(step, &mut weights, &numbers::<F>(gradient), slots);
        for (found, expected) in weights.iter().zip(numbers::<f64>(expected)) {
            let off = (found.wide() - expected).abs() / expected.abs().max(1.0);
            assert!(off <= tolerance, "{} {} {number}: {found} {expected}", case["optimizer"], F::DTYPE);
        }
    }
}

/// The tolerances are those of the file: five steps of rounding, and in float32 the power of β₂ that Keras rounds.
#[test]
fn golden_trajectories_are_those_of_keras() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/d2.json");
    let text = std::fs::read_to_string(&path).expect("the fixture is in the repository");
    let file: Value = serde_json::from_str(&text).expect("the fixture is JSON");
    let cases = file["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 36);
    for case in cases {
        match case["dtype"].as_str() {
            Some("float64") => follow::<f64>(case, 1e-14),
            _ => follow::<f32>(case, 1e-5),
        }
    }
}

//! The members of the rooms, and what each can stand next to.

use linfa_mlp::loss::AnyLoss;
use linfa_mlp::network::activation::AnyActivation;
use linfa_mlp::part::{Part, Room, names};
use linfa_mlp::rng::Stream;
use ndarray::Array2;
use serde_json::Value;

/// Every member of a room with its defaults, and with other settings if it has any.
pub fn all<R: Room>() -> Vec<Part<R>> {
    let mut parts = Vec::new();
    for name in names::<R>() {
        let part: Part<R> = name.parse().expect("a name of the room");
        let settings = part.settings();
        let other = moved(&settings);
        parts.push(part);
        if other != settings {
            parts.push(Part::build(name, other).expect("settings not far from the defaults are allowed"));
        }
    }
    parts
}

/// Other settings, inside every range there is now: 0 becomes 0.1, 1 becomes 0.8, false becomes true.
fn moved(settings: &Value) -> Value {
    match settings {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), moved(value))).collect(),
        Value::Bool(yes) => (!yes).into(),
        Value::Number(number) if number.is_f64() => (0.7 * number.as_f64().unwrap_or(0.0) + 0.1).into(),
        other => other.clone(),
    }
}

/// The outputs a loss can read.
#[derive(Clone, Copy, PartialEq)]
pub enum Outputs {
    Any,
    Positive,
    Between0And1,
}

/// The outputs a loss can read with smooth derivatives. A new loss is taken to read any.
pub fn outputs_of(loss: &AnyLoss) -> Outputs {
    match loss.name() {
        "poisson" | "categorical_crossentropy" | "sparse_categorical_crossentropy" => Outputs::Positive,
        "binary_crossentropy" => Outputs::Between0And1,
        _ => Outputs::Any,
    }
}

/// Whether an activation gives such outputs: tried on sums from −2 to 2, further than the networks here go.
pub fn gives(activation: &AnyActivation, wanted: Outputs) -> bool {
    let mut values: Vec<f64> = (0..=40).map(|i| f64::from(i) / 10.0 - 2.0).collect();
    // Two columns, for softmax.
    let width = 2;
    values.push(0.0);
    activation.ops::<f64>().forward(&mut values, width);
    let inside = |from: f64, to: f64| values.iter().all(|value| (from..to).contains(value));
    match wanted {
        Outputs::Any => true,
        Outputs::Positive => inside(0.01, f64::INFINITY),
        Outputs::Between0And1 => inside(0.01, 0.99),
    }
}

/// An activation the loss is used with: its own if it takes one over, else one whose outputs it can read.
pub fn usual_output(loss: &AnyLoss) -> AnyActivation {
    let name = match (loss.ops::<f64>().takes_over(), outputs_of(loss)) {
        (Some(own), _) => own,
        (None, Outputs::Positive) => "exponential",
        (None, Outputs::Between0And1) => "sigmoid",
        (None, Outputs::Any) => "identity",
    };
    name.parse().expect("a name of the room")
}

/// Targets the loss allows: real numbers where it takes them, else class indices, shares or counts.
pub fn targets(loss: &AnyLoss, rows: usize, n_outputs: usize, draws: &mut Stream) -> Array2<f64> {
    let ops = loss.ops::<f64>();
    let allows = |value| ops.allows(value, n_outputs);
    let width = ops.target_width(n_outputs);
    Array2::from_shape_simple_fn((rows, width), || {
        let share = draws.uniform();
        let candidates = [4.0 * share - 2.0, 3.0 * share, share, draws.below(n_outputs) as f64];
        let kind = match (allows(-0.5), allows(2.5), allows(0.5)) {
            (true, _, _) => 0,
            (_, true, _) => 1,
            (_, _, true) => 2,
            _ => 3,
        };
        candidates[kind]
    })
}

//! 500 steps of every optimizer, knob and schedule against Keras, and the rules PyTorch shares.
//!
//! Keras' own numbers are `distance_to_exact` away from the same run in 80-bit floats. Ours must be as near to Keras as
//! a few of those distances: both are rounding, grown by the training itself. How much a run grows it is luck in part, so
//! that a float32 run may also take what the same run in float64 says of it, times 2²⁹, the ratio of the two roundings.
//! A run whose name is not translated below fails the test, so that none is left out.

use std::path::Path;

use linfa_mlp::Float;
use linfa_mlp::optimizer::schedule::{
    Cosine, CosineRestarts, Exponential, InverseTime, PiecewiseConstant, Polynomial,
};
use linfa_mlp::optimizer::{
    Adadelta, Adagrad, Adam, AdamW, Adamax, AnyOptimizer, AnySchedule, Lion, Nadam, RmsProp, Sgd,
};
use linfa_mlp::prelude::*;
use linfa_mlp::train::{Data, Plan, Rows, Run, Until};
use ndarray::Array2;
use serde_json::{Map, Value, json};

fn fixture() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/optimizers.json");
    let text = std::fs::read_to_string(&path).expect("the fixture is in the repository");
    serde_json::from_str(&text).expect("the fixture is JSON")
}

fn list<'a>(value: &'a Value, key: &str) -> &'a Vec<Value> {
    value[key].as_array().unwrap_or_else(|| panic!("a list of {key}"))
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("a number {key}"))
}

fn whole(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| panic!("a whole number {key}"))
}

fn numbers(values: &[Value]) -> Vec<f64> {
    values.iter().map(|value| value.as_f64().expect("a number")).collect()
}

/// A list of rows, or one row.
fn matrix<F: Float>(value: &Value) -> Array2<F> {
    let rows = value.as_array().expect("a list");
    let rows: Vec<Vec<f64>> = if rows[0].is_array() {
        rows.iter().map(|row| numbers(row.as_array().expect("a row"))).collect()
    } else {
        vec![numbers(rows)]
    };
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| F::of(rows[i][j]))
}

/// Keras' arguments of an optimizer in our words; `None` where the value means "off".
fn setting(key: &str, value: &Value, arguments: &Value) -> Option<(&'static str, Value)> {
    let same = [
        "momentum",
        "nesterov",
        "rho",
        "centered",
        "beta_1",
        "beta_2",
        "epsilon",
        "amsgrad",
        "initial_accumulator_value",
        "weight_decay",
        "learning_rate",
    ];
    if let Some(same) = same.into_iter().find(|same| *same == key) {
        return Some((same, value.clone()));
    }
    match key {
        "clipvalue" => Some(("clip_value", value.clone())),
        "clipnorm" => Some(("clip_norm", value.clone())),
        "global_clipnorm" => Some(("global_clip_norm", value.clone())),
        "gradient_accumulation_steps" => Some(("accumulate", value.clone())),
        "use_ema" => Some(("ema", arguments["ema_momentum"].clone())),
        "ema_momentum" => None,
        other => panic!("{other} has no translation"),
    }
}

fn schedule(described: &Value) -> AnySchedule {
    let a = &described["arguments"];
    let start = || number(a, "initial_learning_rate");
    let steps = || whole(a, "decay_steps");
    match described["class_name"].as_str().expect("a name") {
        "ExponentialDecay" => {
            let schedule = Exponential::new(start(), steps(), number(a, "decay_rate"));
            if a["staircase"] == true { schedule.staircase().into() } else { schedule.into() }
        }
        "PiecewiseConstantDecay" => {
            let boundaries: Vec<u64> = list(a, "boundaries").iter().map(|b| b.as_u64().unwrap()).collect();
            PiecewiseConstant::new(boundaries, numbers(list(a, "values"))).into()
        }
        "PolynomialDecay" => Polynomial::new(start(), steps())
            .end_rate(number(a, "end_learning_rate"))
            .power(number(a, "power"))
            .into(),
        "InverseTimeDecay" => InverseTime::new(start(), steps(), number(a, "decay_rate")).into(),
        "CosineDecay" => Cosine::new(start(), steps())
            .alpha(number(a, "alpha"))
            .warmup(number(a, "warmup_target"), whole(a, "warmup_steps"))
            .into(),
        "CosineDecayRestarts" => CosineRestarts::new(start(), whole(a, "first_decay_steps")).into(),
        other => panic!("{other} has no translation"),
    }
}

/// The optimizer of a run by Keras.
fn keras(run: &Value) -> AnyOptimizer {
    let arguments = &run["arguments"];
    let given = arguments.as_object().expect("arguments");
    let mut settings: Map<String, Value> = given
        .iter()
        .filter_map(|(key, value)| setting(key, value, arguments))
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    if !run["schedule"].is_null() {
        settings.insert("learning_rate".into(), json!(schedule(&run["schedule"])));
    }
    let name = run["optimizer"].as_str().expect("a name").to_lowercase();
    AnyOptimizer::build(&name, Value::Object(settings)).expect("Keras' arguments are in range")
}

/// The optimizer of a run by PyTorch, where the rule is the same.
fn torch(run: &Value) -> AnyOptimizer {
    let a = &run["arguments"];
    let rate = number(a, "lr");
    match run["optimizer"].as_str().expect("a name") {
        "SGD" => {
            let sgd = Sgd::new(rate).momentum(a["momentum"].as_f64().unwrap_or(0.0));
            if a["nesterov"] == true { sgd.nesterov().into() } else { sgd.into() }
        }
        "Adadelta" => Adadelta::new(rate).rho(0.9).epsilon(1e-6).into(),
        other => panic!("{other} has no translation"),
    }
}

fn start<F: Float>(file: &Value, optimizer: AnyOptimizer) -> Run<F> {
    let plan = Plan {
        network: Sequential::new().add(Dense::new(5).activation(Tanh)).add(Dense::new(3).activation(Softmax)),
        loss: CategoricalCrossEntropy::default().into(),
        optimizer,
        metrics: vec![],
        batch_size: whole(file, "batch_size") as usize,
        shuffle: false,
        seed: 0,
        callbacks: vec![],
    };
    let mut run = Run::new(plan, 4).expect("a valid plan");
    let names: Vec<String> = run.network().tensors().map(|(name, _)| name).collect();
    for (name, values) in names.iter().zip(tensors(&file["initial_weights"])) {
        run.network_mut().set_tensor(name, matrix::<F>(values).view()).expect("the fixture's shapes");
    }
    run
}

/// Kernel, bias, kernel, bias.
fn tensors(layers: &Value) -> impl Iterator<Item = &Value> {
    layers.as_array().expect("layers").iter().flat_map(|layer| [&layer["kernel"], &layer["bias"]])
}

/// The largest distance between weights of a network and of the fixture.
fn distance<F: Float>(network: &linfa_mlp::network::Network<F>, layers: &Value) -> f64 {
    let mut worst: f64 = 0.0;
    for ((_, found), expected) in network.tensors().zip(tensors(layers)) {
        for (found, expected) in found.iter().zip(&matrix::<f64>(expected)) {
            let off = (found.wide() - expected).abs();
            assert!(off.is_finite());
            worst = worst.max(off);
        }
    }
    worst
}

/// The distance to exact of the same run in float64.
fn twin(file: &Value, described: &Value, step: u64) -> f64 {
    let same = |run: &&Value| ["library", "title"].iter().all(|key| run[key] == described[key]);
    let run = list(file, "runs").iter().find(|run| same(run) && run["dtype"] == "float64").expect("a twin");
    let snapshot = list(run, "snapshots").iter().find(|s| whole(s, "step") == step).expect("the same steps");
    number(snapshot, "distance_to_exact")
}

/// Follows a run and compares it at each snapshot; `floor` is a rounding where Keras happens to have made none.
fn follow<F: Float>(file: &Value, described: &Value, optimizer: AnyOptimizer, floor: f64) {
    let scale = F::epsilon().wide() / f64::EPSILON;
    let title = format!("{} {}", described["library"], described["title"]);
    let (x, y) = (matrix::<F>(&file["x"]), matrix::<F>(&file["y"]));
    let data = Data { training: Rows::new(x.view(), y.view()).expect("rows"), validation: None };
    let mut run = start::<F>(file, optimizer);
    for snapshot in list(described, "snapshots") {
        let step = whole(snapshot, "step");
        run.advance(&data, Until::epochs(1000).steps(step)).expect("finite");
        assert_eq!(run.steps(), step);
        let exact = number(snapshot, "distance_to_exact");
        let allowed = 6.0 * exact.max(floor).max(scale * twin(file, described, step));
        let found = distance(run.network(), &snapshot["weights"]);
        println!("{} {title} {step}: {found:.1e}, Keras to exact {exact:.1e}", F::DTYPE);
        assert!(found <= allowed, "{} {title} {step}: {found:e} above {allowed:e}", F::DTYPE);
        if !snapshot["average"].is_null() {
            let found = distance(&run.result(), &snapshot["average"]);
            assert!(found <= allowed, "{} {title} {step}, average: {found:e} above {allowed:e}", F::DTYPE);
        }
    }
}

#[test]
fn every_keras_run_is_followed_for_500_steps() {
    let file = fixture();
    let runs: Vec<&Value> = list(&file, "runs").iter().filter(|run| run["library"] == "keras").collect();
    assert_eq!(runs.len(), 58, "29 runs in two number types");
    for run in runs {
        match run["dtype"].as_str() {
            Some("float64") => follow::<f64>(&file, run, keras(run), 2e-16),
            _ => follow::<f32>(&file, run, keras(run), 1e-7),
        }
    }
}

#[test]
fn the_rules_that_pytorch_shares_are_followed_too() {
    let file = fixture();
    let runs = list(&file, "runs").iter().filter(|run| run["library"] == "torch");
    let shared: Vec<&Value> = runs.filter(|run| run["same_rule_as_keras"] == true).collect();
    assert_eq!(shared.len(), 8);
    for run in shared {
        match run["dtype"].as_str() {
            Some("float64") => follow::<f64>(&file, run, torch(run), 2e-16),
            _ => follow::<f32>(&file, run, torch(run), 1e-7),
        }
    }
}

#[test]
fn defaults_are_those_of_keras() {
    let file = fixture();
    for run in list(&file, "runs").iter().filter(|run| run["library"] == "keras") {
        let optimizer = keras(run);
        let config = run["config"].as_object().expect("a config");
        let settings = optimizer.settings();
        for (key, value) in config {
            // float32 runs report a rate that is rounded to it; schedules are compared by their rates.
            let skipped =
                ["learning_rate", "use_ema", "ema_momentum", "ema_overwrite_frequency", "loss_scale_factor"];
            if skipped.contains(&key.as_str()) || (key == "gradient_accumulation_steps" && value.is_null()) {
                continue;
            }
            let (key, value) = setting(key, value, &run["config"]).expect("not skipped");
            assert_eq!(settings[key], value, "{} {key}", run["title"]);
        }
        if run["dtype"] == "float64" && run["schedule"].is_null() {
            assert_eq!(settings["learning_rate"], config["learning_rate"], "{}", run["title"]);
        }
    }
}

#[test]
fn rates_are_those_of_keras_schedules() {
    let file = fixture();
    for run in list(&file, "runs").iter().filter(|run| !run["learning_rates"].is_null()) {
        // One rounding of each factor; Keras itself computes in the run's number type.
        let tolerance = if run["dtype"] == "float64" { 2e-16 } else { 2e-7 };
        let schedule = schedule(&run["schedule"]);
        let rates = &run["learning_rates"];
        for (step, rate) in list(rates, "step").iter().zip(numbers(list(rates, "rate"))) {
            let found = schedule.rate(step.as_u64().unwrap());
            assert!((found - rate).abs() <= tolerance, "{} {step}: {found} {rate}", run["title"]);
        }
    }
}

#[test]
fn names_of_types_are_those_of_the_files() {
    let parts: [(AnyOptimizer, &str); 9] = [
        (Sgd::default().into(), "sgd"),
        (RmsProp::default().into(), "rmsprop"),
        (Adam::default().into(), "adam"),
        (AdamW::default().into(), "adamw"),
        (Adamax::default().into(), "adamax"),
        (Nadam::default().into(), "nadam"),
        (Adagrad::default().into(), "adagrad"),
        (Adadelta::default().into(), "adadelta"),
        (Lion::default().into(), "lion"),
    ];
    for (part, name) in parts {
        assert_eq!(part, name.parse().unwrap());
    }
}

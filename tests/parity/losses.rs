//! Losses of rows, their mean and its gradient, with and without sample weights.

use std::collections::BTreeSet;

use linfa_mlp::Float;
use linfa_mlp::loss::{AnyLoss, Losses, Rows};
use linfa_mlp::network::activation::AnyActivation;
use linfa_mlp::part::names;
use serde_json::{Value, json};

use crate::fixture::{Comparison, list, numbers, read, table, text};

/// Our name of Keras' class.
fn name(case: &Value) -> &'static str {
    match text(case, "loss") {
        "MeanSquaredError" => "mean_squared_error",
        "MeanAbsoluteError" => "mean_absolute_error",
        "Huber" => "huber",
        "LogCosh" => "log_cosh",
        "Poisson" => "poisson",
        "BinaryCrossentropy" => "binary_crossentropy",
        "CategoricalCrossentropy" => "categorical_crossentropy",
        "SparseCategoricalCrossentropy" => "sparse_categorical_crossentropy",
        unknown => panic!("the fixture has a loss nobody compares: {unknown}"),
    }
}

fn from_logits(case: &Value) -> bool {
    case["arguments"]["from_logits"] == true
}

fn loss(case: &Value) -> AnyLoss {
    let mut settings = case["arguments"].as_object().expect("arguments").clone();
    settings.remove("from_logits");
    AnyLoss::build(name(case), settings.into()).expect("a loss with the same settings")
}

fn title(case: &Value) -> String {
    format!("{} {} {}", text(case, "loss"), case["arguments"], text(case, "data"))
}

struct Found<F> {
    losses: Vec<F>,
    gradient: Vec<F>,
    outputs: Vec<F>,
    n_outputs: usize,
}

fn compute<F: Float>(case: &Value) -> Found<F> {
    let n_outputs = table(&case["y_pred"]).1;
    let (targets, mut outputs): (Vec<F>, Vec<F>) = (numbers(&case["y_true"]), numbers(&case["y_pred"]));
    let mut losses = vec![F::nan(); outputs.len() / n_outputs];
    let mut gradient = vec![F::nan(); outputs.len()];
    let rows = Rows {
        targets: &targets,
        outputs: &mut outputs,
        n_outputs,
        losses: &mut losses,
        gradient: Some(&mut gradient),
    };
    loss(case).ops::<F>().rows(rows, from_logits(case));
    Found { losses, gradient, outputs, n_outputs }
}

/// The classes whose rows Keras clips in another order than its own dense form does; see `README.md`.
fn is_clipped_sparse(case: &Value) -> bool {
    text(case, "loss") == "SparseCategoricalCrossentropy"
        && !from_logits(case)
        && text(case, "data").contains("zeros and ones")
}

fn compare<F: Float>(case: &Value, weights: &[f64], expected: &Value, comparison: &mut Comparison) {
    let title = format!("{} {}", title(case), F::DTYPE);
    let double = F::DTYPE == "float64";
    // f64: a logarithm and a sum. f32: the same, and where probabilities meet a binary cross-entropy 1 − 0.999, which
    // has lost three digits of its seven.
    let near_one = text(case, "loss") == "BinaryCrossentropy" && !from_logits(case);
    let tolerance = if double { 1e-14 } else { 2e-6 };
    let gradient_tolerance = if !double && near_one { 2e-5 } else { tolerance };

    let Found { losses, gradient, n_outputs, .. } = compute::<F>(case);
    comparison.all_close(&losses, &expected["per_row"], tolerance, &format!("{title}: row"));
    let rows = losses.len() as f64;
    for (kind, weight_of, mass) in [("", None, rows), ("weighted_", Some(weights), weights.iter().sum())] {
        let weight = |row: usize| weight_of.map_or(1.0, |weights| weights[row]) / mass;
        let mean: f64 = losses.iter().enumerate().map(|(row, loss)| weight(row) * loss.wide()).sum();
        let value = expected[format!("{kind}mean")].as_f64().expect("a mean");
        comparison.close(mean, value, tolerance * value.abs().max(1.0), || format!("{title}: {kind}mean"));
        let scaled: Vec<f64> =
            gradient.iter().enumerate().map(|(i, g)| weight(i / n_outputs) * g.wide()).collect();
        let what = format!("{title}: {kind}gradient");
        comparison.all_close(&scaled, &expected[format!("{kind}gradient")], gradient_tolerance, &what);
    }
}

#[test]
fn every_loss_has_a_fixture() {
    let fixture = read("losses.json");
    let there: BTreeSet<_> = list(&fixture, "losses").iter().map(name).collect();
    assert_eq!(there, names::<Losses>().into_iter().collect());
}

#[test]
fn losses_equal_keras() {
    let fixture = read("losses.json");
    let weights: Vec<f64> = numbers(&fixture["sample_weight"]);
    let mut comparison = Comparison::default();
    for case in list(&fixture, "losses").iter().filter(|case| !is_clipped_sparse(case)) {
        compare::<f64>(case, &weights, &case["float64"], &mut comparison);
        compare::<f32>(case, &weights, &case["float32"], &mut comparison);
    }
    comparison.assert(2000);
}

#[test]
fn class_indices_give_what_one_hot_rows_give() {
    let fixture = read("losses.json");
    let weights: Vec<f64> = numbers(&fixture["sample_weight"]);
    let mut comparison = Comparison::default();
    let sparse = |case: &&Value| text(case, "loss") == "SparseCategoricalCrossentropy";
    for case in list(&fixture, "losses").iter().filter(sparse) {
        let dense = list(&fixture, "losses").iter().find(|dense| {
            text(dense, "loss") == "CategoricalCrossentropy"
                && dense["data"] == case["data"]
                && dense["arguments"]
                    == json!({"from_logits": case["arguments"]["from_logits"], "label_smoothing": 0.0})
        });
        let dense = dense.expect("the same data with one-hot rows");
        // Also where Keras' two losses part, at clipped probabilities: ours are one.
        compare::<f64>(case, &weights, &dense["float64"], &mut comparison);
        compare::<f32>(case, &weights, &dense["float32"], &mut comparison);
    }
    comparison.assert(300);
}

#[test]
fn sums_become_outputs_and_stay_finite() {
    let fixture = read("losses.json");
    let mut seen_extreme = 0;
    for case in list(&fixture, "losses").iter().filter(|case| from_logits(case)) {
        let Found { losses, gradient, outputs, n_outputs } = compute::<f64>(case);
        assert!(losses.iter().chain(&gradient).all(|value| value.is_finite()), "{}", title(case));
        let mut expected: Vec<f64> = numbers(&case["y_pred"]);
        seen_extreme += usize::from(expected.iter().any(|z| z.abs() >= 1000.0));
        let takes_over = loss(case).ops::<f64>().takes_over().expect("an activation to take over");
        let activation: AnyActivation = takes_over.parse().expect("an activation of that name");
        activation.ops::<f64>().forward(&mut expected, n_outputs);
        for (found, expected) in outputs.iter().zip(&expected) {
            // The same formula twice.
            assert!((found - expected).abs() <= 1e-15, "{}: {found}, not {expected}", title(case));
        }
    }
    assert!(seen_extreme >= 5, "{seen_extreme} cases with sums of ±1000");
}

#[test]
fn without_gradients_losses_are_the_same() {
    let fixture = read("losses.json");
    for case in list(&fixture, "losses") {
        let Found { losses, n_outputs, .. } = compute::<f64>(case);
        let (targets, mut outputs): (Vec<f64>, Vec<f64>) =
            (numbers(&case["y_true"]), numbers(&case["y_pred"]));
        let mut alone = vec![f64::NAN; losses.len()];
        let of_rows =
            Rows { targets: &targets, outputs: &mut outputs, n_outputs, losses: &mut alone, gradient: None };
        loss(case).ops::<f64>().rows(of_rows, from_logits(case));
        assert_eq!(alone, losses, "{}", title(case));
    }
}

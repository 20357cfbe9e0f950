//! Metrics against scikit-learn, with and without sample weights.
//!
//! `metrics.json` has the corners; `metric_averages.json` labels, all averages and more rows.

use linfa_mlp::metric::{
    Accuracy, AnyMetric, Average, AveragePrecision, BalancedAccuracy, Batch, Brier, CohenKappa,
    ExplainedVariance, F1, FBeta, LogLoss, Mae, Mape, Matthews, MaxError, MedianAbsoluteError, Mse,
    Precision, R2, Recall, Rmse, RocAuc, TopK,
};
use serde_json::Value;

use crate::fixture::{list, read, table};

/// Relative, or absolute for values below 1. What sets it: a few hundred terms of size up to 10⁶ (squares of targets
/// near 1000) summed in another order than NumPy's, some 10⁻¹⁶ each, and R² that divides two such sums.
const TOLERANCE: f64 = 1e-12;

/// One data set: rows of numbers, and what is said of them.
struct Data {
    targets: Vec<f64>,
    target_width: usize,
    outputs: Vec<f64>,
    n_outputs: usize,
    weights: Vec<f64>,
    multilabel: bool,
}

impl Data {
    fn batch(&self, weighted: bool) -> Batch<'_, f64> {
        let batch = Batch::new(&self.targets, self.target_width, &self.outputs, self.n_outputs);
        let batch = if self.multilabel { batch.multilabel() } else { batch };
        if weighted { batch.weighted(&self.weights) } else { batch }
    }
}

fn data(case: &Value, multilabel: bool) -> Data {
    let (targets, target_width) = table(&case["y_true"]);
    let (outputs, n_outputs) = table(&case["y_pred"]);
    let (weights, _) = table(&case["sample_weight"]);
    Data { targets, target_width, outputs, n_outputs, weights, multilabel }
}

/// Predicted classes as probabilities that decide for them.
fn decided(case: &Value) -> Data {
    let data = data(case, false);
    if data.targets.iter().chain(&data.outputs).all(|class| *class < 1.5) {
        return data;
    }
    let hot =
        |class: &f64| [0.0, 1.0, 2.0].map(|column: f64| f64::from(u8::from((class - column).abs() < 0.5)));
    Data { outputs: data.outputs.iter().flat_map(hot).collect(), n_outputs: 3, ..data }
}

/// Our metric of a scikit-learn function with arguments, and the factor between them.
fn metric(name: &str, arguments: &Value) -> (AnyMetric, f64) {
    let average = |default: Average| {
        arguments.get("average").map_or(default, |name| {
            serde_json::from_value(name.clone()).expect("an average of the same name")
        })
    };
    let f_average = average(Average::Binary);
    let metric = match name {
        "accuracy_score" => Accuracy.into(),
        "balanced_accuracy_score" => BalancedAccuracy.into(),
        "precision_score" => Precision::default().average(f_average).into(),
        "recall_score" => Recall::default().average(f_average).into(),
        "f1_score" => F1::default().average(f_average).into(),
        "fbeta_score" => FBeta::new(arguments["beta"].as_f64().expect("a number")).average(f_average).into(),
        "matthews_corrcoef" => Matthews.into(),
        "cohen_kappa_score" => CohenKappa.into(),
        "roc_auc_score" => RocAuc::default().average(average(Average::Macro)).into(),
        "average_precision_score" => AveragePrecision::default().average(average(Average::Macro)).into(),
        "top_k_accuracy_score" => TopK::new(arguments["k"].as_u64().expect("a count") as usize).into(),
        "log_loss" => LogLoss.into(),
        "brier_score_loss" => Brier.into(),
        "mean_absolute_error" => Mae.into(),
        "mean_squared_error" => Mse.into(),
        "root_mean_squared_error" => Rmse.into(),
        "mean_absolute_percentage_error" => Mape.into(),
        "median_absolute_error" => MedianAbsoluteError.into(),
        "r2_score" => R2.into(),
        "explained_variance_score" => ExplainedVariance.into(),
        "max_error" => MaxError.into(),
        unknown => panic!("the fixture has a score nobody compares: {unknown}"),
    };
    let halved = arguments.get("scale_by_half").and_then(Value::as_bool) == Some(true);
    (metric, if halved { 0.5 } else { 1.0 })
}

/// Compares every score of a case, and counts them; what differs is added to `problems`.
fn compare(case: &Value, data: &Data, problems: &mut Vec<String>) -> usize {
    let mut n_compared = 0;
    for score in list(case, "scores") {
        let name = score["metric"].as_str().expect("a name");
        let (metric, factor) = metric(name, &score["arguments"]);
        for (key, weighted) in [("value", false), ("weighted", true)] {
            let Some(expected) = score.get(key) else { continue };
            // null is scikit-learn's NaN.
            let expected = expected.as_f64().unwrap_or(f64::NAN);
            let found = factor * metric.ops::<f64>().of(&data.batch(weighted));
            let both_undefined = found.is_nan() && expected.is_nan();
            let close = (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0);
            if !(close || both_undefined) {
                problems.push(format!("{}: {metric}, {key}: {found}, not {expected}", case["data"]));
            }
            n_compared += 1;
        }
    }
    n_compared
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "{} differ:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn corners_equal_scikit_learn() {
    let fixture = read("metrics.json");
    let (mut n_compared, mut problems) = (0, Vec::new());
    for case in list(&fixture, "classes") {
        n_compared += compare(case, &decided(case), &mut problems);
    }
    for part in ["probabilities_of_one", "probabilities", "numbers"] {
        for case in list(&fixture, part) {
            n_compared += compare(case, &data(case, false), &mut problems);
        }
    }
    assert_none(&problems);
    assert!(n_compared > 500, "only {n_compared} compared");
}

#[test]
fn averages_and_labels_equal_scikit_learn() {
    let fixture = read("metric_averages.json");
    let (mut n_compared, mut problems) = (0, Vec::new());
    for case in list(&fixture, "cases") {
        n_compared += compare(case, &data(case, case["kind"] == "labels"), &mut problems);
    }
    assert_none(&problems);
    assert!(n_compared > 200, "only {n_compared} compared");
}

//! Metrics: adding a row to `CONTRACT` is all it takes to test a new one.

use linfa_mlp::Error;
use linfa_mlp::metric::{
    Accuracy, AnyMetric, Average, AveragePrecision, BalancedAccuracy, Batch, Brier, CohenKappa, Direction,
    ExplainedVariance, F1, FBeta, LogLoss, Mae, Mape, Matthews, MaxError, MedianAbsoluteError, Metrics, Mse,
    Precision, R2, Recall, Rmse, RocAuc, Task, TopK,
};
use linfa_mlp::part::{self, Room};
use proptest::prelude::*;

use Direction::{Maximize, Minimize};

/// A metric, where it is best, and the tasks it is defined for.
struct Row {
    metric: AnyMetric,
    names: &'static [&'static str],
    direction: Direction,
    unit: &'static str,
    best: f64,
    tasks: &'static [Kind],
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// One probability.
    Binary,
    /// Three probabilities and a class index.
    Classes,
    /// Three probabilities and one-hot targets.
    OneHot,
    /// Three labels of their own.
    Labels,
    /// Two outputs of any value.
    Values,
}

const KINDS: [Kind; 5] = [Kind::Binary, Kind::Classes, Kind::OneHot, Kind::Labels, Kind::Values];
const BINARY: &[Kind] = &[Kind::Binary];
const MULTICLASS: &[Kind] = &[Kind::Classes, Kind::OneHot];
const CLASSES: &[Kind] = &[Kind::Binary, Kind::Classes, Kind::OneHot];
const CLASSES_AND_LABELS: &[Kind] = &[Kind::Binary, Kind::Classes, Kind::OneHot, Kind::Labels];
const VALUES: &[Kind] = &[Kind::Values];

fn row(
    metric: impl Into<AnyMetric>,
    names: &'static [&'static str],
    (direction, unit): (Direction, &'static str),
    tasks: &'static [Kind],
) -> Row {
    let best = if direction == Maximize { 1.0 } else { 0.0 };
    Row { metric: metric.into(), names, direction, unit, best, tasks }
}

fn contract() -> Vec<Row> {
    let score = (Maximize, "");
    let error = (Minimize, "target");
    let mut rows = vec![
        row(
            Accuracy,
            &["accuracy", "acc", "categorical_accuracy", "sparse_categorical_accuracy", "accuracy_score"],
            score,
            CLASSES_AND_LABELS,
        ),
        row(BalancedAccuracy, &["balanced_accuracy", "balanced_accuracy_score"], score, CLASSES),
        row(TopK::default(), &["top_k_accuracy", "top_k", "top_k_categorical_accuracy"], score, MULTICLASS),
        row(TopK::new(1), &[], score, CLASSES),
        row(Precision::default(), &["precision", "precision_score"], score, BINARY),
        row(Recall::default(), &["recall", "recall_score"], score, BINARY),
        row(F1::default(), &["f1_score", "f1"], score, BINARY),
        row(FBeta::default(), &["fbeta_score", "f_beta", "fbeta"], score, BINARY),
        row(Matthews, &["matthews_corrcoef", "matthews", "mcc"], score, CLASSES),
        row(CohenKappa, &["cohen_kappa", "kappa", "cohen_kappa_score"], score, CLASSES),
        row(RocAuc::default(), &["roc_auc", "auc", "roc_auc_score"], score, CLASSES_AND_LABELS),
        row(
            AveragePrecision::default(),
            &["average_precision", "average_precision_score"],
            score,
            CLASSES_AND_LABELS,
        ),
        row(LogLoss, &["log_loss"], (Minimize, "nat"), CLASSES),
        row(Brier, &["brier_score", "brier", "brier_score_loss"], (Minimize, ""), CLASSES),
        row(Mae, &["mean_absolute_error", "mae"], error, VALUES),
        row(Mse, &["mean_squared_error", "mse"], (Minimize, "target²"), VALUES),
        row(Rmse, &["root_mean_squared_error", "rmse"], error, VALUES),
        row(Mape, &["mean_absolute_percentage_error", "mape"], (Minimize, ""), VALUES),
        row(MedianAbsoluteError, &["median_absolute_error", "medae"], error, VALUES),
        row(MaxError, &["max_error"], error, VALUES),
        row(R2, &["r2_score", "r2"], score, VALUES),
        row(ExplainedVariance, &["explained_variance", "explained_variance_score"], score, VALUES),
    ];
    for average in [Average::Macro, Average::Weighted, Average::Micro] {
        rows.push(row(Precision::default().average(average), &[], score, CLASSES_AND_LABELS));
        rows.push(row(Recall::default().average(average), &[], score, CLASSES_AND_LABELS));
        rows.push(row(F1::default().average(average), &[], score, CLASSES_AND_LABELS));
        rows.push(row(FBeta::new(0.5).average(average), &[], score, CLASSES_AND_LABELS));
        rows.push(row(RocAuc::default().average(average), &[], score, CLASSES_AND_LABELS));
        rows.push(row(AveragePrecision::default().average(average), &[], score, CLASSES_AND_LABELS));
    }
    rows
}

/// Rows of a task.
#[derive(Clone, Debug)]
struct Data {
    task: Task,
    targets: Vec<f64>,
    outputs: Vec<f64>,
    weights: Vec<f64>,
}

impl Data {
    fn n_rows(&self) -> usize {
        self.weights.len()
    }

    fn row(&self, row: usize) -> (&[f64], &[f64]) {
        let Task { n_outputs, target_width, .. } = self.task;
        (&self.targets[row * target_width..][..target_width], &self.outputs[row * n_outputs..][..n_outputs])
    }

    /// The rows of these numbers, with new weights.
    fn select(&self, rows: impl IntoIterator<Item = (usize, f64)>) -> Data {
        let mut selected = Data { targets: vec![], outputs: vec![], weights: vec![], ..self.clone() };
        for (row, weight) in rows {
            let (targets, outputs) = self.row(row);
            selected.targets.extend_from_slice(targets);
            selected.outputs.extend_from_slice(outputs);
            selected.weights.push(weight);
        }
        selected
    }

    fn batch(&self) -> Batch<'_, f64> {
        let Task { n_outputs, target_width, multilabel } = self.task;
        let (targets, outputs, weights) = (&self.targets, &self.outputs, Some(&self.weights[..]));
        Batch { targets, target_width, outputs, n_outputs, weights, multilabel }
    }

    fn value(&self, metric: &AnyMetric) -> f64 {
        metric.ops::<f64>().of(&self.batch())
    }
}

fn task(kind: Kind) -> Task {
    let (n_outputs, target_width) = match kind {
        Kind::Binary => (1, 1),
        Kind::Classes => (3, 1),
        Kind::OneHot | Kind::Labels => (3, 3),
        Kind::Values => (2, 2),
    };
    Task { n_outputs, target_width, multilabel: kind == Kind::Labels }
}

/// Eight rows, every class and label both there and not, predicted exactly.
fn perfect(kind: Kind) -> Data {
    let classes: [f64; 8] = [0.0, 1.0, 2.0, 1.0, 0.0, 2.0, 0.0, 1.0];
    let hot =
        |class: f64| (0..3).map(move |column| f64::from(u8::from((class - f64::from(column)).abs() < 0.5)));
    let (targets, outputs): (Vec<f64>, Vec<f64>) = match kind {
        Kind::Binary => {
            let targets: Vec<f64> = classes.iter().map(|class| class.min(1.0)).collect();
            (targets.clone(), targets)
        }
        Kind::Classes => (classes.to_vec(), classes.into_iter().flat_map(hot).collect()),
        Kind::OneHot => {
            let targets: Vec<f64> = classes.into_iter().flat_map(hot).collect();
            (targets.clone(), targets)
        }
        Kind::Labels => {
            let targets: Vec<f64> =
                (0..8).flat_map(|row| [row & 1, row >> 1 & 1, row >> 2]).map(f64::from).collect();
            (targets.clone(), targets)
        }
        Kind::Values => {
            let targets: Vec<f64> = (1..17).map(|value| 0.7 * f64::from(value * value % 11) - 3.0).collect();
            (targets.clone(), targets)
        }
    };
    Data { task: task(kind), targets, outputs, weights: (1..9).map(|row| 0.1 * f64::from(row)).collect() }
}

/// Up to twelve rows of any task, with scores that tie often and weights of 0, 1 and 2.
fn any_rows() -> impl Strategy<Value = (Kind, Data)> {
    proptest::sample::select(&KINDS[..]).prop_flat_map(|kind| (Just(kind), rows_of(kind)))
}

fn rows_of(kind: Kind) -> impl Strategy<Value = Data> {
    let cell = (0..100_u32, 0..11_u32);
    let one_row = (proptest::collection::vec(cell, 3), 0..3_u32, 0..3_u32);
    proptest::collection::vec(one_row, 1..13).prop_map(move |rows| {
        let mut data = Data { task: task(kind), targets: vec![], outputs: vec![], weights: vec![] };
        for (cells, class, weight) in rows {
            let hot = |column: u32| f64::from(u8::from(column == class));
            match kind {
                Kind::Binary => data.targets.push(f64::from(class.min(1))),
                Kind::Classes => data.targets.push(f64::from(class)),
                Kind::OneHot => data.targets.extend((0..3).map(hot)),
                Kind::Labels => data.targets.extend(cells.iter().map(|(target, _)| f64::from(target % 2))),
                Kind::Values => {
                    data.targets.extend(cells[..2].iter().map(|(target, _)| f64::from(*target) - 50.0));
                }
            }
            let scores = cells.iter().map(|(_, score)| f64::from(*score) / 10.0);
            data.outputs.extend(scores.take(data.task.n_outputs));
            data.weights.push(f64::from(weight));
        }
        data
    })
}

/// Two values of one metric: equal up to rounding, or both NaN.
fn agree(one: f64, other: f64) -> bool {
    (one.is_nan() && other.is_nan()) || (one - other).abs() <= 1e-12 * one.abs().max(1.0)
}

fn same_bits(one: f64, other: f64) -> bool {
    one.to_bits() == other.to_bits()
}

#[test]
fn every_member_has_a_row() {
    let rows = contract();
    // Not `part::names`: other tests register metrics of their own.
    for name in Metrics::members().iter().map(part::Member::name) {
        assert!(rows.iter().any(|row| row.names.first() == Some(&name)), "{name} is not in the contract");
    }
}

#[test]
fn every_name_parses_to_the_default() {
    for row in contract() {
        for name in row.names {
            assert_eq!(name.parse::<AnyMetric>().expect(name), row.metric);
        }
        assert!(row.metric.check().is_ok());
    }
    let mut names: Vec<_> = contract().iter().flat_map(|row| row.names).copied().collect();
    let n_names = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), n_names, "a name stands for two metrics");
}

#[test]
fn every_metric_goes_through_json_and_back() {
    for row in contract() {
        let text = serde_json::to_string(&row.metric).expect("a metric is JSON");
        let back: AnyMetric = serde_json::from_str(&text).expect(&text);
        assert_eq!(back, row.metric);
        assert_eq!(serde_json::to_string(&back).expect("a metric is JSON"), text);
        let unknown = format!("{{\"name\": {:?}, \"no_such_setting\": 1}}", row.metric.name());
        assert!(serde_json::from_str::<AnyMetric>(&unknown).is_err(), "{unknown}");
    }
}

#[test]
fn every_metric_states_direction_unit_and_kind() {
    for row in contract() {
        let metric = row.metric.ops::<f64>();
        assert_eq!(metric.direction(), row.direction, "{}", row.metric);
        assert_eq!(metric.unit(), row.unit, "{}", row.metric);
        assert_eq!(metric.of_classes(), row.tasks != VALUES, "{}", row.metric);
    }
}

#[test]
fn a_task_it_is_not_defined_for_is_refused_by_name() {
    for row in contract() {
        for kind in KINDS {
            let defined = row.tasks.contains(&kind);
            let answers = [
                row.metric.ops::<f64>().check_task(&task(kind)),
                row.metric.ops::<f32>().check_task(&task(kind)),
            ];
            for answer in answers {
                match answer {
                    Ok(()) => assert!(
                        defined || row.tasks == VALUES || kind == Kind::Values,
                        "{} {kind:?}",
                        row.metric
                    ),
                    Err(Error::Parameter { name, .. }) => {
                        assert!(
                            !defined && name.contains(row.metric.name()),
                            "{} {kind:?}: {name}",
                            row.metric
                        );
                    }
                    Err(other) => panic!("{other}"),
                }
            }
        }
    }
}

#[test]
fn a_perfect_prediction_is_best_and_a_nan_never() {
    for row in contract() {
        for kind in row.tasks {
            let data = perfect(*kind);
            let value = data.value(&row.metric);
            // Log-loss clips: its best is −ln(1 − ε), half a rounding from 0.
            assert!((value - row.best).abs() < 1e-14, "{} {kind:?}: {value}", row.metric);
            for place in 0..data.outputs.len() {
                let mut spoilt = data.clone();
                spoilt.outputs[place] = f64::NAN;
                let value = spoilt.value(&row.metric);
                assert!(value.is_nan(), "{} {kind:?}, output {place}: {value}", row.metric);
                assert!(!row.direction.improves(value, f64::NAN, 0.0));
                spoilt.weights[place / spoilt.task.n_outputs] = 0.0;
                let value = spoilt.value(&row.metric);
                assert!(agree(value, row.best), "{} {kind:?}, absent NaN: {value}", row.metric);
            }
        }
    }
}

#[test]
fn no_rows_have_no_value() {
    for row in contract() {
        let metric = row.metric.ops::<f64>();
        assert!(metric.value(&[]).is_nan(), "{}", row.metric);
        for kind in row.tasks {
            let mut data = perfect(*kind);
            data.weights.fill(0.0);
            assert!(data.value(&row.metric).is_nan(), "{} {kind:?}", row.metric);
            assert!(data.select([]).value(&row.metric).is_nan(), "{} {kind:?}", row.metric);
        }
    }
}

#[test]
fn both_number_types_agree() {
    for row in contract() {
        for kind in row.tasks {
            let mut data = perfect(*kind);
            // Quarters are exact in f32, and away from 0 and 1 log-loss does not clip.
            data.outputs.iter_mut().enumerate().for_each(|(place, value)| {
                let quarter = 0.25 * f64::from((place % 3) as u8 + 1);
                *value = if *kind == Kind::Values { value.floor() + quarter } else { quarter };
            });
            data.targets.iter_mut().for_each(|value| *value = value.floor());
            data.weights.fill(1.0);
            let narrow = |values: &[f64]| -> Vec<f32> { values.iter().map(|value| *value as f32).collect() };
            let (targets, outputs) = (narrow(&data.targets), narrow(&data.outputs));
            let Task { n_outputs, target_width, multilabel } = data.task;
            let batch = Batch {
                targets: &targets,
                target_width,
                outputs: &outputs,
                n_outputs,
                weights: None,
                multilabel,
            };
            let (single, double) = (row.metric.ops::<f32>().of(&batch), data.value(&row.metric));
            assert!(same_bits(single, double), "{} {kind:?}: {single} and {double}", row.metric);
        }
    }
}

proptest! {
    #[test]
    fn two_halves_equal_the_whole((kind, data) in any_rows(), cut in 0..13_usize) {
        let cut = cut.min(data.n_rows());
        let part = |rows: std::ops::Range<usize>| data.select(rows.map(|row| (row, 0.1 * data.weights[row])));
        let (first, second, whole) = (part(0..cut), part(cut..data.n_rows()), part(0..data.n_rows()));
        for row in contract().iter().filter(|row| row.tasks.contains(&kind)) {
            let metric = row.metric.ops::<f64>();
            let (mut state, mut in_one) = (Vec::new(), Vec::new());
            metric.update(&mut state, &first.batch());
            metric.update(&mut state, &second.batch());
            metric.update(&mut in_one, &whole.batch());
            let (halves, whole) = (metric.value(&state), metric.value(&in_one));
            prop_assert!(same_bits(halves, whole), "{}: {} and {}", row.metric, halves, whole);
        }
    }

    #[test]
    fn a_weight_is_a_repetition((kind, data) in any_rows()) {
        let repeated = (0..data.n_rows()).flat_map(|row| (0..data.weights[row] as u32).map(move |_| (row, 1.0)));
        let repeated = data.select(repeated);
        for row in contract().iter().filter(|row| row.tasks.contains(&kind)) {
            let (weighted, repeated) = (data.value(&row.metric), repeated.value(&row.metric));
            prop_assert!(agree(weighted, repeated), "{}: {} and {}", row.metric, weighted, repeated);
        }
    }

    #[test]
    fn a_row_of_weight_0_is_absent((kind, data) in any_rows()) {
        let present = data.select((0..data.n_rows()).map(|row| (row, data.weights[row])).filter(|row| row.1 > 0.0));
        for row in contract().iter().filter(|row| row.tasks.contains(&kind)) {
            let (all, present) = (data.value(&row.metric), present.value(&row.metric));
            prop_assert!(same_bits(all, present), "{}: {} and {}", row.metric, all, present);
        }
    }

    #[test]
    fn no_value_is_better_than_the_best((kind, data) in any_rows()) {
        for row in contract().iter().filter(|row| row.tasks.contains(&kind)) {
            let value = data.value(&row.metric);
            prop_assert!(!row.direction.improves(value, row.best, 1e-15), "{}: {}", row.metric, value);
        }
    }

    #[test]
    fn class_indices_and_one_hot_targets_agree(data in rows_of(Kind::Classes)) {
        let mut hot = data.clone();
        hot.task = task(Kind::OneHot);
        hot.targets = (0..3 * data.n_rows())
            .map(|place| f64::from(u8::from(data.batch().class(place / 3) == place % 3)))
            .collect();
        for row in contract() {
            let (indices, hot) = (data.value(&row.metric), hot.value(&row.metric));
            prop_assert!(same_bits(indices, hot), "{}: {} and {}", row.metric, indices, hot);
        }
    }

    #[test]
    fn sums_keep_their_length_after_the_first_batch((kind, data) in any_rows()) {
        for row in contract().iter().filter(|row| row.tasks.contains(&kind)) {
            let metric = row.metric.ops::<f64>();
            let mut state = Vec::new();
            metric.update(&mut state, &data.batch());
            let before = state.len();
            metric.update(&mut state, &data.batch());
            let keeps_rows = ["roc_auc", "average_precision", "median_absolute_error"];
            let grows = keeps_rows.contains(&row.metric.name()) && data.weights.iter().any(|weight| *weight > 0.0);
            prop_assert_eq!(state.len() > before, grows, "{}", row.metric);
        }
    }
}

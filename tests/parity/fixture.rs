//! Reading the fixtures.

use std::path::Path;

use linfa_mlp::Float;
use ndarray::Array2;
use serde_json::Value;

/// A file of this folder.
pub fn read(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity").join(file);
    let text = std::fs::read_to_string(&path).expect("the fixture is in the repository");
    serde_json::from_str(&text).expect("the fixture is JSON")
}

pub fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().expect("the fixture has this list")
}

pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().expect("the fixture has this text")
}

pub fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().expect("the fixture has this number")
}

/// A list of numbers, or of rows of them, and how many there are in a row.
pub fn table(value: &Value) -> (Vec<f64>, usize) {
    let rows = value.as_array().expect("a list");
    let row = |row: &Value| -> Vec<f64> {
        let cells = row.as_array().cloned().unwrap_or_else(|| vec![row.clone()]);
        cells.iter().map(|cell| cell.as_f64().expect("a number")).collect()
    };
    (rows.iter().flat_map(row).collect(), row(&rows[0]).len())
}

/// The numbers of a list, row after row, in the type of the test.
pub fn numbers<F: Float>(value: &Value) -> Vec<F> {
    table(value).0.into_iter().map(F::of).collect()
}

pub fn matrix<F: Float>(value: &Value) -> Array2<F> {
    let width = table(value).1;
    let values = numbers(value);
    Array2::from_shape_vec((values.len() / width, width), values).expect("rows of one length")
}

/// The tensors of the fixture's `layers`, by our names.
pub fn tensors<F: Float>(layers: &Value) -> Vec<(String, Array2<F>)> {
    let mut tensors = Vec::new();
    for (i, layer) in layers.as_array().expect("a list of layers").iter().enumerate() {
        let bias: Vec<F> = numbers(&layer["bias"]);
        let bias = Array2::from_shape_vec((1, bias.len()), bias).expect("a row");
        tensors.push((format!("dense_{}/kernel", i + 1), matrix(&layer["kernel"])));
        tensors.push((format!("dense_{}/bias", i + 1), bias));
    }
    tensors
}

/// Collects what differs, so that a failure shows all of it.
#[derive(Default)]
pub struct Comparison {
    compared: usize,
    problems: Vec<String>,
}

impl Comparison {
    /// `what` says where the two numbers stand.
    pub fn close(&mut self, found: f64, expected: f64, tolerance: f64, what: impl FnOnce() -> String) {
        self.compared += 1;
        let distance = (found - expected).abs();
        // Not `distance > tolerance`, which a NaN is not either.
        let close = distance <= tolerance;
        if !close {
            let (what, times) = (what(), distance / tolerance);
            self.problems.push(format!("{what}: {found}, not {expected}: {times:.2} times {tolerance:e}"));
        }
    }

    /// Numbers in the same order, with one tolerance relative to each number, or absolute where it is below 1.
    pub fn all_close<F: Float>(&mut self, found: &[F], expected: &Value, tolerance: f64, what: &str) {
        let (expected, _) = table(expected);
        assert_eq!(found.len(), expected.len(), "{what}");
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            let tolerance = tolerance * expected.abs().max(1.0);
            self.close(found.wide(), expected, tolerance, || format!("{what} [{i}]"));
        }
    }

    /// Ends the comparison, which must have had something to compare.
    pub fn assert(self, at_least: usize) {
        let Comparison { compared, problems } = self;
        assert!(problems.is_empty(), "{} of {compared} differ:\n{}", problems.len(), problems.join("\n"));
        assert!(compared >= at_least, "only {compared} compared");
    }
}

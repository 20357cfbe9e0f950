//! Models for other tools, and from them: what leaves is run there, and what comes in predicts the same here.
//!
//! What needs a Python asks the one in the environment variable `LINFA_MLP_PYTHON`; without, the test says so and passes. The
//! fixtures are of `generate.py`, which says the versions, and are read without any Python.

mod hostile;
mod imports;
#[cfg(feature = "onnx")]
mod onnx;
mod python;
mod weights;

use ndarray::Array2;
use serde_json::Value;

/// A matrix of a JSON file.
fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = serde_json::from_value(value.clone()).expect("rows of numbers");
    let width = rows.first().map_or(0, Vec::len);
    Array2::from_shape_vec((rows.len(), width), rows.concat()).expect("rows of one length")
}

/// Compares numbers, relative to those above 1.
#[track_caller]
fn assert_close(what: &str, ours: impl IntoIterator<Item = f64>, theirs: &Array2<f64>, tolerance: f64) {
    let ours: Vec<f64> = ours.into_iter().collect();
    assert_eq!(ours.len(), theirs.len(), "{what}");
    // Rounding errors are as large as the largest terms of a sum, whatever is left of it.
    let scale = theirs.iter().fold(1.0_f64, |scale, b| scale.max(b.abs()));
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() <= tolerance * (1.0 + scale), "{what}: {a} here and {b} there");
    }
}

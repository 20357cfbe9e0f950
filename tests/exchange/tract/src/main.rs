//! Runs every NAME.onnx of a folder by tract, and compares it with the outputs in NAME.json.
//!
//! ```text
//! LINFA_MLP_ONNX_FOLDER=models cargo test --test exchange onnxruntime        # in the crate's root: writes the folder
//! cargo run --release --manifest-path tests/exchange/tract/Cargo.toml -- models
//! ```

use std::error::Error;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::Factoid;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).ok_or("usage: linfa-mlp-tract FOLDER")?;
    let entries = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut files = entries.collect::<Result<Vec<PathBuf>, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "onnx"));
    files.sort();
    let (mut refused, mut failures) = (0, 0);
    // In single and in double.
    let mut worst = [(0.0, String::new()), (0.0, String::new())];
    for path in &files {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        // Exponentials of exponentials make large what rounding left.
        let grown = if name.contains("exponential") { 10.0 } else { 1.0 };
        // Means of squares are computed in single there.
        let single = !name.contains("double") || name.contains("layer_norm");
        match compare(path) {
            Ok((double, off)) if off <= grown * if single { 1e-6 } else { 1e-12 } => {
                let worst = &mut worst[usize::from(double)];
                if off / grown > worst.0 && single != double {
                    *worst = (off / grown, name);
                }
            }
            Ok((_, off)) => {
                failures += 1;
                println!("{name}: {off:e} apart");
            }
            // There is no such operator in double.
            Err(_) if name.starts_with("double_gelu") => refused += 1,
            Err(error) => {
                failures += 1;
                let causes = std::iter::successors(error.source(), |&error| error.source());
                let causes: Vec<String> = causes.map(ToString::to_string).collect();
                println!("{name}: {error}: {}", causes.join(": "));
            }
        }
    }
    println!("{} models, {refused} refused as expected, {failures} failures", files.len());
    println!("largest differences, single, and double without means of squares: {worst:?}");
    if failures > 0 || files.is_empty() { Err("not all models compute the same".into()) } else { Ok(()) }
}

/// Whether the model computes in double, and the largest difference of numbers, relative to the largest of their output above
/// 1; whole numbers have to be equal.
fn compare(path: &Path) -> Result<(bool, f64)> {
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(path.with_extension("json"))?)?;
    let rows: Vec<Vec<f64>> = serde_json::from_value(expected["x"].clone())?;
    let shape = (rows.len(), rows.first().map_or(0, Vec::len));
    let inference = tract_onnx::onnx().model_for_path(path)?;
    let double = inference.input_fact(0)?.datum_type.concretize() == Some(f64::datum_type());
    let x = tract_ndarray::Array2::from_shape_vec(shape, rows.concat())?;
    let x = if double { x.into_tensor() } else { x.mapv(|x| x as f32).into_tensor() };
    let outlets = inference.output_outlets()?.iter();
    let names: Vec<String> =
        outlets.map(|outlet| inference.outlet_label(*outlet).unwrap_or_default().to_owned()).collect();
    let model = inference
        .with_input_fact(0, InferenceFact::dt_shape(x.datum_type(), [shape.0, shape.1]))?
        .into_optimized()?
        .into_runnable()?;
    let outputs = model.run(tvec!(x.into()))?;
    let mut worst = 0.0_f64;
    for (key, wanted) in expected["outputs"].as_object().ok_or("no outputs")? {
        let place = names.iter().position(|name| name == key);
        let place = place.ok_or_else(|| format!("no output {key} among {names:?}"))?;
        let found = outputs[place].cast_to::<f64>()?;
        let found = found.to_plain_array_view::<f64>()?;
        let wanted = flattened(wanted);
        if found.len() != wanted.len() {
            return Err(format!("{key} has {} numbers, not {}", found.len(), wanted.len()).into());
        }
        let scale = 1.0 + wanted.iter().fold(0.0_f64, |most, number| most.max(number.abs()));
        let whole = outputs[place].datum_type() == i64::datum_type();
        for (a, b) in found.iter().zip(wanted) {
            if whole && *a != b {
                return Err(format!("{key}: {a} and {b}").into());
            }
            // A NaN is no number that is close.
            let off = (a - b).abs() / scale;
            worst = if off.is_nan() { f64::INFINITY } else { worst.max(off) };
        }
    }
    Ok((double, worst))
}

fn flattened(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(flattened).collect(),
        other => other.as_f64().into_iter().collect(),
    }
}

//! Runs every NAME.onnx of a folder by tract, and compares it with the outputs in NAME.json.
//!
//! ```text
//! LINFA_MLP_ONNX_FOLDER=/tmp/models cargo test --test exchange onnxruntime        # in the crate's root: writes the folder
//! cargo run --release --manifest-path tests/tract/Cargo.toml -- /tmp/models
//! ```

use std::error::Error;
use std::path::Path;

use serde_json::Value;
use tract_onnx::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: linfa-mlp-tract FOLDER")?;
    let mut files: Vec<_> = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "onnx"));
    files.sort();
    let (mut worst, mut failures) = ((0.0, String::new()), 0);
    for path in &files {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match compare(path) {
            // Exponentials of exponentials make large what rounding left.
            Ok(off) if off <= if name.contains("exponential") { 1e-4 } else { 1e-6 } => {
                if off > worst.0 {
                    worst = (off, name);
                }
            }
            Ok(off) => {
                failures += 1;
                println!("{name}: {off:e} apart");
            }
            Err(error) => {
                failures += 1;
                println!("{name}: {error}");
            }
        }
    }
    println!("{} models, {failures} failures, largest difference {:e} in {}", files.len(), worst.0, worst.1);
    if failures > 0 || files.is_empty() { Err("not all models compute the same".into()) } else { Ok(()) }
}

/// The largest difference of numbers, relative to those above 1; whole numbers have to be equal.
fn compare(path: &Path) -> Result<f64, Box<dyn Error>> {
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(path.with_extension("json"))?)?;
    let rows: Vec<Vec<f64>> = serde_json::from_value(expected["x"].clone())?;
    let (n, width) = (rows.len(), rows.first().map_or(0, Vec::len));
    let flat = rows.concat();
    let inference = tract_onnx::onnx().model_for_path(path)?;
    let double = inference.input_fact(0)?.datum_type.concretize() == Some(f64::datum_type());
    let x = if double {
        tract_ndarray::Array2::from_shape_vec((n, width), flat)?.into_tensor()
    } else {
        let flat: Vec<f32> = flat.into_iter().map(|x| x as f32).collect();
        tract_ndarray::Array2::from_shape_vec((n, width), flat)?.into_tensor()
    };
    let names: Vec<String> =
        inference.output_outlets()?.iter().map(|outlet| inference.outlet_label(*outlet).unwrap_or_default().to_owned()).collect();
    let model = inference
        .with_input_fact(0, InferenceFact::dt_shape(x.datum_type(), [n, width]))?
        .into_optimized()?
        .into_runnable()?;
    let outputs = model.run(tvec!(x.into()))?;
    let mut worst = 0.0_f64;
    for (key, wanted) in expected["outputs"].as_object().ok_or("no outputs")? {
        let place = names.iter().position(|name| name == key).ok_or_else(|| format!("no output {key} among {names:?}"))?;
        let found = outputs[place].cast_to::<f64>()?;
        let found = found.to_plain_array_view::<f64>()?;
        let wanted = flattened(wanted);
        if found.len() != wanted.len() {
            return Err(format!("{key} has {} numbers, not {}", found.len(), wanted.len()).into());
        }
        let whole = outputs[place].datum_type() == i64::datum_type();
        for (a, b) in found.iter().zip(wanted) {
            if whole && *a != b {
                return Err(format!("{key}: {a} and {b}").into());
            }
            worst = worst.max((a - b).abs() / (1.0 + b.abs()));
        }
    }
    Ok(worst)
}

fn flattened(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(flattened).collect(),
        other => other.as_f64().into_iter().collect(),
    }
}

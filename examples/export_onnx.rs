//! A classifier of digits for other runtimes: trained here, run anywhere.
//!
//! ```text
//! cargo run --release --example export_onnx -- MODEL.onnx ROWS.json
//! ```
//!
//! Trains on the embedded digits, writes the model, and 20 test rows with what the model says of them: `x`, `proba`, `labels`.
//! Three lines of Python run it, and a fourth compares:
//!
//! ```python
//! import json, numpy, onnxruntime
//! rows = json.load(open("ROWS.json"))
//! labels, proba = onnxruntime.InferenceSession("MODEL.onnx").run(None, {"x": numpy.array(rows["x"], dtype="float32")})
//! print((labels == rows["labels"]).all(), abs(proba - rows["proba"]).max())
//! ```

use std::error::Error;
use std::process::ExitCode;

use linfa::prelude::*;
use linfa_mlp::datasets::{MinMax, digits};
use linfa_mlp::exchange::Onnx;
use linfa_mlp::prelude::*;
use ndarray::Array2;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model_path, rows_path] = &args[..] else {
        return Err("usage: export_onnx MODEL.onnx ROWS.json".into());
    };
    let mut rng = linfa_mlp::rng::Stream::new(42);
    let (train, test) = digits::<f32>().shuffle(&mut rng).split_with_ratio(0.8);

    // The model learns from pixels between 0 and 1; the file takes them as they are.
    let scaling = MinMax::of_all(train.records())?;
    let scaled = Dataset::new(scaling.scale(train.records().clone())?, train.targets().clone());
    let model = MlpClassifier::params()
        .network(Sequential::new().add(Dense::new(64).activation(Relu)).add(Dropout::new(0.1)))
        .batch_size(32)
        .epochs(20)
        .seed(42)
        .fit(&scaled)?;
    Onnx::new()
        .scaled_by(&scaling)
        .doc_string("digits of 8 × 8 pixels, from 0 to 16")
        .export(&model, model_path)?;

    let x = test.records().slice(ndarray::s![..20, ..]).to_owned();
    let seen = scaling.scale(x.clone())?;
    let (proba, labels) = (model.predict_proba(&seen)?, model.predict(&seen));
    let rows = serde_json::json!({ "x": nested(&x), "proba": nested(&proba), "labels": labels.to_vec() });
    std::fs::write(rows_path, rows.to_string())?;

    let all = Dataset::new(scaling.scale(test.records().clone())?, test.targets().clone());
    println!("accuracy on {} test rows: {:.4}", all.nsamples(), model.score(&all)?);
    println!("wrote {model_path} and {rows_path}");
    Ok(())
}

fn nested(values: &Array2<f32>) -> Vec<Vec<f32>> {
    values.rows().into_iter().map(|row| row.to_vec()).collect()
}

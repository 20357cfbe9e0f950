//! The checker of ONNX accepts what we write, and onnxruntime computes the same.

use std::path::Path;

use linfa::DatasetBase;
use linfa::prelude::*;
use linfa::traits::{Fit, Transformer};
use linfa_mlp::exchange::{Onnx, Scaling, ToOnnx};
use linfa_mlp::model_selection::{GridSearch, KFold, TargetScaling};
use linfa_mlp::network::activation::{Activations, AnyActivation};
use linfa_mlp::network::graph::Precision;
use linfa_mlp::part::Room;
use linfa_mlp::prelude::*;
use linfa_mlp::rng::Stream;
use linfa_mlp::{Error, Float};
use linfa_preprocessing::linear_scaling::LinearScaler;
use ndarray::{Array1, Array2, Axis};
use serde_json::{Value, json};

use crate::python;

fn rows<F: Float>(n: usize, width: usize, seed: u64) -> Array2<F> {
    let stream = Stream::new(seed).named("rows");
    Array2::from_shape_fn((n, width), |(row, column)| {
        F::of(4.0 * (stream.value((row * width + column) as u64) as f64 / u64::MAX as f64) - 2.0)
    })
}

fn nested<F: Float>(values: &Array2<F>) -> Value {
    json!(
        values
            .rows()
            .into_iter()
            .map(|row| row.iter().map(|v| v.wide()).collect())
            .collect::<Vec<Vec<f64>>>()
    )
}

fn write<F: Float>(
    folder: &Path,
    name: &str,
    onnx: &Onnx,
    model: &impl ToOnnx<F>,
    x: &Array2<F>,
    outputs: Value,
) {
    onnx.export(model, folder.join(format!("{name}.onnx"))).unwrap();
    let expected = json!({ "x": nested(x), "outputs": outputs });
    std::fs::write(folder.join(format!("{name}.json")), expected.to_string()).unwrap();
}

/// A network of each activation with each normalisation, in a residual connection and at the end.
fn write_networks<F: Float>(folder: &Path, kind: &str, precision: Precision) {
    let x = rows::<F>(20, 5, 1);
    for member in Activations::members() {
        let activation: AnyActivation = member.name().parse().unwrap();
        for normalisation in ["none", "layer_norm", "batch_norm"] {
            let branch =
                Sequential::new().add(Dense::new(8).activation(activation.clone())).add(Dense::new(6));
            let mut layers =
                Sequential::new().add(GaussianNoise::new(0.1)).add(Dense::new(6).use_bias(false));
            layers = match normalisation {
                "layer_norm" => layers.add(LayerNorm::new()),
                "batch_norm" => layers.add(BatchNorm::new()),
                _ => layers,
            };
            layers = layers
                .add(ActivationLayer::new(activation.clone()))
                .add(Dropout::new(0.5))
                .add(Residual::new(branch))
                .add(Dense::new(3).activation(activation.clone()));
            let mut network = layers.build::<F>(5, 3).unwrap();
            let names: Vec<_> = network.tensors().map(|(name, values)| (name, values.dim())).collect();
            for (i, (name, (height, width))) in names.into_iter().enumerate() {
                if !name.ends_with("kernel") {
                    let values = rows::<F>(height, width, 5 + i as u64).mapv(|v| F::of(1.0) + v / F::of(5.0));
                    network.set_tensor(&name, values.view()).unwrap();
                } else if member.name() == "exponential" {
                    // Three exponentials of exponentials leave the range of f32.
                    let values = rows::<F>(height, width, 50 + i as u64).mapv(|v| v / F::of(20.0));
                    network.set_tensor(&name, values.view()).unwrap();
                }
            }
            let y = network.predict(x.view()).unwrap();
            let name = format!("{kind}_{}_{normalisation}", member.name());
            write(folder, &name, &Onnx::new().precision(precision), &network, &x, json!({ "y": nested(&y) }));
        }
    }
}

/// One column, scaled before a layer without a bias: a product with one number, which runtimes like to fold.
fn write_scaled<F: Float>(folder: &Path, kind: &str, precision: Precision) {
    let layers = Sequential::new().add(Dense::new(8).use_bias(false).activation(Tanh)).add(Dense::new(1));
    let network = layers.build::<F>(1, 3).unwrap();
    let scaling = Scaling::new([50.0], [4.7]).unwrap();
    let x = rows::<F>(20, 1, 1).mapv(|v| F::of(50.0) + F::of(3.0) * v);
    let scaled = x.mapv(|v| (v - F::of(50.0)) / F::of(4.7));
    let y = network.predict(scaled.view()).unwrap();
    let onnx = Onnx::new().precision(precision).scaled_by(scaling);
    write(folder, &format!("{kind}_scaled"), &onnx, &network, &x, json!({ "y": nested(&y) }));
}

fn write_estimators(folder: &Path) {
    let iris = linfa_datasets::iris();
    let x = iris.records().mapv(|v| v as f32);
    let labels = |names: &[usize]| iris.targets().mapv(|class| names[class % names.len()]);
    for (name, names, softmax) in [
        ("model", &[0, 1, 2][..], false),
        ("table", &[30, 10, 20], false),
        ("two", &[3, 1], true),
        ("sigmoid", &[0, 1], false),
    ] {
        let data = Dataset::new(x.clone(), labels(names));
        let params = MlpClassifier::params().hidden_layer_sizes([8]).optimizer(Adam::new(0.02)).epochs(20);
        let model = params.binary_softmax(softmax).fit(&data).unwrap();
        let model = if names.len() == 2 { model.with_threshold(0.4).unwrap() } else { model };
        let proba = nested(&model.predict_proba(&x).unwrap());
        let outputs = json!({ "label": model.predict(&x).to_vec(), "probabilities": proba });
        write(folder, name, &Onnx::new(), &model, &x, outputs);
    }

    let y = Array2::from_shape_fn((150, 2), |(row, label)| {
        iris.records()[[row, label]] > 3.0 + 3.0 * (1 - label) as f64
    });
    let data = Dataset::new(x.clone(), y);
    let model = MlpMultilabelClassifier::params().hidden_layer_sizes([8]).epochs(10).fit(&data).unwrap();
    let said = model.try_predict(&x).unwrap().mapv(u8::from);
    let said: Vec<Vec<u8>> = said.rows().into_iter().map(|row| row.to_vec()).collect();
    let outputs = json!({ "labels": said, "probabilities": nested(&model.predict_proba(&x).unwrap()) });
    write(folder, "multilabel", &Onnx::new(), &model, &x, outputs);
}

/// A search whose winner has a scaler before it and a scaling of targets behind it.
fn write_pipeline(folder: &Path) {
    let diabetes = linfa_datasets::diabetes();
    let raw = diabetes.records().mapv(|v| 50.0 + 100.0 * v);
    let data = Dataset::new(raw.clone(), diabetes.targets().clone());
    let search = GridSearch::new(MlpRegressor::params().epochs(4).seed(1))
        .axis("hidden", [vec![8]], |p, sizes| p.hidden_layer_sizes(sizes))
        .preprocess(LinearScaler::standard())
        .scale_targets(TargetScaling::Standard)
        .cv(KFold::new(2))
        .fit(&data)
        .unwrap();
    let model = search.best_model().unwrap();
    let y = model.predict(&raw).insert_axis(Axis(1));
    for (name, precision) in [("pipeline_single", Precision::Single), ("pipeline_double", Precision::Double)]
    {
        let onnx = Onnx::new()
            .precision(precision)
            .reading(|scaler: &LinearScaler<f64>| Scaling::by_factors(scaler.offsets(), scaler.scales()));
        write(folder, name, &onnx, model, &raw, json!({ "y": nested(&y) }));
    }

    let unread = model.export_onnx(folder.join("unread.onnx")).unwrap_err();
    assert!(
        matches!(&unread, Error::Parameter { name, .. } if name == "step 1 of the preprocessing"),
        "{unread}"
    );
    let wrongly = Onnx::new().reading(|scaler: &LinearScaler<f64>| {
        Scaling::by_factors(scaler.offsets(), &scaler.scales().mapv(|scale| 2.0 * scale))
    });
    let error = wrongly.to_bytes(model).unwrap_err();
    assert!(error.to_string().contains("scaling of columns that was read"), "{error}");
}

/// Scales each row to a sum of 1, which is no scaling of columns.
#[derive(Clone, Debug)]
struct RowsToOne;

impl Fit<Array2<f64>, Array1<()>, Error> for RowsToOne {
    type Object = RowsToOne;

    fn fit(&self, _: &DatasetBase<Array2<f64>, Array1<()>>) -> Result<RowsToOne, Error> {
        Ok(RowsToOne)
    }
}

impl Transformer<Array2<f64>, Array2<f64>> for RowsToOne {
    fn transform(&self, mut x: Array2<f64>) -> Array2<f64> {
        for mut row in x.rows_mut() {
            let sum = row.sum();
            row /= sum;
        }
        x
    }
}

#[test]
fn a_pipeline_s_steps_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_pipeline(folder.path());
    let iris = linfa_datasets::iris();
    let data = Dataset::new(iris.records().clone(), Array1::from_shape_fn(150, |i| (i / 50) as f64));
    let search = GridSearch::new(MlpRegressor::params().epochs(1))
        .axis("hidden", [vec![2]], |p, sizes| p.hidden_layer_sizes(sizes))
        .preprocess(RowsToOne)
        .cv(KFold::new(2))
        .fit(&data)
        .unwrap();
    // Says of a scaler of rows that it scales columns.
    let wrongly = Onnx::new().reading(|_: &RowsToOne| Scaling::new([0.0; 4], [1.0; 4]));
    let error = wrongly.to_bytes(search.best_model().unwrap()).unwrap_err();
    assert!(error.to_string().contains("step 1 of the preprocessing"), "{error}");
}

#[test]
fn onnxruntime_computes_the_same_for_every_activation_normalisation_and_estimator() {
    // A folder to keep, for other runtimes.
    let temporary = tempfile::tempdir().unwrap();
    let given = std::env::var_os("LINFA_MLP_ONNX_FOLDER").map(std::path::PathBuf::from);
    let folder = given.unwrap_or_else(|| temporary.path().to_owned());
    write_all(&folder);
    let Some(python) = python::with(&["onnx", "onnxruntime"]) else { return };

    let seen = python::run(&python, "onnx_runs.py", &folder);
    let seen = seen.as_object().unwrap();
    assert_eq!(seen.len(), 2 * 3 * Activations::members().len() + 2 + 5 + 2 + 1);
    let mut worst = [("", 0.0); 2];
    for (name, report) in seen {
        let (off, double) = (report["numbers"].as_f64().unwrap(), name.contains("double"));
        // Of all operators, onnxruntime lacks one in double; the evaluator in its place computes that in single.
        let lacks = name.starts_with("double_gelu");
        assert_eq!(report["runtime"] == "reference", lacks, "{name}: {report}");
        // Exponentials of exponentials make large what rounding left.
        let grown = if name.contains("exponential") { 10.0 } else { 1.0 };
        let tolerance = if double && !lacks { 1e-13 } else { 1e-6 };
        assert!(off <= grown * tolerance, "{name}: {report}");
        assert_eq!(report["labels"], 0, "{name}: {report}");
        let worst = &mut worst[usize::from(double && !lacks)];
        if off / grown > worst.1 {
            *worst = (name, off / grown);
        }
    }
    assert_eq!(seen["model"]["guide"], true);
    println!("largest differences, single and double: {worst:?}");
}

fn write_all(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    write_networks::<f32>(folder, "single", Precision::Single);
    write_networks::<f64>(folder, "double", Precision::Double);
    write_scaled::<f32>(folder, "single", Precision::Single);
    write_scaled::<f64>(folder, "double", Precision::Double);
    write_estimators(folder);
    write_pipeline(folder);
    let golden = json!({ "x": [[0.5, 0.25], [2.5, 4.25]], "outputs": {} });
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchange/golden.onnx");
    std::fs::copy(source, folder.join("golden.onnx")).unwrap();
    std::fs::write(folder.join("golden.json"), golden.to_string()).unwrap();
}

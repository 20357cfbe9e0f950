//! What is written, decoded and computed again: a runtime of thirty lines stands for those of others.

use std::collections::HashMap;

use linfa::prelude::*;
use linfa::{Dataset, Label};
use ndarray::{Array1, Array2, ArrayD, Axis, IxDyn, array, concatenate};
use prost::Message;

use super::message::{ATTRIBUTE_FLOAT, DOUBLE, FLOAT, ModelProto, NodeProto, Size, TensorProto};
use super::{Onnx, ToOnnx};
use crate::datasets::MinMax;
use crate::error::{Error, Result};
use crate::estimator::{MlpClassifier, MlpMultilabelClassifier, MlpRegressor};
use crate::exchange::Scaling;
use crate::float::Float;
use crate::kernel::math;
use crate::network::activation::{Activation, Activations, AnyActivation};
use crate::network::graph::Precision;
use crate::network::{
    AlphaDropout, BatchNorm, Dense, Dropout, GaussianNoise, LayerNorm, Network, Residual, Sequential,
};
use crate::part::{Configured, Room};
use crate::rng::Stream;

/// The outputs of a file for some rows, by name.
struct Outputs(HashMap<String, ArrayD<f64>>);

impl Outputs {
    fn matrix(&self, name: &str) -> Array2<f64> {
        self.0[name].clone().into_dimensionality().unwrap()
    }

    fn vector(&self, name: &str) -> Vec<i64> {
        assert_eq!(self.0[name].ndim(), 1);
        self.0[name].iter().map(|&value| value as i64).collect()
    }
}

fn decoded<F: Float>(onnx: &Onnx, model: &impl ToOnnx<F>) -> ModelProto {
    ModelProto::decode(&onnx.to_bytes(model).unwrap()[..]).unwrap()
}

fn run<F: Float>(onnx: &Onnx, model: &impl ToOnnx<F>, x: &Array2<F>) -> Outputs {
    let graph = decoded(onnx, model).graph.unwrap();
    let mut values: HashMap<String, ArrayD<f64>> = HashMap::new();
    values.insert("x".into(), x.mapv(|x| x.wide()).into_dyn());
    values.extend(graph.initializer.iter().map(|tensor| (tensor.name.clone(), constant(tensor))));
    for node in &graph.node {
        let inputs: Vec<&ArrayD<f64>> = node.input.iter().map(|name| &values[name]).collect();
        let output = compute(node, &inputs);
        assert!(values.insert(node.output[0].clone(), output).is_none(), "{} twice", node.output[0]);
    }
    Outputs(graph.output.iter().map(|output| (output.name.clone(), values[&output.name].clone())).collect())
}

fn constant(tensor: &TensorProto) -> ArrayD<f64> {
    let numbers: Vec<f64> = match tensor.data_type {
        FLOAT => {
            tensor.raw_data.chunks(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap()))).collect()
        }
        DOUBLE => tensor.raw_data.chunks(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect(),
        _ => tensor.raw_data.chunks(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f64).collect(),
    };
    let shape: Vec<usize> = tensor.dims.iter().map(|&size| size as usize).collect();
    ArrayD::from_shape_vec(IxDyn(&shape), numbers).unwrap()
}

/// The operator, by its definition in ONNX.
fn compute(node: &NodeProto, inputs: &[&ArrayD<f64>]) -> ArrayD<f64> {
    let setting = |name: &str| node.attribute.iter().find(|a| a.name == name).unwrap();
    let number = |name: &str| {
        assert_eq!(setting(name).kind, ATTRIBUTE_FLOAT);
        f64::from(setting(name).f.unwrap())
    };
    let whole = |name: &str| setting(name).i.unwrap();
    let matrix = |i: usize| inputs[i].clone().into_dimensionality::<ndarray::Ix2>().unwrap();
    let each = |f: &dyn Fn(f64) -> f64| inputs[0].mapv(f);
    let both = |f: &dyn Fn(f64, f64) -> f64| {
        let zeros = (inputs[0] - inputs[1]) * 0.0;
        let (a, b) = (inputs[0] + &zeros, inputs[1] + &zeros);
        ndarray::Zip::from(&a).and(&b).map_collect(|&a, &b| f(a, b))
    };
    let elu = |z: f64, alpha: f64| if z > 0.0 { z } else { alpha * z.exp_m1() };
    match node.op_type.as_str() {
        "Identity" => inputs[0].clone(),
        "Gemm" => {
            let product = matrix(0).dot(&matrix(1)).into_dyn();
            inputs.get(2).map_or_else(|| product.clone(), |&bias| &product + bias)
        }
        "Add" => inputs[0] + inputs[1],
        "Sub" => inputs[0] - inputs[1],
        "Mul" => inputs[0] * inputs[1],
        "Div" => inputs[0] / inputs[1],
        "Max" => both(&f64::max),
        "Min" => both(&f64::min),
        "Greater" => both(&|a, b| f64::from(a > b)),
        "Exp" => each(&f64::exp),
        "Log" => each(&f64::ln),
        "Abs" => each(&f64::abs),
        "Neg" => each(&|z| -z),
        "Sqrt" => each(&f64::sqrt),
        "Tanh" => each(&f64::tanh),
        "Sigmoid" => each(&|z| 1.0 / (1.0 + (-z).exp())),
        "Relu" => each(&|z| z.max(0.0)),
        "LeakyRelu" => each(&|z| if z < 0.0 { number("alpha") * z } else { z }),
        "Elu" => each(&|z| elu(z, number("alpha"))),
        "Selu" => each(&|z| number("gamma") * elu(z, number("alpha"))),
        "HardSigmoid" => each(&|z| (number("alpha") * z + number("beta")).clamp(0.0, 1.0)),
        "Softplus" => each(&|z| z.max(0.0) + (-z.abs()).exp().ln_1p()),
        "Softsign" => each(&|z| z / (1.0 + z.abs())),
        "Erf" => each(&|z| 2.0 * math::normal_cdf(z * std::f64::consts::SQRT_2) - 1.0),
        "Softmax" => {
            assert_eq!(whole("axis"), -1);
            let powers = inputs[0].mapv(f64::exp);
            &powers / &powers.sum_axis(Axis(1)).insert_axis(Axis(1))
        }
        "ReduceMean" => {
            assert_eq!((&setting("axes").ints[..], whole("keepdims")), (&[-1][..], 1));
            inputs[0].mean_axis(Axis(1)).unwrap().insert_axis(Axis(1))
        }
        "Concat" => {
            let views: Vec<_> = inputs.iter().map(|input| input.view()).collect();
            concatenate(Axis(whole("axis") as usize), &views).unwrap()
        }
        "Cast" => {
            assert_eq!(whole("to"), 7);
            inputs[0].clone()
        }
        "Squeeze" => inputs[0].clone().remove_axis(Axis(inputs[1][[0]] as usize)),
        "Gather" => {
            let places: Vec<usize> = inputs[1].iter().map(|&place| place as usize).collect();
            inputs[0].select(Axis(whole("axis") as usize), &places)
        }
        "ArgMax" => {
            assert_eq!((whole("axis"), whole("keepdims")), (1, 0));
            let first_of_largest = |row: ndarray::ArrayView1<'_, f64>| {
                (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best }) as f64
            };
            matrix(0).rows().into_iter().map(first_of_largest).collect::<Array1<f64>>().into_dyn()
        }
        other => panic!("{other} is no operator we write"),
    }
}

/// Rows of values between −2 and 2.
fn rows<F: Float>(n: usize, width: usize) -> Array2<F> {
    let stream = Stream::new(7).named("rows");
    Array2::from_shape_fn((n, width), |(row, column)| {
        let unit = stream.value((row * width + column) as u64) as f64 / u64::MAX as f64;
        F::of(4.0 * unit - 2.0)
    })
}

/// Puts values into all vectors, so that none is 0 or 1 as it begins.
fn stirred<F: Float>(mut network: Network<F>) -> Network<F> {
    let names: Vec<_> = network.tensors().map(|(name, values)| (name, values.dim())).collect();
    for (name, (height, width)) in names.into_iter().filter(|(name, _)| !name.ends_with("kernel")) {
        let values = rows::<F>(height, width).mapv(|x| F::of(1.25) + x / F::of(4.0));
        network.set_tensor(&name, values.view()).unwrap();
    }
    network
}

fn assert_close<F: Float>(name: &str, ours: &Array2<F>, theirs: &Array2<f64>, tolerance: f64) {
    assert_eq!(ours.dim(), theirs.dim(), "{name}");
    for (a, b) in ours.iter().zip(theirs) {
        let off = (a.wide() - b).abs();
        assert!(off <= tolerance * (1.0 + b.abs()), "{name}: {a} and {b}");
    }
}

fn each_activation_and_normalisation<F: Float>(precision: Precision, tolerance: f64) {
    let x = rows::<F>(9, 5);
    for member in Activations::members() {
        let activation: AnyActivation = member.name().parse().unwrap();
        for normalisation in ["none", "layer_norm", "batch_norm"] {
            let block = Residual::new(
                Sequential::new()
                    .add(Dense::new(8).activation(activation.clone()))
                    .add(Dense::new(6).use_bias(false)),
            );
            let mut layers = Sequential::new().add(GaussianNoise::new(0.3)).add(Dense::new(6));
            layers = match normalisation {
                "layer_norm" => layers.add(LayerNorm::new()),
                "batch_norm" => layers.add(BatchNorm::new().epsilon(1e-2)),
                _ => layers,
            };
            layers = layers.add(Dropout::new(0.5)).add(block).add(AlphaDropout::new(0.1));
            let network =
                stirred(layers.add(Dense::new(3).activation(activation.clone())).build::<F>(5, 11).unwrap());
            let outputs = run(&Onnx::new().precision(precision), &network, &x);
            let name = format!("{} after {normalisation}", member.name());
            // It makes large what rounding left before it.
            let tolerance = if member.name() == "exponential" { 10.0 * tolerance } else { tolerance };
            assert_close(&name, &network.predict(x.view()).unwrap(), &outputs.matrix("y"), tolerance);
        }
    }
}

#[test]
fn every_activation_and_normalisation_means_the_same_there() {
    each_activation_and_normalisation::<f64>(Precision::Double, 1e-13);
    each_activation_and_normalisation::<f32>(Precision::Single, 2e-6);
    each_activation_and_normalisation::<f64>(Precision::Single, 2e-6);
}

#[test]
fn settings_of_activations_and_normalisations_travel() {
    let parts: [AnyActivation; 2] = [
        crate::network::Elu { alpha: 0.3 }.into(),
        crate::network::LeakyRelu { negative_slope: 0.07 }.into(),
    ];
    let x = rows::<f64>(6, 3);
    for (part, (scale, center)) in parts.into_iter().zip([(true, false), (false, true)]) {
        let layers = Sequential::new()
            .add(Dense::new(4).activation(part))
            .add(LayerNorm::new().scale(scale).center(center).epsilon(0.5))
            .add(BatchNorm::new().scale(center).center(scale).epsilon(0.25));
        let network = stirred(layers.build::<f64>(3, 2).unwrap());
        for (precision, tolerance) in [(Precision::Double, 1e-14), (Precision::Single, 1e-6)] {
            let outputs = run(&Onnx::new().precision(precision), &network, &x);
            assert_close("settings", &network.predict(x.view()).unwrap(), &outputs.matrix("y"), tolerance);
        }
    }
}

fn classifier<L: Label>(names: &[L], softmax: bool) -> (MlpClassifier<f32, L>, Array2<f32>) {
    let x = rows::<f32>(60, 4);
    let y = x.rows().into_iter().map(|row| {
        let place = if row[0] > 0.4 { 0 } else { 1 + usize::from(row[1] > 0.0) };
        names[place % names.len()].clone()
    });
    let data = Dataset::new(x.clone(), y.collect::<Array1<L>>());
    let params = MlpClassifier::params().hidden_layer_sizes([6]).epochs(5).binary_softmax(softmax);
    (params.fit(&data).unwrap(), x)
}

fn check_classifier<L: Label>(model: &MlpClassifier<f32, L>, x: &Array2<f32>, number: impl Fn(&L) -> i64) {
    let outputs = run(&Onnx::new(), model, x);
    let proba = model.predict_proba(x).unwrap();
    assert_close("probabilities", &proba, &outputs.matrix("probabilities"), 1e-6);
    let labels: Vec<i64> = model.try_predict(x).unwrap().iter().map(number).collect();
    assert_eq!(outputs.vector("label"), labels);
    let mut distinct = labels;
    distinct.sort_unstable();
    distinct.dedup();
    assert!(distinct.len() > 1, "a model that always says the same shows nothing");
}

#[test]
fn a_classifier_gives_its_own_labels_and_probabilities() {
    let (model, x) = classifier(&[7_usize, 3, 12], false);
    check_classifier(&model, &x, |&label| label as i64);
    let (model, x) = classifier(&[0_usize, 1], false);
    check_classifier(&model, &x, |&label| label as i64);
    check_classifier(&model.with_threshold(0.55).unwrap(), &x, |&label| label as i64);
    let (model, x) = classifier(&[false, true], true);
    check_classifier(&model, &x, |&label| i64::from(label));
    check_classifier(&model.with_threshold(0.45).unwrap(), &x, |&label| i64::from(label));
}

#[test]
fn labels_that_are_words_stand_in_the_metadata() {
    let (model, x) = classifier(&["oak", "elm", "ash"], false);
    let place = |label: &&str| model.classes().iter().position(|class| class == label).unwrap() as i64;
    check_classifier(&model, &x, place);
    let file = decoded(&Onnx::new(), &model);
    assert_eq!(file.metadata_props[0].key, "classes");
    assert_eq!(file.metadata_props[0].value, r#"["ash","elm","oak"]"#);
}

#[test]
fn a_multilabel_classifier_gives_each_label_by_its_threshold() {
    let x = rows::<f64>(40, 3);
    let y = Array2::from_shape_fn((40, 2), |(row, label)| x[[row, label]] > 0.2);
    let data = Dataset::new(x.clone(), y);
    let params = MlpMultilabelClassifier::params().hidden_layer_sizes([5]).epochs(20);
    let model = params.fit(&data).unwrap().with_thresholds([0.4, 0.5]).unwrap();
    let outputs = run(&Onnx::new().precision(Precision::Double), &model, &x);
    assert_close("probabilities", &model.predict_proba(&x).unwrap(), &outputs.matrix("probabilities"), 1e-13);
    let labels = model.try_predict(&x).unwrap().mapv(|yes| f64::from(u8::from(yes)));
    assert_eq!(outputs.matrix("labels"), labels);
    assert!(labels.sum() > 0.0 && labels.sum() < 80.0);
}

#[test]
fn scalings_before_and_after_a_model_are_part_of_the_file() -> Result<()> {
    let x = rows::<f64>(30, 2).mapv(|x| 50.0 + 10.0 * x);
    let y = x.column(0).mapv(|x| 1000.0 + 3.0 * x);
    let of_x = MinMax::of_columns(&x)?;
    let of_y = Scaling::new([1150.0], [30.0])?;
    let scaled = Dataset::new(of_x.scale(x.clone())?, y.mapv(|y| (y - 1150.0) / 30.0));
    let model = MlpRegressor::params().hidden_layer_sizes([4]).epochs(10).fit(&scaled)?;
    let onnx = Onnx::new().scaled_by(&of_x).targets_scaled_by(of_y).precision(Precision::Double);
    let theirs = run(&onnx, &model, &x).matrix("y");
    let ours = model.predict(scaled.records()).mapv(|y| 1150.0 + 30.0 * y).insert_axis(Axis(1));
    assert_close("y", &ours, &theirs, 1e-13);

    let wide = Onnx::new().scaled_by(Scaling::new([0.0], [1.0])?).to_bytes(&model).unwrap_err();
    assert!(matches!(wide, Error::Width { expected: 2, found: 1, .. }), "{wide}");
    let wide = Onnx::new().targets_scaled_by(Scaling::new([0.0; 3], [1.0; 3])?).to_bytes(&model).unwrap_err();
    assert!(matches!(wide, Error::Width { expected: 1, found: 3, .. }), "{wide}");
    let (classifier, _) = classifier(&[0_usize, 1], false);
    let labels =
        Onnx::new().targets_scaled_by(Scaling::new([0.0], [1.0])?).to_bytes(&classifier).unwrap_err();
    assert!(labels.to_string().contains("gives labels"), "{labels}");
    Ok(())
}

#[test]
fn the_weights_are_those_of_predictions() -> Result<()> {
    let (x, y) = (rows::<f32>(20, 2), rows::<f32>(20, 1));
    let optimizer = crate::optimizer::Sgd::new(0.1).ema(0.9);
    let mut model =
        Sequential::new().add(Dense::new(1)).compile(2, optimizer, crate::loss::MeanSquaredError, ())?;
    model.fit(&x, &y, &crate::train::Training::epochs(3))?;
    let averaged = run(&Onnx::new(), &model, &x).matrix("y");
    assert_close("averaged", &model.predict(&x)?, &averaged, 1e-6);
    assert_ne!(
        model.predict(&x)?,
        model.network().predict(x.view())?,
        "the average differs from the last step"
    );
    Ok(())
}

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Cube;

impl Configured for Cube {
    const NAME: &'static str = "cube";
}

impl<F: Float> Activation<F> for Cube {
    fn forward(&self, z: &mut [F], _width: usize) {
        z.iter_mut().for_each(|z| *z = *z * *z * *z);
    }

    fn backward(&self, _kept: &[F], _delta: &mut [F], _width: usize) {}
}

#[test]
fn a_part_that_does_not_say_what_it_computes_is_named() {
    let inside = Residual::new(Sequential::new().add(Dense::new(3).activation(Cube)));
    let network = Sequential::new().add(Dense::new(3)).add(inside).build::<f64>(2, 0).unwrap();
    let error = Onnx::new().to_bytes(&network).unwrap_err();
    assert!(
        matches!(&error, Error::NoGraph { layer, part } if layer == "residual_1/dense_1" && part.contains("cube"))
    );
    assert!(matches!(network.graph(Precision::Single), Err(Error::NoGraph { .. })));
}

#[test]
fn weights_beyond_f32_are_refused_unless_they_stay_f64() {
    let mut network = Sequential::new().add(Dense::new(1)).build::<f64>(1, 0).unwrap();
    network.set_tensor("dense_1/kernel", array![[1e39]].view()).unwrap();
    let error = Onnx::new().to_bytes(&network).unwrap_err();
    assert!(matches!(&error, Error::Parameter { name, .. } if name == "dense_1/kernel"), "{error}");
    assert!(Onnx::new().precision(Precision::Double).to_bytes(&network).is_ok());
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let network = Sequential::new().add(Dense::new(1)).build::<f64>(1, 0).unwrap();
    let error = network.export_onnx("no/such/folder/model.onnx").unwrap_err();
    assert!(matches!(&error, Error::File { path, .. } if path.ends_with("model.onnx")));
}

/// The file of a small classifier whose weights are given, as the onnx checker accepted it.
const GOLDEN: &[u8] = include_bytes!("../../../tests/exchange/golden.onnx");

#[test]
fn golden_bytes_are_those_that_other_runtimes_were_shown() {
    let layers = Sequential::new()
        .add(Dense::new(3).activation(crate::network::Elu { alpha: 0.5 }))
        .add(LayerNorm::new())
        .add(Dense::new(2).activation(crate::network::Softmax));
    let network = stirred(layers.build::<f32>(2, 0).unwrap());
    let scaling = Scaling::new([0.5, 0.25], [2.0, 4.0]).unwrap();
    let mut file = decoded(&Onnx::new().scaled_by(scaling).doc_string("golden"), &network);
    file.producer_version = "golden".into();
    // A kernel's first values are drawn by the initializer, which is none of this room's concern.
    let graph = file.graph.as_mut().unwrap();
    for tensor in graph.initializer.iter_mut().filter(|tensor| tensor.name.ends_with("kernel")) {
        let numbers = tensor.raw_data.len() / 4;
        tensor.raw_data = (0..numbers).flat_map(|i| (i as f32 / 4.0 - 0.5).to_le_bytes()).collect();
    }
    let rows = &graph.input[0].kind.as_ref().unwrap().tensor.as_ref().unwrap().shape.as_ref().unwrap().dim[0];
    assert_eq!(rows.size, Some(Size::Named("N".into())));
    if std::env::var_os("LINFA_MLP_WRITE_GOLDEN").is_some() {
        std::fs::write("tests/exchange/golden.onnx", file.encode_to_vec()).unwrap();
    }
    assert!(file.encode_to_vec() == GOLDEN, "other bytes than those of tests/exchange/golden.onnx");
}

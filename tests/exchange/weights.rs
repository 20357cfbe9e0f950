//! Weights as safetensors: to Python and back.

use linfa::prelude::*;
use linfa_mlp::Error;
use linfa_mlp::exchange::SafeTensors;
use linfa_mlp::prelude::*;
use ndarray::{Array1, Array2};
use serde_json::{Value, json};

use crate::{assert_close, matrix, python};

fn regressor() -> (MlpRegressor<f32, ndarray::Ix2>, Array2<f32>, Dataset<f32, f32, ndarray::Ix2>) {
    let x = Array2::from_shape_fn((24, 3), |(i, j)| ((i * 7 + j * 5) % 11) as f32 / 5.0 - 1.0);
    let y = Array2::from_shape_fn((24, 2), |(i, j)| x[[i, j]] * x[[i, j + 1]]);
    let data = Dataset::new(x.clone(), y);
    let params = MlpRegressor::params().hidden_layer_sizes([6, 5]).activation(Tanh).epochs(15);
    (params.fit(&data).unwrap(), x, data)
}

#[test]
fn python_reads_our_weights_and_we_read_python_s() {
    let Some(python) = python::with(&["safetensors", "sklearn"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (mut model, x, _) = regressor();
    model.save_weights(folder.path().join("model.safetensors")).unwrap();
    let rows: Vec<Vec<f32>> = x.rows().into_iter().map(|row| row.to_vec()).collect();
    let about = json!({ "x": rows, "sizes": [3, 6, 5, 2] });
    std::fs::write(folder.path().join("rows.json"), about.to_string()).unwrap();

    let seen = python::run(&python, "read_back.py", folder.path());
    let ours = model.try_predict(&x).unwrap();
    for library in ["sklearn", "keras", "pytorch"] {
        if seen[library].is_null() {
            println!("skipped: {library} is not there");
            continue;
        }
        assert_close(library, ours.iter().map(|&y| f64::from(y)), &matrix(&seen[library]), 1e-6);
    }
    let about: Value = serde_json::from_str(seen["metadata"]["linfa-mlp"].as_str().unwrap()).unwrap();
    assert_eq!(about["n_features"], 3);
    assert!(about["layers"].to_string().contains("tanh"));

    let before = model.network().clone();
    model.load_weights(folder.path().join("doubled.safetensors")).unwrap();
    for ((name, old), (_, new)) in before.tensors().zip(model.network().tensors()) {
        assert_eq!(old.mapv(|w| 2.0 * w), new, "{name}");
    }
}

#[test]
fn a_model_with_loaded_weights_predicts_with_them_and_trains_from_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let (model, x, data) = regressor();
    model.save_weights(&path).unwrap();
    let again = SafeTensors::read(&path).unwrap();
    assert_eq!(again.shape("dense_1/bias").unwrap(), [6]);
    assert_eq!(again.shape("dense_2/kernel").unwrap(), [6, 5]);

    let params = MlpRegressor::params().hidden_layer_sizes([6, 5]).activation(Tanh).epochs(1).seed(9);
    let mut other = params.fit(&data).unwrap();
    assert_ne!(other.try_predict(&x).unwrap(), model.try_predict(&x).unwrap());
    other.load_weights(&path).unwrap();
    assert_eq!(other.try_predict(&x).unwrap(), model.try_predict(&x).unwrap());
    assert_eq!(other.history().len(), 0, "training begins anew");
    let further = params.clone().epochs(5).fit_with(Some(other), &data).unwrap();
    assert!(further.score(&data).unwrap() > model.score(&data).unwrap());
}

#[test]
fn every_kind_of_model_keeps_its_normalisation_and_its_classes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let iris = linfa_datasets::iris();
    let layers = || {
        let block = Residual::new(Sequential::new().add(Dense::new(6).activation(Gelu)));
        Sequential::new()
            .add(Dense::new(6))
            .add(BatchNorm::new())
            .add(ActivationLayer::new(Relu))
            .add(block)
            .add(LayerNorm::new())
    };
    let params = MlpClassifier::params().network(layers()).epochs(5);
    let model = params.fit(&iris).unwrap();
    model.save_weights(&path).unwrap();
    let mut other = params.clone().seed(5).fit(&iris).unwrap();
    other.load_weights(&path).unwrap();
    let x = iris.records();
    assert_eq!(other.predict_proba(x).unwrap(), model.predict_proba(x).unwrap());
    let names: Vec<String> = SafeTensors::read(&path).unwrap().names().map(String::from).collect();
    assert!(
        names.contains(&"batch_norm_1/moving_mean".into())
            && names.contains(&"residual_1/dense_1/bias".into())
    );

    let yes_no = Array2::from_shape_fn((150, 2), |(i, j)| x[[i, j]] > 3.0);
    let data = Dataset::new(x.clone(), yes_no);
    let params = MlpMultilabelClassifier::params().hidden_layer_sizes([4]).epochs(3);
    let mut labels = params.fit(&data).unwrap();
    labels.save_weights(&path).unwrap();
    let before = labels.predict_proba(x).unwrap();
    labels.load_weights(&path).unwrap();
    assert_eq!(labels.predict_proba(x).unwrap(), before);
}

#[test]
fn the_average_is_what_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let x = Array2::from_shape_fn((12, 2), |(i, j)| (i + j) as f64 / 6.0);
    let y = x.column(0).to_owned().insert_axis(ndarray::Axis(1));
    let mut model: Model<f64> = Sequential::new()
        .add(Dense::new(1))
        .compile(2, Sgd::new(0.1).ema(0.9), MeanSquaredError, ())
        .unwrap();
    model.fit(&x, &y, &Training::epochs(4)).unwrap();
    let predicted = model.predict(&x).unwrap();
    model.save_weights(&path).unwrap();
    model.load_weights(&path).unwrap();
    assert_eq!(model.predict(&x).unwrap(), predicted);
}

#[test]
fn a_file_that_does_not_fit_is_refused_by_the_tensor_s_name_and_the_model_stays() {
    let (mut model, x, _) = regressor();
    let before = model.try_predict(&x).unwrap();
    let whole = model.network().to_safetensors().unwrap();
    let without = |left_out: &str| {
        let mut file = SafeTensors::new();
        for name in whole.names().filter(|name| *name != left_out) {
            file.insert(name, whole.get::<f32>(name).unwrap()).unwrap();
        }
        file
    };
    let name = "dense_2/kernel";
    let mut turned = without(name);
    turned.insert(name, whole.get::<f32>(name).unwrap().reversed_axes()).unwrap();
    let mut flat = without("dense_1/bias");
    flat.insert("dense_1/bias", whole.get::<f32>("dense_1/bias").unwrap().insert_axis(ndarray::Axis(0)))
        .unwrap();
    let mut more = without("");
    more.insert("dense_4/kernel", Array1::<f32>::zeros(1).into_dyn()).unwrap();
    let mut wide = without(name);
    wide.insert(name, whole.get_converted::<f64>(name).unwrap()).unwrap();
    for (file, text) in [
        (without(name), "tensor dense_2/kernel must be in the file, but is missing"),
        (turned, "tensor dense_2/kernel must be of shape [6, 5], but is of shape [5, 6]"),
        (flat, "tensor dense_1/bias must be of shape [6], but is of shape [1, 6]"),
        (more, "but is dense_4/kernel"),
        (wide, "dtype of tensor dense_2/kernel must be F32"),
    ] {
        let error = model.set_weights(&file).unwrap_err();
        assert!(matches!(error, Error::Parameter { .. }));
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(model.try_predict(&x).unwrap(), before);
    }
    let double = whole.converted::<f64>().unwrap();
    assert!(model.set_weights(&double).is_err());
    model.set_weights(&double.converted::<f32>().unwrap()).unwrap();
    assert_eq!(model.try_predict(&x).unwrap(), before);
    assert!(matches!(model.load_weights("no/such/file"), Err(Error::File { .. })));
}

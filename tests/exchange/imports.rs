//! Fitted models of scikit-learn, Keras and PyTorch predict here what they predict there, and training goes on from them.

use std::path::{Path, PathBuf};

use linfa::prelude::*;
use linfa_mlp::exchange::Imported;
use linfa_mlp::prelude::*;
use linfa_mlp::{Error, Float};
use ndarray::{Array1, Array2, Ix2};
use serde_json::Value;

use crate::{assert_close, matrix, python};

/// A folder of files that `generate.py` wrote.
struct Files(PathBuf);

impl Files {
    fn fixtures() -> Self {
        Files(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchange/fixtures"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.safetensors"))
    }

    fn expected(&self, name: &str) -> Value {
        let text = std::fs::read_to_string(self.0.join(format!("{name}.json"))).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn x<F: Float>(&self, name: &str) -> Array2<F> {
        matrix(&self.expected(name)["x"]).mapv(F::of)
    }

    fn y(&self, name: &str) -> Array2<f64> {
        matrix(&self.expected(name)["y"])
    }
}

fn labels<L: serde::de::DeserializeOwned>(value: &Value) -> Array1<L> {
    serde_json::from_value::<Vec<L>>(value.clone()).unwrap().into()
}

fn sklearn_s_models_predict_the_same(files: &Files) {
    let name = "sklearn_classifier";
    let imported = Imported::<f64>::read_sklearn(files.path(name)).unwrap();
    let params = MlpClassifier::params().network(imported.hidden_layers()).epochs(30);
    let model = imported.classifier(&params, imported.classes::<usize>().unwrap()).unwrap();
    let (x, expected) = (files.x::<f64>(name), files.expected(name));
    assert_close(name, model.predict_proba(&x).unwrap(), &files.y(name), 1e-12);
    let truth = labels::<usize>(&expected["labels"]);
    assert_eq!(model.predict(&x), truth);
    assert_eq!(model.classes(), [1, 3, 5]);

    let data = Dataset::new(x.clone(), truth);
    let further = params.fit_with(Some(model), &data).unwrap();
    let losses = &further.history()["loss"];
    assert!(losses.len() == 30 && losses[29] < 0.9 * losses[0], "{losses:?}");

    let single = Imported::<f32>::read_sklearn(files.path(name)).unwrap();
    let proba = single.predict(&files.x::<f32>(name)).unwrap();
    assert_close(name, proba.iter().map(|&p| f64::from(p)), &files.y(name), 1e-6);

    let name = "sklearn_binary";
    let imported = Imported::<f64>::read_sklearn(files.path(name)).unwrap();
    let params = MlpClassifier::params().network(imported.hidden_layers());
    let model = imported.classifier(&params, imported.classes::<String>().unwrap()).unwrap();
    assert_close(name, model.predict_proba(&files.x(name)).unwrap(), &files.y(name), 1e-12);
    assert_eq!(model.predict(&files.x(name)), labels::<String>(&files.expected(name)["labels"]));

    let name = "sklearn_multilabel";
    let imported = Imported::<f64>::read_sklearn(files.path(name)).unwrap();
    let params = MlpMultilabelClassifier::params().network(imported.hidden_layers());
    let model = imported.multilabel_classifier::<bool>(&params).unwrap();
    let x = files.x::<f64>(name);
    assert_close(name, model.predict_proba(&x).unwrap(), &files.y(name), 1e-12);
    let said = model.try_predict(&x).unwrap().mapv(|yes| f64::from(u8::from(yes)));
    assert_eq!(said, matrix(&files.expected(name)["labels"]));

    let name = "sklearn_regressor";
    let imported = Imported::<f64>::read_sklearn(files.path(name)).unwrap();
    let params = MlpRegressor::params().network(imported.hidden_layers()).epochs(1);
    let model = imported.regressor::<Ix2>(&params).unwrap();
    assert_close(name, model.try_predict(&files.x(name)).unwrap(), &files.y(name), 1e-12);
    let one_dimension = imported.regressor::<ndarray::Ix1>(&params).unwrap_err();
    assert!(matches!(one_dimension, Error::Format { .. }), "{one_dimension}");
    let data = Dataset::new(files.x::<f64>(name), files.y(name));
    assert!(params.fit_with(Some(model), &data).unwrap().score(&data).unwrap() > 0.9);
}

fn keras_models_predict_the_same(files: &Files) {
    for name in ["keras", "keras_activations"] {
        let imported = Imported::<f32>::read_keras(files.path(name)).unwrap();
        let y = imported.predict(&files.x::<f32>(name)).unwrap();
        assert_close(name, y.iter().map(|&y| f64::from(y)), &files.y(name), 1e-6);
    }
    let imported = Imported::<f32>::read_keras(files.path("keras")).unwrap();
    let names: Vec<String> =
        imported.network().summary().layers.into_iter().map(|layer| layer.name).collect();
    let expected = "dense_1 dropout_1 dense_2 batch_norm_1 activation_1 layer_norm_1 gaussian_noise_1 dense_3 dense_4 dense_5";
    assert_eq!(names.join(" "), expected);
    let mut model = imported.model(Adam::new(0.01), SparseCategoricalCrossEntropy, [Accuracy]).unwrap();
    let x = files.x::<f32>("keras");
    assert_eq!(model.predict(&x).unwrap(), imported.predict(&x).unwrap());
    let y =
        x.map_axis(ndarray::Axis(1), |row| f32::from(u8::from(row[0] > 0.0))).insert_axis(ndarray::Axis(1));
    let before = model.evaluate(&x, &y).unwrap()["loss"];
    model.fit(&x, &y, &Training::epochs(20)).unwrap();
    assert!(model.evaluate(&x, &y).unwrap()["loss"] < before);

    // The output layer of the file has a penalty; an estimator's own has none, and computes the same.
    let params = MlpClassifier::params().network(imported.hidden_layers());
    let classifier = imported.classifier(&params, [0_usize, 1, 2]).unwrap();
    assert_eq!(classifier.predict_proba(&x).unwrap(), imported.predict(&x).unwrap());
}

fn pytorch_models_predict_the_same(files: &Files) {
    let name = "pytorch";
    let imported = Imported::<f32>::read_pytorch(files.path(name)).unwrap();
    let x = files.x::<f32>(name);
    let wide = |y: Array2<f32>| y.mapv(f64::from);
    assert_close(name, wide(imported.predict(&x).unwrap()), &files.y(name), 1e-6);
    let plain = MlpClassifier::params().network(imported.hidden_layers());
    let sums = imported.classifier(&plain, [0_usize, 1, 2]).unwrap_err();
    assert!(matches!(sums, Error::Mismatch { what: "the network", .. }), "{sums}");

    let imported = imported.output_activation(Softmax).unwrap();
    let model = imported.classifier(&plain, [0_usize, 1, 2]).unwrap();
    let softmax = matrix(&files.expected(name)["softmax"]);
    assert_close(name, wide(model.predict_proba(&x).unwrap()), &softmax, 1e-6);
    assert!(imported.output_activation(Tanh).is_err());

    let name = "pytorch_activations";
    let imported = Imported::<f64>::read_pytorch(files.path(name)).unwrap();
    assert_close(name, imported.predict(&files.x(name)).unwrap(), &files.y(name), 1e-7);
}

#[test]
fn models_of_the_fixtures_predict_the_same() {
    let files = Files::fixtures();
    sklearn_s_models_predict_the_same(&files);
    keras_models_predict_the_same(&files);
    pytorch_models_predict_the_same(&files);
}

#[test]
fn models_that_python_fits_now_predict_the_same() {
    let Some(python) = python::with(&["safetensors", "sklearn"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let versions = python::run(&python, "generate.py", folder.path());
    println!("of {versions}");
    let files = Files(folder.path().to_owned());
    sklearn_s_models_predict_the_same(&files);
    for (library, check) in
        [("keras", keras_models_predict_the_same as fn(&Files)), ("torch", pytorch_models_predict_the_same)]
    {
        match versions.get(library) {
            Some(_) => check(&files),
            None => println!("skipped: {library} is not there"),
        }
    }
}

#[test]
fn params_that_compute_something_else_are_refused() {
    let files = Files::fixtures();
    let imported = Imported::<f64>::read_sklearn(files.path("sklearn_classifier")).unwrap();
    let classes = || imported.classes::<usize>().unwrap();
    let other = |params: &linfa_mlp::estimator::MlpClassifierParams| {
        imported.classifier(params, classes()).unwrap_err()
    };
    let sizes = other(&MlpClassifier::params().hidden_layer_sizes([8, 6]));
    assert!(matches!(sizes, Error::Mismatch { what: "the network", .. }), "{sizes}");
    let activation = other(&MlpClassifier::params().hidden_layer_sizes([8, 5]).activation(Tanh));
    assert!(activation.to_string().contains("tanh"), "{activation}");
    // The same layers by their sizes, with a penalty of the params' own.
    let params = MlpClassifier::params().hidden_layer_sizes([8, 5]).activation(Relu).alpha(0.1);
    assert!(imported.classifier(&params, classes()).is_ok());
    assert!(matches!(imported.classifier(&params, [3_usize, 1, 5]), Err(Error::Format { .. })));
    assert!(imported.classifier(&params, [1_usize, 3]).is_err());
    assert!(matches!(imported.classes::<bool>(), Err(Error::Parameter { name, .. }) if name == "classes"));
}

//! Files in hostile hands: what does not fit is an error that names it. `tests/fuzz` tries files that are damaged by chance.

use std::path::Path;

use linfa_mlp::exchange::{Imported, SafeTensors};
use linfa_mlp::prelude::*;
use ndarray::{Array2, array};

/// Whether bytes are a network of any of the three libraries.
fn read(bytes: &[u8]) -> bool {
    let Ok(file) = SafeTensors::from_bytes(bytes) else { return false };
    let networks = [
        Imported::<f32>::from_sklearn(&file),
        Imported::<f32>::from_keras(&file),
        Imported::<f32>::from_pytorch(&file),
    ];
    networks.iter().any(Result::is_ok)
}

fn fixtures() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchange/fixtures");
    let names = ["sklearn_classifier", "sklearn_binary", "keras", "pytorch", "pytorch_activations"];
    names.iter().map(|name| std::fs::read(folder.join(format!("{name}.safetensors"))).unwrap()).collect()
}

#[test]
fn every_cut_is_refused() {
    for file in fixtures() {
        assert!(read(&file), "{} bytes", file.len());
        for length in (0..file.len()).step_by(7) {
            assert!(!read(&file[..length]), "cut to {length}");
        }
    }
}

fn sklearn(about: &str) -> SafeTensors {
    let mut file = SafeTensors::new();
    file.insert("coefs_0", array![[1.0, 2.0], [3.0, 4.0]].into_dyn()).unwrap();
    file.insert("intercepts_0", array![0.5, 0.25].into_dyn()).unwrap();
    file.set_metadata("sklearn", about);
    file
}

#[test]
fn what_does_not_fit_is_named() {
    const ABOUT: &str = r#"{"activation": "relu", "out_activation": "identity"}"#;
    let error = |file: SafeTensors| Imported::<f64>::from_sklearn(&file).unwrap_err().to_string();
    assert!(Imported::<f64>::from_sklearn(&sklearn(ABOUT)).is_ok());
    let mut chain = sklearn(ABOUT);
    chain.insert("coefs_1", array![[1.0], [2.0], [3.0]].into_dyn()).unwrap();
    chain.insert("intercepts_1", array![1.0].into_dyn()).unwrap();
    assert_eq!(error(chain), "inputs of tensor coefs_1 must be 2, but is 3");
    let mut missing = sklearn(ABOUT);
    missing.insert("coefs_1", array![[1.0], [2.0]].into_dyn()).unwrap();
    assert_eq!(error(missing), "tensor intercepts_1 must be in the file, but is missing");
    let mut left = sklearn(ABOUT);
    left.insert("loss", array![1.0].into_dyn()).unwrap();
    assert_eq!(error(left), "tensor must be one that a layer has, but is loss");
    let mut longer = SafeTensors::new();
    longer.insert("coefs_0", array![[1.0, 2.0]].into_dyn()).unwrap();
    longer.insert("intercepts_0", array![0.5].into_dyn()).unwrap();
    longer.set_metadata("sklearn", ABOUT);
    assert_eq!(error(longer), "number of weights must be 4, but is 3");
    assert!(error(SafeTensors::new()).contains("metadata sklearn"));
    assert!(error(sklearn("{")).contains("its metadata sklearn"));
    assert!(error(sklearn("[]")).contains("sklearn must be a JSON object"));
    assert!(
        error(sklearn(r#"{"activation": "relu"}"#)).contains("out_activation must be a text, but is missing")
    );
    assert!(error(sklearn(&ABOUT.replace("relu", "swish"))).contains("activation must be one of identity"));
    assert!(
        error(sklearn(&ABOUT.replace('}', r#", "classes": [1]}"#))).contains("a list of texts, but is 1")
    );
    assert!(error(sklearn(&ABOUT.replace('}', r#", "solver": "sgd"}"#))).contains("solver must be unset"));
    assert!(error(sklearn(&"[".repeat(10_000))).contains("its metadata sklearn"));
}

fn keras(layers: &str) -> String {
    let mut file = SafeTensors::new();
    file.insert("a/kernel", array![[1.0, 2.0]].into_dyn()).unwrap();
    file.set_metadata(
        "keras",
        format!(r#"{{"class_name": "Sequential", "config": {{"layers": [{layers}]}}}}"#),
    );
    match Imported::<f64>::from_keras(&file) {
        Ok(_) => "accepted".into(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_setting_of_keras_that_is_not_known_here_is_named() {
    let dense = |more: &str| {
        format!(
            r#"{{"class_name": "Dense", "config": {{"name": "a", "units": 2, "use_bias": false{more}}}}}"#
        )
    };
    assert_eq!(keras(&dense("")), "accepted");
    for (more, text) in [
        (r#", "units": 3"#, "(Dense): units must be 2, but is 3"),
        (
            r#", "activation": "relu6""#,
            "(Dense): activation must be one that this crate has, by its name, but is relu6",
        ),
        (
            r#", "kernel_constraint": {"class_name": "MaxNorm"}"#,
            "kernel_constraint must be unset: it is not known here",
        ),
        (
            r#", "kernel_regularizer": {"class_name": "OrthogonalRegularizer", "config": {}}"#,
            "must be L1, L2 or L1L2",
        ),
        (r#", "kernel_regularizer": {"class_name": "L2", "config": {"l2": -1.0}}"#, "l2 must be"),
        (r#", "use_bias": true"#, "tensor a/bias must be in the file, but is missing"),
        (r#", "trainable": 1"#, "trainable must be true or false, but is 1"),
        (r#", "batch_input_shape": [null, 7]"#, "inputs of tensor a/kernel must be 7, but is 1"),
        (r#", "batch_input_shape": [null, 7, 1]"#, "batch_shape must be [null, columns]"),
    ] {
        let found = keras(&dense(more));
        assert!(found.contains(text), "{more}: {found}");
    }
    let after = |layer: &str| keras(&format!("{}, {layer}", dense("")));
    for (layer, text) in [
        (r#"{"class_name": "Conv1D", "config": {}}"#, "must be Dense, Activation"),
        (r#"{"class_name": "Dropout", "config": {"rate": 1.5}}"#, "rate must be"),
        (r#"{"class_name": "Dropout", "config": {"rate": 0.5, "noise_shape": [1]}}"#, "noise_shape"),
        (
            r#"{"class_name": "LayerNormalization", "config": {"name": "b", "axis": [2]}}"#,
            "axis must be -1 or 1",
        ),
        (
            r#"{"class_name": "BatchNormalization", "config": {"name": "b"}}"#,
            "tensor b/gamma must be in the file",
        ),
        (r#"{"class_name": "ReLU", "config": {"max_value": 6}}"#, "max_value"),
        ("7", "must be a JSON object"),
    ] {
        let found = after(layer);
        assert!(found.contains(text), "{layer}: {found}");
    }
    assert!(keras(&[dense(""), dense("")].join(",")).contains("inputs of tensor a/kernel must be 2"));
    assert!(keras("").contains("must be one that a layer has"));
}

/// A variance that is none, in the files of each library and in our own weights.
#[test]
fn a_variance_below_0_or_not_finite_is_refused_by_its_tensor_s_name() {
    let vector = |values: [f64; 2]| ndarray::Array1::from(values.to_vec()).into_dyn();
    let file = |names: [&str; 4], variance: [f64; 2], key: &str, about: &str| {
        let mut file = SafeTensors::new();
        for (name, values) in names.into_iter().zip([[1.0; 2], [0.0; 2], [0.0; 2], variance]) {
            file.insert(name, vector(values)).unwrap();
        }
        file.set_metadata(key, about);
        file
    };
    let keras = |variance| {
        let layer = r#"{"class_name": "BatchNormalization", "config": {"name": "b"}}"#;
        let about = format!(r#"{{"class_name": "Sequential", "config": {{"layers": [{layer}]}}}}"#);
        let names = ["b/gamma", "b/beta", "b/moving_mean", "b/moving_variance"];
        Imported::<f64>::from_keras(&file(names, variance, "keras", &about)).map(drop)
    };
    let pytorch = |variance| {
        let names = ["0.weight", "0.bias", "0.running_mean", "0.running_var"];
        let about = r#"[{"class": "BatchNorm1d"}]"#;
        Imported::<f64>::from_pytorch(&file(names, variance, "pytorch", about)).map(drop)
    };
    let ours = |variance| {
        let names =
            ["gamma", "beta", "moving_mean", "moving_variance"].map(|name| format!("batch_norm_1/{name}"));
        let names = [0, 1, 2, 3].map(|i| names[i].as_str());
        let network = Sequential::new().add(BatchNorm::new()).build::<f64>(2, 0)?;
        network.with_safetensors(&file(names, variance, "linfa-mlp", "{}")).map(drop)
    };
    let readers: [(&str, &dyn Fn([f64; 2]) -> linfa_mlp::Result<()>); 3] =
        [("b/moving_variance", &keras), ("0.running_var", &pytorch), ("batch_norm_1/moving_variance", &ours)];
    for (name, read) in readers {
        assert!(read([0.0, 1.0]).is_ok(), "{name}");
        let error = read([1.0, -0.5]).unwrap_err();
        assert!(matches!(error, linfa_mlp::Error::Parameter { .. }), "{error}");
        assert_eq!(error.to_string(), format!("tensor {name} must be >= 0 everywhere, but is -0.5"));
    }
    // What is not finite is put in behind the check of writers.
    for (name, width) in [("f32", 4), ("f64", 8)] {
        let header = format!(
            r#"{{"0.running_mean":{{"dtype":"{}","shape":[1],"data_offsets":[0,{width}]}},"0.running_var":{{"dtype":"{}","shape":[1],"data_offsets":[{width},{}]}},"__metadata__":{{"pytorch":"[{{\"class\":\"BatchNorm1d\",\"affine\":false}}]"}}}}"#,
            name.to_uppercase(),
            name.to_uppercase(),
            2 * width
        );
        for value in [1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let numbers = if width == 4 {
                [[0; 4], (value as f32).to_le_bytes()].concat()
            } else {
                [[0; 8], value.to_le_bytes()].concat()
            };
            let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &numbers].concat();
            let read = Imported::<f64>::from_pytorch(&SafeTensors::from_bytes(&bytes).unwrap());
            match read {
                Ok(_) => assert!(value.is_finite()),
                Err(error) => assert!(
                    error.to_string().contains("tensor 0.running_var, number 0 must be finite"),
                    "{error}"
                ),
            }
        }
    }
}

#[test]
fn a_network_larger_than_its_file_is_refused_before_it_is_made() {
    let mut file = SafeTensors::new();
    file.set_metadata(
        "keras",
        r#"{"class_name": "Sequential", "config": {"layers": [
            {"class_name": "InputLayer", "config": {"batch_shape": [null, 2147483648]}},
            {"class_name": "LayerNormalization", "config": {"name": "a", "scale": false, "center": false}},
            {"class_name": "Dropout", "config": {"rate": 0.5}}]}}"#,
    );
    // It needs no weights, and yet more room than anybody has.
    assert!(Imported::<f64>::from_keras(&file).unwrap_err().to_string().contains("n_features"));
    let mut file = SafeTensors::new();
    file.insert("0.weight", Array2::<f32>::zeros((1, 2)).into_dyn()).unwrap();
    file.set_metadata("pytorch", r#"[{"class": "Linear"}, {"class": "BatchNorm1d"}]"#);
    let error = Imported::<f32>::from_pytorch(&file).unwrap_err();
    assert!(error.to_string().contains("tensor 1.running_mean must be in the file"), "{error}");
    let mut empty = SafeTensors::new();
    empty.insert("0.weight", Array2::<f32>::zeros((1 << 24, 0)).into_dyn()).unwrap();
    empty.set_metadata("pytorch", r#"[{"class": "Linear"}]"#);
    assert!(Imported::<f32>::from_pytorch(&empty).unwrap_err().to_string().contains("n_features"));
}

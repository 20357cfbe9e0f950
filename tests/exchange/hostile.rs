//! Files in hostile hands: any bytes give a network or an error, and never a panic or a large allocation.

use std::path::Path;

use linfa_mlp::exchange::{Imported, SafeTensors};
use linfa_mlp::rng::Stream;
use ndarray::{Array2, array};

/// Reads bytes as whatever they may be; gives whether any reader accepted them.
fn read(bytes: Vec<u8>) -> bool {
    let Ok(file) = SafeTensors::from_bytes(bytes) else { return false };
    let networks = [
        Imported::<f32>::from_sklearn(&file),
        Imported::<f32>::from_keras(&file),
        Imported::<f32>::from_pytorch(&file),
    ];
    let accepted = networks.into_iter().flatten().map(|imported| {
        // What is accepted predicts.
        let width = imported.network().n_features().min(1 << 10);
        if width == imported.network().n_features() {
            let _ = imported.predict(&Array2::zeros((2, width)));
        }
    });
    accepted.count() > 0
}

fn fixtures() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchange/fixtures");
    let names = ["sklearn_classifier", "sklearn_binary", "keras", "pytorch", "pytorch_activations"];
    names.iter().map(|name| std::fs::read(folder.join(format!("{name}.safetensors"))).unwrap()).collect()
}

/// A change of the header, so that what is behind it is reached: a byte, a digit, a piece left out, written twice or exchanged.
fn changed(bytes: &[u8], case: u64) -> Vec<u8> {
    let stream = Stream::new(case).named("mutation");
    let draw = |i: u64, below: usize| (stream.value(i) % below.max(1) as u64) as usize;
    let length = u64::from_le_bytes(std::array::from_fn(|i| bytes[i])) as usize;
    let (mut header, numbers) = (bytes[8..8 + length].to_vec(), bytes[8 + length..].to_vec());
    let mut length_said = None;
    for round in 0..1 + draw(0, 3) as u64 {
        let at = draw(10 * round + 1, header.len());
        let size = 1 + draw(10 * round + 2, 24);
        let end = (at + size).min(header.len());
        match draw(10 * round + 3, 8) {
            0 => header[at] = draw(10 * round + 4, 256) as u8,
            1 => header[at] ^= 1 << draw(10 * round + 4, 8),
            2 => drop(header.drain(at..end)),
            3 => {
                let piece = header[at..end].to_vec();
                header.splice(at..at, piece);
            }
            4 => {
                // Another number in the place of one.
                let digits =
                    [&b"0"[..], b"1", b"-1", b"1e9", b"4294967296", b"18446744073709551615", b"0.5", b"null"];
                if let Some(from) = (at..header.len()).find(|&i| header[i].is_ascii_digit()) {
                    let to =
                        (from..header.len()).find(|&i| !header[i].is_ascii_digit()).unwrap_or(header.len());
                    header.splice(from..to, digits[draw(10 * round + 4, digits.len())].iter().copied());
                }
            }
            5 => {
                let words = [
                    "relu", "tanh", "Dense", "Dropout", "softmax", "\\\"", "{}", "[]", "L2", "Linear", "true",
                ];
                header.splice(at..end, words[draw(10 * round + 4, words.len())].bytes());
            }
            6 => {
                let from = draw(10 * round + 4, header.len());
                let piece = header[from..(from + size).min(header.len())].to_vec();
                header.splice(at..at, piece);
            }
            _ => length_said = Some(stream.value(10 * round + 5)),
        }
        if header.is_empty() {
            header.push(b' ');
        }
    }
    let said = length_said.unwrap_or(header.len() as u64);
    [&said.to_le_bytes()[..], &header, &numbers].concat()
}

#[test]
fn no_change_of_a_file_makes_a_reader_panic() {
    let cases: u64 = std::env::var("LINFA_MLP_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(4_000);
    let (files, mut accepted) = (fixtures(), 0_u64);
    for case in 0..cases {
        let file = &files[case as usize % files.len()];
        accepted += u64::from(read(changed(file, case)));
    }
    println!("{cases} changed files, {accepted} of which are still readable");
    assert!(accepted < cases / 2, "{accepted} of {cases}");
}

#[test]
fn every_cut_is_refused() {
    for file in fixtures() {
        assert!(read(file.clone()), "{} bytes", file.len());
        for length in (0..file.len()).step_by(7) {
            assert!(!read(file[..length].to_vec()), "cut to {length}");
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
    // No weights are needed, and none are made.
    assert_eq!(Imported::<f64>::from_keras(&file).unwrap().network().count_params(), 0);
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

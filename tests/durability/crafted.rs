//! Files with checksums that are right over contents that are not: each lie is an error of the format, whatever the rest says.
//! Those of a run alone are in `tests/bad_input.rs`.

use linfa::prelude::*;
use linfa_mlp::persistence::{Kind, decode, encode, open};
use linfa_mlp::prelude::*;
use linfa_mlp::train::{Run, Until};
use linfa_mlp::{Error, MlpMultilabelClassifier};
use ndarray::{Array1, Array2, Ix1, Ix2};
use serde::ser::SerializeTuple;
use serde::{Serialize, Serializer};

use crate::continued::{network, plan, with_data};

/// Bytes that are a payload already.
struct Raw(Vec<u8>);

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        self.0.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
}

/// The payload of a value.
fn payload(value: &impl Serialize) -> Vec<u8> {
    let file = encode(Kind::Run, 1, value).expect("it can be written");
    open(Kind::Run, 1, &file).expect("it is whole").1.to_vec()
}

/// A file whose payload is these parts, one after the other.
fn file(kind: Kind, parts: &[Vec<u8>]) -> Vec<u8> {
    encode(kind, 1, &Raw(parts.concat())).expect("it can be written")
}

fn x() -> Array2<f64> {
    Array2::from_shape_fn((12, 2), |(i, j)| ((i * (j + 2)) % 7) as f64 / 7.0)
}

/// The payload of a model's run.
fn run_of(run: &Run<f64>) -> Vec<u8> {
    let bytes = run.to_bytes().expect("it can be written");
    open(Kind::Run, 1, &bytes).expect("it is whole").1.to_vec()
}

#[track_caller]
fn refused<T>(result: Result<T, Error>, says: &str) {
    match result {
        Err(error @ Error::Format { .. }) => assert!(error.to_string().contains(says), "{error}"),
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it is believed: {says}"),
    }
}

#[test]
fn a_table_of_classes_that_does_not_fit_is_refused() {
    let labels = Array1::from_shape_fn(12, |i| i % 3);
    let params = MlpClassifier::params().hidden_layer_sizes([3]).epochs(1);
    let model = params.fit(&linfa::Dataset::new(x(), labels)).unwrap();
    let run = run_of(model.run());
    let crafted = |classes: &[usize], threshold: Option<f64>| {
        let parts = [run.clone(), payload(&classes.to_vec()), payload(&threshold)];
        MlpClassifier::<f64, usize>::from_bytes(&file(Kind::Classifier, &parts))
    };
    assert!(
        crafted(&[0, 1, 2], None).unwrap().to_bytes().unwrap() == model.to_bytes().unwrap(),
        "the layout is this"
    );
    for classes in [&[][..], &[0], &[0, 1], &[0, 1, 2, 3], &[0, 0, 1], &[2, 1, 0], &[0, 2, 1]] {
        refused(crafted(classes, None), "its classes do not fit its network");
    }
    refused(crafted(&[0, 1, 2], Some(0.5)), "none for more than 2 classes");

    let answers = Array1::from_shape_fn(12, |i| i % 2 == 0);
    let model = params.fit(&linfa::Dataset::new(x(), answers)).unwrap();
    let run = run_of(model.run());
    for threshold in [f64::NAN, f64::INFINITY, -0.1, 1.5] {
        let parts = [run.clone(), payload(&[false, true].to_vec()), payload(&Some(threshold))];
        refused(MlpClassifier::<f64, bool>::from_bytes(&file(Kind::Classifier, &parts)), "threshold must be");
    }
    // A label whose bytes are no label: a bool is 0 or 1, a text is UTF-8.
    let parts = [run.clone(), payload(&2_u64), vec![0, 2], payload(&None::<f64>)];
    refused(MlpClassifier::<f64, bool>::from_bytes(&file(Kind::Classifier, &parts)), "");
    let parts = [
        run,
        payload(&2_u64),
        payload(&1_u64),
        vec![0xFF],
        payload(&1_u64),
        vec![0xFE],
        payload(&None::<f64>),
    ];
    refused(MlpClassifier::<f64, String>::from_bytes(&file(Kind::Classifier, &parts)), "");
}

#[test]
fn thresholds_and_dimensions_that_do_not_fit_are_refused() {
    let labels = Array2::from_shape_fn((12, 3), |(i, j)| (i + j) % 2 == 0);
    let params = MlpMultilabelClassifier::params().hidden_layer_sizes([3]).epochs(1);
    let model = params.fit(&linfa::Dataset::new(x(), labels)).unwrap();
    let run = run_of(model.run());
    for thresholds in [&[][..], &[0.5; 2], &[0.5; 4], &[0.5, f64::NAN, 0.5], &[0.5, 0.5, 2.0]] {
        let parts = [payload(&thresholds.to_vec()), run.clone()];
        refused(
            MlpMultilabelClassifier::<f64, bool>::from_bytes(&file(Kind::MultilabelClassifier, &parts)),
            "threshold",
        );
    }
    for (ndim, run) in [(0_u64, &run), (1, &run), (3, &run), (u64::MAX, &run)] {
        let bytes = file(Kind::Regressor, &[payload(&ndim), run.clone()]);
        let one = MlpRegressor::<f64, Ix1>::from_bytes(&bytes);
        let two = MlpRegressor::<f64, Ix2>::from_bytes(&bytes);
        assert!(
            matches!(one, Err(Error::Format { .. })) && matches!(two, Err(Error::Format { .. })),
            "{ndim}"
        );
    }
    // Bytes behind the value.
    let parts = [payload(&vec![0.5; 3]), run, vec![0]];
    refused(
        MlpMultilabelClassifier::<f64, bool>::from_bytes(&file(Kind::MultilabelClassifier, &parts)),
        "1 bytes are left over",
    );
}

/// Replaces the only place where some bytes stand.
fn replaced(payload: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let places: Vec<usize> =
        (0..=payload.len() - from.len()).filter(|&at| payload[at..].starts_with(from)).collect();
    assert_eq!(places.len(), 1, "{from:?}");
    [&payload[..places[0]], to, &payload[places[0] + from.len()..]].concat()
}

#[test]
fn a_run_with_every_state_is_refused_when_one_of_them_lies() {
    let mut run =
        Run::<f64>::new(plan(network(), Nadam::default().ema(0.9).accumulate(2).into()), 3).unwrap();
    with_data(|data| run.advance(data, Until::epochs(3).steps(5)).unwrap());
    let whole = run_of(&run);
    let read = |payload: Vec<u8>| Run::<f64>::from_bytes(&file(Kind::Run, &[payload]));
    assert!(read(whole.clone()).is_ok());

    // Epoch 1, batch 2, step 5 stand together.
    let position = |epoch: u64, batch: u64, step: u64| [epoch, batch, step].map(u64::to_le_bytes).concat();
    for wrong in [(1, 5, 5), (1, u64::MAX, 5), (1, 2, 2), (1, 2, u64::MAX), (2, 2, 5), (u64::MAX, 2, 5)] {
        let (epoch, batch, step) = wrong;
        refused(read(replaced(&whole, &position(1, 2, 5), &position(epoch, batch, step))), "contradict");
    }
    // The seven weights of the first step's mass: the sums of the epoch under way.
    let mass = [8.0_f64.to_le_bytes(), 2_u64.to_le_bytes()].concat();
    for wrong in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
        let wrong = [wrong.to_le_bytes(), 2_u64.to_le_bytes()].concat();
        refused(read(replaced(&whole, &mass, &wrong)), "counters contradict each other");
    }
    // The state of a callback under the name of another one, and of one that the plan does not have.
    let named = |name: &str| [(name.len() as u64).to_le_bytes().as_slice(), name.as_bytes()].concat();
    let text = String::from_utf8_lossy(&whole).into_owned();
    assert_eq!(text.matches("batch_log").count(), 2, "once in the plan, once with its state");
    let last = whole.windows(9).rposition(|window| window == b"batch_log").unwrap() - 8;
    let state = |name: &str| [&whole[..last], &named(name), &whole[last + 17..]].concat();
    assert!(read(state("batch_log")).is_ok());
    refused(read(state("early_stopping")), "its callbacks are not those of its plan");
    refused(read(state("nobody")), "its callbacks are not those of its plan");
}

#[test]
fn texts_that_lie_about_their_length_are_refused_before_they_are_made() {
    // Every text in the file in turn says it is longer than memory.
    let mut run = Run::<f64>::new(plan(network(), Adam::default().into()), 3).unwrap();
    with_data(|data| run.advance(data, Until::epochs(3).steps(2)).unwrap());
    let whole = run_of(&run);
    let mut lies = 0;
    for at in 0..whole.len() - 9 {
        let length = u64::from_le_bytes(whole[at..at + 8].try_into().unwrap());
        let is_text =
            (1..1000).contains(&length) && whole[at + 8].is_ascii_lowercase() | (whole[at + 8] == b'{');
        if is_text {
            lies += 1;
            for lie in [length + 1, 1 << 20, 1 << 35, u64::MAX] {
                let mut payload = whole.clone();
                payload[at..at + 8].copy_from_slice(&lie.to_le_bytes());
                refused(Run::<f64>::from_bytes(&file(Kind::Run, &[payload])), "");
            }
        }
    }
    assert!(lies > 20, "{lies}");
    let text: Result<String, Error> = decode(Kind::Run, &(1_u64 << 40).to_le_bytes());
    refused(text, "LimitExceeded");
}

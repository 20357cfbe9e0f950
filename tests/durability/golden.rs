//! Files as earlier versions of this crate wrote them: they are read, predict what they predicted, and training goes on from them
//! to the bytes that were recorded.
//!
//! `tests/fixtures/golden/v1` has the files of format version 1; a version 2 has a folder of its own, and version 1 stays. Beside
//! `NAME.mlp` stands `NAME.end.mlp`, where training went from there, and what is predicted is in `predicted.json`.
//!
//! ```text
//! cargo test --test durability golden::write -- --ignored     # makes files that are missing, records what follows anew
//! ```
//!
//! The files themselves are never written over. What follows from them changes with the numerics alone, which the changelog has
//! to say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use linfa::prelude::*;
use linfa_mlp::Float;
use linfa_mlp::model_selection::{FitRow, GridSearch, KFold, SearchObserver, Task};
use linfa_mlp::prelude::*;
use linfa_mlp::train::{Run, Until};
use ndarray::{Array1, Array2, Ix2};

use crate::continued::{network, plan, with_data};
use crate::process::{killed_when, of_test, start};

/// A kind of file: how it is made, what it predicts, and where training goes from it.
struct Golden {
    name: &'static str,
    made: fn() -> Vec<u8>,
    predicted: fn(&[u8]) -> Vec<f64>,
    continued: fn(&[u8]) -> Vec<u8>,
    /// The bytes that the value which was read is written as.
    rewritten: fn(&[u8]) -> Vec<u8>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden/v1")
}

fn x<F: Float>() -> Array2<F> {
    Array2::from_shape_fn((14, 3), |(i, j)| F::of(((i * (j + 2) * 3) % 13) as f64 / 13.0 - 0.4))
}

fn wide<F: Float>(values: impl IntoIterator<Item = F>) -> Vec<f64> {
    values.into_iter().map(F::wide).collect()
}

type Classifier = MlpClassifier<f64, usize>;
type YesOrNo = MlpClassifier<f32, String>;
type Regressor = MlpRegressor<f64>;
type TwoTargets = MlpRegressor<f32, Ix2>;
type Labels = MlpMultilabelClassifier<f64, bool>;

fn classes() -> linfa::Dataset<f64, usize, ndarray::Ix1> {
    linfa::Dataset::new(x(), Array1::from_shape_fn(14, |i| i % 3 + 5))
}

fn answers() -> linfa::Dataset<f32, String, ndarray::Ix1> {
    linfa::Dataset::new(x(), Array1::from_shape_fn(14, |i| ["no", "yes"][i % 2].to_string()))
}

fn values() -> linfa::Dataset<f64, f64, ndarray::Ix1> {
    linfa::Dataset::new(x(), Array1::linspace(-1.0, 2.0, 14))
}

fn pairs() -> linfa::Dataset<f32, f32, Ix2> {
    linfa::Dataset::new(x(), Array2::from_shape_fn((14, 2), |(i, j)| ((i + 3 * j) % 5) as f32))
}

fn labels() -> linfa::Dataset<f64, bool, Ix2> {
    linfa::Dataset::new(x(), Array2::from_shape_fn((14, 3), |(i, j)| (i + j) % 3 == 0))
}

/// Goes on from a model to the sixth epoch.
macro_rules! on {
    ($model:expr, $params:expr, $data:expr) => {{
        let model = $params.epochs(6).check().unwrap().fit_with(Some($model.unwrap()), &$data).unwrap();
        model.to_bytes().unwrap()
    }};
}

fn classifier() -> linfa_mlp::estimator::MlpClassifierParams {
    MlpClassifier::params().network(network_of_classes()).epochs(3).batch_size(4).seed(1)
}

fn network_of_classes() -> Sequential {
    Sequential::new().add(Dense::new(5).activation(Gelu)).add(BatchNorm::default()).add(Dropout::new(0.1))
}

fn yes_or_no() -> linfa_mlp::estimator::MlpClassifierParams {
    let params = MlpClassifier::params().hidden_layer_sizes([4]).epochs(3).batch_size(5);
    params.optimizer(Sgd::new(0.05).momentum(0.9).nesterov()).threshold(0.375)
}

fn regressor() -> linfa_mlp::estimator::MlpRegressorParams {
    MlpRegressor::params().hidden_layer_sizes([4, 3]).activation(Tanh).epochs(3).optimizer(Lbfgs::default())
}

fn two_targets() -> linfa_mlp::estimator::MlpRegressorParams {
    MlpRegressor::params().hidden_layer_sizes([4]).epochs(3).batch_size(4).validation_split(0.25)
}

fn multilabel() -> linfa_mlp::estimator::MlpMultilabelClassifierParams {
    let params = MlpMultilabelClassifier::params().hidden_layer_sizes([4]).epochs(3).batch_size(4);
    params.optimizer(RmsProp::default()).thresholds([0.25, 0.5, 0.75])
}

fn keras() -> Model<f32> {
    let network =
        Sequential::new().add(Dense::new(4).activation(Silu)).add(LayerNorm::default()).add(Dense::new(1));
    let mut model = network.compile(3, Nadam::default(), Huber::default(), [Mae]).unwrap();
    model.fit(&x(), &x().select(ndarray::Axis(1), &[0]), &Training::epochs(3).batch_size(4)).unwrap();
    model
}

fn run(steps: u64) -> Run<f64> {
    let optimizer = Adam::new(0.01).amsgrad().ema(0.9).accumulate(2);
    let mut run = Run::new(plan(network(), optimizer.into()), 3).unwrap();
    with_data(|data| run.advance(data, Until::epochs(3).steps(steps)).unwrap());
    run
}

fn kept(model: Run<f32>) -> Vec<u8> {
    model.to_bytes().unwrap()
}

fn read_keras(bytes: &[u8]) -> Model<f32> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model.mlp"), bytes).unwrap();
    Model::load(folder.path().join("model.mlp")).unwrap()
}

fn golden() -> Vec<Golden> {
    vec![
        Golden {
            name: "classifier",
            made: || classifier().fit(&classes()).unwrap().to_bytes().unwrap(),
            predicted: |bytes| {
                let model = Classifier::from_bytes(bytes).unwrap();
                let classes = model.try_predict(&x()).unwrap().mapv(|class| class as f64);
                wide(model.predict_proba(&x()).unwrap().into_iter().chain(classes))
            },
            continued: |bytes| on!(Classifier::from_bytes(bytes), classifier(), classes()),
            rewritten: |bytes| Classifier::from_bytes(bytes).unwrap().to_bytes().unwrap(),
        },
        Golden {
            name: "yes_or_no",
            made: || yes_or_no().fit(&answers()).unwrap().to_bytes().unwrap(),
            predicted: |bytes| {
                let model = YesOrNo::from_bytes(bytes).unwrap();
                assert_eq!(
                    (model.classes(), model.threshold()),
                    (&["no".into(), "yes".into()][..], Some(0.375))
                );
                let classes =
                    model.try_predict(&x()).unwrap().mapv(|class| if class == "yes" { 1.0 } else { 0.0 });
                wide(model.predict_proba(&x()).unwrap()).into_iter().chain(classes).collect()
            },
            continued: |bytes| on!(YesOrNo::from_bytes(bytes), yes_or_no(), answers()),
            rewritten: |bytes| YesOrNo::from_bytes(bytes).unwrap().to_bytes().unwrap(),
        },
        Golden {
            name: "regressor",
            made: || regressor().fit(&values()).unwrap().to_bytes().unwrap(),
            predicted: |bytes| wide(Regressor::from_bytes(bytes).unwrap().try_predict(&x()).unwrap()),
            continued: |bytes| on!(Regressor::from_bytes(bytes), regressor(), values()),
            rewritten: |bytes| Regressor::from_bytes(bytes).unwrap().to_bytes().unwrap(),
        },
        Golden {
            name: "two_targets",
            made: || two_targets().fit(&pairs()).unwrap().to_bytes().unwrap(),
            predicted: |bytes| wide(TwoTargets::from_bytes(bytes).unwrap().try_predict(&x()).unwrap()),
            continued: |bytes| on!(TwoTargets::from_bytes(bytes), two_targets(), pairs()),
            rewritten: |bytes| TwoTargets::from_bytes(bytes).unwrap().to_bytes().unwrap(),
        },
        Golden {
            name: "multilabel",
            made: || multilabel().fit(&labels()).unwrap().to_bytes().unwrap(),
            predicted: |bytes| {
                let model = Labels::from_bytes(bytes).unwrap();
                let says = model.try_predict(&x()).unwrap().mapv(|yes| if yes { 1.0 } else { 0.0 });
                wide(model.predict_proba(&x()).unwrap().into_iter().chain(says))
            },
            continued: |bytes| on!(Labels::from_bytes(bytes), multilabel(), labels()),
            rewritten: |bytes| Labels::from_bytes(bytes).unwrap().to_bytes().unwrap(),
        },
        Golden {
            name: "keras_model",
            made: || kept(keras().run().clone()),
            predicted: |bytes| wide(read_keras(bytes).predict(&x()).unwrap()),
            continued: |bytes| {
                let mut model = read_keras(bytes);
                let y = x().select(ndarray::Axis(1), &[0]);
                model.fit(&x(), &y, &Training::epochs(3).batch_size(4)).unwrap();
                kept(model.run().clone())
            },
            rewritten: |bytes| kept(read_keras(bytes).run().clone()),
        },
        Golden {
            // The fourth of nine steps: an update is half gathered, an epoch half done.
            name: "run_in_an_epoch",
            made: || run(5).to_bytes().unwrap(),
            predicted: |bytes| {
                wide(Run::<f64>::from_bytes(bytes).unwrap().result().predict(x().view()).unwrap())
            },
            continued: |bytes| {
                let mut run = Run::<f64>::from_bytes(bytes).unwrap();
                assert_eq!((run.epochs(), run.steps()), (1, 5));
                with_data(|data| run.advance(data, Until::epochs(3)).unwrap());
                run.to_bytes().unwrap()
            },
            rewritten: |bytes| Run::<f64>::from_bytes(bytes).unwrap().to_bytes().unwrap(),
        },
    ]
}

fn read(name: &str) -> Vec<u8> {
    let path = folder().join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn recorded() -> BTreeMap<String, Vec<f64>> {
    serde_json::from_slice(&read("predicted.json")).expect("predictions by name")
}

#[test]
fn files_of_version_1_are_read_predict_and_go_on_as_recorded() {
    let recorded = recorded();
    for golden in golden() {
        let bytes = read(&format!("{}.mlp", golden.name));
        assert_eq!(bytes[10..12], [1, 0], "{} is of version 1", golden.name);
        assert_eq!((golden.predicted)(&bytes), recorded[golden.name], "{}", golden.name);
        let end = read(&format!("{}.end.mlp", golden.name));
        assert!((golden.continued)(&bytes) == end, "{} goes on to other bytes", golden.name);
        // As long as version 1 is the newest.
        assert!((golden.rewritten)(&bytes) == bytes, "{} is written in another way", golden.name);
    }
}

#[test]
fn a_run_gone_on_from_a_golden_file_is_the_straight_run() {
    assert!(read("run_in_an_epoch.end.mlp") == run(u64::MAX).to_bytes().unwrap());
}

const FIT: &str = "golden::a_fit_with_a_backup_in_a_process_of_its_own";
const CUT: &str = "LINFA_MLP_TEST_CUT";

/// The folder of a backup is a setting of the fit, so this one is named from where the process stands.
#[test]
#[ignore = "the other tests start it, as a process of its own"]
fn a_fit_with_a_backup_in_a_process_of_its_own() {
    let cut_in: usize = std::env::var(CUT).map_or(0, |epoch| epoch.parse().expect("a number"));
    let cut = OnEpochEnd::new(move |view| match view.epoch() == cut_in {
        true => Err(linfa_mlp::Error::NoRows { array: "power" }),
        false => Ok(()),
    });
    let mut plan = plan(network(), Adagrad::default().into());
    plan.callbacks.splice(0..0, [cut.into(), Backup::to("backup").every_batches(2).into()]);
    let mut run = Run::<f64>::new(plan, 3).unwrap();
    let ended = with_data(|data| run.advance(data, Until::epochs(4)));
    assert_eq!(ended.is_err(), cut_in > 0);
    let resumed = run.history().seconds().first().is_some_and(|seconds| seconds.is_nan());
    fs::write(if resumed { "resumed" } else { "straight" }, run.to_bytes().unwrap()).unwrap();
}

#[test]
fn a_backup_of_version_1_is_found_by_its_name_and_gone_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup");
    fs::create_dir(&backup).unwrap();
    let files: Vec<_> =
        fs::read_dir(self::folder().join("backup")).expect("the golden backup").flatten().collect();
    assert_eq!(files.len(), 2);
    for file in files {
        fs::copy(file.path(), backup.join(file.file_name())).unwrap();
    }
    assert!(!killed_when(&mut start(FIT, folder.path()), || false));
    let resumed = fs::read(folder.path().join("resumed")).expect("it goes on from the backup");
    assert_eq!(fs::read_dir(&backup).unwrap().count(), 0, "when the fit has ended the backup is removed");
    assert!(!killed_when(&mut start(FIT, folder.path()), || false));
    assert!(fs::read(folder.path().join("straight")).expect("no backup is left") == resumed);
}

/// The search of the golden journal; what it started is counted.
fn search(journal: &Path) -> (String, usize) {
    #[derive(Clone, Default)]
    struct Started(std::sync::Arc<std::sync::atomic::AtomicUsize>);
    impl SearchObserver for Started {
        fn fit_started(&self, _: Task) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }
    let started = Started::default();
    let search = GridSearch::new(MlpRegressor::params().hidden_layer_sizes([3]).epochs(2))
        .axis("alpha", [0.0, 0.01], |params, alpha| params.alpha(alpha))
        .cv(KFold::new(2))
        .observer(started.clone())
        .journal(journal);
    let found = search.fit(&values()).unwrap();
    let scores = |row: &FitRow| format!("{} {} {:?}\n", row.candidate, row.fold, row.test_scores);
    (found.results().rows().iter().map(scores).collect(), started.0.load(std::sync::atomic::Ordering::SeqCst))
}

/// A journal belongs to the version of the crate that wrote it, by its study: here it is taken over by this one.
fn of_this_version(journal: &str) -> String {
    let mut lines: Vec<String> = journal.lines().map(str::to_owned).collect();
    let before = "\"version of linfa-mlp\",\"0.1.0\"";
    let now = format!("\"version of linfa-mlp\",\"{}\"", env!("CARGO_PKG_VERSION"));
    let json = lines[1][9..].replace(before, &now);
    assert!(json.contains(&now), "{json}");
    lines[1] = format!("{:08x} {json}", crc32c(json.as_bytes()));
    lines.join("\n") + "\n"
}

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0x82F6_3B78 & (crc & 1_u32).wrapping_neg()))
    })
}

#[test]
fn a_journal_of_version_1_has_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.journal");
    let text = String::from_utf8(read("search.journal")).unwrap();
    assert!(text.starts_with("linfa-mlp journal 1\n"));
    fs::write(&path, of_this_version(&text)).unwrap();
    let (table, started) = search(&path);
    assert_eq!(started, 0, "every fit is restored");
    assert_eq!(table, String::from_utf8(read("search.txt")).unwrap());
    // And they are what this version gives, too.
    assert_eq!(search(&folder.path().join("anew")), (table, 4));
}

#[test]
#[ignore = "makes the golden files that are missing, and records what follows from them"]
fn write() {
    let folder = folder();
    fs::create_dir_all(&folder).unwrap();
    let mut recorded = BTreeMap::new();
    for golden in golden() {
        let path = folder.join(format!("{}.mlp", golden.name));
        if !path.exists() {
            fs::write(&path, (golden.made)()).unwrap();
        }
        let bytes = fs::read(&path).unwrap();
        recorded.insert(golden.name, (golden.predicted)(&bytes));
        fs::write(folder.join(format!("{}.end.mlp", golden.name)), (golden.continued)(&bytes)).unwrap();
    }
    fs::write(folder.join("predicted.json"), serde_json::to_string_pretty(&recorded).unwrap() + "\n")
        .unwrap();
    if !folder.join("backup").exists() {
        assert!(of_test(FIT, &folder).env(CUT, "3").status().unwrap().success());
        fs::remove_file(folder.join("straight")).unwrap();
    }
    let journal = folder.join("search.journal");
    if !journal.exists() {
        search(&journal);
        fs::write(folder.join("search.txt"), search(&journal).0).unwrap();
    }
}

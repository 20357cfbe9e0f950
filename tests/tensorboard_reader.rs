//! The real TensorBoard reads what we write: curves in Keras' layout, and an HParams table with a cross-validation.
//!
//! Needs a Python that can `import tensorboard`: the one in the environment variable `LINFA_MLP_PYTHON`, else `python3`.
//! Without one the test says so and passes.

#![cfg(feature = "tensorboard")]

use std::env;
use std::error::Error;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use linfa_mlp::MlpClassifier;
use linfa_mlp::model_selection::{GridSearch, Scorer, SequentialSearch, StratifiedKFold};
use linfa_mlp::optimizer::{Adam, Sgd};
use linfa_mlp::tensorboard::hparams::{Experiment, HParam, HParamKind, Metric, Status, session_end};
use linfa_mlp::tensorboard::{EventWriter, Summary};
use serde_json::{Value, json};

const START: f64 = 1.7e9;
const MODEL: &str = "| layer | shape |\n|---|---|\n| dense | (64, 10) |";
const LOSSES: [f64; 4] = [2.25, 1.5, 0.75, f64::NAN];

/// Validation accuracy of three folds; their means are exact.
const CANDIDATES: [(&str, usize, f64, [f64; 3]); 2] =
    [("c000", 16, 0.125, [0.5, 0.625, 0.75]), ("c001", 64, 0.25, [0.75, 0.875, 1.0])];

#[test]
fn tensorboard_sees_the_curves_and_the_table() -> Result<(), Box<dyn Error>> {
    let Some(python) = python_with_tensorboard() else { return Ok(()) };
    let logs = tempfile::tempdir()?;
    write_fit(&logs.path().join("fit"))?;
    write_search(&logs.path().join("search"))?;

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tensorboard_reader.py");
    let output = Command::new(python).arg(script).arg(logs.path()).stderr(Stdio::piped()).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout)?;

    check_fit(&seen["runs"]);
    let uneven = &seen["runs"]["fit/train"]["uneven"]["values"][0];
    assert_eq!(uneven, &seen["uneven"], "TensorBoard's own writer has other buckets");
    for loader in ["false", "auto"] {
        check_table(&seen["tables"][loader]);
    }
    Ok(())
}

#[test]
fn tensorboard_sees_a_search_and_the_means_over_its_folds() -> Result<(), Box<dyn Error>> {
    let Some(python) = python_with_tensorboard() else { return Ok(()) };
    let logs = tempfile::tempdir()?;
    let iris = linfa_datasets::iris();
    let search = GridSearch::new(MlpClassifier::params().epochs(3).batch_size(32).seed(1))
        .axis("hidden", [vec![4], vec![8, 4]], |p, hidden| p.hidden_layer_sizes(hidden))
        .axis("learning_rate", [0.01, 0.1], |p, rate| p.optimizer(Adam::new(rate)))
        .cv(StratifiedKFold::new(3).shuffle(1))
        .scorers([Scorer::accuracy()])
        .tensorboard(logs.path().join("iris"))
        .fit(&iris)?;
    let results = search.results();

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tensorboard_reader.py");
    let output = Command::new(python).arg(script).arg(logs.path()).stderr(Stdio::piped()).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout)?;
    for loader in ["false", "auto"] {
        let table = &seen["tables"][loader];
        let hparams = table["experiment"]["hparamInfos"].as_array().expect("the hyper-parameters");
        let kinds: Vec<_> = hparams.iter().map(|info| (&info["name"], &info["type"])).collect();
        assert_eq!(
            json!(kinds),
            json!([["hidden", "DATA_TYPE_STRING"], ["learning_rate", "DATA_TYPE_FLOAT64"]])
        );
        assert_eq!(hparams[1]["domainDiscrete"], json!([0.01, 0.1]));
        let metrics = table["experiment"]["metricInfos"].as_array().expect("the metrics");
        let names: Vec<_> = metrics.iter().map(|info| &info["name"]["tag"]).collect();
        assert_eq!(json!(names), json!(["test_accuracy", "fit_seconds"]));

        let mut rows = table["rows"].as_array().expect("the rows").clone();
        rows.sort_by_key(|row| row["name"].to_string());
        assert_eq!(rows.len(), 4, "one row a candidate");
        for (candidate, row) in rows.iter().enumerate() {
            let summary = &results.candidates()[candidate];
            assert_eq!(row["name"], format!("c{candidate:03}"));
            assert_eq!(row["hparams"]["hidden"], summary.params.get("hidden").expect("hidden").text());
            assert_eq!(
                row["hparams"]["learning_rate"],
                *summary.params.get("learning_rate").expect("a rate").json()
            );
            for (scorer, score) in summary.test.iter().enumerate() {
                let tag = names[scorer].as_str().expect("a name");
                let values = row["metricValues"].as_array().expect("the metrics");
                let value = values.iter().find(|value| value["name"]["tag"] == tag).expect("the metric");
                // Scalars are in single precision.
                let mean = value["value"].as_f64().expect("a number");
                assert!((mean - score.mean).abs() < 1e-6, "{candidate} {tag}: {mean} {}", score.mean);
            }
            let sessions = row["sessions"].as_array().expect("the folds");
            assert_eq!(sessions.len(), 3);
            assert!(sessions.iter().all(|session| session["status"] == "STATUS_SUCCESS"), "{sessions:?}");
        }
    }
    // Curves of each fit, an epoch a point.
    assert!(logs.path().join("iris/c003/fold2/train").is_dir());
    Ok(())
}

#[test]
fn tensorboard_sees_the_parameters_that_only_later_candidates_have() -> Result<(), Box<dyn Error>> {
    let Some(python) = python_with_tensorboard() else { return Ok(()) };
    let logs = tempfile::tempdir()?;
    let iris = linfa_datasets::iris();
    let search = SequentialSearch::new(MlpClassifier::params().hidden_layer_sizes([4]).epochs(1).seed(1))
        .sample(12, |p, draw| {
            let rate = draw.log_uniform("learning_rate", 1e-4, 1e-1);
            match draw.choice("optimizer", ["adam", "sgd"]) {
                "adam" => p.optimizer(Adam::new(rate)),
                _ => p.optimizer(Sgd::new(rate).momentum(draw.uniform("momentum", 0.0, 0.9))),
            }
        })
        .n_startup(1)
        .seed(FIRST_WITHOUT_MOMENTUM)
        .cv(StratifiedKFold::new(2).shuffle(1))
        .tensorboard(logs.path().join("iris"))
        .fit(&iris)?;
    let candidates = search.results().candidates();
    let momentum = |place: usize| candidates[place].params.get("momentum");
    assert!(momentum(0).is_none(), "the first round has no momentum");
    assert!((1..candidates.len()).any(|place| momentum(place).is_some()));

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tensorboard_reader.py");
    let output = Command::new(python).arg(script).arg(logs.path()).stderr(Stdio::piped()).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout)?;
    for loader in ["false", "auto"] {
        let table = &seen["tables"][loader];
        let hparams = table["experiment"]["hparamInfos"].as_array().expect("the hyper-parameters");
        let names: Vec<_> = hparams.iter().filter_map(|info| info["name"].as_str()).collect();
        assert!(
            ["learning_rate", "optimizer", "momentum"].iter().all(|name| names.contains(name)),
            "{names:?}"
        );
        let mut rows = table["rows"].as_array().expect("the rows").clone();
        rows.sort_by_key(|row| row["name"].to_string());
        assert_eq!(rows.len(), candidates.len());
        for (place, row) in rows.iter().enumerate() {
            let shown = row["hparams"].get("momentum").and_then(Value::as_f64);
            assert_eq!(shown, momentum(place).and_then(|value| value.number()), "candidate {place}");
        }
    }
    Ok(())
}

/// A seed whose first candidate has another optimizer.
const FIRST_WITHOUT_MOMENTUM: u64 = 2;

fn python_with_tensorboard() -> Option<String> {
    let python = env::var("LINFA_MLP_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let import = Command::new(&python).args(["-c", "import tensorboard"]).output();
    let why = match import {
        Ok(output) if output.status.success() => return Some(python),
        Ok(output) => String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned(),
        Err(error) => error.to_string(),
    };
    eprintln!("SKIPPED: TensorBoard itself is not asked, because `{python}` cannot import it ({why}).");
    eprintln!("Set LINFA_MLP_PYTHON to a Python that can.");
    None
}

fn write_fit(directory: &Path) -> io::Result<()> {
    let mut train = EventWriter::create(&directory.join("train"))?;
    let mut validation = EventWriter::create(&directory.join("validation"))?;
    train.write(0, START, Summary::text("model", MODEL))?;
    for (step, loss) in (0..).zip(LOSSES) {
        let time = START + step as f64;
        train.write(step, time, Summary::scalar("epoch_loss", loss))?;
        train.write(step, time, Summary::scalar("epoch_accuracy", 0.25 * step as f64))?;
        train.write(step, time, Summary::scalar("epoch_learning_rate", 0.5f64.powi(step as i32)))?;
        validation.write(step, time, Summary::scalar("epoch_loss", 2.0 * loss))?;
        validation.write(step, time, Summary::scalar("epoch_accuracy", 0.125 * step as f64))?;
        train.flush()?;
        validation.flush()?;
    }
    let kernel = "dense/kernel/histogram";
    train.write(0, START, Summary::histogram(kernel, (0..=60).map(f64::from)))?;
    train.write(1, START + 1.0, Summary::histogram(kernel, [0.5; 8]))?;
    train.write(2, START + 2.0, Summary::histogram(kernel, [f64::NAN]))?;
    train.write(0, START, Summary::histogram("uneven", uneven()))?;
    train.flush()
}

/// Values of which a quotient of small whole numbers is the whole story, so that Python has the same bits.
fn uneven() -> impl Iterator<Item = f64> {
    (0..1000u32).map(|i| f64::from(i * i % 1009 * 7919 % 1009) / 1009.0 - 0.25)
}

fn check_fit(runs: &Value) {
    let curve = |run: &str, tag: &str| {
        let series = &runs[run][tag];
        assert_eq!(series["plugin"], "scalars", "{run} {tag}");
        assert_eq!(series["steps"], json!([0, 1, 2, 3]), "{run} {tag}");
        assert_eq!(series["shapes"], json!([[], [], [], []]), "{run} {tag}");
        assert_eq!(
            series["wall_times"],
            json!([START, START + 1.0, START + 2.0, START + 3.0]),
            "{run} {tag}"
        );
        series["values"].clone()
    };
    assert_eq!(curve("fit/train", "epoch_loss"), json!([["2.25"], ["1.5"], ["0.75"], ["nan"]]));
    assert_eq!(curve("fit/validation", "epoch_loss"), json!([["4.5"], ["3.0"], ["1.5"], ["nan"]]));
    assert_eq!(curve("fit/train", "epoch_accuracy"), json!([["0.0"], ["0.25"], ["0.5"], ["0.75"]]));
    assert_eq!(curve("fit/validation", "epoch_accuracy"), json!([["0.0"], ["0.125"], ["0.25"], ["0.375"]]));
    assert_eq!(curve("fit/train", "epoch_learning_rate"), json!([["1.0"], ["0.5"], ["0.25"], ["0.125"]]));

    let text = &runs["fit/train"]["model"];
    assert_eq!((&text["plugin"], &text["values"]), (&json!("text"), &json!([[MODEL]])));

    let kernel = &runs["fit/train"]["dense/kernel/histogram"];
    assert_eq!(kernel["plugin"], "histograms");
    assert_eq!(kernel["shapes"], json!([[30, 3], [30, 3], [30, 3]]));
    let rows = |step: usize| -> Vec<f64> {
        let values = kernel["values"][step].as_array().expect("a list");
        values.iter().map(|value| value.as_str().expect("a number").parse().expect("a number")).collect()
    };
    let even: Vec<f64> = (0..30).flat_map(|i| [2.0 * f64::from(i), 2.0 * f64::from(i + 1), 2.0]).collect();
    assert_eq!(rows(0)[..89], even[..89]);
    assert_eq!(rows(0)[89..], [3.0]);
    assert_eq!(rows(1)[87..], [0.5, 0.5, 8.0]);
    assert_eq!(rows(2), [0.0; 90]);
}

fn write_search(root: &Path) -> Result<(), Box<dyn Error>> {
    let search = Experiment::new()
        .hparam(HParam::one_of("units", CANDIDATES.map(|candidate| candidate.1)).display_name("hidden units"))
        .hparam(HParam::between("learning_rate", 0.0, 1.0))
        .hparam(HParam::one_of("layers", ["(16,)", "(64,)"]))
        .hparam(HParam::any("nesterov", HParamKind::Flag))
        .metric(Metric::new("epoch_accuracy").group("validation").display_name("accuracy"));
    EventWriter::create(root)?.write(0, START, search.summary(START))?;
    for (group, units, rate, folds) in CANDIDATES {
        for (fold, accuracy) in folds.into_iter().enumerate() {
            let directory = root.join(group).join(format!("fold{fold}"));
            let mut session = EventWriter::create(&directory)?;
            let values = [
                ("units", units.into()),
                ("learning_rate", rate.into()),
                ("layers", format!("({units},)").into()),
                ("nesterov", (units > 16).into()),
            ];
            session.write(0, START, search.session_start(group, START, values)?)?;
            let mut validation = EventWriter::create(&directory.join("validation"))?;
            validation.write(0, START + 1.0, Summary::scalar("epoch_accuracy", 0.1))?;
            validation.write(1, START + 2.0, Summary::scalar("epoch_accuracy", accuracy))?;
            session.write(0, START + 2.0, session_end(Status::Success, START + 2.0))?;
        }
    }
    Ok(())
}

fn check_table(table: &Value) {
    let hparams = table["experiment"]["hparamInfos"].as_array().expect("the hyper-parameters");
    let column = |name: &str| hparams.iter().find(|info| info["name"] == name).expect("the column");
    assert_eq!(hparams.len(), 4);
    assert_eq!(column("units")["displayName"], "hidden units");
    assert_eq!(column("units")["type"], "DATA_TYPE_FLOAT64");
    assert_eq!(column("units")["domainDiscrete"], json!([16.0, 64.0]));
    assert_eq!(column("learning_rate")["domainInterval"], json!({"minValue": 0.0, "maxValue": 1.0}));
    assert_eq!(column("layers")["type"], "DATA_TYPE_STRING");
    assert_eq!(column("nesterov")["type"], "DATA_TYPE_BOOL");
    let metrics = table["experiment"]["metricInfos"].as_array().expect("the metrics");
    assert_eq!(metrics.len(), 1);
    assert_eq!(metrics[0]["name"], json!({"group": "validation", "tag": "epoch_accuracy"}));

    let rows = table["rows"].as_array().expect("the rows");
    assert_eq!(rows.len(), CANDIDATES.len(), "one row a candidate");
    for (row, (group, units, rate, folds)) in rows.iter().zip(CANDIDATES) {
        assert_eq!(row["name"], group);
        let values = json!({
            "units": units as f64,
            "learning_rate": rate,
            "layers": format!("({units},)"),
            "nesterov": units > 16,
        });
        assert_eq!(row["hparams"], values);
        assert_eq!(row["metricValues"][0]["value"], folds.iter().sum::<f64>() / 3.0, "the mean of the folds");
        let sessions = row["sessions"].as_array().expect("the folds");
        assert_eq!(sessions.len(), folds.len());
        for (fold, (session, accuracy)) in sessions.iter().zip(folds).enumerate() {
            assert_eq!(session["name"], format!("search/{group}/fold{fold}"));
            assert_eq!(session["status"], "STATUS_SUCCESS");
            let metric = &session["metricValues"][0];
            assert_eq!(
                (metric["value"].as_f64(), metric["trainingStep"].as_i64()),
                (Some(accuracy), Some(1))
            );
        }
    }
}

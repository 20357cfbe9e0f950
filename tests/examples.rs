//! Every example runs, and prints what its head promises.
//!
//! `cargo test` builds the examples beside the tests; this test runs them from there.

// The main job shows its progress, and learning rates are a picture.
#![cfg(all(feature = "progress", feature = "plot"))]

use std::path::PathBuf;
use std::process::{Command, Output};

/// Runs an example and gives what it prints.
fn run(name: &str, args: &[&str]) -> String {
    let output = start(name, args);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {args:?} failed: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn start(name: &str, args: &[&str]) -> Output {
    command(name, args).output().expect("the example starts")
}

fn command(name: &str, args: &[&str]) -> Command {
    let test = std::env::current_exe().expect("a test knows its own path");
    let folder: PathBuf =
        test.ancestors().nth(2).expect("tests lie in deps/, examples beside it").join("examples");
    let program = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is not built: run `cargo test`, which builds examples", program.display());
    let mut command = Command::new(program);
    command.args(args).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    command
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("--json prints one JSON object and nothing else")
}

#[test]
fn the_boston_grid_search_beats_the_linear_regression_and_writes_its_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("boston").display().to_string();
    let found = json(&run("boston_grid_search", &["--json", "--epochs", "60", "--out", &out]));
    let number = |key: &str| found[key].as_f64().unwrap_or_else(|| panic!("{key} is no number: {found}"));
    assert_eq!((number("candidates"), number("folds"), number("fits")), (18.0, 5.0, 90.0));
    assert!(number("test_rmse") < 0.8 * number("linear_test_rmse"), "{found}");
    assert!(number("test_r2") > 0.8 && number("cv_rmse") < 5.0 && number("seconds") > 0.0, "{found}");
    assert!(found["best_params"]["optimizer"]["name"].is_string(), "{found}");
    for file in ["results.csv", "fits.csv", "results.json", "history.csv", "model.mlp"] {
        let path = folder.path().join("boston").join(file);
        assert!(std::fs::metadata(&path).is_ok_and(|file| file.len() > 100), "{}", path.display());
    }
}

#[test]
fn the_boston_grid_search_finds_the_same_on_any_number_of_threads() {
    let of = |threads: &str| {
        let mut found = json(&run("boston_grid_search", &["--json", "--epochs", "5", "--threads", threads]));
        let object = found.as_object_mut().expect("an object");
        object.remove("seconds");
        object.remove("threads");
        found
    };
    let one = of("1");
    assert_eq!(one, of("2"));
    assert_eq!(one, of("3"));
    assert_eq!(one, of("8"));
}

#[test]
fn the_boston_grid_search_is_killed_and_finds_the_same_when_it_is_started_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("boston.journal");
    let journal = path.display().to_string();
    let without_times = |text: &str| {
        let mut found = json(text);
        found.as_object_mut().expect("an object").remove("seconds");
        found
    };
    let common = ["--json", "--epochs", "5", "--threads", "2"];
    let with_journal: Vec<&str> = common.iter().copied().chain(["--journal", &journal]).collect();
    let lines = || std::fs::read(&path).map_or(0, |text| text.iter().filter(|&&byte| byte == b'\n').count());
    // Two lines say what the journal is of; then comes a line for each fit.
    for rows in [10, 40] {
        let mut child = command("boston_grid_search", &with_journal).spawn().expect("the example starts");
        while lines() < 2 + rows {
            assert!(child.try_wait().expect("it can be asked").is_none(), "it ended before it was killed");
            std::thread::sleep(std::time::Duration::from_micros(200));
        }
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        assert!((2 + rows..92).contains(&lines()), "{} lines", lines());
    }
    let found = run("boston_grid_search", &with_journal);
    assert_eq!(without_times(&found), without_times(&run("boston_grid_search", &common)));
    assert_eq!(lines(), 92, "no finished fit was repeated");
    let other = start("boston_grid_search", &[&with_journal[..], &["--seed", "7"]].concat());
    let errors = String::from_utf8_lossy(&other.stderr);
    assert!(!other.status.success() && errors.contains("was written with other"), "{errors}");
}

#[test]
fn the_boston_grid_search_prints_a_ranked_table_and_a_summary() {
    let text = run("boston_grid_search", &["--epochs", "5"]);
    for expected in ["rank", "hidden_layer_sizes", "adam", "output shape", "linear regression", "90 fits on"]
    {
        assert!(text.contains(expected), "{expected} is missing in\n{text}");
    }
}

#[test]
fn an_optimizer_of_the_users_own_is_saved_and_read_back_by_its_name() {
    let text = run("custom_optimizer", &[]);
    assert!(text.contains("optimizer of the file: signum"), "{text}");
    assert!(text.contains("30 + 30 epochs equal 60: true"), "{text}");
    let accuracy = text.lines().last().and_then(|line| line.strip_prefix("accuracy: ")?.parse::<f64>().ok());
    assert!(accuracy.is_some_and(|accuracy| accuracy > 0.9), "{text}");
}

#[test]
fn learning_rates_too_small_learn_nothing_and_those_too_large_are_unstable() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let picture = folder.path().join("curves.svg");
    let text = run("learning_rates", &[&picture.display().to_string()]);
    let row = |optimizer: &str, rate: &str| -> (f64, f64, String) {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let mut rows = text.lines().map(words).filter(|w| w.len() > 4 && w[0] == optimizer && w[1] == rate);
        let row = rows.next().unwrap_or_else(|| panic!("{optimizer} {rate} is missing in\n{text}"));
        (row[2].parse().expect("a loss"), row[3].parse().expect("an accuracy"), row[4..].join(" "))
    };
    for (optimizer, useful) in [("SGD", "1e-1"), ("RMSprop", "1e-3"), ("Adam", "1e-3")] {
        let (slow, good, wild) = (row(optimizer, "1e-5"), row(optimizer, useful), row(optimizer, "1e1"));
        assert!(slow.0 > 2.0 && slow.1 < 0.5, "{text}");
        assert!(good.0 < 0.1 && good.1 > 0.88, "{text}");
        assert!(wild.0 > 1e3 || wild.2.starts_with("diverged in epoch 1, batch"), "{text}");
    }
    assert!(row("SGD", "1e1").2.starts_with("diverged"), "{text}");
    let svg = std::fs::read_to_string(&picture).expect("the picture is there");
    for title in ["SGD", "RMSprop", "Adam", "1e-5", "broken off: 1e1"] {
        assert!(svg.contains(title), "{title}");
    }
}

#[test]
fn bad_arguments_of_the_main_job_say_what_is_allowed() {
    for (args, text) in [
        (["--epochs", "0"], "epochs must be at least 1, but is 0"),
        (["--threads", "-1"], "--threads must be a whole number of at least 0, but is -1"),
        (["--out", "/dev/null/folder"], "cannot make the folder /dev/null/folder"),
        (["--journal", "/dev/null/journal"], "cannot open the journal /dev/null/journal"),
        (["--json", "--what"], "--what is unknown"),
    ] {
        let output = start("boston_grid_search", &args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && errors.contains(text), "{args:?}: {errors}");
    }
}

#[test]
fn a_file_of_records_is_trained_on_batch_by_batch() {
    let printed = run("larger_than_memory", &[]);
    let (_, losses) = printed.split_once("validation loss").expect("it prints the loss");
    let losses: Vec<f64> = losses.split("->").map(|loss| loss.trim().parse().expect("a number")).collect();
    assert!(losses[1] < 0.5 * losses[0], "{printed}");
}

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
    for file in ["results.csv", "fits.csv", "results.json", "history.csv", "model.mlp", "heat_map.svg"] {
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
    let (text, folder) = practical("learning_rates", "20");
    let row = |optimizer: &str, rate: &str| -> (f64, f64, String) {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let mut rows = text.lines().map(words).filter(|w| w.len() > 4 && w[0] == optimizer && w[1] == rate);
        let row = rows.next().unwrap_or_else(|| panic!("{optimizer} {rate} is missing in\n{text}"));
        (row[2].parse().expect("a loss"), row[3].parse().expect("an accuracy"), row[4..].join(" "))
    };
    for (optimizer, useful) in [("SGD", "1e-1"), ("RMSprop", "1e-3"), ("Adam", "1e-3")] {
        let (slow, good, wild) = (row(optimizer, "1e-5"), row(optimizer, useful), row(optimizer, "1e1"));
        assert!(slow.0 > 2.0 && slow.1 < 0.5, "{text}");
        assert!(good.0 < 0.15 && good.1 > 0.88, "{text}");
        assert!(wild.1 < 0.5 || wild.2.contains("1 of 1 diverged, the first in epoch 1"), "{text}");
    }
    let svg =
        std::fs::read_to_string(folder.path().join("learning_rates.svg")).expect("the picture is there");
    for title in ["SGD", "RMSprop", "Adam", "1e-5"] {
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

/// The numbers of the line that begins with that name.
fn line_of(text: &str, name: &str) -> Vec<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name).filter(|rest| rest.starts_with(' ')));
    let line = line.unwrap_or_else(|| panic!("{name} is missing in\n{text}"));
    line.split_whitespace().filter_map(|cell| cell.parse().ok()).collect()
}

#[test]
fn classifiers_are_compared_on_the_same_folds() {
    let text = run("compare_classifiers", &[]);
    for name in ["network", "logistic regression", "decision tree"] {
        let [mean, spread] = line_of(&text, name)[..] else { panic!("{text}") };
        assert!(mean > 0.9 && spread > 0.0, "{text}");
    }
    let accuracy: f64 = text
        .lines()
        .find_map(|line| line.strip_prefix("accuracy on 30 rows: ")?.parse().ok())
        .expect("the accuracy of the pipeline");
    assert!(accuracy > 0.85, "{text}");
}

#[test]
fn class_weights_find_the_rare_class() {
    let text = run("imbalanced_classes", &[]);
    assert!(text.starts_with("217 of 1599 wines are good"), "{text}");
    let (plain, weighted) = (line_of(&text, "network"), line_of(&text, "network, balanced weights"));
    let ordinary = line_of(&text, "all ordinary");
    // Accuracy, its spread, balanced accuracy, its spread, F1.
    assert!((ordinary[0] - 0.864).abs() < 1e-9 && ordinary[0] < plain[0], "{text}");
    assert!(weighted[0] < plain[0] && weighted[2] > plain[2] + 0.03 && weighted[2] > 0.75, "{text}");
}

#[test]
fn regressors_are_compared_on_the_same_folds() {
    let text = run("compare_regressors", &[]);
    for name in ["network", "linear regression", "elastic net"] {
        let numbers = line_of(&text, name);
        assert!(numbers[0] > 0.4 && numbers[0] < 0.6, "{text}");
    }
    assert!(text.contains(" of 50 folds"), "{text}");
}

#[test]
fn the_best_of_many_is_worth_less_than_it_scored() {
    let text = run("winners_curse", &["3"]);
    let rows: Vec<Vec<f64>> = text
        .lines()
        .filter_map(|line| line.strip_prefix("best of "))
        .filter(|line| !line.contains("nested"))
        .map(|line| line.split_whitespace().filter_map(|cell| cell.parse().ok()).collect())
        .collect();
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), [1.0, 4.0, 16.0, 64.0].repeat(2), "{text}");
    for of in rows.chunks(4) {
        assert!(of.is_sorted_by(|a, b| a[1] <= b[1]), "the best of more candidates scores no less: {text}");
        assert!(of[3][3] > of[0][3] && of[3][3] > 0.0, "{text}");
    }
}

#[test]
fn a_file_of_records_is_trained_on_batch_by_batch() {
    let printed = run("larger_than_memory", &[]);
    let (_, losses) = printed.split_once("validation loss").expect("it prints the loss");
    let losses: Vec<f64> = losses.split("->").map(|loss| loss.trim().parse().expect("a number")).collect();
    assert!(losses[1] < 0.5 * losses[0], "{printed}");
}

#[test]
fn the_random_search_compares_candidates_and_draws_pictures() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = run("random_search", &[&folder.path().display().to_string()]);
    for words in [
        "rank",
        "best against last:   difference ",
        "simplest within one standard error: ",
        "learnt: learning_rate=",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    for file in ["heat_map.svg", "parallel_coordinates.svg", "history.svg"] {
        let svg = std::fs::read_to_string(folder.path().join(file)).expect("a picture");
        assert!(svg.starts_with("<svg"), "{file}");
    }
}

/// Runs an example of the practical on the 8 × 8 digits, with a folder of its own.
fn practical(name: &str, epochs: &str) -> (String, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().display().to_string();
    let text = run(name, &["--digits", "--epochs", epochs, "--out", &out]);
    assert!(text.starts_with("8 × 8 digits: 1437 rows to learn from, 360 to test, 64 pixels\n"), "{text}");
    (text, folder)
}

/// The lines of a text that begin with a number, cut into their numbers.
fn numbers(text: &str) -> Vec<Vec<f64>> {
    let cells =
        |line: &str| line.split_whitespace().map_while(|cell| cell.parse().ok()).collect::<Vec<f64>>();
    text.lines().skip(1).map(cells).filter(|row| row.len() > 1).collect()
}

#[cfg(feature = "plot")]
fn is_picture(folder: &tempfile::TempDir, name: &str) {
    let svg = std::fs::read_to_string(folder.path().join(name)).expect("the picture is written");
    assert!(svg.starts_with("<svg") && svg.contains("loss"), "{name}");
}

#[cfg(not(feature = "plot"))]
fn is_picture(_: &tempfile::TempDir, _: &str) {}

#[test]
fn first_networks_count_their_parameters_and_recognise_digits() {
    let (text, _) = practical("first_networks", "8");
    let rows = numbers(&text);
    let params: Vec<f64> = rows.iter().map(|row| row[1]).collect();
    // (64 + 1) · 128 + 2 · (128 + 1) · 128 + (128 + 1) · 10 for the last.
    assert_eq!(params, [650.0, 9_610.0, 26_122.0, 42_634.0], "{text}");
    assert!(rows.iter().all(|row| row[3] > 0.8 && row[3] <= 1.0) && rows[2][3] > 0.9, "{text}");
    assert!(text.contains("output shape"), "{text}");
}

#[test]
fn one_layer_can_have_the_parameters_of_three() {
    let (text, folder) = practical("same_parameter_count", "5");
    let params: Vec<f64> = text
        .lines()
        .filter_map(|line| line.split_once("hidden: ")?.1.split(' ').next()?.parse().ok())
        .collect();
    assert!(matches!(params[..], [three, one] if three > 40_000.0 && (three - one).abs() < 75.0), "{text}");
    is_picture(&folder, "three.svg");
    is_picture(&folder, "one.svg");
}

#[test]
fn a_validation_split_holds_out_three_rows_of_ten() {
    let (text, folder) = practical("validation_split", "4");
    assert!(text.contains("1005 rows to learn from, 432 held out"), "{text}");
    let rows = numbers(&text);
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), [1.0, 2.0, 3.0, 4.0], "{text}");
    assert!(rows.iter().all(|row| row.len() == 5) && rows[3][1] < rows[0][1], "{text}");
    is_picture(&folder, "curves.svg");
}

#[test]
fn a_stronger_l1_penalty_leaves_fewer_weights() {
    let (text, folder) = practical("l1_regularization", "8");
    let small: Vec<f64> = numbers(&text).iter().map(|row| row[4]).collect();
    assert_eq!(small.len(), 4, "{text}");
    assert!(small[0] < 5.0 && small[3] > 40.0 && small.is_sorted(), "{text}");
    is_picture(&folder, "l1-0.001.svg");
}

#[test]
fn dropout_is_compared_with_none() {
    let (text, folder) = practical("dropout", "5");
    let rows = numbers(&text);
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), [0.0, 0.1, 0.3, 0.5], "{text}");
    assert!(rows[0][1] < rows[1][1], "with dropout, training is harder: {text}");
    is_picture(&folder, "dropout-0.1.svg");
}

#[test]
fn several_seeds_have_a_mean_and_a_deviation() {
    let of = |seeds: &str| run("score", &["--digits", "--epochs", "2", "--seeds", seeds]);
    let score = |text: &str| -> Vec<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix("score on 360 test rows: "));
        line.into_iter().flat_map(|line| line.split(" ± ")).filter_map(|cell| cell.parse().ok()).collect()
    };
    let (one, three) = (of("1"), of("3"));
    assert!(matches!(score(&one)[..], [_]), "{one}");
    let [mean, deviation] = score(&three)[..] else { panic!("{three}") };
    assert!(deviation > 0.0 && (mean - score(&one)[0]).abs() < 2.0 * deviation, "{three}");
}

#[test]
fn three_optimizers_run_from_the_same_weights() {
    let (text, folder) = practical("optimizers", "5");
    for name in ["sgd", "rmsprop", "adam"] {
        let line = text.lines().find(|line| line.trim_start().starts_with(name));
        let cells: Vec<f64> = line
            .into_iter()
            .flat_map(|line| line.split_whitespace().skip(1))
            .map_while(|cell| cell.parse().ok())
            .collect();
        assert!(matches!(cells[..], [first, last, _, test] if last < first && test > 0.3), "{name}: {text}");
        is_picture(&folder, &format!("{name}.svg"));
    }
}

#[test]
fn an_estimator_has_a_score_and_a_confusion_matrix() {
    let (text, _) = practical("score", "8");
    let score =
        text.lines().find_map(|line| line.strip_prefix("score on 360 test rows: ")?.parse::<f64>().ok());
    assert!(
        score.is_some_and(|score| score > 0.9 && text.contains(&format!("accuracy {score:.4}"))),
        "{text}"
    );
}

#[test]
fn cross_validation_chooses_an_optimizer() {
    let (text, _) = practical("choose_optimizer", "5");
    assert_eq!(text.matches("mean").count(), 2, "{text}");
    assert!(text.contains("the better one: rmsprop"), "{text}");
}

#[test]
fn learning_curves_are_a_table_and_a_picture() {
    let (text, folder) = practical("learning_curves", "4");
    assert!(text.contains("columns: loss, accuracy, val_loss, val_accuracy"), "{text}");
    let csv = std::fs::read_to_string(folder.path().join("history.csv")).expect("the table is written");
    assert_eq!(csv.lines().count(), 5, "{csv}");
    json(&std::fs::read_to_string(folder.path().join("history.json")).expect("the JSON is written"));
    is_picture(&folder, "curves.svg");
}

#[cfg(feature = "tensorboard")]
#[test]
fn tensorboard_files_can_be_read_back() {
    let (text, _) = practical("tensorboard", "3");
    // Loss and accuracy of three epochs, once by epoch and once by update: 32 of them in an epoch of 1005 rows.
    assert!(text.contains("validation: 12 values, the last one at step 96"), "{text}");
    assert!(text.contains("     train: "), "{text}");
}

#[cfg(feature = "onnx")]
#[test]
fn a_model_leaves_as_an_onnx_file_with_rows_to_compare() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let text = run("export_onnx", &[&path("model.onnx"), &path("rows.json")]);
    let accuracy = text.lines().next().and_then(|line| line.rsplit_once(": ")?.1.parse::<f64>().ok());
    assert!(accuracy.is_some_and(|accuracy| accuracy > 0.93), "{text}");
    assert!(std::fs::metadata(path("model.onnx")).is_ok_and(|file| file.len() > 19_000), "{text}");
    let rows = json(&std::fs::read_to_string(path("rows.json")).expect("the rows are written"));
    let shape = |key: &str| (rows[key].as_array().map(Vec::len), rows[key][0].as_array().map(Vec::len));
    assert_eq!((shape("x"), shape("proba")), ((Some(20), Some(64)), (Some(20), Some(10))));
    let largest = |row: &serde_json::Value| {
        let proba: Vec<f64> =
            row.as_array().into_iter().flatten().filter_map(serde_json::Value::as_f64).collect();
        (0..10).fold(0, |best, class| if proba[class] > proba[best] { class } else { best })
    };
    for row in 0..20 {
        assert_eq!(rows["labels"][row], largest(&rows["proba"][row]));
    }
    let errors = String::from_utf8_lossy(&start("export_onnx", &[]).stderr).into_owned();
    assert!(errors.contains("usage: export_onnx MODEL.onnx ROWS.json"), "{errors}");
}

#[test]
fn checkpoints_are_written_every_second_epoch_and_gone_on_from() {
    let (text, folder) = practical("checkpoints", "6");
    let saved: Vec<&str> = text.lines().filter(|line| line.starts_with("saved: ")).collect();
    let files = std::fs::read_dir(folder.path().join("saved-1")).expect("the folder is made").count();
    assert!((1..=3).contains(&files) && saved.len() == files, "{text}");
    assert!(saved[0].contains("epoch-02-"), "{text}");
    let known = text
        .lines()
        .find_map(|line| line.strip_prefix("the last one knows ")?.split(' ').next()?.parse::<usize>().ok());
    let known = known.expect("the file knows its epochs");
    assert!(known.is_multiple_of(2) && text.contains(&format!("after {} epochs: ", known + 6)), "{text}");
}

#[test]
fn early_stopping_stops_and_knows_the_best_weights() {
    let (text, folder) = practical("early_stopping", "100");
    let epochs = text.lines().find_map(|line| line.split_once(" of 100 epochs: ")?.0.parse::<usize>().ok());
    assert!(epochs.is_some_and(|epochs| (6..100).contains(&epochs)), "{text}");
    assert!(text.contains("early_stopping: ") && text.contains("best weights: test accuracy 0.9"), "{text}");
    is_picture(&folder, "curves.svg");
}

#[test]
fn bad_arguments_of_the_practical_say_what_is_allowed() {
    for (args, text) in [
        (&["--digits", "--epochs", "0"][..], "epochs must be at least 1, but is 0"),
        (&["--digits", "--epochs", "x"], "--epochs must be a whole number of at least 0, but is x"),
        (&["--digits", "--epochs"], "--epochs needs a value"),
        (
            &["--digits", "--out", "/dev/null/folder", "--epochs", "1"],
            "cannot make the folder /dev/null/folder",
        ),
        (&["--digits", "--seeds", "0"], "--seeds must be at least 1, but is 0"),
        (&["--mnist"], "--mnist is unknown"),
    ] {
        let output = start("learning_curves", args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && errors.contains(text), "{args:?}: {errors}");
    }
}

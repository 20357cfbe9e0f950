//! A process that trains with backups and checkpoints, killed again and again.
//!
//! ```text
//! LINFA_MLP_KILLS=200 cargo test --test durability killed      # 25 kills if it is not set
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use linfa_mlp::persistence::write_atomically;
use linfa_mlp::prelude::*;
use linfa_mlp::rng::Stream;
use linfa_mlp::train::{Data, Plan, Rows, Run, Until};
use ndarray::Array2;

use crate::process::{killed_when, start};

const EPOCHS: usize = 24;
const TEST: &str = "killed::a_fit_in_a_process_of_its_own";

/// Some tens of kilobytes of state, with callbacks of every kind that has a state. Paths are those of the process's folder, so
/// that runs in any folder have the same bytes.
fn plan() -> Plan {
    Plan {
        network: Sequential::new()
            .add(Dense::new(48).activation(Relu))
            .add(BatchNorm::default())
            .add(Dropout::new(0.2))
            .add(Dense::new(1)),
        loss: MeanSquaredError.into(),
        optimizer: Adam::new(0.01).ema(0.9).into(),
        metrics: vec![Mae.into()],
        batch_size: 8,
        shuffle: true,
        seed: 11,
        callbacks: vec![
            // First, and at the moments of the checkpoints: written before them it would say that they are there.
            Backup::to("each_epoch").into(),
            Backup::to("backup").every_batches(2).into(),
            ModelCheckpoint::to("checkpoints/{epoch:02}.mlp").every(3).keep_last(2).into(),
            ModelCheckpoint::to("checkpoints/best.mlp").save_best_only(ValLoss).into(),
            EarlyStopping::on(ValLoss).patience(EPOCHS).restore_best_weights().into(),
            ReduceLrOnPlateau::on(ValLoss).patience(2).into(),
            CsvLogger::to("log.csv").into(),
        ],
    }
}

#[test]
#[ignore = "the other tests start it, as a process of its own"]
fn a_fit_in_a_process_of_its_own() {
    let x = Array2::from_shape_fn((64, 6), |(i, j)| ((i * (2 * j + 3)) % 17) as f64 / 17.0 - 0.5);
    let y = Array2::from_shape_fn((64, 1), |(i, _)| x[[i, 0]] * x[[i, 1]] + x[[i, 2]]);
    let rows = Rows::new(x.view(), y.view()).expect("rows");
    let select = |places: std::ops::Range<usize>| rows.select(places.collect::<Vec<_>>()).expect("rows");
    let data = Data { training: select(0..48), validation: Some(select(48..64)) };
    let mut run = Run::new(plan(), 6).expect("a legal plan");
    run.advance(&data, Until::epochs(EPOCHS)).expect("it trains");
    write_atomically("done", &run.to_bytes().expect("bytes")).expect("the end is written");
}

/// The files of a folder and of those in it, but for the unfinished ones of a killed process.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            let inner = files(&path).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes));
            found.extend(inner);
        } else if !name.ends_with(".part") {
            found.insert(name, fs::read(&path).expect("it can be read"));
        }
    }
    found
}

#[test]
fn a_fit_killed_at_random_moments_and_started_again_leaves_the_same_files() {
    let kills_wanted: usize =
        std::env::var("LINFA_MLP_KILLS").map_or(25, |kills| kills.parse().expect("a number"));
    let straight = tempfile::tempdir().unwrap();
    let begin = Instant::now();
    assert!(!killed_when(&mut start(TEST, straight.path()), || false));
    let whole_time = begin.elapsed();
    let expected = files(straight.path());
    let names: Vec<&str> = expected.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["checkpoints/21.mlp", "checkpoints/24.mlp", "checkpoints/best.mlp", "done", "log.csv"]
    );

    let mut moments = Stream::new(5).named("kill");
    let (mut kills, mut starts, mut with_backup, mut unfinished, mut most_unfinished) = (0, 0, 0, 0, 0);
    while kills < kills_wanted {
        let folder = tempfile::tempdir().unwrap();
        loop {
            let mut child = start(TEST, folder.path());
            let begin = Instant::now();
            // Each life is shorter than a whole run, so that several follow each other.
            let after = whole_time.mul_f64(0.7 * moments.uniform());
            starts += 1;
            if !killed_when(&mut child, || kills < kills_wanted && begin.elapsed() >= after) {
                break;
            }
            kills += 1;
            let left = |ending: &str| {
                let backup = fs::read_dir(folder.path().join("backup")).into_iter().flatten();
                backup
                    .filter(|file| file.as_ref().unwrap().path().to_string_lossy().ends_with(ending))
                    .count()
            };
            with_backup += usize::from(left(".mlp") > 0);
            unfinished += usize::from(left(".part") > 0);
            most_unfinished = most_unfinished.max(left(".part"));
        }
        let found = files(folder.path());
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (name, bytes) in &expected {
            // Epochs between the last backup and the kill are trained again, and logged once.
            assert!(found[name] == *bytes, "{name} differs after {kills} kills");
        }
    }
    println!(
        "{kills} kills in {starts} starts: {with_backup} left a backup, {unfinished} an unfinished file; \
         the end was the same each time"
    );
    assert!(with_backup * 4 > kills, "{with_backup} of {kills} kills left a backup");
    assert!(most_unfinished <= 2, "each file has one unfinished one: a kill adds none to that of another");
}

//! Callbacks: adding a row to `samples` is all it takes to test a new one.
//!
//! Most tests run a network that is a clock: its only output grows by exactly 1 with every update, and the metric `scripted`
//! looks up a value by it. So the losses of a test are those written in its table, and the weights tell their epoch.

// Lists grow with the features.
#![cfg_attr(not(feature = "tensorboard"), allow(unused_mut))]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use linfa_mlp::callback::{AdaptiveLearningRate, AnyCallback, BestAmong, Callbacks, Monitor, View};
use linfa_mlp::history::StopReason;
use linfa_mlp::metric::{Batch, Direction, Metrics};
use linfa_mlp::part::{self, Configured, Room};
use linfa_mlp::prelude::*;
use linfa_mlp::train::{Data, Plan, Rows, Run, Until};
use linfa_mlp::{Error, Float, MlpRegressor};
use ndarray::{Array2, array};
use serde::{Deserialize, Serialize};

/// The value at the place that the first output tells, from 1; a negative one stands for NaN, which JSON does not have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Scripted {
    script: Vec<f64>,
}

impl Configured for Scripted {
    const NAME: &'static str = "scripted";
}

impl<F: Float> Metric<F> for Scripted {
    fn direction(&self) -> Direction {
        Direction::Minimize
    }

    fn of_classes(&self) -> bool {
        false
    }

    fn update(&self, state: &mut Vec<f64>, batch: &Batch<'_, F>) {
        *state = vec![batch.outputs[0].wide()];
    }

    fn value(&self, state: &[f64]) -> f64 {
        let value = self.script.get((state[0] as usize).saturating_sub(1)).copied().unwrap_or(9.0);
        if value < 0.0 { f64::NAN } else { value }
    }
}

const MONITOR: &str = "val_scripted";

/// Rows of the clock: four to train on, two to validate.
fn rows() -> (Array2<f64>, Array2<f64>) {
    (Array2::zeros((6, 1)), Array2::from_elem((6, 1), 1e9))
}

/// One batch per epoch, or two.
fn clock(script: &[f64], batch_size: usize, callbacks: Vec<AnyCallback>) -> Run<f64> {
    part::register::<Metrics, Scripted>().unwrap();
    let plan = Plan {
        network: Sequential::new().add(Dense::new(1)),
        loss: MeanAbsoluteError.into(),
        optimizer: Sgd::new(1.0).into(),
        metrics: vec![Scripted { script: script.into() }.into()],
        batch_size,
        shuffle: true,
        seed: 7,
        callbacks,
    };
    Run::new(plan, 1).unwrap()
}

fn advance(run: &mut Run<f64>, until: Until) -> Result<(), Error> {
    let (x, y) = rows();
    let all = Rows::new(x.view(), y.view())?;
    let data = Data { training: all.select(vec![0, 1, 2, 3])?, validation: Some(all.select(vec![4, 5])?) };
    run.advance(&data, until).map(|_| ())
}

/// Runs the clock over its script, an update per epoch.
fn play(script: &[f64], callbacks: impl IntoIterator<Item = AnyCallback>) -> Result<Run<f64>, Error> {
    let mut run = clock(script, 4, callbacks.into_iter().collect());
    advance(&mut run, Until::epochs(script.len()))?;
    Ok(run)
}

/// The update after which the weights of a run's result were made.
fn time(run: &Run<f64>) -> f64 {
    run.result().predict(array![[0.0]].view()).unwrap()[[0, 0]]
}

fn files(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeSet::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Every member with settings that are not its defaults, writing into a folder.
fn samples(folder: &Path) -> Vec<AnyCallback> {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let mut samples: Vec<AnyCallback> = vec![
        EarlyStopping::on(MONITOR)
            .patience(3)
            .min_delta(0.01)
            .baseline(0.8)
            .start_from_epoch(1)
            .restore_best_weights()
            .into(),
        AdaptiveLearningRate::on(MONITOR)
            .patience(2)
            .tolerance(0.01)
            .divisor(4.0)
            .min_learning_rate(0.1)
            .into(),
        TimeBudget::seconds(1e6).into(),
        UpdateBudget::updates(9).into(),
        TerminateOnNan.into(),
        ModelCheckpoint::to(path("{epoch:02}-{val_scripted:.3}.mlp"))
            .every(2)
            .save_best_only(MONITOR)
            .keep_last(2)
            .into(),
        ModelCheckpoint::to(path("{step}.mlp"))
            .every_batches(3)
            .best_among(BestAmong::AllSeen)
            .weights_only()
            .into(),
        Backup::to(path("backup")).every_batches(3).into(),
        ReduceLrOnPlateau::on(MONITOR)
            .factor(0.5)
            .patience(1)
            .cooldown(1)
            .min_learning_rate(0.1)
            .min_delta(0.0)
            .into(),
        LearningRateSchedule::table([(2, 0.5), (4, 0.25)]).into(),
        CsvLogger::to(path("log.csv")).separator(';').into(),
        BatchLog { every: 2 }.into(),
        Verbose { every: 100 }.into(),
    ];
    #[cfg(feature = "tensorboard")]
    samples.push(TensorBoard::to(path("logs")).update_freq(2).histogram_freq(2).write_gradients().into());
    #[cfg(feature = "progress")]
    samples.push(ProgressBar::new().into());
    samples
}

/// Improves, stalls, is NaN once, improves again.
const SCRIPT: [f64; 12] = [0.9, 0.7, 0.8, -1.0, 0.75, 0.6, 0.65, 0.5, 0.55, 0.58, 0.52, 0.51];

#[test]
fn every_member_has_a_sample() {
    let folder = tempfile::tempdir().unwrap();
    let sampled: BTreeSet<&str> = samples(folder.path()).iter().map(AnyCallback::name).collect();
    assert_eq!(sampled, Callbacks::members().iter().map(part::Member::name).collect());
}

#[test]
fn settings_go_through_json_and_a_name_stands_for_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    for callback in samples(folder.path()) {
        callback.check().unwrap();
        let text = serde_json::to_string(&callback).unwrap();
        assert_eq!(serde_json::from_str::<AnyCallback>(&text).unwrap(), callback, "{text}");
        assert_eq!(callback.name().parse::<AnyCallback>().unwrap().name(), callback.name());
        let unknown = AnyCallback::build(callback.name(), serde_json::json!({"no_such_setting": 1}));
        assert!(matches!(unknown, Err(Error::PartSettings { .. })), "{}", callback.name());
    }
}

#[test]
fn a_run_saved_in_the_middle_ends_with_the_bytes_of_the_straight_one() {
    let folder = tempfile::tempdir().unwrap();
    let all = samples(folder.path());
    let mut lists: Vec<Vec<AnyCallback>> = all.iter().map(|callback| vec![callback.clone()]).collect();
    lists.push(all.clone());
    lists.push(all.into_iter().rev().collect());
    for callbacks in lists {
        let until = Until::epochs(6);
        let mut straight = clock(&SCRIPT, 2, callbacks.clone());
        advance(&mut straight, until).unwrap();
        let straight = straight.to_bytes().unwrap();
        for pause in [0, 1, 2, 3, 6, 7, 11] {
            let mut run = clock(&SCRIPT, 2, callbacks.clone());
            advance(&mut run, until.steps(pause)).unwrap();
            let mut run = Run::from_bytes(&run.to_bytes().unwrap()).unwrap();
            advance(&mut run, until).unwrap();
            assert!(run.to_bytes().unwrap() == straight, "{callbacks:?}, paused after {pause}");
        }
        // At every update.
        let mut run = clock(&SCRIPT, 2, callbacks.clone());
        for step in 0..=12 {
            advance(&mut run, until.steps(step)).unwrap();
            run = Run::from_bytes(&run.to_bytes().unwrap()).unwrap();
        }
        advance(&mut run, until).unwrap();
        assert!(run.to_bytes().unwrap() == straight, "{callbacks:?}, paused everywhere");
    }
}

#[test]
fn fits_at_once_equal_fits_in_a_row() {
    let folder = tempfile::tempdir().unwrap();
    part::register::<Metrics, Scripted>().unwrap();
    let (x, y) = rows();
    let dataset = linfa::Dataset::new(x, y);
    for callback in samples(folder.path()) {
        let params = MlpRegressor::params()
            .hidden_layer_sizes([])
            .alpha(0.0)
            .loss(MeanAbsoluteError)
            .optimizer(Sgd::new(1.0))
            .metric(Scripted { script: SCRIPT.into() })
            .batch_size(2)
            .epochs(6)
            .validation_split(0.3)
            .callback(callback.clone());
        let fit =
            || linfa::traits::Fit::fit(&linfa::ParamGuard::check(params.clone()).unwrap(), &dataset).unwrap();
        let first = fit().to_bytes().unwrap();
        assert!(fit().to_bytes().unwrap() == first, "{callback:?}: the second fit is not fresh");
        let at_once: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let fits: Vec<_> = (0..8).map(|_| scope.spawn(|| fit().to_bytes().unwrap())).collect();
            fits.into_iter().map(|fit| fit.join().unwrap()).collect()
        });
        assert!(at_once.iter().all(|bytes| *bytes == first), "{callback:?}");
    }
}

#[test]
fn early_stopping_keeps_the_weights_of_the_best_epoch() {
    let stopper = || EarlyStopping::on(MONITOR).restore_best_weights();
    // Losses, the stopper, epochs made, the epoch whose weights are kept; all counted from 1.
    let table: [(&[f64], EarlyStopping, usize, f64); 9] = [
        (&[0.2, 0.15, 0.1, 0.11, 0.12, 0.0], stopper().patience(2), 5, 3.0),
        (&[0.2, 0.15, 0.1, 0.11, 0.05, 0.06, 0.07], stopper().patience(2), 7, 5.0),
        (&[0.2, 0.15, 0.16, 0.0], stopper(), 3, 2.0),
        (&[-1.0, 0.5, 0.6, 0.7], stopper().patience(2), 4, 2.0),
        (&[-1.0, -1.0, -1.0, 0.1], stopper().patience(3), 3, 3.0),
        (&[0.5, 0.495, 0.49, 0.3], stopper().patience(2).min_delta(0.1), 3, 1.0),
        (&[0.1, 0.5, 0.4, 0.45, 0.46], stopper().patience(2).start_from_epoch(1), 5, 3.0),
        (&[0.9, 0.8, 0.7, 0.6], stopper().patience(2).baseline(0.5), 2, 2.0),
        // Whoever ends the run: here its epochs are done.
        (&[0.2, 0.1, 0.3], stopper().patience(5), 3, 2.0),
    ];
    for (losses, stopper, epochs, kept) in table {
        let run = play(losses, [stopper.clone().into()]).unwrap();
        assert_eq!((run.epochs(), time(&run)), (epochs, kept), "{losses:?} {stopper:?}");
        let last = run.network().predict(array![[0.0]].view()).unwrap()[[0, 0]];
        assert_eq!(last as usize, epochs);
    }
}

#[test]
fn a_monitor_that_is_missing_is_an_error_before_training() {
    let monitors: Vec<Monitor> = vec!["val_acuracy".into(), Val(Accuracy).into(), Accuracy.into()];
    for monitor in monitors {
        let callbacks: [AnyCallback; 3] = [
            EarlyStopping::on(monitor.clone()).into(),
            ReduceLrOnPlateau::on(monitor.clone()).into(),
            ModelCheckpoint::to("never").save_best_only(monitor.clone()).into(),
        ];
        for callback in callbacks {
            let mut run = clock(&SCRIPT, 4, vec![callback]);
            let error = advance(&mut run, Until::epochs(3)).unwrap_err();
            assert!(
                matches!(&error, Error::Parameter { allowed, .. } if allowed.contains("val_scripted")),
                "{error}"
            );
            assert_eq!(run.steps(), 0);
        }
    }
}

#[test]
fn checkpoints_write_exactly_these_files() {
    let to = |path: &str| ModelCheckpoint::to(path);
    let doc = [0.5, 0.6, 0.3, 0.55, 0.4, 0.2];
    let best = || to("{epoch}").every(2).save_best_only(MONITOR);
    let table: Vec<(ModelCheckpoint, &[f64], &[&str])> = vec![
        (to("{epoch:02}"), &[0.3, 0.2, 0.1], &["01", "02", "03"]),
        (to("{epoch}").every(2), &doc, &["2", "4", "6"]),
        (to("{epoch}").every(7), &doc, &[]),
        // Exercise 14: every second epoch, the best among those saved.
        (best(), &doc, &["2", "4", "6"]),
        (best().best_among(BestAmong::AllSeen), &doc, &["6"]),
        (best(), &[0.9, 0.5, 0.1, 0.6, 0.1, 0.5, 0.1, 0.4], &["2", "8"]),
        (best().best_among(BestAmong::AllSeen), &[0.9, 0.5, 0.1, 0.6, 0.1, 0.5, 0.1, 0.4], &["2"]),
        (best().every(1), &[0.5, 0.6, 0.3, 0.3, 0.29], &["1", "3", "5"]),
        (best().every(1).best_among(BestAmong::AllSeen), &[0.5, 0.6, 0.3, 0.3, 0.29], &["1", "3", "5"]),
        (best().every(1), &[-1.0, 0.5, -1.0, 0.4], &["2", "4"]),
        (best().every(1).initial_threshold(0.45), &[0.5, 0.4, 0.45], &["2"]),
        (best().initial_threshold(0.1), &doc, &[]),
        (best().keep_last(1), &doc, &["6"]),
        (to("{epoch}").keep_last(2), &[0.3, 0.2, 0.1, 0.4, 0.5], &["4", "5"]),
        (to("only").save_best_only(MONITOR), &[0.3, 0.2, 0.4], &["only"]),
        (to("{step}-{val_scripted:.2}"), &[0.3, 0.2], &["1-0.30", "2-0.20"]),
        (to("{epoch}-{loss:.0}").weights_only(), &[0.3], &["1-1000000000"]),
        (to("{step}").every_batches(2), &[0.3, 0.2, 0.1, 0.5], &["2", "4"]),
        (to("{epoch:03}-{batch}").every_batches(3).keep_last(1), &[0.3, 0.2, 0.1, 0.5], &["003-1"]),
        (to("{step}").every_batches(1).save_best_only("loss"), &[0.3, 0.2, 0.1], &["1", "2", "3"]),
    ];
    for (checkpoint, losses, expected) in table {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("not/yet/there");
        let mut settings = serde_json::to_value(&checkpoint).unwrap();
        settings["path"] = format!("{}/{}", runs.display(), settings["path"].as_str().unwrap()).into();
        play(losses, [AnyCallback::build("model_checkpoint", settings).unwrap()]).unwrap();
        assert_eq!(files(&runs), names(expected), "{checkpoint:?} {losses:?}");
    }
}

#[test]
fn a_checkpoint_that_cannot_work_is_refused_before_training() {
    let refused = [
        ModelCheckpoint::to(""),
        ModelCheckpoint::to("runs/"),
        ModelCheckpoint::to("{epoch"),
        ModelCheckpoint::to("{epoch:.2}"),
        ModelCheckpoint::to("{epoch}").every(0),
        ModelCheckpoint::to("{step}").every_batches(0),
        ModelCheckpoint::to("{epoch}").keep_last(0),
        ModelCheckpoint::to("best").keep_last(2),
        // Two epochs of one value, two batches of one epoch: a file would be lost by chance.
        ModelCheckpoint::to("{val_loss:.1}"),
        ModelCheckpoint::to("{epoch}").every_batches(2),
        ModelCheckpoint::to("{epoch}").initial_threshold(f64::NAN).save_best_only(ValLoss),
        ModelCheckpoint::to("{epoch}").initial_threshold(1.0),
    ];
    for checkpoint in refused {
        assert!(matches!(checkpoint.check(), Err(Error::Parameter { .. })), "{checkpoint:?}");
    }
    // These are seen when the run's values are known.
    let unknown = [
        ModelCheckpoint::to("{epoch}-{val_acc}"),
        ModelCheckpoint::to("{step}-{val_loss}").every_batches(1),
        ModelCheckpoint::to("{step}").every_batches(1).save_best_only(ValLoss),
    ];
    for checkpoint in unknown {
        let mut run = clock(&SCRIPT, 4, vec![checkpoint.clone().into()]);
        let error = advance(&mut run, Until::epochs(2)).unwrap_err();
        assert!(matches!(error, Error::Parameter { .. }), "{checkpoint:?}: {error}");
        assert_eq!(run.steps(), 0);
    }
}

#[test]
fn training_goes_on_from_any_checkpoint_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = format!("{}/{{step}}.mlp", folder.path().display());
    let watchers = |every_batch: bool| -> Vec<AnyCallback> {
        let checkpoint = ModelCheckpoint::to(&path).keep_last(100);
        vec![
            if every_batch { checkpoint.every_batches(1) } else { checkpoint }.into(),
            EarlyStopping::on(MONITOR).patience(4).restore_best_weights().into(),
            ReduceLrOnPlateau::on(MONITOR).patience(1).factor(0.5).into(),
            // Stops in the middle of an epoch.
            UpdateBudget::updates(if every_batch { 9 } else { 1000 }).into(),
        ]
    };
    for every_batch in [false, true] {
        for epochs in [6, 12] {
            let mut straight = clock(&SCRIPT, 2, watchers(every_batch));
            advance(&mut straight, Until::epochs(epochs)).unwrap();
            let straight = straight.to_bytes().unwrap();
            // With 12 epochs the run is stopped early: its last files say so.
            assert!(files(folder.path()).len() >= 4, "{epochs} epochs: {:?}", files(folder.path()));
            for file in fs::read_dir(folder.path()).unwrap() {
                let path = file.unwrap().path();
                let mut run = Run::from_bytes(&fs::read(&path).unwrap()).unwrap();
                let mut model: Model<f64> = Model::load(&path).unwrap();
                assert!(model.run().to_bytes().unwrap() == run.to_bytes().unwrap());
                fs::remove_file(&path).unwrap();
                advance(&mut run, Until::epochs(epochs)).unwrap();
                assert!(run.to_bytes().unwrap() == straight, "{path:?}");
                model.set_tensor("dense_1/bias", array![[0.5]].view()).unwrap();
            }
            fs::read_dir(folder.path())
                .unwrap()
                .for_each(|file| fs::remove_file(file.unwrap().path()).unwrap());
        }
    }
}

#[test]
fn estimators_are_made_from_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.mlp");
    let checkpoint = ModelCheckpoint::to(path.to_str().unwrap()).weights_only();
    let run = play(&SCRIPT[..3], [checkpoint.into()]).unwrap();
    let loaded = Run::from_bytes(&fs::read(&path).unwrap()).unwrap();
    assert_eq!((loaded.steps(), loaded.history().len(), time(&loaded)), (0, 0, time(&run)));
    let regressor: MlpRegressor<f64> = MlpRegressor::from_run(loaded).unwrap();
    assert_eq!(regressor.try_predict(&array![[0.0]]).unwrap(), array![3.0]);
}

/// A folder whose place is taken by a file: nothing can be written below it, as on a full disk.
fn blocked(folder: &Path) -> PathBuf {
    let file = folder.join("file");
    fs::write(&file, "in the way").unwrap();
    file
}

#[test]
fn what_cannot_be_written_is_an_error_that_leaves_the_run_usable() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = blocked(folder.path());
    let to = |name: &str| blocked.join(name).to_str().unwrap().to_owned();
    let mut callbacks: Vec<AnyCallback> = vec![
        ModelCheckpoint::to(to("a")).save_best_only(MONITOR).into(),
        CsvLogger::to(to("b")).into(),
        Backup::to(to("c")).into(),
    ];
    #[cfg(feature = "tensorboard")]
    callbacks.push(TensorBoard::to(to("d")).into());
    for callback in callbacks {
        let mut run = clock(&SCRIPT, 4, vec![callback.clone()]);
        let error = advance(&mut run, Until::epochs(2)).unwrap_err();
        assert!(
            matches!(&error, Error::Callback { source, .. } if matches!(**source, Error::File { .. })),
            "{error}"
        );
        let again = Run::<f64>::from_bytes(&run.to_bytes().unwrap()).unwrap();
        assert_eq!(again.steps(), run.steps());
    }
    // A checkpoint that was not written is not the best one: once there is room, the same loss is saved.
    let path = to("x");
    let mut run = clock(&[0.1, 0.2, 0.3], 4, vec![ModelCheckpoint::to(&path).save_best_only(MONITOR).into()]);
    advance(&mut run, Until::epochs(3)).unwrap_err();
    assert_eq!(run.epochs(), 1);
    fs::remove_file(&blocked).unwrap();
    advance(&mut run, Until::epochs(3)).unwrap();
    assert_eq!(Run::<f64>::from_bytes(&fs::read(&path).unwrap()).unwrap().epochs(), 2);
}

#[test]
fn a_csv_file_has_one_header_and_every_epoch_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sub/log.csv");
    let log = CsvLogger::to(&path).append();
    let stop = EarlyStopping::on(MONITOR).patience(1);
    play(&[0.5, 0.4, 0.45, 0.1], [log.clone().into(), stop.into()]).unwrap();
    let header = "epoch,loss,scripted,val_loss,val_scripted,learning_rate\n";
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(header), "{text}");
    let first = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split(',').next().unwrap().to_owned()).collect()
    };
    assert_eq!(first(&text), ["epoch", "1", "2", "3"]);
    assert!(text.lines().nth(2).unwrap().ends_with(",0.4,1"), "{text}");

    play(&[0.5, 0.4], [log.clone().into()]).unwrap();
    assert_eq!(first(&fs::read_to_string(&path).unwrap()), ["epoch", "1", "2", "3", "1", "2"]);
    play(&[0.5], [CsvLogger::to(&path).into()]).unwrap();
    assert_eq!(first(&fs::read_to_string(&path).unwrap()), ["epoch", "1"]);

    // A run is saved after 2 epochs and goes on to 4; what is saved then goes on again, and repeats 3 and 4.
    for log in [CsvLogger::to(&path), log] {
        let mut run = clock(&SCRIPT, 4, vec![log.into()]);
        advance(&mut run, Until::epochs(2)).unwrap();
        let saved = run.to_bytes().unwrap();
        advance(&mut run, Until::epochs(4)).unwrap();
        let straight = fs::read_to_string(&path).unwrap();
        let mut again = Run::from_bytes(&saved).unwrap();
        advance(&mut again, Until::epochs(4)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), straight);
    }
}

/// Ends the fit with an error after that epoch.
fn crash_in(epoch: usize) -> AnyCallback {
    let crash = move |view: &mut View<'_>| match view.epoch() == epoch {
        true => Err(Error::NoRows { array: "power" }),
        false => Ok(()),
    };
    OnEpochEnd::new(crash).into()
}

#[test]
fn a_fit_goes_on_from_its_backup_and_from_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let backup = || AnyCallback::from(Backup::to(folder.path().join("backup")));
    let begin = |crash: usize| clock(&SCRIPT, 2, vec![crash_in(crash), backup()]);
    let mut straight = begin(0);
    advance(&mut straight, Until::epochs(6)).unwrap();
    assert_eq!(files(&folder.path().join("backup")), names(&[]));

    let mut crashed = begin(5);
    assert!(matches!(advance(&mut crashed, Until::epochs(6)), Err(Error::Callback { epoch: 5, .. })));
    assert_eq!(files(&folder.path().join("backup")).len(), 2);

    // Other data, another plan: these begin at their beginning, and leave the backup alone.
    let mut other = begin(0);
    let (x, y) = (array![[1.0], [2.0]], array![[1.0], [2.0]]);
    let data = Data { training: Rows::new(x.view(), y.view()).unwrap(), validation: None };
    other.advance(&data, Until::epochs(2)).unwrap();
    assert_eq!(other.epochs(), 2);
    let mut other = clock(&SCRIPT, 4, vec![crash_in(0), backup()]);
    advance(&mut other, Until::epochs(2)).unwrap();
    assert_eq!((other.epochs(), files(&folder.path().join("backup")).len()), (2, 2));

    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let watch = OnEpochEnd::new(move |view: &mut View<'_>| {
        tell.lock().unwrap().push(view.epoch());
        Ok(())
    });
    let mut again = clock(&SCRIPT, 2, vec![watch.into(), backup()]);
    advance(&mut again, Until::epochs(6)).unwrap();
    assert_eq!(*told.lock().unwrap(), [5, 6]);
    assert!(again.to_bytes().unwrap() == straight.to_bytes().unwrap());
    assert_eq!(files(&folder.path().join("backup")), names(&[]));
}

#[test]
fn a_damaged_backup_gives_way_to_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let begin = |crash: usize| {
        clock(&SCRIPT, 2, vec![crash_in(crash), Backup::to(folder.path().join("backup")).into()])
    };
    let mut straight = begin(0);
    advance(&mut straight, Until::epochs(6)).unwrap();
    let spoils: [fn(Vec<u8>) -> Vec<u8>; 3] = [
        |bytes| bytes[..bytes.len() / 2].to_vec(),
        |mut bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            bytes
        },
        |_| Vec::new(),
    ];
    for spoil in spoils {
        for damaged in 0..2 {
            advance(&mut begin(5), Until::epochs(6)).unwrap_err();
            let kept: Vec<PathBuf> = fs::read_dir(folder.path().join("backup"))
                .unwrap()
                .map(|file| file.unwrap().path())
                .collect();
            fs::write(&kept[damaged], spoil(fs::read(&kept[damaged]).unwrap())).unwrap();
            let mut again = begin(0);
            advance(&mut again, Until::epochs(6)).unwrap();
            assert!(again.to_bytes().unwrap() == straight.to_bytes().unwrap());

            // Both damaged: nothing begins anew without a word.
            advance(&mut begin(5), Until::epochs(6)).unwrap_err();
            for path in &kept {
                fs::write(path, spoil(fs::read(path).unwrap())).unwrap();
            }
            let error = advance(&mut begin(0), Until::epochs(6)).unwrap_err();
            assert!(matches!(error, Error::Callback { .. }), "{error}");
            fs::remove_dir_all(folder.path().join("backup")).unwrap();
        }
    }
}

/// Ends the fit with an error when training ends.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct PowerCut {
    cut: bool,
}

impl Configured for PowerCut {
    const NAME: &'static str = "power_cut";
}

impl Callback for PowerCut {
    fn on_train_end(&mut self, _: &mut View<'_>) -> Result<(), Error> {
        if self.cut { Err(Error::NoRows { array: "power" }) } else { Ok(()) }
    }

    fn is_saved(&self) -> bool {
        false
    }
}

#[test]
fn a_backup_of_a_stopped_run_is_finished_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let begin = |cut: bool| {
        let stopper = EarlyStopping::on(MONITOR).patience(1);
        let callbacks = vec![PowerCut { cut }.into(), Backup::to(folder.path()).into(), stopper.into()];
        clock(&[0.1, 0.2, 0.3], 4, callbacks)
    };
    let mut straight = begin(false);
    advance(&mut straight, Until::epochs(3)).unwrap();
    assert_eq!(straight.epochs(), 2);
    advance(&mut begin(true), Until::epochs(3)).unwrap_err();
    assert_eq!(files(folder.path()).len(), 2);
    let mut again = begin(false);
    advance(&mut again, Until::epochs(3)).unwrap();
    assert!(again.to_bytes().unwrap() == straight.to_bytes().unwrap());
    assert_eq!(files(folder.path()), names(&[]));
}

/// Knows of bytes to go on from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Knows(Vec<u8>);

impl Configured for Knows {
    const NAME: &'static str = "knows";
}

impl Callback for Knows {
    fn resume(&mut self, _: &mut View<'_>) -> Result<Vec<Vec<u8>>, Error> {
        Ok(vec![self.0.clone()])
    }

    fn is_saved(&self) -> bool {
        false
    }
}

#[test]
fn a_run_to_go_on_from_must_be_whole_and_of_the_same_plan() {
    let mut run = clock(&SCRIPT, 2, vec![]);
    advance(&mut run, Until::epochs(3)).unwrap();
    let bytes = run.to_bytes().unwrap();
    let mut same = clock(&SCRIPT, 2, vec![Knows(bytes.clone()).into()]);
    advance(&mut same, Until::epochs(3)).unwrap();
    assert!(same.to_bytes().unwrap() == bytes);
    let cut = bytes[..bytes.len() - 1].to_vec();
    for (batch_size, bytes) in [(4, bytes), (2, cut)] {
        let mut other = clock(&SCRIPT, batch_size, vec![Knows(bytes).into()]);
        let error = advance(&mut other, Until::epochs(3)).unwrap_err();
        assert!(
            matches!(&error, Error::Callback { source, .. } if matches!(**source, Error::Format { .. })),
            "{error}"
        );
        assert_eq!(other.steps(), 0);
    }
}

#[test]
fn the_learning_rate_falls_on_a_plateau_and_the_history_shows_it() {
    let plateau = || ReduceLrOnPlateau::on(MONITOR).factor(0.5).min_delta(0.0);
    let rates = |callback: AnyCallback, script: &[f64]| {
        let mut run = clock(script, 4, vec![callback]);
        // The clock's time is the sum of the rates: scripts are constant where rates change.
        advance(&mut run, Until::epochs(script.len())).unwrap();
        run.history()["learning_rate"].to_vec()
    };
    let flat = [0.5; 8];
    assert_eq!(rates(plateau().patience(2).into(), &flat), [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.125]);
    assert_eq!(
        rates(plateau().patience(1).min_learning_rate(0.3).into(), &flat)[..5],
        [1.0, 1.0, 0.5, 0.3, 0.3]
    );
    assert_eq!(rates(plateau().patience(1).cooldown(2).into(), &flat)[..6], [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]);
    assert_eq!(
        rates(LearningRateSchedule::table([(2, 0.1), (4, 0.7)]).into(), &flat)[..4],
        [1.0, 0.1, 0.1, 0.7]
    );
    let halved = LearningRateSchedule::by(|epoch, rate| if epoch < 3 { rate } else { rate / 2.0 });
    assert_eq!(rates(halved.into(), &flat)[..5], [1.0, 1.0, 0.5, 0.25, 0.125]);
    assert!(LearningRateSchedule::table([(0, 0.1)]).check().is_err());
    assert!(LearningRateSchedule::table([(2, 0.1), (2, 0.1)]).check().is_err());
    assert!(LearningRateSchedule::table([(2, 0.0)]).check().is_err());
}

#[test]
fn budgets_stop_a_run_with_a_reason() {
    let mut run = clock(&SCRIPT, 1, vec![UpdateBudget::updates(6).into()]);
    advance(&mut run, Until::epochs(12)).unwrap();
    assert_eq!((run.steps(), run.epochs()), (6, 2));
    assert_eq!(run.history().stop_reason().unwrap().to_string(), "update_budget: 6 updates are made");
    let run = play(&SCRIPT, [TimeBudget::seconds(0.0).into()]).unwrap();
    assert_eq!(run.steps(), 1);
}

#[test]
fn each_moment_has_its_values() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let (epochs, batches) = (Arc::clone(&told), Arc::clone(&told));
    let keys = |view: &View<'_>| view.values().map(|(name, _)| name.to_owned()).collect::<Vec<_>>().join(" ");
    let at_epoch = OnEpochEnd::new(move |view: &mut View<'_>| {
        epochs.lock().unwrap().push(format!("epoch {}: {}", view.epoch(), keys(view)));
        Ok(())
    });
    let at_batch = OnBatchEnd::new(move |view: &mut View<'_>| {
        batches.lock().unwrap().push(format!("batch {} of {}: {}", view.batch(), view.batches(), keys(view)));
        Ok(())
    });
    let mut run = clock(&SCRIPT, 2, vec![at_epoch.into(), at_batch.into(), BatchLog { every: 1 }.into()]);
    advance(&mut run, Until::epochs(1)).unwrap();
    let batch = "loss scripted";
    let epoch = "loss scripted val_loss val_scripted learning_rate";
    let expected =
        [format!("batch 1 of 2: {batch}"), format!("batch 2 of 2: {batch}"), format!("epoch 1: {epoch}")];
    assert_eq!(*told.lock().unwrap(), expected);
    let rows = run.history().batches();
    assert_eq!(
        (rows.names().join(" ").as_str(), rows.steps(), rows.epochs()),
        (batch, &[1, 2][..], &[1, 1][..])
    );
}

#[test]
fn closures_are_left_out_of_what_is_saved() {
    let callbacks = vec![crash_in(99), UpdateBudget::updates(50).into()];
    let mut run = clock(&SCRIPT, 4, callbacks.clone());
    advance(&mut run, Until::epochs(1)).unwrap();
    let loaded = Run::<f64>::from_bytes(&run.to_bytes().unwrap()).unwrap();
    let names: Vec<&str> = loaded.plan().callbacks.iter().map(AnyCallback::name).collect();
    assert_eq!(names, ["update_budget"]);
    let params =
        callbacks.into_iter().fold(MlpRegressor::params(), |params, callback| params.callback(callback));
    let text = serde_json::to_string(&params).unwrap();
    assert!(!text.contains("on_epoch_end") && text.contains("update_budget"), "{text}");
    assert!("on_epoch_end".parse::<AnyCallback>().is_err());
}

#[test]
fn a_fit_that_diverges_leaves_its_last_finite_weights() {
    let x = Array2::from_shape_fn((32, 3), |(row, column)| (row + column) as f32);
    let dataset = linfa::Dataset::new(x.clone(), x.column(0).to_owned());
    for rate in [1.0, 1e10, 1e30] {
        let optimizers: [linfa_mlp::optimizer::AnyOptimizer; 3] =
            [Sgd::new(rate).into(), RmsProp::new(rate).into(), Adam::new(rate).into()];
        for optimizer in optimizers {
            let params = MlpRegressor::params().optimizer(optimizer.clone()).batch_size(4).epochs(20);
            let (model, outcome) = params.fit_with_outcome(&dataset).unwrap();
            match outcome {
                Err(Error::Diverged { .. }) => {
                    let finite =
                        |values: ndarray::ArrayView2<'_, f32>| values.iter().all(|value| value.is_finite());
                    assert!(model.network().tensors().all(|(_, values)| finite(values)), "{optimizer}");
                    MlpRegressor::<f32>::from_bytes(&model.to_bytes().unwrap()).unwrap();
                }
                outcome => assert!(matches!(outcome, Ok(StopReason::Completed))),
            }
        }
    }
}

#[cfg(feature = "tensorboard")]
#[test]
fn tensorboard_has_keras_layout() {
    use linfa_mlp::tensorboard::Events;

    let folder = tempfile::tempdir().unwrap();
    let board = TensorBoard::to(folder.path());
    let tags = |run: &str| -> Vec<String> {
        let mut tags = Vec::new();
        for file in files(&folder.path().join(run)) {
            for event in Events::open(&folder.path().join(run).join(file)).unwrap() {
                let event = event.unwrap();
                tags.push(format!("{}@{}", event.summary.tag(), event.step));
            }
        }
        tags
    };
    play(&[0.5, 0.4], [board.clone().into()]).unwrap();
    assert_eq!(files(folder.path()), names(&["train", "validation"]));
    let epoch = |epoch: usize| {
        ["epoch_loss", "epoch_scripted", "epoch_learning_rate"].map(|t| format!("{t}@{epoch}"))
    };
    let texts = ["model@0", "settings@0"].map(String::from);
    assert_eq!(tags("train"), [&texts[..], &epoch(0), &epoch(1)].concat());
    // The clock makes an update per epoch.
    let validation = |epoch: usize| {
        let epochs = ["epoch_loss", "epoch_scripted"].map(|tag| format!("{tag}@{epoch}"));
        let updates = epoch + 1;
        let evaluations =
            ["loss", "scripted"].map(|name| format!("evaluation_{name}_vs_iterations@{updates}"));
        [epochs, evaluations].concat()
    };
    assert_eq!(tags("validation"), [validation(0), validation(1)].concat());

    // A second fit into the same directory, within the same second; it is told of batches and weights.
    let more = board.update_freq(2).histogram_freq(2).write_gradients();
    let mut run = clock(&SCRIPT, 2, vec![more.into()]);
    advance(&mut run, Until::epochs(2)).unwrap();
    assert_eq!(files(&folder.path().join("train")).len(), 2);
    let all = tags("train");
    for tag in ["batch_loss@1", "batch_scripted@3", "dense_1/kernel/histogram@1", "dense_1/bias/gradient@1"] {
        assert_eq!(all.iter().filter(|other| *other == tag).count(), 1, "{tag} in {all:?}");
    }
    assert!(!all.iter().any(|tag| tag.ends_with("histogram@0") || tag == "batch_loss@0"), "{all:?}");
}

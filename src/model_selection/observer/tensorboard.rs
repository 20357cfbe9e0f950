//! A search as TensorBoard's HParams table.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::{Progress, SearchObserver, SearchPlan, Task};
use crate::error::{Error, Result};
use crate::model_selection::results::{FitRow, ParamValue, Params};
use crate::tensorboard::hparams::{Experiment, HParam, HParamKind, HParamValue, Metric, Status, session_end};
use crate::tensorboard::{EventWriter, Summary};

/// Writes a search as TensorBoard's HParams table, while it runs: a row for each candidate, in which TensorBoard shows the
/// mean over the folds, and the curves of each fit.
///
/// ```text
/// root/                     the columns: parameters, and test_… for each scorer
/// root/c000/fold0/          the session of candidate 0 in fold 0: its parameters, test_…, fit_seconds, how it ended
/// root/c000/fold0/train/        epoch_loss and so on, for estimators that report a curve
/// root/c000/fold0/validation/   the same of the validation rows
/// ```
///
/// A fit appears when it starts, grows by the loss of each epoch that the estimator reports, and has its other values when it is
/// over. One that a [journal](crate::model_selection::Journal) has restored appears at once. Replicates are sessions of their own
/// (`fold0-replicate1`); the rungs of a fit that goes on are points of one curve. The columns are written once, before the first fit: of
/// a search that learns they are what its space may bring, and a parameter that one candidate in thousands has may lack one.
///
/// The directory is made before the first fit, and a search whose directory cannot be made ends with the error. What cannot be
/// written later does not stop a search: [`problem`](SearchTensorBoard::problem) tells.
///
/// # Examples
///
/// ```
/// use linfa::traits::Fit;
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{GridSearch, KFold};
///
/// # let runs = tempfile::tempdir().map_err(|_| linfa_mlp::Error::NoRows { array: "" })?;
/// # let root = runs.path().join("diabetes");
/// GridSearch::new(ElasticNet::params())
///     .axis("penalty", [0.01, 0.1], |p, v| p.penalty(v))
///     .cv(KFold::new(3))
///     .tensorboard(&root)
///     .fit(&linfa_datasets::diabetes())?;
/// assert!(root.join("c001/fold2").is_dir());
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Debug)]
pub struct SearchTensorBoard {
    root: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    experiment: Experiment,
    columns: Vec<String>,
    candidates: Vec<Params>,
    scorers: Vec<String>,
    sessions: BTreeMap<(usize, usize, usize), Session>,
    problem: Option<(PathBuf, io::Error)>,
}

/// The files of one fit.
#[derive(Debug)]
struct Session {
    folder: PathBuf,
    /// Epochs of the curve that are written.
    epochs: usize,
    /// Epochs of those whose loss is written, which are more while the fit runs.
    losses: usize,
    /// Where losses go while the fit runs.
    train: Option<EventWriter>,
}

impl SearchTensorBoard {
    /// Into this directory, which TensorBoard calls the log directory.
    #[must_use]
    pub fn to(root: impl AsRef<Path>) -> Self {
        SearchTensorBoard { root: root.as_ref().into(), state: Mutex::default() }
    }

    /// The first file that could not be written, and why.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.with(|state| state.problem.as_ref().map(|(path, error)| format!("{}: {error}", path.display())))
    }

    fn with<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes, and remembers the first problem.
    fn write(
        &self,
        state: &mut State,
        write: impl FnOnce(&Self, &mut State) -> Result<(), (PathBuf, io::Error)>,
    ) {
        if let Err(problem) = write(self, state) {
            state.problem.get_or_insert(problem);
        }
    }

    /// Starts the session of a fit, unless an earlier rung did.
    fn start(&self, state: &mut State, task: (usize, usize, usize)) -> Result<(), (PathBuf, io::Error)> {
        if state.sessions.contains_key(&task) {
            return Ok(());
        }
        let (candidate, fold, replicate) = task;
        let group = group(candidate);
        let name =
            if replicate == 0 { format!("fold{fold}") } else { format!("fold{fold}-replicate{replicate}") };
        let folder = self.root.join(&group).join(name);
        let known = state.columns.as_slice();
        let values = state.candidates.get(candidate).into_iter().flat_map(Params::iter);
        let values = values.filter(|(name, _)| known.iter().any(|column| column == name));
        let values: Vec<_> = values.map(|(name, value)| (name, hparam(value))).collect();
        let start = state.experiment.session_start(&group, now(), values);
        // A value of another kind than the column's, which only a search that learns can come upon.
        let start = start.or_else(|_| state.experiment.session_start::<&str>(&group, now(), []));
        let summary = start.map_err(|error| (folder.clone(), io::Error::other(error)))?;
        append(&folder, [(0, summary)])?;
        state.sessions.insert(task, Session { folder, epochs: 0, losses: 0, train: None });
        Ok(())
    }

    /// Writes the loss of an epoch, so that it can be seen while the fit runs.
    fn go_on(
        &self,
        state: &mut State,
        task: (usize, usize, usize),
        progress: Progress,
    ) -> Result<(), (PathBuf, io::Error)> {
        let Some(session) = state.sessions.get_mut(&task).filter(|session| progress.done > session.losses)
        else {
            return Ok(());
        };
        let folder = session.folder.join("train");
        let mut write = || {
            let writer = match &mut session.train {
                Some(writer) => writer,
                empty => empty.insert(EventWriter::create(&folder)?),
            };
            writer.write((progress.done - 1) as i64, now(), Summary::scalar("epoch_loss", progress.loss))?;
            writer.flush()
        };
        write().map_err(|error| (folder.clone(), error))?;
        session.losses = progress.done;
        Ok(())
    }

    /// Writes what a fit gave, and ends its session.
    fn finish(&self, state: &mut State, row: &FitRow) -> Result<(), (PathBuf, io::Error)> {
        let task = (row.candidate, row.fold, row.replicate);
        self.start(state, task)?;
        let Some(session) = state.sessions.get_mut(&task) else { return Ok(()) };
        if let Some(curve) = &row.curve {
            // A curve begins with the first epoch or goes on where the rung before stopped.
            let before = row.epochs.map_or(0, |epochs| epochs.saturating_sub(curve.epochs()));
            let new = session.epochs.saturating_sub(before);
            for (run, validation) in [("train", false), ("validation", true)] {
                let points = curve.iter().filter(|(name, _)| name.starts_with("val_") == validation);
                let points = points.flat_map(|(name, values)| {
                    let tag = format!("epoch_{}", name.strip_prefix("val_").unwrap_or(name));
                    let new =
                        if name == "loss" { session.losses.saturating_sub(before).max(new) } else { new };
                    let new = values.iter().enumerate().skip(new);
                    new.map(move |(epoch, value)| {
                        ((before + epoch) as i64, Summary::scalar(tag.clone(), *value))
                    })
                });
                let points: Vec<_> = points.collect();
                if !points.is_empty() {
                    append(&session.folder.join(run), points)?;
                }
            }
            session.epochs = before + curve.epochs();
            session.losses = session.losses.max(session.epochs);
        }
        session.train = None;
        let step = row.resource.map_or(0, |resource| i64::try_from(resource).unwrap_or(i64::MAX));
        let names = state.scorers.iter().map(|name| format!("test_{name}"));
        let scores = names.zip(&row.test_scores).filter(|(_, score)| score.is_finite());
        let mut points: Vec<_> = scores.map(|(tag, &score)| (step, Summary::scalar(tag, score))).collect();
        points.push((step, Summary::scalar("fit_seconds", row.fit_seconds)));
        let status = if row.status.is_failure() { Status::Failure } else { Status::Success };
        points.push((step, session_end(status, now())));
        append(&session.folder, points)
    }
}

/// Three digits at least, so that TensorBoard's order of names is that of the candidates.
fn group(candidate: usize) -> String {
    format!("c{candidate:03}")
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Writes an event file of its own: no file stays open between calls, however many fits run.
fn append(
    folder: &Path,
    points: impl IntoIterator<Item = (i64, Summary)>,
) -> Result<(), (PathBuf, io::Error)> {
    let written = EventWriter::create(folder).and_then(|mut writer| {
        points.into_iter().try_for_each(|(step, summary)| writer.write(step, now(), summary))?;
        writer.flush()
    });
    written.map_err(|error| (folder.into(), error))
}

/// TensorBoard knows numbers, texts and flags.
fn hparam(value: &ParamValue) -> HParamValue {
    match value.json() {
        Value::Bool(flag) => (*flag).into(),
        json => match json.as_f64() {
            Some(number) => number.into(),
            None => value.text().to_owned().into(),
        },
    }
}

/// A column: the values that were tried when there are few, else their range.
fn column(name: &str, values: Vec<HParamValue>, open: bool) -> HParam {
    let numbers: Option<Vec<f64>> = values
        .iter()
        .map(|value| if let HParamValue::Number(number) = value { Some(*number) } else { None })
        .collect();
    match numbers {
        Some(numbers) if open || numbers.len() > 16 => {
            let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
            let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            // What a search that learns will try is not known.
            if open { HParam::any(name, HParamKind::Number) } else { HParam::between(name, low, high) }
        }
        _ => HParam::one_of(name, values),
    }
}

impl SearchObserver for SearchTensorBoard {
    fn ready(&self) -> Result<()> {
        std::fs::create_dir_all(&self.root).map_err(|source| Error::File {
            action: "cannot make the directory",
            path: self.root.clone(),
            source,
        })
    }

    fn search_started(&self, plan: &SearchPlan) {
        self.with(|state| {
            *state = State {
                candidates: plan.candidates.clone(),
                scorers: plan.scorers.clone(),
                ..State::default()
            };
            let of_all = || plan.candidates.iter().chain(&plan.examples);
            for (name, _) in of_all().flat_map(Params::iter) {
                if !state.columns.iter().any(|column| column == name) {
                    state.columns.push(name.into());
                }
            }
            let open = !plan.examples.is_empty();
            let mut experiment = Experiment::new();
            for name in &state.columns {
                let mut values: Vec<HParamValue> = Vec::new();
                for value in of_all().filter_map(|params| params.get(name)).map(hparam) {
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
                experiment = experiment.hparam(column(name, values, open));
            }
            for name in &plan.scorers {
                experiment = experiment.metric(Metric::new(format!("test_{name}")).display_name(name));
            }
            state.experiment = experiment.metric(Metric::new("fit_seconds"));
            self.write(state, |this, state| append(&this.root, [(0, state.experiment.summary(now()))]));
        });
    }

    fn candidates_added(&self, first: usize, candidates: &[Params]) {
        self.with(|state| {
            state.candidates.truncate(first);
            state.candidates.extend_from_slice(candidates);
        });
    }

    fn fit_started(&self, task: Task) {
        let Some(fold) = task.fold else { return };
        self.with(|state| {
            self.write(state, |this, state| this.start(state, (task.candidate, fold, task.replicate)));
        });
    }

    fn fit_progress(&self, task: Task, progress: Progress) {
        let Some(fold) = task.fold else { return };
        let task = (task.candidate, fold, task.replicate);
        self.with(|state| self.write(state, |this, state| this.go_on(state, task, progress)));
    }

    fn fit_restored(&self, row: &FitRow) {
        self.fit_finished(row);
    }

    fn fit_finished(&self, row: &FitRow) {
        self.with(|state| self.write(state, |this, state| this.finish(state, row)));
    }
}

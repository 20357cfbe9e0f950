//! Files of the run, written while it trains.

use serde::{Deserialize, Serialize};

use super::template::{Template, values_at};
use super::{Callback, Monitor, Save, View};
use crate::error::{Error, Result, check};
use crate::part::Configured;

/// Writes the run to files while it trains.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `path` | – | a template: see below |
/// | `every` | 1 | epochs (or batches) between two moments at which a file may be written; ≥ 1 |
/// | `every_batches` | false | whether `every` counts batches, over the whole run |
/// | `save_best_only` | none | a value of the run: write only when it is better than the best one |
/// | `best_among` | saved | what "the best one" means: see below |
/// | `initial_threshold` | none | a value that the first file has to beat; finite |
/// | `keep_last` | none | how many files are kept, the newest; ≥ 1 |
/// | `weights_only` | false | write the weights alone |
///
/// # File names
///
/// `{epoch}`, `{batch}` (both from 1), `{step}` (batches trained on), and every value of the history by its name: `{val_loss}`.
/// A format may follow: `{epoch:02}` fills up with zeros to two digits, `{val_loss:.4}` has four decimals (Python's
/// `{epoch:02d}` and `{val_loss:.4f}` mean the same). A template without any value names one file, which each save takes
/// over; any other must tell its files apart by `{epoch}` or `{step}` – by `{step}`, or `{epoch}` and `{batch}`, when
/// batches are counted – so that no file is lost by chance. A folder that is missing is made.
///
/// # The best one
///
/// With `every(2)` and `save_best_only(ValLoss)`, and the losses
///
/// ```text
/// epoch               1     2     3     4     5     6
/// val_loss           .50   .60   .30   .55   .40   .20
/// may be written            ·           ·           ·
/// BestAmong::Saved          ✓           ✓           ✓       .60, then .55 < .60, then .20 < .55
/// BestAmong::AllSeen        –           –           ✓       .60 > .50, .55 > .30, then .20 < .30
/// ```
///
/// [`BestAmong::Saved`] compares with the files written so far; epochs that could not be written do not count.
/// [`BestAmong::AllSeen`] compares with every epoch (or batch) so far, also those between two files: a file is then the
/// best model of all up to its epoch, and there may be none for a long time. With `every(1)` both are the same. NaN and
/// infinities are never the best.
///
/// # What is in a file
///
/// The whole run, as all callbacks left it at that moment: [`Model::load`](crate::train::Model::load) and
/// [`Run::from_bytes`](crate::train::Run::from_bytes) read it, and training goes on from it to the same bits as if it had
/// never stopped. Estimators are made from it by [`MlpRegressor::from_run`](crate::MlpRegressor::from_run) and
/// [`MlpClassifier::from_run`](crate::MlpClassifier::from_run). If another callback restores best weights, the file holds
/// both, and predictions use the best ones; with `weights_only` the file holds the weights of its own epoch, and the
/// beginning of a run that starts from them.
///
/// Each file is written under another name, synced and renamed. Older files are removed (`keep_last`) when the new one is
/// safely there; only files of this fit are ever removed.
///
/// ```
/// use linfa_mlp::callback::{ModelCheckpoint, ValLoss};
/// use linfa_mlp::metric::Mae;
/// use linfa_mlp::prelude::*;
/// use ndarray::{Array, Axis};
///
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// let x = Array::linspace(-1.0, 1.0, 40).insert_axis(Axis(1));
/// let y = x.mapv(|x: f64| 2.0 * x);
/// let mut model = Sequential::new().add(Dense::new(1)).compile(1, Adam::new(0.1), MeanSquaredError, [Mae])?;
/// let checkpoint = ModelCheckpoint::to("runs/epoch-{epoch:02}.mlp").every(2).save_best_only(ValLoss);
/// model.fit(&x, &y, &Training::epochs(4).validation_split(0.25).callback(checkpoint))?;
///
/// let half = Model::<f64>::load("runs/epoch-02.mlp")?;
/// assert_eq!(half.history().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelCheckpoint {
    path: String,
    every: usize,
    every_batches: bool,
    save_best_only: Option<Monitor>,
    best_among: BestAmong,
    initial_threshold: Option<f64>,
    keep_last: Option<usize>,
    weights_only: bool,
    /// What has been seen and written: part of the run, not of the settings.
    #[serde(skip_serializing_if = "Written::is_fresh")]
    written: Written,
    /// The state before the last file, should it fail to be written.
    #[serde(skip)]
    before: Option<Box<Written>>,
}

/// What a [`ModelCheckpoint`] that saves the best only compares with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BestAmong {
    /// The epochs (or batches) that were saved.
    #[default]
    Saved,
    /// All epochs (or batches), saved or not.
    AllSeen,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Written {
    best: Option<f64>,
    /// The files there are, oldest first; only when old ones are to be removed.
    files: Vec<String>,
}

impl Written {
    fn is_fresh(&self) -> bool {
        *self == Written::default()
    }
}

impl ModelCheckpoint {
    /// Writes the whole run to a file of that name after every epoch.
    #[must_use]
    pub fn to(path: impl Into<String>) -> Self {
        ModelCheckpoint { path: path.into(), ..ModelCheckpoint::default() }
    }

    /// Every that many epochs.
    #[must_use]
    pub fn every(mut self, epochs: usize) -> Self {
        (self.every, self.every_batches) = (epochs, false);
        self
    }

    /// Every that many batches, counted over the whole run.
    #[must_use]
    pub fn every_batches(mut self, batches: usize) -> Self {
        (self.every, self.every_batches) = (batches, true);
        self
    }

    /// Only when that value is better than the best one so far.
    #[must_use]
    pub fn save_best_only(mut self, monitor: impl Into<Monitor>) -> Self {
        self.save_best_only = Some(monitor.into());
        self
    }

    /// What "the best one so far" means.
    #[must_use]
    pub fn best_among(mut self, among: BestAmong) -> Self {
        self.best_among = among;
        self
    }

    /// A value that the first file has to beat.
    #[must_use]
    pub fn initial_threshold(mut self, threshold: f64) -> Self {
        self.initial_threshold = Some(threshold);
        self
    }

    /// Keeps the newest files, that many; older ones of this fit are removed.
    #[must_use]
    pub fn keep_last(mut self, files: usize) -> Self {
        self.keep_last = Some(files);
        self
    }

    /// Writes the weights alone.
    #[must_use]
    pub fn weights_only(mut self) -> Self {
        self.weights_only = true;
        self
    }

    /// A moment at which a file may be written, or only looked at.
    fn look(&mut self, view: &mut View<'_>, due: bool) -> Result<()> {
        self.before = None;
        if let Some(monitor) = &self.save_best_only {
            let best = self.written.best.or(self.initial_threshold);
            let improves = monitor.improves(view, best, 0.0);
            if improves && (due || self.best_among == BestAmong::AllSeen) {
                self.before = Some(Box::new(self.written.clone()));
                self.written.best = Some(monitor.value(view));
            }
            if !improves {
                return Ok(());
            }
        }
        if !due {
            return Ok(());
        }
        let path = Template::parse(&self.path)?.render(view);
        self.before.get_or_insert_with(|| Box::new(self.written.clone()));
        let mut save = if self.weights_only { Save::weights(&path) } else { Save::run(&path) };
        if let Some(keep) = self.keep_last {
            self.written.files.retain(|file| *file != path);
            self.written.files.push(path);
            let surplus = self.written.files.len().saturating_sub(keep);
            save = self.written.files.drain(..surplus).fold(save, Save::then_remove);
        }
        view.save(save);
        Ok(())
    }
}

impl Default for ModelCheckpoint {
    fn default() -> Self {
        ModelCheckpoint {
            path: "checkpoint.mlp".into(),
            every: 1,
            every_batches: false,
            save_best_only: None,
            best_among: BestAmong::Saved,
            initial_threshold: None,
            keep_last: None,
            weights_only: false,
            written: Written::default(),
            before: None,
        }
    }
}

impl Configured for ModelCheckpoint {
    const NAME: &'static str = "model_checkpoint";

    fn check(&self) -> Result<()> {
        let is_file = !self.path.is_empty() && !self.path.ends_with(['/', '\\']);
        check("path", format!("{:?}", self.path), is_file, "the name of a file")?;
        let template = Template::parse(&self.path)?;
        let names: Vec<&str> = template.names().collect();
        let has = |name| names.contains(&name);
        let distinct = has("step") || has("epoch") && (!self.every_batches || has("batch"));
        let needed = if self.every_batches { "{step}, or {epoch} and {batch}" } else { "{epoch} or {step}" };
        let allowed =
            format!("a template with {needed}, or without any value: files would overwrite each other");
        check("path", format!("{:?}", self.path), names.is_empty() || distinct, &allowed)?;
        check("every", self.every, self.every >= 1, "at least 1")?;
        let threshold = self.initial_threshold.unwrap_or(0.0);
        check("initial_threshold", threshold, threshold.is_finite(), "finite")?;
        let with = "used with save_best_only";
        check(
            "initial_threshold",
            threshold,
            self.initial_threshold.is_none() || self.save_best_only.is_some(),
            with,
        )?;
        let keep = self.keep_last.unwrap_or(1);
        check("keep_last", keep, keep >= 1, "at least 1")?;
        check("keep_last", keep, keep == 1 || distinct, "1 for a template without any value")
    }
}

impl Callback for ModelCheckpoint {
    fn monitor(&self) -> Option<&Monitor> {
        self.save_best_only.as_ref()
    }

    fn on_train_begin(&mut self, view: &mut View<'_>) -> Result<()> {
        Template::parse(&self.path)?.check(view, self.every_batches)?;
        let Some(monitor) = &self.save_best_only else { return Ok(()) };
        monitor.check(view)?;
        if !values_at(view, self.every_batches).any(|name| name == monitor.name()) {
            let known: Vec<&str> = values_at(view, true).collect();
            let allowed = format!("one of {}, which exist at the end of a batch", known.join(", "));
            return Err(Error::parameter("monitor", monitor, allowed));
        }
        Ok(())
    }

    fn on_batch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        if !self.every_batches {
            return Ok(());
        }
        let batches = view.epoch().saturating_sub(1) * view.batches() + view.batch();
        self.look(view, batches.is_multiple_of(self.every))
    }

    fn on_epoch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        if self.every_batches {
            return Ok(());
        }
        self.look(view, view.epoch().is_multiple_of(self.every))
    }

    fn on_save_failed(&mut self) {
        if let Some(before) = self.before.take() {
            self.written = *before;
        }
    }
}

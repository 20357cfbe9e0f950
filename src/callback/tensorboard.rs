//! Event files for TensorBoard, written while training.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::handle::Handle;
use super::{Callback, View};
use crate::error::{Error, Result, check};
use crate::part::Configured;
use crate::tensorboard::{EventWriter, Summary};

/// Writes event files for TensorBoard (`tensorboard --logdir runs`), in Keras' layout, visible at the end of each epoch.
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | `path` | – | the log directory; is made if it is missing |
/// | `update_freq` | none | also write the running values each that many updates; ≥ 1 |
/// | `histogram_freq` | none | write histograms of all weights each that many epochs; ≥ 1 |
/// | `write_gradients` | false | at the same epochs, histograms of the last batch's gradient |
///
/// | run | tag | step |
/// | --- | --- | --- |
/// | `train/` | `epoch_loss`, `epoch_<metric>`, `epoch_learning_rate` | epochs before, from 0 |
/// | `train/` | `batch_loss`, `batch_<metric>` | updates before, from 0 |
/// | `train/` | `dense_1/kernel/histogram`, `dense_1/kernel/gradient` | epochs before, from 0 |
/// | `train/` | `model`, `settings` (text) | where the fit begins |
/// | `validation/` | `epoch_loss`, `epoch_<metric>` | epochs before, from 0 |
/// | `validation/` | `evaluation_loss_vs_iterations`, `evaluation_<metric>_vs_iterations` | updates made |
///
/// Without validation rows there is no `validation/`. Every fit, and every run that goes on after a load, writes files of its
/// own: two fits into one directory, also within one second, disturb each other in nothing but being drawn as one line. A
/// file that cannot be written, as on a full disk, is an error of the fit.
#[doc(alias = "tensorboard")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TensorBoard {
    path: PathBuf,
    update_freq: Option<u64>,
    histogram_freq: Option<usize>,
    write_gradients: bool,
    #[serde(skip)]
    train: Handle<EventWriter>,
    #[serde(skip)]
    validation: Handle<EventWriter>,
}

impl TensorBoard {
    /// Writes below that directory.
    #[must_use]
    pub fn to(path: impl Into<PathBuf>) -> Self {
        TensorBoard { path: path.into(), ..TensorBoard::default() }
    }

    /// Also writes the running values each that many updates.
    #[must_use]
    pub fn update_freq(mut self, updates: u64) -> Self {
        self.update_freq = Some(updates);
        self
    }

    /// Also writes histograms of all weights each that many epochs.
    #[must_use]
    pub fn histogram_freq(mut self, epochs: usize) -> Self {
        self.histogram_freq = Some(epochs);
        self
    }

    /// Beside the histograms of weights, those of the last batch's gradient.
    #[must_use]
    pub fn write_gradients(mut self) -> Self {
        self.write_gradients = true;
        self
    }

    fn write(&mut self, validation: bool, step: u64, summaries: Vec<Summary>, flush: bool) -> Result<()> {
        let (handle, run) = match validation {
            true => (&mut self.validation, "validation"),
            false => (&mut self.train, "train"),
        };
        let folder = self.path.join(run);
        let written = (|| -> io::Result<()> {
            let writer = match &mut handle.0 {
                Some(writer) => writer,
                empty => empty.insert(EventWriter::create(&folder)?),
            };
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
            let step = i64::try_from(step).unwrap_or(i64::MAX);
            summaries.into_iter().try_for_each(|summary| writer.write(step, now, summary))?;
            if flush { writer.flush() } else { Ok(()) }
        })();
        written.map_err(|source| Error::File {
            action: "cannot write an event file in",
            path: folder,
            source,
        })
    }

    fn histograms(&self, view: &View<'_>) -> Vec<Summary> {
        let mut summaries = Vec::new();
        view.each_weight(|name, values| {
            summaries.push(Summary::histogram(format!("{name}/histogram"), values));
        });
        if self.write_gradients {
            view.each_gradient(|name, values| {
                summaries.push(Summary::histogram(format!("{name}/gradient"), values));
            });
        }
        summaries
    }
}

impl Default for TensorBoard {
    fn default() -> Self {
        TensorBoard {
            path: "logs".into(),
            update_freq: None,
            histogram_freq: None,
            write_gradients: false,
            train: Handle::default(),
            validation: Handle::default(),
        }
    }
}

impl Configured for TensorBoard {
    const NAME: &'static str = "tensorboard";

    fn check(&self) -> Result<()> {
        let named = !self.path.as_os_str().is_empty();
        check("path", format!("{:?}", self.path), named, "the name of a directory")?;
        let freq = self.update_freq.unwrap_or(1);
        check("update_freq", freq, freq >= 1, "at least 1")?;
        let freq = self.histogram_freq.unwrap_or(1);
        check("histogram_freq", freq, freq >= 1, "at least 1")?;
        let alone = self.write_gradients && self.histogram_freq.is_none();
        check("write_gradients", self.write_gradients, !alone, "used with histogram_freq")
    }
}

impl Callback for TensorBoard {
    fn on_train_begin(&mut self, view: &mut View<'_>) -> Result<()> {
        let texts =
            vec![Summary::text("model", model_table(view)), Summary::text("settings", settings_list(view))];
        self.write(false, view.epoch() as u64, texts, true)
    }

    fn on_batch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        if self.update_freq.is_none_or(|freq| !view.step().is_multiple_of(freq)) {
            return Ok(());
        }
        let values =
            view.values().map(|(name, value)| Summary::scalar(format!("batch_{name}"), value)).collect();
        self.write(false, view.step().saturating_sub(1), values, false)
    }

    fn on_epoch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        let step = view.epoch().saturating_sub(1) as u64;
        let (mut train, mut validation, mut evaluation) = (Vec::new(), Vec::new(), Vec::new());
        for (name, value) in view.values() {
            match name.strip_prefix("val_") {
                Some(name) => {
                    validation.push(Summary::scalar(format!("epoch_{name}"), value));
                    evaluation.push(Summary::scalar(format!("evaluation_{name}_vs_iterations"), value));
                }
                None => train.push(Summary::scalar(format!("epoch_{name}"), value)),
            }
        }
        if self.histogram_freq.is_some_and(|freq| view.epoch().is_multiple_of(freq)) {
            train.extend(self.histograms(view));
        }
        self.write(false, step, train, true)?;
        if validation.is_empty() {
            return Ok(());
        }
        self.write(true, step, validation, false)?;
        self.write(true, view.step(), evaluation, true)
    }

    fn on_train_end(&mut self, _view: &mut View<'_>) -> Result<()> {
        (self.train, self.validation) = (Handle::default(), Handle::default());
        Ok(())
    }
}

/// The layers as a table in Markdown.
fn model_table(view: &View<'_>) -> String {
    let summary = view.summary();
    let mut text = String::from("| layer | activation | outputs | parameters |\n|---|---|--:|--:|\n");
    let _ = writeln!(text, "| input | | {} | 0 |", summary.n_features);
    for layer in &summary.layers {
        let activation = layer.activation.as_deref().unwrap_or("");
        let _ = writeln!(text, "| {} | {activation} | {} | {} |", layer.name, layer.n_outputs, layer.params);
    }
    let _ = writeln!(text, "| **total** | | | **{}** |", summary.count_params());
    text
}

/// The settings of the run as a list in Markdown: what is not a layer, which the table has. (In a table, TensorBoard breaks
/// the names to make room for long values.)
fn settings_list(view: &View<'_>) -> String {
    let mut text = String::new();
    if let Value::Object(settings) = view.settings() {
        for (name, value) in settings.iter().filter(|(name, _)| *name != "network") {
            let value = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let _ = writeln!(text, "- **{name}** `{value}`");
        }
    }
    text
}

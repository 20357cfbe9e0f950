//! Surviving a crash.

use std::io::ErrorKind;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Callback, Save, View};
use crate::error::{Error, Result, check};
use crate::part::Configured;
use crate::persistence;

/// Writes the run to a folder while it trains, so that the same program, started again after a crash, goes on by itself.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `folder` | – | is made if it is missing |
/// | `every` | 1 | epochs (or batches) between two backups; ≥ 1 |
/// | `every_batches` | false | whether `every` counts batches, over the whole run |
///
/// A fit that begins looks into the folder before anything else. If a backup of the same fit is there, it goes on from it
/// and ends with the same bits as if it had never stopped; the number of epochs asked for may have changed. Two generations
/// are kept, each written under another name and renamed, so one of them is always whole; if the newest is damaged since, the
/// fit goes on from the one before, to the same bits. When training ends, because its epochs are done or a callback has
/// stopped it, both are removed; when an error ends it, they stay.
///
/// The same fit is one with the same settings, the same first weights and the same rows. The name of a file is a
/// [fingerprint](View::fingerprint) of these: a backup of other settings or other data has another name, is not looked at and
/// never overwritten. So one folder serves any number of fits, also at the same time, as in a cross-validation – and
/// a backup left by a fit whose settings have changed since stays there until somebody removes it.
///
/// ```
/// use linfa_mlp::callback::{Backup, OnEpochEnd};
/// use linfa_mlp::metric::Mae;
/// use linfa_mlp::prelude::*;
/// use linfa_mlp::Error;
/// use ndarray::array;
///
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// let (x, y) = (array![[0.0], [0.5], [1.0]], array![[1.0], [2.0], [3.0]]);
/// let fit = |crash_in: usize| -> Result<Model<f64>, Error> {
///     let crash = OnEpochEnd::new(move |view| match view.epoch() == crash_in {
///         true => Err(Error::parameter("power", "off", "on")),
///         false => Ok(()),
///     });
///     let mut model = Sequential::new().add(Dense::new(1)).compile(1, Adam::new(0.1), MeanSquaredError, [Mae])?;
///     model.fit(&x, &y, &Training::epochs(6).callback(Backup::to("backup")).callback(crash))?;
///     Ok(model)
/// };
/// assert!(fit(4).is_err());                          // three epochs are safe
/// let again = fit(0)?;                               // three more
/// assert_eq!(again.history().len(), 6);
/// assert!(again.history().seconds()[2].is_nan());    // this one is remembered
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "BackupAndRestore")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backup {
    folder: PathBuf,
    every: usize,
    every_batches: bool,
    /// Fingerprint of the fit at its beginning; none before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fit: Option<u64>,
    /// Which of the two files is written next.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    second: bool,
}

impl Backup {
    /// Backups in that folder, after every epoch.
    #[must_use]
    pub fn to(folder: impl Into<PathBuf>) -> Self {
        Backup { folder: folder.into(), ..Backup::default() }
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

    fn path(&self, second: bool) -> PathBuf {
        let fit = self.fit.unwrap_or(0);
        self.folder.join(format!("backup-{fit:016x}-{}.mlp", if second { "b" } else { "a" }))
    }

    fn save(&mut self, view: &mut View<'_>) {
        view.save(Save::backup(self.path(self.second)));
        self.second = !self.second;
    }
}

impl Default for Backup {
    fn default() -> Self {
        Backup { folder: "backup".into(), every: 1, every_batches: false, fit: None, second: false }
    }
}

impl Configured for Backup {
    const NAME: &'static str = "backup";

    fn check(&self) -> Result<()> {
        let named = !self.folder.as_os_str().is_empty();
        check("folder", format!("{:?}", self.folder), named, "the name of a folder")?;
        check("every", self.every, self.every >= 1, "at least 1")
    }
}

impl Callback for Backup {
    fn resume(&mut self, view: &mut View<'_>) -> Result<Vec<Vec<u8>>> {
        self.fit = Some(view.fingerprint());
        let mut found = Vec::new();
        for path in [self.path(false), self.path(true)] {
            match persistence::read_framed(path) {
                Ok(bytes) => found.push(bytes),
                Err(Error::File { source, .. }) if source.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    fn on_batch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        let batches = view.epoch().saturating_sub(1) * view.batches() + view.batch();
        if self.every_batches && batches.is_multiple_of(self.every) {
            self.save(view);
        }
        Ok(())
    }

    fn on_epoch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        if !self.every_batches && view.epoch().is_multiple_of(self.every) {
            self.save(view);
        }
        Ok(())
    }

    fn on_train_end(&mut self, _view: &mut View<'_>) -> Result<()> {
        [false, true].into_iter().try_for_each(|second| persistence::remove(self.path(second)))
    }

    fn on_save_failed(&mut self) {
        self.second = !self.second;
    }
}

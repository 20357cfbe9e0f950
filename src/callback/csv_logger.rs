//! A table of epochs, written while training.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::handle::Handle;
use super::{Callback, View};
use crate::error::{Error, Result, check};
use crate::part::Configured;

/// Writes a line per epoch to a CSV file, at once: `epoch,loss,…,learning_rate`, epochs from 1.
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | `path` | – | the file; a folder that is missing is made |
/// | `append` | false | whether a file that is there is gone on with, rather than replaced |
/// | `separator` | `,` | one character |
///
/// The header is written once, also when a file is appended to. All columns are there from the first line, those of
/// validation included. A run that goes on after a load, or from a [`Backup`](super::Backup), cuts off the lines of epochs
/// that it is about to repeat, and appends.
#[doc(alias = "CSVLogger")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CsvLogger {
    path: PathBuf,
    append: bool,
    separator: char,
    /// The last epoch written by this run; none before it has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_epoch: Option<usize>,
    #[serde(skip)]
    file: Handle<File>,
}

impl CsvLogger {
    /// Writes to that file.
    #[must_use]
    pub fn to(path: impl Into<PathBuf>) -> Self {
        CsvLogger { path: path.into(), ..CsvLogger::default() }
    }

    /// Goes on with a file that is there.
    #[must_use]
    pub fn append(mut self) -> Self {
        self.append = true;
        self
    }

    /// What stands between two columns.
    #[must_use]
    pub fn separator(mut self, separator: char) -> Self {
        self.separator = separator;
        self
    }

    fn line(&self, cells: impl Iterator<Item = String>) -> String {
        let mut line = String::new();
        for (place, cell) in cells.enumerate() {
            if place > 0 {
                line.push(self.separator);
            }
            line.push_str(&cell);
        }
        line.push('\n');
        line
    }

    fn header(&self, view: &View<'_>) -> String {
        self.line(std::iter::once("epoch".to_owned()).chain(view.names().iter().cloned()))
    }

    /// A new file, or one that is appended to.
    fn begin(&self, view: &View<'_>) -> io::Result<File> {
        make_folder(&self.path)?;
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .append(self.append)
            .truncate(!self.append)
            .open(&self.path)?;
        if file.metadata()?.len() == 0 {
            file.write_all(self.header(view).as_bytes())?;
        }
        Ok(file)
    }

    /// The file of a run that goes on: without the lines after the last epoch that the run remembers.
    fn go_on(&self, view: &View<'_>, last_epoch: usize) -> io::Result<File> {
        make_folder(&self.path)?;
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text?,
        };
        let epoch_of = |line: &str| line.split(self.separator).next()?.trim().parse::<usize>().ok();
        let mut keep = 0;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            at += line.len();
            // Before its first epoch, a run keeps the header and what earlier runs have written.
            let whole = line.ends_with('\n');
            if whole
                && (epoch_of(line).is_none_or(|epoch| epoch == last_epoch) || last_epoch == 0 && self.append)
            {
                keep = at;
            }
        }
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        file.set_len(keep as u64)?;
        if keep == 0 {
            file.write_all(self.header(view).as_bytes())?;
        }
        Ok(file)
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

impl Default for CsvLogger {
    fn default() -> Self {
        CsvLogger {
            path: "history.csv".into(),
            append: false,
            separator: ',',
            last_epoch: None,
            file: Handle::default(),
        }
    }
}

impl Configured for CsvLogger {
    const NAME: &'static str = "csv_logger";

    fn check(&self) -> Result<()> {
        let name = self.path.file_name().is_some();
        check("path", format!("{:?}", self.path), name, "the name of a file")?;
        let apart = !(self.separator.is_alphanumeric() || "\n\r.-+_\"".contains(self.separator));
        check("separator", format!("{:?}", self.separator), apart, "a character that no number or name has")
    }
}

impl Callback for CsvLogger {
    fn on_train_begin(&mut self, view: &mut View<'_>) -> Result<()> {
        self.file.0 = Some(self.begin(view).map_err(|source| self.error(source))?);
        self.last_epoch = Some(0);
        Ok(())
    }

    fn on_epoch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        let values = std::iter::once(view.epoch().to_string())
            .chain(view.values().map(|(_, value)| value.to_string()));
        let line = self.line(values);
        let mut file = match self.file.0.take() {
            Some(file) => file,
            None => self.go_on(view, self.last_epoch.unwrap_or(0)).map_err(|source| self.error(source))?,
        };
        file.write_all(line.as_bytes()).map_err(|source| self.error(source))?;
        self.file.0 = Some(file);
        self.last_epoch = Some(view.epoch());
        Ok(())
    }
}

impl CsvLogger {
    fn error(&self, source: io::Error) -> Error {
        Error::File { action: "cannot write", path: self.path.clone(), source }
    }
}

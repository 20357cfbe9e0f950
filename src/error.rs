//! The one error type users meet.
//!
//! An [`Error`] carries values, not prose: match the variant where a program can help itself, print it where a person has to.
//!
//! ```
//! use linfa::prelude::*;
//! use linfa_mlp::{Error, MlpClassifier};
//!
//! let outcome = MlpClassifier::params().epochs(0).fit(&linfa_datasets::iris());
//! assert!(matches!(&outcome, Err(Error::Parameter { name, .. }) if name == "epochs"));
//! assert_eq!(outcome.unwrap_err().to_string(), "epochs must be at least 1, but is 0");
//! ```

use std::path::PathBuf;
use std::sync::Arc;

/// What can go wrong. Every variant carries the values that a program needs to react: the parameter, what was
/// found, what is allowed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter is outside its range. Nothing has been computed.
    #[error("{name} must be {allowed}, but is {found}")]
    Parameter {
        /// The parameter's path, as in the builder: `learning_rate`, `layer 2: units`.
        name: String,
        /// The value found.
        found: String,
        /// The values allowed.
        allowed: String,
    },

    /// A value of the data is NaN or infinite.
    #[error("{array} must be finite, but row {row}, column {column} is {value:?}")]
    NotFinite {
        /// `x`, `y`, `sample weights` …
        array: &'static str,
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// The value found.
        value: f64,
    },

    /// A value of the targets is outside what the loss is defined for.
    #[error("y must be {allowed} for the loss {loss}, but row {row}, column {column} is {value:?}")]
    TargetRange {
        /// The loss' name.
        loss: String,
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// The value found.
        value: f64,
        /// The values allowed.
        allowed: String,
    },

    /// A data set has no rows.
    #[error("{array} must have at least 1 row, but has none")]
    NoRows {
        /// `x`, `training rows`, `validation rows` …
        array: &'static str,
    },

    /// A data set has no columns.
    #[error("{array} must have at least 1 column, but has none")]
    NoColumns {
        /// `x` or `y`.
        array: &'static str,
    },

    /// Two arrays that belong together have different numbers of rows.
    #[error("{array} must have {expected} rows, one for each row of x, but has {found}")]
    RowCount {
        /// The array that does not fit.
        array: &'static str,
        /// The rows of `x`.
        expected: usize,
        /// The rows found.
        found: usize,
    },

    /// An array has another number of columns than the network takes or gives.
    #[error("{array} must have {expected} columns, but has {found}")]
    Width {
        /// `x` or `y`.
        array: &'static str,
        /// The columns the network has.
        expected: usize,
        /// The columns found.
        found: usize,
    },

    /// A row index lies past the end of the data set.
    #[error("row indices must be below {n_samples}, but index {position} is {row}")]
    RowIndex {
        /// Place in the index list.
        position: usize,
        /// The row asked for.
        row: usize,
        /// The rows there are.
        n_samples: usize,
    },

    /// A classifier needs at least two classes.
    #[error("y must hold at least 2 classes, but every row is {class}")]
    OneClass {
        /// The only class.
        class: String,
    },

    /// A label that the model was not trained on.
    #[error("y must hold labels the model knows ({known}), but row {row} is {label}")]
    UnknownLabel {
        /// The label found.
        label: String,
        /// Its row, from 0.
        row: usize,
        /// The labels known.
        known: String,
    },

    /// A [`RowSource`](crate::train::RowSource) failed. The run stays as it was before the batch.
    #[error("rows cannot be read: {source}")]
    RowSource {
        /// What the source reports.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// No optimizer, activation, … of that name.
    #[error("{room} must be one of {known}, but is {name:?}")]
    UnknownPart {
        /// `optimizer`, `activation` …
        room: &'static str,
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },

    /// A layer that does not say what it computes, where another tool shall compute the same.
    #[error("layer {layer} ({part}) does not say what it computes as a graph of operators")]
    NoGraph {
        /// The layer's name in its network: `dense_2`.
        layer: String,
        /// The layer, with its activation if it has one.
        part: String,
    },

    /// The settings of a part cannot be read.
    #[error("the settings of {room} {name} cannot be read: {source}")]
    PartSettings {
        /// `optimizer`, `activation` …
        room: &'static str,
        /// The part's name.
        name: String,
        /// What the reader says.
        #[source]
        source: serde_json::Error,
    },

    /// Training diverged: a loss, gradient or weight is no longer finite.
    #[error(
        "training diverged in epoch {epoch}, batch {batch}: the loss is {loss:?} at a learning rate of \
         {learning_rate:?}; a smaller learning rate or scaled inputs usually help"
    )]
    Diverged {
        /// Epoch, from 1.
        epoch: usize,
        /// Batch in the epoch, from 1.
        batch: usize,
        /// The loss of that batch.
        loss: f64,
        /// The learning rate of that step.
        learning_rate: f64,
    },

    /// A run is continued with another network, loss, optimizer or set of classes than it was trained with.
    #[error("{what} must be the one the model was trained with ({trained}), but is {found}")]
    Mismatch {
        /// What differs.
        what: &'static str,
        /// As trained.
        trained: String,
        /// As asked for now.
        found: String,
    },

    /// A callback failed. The model trained so far is kept by the run.
    #[error("callback {name} failed after epoch {epoch}: {source}")]
    Callback {
        /// The callback's name.
        name: String,
        /// Epochs finished.
        epoch: usize,
        /// What it reports.
        #[source]
        source: Box<Error>,
    },

    /// A split that cannot be made.
    #[error("{splitter} needs {needed}, but {found}")]
    Split {
        /// The splitter's name.
        splitter: String,
        /// What it needs.
        needed: String,
        /// What it was given.
        found: String,
    },

    /// A class that is too small to be present in every fold.
    #[error("{splitter} needs at least {needed} rows of every class, but class {class} has {members}")]
    ClassTooSmall {
        /// The splitter's name.
        splitter: String,
        /// The class.
        class: String,
        /// The rows it has.
        members: usize,
        /// The rows it needs.
        needed: usize,
    },

    /// A fold that would train without ever seeing one of the classes.
    #[error(
        "the training rows of fold {fold} must hold every class, but none of them is {class}; a stratified or \
         shuffled splitter usually helps"
    )]
    ClassMissing {
        /// The fold, from 0.
        fold: usize,
        /// The class that is missing.
        class: String,
    },

    /// A fold without rows to train on, or without rows to score.
    #[error("fold {fold} must have at least 1 {part} row, but has none")]
    EmptyFold {
        /// The fold, from 0.
        fold: usize,
        /// `training` or `test`.
        part: &'static str,
    },

    /// A fold that scores a row it was trained on.
    #[error("the test rows of fold {fold} must not be training rows, but row {row} is both")]
    SharedRow {
        /// The fold, from 0.
        fold: usize,
        /// The row, from 0.
        row: usize,
    },

    /// A candidate that cannot run.
    #[error("candidate {candidate} ({params}) cannot run: {source}")]
    Candidate {
        /// Index in the grid, from 0.
        candidate: usize,
        /// Its parameters.
        params: String,
        /// What its check says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// Every fit of a search or cross-validation failed; the first reason is given.
    #[error("all {fits} fits failed; the first: {source}")]
    AllFitsFailed {
        /// How many.
        fits: usize,
        /// The first failure.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// A fold without a score or prediction that is needed of every fold.
    #[error("fold {fold} has no {what}: {message}")]
    FoldFailed {
        /// The fold, from 0.
        fold: usize,
        /// `predictions` …
        what: &'static str,
        /// Why not.
        message: String,
    },

    /// A transformer could not be fitted on the training rows of a fold.
    #[error("preprocessing failed: {source}")]
    Preprocessing {
        /// What the transformer says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// An estimator, transformer or scorer panicked.
    #[error("{what} panicked: {message}")]
    Panicked {
        /// `fit`, `preprocessing` …
        what: &'static str,
        /// What the panic said.
        message: String,
    },

    /// A search that has no best model to give.
    #[error("there is no best model: {reason}")]
    NoModel {
        /// Why not.
        reason: String,
        /// The error of the refit, when there was one.
        #[source]
        source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    },

    /// Reading or writing a file failed.
    #[error("{action} {}: {source}", path.display())]
    File {
        /// `cannot read`, `cannot write` …
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },

    /// The bytes are not a whole, undamaged file of this crate.
    #[error("not a readable {kind} file: {problem}")]
    Format {
        /// `model`, `run`, `journal` …
        kind: &'static str,
        /// What is wrong.
        problem: String,
    },

    /// A file of data is damaged, cut or of another kind.
    #[error("{} is not a readable {kind} file: {problem}", path.display())]
    DataFile {
        /// `IDX`, `NPY`, `CSV` …
        kind: &'static str,
        /// The path.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },

    /// A cell of a table of data is not what its column holds.
    #[error("line {line}, column {column} of {} must be {allowed}, but is {found:?}", path.display())]
    Cell {
        /// The path.
        path: PathBuf,
        /// Line of the file, from 1.
        line: u64,
        /// The column's name, or its number from 1 where it has none.
        column: String,
        /// The text found.
        found: String,
        /// The values allowed.
        allowed: &'static str,
    },

    /// A file of a data set is in no folder, and was not fetched either.
    #[error("cannot find {file} of {data_set} in {searched}; {reason}; put it into {place}")]
    NoDataFile {
        /// The data set.
        data_set: &'static str,
        /// The file's name.
        file: &'static str,
        /// The folders it was looked for in.
        searched: String,
        /// Why it was not fetched.
        reason: String,
        /// The folder it belongs into, and its size and checksum.
        place: String,
    },

    /// A journal that cannot be read.
    #[error("line {line} of the journal {} cannot be used: {problem}", path.display())]
    Journal {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what to do.
        problem: String,
    },

    /// A journal holds the fits of other data or other rules; rows of two studies are never mixed.
    #[error(
        "the journal {} was written with other {what}: {journal} there, {search} here; use another file to start anew",
        path.display()
    )]
    OtherStudy {
        /// The file.
        path: PathBuf,
        /// What differs: `records`, `folds`, `scorers` …
        what: String,
        /// As the journal says.
        journal: String,
        /// As it is now.
        search: String,
    },

    /// A database cannot be reached, or does not do what it is asked for.
    #[error("{action} {database}: {source}")]
    Database {
        /// `cannot connect to`, `cannot write a row into` …
        action: &'static str,
        /// Server and database, without user and password.
        database: String,
        /// The reason.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// A study in a database is of other data or other rules; rows of two studies are never mixed.
    #[error(
        "the study {study:?} in {database} was begun with other {what}: {there} there, {search} here; use another name to \
         start anew"
    )]
    OtherSharedStudy {
        /// Its name.
        study: String,
        /// Server and database.
        database: String,
        /// What differs: `records`, `folds`, `search space` …
        what: String,
        /// As the database says.
        there: String,
        /// As it is now.
        search: String,
    },

    /// A result table or history cannot be written as text.
    #[error("cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),

    /// An error of linfa itself.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}

/// `Result` with this crate's [`Error`], unless another is named.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A parameter outside its range.
    pub fn parameter(name: impl Into<String>, found: impl ToString, allowed: impl Into<String>) -> Self {
        Error::Parameter { name: name.into(), found: found.to_string(), allowed: allowed.into() }
    }

    /// Puts the place of a parameter before its name: `layer 2: units`.
    pub(crate) fn within(self, place: impl std::fmt::Display) -> Self {
        match self {
            Error::Parameter { name, found, allowed } => {
                Error::Parameter { name: format!("{place}: {name}"), found, allowed }
            }
            other => other,
        }
    }
}

/// Checks a range: `check("rho", self.rho, (0.0..1.0).contains(&self.rho), "at least 0 and below 1")?`.
///
/// `ok` says what is allowed, so that NaN fails it.
///
/// # Errors
///
/// [`Error::Parameter`] when `ok` is false.
pub fn check(name: &str, found: impl ToString, ok: bool, allowed: &str) -> Result<()> {
    if ok { Ok(()) } else { Err(Error::parameter(name, found, allowed)) }
}

//! The journal: what a search has done so far, so that it can be killed at any moment and started again.
//!
//! A search with a journal writes the row of every finished fit to a file, and waits until it is on the disk. Started again
//! with the same data and rules, it takes finished rows from the file and fits what is missing: the table and the best
//! model have the bytes of a run that nobody stopped, times aside.
//!
//! ```text
//! linfa-mlp journal 1                                        magic words and the format's version
//! 8f3a01c5 {"study":[["records","404 × 13 of f32, 5e…"], …]}  crc32c of what follows, and what all fits share
//! 0b77de42 {"fit":{"task":{"candidate":"9c…","fold":0}, …}}   one line for each finished fit
//! ```
//!
//! Lines of JSON are chosen over binary frames because people look at journals (`tail -f`, a text editor, `grep`), and because
//! a line that a disk has damaged can be removed by hand: each fit stands by itself.
//!
//! | it happens that | the next start |
//! | --- | --- |
//! | the process is killed while it writes a line | cuts the unfinished line off, says so, and does that fit again |
//! | a whole line before the last one is damaged | is refused, with file and line: rows are never left out in silence |
//! | data, folds, preparation, scorers, versions changed | is refused, with both values: rows of two studies never mix |
//! | a candidate's settings changed | fits that candidate; the old rows stay in the file, and mean nothing |
//! | values were added to an axis | fits only what is new |
//! | another process uses the journal | is refused |

mod digest;
mod format;
mod identity;
mod ledger;
mod merge;
mod reading;
mod states;

use std::path::{Path, PathBuf};

pub use digest::Digest;
pub(crate) use digest::Digester;
pub(crate) use identity::{Content, Tag, number, target};
pub use identity::{Study, TaskKey};
pub(crate) use ledger::Ledger;
pub use states::StateOf;

/// Where a search writes down its finished fits.
///
/// A path alone is enough: `.journal("boston.journal")`. The other settings are for what a journal cannot see.
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | [`at`](Journal::at) | – | the file; it is made when it is not there |
/// | [`tag`](Journal::tag) | none | stands for code that has no settings; rows of another tag are refused |
/// | [`retry_failed`](Journal::retry_failed) | off | fits again what failed the last time |
///
/// # What a journal sees
///
/// Seen are the values of records, targets and sample weights, names of columns, the folds' rows, what preparation makes of
/// the first fold, the scorers' names, directions and what they make of a small test, the version of this crate, and of each
/// candidate the type, the `Debug` form and the values of the axes.
///
/// Not seen is code: that of an estimator, or of a closure in it. A builder whose `Debug` form says that it leaves
/// something out (`OnEpochEnd { .. }`) is refused until the journal has a tag. Change the tag when that code changes.
///
/// # Searches in rungs
///
/// Fits that may go on are kept beside the journal, in a folder of its name with `.states` behind it, so that a search that is
/// started again goes on with them. The folder is gone when the search is done; what is missing or damaged in it is trained again,
/// to the same bytes.
///
/// # Several journals
///
/// One file is written by one process. Processes that do a [share](crate::model_selection::Search::shard) have a journal each, which
/// [`merge`](Journal::merge) puts together. A [nested cross-validation](crate::model_selection::nested_cross_validate) has one for all its
/// searches.
///
/// # Examples
///
/// ```
/// use linfa::traits::Fit;
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{GridSearch, KFold};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("penalty.journal");
/// let search = |penalties: &[f64]| {
///     GridSearch::new(ElasticNet::params())
///         .axis("penalty", penalties.to_vec(), |p, v| p.penalty(v))
///         .cv(KFold::new(5).shuffle(1))
///         .journal(&path)
///         .fit(&linfa_datasets::diabetes())
/// };
/// let narrow = search(&[0.1, 1.0])?;
/// let wide = search(&[0.01, 0.1, 1.0])?;                // only the fits of 0.01 are done
/// assert_eq!(wide.results().rows()[5].fit_seconds, narrow.results().rows()[0].fit_seconds);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    path: PathBuf,
    tag: Option<String>,
    retry_failed: bool,
}

impl Journal {
    /// A journal in that file.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Journal { path: path.into(), tag: None, retry_failed: false }
    }

    /// Stands for what cannot be seen, such as the code of a closure. A journal of another tag is refused.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Fits again what failed, as fits do for want of memory or disk. Rows that diverged are kept: they would again.
    #[must_use]
    pub fn retry_failed(mut self) -> Self {
        self.retry_failed = true;
        self
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks what can be wrong before anything is opened.
    fn check(&self) -> crate::error::Result<()> {
        use crate::error::check;
        check("journal", "an empty path", !self.path.as_os_str().is_empty(), "the path of a file")?;
        check("tag of the journal", "empty", self.tag.as_deref() != Some(""), "at least one letter")
    }
}

impl From<&str> for Journal {
    fn from(path: &str) -> Self {
        Journal::at(path)
    }
}

impl From<String> for Journal {
    fn from(path: String) -> Self {
        Journal::at(path)
    }
}

impl From<&Path> for Journal {
    fn from(path: &Path) -> Self {
        Journal::at(path)
    }
}

impl From<&PathBuf> for Journal {
    fn from(path: &PathBuf) -> Self {
        Journal::at(path)
    }
}

impl From<PathBuf> for Journal {
    fn from(path: PathBuf) -> Self {
        Journal::at(path)
    }
}

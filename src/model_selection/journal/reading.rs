//! Reading a journal: which of its bytes are whole, and what they say.

use std::fs::{File, TryLockError};
use std::io::{self, BufReader};
use std::path::Path;

use super::format::{self, Fit, Line, Opening, Problem, Record};
use super::identity::Study;
use crate::error::{Error, Result};

/// What was found in a file, its fits aside.
pub(super) struct Found {
    pub study: Option<Study>,
    /// The bytes of whole records.
    pub whole: u64,
    /// The bytes of the unfinished record behind them.
    pub cut: u64,
}

/// What came of locking a journal. The system lets go of a lock when the process ends, however it ends.
pub(super) fn locked(tried: Result<(), TryLockError>) -> io::Result<()> {
    tried.map_err(|error| match error {
        TryLockError::WouldBlock => io::Error::new(
            io::ErrorKind::WouldBlock,
            "another search is writing it; wait, or use another file",
        ),
        TryLockError::Error(error) => error,
    })
}

/// Reads all records, and hands over each finished fit with the number of its line and the line itself. The last record is cut off
/// when it is damaged or unfinished; any other that is damaged is an error.
pub(super) fn read(file: &File, path: &Path, mut fit: impl FnMut(usize, Fit, &[u8])) -> Result<Found> {
    let unreadable = |source| Error::File { action: "cannot read the journal", path: path.into(), source };
    let fail = |line, problem: &str| Error::Journal { path: path.into(), line, problem: problem.into() };
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(unreadable(io::Error::other("it is no file that keeps what is written to it")));
    }
    let mut reader = BufReader::new(file);
    let mut next = || format::next_line(&mut reader).map_err(unreadable);
    let mut found = Found { study: None, whole: 0, cut: 0 };
    let first = next()?;
    match format::opening(&first) {
        Opening::Journal => {}
        Opening::Cut => return Ok(Found { cut: metadata.len(), ..found }),
        Opening::Version(version) => {
            let known = format::magic();
            let known = known.trim_end().rsplit(' ').next().unwrap_or_default();
            let text =
                format!("it has format version {version}, and this program reads {known}; use another file");
            return Err(fail(1, &text));
        }
        Opening::Foreign => {
            return Err(fail(1, "it does not begin as a journal; use another file"));
        }
    }
    let mut whole = format::magic().len() as u64;
    let mut pending = next()?;
    for number in 2.. {
        let bytes = match pending {
            Line::End => break,
            // No line break: the write was not finished. It was the last one, so nothing follows.
            Line::Cut(_) => break,
            Line::TooLong => return Err(fail(number, "it is longer than any record")),
            Line::Whole(bytes) => bytes,
        };
        pending = next()?;
        match format::record(&bytes) {
            // The study is the second line and no other one.
            Ok(Record::Study(study)) if number == 2 => found.study = Some(study),
            Ok(Record::Fit(found)) if number > 2 => fit(number, *found, &bytes),
            Ok(_) => return Err(fail(number, "it is not where such a record stands")),
            // A disk may write the end of a line before its middle.
            Err(Problem::Damage) if matches!(pending, Line::End) => break,
            Err(Problem::Damage) if number == 2 => {
                return Err(fail(number, "its checksum does not fit; use another file, or remove this one"));
            }
            Err(Problem::Damage) => {
                let text = "its checksum does not fit; restore the file from a copy, or remove the line, whose fit \
                            is then done again";
                return Err(fail(number, text));
            }
            Err(Problem::Unknown(error)) => {
                return Err(fail(number, &format!("it is no record that this program knows ({error})")));
            }
        }
        whole += bytes.len() as u64;
    }
    // Without a study nothing was finished: the file is begun anew.
    found.whole = if found.study.is_some() { whole } else { 0 };
    found.cut = metadata.len() - found.whole;
    Ok(found)
}

//! One journal out of many: what the shards of a search have done.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::Journal;
use super::format::Fit;
use super::identity::{Study, TaskKey};
use super::ledger::Ledger;
use super::reading::{locked, read};
use super::states::folder_of;
use crate::error::{Error, Result, check};
use crate::model_selection::results::{FitRow, FitStatus};
use crate::persistence;

/// The finished fits of some journals, each once, with the lines they stand in.
#[derive(Default)]
struct Merged {
    study: Option<Study>,
    fits: BTreeMap<TaskKey, (FitRow, Vec<u8>)>,
}

impl Journal {
    /// Puts the finished fits of some journals into another one, which is made when it is not there and keeps what it has; gives
    /// the number of fits in it. States of searches in rungs, which lie beside journals, are copied with them.
    ///
    /// The journals are those of one search, by [shards](crate::model_selection::Search::shard) or on several machines. Nothing is
    /// written unless they fit together: of a fit that is in two of them, both rows are the same, times aside, or one of them
    /// failed, and then the other counts. Merging again changes nothing.
    ///
    /// # Errors
    ///
    /// - [`Error::Parameter`] when there is no journal, or none in which a search was begun
    /// - [`Error::File`] for a file that cannot be read, or that a search is writing
    /// - [`Error::OtherStudy`] for a journal of another study than the first one
    /// - [`Error::Journal`] for a damaged journal, and for the row of a fit that another journal has with another outcome
    ///
    /// # Examples
    ///
    /// See [`Search::shard`](crate::model_selection::Search::shard).
    pub fn merge<P: AsRef<Path>>(
        parts: impl IntoIterator<Item = P>,
        into: impl Into<Journal>,
    ) -> Result<usize> {
        let into = into.into();
        let parts: Vec<PathBuf> = parts.into_iter().map(|part| part.as_ref().to_path_buf()).collect();
        check("journals to merge", "an empty list", !parts.is_empty(), "at least one")?;
        let mut merged = Merged::default();
        parts.iter().try_for_each(|part| merged.take(part))?;
        let Some(study) = &merged.study else {
            return Err(Error::parameter("journals to merge", "without a search", "journals of a search"));
        };
        let ledger = Ledger::open(&into, study)?;
        let mut lines = Vec::new();
        let mut fits = ledger.len();
        for (task, (row, line)) in &merged.fits {
            match ledger.known(task) {
                Some((number, known)) if !counts_more(row, known) => {
                    check_same(known, row, &into.path, number)?;
                    continue;
                }
                Some(_) => {}
                None => fits += 1,
            }
            lines.extend_from_slice(line);
        }
        parts.iter().for_each(|part| copy_states(part, &into.path));
        ledger.extend(&lines)?;
        Ok(fits)
    }
}

impl Merged {
    /// Takes over what a journal has.
    fn take(&mut self, path: &Path) -> Result<()> {
        let fail = |action: &'static str| move |source| Error::File { action, path: path.into(), source };
        let file = File::open(path).map_err(fail("cannot open the journal"))?;
        // Shared, which is enough to keep a writer out: NFS takes it of a file that is open for reading alone.
        locked(file.try_lock_shared()).map_err(fail("cannot lock the journal"))?;
        let mut differs = Ok(());
        let fits = &mut self.fits;
        let found = read(&file, path, |number, Fit { task, row }, line| match fits.get(&task) {
            Some((known, _)) if !counts_more(&row, known) => {
                if differs.is_ok() {
                    differs = check_same(known, &row, path, number);
                }
            }
            _ => {
                fits.insert(task, (row, line.to_vec()));
            }
        });
        // A file that was only read is not worth an error when it is closed.
        let _ = file.unlock();
        let Some(study) = found?.study else { return Ok(()) };
        let first = self.study.get_or_insert_with(|| study.clone());
        match first.difference(&study) {
            Some((what, journal, search)) => {
                Err(Error::OtherStudy { path: path.into(), what, journal, search })
            }
            None => differs,
        }
    }
}

fn failed(row: &FitRow) -> bool {
    matches!(row.status, FitStatus::Failed { .. })
}

/// Whether a row takes the place of one that is known: a fit that was finished after all, or diverged.
fn counts_more(row: &FitRow, known: &FitRow) -> bool {
    failed(known) && !failed(row)
}

/// Checks that two rows of a fit say the same, times aside. One that failed where the other did not is worth nothing, and
/// says nothing against it.
fn check_same(known: &FitRow, row: &FitRow, path: &Path, line: usize) -> Result<()> {
    // As text, so that NaN is NaN. The candidate's number may differ, if one search had more of them.
    let plain = |row: &FitRow| {
        let times = FitRow { fit_seconds: 0.0, cpu_seconds: None, score_seconds: 0.0, ..row.clone() };
        serde_json::to_string(&FitRow { candidate: 0, rung: 0, ..times })
    };
    if failed(known) || failed(row) || plain(known)? == plain(row)? {
        return Ok(());
    }
    let problem = "another journal has the same fit with another outcome; something of it differs that a journal does not see";
    Err(Error::Journal { path: path.into(), line, problem: problem.into() })
}

/// Copies what lies beside a journal. It saves time and nothing else, so what goes wrong is left out.
fn copy_states(from: &Path, into: &Path) {
    let (from, into) = (folder_of(from), folder_of(into));
    let Ok(files) = fs::read_dir(&from) else { return };
    if from == into || fs::create_dir_all(&into).is_err() {
        return;
    }
    for file in files.flatten() {
        let target = into.join(file.file_name());
        if let (false, Ok(bytes)) = (target.exists(), fs::read(file.path())) {
            let _ = persistence::write_atomically(target, &bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::digest::Digester;
    use super::*;
    use crate::model_selection::executor::FitStore;
    use crate::model_selection::observer::Task;
    use crate::model_selection::results::Params;

    fn study(folds: &str) -> Study {
        Study::new(&Journal::at("x")).with("folds", folds)
    }

    fn row(candidate: usize, score: f64) -> FitRow {
        let mut row = FitRow::started(Task::new(candidate, Some(0)), 8, 4, 1);
        row.test_scores = vec![score];
        row.fit_seconds = if score.is_nan() { 0.0 } else { score };
        row
    }

    /// A journal with the rows of these candidates.
    fn journal(path: &Path, folds: &str, rows: &[FitRow]) {
        let ledger = Ledger::open(&Journal::at(path), &study(folds)).unwrap();
        for row in rows {
            let mut digester = Digester::new();
            digester.word(row.candidate as u64);
            ledger.append(&TaskKey::whole(digester.digest(), 0), &Params::default(), row);
        }
        ledger.finish().unwrap();
    }

    #[test]
    fn every_fit_is_there_once_and_merging_again_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b, all] = ["a", "b", "all"].map(|name| folder.path().join(name));
        let later = FitRow { fit_seconds: 9.0, candidate: 1, ..row(1, 0.5) };
        journal(&a, "2", &[row(0, 0.25), row(1, 0.5)]);
        journal(&b, "2", &[later, row(2, f64::NAN), row(2, f64::NAN)]);
        assert_eq!(Journal::merge([&a, &b], &all).unwrap(), 3);
        let whole = fs::read(&all).unwrap();
        assert_eq!(Journal::merge([&b, &a, &b, &all], &all).unwrap(), 3);
        assert_eq!(fs::read(&all).unwrap(), whole);
        // Into one of them.
        assert_eq!(Journal::merge([&b], &a).unwrap(), 3);
    }

    #[test]
    fn a_fit_that_was_finished_elsewhere_counts_more_than_one_that_failed() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
        let failed = FitRow { status: FitStatus::Failed { message: "memory".into() }, ..row(0, f64::NAN) };
        journal(&a, "2", std::slice::from_ref(&failed));
        journal(&b, "2", &[row(0, 0.5)]);
        for (name, parts) in [("ab", [&a, &b]), ("ba", [&b, &a])] {
            let all = folder.path().join(name);
            assert_eq!(Journal::merge(parts, &all).unwrap(), 1);
            let text = fs::read_to_string(&all).unwrap();
            assert!(text.contains("0.5") && !text.contains("memory"), "{text}");
        }
        assert_eq!(Journal::merge([&b], &a).unwrap(), 1);
        let ledger = Ledger::open(&Journal::at(&a), &study("2")).unwrap();
        let key = |row: &FitRow| {
            let mut digester = Digester::new();
            digester.word(row.candidate as u64);
            TaskKey::whole(digester.digest(), 0)
        };
        assert_eq!(ledger.row(&key(&failed), &|_| true).unwrap().unwrap().test_scores, [0.5]);
    }

    #[test]
    fn a_fit_that_diverged_counts_more_than_one_that_failed_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
        let ended = |status| FitRow { status, ..row(0, f64::NAN) };
        journal(&a, "2", &[ended(FitStatus::Failed { message: "memory".into() })]);
        journal(&b, "2", &[ended(FitStatus::Diverged { message: "far".into(), epoch: 1, batch: 2 })]);
        for (name, parts) in [("ab", [&a, &b]), ("ba", [&b, &a])] {
            let all = folder.path().join(name);
            assert_eq!(Journal::merge(parts, &all).unwrap(), 1);
            let text = fs::read_to_string(&all).unwrap();
            assert!(text.contains("far") && !text.contains("memory"), "{name}: {text}");
        }
    }

    #[test]
    fn a_part_is_read_beside_others_who_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let [a, all] = ["a", "all"].map(|name| folder.path().join(name));
        journal(&a, "2", &[row(0, 0.25)]);
        let reader = File::open(&a).unwrap();
        reader.try_lock_shared().unwrap();
        assert_eq!(Journal::merge([&a], &all).unwrap(), 1);
    }

    #[test]
    fn journals_that_do_not_fit_together_are_refused_and_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b, c, all] = ["a", "b", "c", "all"].map(|name| folder.path().join(name));
        journal(&a, "2", &[row(0, 0.25)]);
        journal(&b, "3", &[row(1, 0.25)]);
        journal(&c, "2", &[row(0, 0.75)]);
        let refused = |parts: &[&PathBuf]| Journal::merge(parts, &all).unwrap_err();
        let error = refused(&[&a, &b]);
        assert!(
            matches!(&error, Error::OtherStudy { path, what, .. } if *path == b && what == "folds"),
            "{error}"
        );
        let error = refused(&[&a, &c]);
        assert!(matches!(&error, Error::Journal { path, line: 3, .. } if *path == c), "{error}");
        assert!(matches!(refused(&[]), Error::Parameter { .. }));
        assert!(matches!(refused(&[&folder.path().join("missing")]), Error::File { .. }));
        let open = Ledger::open(&Journal::at(&a), &study("2")).unwrap();
        assert!(refused(&[&a]).to_string().contains("another search is writing it"));
        drop(open);
        let empty = folder.path().join("empty");
        fs::write(&empty, "").unwrap();
        assert!(matches!(refused(&[&empty]), Error::Parameter { .. }));
        assert!(!all.exists());
        assert_eq!(Journal::merge([&empty, &a], &all).unwrap(), 1);
        assert!(Journal::merge([&c], &all).is_err());
        assert!(matches!(Journal::merge([&a], Journal::at("")).unwrap_err(), Error::Parameter { .. }));
    }
}

//! An open journal: the rows it had, and the file that takes new ones.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Journal;
use super::digest::Digest;
use super::format::{self, LONGEST, Written};
use super::identity::{Study, TaskKey};
use super::reading::{locked, read};
use super::states::{StateOf, States};
use crate::error::{Error, Result};
use crate::model_selection::executor::FitStore;
use crate::model_selection::results::{FitRow, FitStatus, Params};
use crate::persistence::sync_folder;

/// A journal that this process alone writes, for as long as the value lives.
#[derive(Debug)]
pub(crate) struct Ledger {
    path: PathBuf,
    /// Each with its line in the file.
    rows: BTreeMap<TaskKey, (usize, FitRow)>,
    /// The bytes of an unfinished record that were cut off.
    cut: u64,
    end: Mutex<End>,
    states: States,
}

/// The end of the file, where lines are added.
#[derive(Debug)]
struct End {
    file: File,
    /// The length up to which the file is whole and on the disk.
    len: u64,
    /// Why a line could not be written. Then nothing is written any more, by none of those who share the journal.
    failure: Option<Arc<io::Error>>,
}

impl Ledger {
    /// Opens a journal for a study, and makes it when there is none.
    ///
    /// # Errors
    ///
    /// - [`Error::Parameter`] for an empty path or tag
    /// - [`Error::File`] when the file cannot be opened, read or written, or another process has it open
    /// - [`Error::Journal`] for a file that is no journal, one of another version, or a damaged record
    /// - [`Error::OtherStudy`] for the journal of another study
    pub(crate) fn open(journal: &Journal, study: &Study) -> Result<Self> {
        journal.check()?;
        let path = &journal.path;
        let fail = |action: &'static str| move |source| Error::File { action, path: path.clone(), source };
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = opened.map_err(fail("cannot open the journal"))?;
        locked(file.try_lock()).map_err(fail("cannot lock the journal"))?;
        let mut rows = BTreeMap::new();
        let mut found = read(&file, path, |line, fit, _| {
            rows.insert(fit.task, (line, fit.row));
        })?;
        if let Some((what, there, here)) = found.study.as_ref().and_then(|found| study.difference(found)) {
            return Err(Error::OtherStudy { path: path.clone(), what, journal: there, search: here });
        }
        let cut = found.cut;
        let mut begin = || -> io::Result<u64> {
            file.set_len(found.whole)?;
            file.seek(SeekFrom::Start(found.whole))?;
            if found.study.is_some() && cut == 0 {
                return Ok(found.whole);
            }
            if found.study.is_none() {
                let first = format::magic() + &format::line(&Written::Study(study))?;
                file.write_all(first.as_bytes())?;
                found.whole = first.len() as u64;
            }
            file.sync_all()?;
            sync_folder(path);
            Ok(found.whole)
        };
        let len = begin().map_err(fail("cannot write the journal"))?;
        let failed = |row: &FitRow| matches!(row.status, FitStatus::Failed { .. });
        rows.retain(|_, (_, row)| !(journal.retry_failed && failed(row)));
        let end = Mutex::new(End { file, len, failure: None });
        let states = States::beside(path, study);
        Ok(Ledger { path: path.clone(), rows, cut, end, states })
    }

    /// Whether the journal had the row of a candidate in that fold, of one of other settings too, not counting those of searches
    /// inside an outer fold.
    pub(crate) fn has_fold(&self, fold: usize) -> bool {
        self.rows.keys().any(|task| task.outer.is_none() && task.fold == fold)
    }

    /// The number of finished fits that the journal had.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The row of a fit as the journal had it, and its line.
    pub(super) fn known(&self, task: &TaskKey) -> Option<(usize, &FitRow)> {
        self.rows.get(task).map(|(line, row)| (*line, row))
    }

    /// Adds lines as they are, and waits for the disk once.
    pub(super) fn extend(&self, lines: &[u8]) -> Result<()> {
        self.end().append(lines).map_err(|source| self.unwritable(source))
    }

    fn unwritable(&self, source: io::Error) -> Error {
        Error::File { action: "cannot write the journal", path: self.path.clone(), source }
    }

    fn end(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FitStore for Ledger {
    /// The row of a fit, if it was finished when the journal was opened.
    ///
    /// # Errors
    ///
    /// [`Error::Journal`] when `could_be` says that it cannot be a row of this search.
    fn row(&self, task: &TaskKey, could_be: &dyn Fn(&FitRow) -> bool) -> Result<Option<FitRow>> {
        let Some((line, row)) = self.rows.get(task) else { return Ok(None) };
        if could_be(row) {
            return Ok(Some(row.clone()));
        }
        let problem = "its row has another number of rows or scores than its fit; use another file".into();
        Err(Error::Journal { path: self.path.clone(), line: *line, problem })
    }

    fn store_state(&self, of: StateOf, bytes: &[u8]) {
        self.states.store(of, bytes);
    }

    fn load_state(&self, of: StateOf) -> Option<Vec<u8>> {
        self.states.load(of)
    }

    /// Also what a process that was killed has left of others is forgotten.
    fn keep_states(&self, outer: Option<usize>, promoted: &[Digest], _: &[Digest]) {
        self.states.keep(outer, promoted);
    }

    /// Writes down a finished fit. When this returns, the row is on the disk or the journal is broken.
    fn append(&self, task: &TaskKey, params: &Params, row: &FitRow) {
        let line = format::line(&Written::Fit { task, params, row });
        let mut end = self.end();
        if end.failure.is_none() {
            let line = line.map_err(io::Error::from).and_then(checked);
            end.failure = line.and_then(|line| end.append(line.as_bytes())).err().map(Arc::new);
        }
    }

    fn is_broken(&self) -> bool {
        self.end().failure.is_some()
    }

    /// Says that all rows are on the disk.
    ///
    /// # Errors
    ///
    /// [`Error::File`] for the first row that is not, to everyone who asks: searches in outer folds share a journal. What was in
    /// the file before is still there.
    fn finish(&self) -> Result<()> {
        let failure = self.end().failure.clone();
        failure.map_or(Ok(()), |source| Err(self.unwritable(io::Error::new(source.kind(), source))))
    }

    fn note(&self) -> Option<String> {
        let bytes = self.cut;
        let path = self.path.display();
        (bytes > 0).then(|| format!("{bytes} bytes of an unfinished record were cut off the journal {path}"))
    }
}

/// A lock belongs to the open file, and a process that another thread is just starting holds the file, too, for a moment: it
/// must not keep the lock.
impl Drop for Ledger {
    fn drop(&mut self) {
        // Were it refused, closing the file would let go of the lock all the same.
        let _ = self.end().file.unlock();
    }
}

/// A line that can be read again.
fn checked(line: String) -> io::Result<String> {
    if line.len() <= LONGEST {
        return Ok(line);
    }
    let problem = format!("a record of {} bytes is longer than {LONGEST}", line.len());
    Err(io::Error::new(io::ErrorKind::FileTooLarge, problem))
}

impl End {
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.write_all(line).and_then(|()| self.file.sync_data()).inspect_err(|_| {
            // Half a line does no harm, the next start would cut it off. Without it the file is whole already.
            let _ = self.file.set_len(self.len);
        })?;
        self.len += line.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::digest::Digester;
    use super::*;
    use crate::model_selection::fit::continue_rows::Goal;
    use crate::model_selection::observer::Task;

    fn task(candidate: u64, fold: usize) -> TaskKey {
        let mut digester = Digester::new();
        digester.word(candidate);
        TaskKey::whole(digester.digest(), fold)
    }

    fn append(ledger: &Ledger, row: &FitRow) {
        ledger.append(&task(row.candidate as u64, row.fold), &Params::default(), row);
    }

    fn study(folds: &str) -> Study {
        Study::new(&Journal::at("x")).with("records", "12 × 3").with("folds", folds)
    }

    fn open(path: &Path) -> Result<Ledger> {
        Ledger::open(&Journal::at(path), &study("2"))
    }

    /// A row whose first score tells it from others.
    fn row(candidate: usize, fold: usize) -> FitRow {
        let mut row = FitRow::started(Task::new(candidate, Some(fold)), 8, 4, 1);
        row.test_scores = vec![(10 * candidate + fold) as f64 + 0.125];
        row
    }

    /// The scores that a journal has, of four candidates in two folds.
    fn scores(ledger: &Ledger) -> Vec<Option<f64>> {
        let tasks = (0..4).flat_map(|candidate| [(candidate, 0), (candidate, 1)]);
        tasks.map(|(c, f)| Some(ledger.row(&task(c, f), &|_| true).unwrap()?.test_scores[0])).collect()
    }

    /// A journal with the rows of three fits, as bytes.
    fn example(folder: &Path) -> Vec<u8> {
        let path = folder.join("example");
        let ledger = open(&path).unwrap();
        [row(0, 0), row(2, 1), row(1, 0)].iter().for_each(|row| append(&ledger, row));
        ledger.finish().unwrap();
        fs::read(path).unwrap()
    }

    const EXAMPLE: [Option<f64>; 8] = [Some(0.125), None, Some(10.125), None, None, Some(21.125), None, None];

    #[test]
    fn rows_are_found_again_and_new_ones_are_added() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.journal");
        fs::write(&path, example(folder.path())).unwrap();
        let ledger = open(&path).unwrap();
        assert_eq!((scores(&ledger), ledger.note()), (EXAMPLE.to_vec(), None));
        append(&ledger, &row(3, 1));
        drop(ledger);
        let mut expected = EXAMPLE;
        expected[7] = Some(31.125);
        assert_eq!(scores(&open(&path).unwrap()), expected);
    }

    #[test]
    fn how_far_and_how_often_a_candidate_was_trained_are_tasks_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.journal");
        let goal = |now| Some(Goal::Epochs { now, of: 9 });
        let tasks = [
            task(0, 0),
            TaskKey { replicate: 1, ..task(0, 0) },
            TaskKey { goal: goal(3), resource: Some(3), ..task(0, 0) },
            TaskKey { goal: goal(9), resource: Some(9), ..task(0, 0) },
            TaskKey { resource: Some(9), ..task(0, 0) },
        ];
        let ledger = open(&path).unwrap();
        let nth = |n: usize| FitRow { test_scores: vec![n as f64], ..row(0, 0) };
        for (n, task) in tasks.iter().enumerate() {
            ledger.append(task, &Params::default(), &nth(n));
        }
        drop(ledger);
        let ledger = open(&path).unwrap();
        for (n, task) in tasks.iter().enumerate() {
            assert_eq!(ledger.row(task, &|_| true).unwrap(), Some(nth(n)));
        }
    }

    #[test]
    fn a_file_cut_anywhere_is_a_journal_with_fewer_rows_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let whole = example(folder.path());
        let path = folder.path().join("cut.journal");
        let lines = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte == b'\n').count();
        for len in 0..=whole.len() {
            fs::write(&path, &whole[..len]).unwrap();
            let ledger = open(&path).unwrap();
            let rows = scores(&ledger).iter().flatten().count();
            assert_eq!(rows, lines(&whole[..len]).saturating_sub(2), "cut to {len}");
            let at_end = len == 0 || (whole[len - 1] == b'\n' && rows + 2 == lines(&whole[..len]));
            assert_eq!(ledger.note().is_none(), at_end, "cut to {len}: {:?}", ledger.note());
            append(&ledger, &row(3, 1));
            drop(ledger);
            let ledger = open(&path).unwrap();
            assert_eq!(scores(&ledger).iter().flatten().count(), rows + 1, "cut to {len}");
            assert_eq!(ledger.note(), None);
        }
    }

    #[test]
    fn a_flipped_bit_is_an_error_or_costs_the_last_row_and_never_changes_one() {
        let folder = tempfile::tempdir().unwrap();
        let whole = example(folder.path());
        let path = folder.path().join("flipped.journal");
        let last = whole[..whole.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap();
        let (mut refused, mut shorter) = (0, 0);
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &damaged).unwrap();
            match open(&path) {
                Ok(ledger) => {
                    // Without the line break before it, the last line is one with the line before.
                    assert!(bit / 8 >= last, "bit {bit}");
                    let mut expected = EXAMPLE;
                    expected[2] = None;
                    if bit / 8 == last {
                        expected[5] = None;
                    }
                    assert_eq!(scores(&ledger), expected, "bit {bit}");
                    assert!(ledger.note().is_some());
                    shorter += 1;
                }
                Err(Error::Journal { line, .. }) => {
                    let before = whole[..bit / 8].iter().filter(|&&byte| byte == b'\n').count();
                    assert_eq!(line, before + 1, "bit {bit}");
                    assert_eq!(fs::read(&path).unwrap(), damaged, "what cannot be read is left alone");
                    refused += 1;
                }
                Err(error) => panic!("bit {bit}: {error}"),
            }
        }
        assert!(refused > 8 * last / 2 && shorter > 7 * (whole.len() - last) / 2, "{refused} {shorter}");
    }

    #[test]
    fn other_files_and_versions_are_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other");
        let study = format::line(&Written::Study(&study("2"))).unwrap();
        let record = |json: &str| format!("{:08x} {json}\n", crc32c::crc32c(json.as_bytes()));
        let magic = format::magic();
        let later = record("{\"rung\":1}");
        for (text, at, problem) in [
            ("candidate,fold\n0,1\n".to_string(), 1, "does not begin as a journal"),
            ("x".into(), 1, "does not begin as a journal"),
            (format!("linfa-mlp journal 7\n{study}"), 1, "version 7, and this program reads 1"),
            (format!("{magic}{later}"), 2, "no record that this program knows"),
            (format!("{magic}{study}{later}"), 3, "no record that this program knows"),
            (format!("{magic}{study}{study}"), 3, "not where such a record stands"),
        ] {
            fs::write(&path, &text).unwrap();
            let error = open(&path).unwrap_err();
            let Error::Journal { path: found, line, problem: why } = &error else { panic!("{error}") };
            assert_eq!((found, *line), (&path, at), "{text}");
            assert!(why.contains(problem), "{why}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn another_study_is_refused_with_both_values() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.journal");
        drop(open(&path).unwrap());
        let of = |study: Study| Ledger::open(&Journal::at(&path), &study).unwrap_err();
        let Error::OtherStudy { what, journal, search, .. } = of(study("5")) else { panic!("other folds") };
        assert_eq!((&*what, &*journal, &*search), ("folds", "2", "5"));
        let tagged = Study::new(&Journal::at("x").tag("v2")).with("records", "12 × 3").with("folds", "2");
        let text = of(tagged).to_string();
        assert!(text.contains("written with other tag: none there, v2 here; use another file"), "{text}");
        let text = of(study("2").with("scorers", "r2")).to_string();
        assert!(
            text.contains("scorers: not there there, r2 here") || text.contains("other scorers"),
            "{text}"
        );
    }

    #[test]
    fn one_search_at_a_time_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.journal");
        let first = open(&path).unwrap();
        let error = open(&path).unwrap_err();
        let Error::File { path: found, source, .. } = &error else { panic!("{error}") };
        assert_eq!((found, source.kind()), (&path, io::ErrorKind::WouldBlock));
        assert!(error.to_string().contains("another search is writing it"), "{error}");
        drop(first);
        assert!(open(&path).is_ok());
    }

    #[test]
    fn failed_rows_are_kept_unless_they_shall_be_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.journal");
        let ledger = open(&path).unwrap();
        let failed = FitRow { status: FitStatus::Failed { message: "disk".into() }, ..row(0, 0) };
        let diverged = FitStatus::Diverged { message: "far".into(), epoch: 1, batch: 2 };
        [failed, FitRow { status: diverged, ..row(1, 0) }].iter().for_each(|row| append(&ledger, row));
        drop(ledger);
        assert_eq!(scores(&open(&path).unwrap()).iter().flatten().count(), 2);
        let again = Ledger::open(&Journal::at(&path).retry_failed(), &study("2")).unwrap();
        assert_eq!(scores(&again).iter().flatten().count(), 1);
        append(&again, &row(0, 0));
        drop(again);
        // The later of two rows counts.
        assert_eq!(open(&path).unwrap().row(&task(0, 0), &|_| true).unwrap(), Some(row(0, 0)));
    }

    #[test]
    fn a_row_of_another_shape_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.journal");
        fs::write(&path, example(folder.path())).unwrap();
        let error = open(&path).unwrap().row(&task(2, 1), &|row| row.train_rows == 9).unwrap_err();
        assert!(matches!(error, Error::Journal { line: 4, .. }), "{error}");
    }

    #[test]
    fn what_cannot_be_opened_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        for path in [folder.path().join("missing/a.journal"), file.join("a.journal"), folder.path().into()] {
            let error = open(&path).unwrap_err();
            assert!(matches!(&error, Error::File { path: found, .. } if *found == path), "{error}");
        }
        let wrong = |journal: Journal| Ledger::open(&journal, &study("2")).unwrap_err().to_string();
        assert_eq!(wrong(Journal::at("")), "journal must be the path of a file, but is an empty path");
        let tag = wrong(Journal::at(&file).tag(""));
        assert_eq!(tag, "tag of the journal must be at least one letter, but is empty");
    }

    #[test]
    #[cfg(unix)]
    fn a_full_disk_is_the_end_of_writing_and_not_of_the_file() {
        let full = Path::new("/dev/full");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.journal");
        let ledger = open(&path).unwrap();
        append(&ledger, &row(0, 0));
        let whole = fs::read(&path).unwrap();
        if let Ok(file) = OpenOptions::new().write(true).open(full) {
            let mut end = ledger.end();
            let kept = std::mem::replace(&mut end.file, file);
            drop(end);
            append(&ledger, &row(0, 1));
            ledger.end().file = kept;
            assert!(ledger.is_broken());
            // Nothing is added behind what may be half a line.
            append(&ledger, &row(1, 1));
            assert_eq!(fs::read(&path).unwrap(), whole);
            let error = ledger.finish().unwrap_err();
            let Error::File { source, .. } = &error else { panic!("{error}") };
            assert_eq!(source.kind(), io::ErrorKind::StorageFull);
            // Nor when one of those who share the journal has heard of it.
            append(&ledger, &row(1, 1));
            assert!(ledger.is_broken() && ledger.finish().is_err());
            assert_eq!(fs::read(&path).unwrap(), whole);
            let error = open(full).unwrap_err();
            assert!(matches!(&error, Error::File { path, .. } if path == full), "{error}");
        }
    }
}

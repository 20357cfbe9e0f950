//! Writing an event file.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, process};

use prost::Message;

use super::message::{self, What};
use super::record;
use super::summary::Summary;

/// What the first record of every file says.
const FILE_VERSION: &str = "brain.Event:2";

/// Bytes that may wait in memory before they are handed on.
const BUFFER: usize = 1 << 16;

/// Appends summaries to an event file.
///
/// Summaries are buffered: [`flush`](Self::flush) makes them visible, as Keras does at the end of an epoch. Dropping the
/// writer flushes too, but leaves an error unseen.
///
/// A failed write never tears a record. What could not be written stays in memory, at most some 64 KiB of it, and is
/// written by the next call that succeeds: a log goes on whole once a full disk has room again.
#[derive(Debug)]
pub struct EventWriter<W: Write = File> {
    target: W,
    // Whole records, but for the first, whose start may be written already.
    waiting: Vec<u8>,
    path: PathBuf,
}

impl EventWriter {
    /// Creates an event file, and the directory if it is missing.
    ///
    /// No other file is touched, and no two writers share one: the name holds the time, the host, the process and a count.
    /// TensorBoard shows all files of a directory as one run.
    ///
    /// # Errors
    ///
    /// The directory or the file cannot be created, or there is no room for the file's first record.
    pub fn create(directory: &Path) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);

        fs::create_dir_all(directory)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (host, process) = (hostname(), process::id());
        loop {
            // TensorBoard reads the files of a directory in the order of their names, hence the zeros.
            let (seconds, count) = (now.as_secs(), COUNT.fetch_add(1, Ordering::Relaxed));
            let path =
                directory.join(format!("events.out.tfevents.{seconds:010}.{host}.{process}.{count:06}.v2"));
            match File::create_new(&path) {
                Ok(file) => return Self::start(file, path, now.as_secs_f64()),
                // Another machine of the same name, or another container with the same process number.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The event file that [`create`](Self::create) made; empty after [`new`](Self::new).
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl<W: Write> EventWriter<W> {
    /// Writes to anything; `wall_time`, in seconds since 1970, is that of the first record.
    ///
    /// # Errors
    ///
    /// The first record cannot be written.
    pub fn new(target: W, wall_time: f64) -> io::Result<Self> {
        Self::start(target, PathBuf::new(), wall_time)
    }

    fn start(target: W, path: PathBuf, wall_time: f64) -> io::Result<Self> {
        let mut writer = Self { target, waiting: Vec::new(), path };
        writer.push(message::Event {
            wall_time,
            step: 0,
            what: Some(What::FileVersion(FILE_VERSION.to_owned())),
        });
        writer.flush()?;
        Ok(writer)
    }

    /// Appends a summary; `wall_time` in seconds since 1970. `step` is the place on the horizontal axis: Keras' epochs and
    /// batches, counted from 0.
    ///
    /// # Errors
    ///
    /// The buffer is full and cannot be written; the summary is then not appended.
    pub fn write(&mut self, step: i64, wall_time: f64, summary: Summary) -> io::Result<()> {
        if self.waiting.len() >= BUFFER {
            self.drain()?;
        }
        let summary = message::Summary { value: vec![summary.into_value()] };
        self.push(message::Event { wall_time, step, what: Some(What::Summary(summary)) });
        Ok(())
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.drain()?;
        self.target.flush()
    }

    fn push(&mut self, event: message::Event) {
        record::append(&mut self.waiting, &event.encode_to_vec());
    }

    fn drain(&mut self) -> io::Result<()> {
        let mut written = 0;
        let outcome = loop {
            if written == self.waiting.len() {
                break Ok(());
            }
            match self.target.write(&self.waiting[written..]) {
                Ok(0) => break Err(ErrorKind::WriteZero.into()),
                Ok(n) => written += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.waiting.drain(..written);
        outcome
    }
}

impl<W: Write> Drop for EventWriter<W> {
    fn drop(&mut self) {
        // There is nobody to tell.
        let _ = self.flush();
    }
}

/// The machine's name as far as it may stand in a file name, else `localhost`.
fn hostname() -> String {
    let file = fs::read_to_string("/etc/hostname").ok();
    let names = [file, env::var("HOSTNAME").ok(), env::var("COMPUTERNAME").ok()];
    let mut parts =
        names.into_iter().flatten().map(|name| file_name_part(&name)).filter(|part| !part.is_empty());
    parts.next().unwrap_or_else(|| "localhost".to_owned())
}

fn file_name_part(host: &str) -> String {
    host.trim()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        .take(64)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::reader::{Event, Events};
    use super::*;

    /// A disk with room for `room` bytes, which takes at most `chunk` at once.
    #[derive(Debug)]
    struct Disk {
        bytes: Vec<u8>,
        room: usize,
        chunk: usize,
    }

    impl Write for Disk {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            match data.len().min(self.chunk).min(self.room - self.bytes.len()) {
                0 => Err(ErrorKind::StorageFull.into()),
                n => self.bytes.write(&data[..n]),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn loss(step: i64) -> Event {
        Event {
            step,
            wall_time: 100.0 + step as f64,
            summary: Summary::scalar("loss", 1.0 / (step + 1) as f64),
        }
    }

    fn write<W: Write>(writer: &mut EventWriter<W>, event: Event) -> io::Result<()> {
        writer.write(event.step, event.wall_time, event.summary)
    }

    fn read(bytes: &[u8]) -> Vec<Event> {
        Events::new(bytes).map(Result::unwrap).collect()
    }

    #[test]
    fn a_file_starts_with_its_version() {
        let mut file = Vec::new();
        drop(EventWriter::new(&mut file, 1.5));
        // Wall time 1.5 as field 1, "brain.Event:2" as field 3; the checksums are those of TensorBoard's RecordWriter.
        let golden: &[u8] =
            b"\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22\x09\0\0\0\0\0\0\xf8\x3f\x1a\x0dbrain.Event:2\x2a\x28\x64\x6c";
        assert_eq!(file, golden);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut file = Vec::new();
        let mut writer = EventWriter::new(&mut file, 1.5).unwrap();
        let text = Event { step: -1, wall_time: 0.25, summary: Summary::text("model", "# model") };
        let events = [loss(0), loss(1), text];
        for event in events.clone() {
            write(&mut writer, event).unwrap();
        }
        drop(writer);
        assert_eq!(read(&file), events);
    }

    #[test]
    fn a_flush_makes_everything_visible_while_the_writer_lives() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(directory.path()).unwrap();
        assert!(fs::metadata(writer.path()).unwrap().len() > 0, "the version is not on disk");
        for step in 0..3 {
            write(&mut writer, loss(step)).unwrap();
            writer.flush().unwrap();
            assert_eq!(read(&fs::read(writer.path()).unwrap()).last(), Some(&loss(step)));
        }
    }

    #[test]
    fn writers_of_one_second_have_files_of_their_own() {
        let directory = tempfile::tempdir().unwrap();
        let runs = directory.path().join("not/yet/there");
        let writers: Vec<_> = (0..20).map(|_| EventWriter::create(&runs).unwrap()).collect();
        let names: BTreeSet<_> = writers.iter().map(|writer| writer.path().to_owned()).collect();
        assert_eq!(names.len(), 20);
        // TensorBoard takes files for older the earlier their names sort.
        assert!(writers.windows(2).all(|pair| pair[0].path() < pair[1].path()));
        let name = writers[0].path().file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("events.out.tfevents.") && name.ends_with(".v2"), "{name}");
    }

    #[test]
    fn a_full_disk_is_an_error_at_every_byte() {
        let mut whole = Vec::new();
        let mut writer = EventWriter::new(&mut whole, 1.5).unwrap();
        (0..3).for_each(|step| write(&mut writer, loss(step)).unwrap());
        drop(writer);

        for room in 0..whole.len() {
            let mut disk = Disk { bytes: Vec::new(), room, chunk: 7 };
            let outcome = EventWriter::new(&mut disk, 1.5).and_then(|mut writer| {
                (0..3).try_for_each(|step| write(&mut writer, loss(step)))?;
                writer.flush()
            });
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::StorageFull, "room for {room} bytes");
            assert_eq!(disk.bytes, whole[..room]);
        }
    }

    #[test]
    fn a_log_goes_on_whole_once_the_disk_has_room_again() {
        let disk = Disk { bytes: Vec::new(), room: 130, chunk: 7 };
        let mut writer = EventWriter::new(disk, 1.5).unwrap();
        for step in 0..4 {
            write(&mut writer, loss(step)).unwrap();
            assert_eq!(writer.flush().is_err(), step > 0, "step {step}");
        }
        writer.target.room = 10_000;
        writer.flush().unwrap();
        assert_eq!(read(&writer.target.bytes), [0, 1, 2, 3].map(loss));
    }

    #[test]
    fn a_disk_that_stays_full_claims_no_memory() {
        let disk = Disk { bytes: Vec::new(), room: 100, chunk: 7 };
        let mut writer = EventWriter::new(disk, 1.5).unwrap();
        let refused = (0..10_000).filter(|&step| write(&mut writer, loss(step)).is_err()).count();
        assert!(refused > 0 && writer.waiting.len() < BUFFER + 100);
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "in the way").unwrap();
        assert!(EventWriter::create(&file).is_err());
        assert!(EventWriter::create(&file.join("train")).is_err());
    }

    #[test]
    fn a_host_name_cannot_leave_the_directory() {
        assert_eq!(file_name_part(" ../my host/é\n"), "..myhost");
        assert_eq!(file_name_part("\n"), "");
        assert_eq!(file_name_part(&"x".repeat(300)).len(), 64);
    }

    #[test]
    fn writers_can_cross_threads() {
        fn crosses<T: Send + Sync>() {}
        crosses::<EventWriter>();
        crosses::<Summary>();
        crosses::<Event>();
    }
}

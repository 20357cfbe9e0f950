//! Reading event files back.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::vec;

use prost::Message;

use super::message::{self, What};
use super::record::{ReadError, Records};
use super::summary::Summary;

/// One summary of an event file, and when it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The epoch, batch or whatever the writer counted.
    pub step: i64,
    /// Seconds since 1970.
    pub wall_time: f64,
    /// What was written.
    pub summary: Summary,
}

/// The events of a file, in the order of writing.
///
/// A file whose end is torn, because its writer is still at work or was killed, is read up to its last whole event; the
/// iteration then ends without an error. After an error it ends too. Records without a summary (the version at the start
/// of every file, a graph in a foreign one) are skipped.
///
/// # Errors
///
/// Each item may be [`ReadError::Io`], [`ReadError::DamagedLength`], [`ReadError::DamagedData`] or
/// [`ReadError::NotAnEvent`].
///
/// # Examples
///
/// ```
/// use linfa_mlp::tensorboard::{EventWriter, Events, Summary};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut file = Vec::new();
/// let mut writer = EventWriter::new(&mut file, 1.7e9)?;
/// writer.write(1, 1.7e9, Summary::scalar("epoch_loss", 0.5))?;
/// writer.flush()?;
/// drop(writer);
///
/// file.pop();
/// assert_eq!(Events::new(&file[..]).count(), 0);
/// file[30] ^= 1;
/// assert!(Events::new(&file[..]).next().is_some_and(|event| event.is_err()));
/// # Ok(())
/// # }
/// ```
pub struct Events<R> {
    records: Records<R>,
    // An event may hold several values; these wait for their turn.
    waiting: vec::IntoIter<message::Value>,
    step: i64,
    wall_time: f64,
    done: bool,
}

impl Events<BufReader<File>> {
    /// Opens an event file.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        File::open(path).map(BufReader::new).map(Self::new)
    }
}

impl<R: Read> Events<R> {
    /// Reads events from any source.
    pub fn new(source: R) -> Self {
        Self {
            records: Records::new(source),
            waiting: Vec::new().into_iter(),
            step: 0,
            wall_time: 0.0,
            done: false,
        }
    }

    fn read(&mut self) -> Option<Result<Event, ReadError>> {
        loop {
            if let Some(value) = self.waiting.next() {
                let summary = Summary::from_value(value);
                return Some(Ok(Event { step: self.step, wall_time: self.wall_time, summary }));
            }
            let (offset, data) = match self.records.next()? {
                Ok(record) => record,
                Err(error) => return Some(Err(error)),
            };
            match message::Event::decode(&data[..]) {
                Ok(event) => {
                    (self.step, self.wall_time) = (event.step, event.wall_time);
                    if let Some(What::Summary(summary)) = event.what {
                        self.waiting = summary.value.into_iter();
                    }
                }
                Err(error) => return Some(Err(ReadError::NotAnEvent { offset, source: error.into() })),
            }
        }
    }
}

impl<R: Read> Iterator for Events<R> {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let item = self.read();
        self.done = !matches!(item, Some(Ok(_)));
        item
    }
}

#[cfg(test)]
mod tests {
    use super::super::record;
    use super::*;

    fn file(events: &[message::Event]) -> Vec<u8> {
        let mut bytes = Vec::new();
        events.iter().for_each(|event| record::append(&mut bytes, &event.encode_to_vec()));
        bytes
    }

    #[test]
    fn an_event_with_several_values_is_read_as_several_events() {
        let value = |tag: &str| Summary::scalar(tag, 1.0).into_value();
        let summary = message::Summary { value: vec![value("a"), value("b")] };
        let event = message::Event { wall_time: 2.0, step: 3, what: Some(What::Summary(summary)) };
        let bytes = file(&[event, message::Event::default()]);
        let read: Vec<_> = Events::new(&bytes[..]).map(Result::unwrap).collect();
        let expected = |tag| Event { step: 3, wall_time: 2.0, summary: Summary::scalar(tag, 1.0) };
        assert_eq!(read, [expected("a"), expected("b")]);
    }

    #[test]
    fn a_whole_record_that_is_no_event_is_an_error() {
        let mut bytes = file(&[message::Event::default()]);
        let start = bytes.len() as u64;
        record::append(&mut bytes, b"not a protocol buffer");
        let mut events = Events::new(&bytes[..]);
        assert!(matches!(events.next(), Some(Err(ReadError::NotAnEvent { offset, .. })) if offset == start));
        assert!(events.next().is_none());
    }

    #[test]
    fn a_source_that_fails_is_an_error() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::PermissionDenied.into())
            }
        }
        let mut events = Events::new(Broken);
        assert!(
            matches!(events.next(), Some(Err(ReadError::Io(error))) if error.kind() == io::ErrorKind::PermissionDenied)
        );
        assert!(events.next().is_none());
    }
}

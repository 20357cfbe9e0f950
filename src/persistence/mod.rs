//! A versioned file around bytes; it knows no model.
//!
//! ```text
//! magic 8 B (89 4D 4C 50 0D 0A 1A 0A) | kind u16 | version u16 | payload length u64 | payload crc32c u32 | header crc32c u32 | payload
//! ```
//!
//! All numbers are little-endian. The magic number is made like PNG's: a file that went through a text mode, or was cut, is
//! seen at once. Checksums find accidents; the decode limit and the checks after decoding are for hostile files. The
//! payload is bincode 2 in its fixed-width little-endian layout (`config::legacy`), which every continuation of bincode
//! reads.
//!
//! # What a file may cost
//!
//! | step | bound |
//! | --- | --- |
//! | reading | the bytes that the header says, and one more; of a file without such a header, the header's length |
//! | decoding | a text that lies about its length: 64 kB, or 16 times the payload; a list that does: 1 MiB, and so for each list in a list |
//! | a run | as many values as the plan in the file has parameters, which are in the file, for each of its optimizer's slots |
//! | all | 64 GiB, the most that is written |
//!
//! # How a version 2 would come
//!
//! A payload is a struct that mirrors what is saved and belongs to one version of one kind (`RunV1`, `ClassifierV1` …). It
//! never changes. A field more is a struct more: `RunV2`, `From<RunV1> for RunV2`, and the reader asks the version that
//! [`open`] has given which of them to decode. The writer knows the newest alone. The files of version 1 in
//! `tests/fixtures/golden` stay there, and go on to be read, to predict and to continue.

mod atomic;
mod limit;

pub(crate) use atomic::sync_folder;
pub use atomic::{remove, write_atomically};

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

const MAGIC: [u8; 8] = *b"\x89MLP\r\n\x1a\n";
const HEADER: usize = 28;

/// The largest payload that is written and read: 64 GiB, the largest network in `f64` with the moments of Adam.
const MAX_PAYLOAD: u64 = 1 << 36;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Kind {
    /// A training run.
    Run = 1,
    /// A fitted classifier: a run and its classes.
    Classifier = 2,
    /// A fitted regressor.
    Regressor = 3,
    /// A fitted multilabel classifier: a run and its thresholds.
    MultilabelClassifier = 4,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Run => "run",
            Kind::Classifier => "classifier",
            Kind::Regressor => "regressor",
            Kind::MultilabelClassifier => "multilabel classifier",
        }
    }
}

/// The bytes of a file that holds `value`.
///
/// # Errors
///
/// [`Error::Format`] when serde cannot write the value, and for more than 64 GiB, which nothing would read again.
pub fn encode<T: Serialize>(kind: Kind, version: u16, value: &T) -> Result<Vec<u8>> {
    let mut bytes = vec![0; HEADER];
    let written = bincode::serde::encode_into_std_write(value, &mut bytes, bincode::config::legacy());
    written.map_err(|error| Error::Format { kind: kind.name(), problem: error.to_string() })?;
    let payload = &bytes[HEADER..];
    let (length, checksum) = (payload.len() as u64, crc32c::crc32c(payload));
    if length > MAX_PAYLOAD {
        let problem = format!("it would have {length} bytes of content, more than {MAX_PAYLOAD}");
        return Err(Error::Format { kind: kind.name(), problem });
    }
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..10].copy_from_slice(&(kind as u16).to_le_bytes());
    bytes[10..12].copy_from_slice(&version.to_le_bytes());
    bytes[12..20].copy_from_slice(&length.to_le_bytes());
    bytes[20..24].copy_from_slice(&checksum.to_le_bytes());
    let header = crc32c::crc32c(&bytes[..24]);
    bytes[24..28].copy_from_slice(&header.to_le_bytes());
    Ok(bytes)
}

/// The version and payload of a file, its frame checked.
///
/// # Errors
///
/// [`Error::Format`] for bytes that are no file of this kind, are damaged or cut, or come from a newer version.
pub fn open(kind: Kind, newest: u16, bytes: &[u8]) -> Result<(u16, &[u8])> {
    let fail = |problem: String| Error::Format { kind: kind.name(), problem };
    if bytes.len() < HEADER || bytes[..8] != MAGIC {
        return Err(fail("the file does not begin as one".into()));
    }
    let u16_at = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let u32_at = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    if crc32c::crc32c(&bytes[..24]) != u32_at(24) {
        return Err(fail("the header is damaged".into()));
    }
    if u16_at(8) != kind as u16 {
        return Err(fail(format!("it holds something else (kind {})", u16_at(8))));
    }
    let version = u16_at(10);
    if version == 0 || version > newest {
        return Err(fail(format!("it has format version {version}, and this program reads 1 to {newest}")));
    }
    let length = payload_len(bytes);
    if length > MAX_PAYLOAD {
        return Err(fail(format!("it should have {length} bytes of content, more than {MAX_PAYLOAD}")));
    }
    let payload = &bytes[HEADER..];
    if length != payload.len() as u64 {
        return Err(fail(format!("it should have {length} bytes of content, but has {}", payload.len())));
    }
    if crc32c::crc32c(payload) != u32_at(20) {
        return Err(fail("the content is damaged".into()));
    }
    Ok((version, payload))
}

/// The payload's length as a header of at least 20 bytes says it.
fn payload_len(header: &[u8]) -> u64 {
    header[12..20].iter().rev().fold(0, |length, &byte| (length << 8) | u64::from(byte))
}

/// Reads a value from a payload, all of it.
///
/// # Errors
///
/// [`Error::Format`] for bytes that are no such value, or go on after it.
pub fn decode<T: DeserializeOwned>(kind: Kind, payload: &[u8]) -> Result<T> {
    match limit::decode(payload) {
        Ok((value, read)) if read == payload.len() => Ok(value),
        Ok((_, read)) => {
            let problem = format!("{} bytes are left over", payload.len() - read);
            Err(Error::Format { kind: kind.name(), problem })
        }
        Err(error) => Err(Error::Format { kind: kind.name(), problem: error.to_string() }),
    }
}

/// The error of a file whose content contradicts itself.
pub(crate) fn contradiction(kind: Kind, problem: impl Into<String>) -> Error {
    Error::Format { kind: kind.name(), problem: problem.into() }
}

/// Reads a file of this format: its header, and then no more bytes than the header says, and one that shows that there are
/// more. A file that begins in another way, however long it is, is not read beyond that beginning; [`open`] says what is wrong.
///
/// # Errors
///
/// [`Error::File`] names the path.
pub fn read_framed(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    let path = path.as_ref();
    read_frame(path).map_err(|source| Error::File { action: "cannot read", path: path.into(), source })
}

fn read_frame(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::with_capacity(HEADER);
    file.by_ref().take(HEADER as u64).read_to_end(&mut bytes)?;
    if bytes.len() == HEADER && bytes[..8] == MAGIC && payload_len(&bytes) <= MAX_PAYLOAD {
        let length = payload_len(&bytes);
        // The room that is taken at once is that of the real file.
        let there = file.metadata()?.len().saturating_sub(HEADER as u64);
        bytes.reserve_exact(length.min(there) as usize);
        file.take(length + 1).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Reads a whole file, whatever its format: as many bytes as it has when it is opened.
///
/// # Errors
///
/// [`Error::File`] names the path, also of a file of more than 64 GiB.
pub fn read_file(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    let path = path.as_ref();
    read_bounded(path).map_err(|source| Error::File { action: "cannot read", path: path.into(), source })
}

fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > MAX_PAYLOAD {
        let problem = format!("it has {length} bytes, more than {MAX_PAYLOAD}");
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, problem));
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length as usize)?;
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_and_every_flipped_bit_is_seen() {
        let value = (vec![1.5_f64, -2.0], String::from("dense_1/kernel"));
        let bytes = encode(Kind::Run, 1, &value).unwrap();
        let read = |bytes: &[u8]| {
            open(Kind::Run, 1, bytes).and_then(|(_, p)| decode::<(Vec<f64>, String)>(Kind::Run, p))
        };
        assert_eq!(read(&bytes).unwrap(), value);
        for len in 0..bytes.len() {
            assert!(read(&bytes[..len]).is_err(), "cut to {len}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&damaged).is_err(), "bit {bit}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(read(&longer).is_err());
    }

    #[test]
    fn another_kind_and_a_newer_version_are_refused() {
        let bytes = encode(Kind::Run, 2, &1_u8).unwrap();
        assert!(open(Kind::Run, 1, &bytes).unwrap_err().to_string().contains("version 2"));
        assert!(open(Kind::Regressor, 2, &bytes).is_err());
        assert!(open(Kind::Run, 2, &bytes).is_ok());
    }

    #[test]
    fn a_file_is_read_no_further_than_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mlp");
        let bytes = encode(Kind::Run, 1, &vec![7_u64; 40]).unwrap();
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read_framed(&path).unwrap()
        };
        assert_eq!(read(&bytes), bytes);
        assert_eq!(read(&bytes[..100]), bytes[..100]);
        assert!(read(&[]).is_empty());
        let longer = [&bytes[..], &[1; 1000]].concat();
        assert_eq!(read(&longer), longer[..bytes.len() + 1]);
        assert_eq!(read(&[5; 1000]).len(), HEADER);
        // A length that no file has costs nothing.
        let mut huge = bytes.clone();
        huge[12..20].copy_from_slice(&MAX_PAYLOAD.to_le_bytes());
        assert_eq!(read(&huge), huge);
        huge[12..20].copy_from_slice(&u64::MAX.to_le_bytes());
        let read = read(&huge);
        assert_eq!(read.len(), HEADER);
        assert!(open(Kind::Run, 1, &read).is_err());
        if cfg!(unix) {
            assert_eq!(read_framed("/dev/zero").unwrap(), [0; HEADER], "a file without an end");
        }
    }

    #[test]
    fn a_file_of_any_format_is_read_as_far_as_it_is_long_and_none_that_is_too_long() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        std::fs::write(&path, [7; 100]).unwrap();
        assert_eq!(read_file(&path).unwrap(), [7; 100]);
        if cfg!(unix) {
            assert!(read_file("/dev/zero").unwrap().is_empty(), "a file without an end");
            // A hole takes no room on the disk.
            File::options().write(true).open(&path).unwrap().set_len(MAX_PAYLOAD + 1).unwrap();
            let error = read_file(&path).unwrap_err();
            assert!(matches!(&error, Error::File { path: named, .. } if *named == path), "{error}");
            assert!(error.to_string().contains("more than 68719476736"), "{error}");
        }
    }

    #[test]
    fn a_payload_that_is_too_long_is_refused_before_it_is_looked_at() {
        let mut bytes = encode(Kind::Run, 1, &1_u8).unwrap();
        bytes[12..20].copy_from_slice(&(MAX_PAYLOAD + 1).to_le_bytes());
        let header = crc32c::crc32c(&bytes[..24]);
        bytes[24..28].copy_from_slice(&header.to_le_bytes());
        let error = open(Kind::Run, 1, &bytes).unwrap_err().to_string();
        assert!(error.contains("more than 68719476736"), "{error}");
    }
}

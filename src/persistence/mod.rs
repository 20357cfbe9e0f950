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

mod atomic;

pub(crate) use atomic::sync_folder;
pub use atomic::{remove, write_atomically};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

const MAGIC: [u8; 8] = *b"\x89MLP\r\n\x1a\n";
const HEADER: usize = 28;

/// The largest payload that is read: 8 GiB, the largest network in `f32`.
const MAX_PAYLOAD: usize = 1 << 33;

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
/// [`Error::Format`] when serde cannot write the value.
pub fn encode<T: Serialize>(kind: Kind, version: u16, value: &T) -> Result<Vec<u8>> {
    let mut bytes = vec![0; HEADER];
    let written = bincode::serde::encode_into_std_write(value, &mut bytes, bincode::config::legacy());
    written.map_err(|error| Error::Format { kind: kind.name(), problem: error.to_string() })?;
    let payload = &bytes[HEADER..];
    let (length, checksum) = (payload.len() as u64, crc32c::crc32c(payload));
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
    let length = u64::from(u32_at(12)) | (u64::from(u32_at(16)) << 32);
    let payload = &bytes[HEADER..];
    if length != payload.len() as u64 {
        return Err(fail(format!("it should have {length} bytes of content, but has {}", payload.len())));
    }
    if crc32c::crc32c(payload) != u32_at(20) {
        return Err(fail("the content is damaged".into()));
    }
    Ok((version, payload))
}

/// Reads a value from a payload, all of it.
///
/// # Errors
///
/// [`Error::Format`] for bytes that are no such value, or go on after it.
pub fn decode<T: DeserializeOwned>(kind: Kind, payload: &[u8]) -> Result<T> {
    let config = bincode::config::legacy().with_limit::<MAX_PAYLOAD>();
    match bincode::serde::decode_from_slice(payload, config) {
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

/// Reads a whole file.
///
/// # Errors
///
/// [`Error::File`] names the path.
pub fn read_file(path: impl AsRef<std::path::Path>) -> Result<Vec<u8>> {
    let path = path.as_ref();
    std::fs::read(path).map_err(|source| Error::File { action: "cannot read", path: path.into(), source })
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
}

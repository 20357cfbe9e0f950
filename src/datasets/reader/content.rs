//! The content of a file, unpacked if it is packed, and the numbers in it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use crate::error::{Error, Result};
use crate::float::Float;

/// One byte of a deflated file gives no more than this many.
#[cfg(feature = "gzip")]
pub(super) const MOST_DEFLATED: u64 = 1032;

/// Bytes that are taken before a number has been read; more are taken as they come.
const FIRST_ROOM: usize = 1 << 20;

/// Bytes of a file that knows its name for errors.
pub(super) struct Content<'a> {
    kind: &'static str,
    path: &'a Path,
    reader: Box<dyn Read + 'a>,
    /// Bytes it can hold at most, however its headers lie.
    most: u64,
}

impl<'a> Content<'a> {
    /// Opens a file; one that begins as gzip does is unpacked.
    pub(super) fn open(kind: &'static str, path: &'a Path) -> Result<Self> {
        let fail = |source| Error::File { action: "cannot read", path: path.into(), source };
        let file = File::open(path).map_err(fail)?;
        let length = file.metadata().map_err(fail)?.len();
        let mut file = BufReader::with_capacity(1 << 16, file);
        let packed = file.fill_buf().map_err(fail)?.starts_with(&[0x1F, 0x8B]);
        if !packed {
            return Ok(Content { kind, path, reader: Box::new(file), most: length });
        }
        #[cfg(feature = "gzip")]
        {
            let reader = Box::new(flate2::bufread::MultiGzDecoder::new(file));
            Ok(Content { kind, path, reader, most: length.saturating_mul(MOST_DEFLATED) })
        }
        #[cfg(not(feature = "gzip"))]
        Err(Error::DataFile { kind, path: path.into(), problem: "gzip needs the feature `gzip`".into() })
    }

    /// Bytes that are part of another file.
    #[cfg(feature = "gzip")]
    pub(super) fn of(kind: &'static str, path: &'a Path, bytes: &'a [u8]) -> Self {
        Content { kind, path, reader: Box::new(bytes), most: bytes.len() as u64 }
    }

    pub(super) fn fail(&self, problem: impl Into<String>) -> Error {
        Error::DataFile { kind: self.kind, path: self.path.into(), problem: problem.into() }
    }

    fn failed(&self, error: &io::Error, what: &str) -> Error {
        match error.kind() {
            ErrorKind::UnexpectedEof => self.fail(format!("it ends within {what}")),
            _ => self.fail(format!("{what} cannot be read ({error})")),
        }
    }

    /// All bytes that are left, as a stream.
    #[cfg(feature = "csv")]
    pub(super) fn into_reader(self) -> Box<dyn Read + 'a> {
        self.reader
    }

    /// The next `N` bytes.
    pub(super) fn bytes<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes).map_err(|error| self.failed(&error, what))?;
        Ok(bytes)
    }

    /// The next `n` bytes; `n` comes from the file and has been found reasonable.
    pub(super) fn vec(&mut self, n: usize, what: &str) -> Result<Vec<u8>> {
        let mut bytes = vec![0; n];
        self.reader.read_exact(&mut bytes).map_err(|error| self.failed(&error, what))?;
        Ok(bytes)
    }

    /// The numbers of an array of that shape, which must be the rest of the file.
    pub(super) fn numbers<F: Float>(&mut self, element: Element, shape: &[usize]) -> Result<Vec<F>> {
        let size = element.size();
        let bytes = shape.iter().try_fold(size as u64, |bytes, &n| bytes.checked_mul(n as u64));
        let Some(bytes) = bytes.filter(|bytes| *bytes <= self.most) else {
            return Err(
                self.fail(format!("its header says {shape:?} values, more than such a file can hold"))
            );
        };
        let count = shape.iter().product::<usize>();
        let mut numbers = Vec::with_capacity(count.min(FIRST_ROOM / size_of::<F>()));
        let mut chunk = vec![0; (1 << 13) * size];
        let mut left = bytes as usize;
        while left > 0 {
            let part = &mut chunk[..left.min((1 << 13) * size)];
            self.reader.read_exact(part).map_err(|error| {
                let what = format!("its {count} values, after {}", numbers.len());
                self.failed(&error, &what)
            })?;
            left -= part.len();
            element.read_into(part, &mut numbers);
        }
        // Reading on also makes gzip compare its checksum.
        match self.reader.read(&mut [0]) {
            Ok(0) => Ok(numbers),
            Ok(_) => Err(self.fail(format!("it goes on after its {count} values"))),
            Err(error) => Err(self.failed(&error, "its end")),
        }
    }
}

/// How one number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) form: Form,
    pub(super) big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Without a sign, or a boolean.
    Unsigned(usize),
    Signed(usize),
    F32,
    F64,
}

impl Element {
    fn size(self) -> usize {
        match self.form {
            Form::Unsigned(size) | Form::Signed(size) => size,
            Form::F32 => 4,
            Form::F64 => 8,
        }
    }

    /// Appends the numbers of some bytes, rounded to the nearest value.
    fn read_into<F: Float>(self, bytes: &[u8], numbers: &mut Vec<F>) {
        match self.form {
            Form::Unsigned(1) => numbers.extend(bytes.iter().map(|&byte| F::of(f64::from(byte)))),
            form => numbers.extend(bytes.chunks_exact(self.size()).map(|bytes| {
                let whole = self.whole(bytes);
                let unused = 64 - 8 * self.size();
                F::of(match form {
                    Form::Unsigned(_) => whole as f64,
                    Form::Signed(_) => (((whole << unused) as i64) >> unused) as f64,
                    Form::F32 => f64::from(f32::from_bits(whole as u32)),
                    Form::F64 => f64::from_bits(whole),
                })
            })),
        }
    }

    fn whole(self, bytes: &[u8]) -> u64 {
        let append = |whole: u64, byte: &u8| (whole << 8) | u64::from(*byte);
        if self.big_endian { bytes.iter().fold(0, append) } else { bytes.iter().rev().fold(0, append) }
    }
}

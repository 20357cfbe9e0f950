//! NPZ, the format of `numpy.savez`: a zip archive of NPY files.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::Crc;
use flate2::read::DeflateDecoder;
use linfa::Dataset;
use ndarray::{ArrayD, Ix1, Ix2};

use super::content::{Content, MOST_DEFLATED};
use super::npy;
use crate::error::{Error, Result};
use crate::float::Float;

/// The arrays of an NPZ file, as `numpy.savez` and `numpy.savez_compressed` write it.
///
/// # Examples
///
/// ```no_run
/// use linfa_mlp::datasets::Npz;
///
/// let file = Npz::open("boston_housing.npz")?; // the file that Keras keeps in ~/.keras/datasets
/// assert_eq!(file.names().collect::<Vec<_>>(), ["x", "y"]);
/// let boston = file.dataset::<f32>("x", "y")?;
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Npz {
    path: PathBuf,
    bytes: Vec<u8>,
    members: BTreeMap<String, Member>,
}

/// Where a packed file lies in the archive.
#[derive(Clone, Copy, Debug)]
struct Member {
    deflated: bool,
    crc: u32,
    packed: usize,
    whole: usize,
    header: usize,
}

/// The sizes of the parts of an archive, without names and notes.
const END: usize = 22;
const ENTRY: usize = 46;
const LOCAL: usize = 30;

impl Npz {
    /// Reads the file and its list of arrays.
    ///
    /// # Errors
    ///
    /// - [`Error::File`]: the file cannot be read.
    /// - [`Error::DataFile`]: it is no zip archive, or one that NumPy does not write (encrypted, of other packers, above 4 GiB).
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let bytes = std::fs::read(&path).map_err(|source| Error::File {
            action: "cannot read",
            path: path.clone(),
            source,
        })?;
        match members(&bytes) {
            Ok(members) => Ok(Npz { path, bytes, members }),
            Err(problem) => Err(Error::DataFile { kind: "NPZ", path, problem }),
        }
    }

    /// The names of the arrays, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }

    /// Reads an array: see [`read_npy`](super::read_npy).
    ///
    /// # Errors
    ///
    /// [`Error::DataFile`]: there is no array of that name, or it is damaged or holds something else than numbers.
    pub fn array<F: Float>(&self, name: &str) -> Result<ArrayD<F>> {
        let fail = |problem: String| {
            let problem = format!("array {name:?} {problem}");
            Error::DataFile { kind: "NPZ", path: self.path.clone(), problem }
        };
        let Some(member) = self.members.get(name) else {
            let names: Vec<&str> = self.names().collect();
            return Err(fail(format!("is not among {names:?}")));
        };
        let bytes = unpack(&self.bytes, member).map_err(fail)?;
        let place = self.path.join(name);
        npy::read(Content::of("NPY", Path::new(&place), &bytes))
    }

    /// A data set of two arrays: `x` (n_samples, n_features), and `y` (n_samples,) or (n_samples, 1).
    ///
    /// # Errors
    ///
    /// As [`array`](Self::array), and [`Error::DataFile`] for arrays of other shapes, or of different numbers of rows.
    pub fn dataset<F: Float>(&self, x: &str, y: &str) -> Result<Dataset<F, F, Ix1>> {
        let fail = |problem: String| Error::DataFile { kind: "NPZ", path: self.path.clone(), problem };
        let records = self.array::<F>(x)?;
        let targets = self.array::<F>(y)?;
        let shapes = format!("arrays {x:?} {:?} and {y:?} {:?}", records.shape(), targets.shape());
        let n = targets.len();
        let single = targets.ndim() == 1 || targets.ndim() == 2 && targets.shape()[1] == 1;
        if !single || records.ndim() != 2 || records.shape()[0] != n {
            return Err(fail(format!("{shapes} are no (n, n_features) and (n)")));
        }
        let records = records.into_dimensionality::<Ix2>().map_err(|error| fail(error.to_string()))?;
        let targets = targets.into_shape_with_order(n).map_err(|error| fail(error.to_string()))?;
        Ok(Dataset::new(records, targets).with_target_names(vec![y]))
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The list of files at the end of an archive.
fn members(bytes: &[u8]) -> std::result::Result<BTreeMap<String, Member>, String> {
    let first = bytes.len().saturating_sub(END + usize::from(u16::MAX));
    let ends = (first..bytes.len().saturating_sub(END - 1)).rev();
    let end = ends.into_iter().find(|&at| bytes[at..].starts_with(b"PK\x05\x06"));
    let end = end.ok_or("it has no list of files at its end; it may be cut")?;
    let damaged = || String::from("its list of files is damaged");
    let entries = u16_at(bytes, end + 10).ok_or_else(damaged)?;
    let list = u32_at(bytes, end + 16).ok_or_else(damaged)?;
    if entries == 0xFFFF || list == u32::MAX {
        return Err("archives above 4 GiB are not read".into());
    }
    let mut at = list as usize;
    let mut found = BTreeMap::new();
    for _ in 0..entries {
        let (name, member, next) = entry(bytes, at).ok_or_else(damaged)??;
        found.insert(name, member);
        at = next;
    }
    Ok(found)
}

type Entry = (String, Member, usize);

/// One line of that list; none when it is cut or no such line.
fn entry(bytes: &[u8], at: usize) -> Option<std::result::Result<Entry, String>> {
    let head = bytes.get(at..at.checked_add(ENTRY)?)?;
    if !head.starts_with(b"PK\x01\x02") {
        return None;
    }
    let (name_len, more, note) = (u16_at(head, 28)?, u16_at(head, 30)?, u16_at(head, 32)?);
    let name = String::from_utf8_lossy(bytes.get(at + ENTRY..at + ENTRY + name_len)?).into_owned();
    let method = u16_at(head, 10)?;
    let (packed, whole) = (u32_at(head, 20)?, u32_at(head, 24)?);
    if u16_at(head, 8)? & 1 == 1 || !matches!(method, 0 | 8) || packed == u32::MAX || whole == u32::MAX {
        return Some(Err(format!("{name:?} is encrypted, packed in a way of its own, or above 4 GiB")));
    }
    let member = Member {
        deflated: method == 8,
        crc: u32_at(head, 16)?,
        packed: packed as usize,
        whole: whole as usize,
        header: u32_at(head, 42)? as usize,
    };
    let name = name.strip_suffix(".npy").map(str::to_owned).unwrap_or(name);
    Some(Ok((name, member, at + ENTRY + name_len + more + note)))
}

/// The bytes of a file of the archive.
fn unpack(bytes: &[u8], member: &Member) -> std::result::Result<Vec<u8>, String> {
    let packed = (|| {
        let head = bytes.get(member.header..member.header.checked_add(LOCAL)?)?;
        let head = head.starts_with(b"PK\x03\x04").then_some(head)?;
        let start = member.header + LOCAL + u16_at(head, 26)? + u16_at(head, 28)?;
        bytes.get(start..start.checked_add(member.packed)?)
    })();
    let packed = packed.ok_or("lies outside of the file")?;
    if member.whole as u64 > (packed.len() as u64 + 1).saturating_mul(MOST_DEFLATED) {
        return Err(format!("is said to have {} bytes, more than can be packed so", member.whole));
    }
    let mut whole = Vec::new();
    // One byte more than promised shows that there are more.
    let most = member.whole as u64 + 1;
    let read = if member.deflated {
        DeflateDecoder::new(packed).take(most).read_to_end(&mut whole)
    } else {
        packed.take(most).read_to_end(&mut whole)
    };
    read.map_err(|error| format!("is damaged ({error})"))?;
    let mut crc = Crc::new();
    crc.update(&whole);
    if whole.len() != member.whole || crc.sum() != member.crc {
        return Err("is damaged (its length or checksum is wrong)".into());
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    // numpy.savez and numpy.savez_compressed of x = [[1, 2], [3, 4], [5, 6]] (float32) and y = [0.5, 1.5, 2.5].
    const STORED: &[u8] = include_bytes!("../../../tests/fixtures/stored.npz");
    const DEFLATED: &[u8] = include_bytes!("../../../tests/fixtures/deflated.npz");

    fn open(bytes: &[u8]) -> Result<Npz> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.npz");
        std::fs::write(&path, bytes).unwrap();
        Npz::open(path)
    }

    #[test]
    fn what_numpy_wrote_is_read() {
        for bytes in [STORED, DEFLATED] {
            let file = open(bytes).unwrap();
            assert_eq!(file.names().collect::<Vec<_>>(), ["x", "y"]);
            let data = file.dataset::<f64>("x", "y").unwrap();
            assert_eq!(data.records, array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
            assert_eq!(data.targets, array![0.5, 1.5, 2.5]);
            assert_eq!(data.target_names(), ["y"]);
        }
    }

    #[test]
    fn every_cut_and_every_flipped_bit_that_matters_is_seen() {
        let read = |bytes: &[u8]| open(bytes).and_then(|file| file.dataset::<f64>("x", "y"));
        let whole = read(DEFLATED).unwrap();
        for len in 0..DEFLATED.len() {
            let found = read(&DEFLATED[..len]);
            assert!(matches!(found, Err(Error::DataFile { .. })), "cut to {len}");
        }
        for bit in 0..DEFLATED.len() * 8 {
            let mut damaged = DEFLATED.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            // Dates and versions do not matter; numbers do.
            match read(&damaged) {
                Ok(found) => {
                    assert_eq!((found.records, found.targets), (whole.records.clone(), whole.targets.clone()))
                }
                Err(error) => assert!(matches!(error, Error::DataFile { .. }), "bit {bit}: {error}"),
            }
        }
    }

    #[test]
    fn arrays_that_make_no_data_set_are_named() {
        let file = open(STORED).unwrap();
        let text = |x, y| file.dataset::<f32>(x, y).unwrap_err().to_string();
        assert!(text("x", "z").contains("array \"z\" is not among [\"x\", \"y\"]"), "{}", text("x", "z"));
        assert!(text("y", "x").contains("\"y\" [3] and \"x\" [3, 2] are no (n, n_features) and (n)"));
        assert!(text("x", "x").contains("are no (n, n_features) and (n)"));
    }
}

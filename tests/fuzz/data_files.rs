//! Files of data.

use std::fs;
use std::path::{Path, PathBuf};

use linfa_mlp::datasets::{read_idx, read_npy};
use ndarray::ArrayD;

#[cfg(any(feature = "gzip", feature = "tensorboard"))]
use crate::checksum;
use crate::harness::Reader;

/// A file in a folder of its own, which is there as long as the path is.
struct InFolder(tempfile::TempDir);

impl InFolder {
    fn new() -> Self {
        InFolder(tempfile::tempdir().expect("a folder"))
    }

    fn holding(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("file");
        fs::write(&path, bytes).expect("the folder can be written");
        path
    }
}

/// A reader of files by path.
fn of_file(
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    read: impl Fn(&Path) -> Option<Vec<u8>> + 'static,
) -> Reader {
    let folder = InFolder::new();
    Reader::new(name, seeds, move |bytes| read(&folder.holding(bytes)))
}

/// What tells an array from another one.
fn digest(array: &ArrayD<f64>) -> Vec<u8> {
    let shape = array.shape().iter().flat_map(|size| size.to_le_bytes());
    shape.chain(array.iter().flat_map(|value| value.to_bits().to_le_bytes())).collect()
}

const PAIRS: [u8; 18] = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];

pub fn idx() -> Reader {
    let pictures = [&[0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 4][..], &[7; 48]].concat();
    of_file("IDX", vec![PAIRS.to_vec(), pictures], |path| Some(digest(&read_idx(path).ok()?)))
}

pub fn idx_numbers() -> Reader {
    let of = |form: u8, bytes: &[u8]| [&[0, 0, form, 1, 0, 0, 0, 2][..], bytes].concat();
    let seeds = vec![
        of(0x09, &[0x80, 0x7F]),
        of(0x0B, &[0xFF, 0xFE, 1, 0]),
        of(0x0C, &[0x80, 0, 0, 0, 0, 1, 0, 0]),
        of(0x0D, &[1.5_f32.to_be_bytes(), 0.25_f32.to_be_bytes()].concat()),
        of(0x0E, &[0.1_f64.to_be_bytes(), 1e300_f64.to_be_bytes()].concat()),
    ];
    of_file("IDX of numbers", seeds, |path| Some(digest(&read_idx(path).ok()?)))
}

/// The damage is inside of a gzip file that is whole.
#[cfg(feature = "gzip")]
pub fn idx_gz() -> Reader {
    let folder = InFolder::new();
    Reader::new("IDX in gzip", vec![PAIRS.to_vec()], move |bytes| {
        Some(digest(&read_idx(folder.holding(&checksum::gzip(bytes))).ok()?))
    })
}

pub fn npy() -> Reader {
    let file = |descr: &str, fortran: &str, shape: &str, values: &[u8]| {
        let header = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let length = (header.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), values].concat()
    };
    let seeds = vec![
        file("'<f8'", "False", "(2, 2)", &[0.5_f64.to_le_bytes(); 4].concat()),
        file("'>f4'", "True", "(1, 3)", &[2.5_f32.to_be_bytes(); 3].concat()),
        file("'|u1'", "False", "(3,)", &[1, 2, 3]),
        file("'<i8'", "False", "()", &(-5_i64).to_le_bytes()),
    ];
    of_file("NPY", seeds, |path| Some(digest(&read_npy(path).ok()?)))
}

#[cfg(feature = "gzip")]
const STORED: &[u8] = include_bytes!("../fixtures/stored.npz");
#[cfg(feature = "gzip")]
const DEFLATED: &[u8] = include_bytes!("../fixtures/deflated.npz");
/// A million zeros: 8 MB in 8 kB.
#[cfg(feature = "gzip")]
const ZEROS: &[u8] = include_bytes!("../fixtures/zeros.npz");

#[cfg(feature = "gzip")]
fn read_npz(path: &Path) -> Option<Vec<u8>> {
    let file = linfa_mlp::datasets::Npz::open(path).ok()?;
    let names: Vec<String> = file.names().map(str::to_owned).collect();
    let mut read = Vec::new();
    for name in names {
        read.extend(name.bytes());
        read.extend(digest(&file.array(&name).ok()?));
    }
    Some(read)
}

#[cfg(feature = "gzip")]
pub fn npz_stored() -> Reader {
    // Names and dates are not under a checksum: what is read need not be what was written, only never a wrong number.
    let read = |path: &Path| read_npz(path).map(|_| Vec::new());
    of_file("NPZ", vec![STORED.to_vec()], read).sealed_by(checksum::zip)
}

/// A byte of a deflated file gives at most 1032, which are read as they are and once more as numbers of 8 bytes.
#[cfg(feature = "gzip")]
pub fn npz_deflated() -> Reader {
    of_file("NPZ, deflated", vec![DEFLATED.to_vec(), ZEROS.to_vec()], |path| {
        read_npz(path).map(|_| Vec::new())
    })
    .factor(1032 * 4)
    .slow(4)
}

#[cfg(feature = "csv")]
const TABLE: &[u8] = b"a,b,y\n1,2,3\n-4.5,\"5e-3\",6\n 7 , 8,9\n";

#[cfg(feature = "csv")]
pub fn csv_of_numbers() -> Reader {
    let other = b"a,b,y\r\n0.1,1e300,0\r\n\r\n-0,4,2".to_vec();
    of_file("CSV", vec![TABLE.to_vec(), other], |path| {
        let data = linfa_mlp::datasets::Csv::file(path).regression::<f64>().ok()?;
        assert!(data.records.iter().chain(&data.targets).all(|value| value.is_finite()));
        Some(digest(&data.records.into_dyn()))
    })
}

#[cfg(feature = "csv")]
pub fn csv_of_labels() -> Reader {
    let table = b"kind;size\n\"a \"\"b\"\"\";1\n c;2\n\xC3\xBC;-3\n".to_vec();
    of_file("CSV of labels", vec![table], |path| {
        let csv = linfa_mlp::datasets::Csv::file(path).separator(';').target("kind");
        let data = csv.classification::<f32>().ok()?;
        assert!(data.targets.iter().all(|label| !label.is_empty()));
        Some(data.targets.to_vec().join("\n").into_bytes())
    })
}

/// A file that is torn at its end is read up to its last whole event: what is read begins as the seed does.
#[cfg(feature = "tensorboard")]
pub fn events() -> Reader {
    use linfa_mlp::tensorboard::{EventWriter, Events, Summary};
    let mut seed = Vec::new();
    let mut writer = EventWriter::new(&mut seed, 1.7e9).expect("a vector can be written");
    for epoch in 1..4 {
        writer.write(epoch, 1.7e9, Summary::scalar("epoch_loss", 0.5)).expect("a vector can be written");
        writer.write(epoch, 1.7e9, Summary::text("notes", "**bold**")).expect("a vector can be written");
    }
    writer.flush().expect("a vector can be written");
    drop(writer);
    let all: Vec<_> = Events::new(&seed[..]).map(|event| event.expect("it is whole")).collect();
    Reader::new("event file", vec![seed], move |bytes| {
        let events = Events::new(bytes).collect::<Result<Vec<_>, _>>().ok()?;
        let begins = events.len() <= all.len() && events == all[..events.len()];
        Some(if begins { Vec::new() } else { format!("{events:?}").into_bytes() })
    })
    .sealed_by(checksum::records)
}

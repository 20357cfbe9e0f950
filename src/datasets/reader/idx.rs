//! IDX, the format of MNIST.

use std::path::Path;

use ndarray::{ArrayD, IxDyn};

use super::content::{Content, Element, Form};
use crate::error::Result;
use crate::float::Float;

/// Reads an array from an IDX file, also a gzipped one (feature `gzip`).
///
/// ```text
/// 00 00 | type u8 | dimensions u8 | size of each dimension u32 … | values          big-endian
/// type: 08 u8 · 09 i8 · 0B i16 · 0C i32 · 0D f32 · 0E f64
/// ```
///
/// # Errors
///
/// - [`Error::File`](crate::Error::File): the file cannot be opened.
/// - [`Error::DataFile`](crate::Error::DataFile): it is no such file, is cut, damaged or longer than it says.
///
/// # Examples
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("pairs-idx2-ubyte");
/// std::fs::write(&path, [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6])?;
/// let pairs = linfa_mlp::datasets::read_idx::<f32>(&path)?;
/// assert_eq!(pairs, ndarray::array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]].into_dyn());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_idx<F: Float>(path: impl AsRef<Path>) -> Result<ArrayD<F>> {
    let mut file = Content::open("IDX", path.as_ref())?;
    let [zero, nought, form, dimensions] = file.bytes("its first 4 bytes")?;
    let form = match form {
        0x08 => Form::Unsigned(1),
        0x09 => Form::Signed(1),
        0x0B => Form::Signed(2),
        0x0C => Form::Signed(4),
        0x0D => Form::F32,
        0x0E => Form::F64,
        other => return Err(file.fail(format!("there is no type {other:#04x} of values"))),
    };
    if (zero, nought) != (0, 0) {
        return Err(file.fail("it does not begin with two zeros"));
    }
    // ndarray counts strides of more dimensions than any picture has.
    if !(1..=8).contains(&dimensions) {
        return Err(file.fail(format!("it has {dimensions} dimensions, not 1 to 8")));
    }
    let mut shape = Vec::with_capacity(usize::from(dimensions));
    for _ in 0..dimensions {
        shape.push(u32::from_be_bytes(file.bytes("its header")?) as usize);
    }
    let numbers = file.numbers(Element { form, big_endian: true }, &shape)?;
    ArrayD::from_shape_vec(IxDyn(&shape), numbers).map_err(|error| file.fail(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use std::fs;

    fn read(bytes: &[u8]) -> Result<ArrayD<f64>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, bytes).unwrap();
        read_idx(&path)
    }

    fn problem(bytes: &[u8]) -> String {
        match read(bytes).unwrap_err() {
            Error::DataFile { kind: "IDX", problem, .. } => problem,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn every_type_of_value_is_read() {
        let of = |form: u8, bytes: &[u8]| {
            let mut file = vec![0, 0, form, 1, 0, 0, 0, 2];
            file.extend(bytes);
            read(&file).unwrap().into_raw_vec_and_offset().0
        };
        assert_eq!(of(0x08, &[0, 255]), [0.0, 255.0]);
        assert_eq!(of(0x09, &[0x80, 0x7F]), [-128.0, 127.0]);
        assert_eq!(of(0x0B, &[0xFF, 0xFE, 0x01, 0x00]), [-2.0, 256.0]);
        assert_eq!(of(0x0C, &[0x80, 0, 0, 0, 0, 1, 0, 0]), [-2_147_483_648.0, 65_536.0]);
        assert_eq!(of(0x0D, &[1.5_f32.to_be_bytes(), (-0.25_f32).to_be_bytes()].concat()), [1.5, -0.25]);
        assert_eq!(of(0x0E, &[0.1_f64.to_be_bytes(), 1e300_f64.to_be_bytes()].concat()), [0.1, 1e300]);
    }

    #[test]
    fn hostile_headers_are_errors_and_allocate_nothing() {
        let whole = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4];
        for len in 0..whole.len() {
            let found = problem(&whole[..len]);
            assert!(found.contains("ends within") || found.contains("can hold"), "{len}: {found}");
        }
        assert!(problem(&[&whole[..], &[5]].concat()).contains("goes on after its 4 values"));
        assert!(problem(&[1, 0, 8, 1, 0, 0, 0, 0]).contains("two zeros"));
        assert!(problem(&[0, 0, 7, 1, 0, 0, 0, 0]).contains("0x07"));
        assert!(problem(&[0, 0, 8, 0]).contains("0 dimensions"));
        assert!(problem(&[0, 0, 8, 255]).contains("255 dimensions"));
        let huge = [&[0, 0, 0x0E, 8][..], &[0xFF; 32], &[0; 64]].concat();
        assert!(problem(&huge).contains("more than such a file can hold"));
        let long = [0, 0, 8, 1, 0xFF, 0xFF, 0xFF, 0xFF, 1];
        assert!(problem(&long).contains("more than such a file can hold"));
        // A dimension of 0 has no values, whatever the others say.
        let empty = [0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 3];
        assert_eq!(read(&empty).unwrap().shape(), [0, 3]);
        let empty = [&[0, 0, 8, 8, 0, 0, 0, 0][..], &[0xFF; 28]].concat();
        assert!(read(&empty).is_err());
    }

    #[cfg(feature = "gzip")]
    #[test]
    fn gzip_is_unpacked_and_its_damage_is_seen() {
        use std::io::Write;
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let mut whole = vec![0, 0, 8, 1, 0, 0, 0x10, 0];
        whole.extend((0..4096_u32).map(|value| (value % 251) as u8));
        packer.write_all(&whole).unwrap();
        let packed = packer.finish().unwrap();
        assert_eq!(read(&packed).unwrap(), read(&whole).unwrap());
        for len in (2..packed.len()).step_by(7) {
            assert!(!problem(&packed[..len]).is_empty(), "cut to {len}");
        }
        for byte in (10..packed.len()).step_by(5) {
            let mut damaged = packed.clone();
            damaged[byte] ^= 0x10;
            assert!(read(&damaged).is_err(), "byte {byte}");
        }
    }
}

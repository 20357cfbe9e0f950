//! NPY, the format of `numpy.save`.

use std::path::Path;

use ndarray::{ArrayD, IxDyn, ShapeBuilder};

use super::content::{Content, Element, Form};
use crate::error::Result;
use crate::float::Float;

/// Reads an array from an NPY file, as `numpy.save` writes it.
///
/// All kinds of numbers are read, in both byte orders and both orders of axes, and rounded to the nearest `F`; booleans
/// become 0 and 1. Text, objects, structures, complex and half-precision numbers are errors.
///
/// # Errors
///
/// - [`Error::File`](crate::Error::File): the file cannot be opened.
/// - [`Error::DataFile`](crate::Error::DataFile): it is no such file, holds something else than numbers, is cut, damaged or
///   longer than it says.
///
/// # Examples
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("x.npy");
/// # let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n";
/// # let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
/// # bytes.extend((header.len() as u16).to_le_bytes());
/// # bytes.extend(header.bytes());
/// # bytes.extend([1.5_f32, -2.0].iter().flat_map(|value| value.to_le_bytes()));
/// # std::fs::write(&path, bytes)?;
/// let x = linfa_mlp::datasets::read_npy::<f64>(&path)?; // numpy.save("x.npy", numpy.float32([[1.5], [-2]]))
/// assert_eq!(x, ndarray::array![[1.5], [-2.0]].into_dyn());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_npy<F: Float>(path: impl AsRef<Path>) -> Result<ArrayD<F>> {
    read(Content::open("NPY", path.as_ref())?)
}

/// The longest header that is read; NumPy's own limit is 10 000.
const MAX_HEADER: usize = 1 << 16;

/// Reads an array from what is left of a file.
pub(super) fn read<F: Float>(mut file: Content<'_>) -> Result<ArrayD<F>> {
    let magic: [u8; 8] = file.bytes("its first 8 bytes")?;
    if !magic.starts_with(b"\x93NUMPY") {
        return Err(file.fail("it does not begin as one"));
    }
    let length = match magic[6] {
        1 => usize::from(u16::from_le_bytes(file.bytes("its header")?)),
        2 | 3 => u32::from_le_bytes(file.bytes("its header")?) as usize,
        version => return Err(file.fail(format!("its format version is {version}, not 1 to 3"))),
    };
    if length > MAX_HEADER {
        return Err(file.fail(format!("its header has {length} bytes, more than {MAX_HEADER}")));
    }
    let header = file.vec(length, "its header")?;
    let header = String::from_utf8_lossy(&header);
    let Some((element, fortran, shape)) = parse(&header) else {
        return Err(file.fail(format!("its header names no array of numbers: {}", header.trim())));
    };
    let numbers = file.numbers(element, &shape)?;
    let array = ArrayD::from_shape_vec(IxDyn(&shape).set_f(fortran), numbers);
    let array = array.map_err(|error| file.fail(error.to_string()))?;
    Ok(if fortran { array.as_standard_layout().into_owned() } else { array })
}

/// What a header says: `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`.
fn parse(header: &str) -> Option<(Element, bool, Vec<usize>)> {
    let after = |key: &str| Some(header.split_once(&format!("'{key}':"))?.1.trim_start());
    let descr = after("descr")?.strip_prefix('\'')?.split('\'').next()?;
    let mut letters = descr.chars();
    let (order, kind) = (letters.next()?, letters.next()?);
    let form = match (kind, letters.as_str().parse().ok()?) {
        ('f', 4) => Form::F32,
        ('f', 8) => Form::F64,
        ('b', 1) => Form::Unsigned(1),
        ('u', size @ (1 | 2 | 4 | 8)) => Form::Unsigned(size),
        ('i', size @ (1 | 2 | 4 | 8)) => Form::Signed(size),
        _ => return None,
    };
    let big_endian = match order {
        '<' | '|' => false,
        '>' => true,
        _ => return None,
    };
    let fortran = after("fortran_order")?;
    let fortran = match fortran.starts_with("True") {
        false if !fortran.starts_with("False") => return None,
        fortran => fortran,
    };
    let sizes = after("shape")?.strip_prefix('(')?.split_once(')')?.0;
    let sizes = sizes.split(',').map(str::trim).filter(|size| !size.is_empty());
    let shape: Vec<usize> = sizes.map(|size| size.parse().ok()).collect::<Option<_>>()?;
    // A size beyond what memory can number has no array; ndarray would refuse it later.
    let fits = shape.iter().filter(|size| **size > 0).try_fold(1_usize, |n, &size| n.checked_mul(size));
    fits.filter(|n| *n <= isize::MAX as usize && shape.len() <= 32)?;
    Some((Element { form, big_endian }, fortran, shape))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn file(descr: &str, fortran: &str, shape: &str, values: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(values);
        bytes
    }

    fn read_bytes(bytes: &[u8]) -> Result<ArrayD<f64>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        std::fs::write(&path, bytes).unwrap();
        read_npy(&path)
    }

    #[test]
    fn numbers_of_every_kind_and_order_are_read() {
        let one = |descr: &str, values: &[u8]| read_bytes(&file(descr, "False", "(1,)", values)).unwrap()[0];
        assert_eq!(one("'<f8'", &0.1_f64.to_le_bytes()), 0.1);
        assert_eq!(one("'>f4'", &1.5_f32.to_be_bytes()), 1.5);
        assert_eq!(one("'<i8'", &(-5_i64).to_le_bytes()), -5.0);
        assert_eq!(one("'>i2'", &(-300_i16).to_be_bytes()), -300.0);
        assert_eq!(one("'|i1'", &[0xFF]), -1.0);
        assert_eq!(one("'<u8'", &u64::MAX.to_le_bytes()), u64::MAX as f64);
        assert_eq!(one("'<u2'", &40_000_u16.to_le_bytes()), 40_000.0);
        assert_eq!(one("'|b1'", &[1]), 1.0);
        let columns = read_bytes(&file("'|u1'", "True", "(2, 3)", &[1, 2, 3, 4, 5, 6])).unwrap();
        assert_eq!(columns, ndarray::array![[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]].into_dyn());
        assert!(columns.is_standard_layout());
        assert_eq!(read_bytes(&file("'|u1'", "False", "()", &[7])).unwrap()[[]], 7.0);
    }

    #[test]
    fn what_is_no_array_of_numbers_is_refused() {
        for bytes in [
            file("'|O'", "False", "(1,)", &[0; 8]),
            file("'<U3'", "False", "(1,)", &[0; 12]),
            file("'<c8'", "False", "(1,)", &[0; 8]),
            file("'<f2'", "False", "(1,)", &[0; 2]),
            file("[('a', '<f8')]", "False", "(1,)", &[0; 8]),
            file("'<f8'", "Maybe", "(1,)", &[0; 8]),
            file("'<f8'", "False", "(-1,)", &[0; 8]),
            file("'<f8'", "False", "(18446744073709551615, 18446744073709551615)", &[0; 8]),
            file("'<f8'", "False", "(0, 18446744073709551615)", &[]),
            file("'<f8'", "False", "(1000000000,)", &[0; 8]),
            file("'<f8'", "False", "(2,)", &[0; 8]),
            file("'<f8'", "False", "(1,)", &[0; 9]),
            b"\x93NUMPY\x09\x00\x00\x00".to_vec(),
            b"\x93NUMPY\x02\x00\xFF\xFF\xFF\xFF".to_vec(),
            b"PK\x03\x04 and so on".to_vec(),
            Vec::new(),
        ] {
            let found = read_bytes(&bytes).unwrap_err();
            assert!(matches!(found, Error::DataFile { kind: "NPY", .. }), "{found}");
        }
        let missing = read_npy::<f32>("no such file.npy").unwrap_err();
        assert!(matches!(missing, Error::File { .. }), "{missing}");
    }
}

//! Files of named tensors, in the safetensors format.
//!
//! ```text
//! length of the header u64 | header: JSON {name: {dtype, shape, data_offsets}, "__metadata__": {key: text}} | numbers
//! ```
//!
//! Read and written by hand: what a file says twice, leaves open or leaves over is an error that names it, and equal models
//! give equal bytes.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;

use ndarray::ArrayD;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::json;

use crate::error::{Error, Result};
use crate::float::Float;
use crate::persistence;

const METADATA: &str = "__metadata__";

/// The longest header that readers take.
const MAX_HEADER: u64 = 100_000_000;

/// Named tensors and a metadata of texts: the content of a `.safetensors` file.
///
/// # Examples
///
/// ```
/// use linfa_mlp::exchange::SafeTensors;
/// use ndarray::array;
///
/// let mut file = SafeTensors::new();
/// file.insert("0.weight", array![[1.0_f32, 2.0], [3.0, 4.0]].into_dyn())?;
/// file.set_metadata("origin", "a doc-test");
///
/// let again = SafeTensors::from_bytes(file.to_bytes())?;
/// assert_eq!(again.get::<f32>("0.weight")?, array![[1.0, 2.0], [3.0, 4.0]].into_dyn());
/// assert!(again.get::<f64>("0.weight").is_err(), "numbers are converted when asked for");
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
///
/// # References
///
/// Hugging Face, *safetensors*, format description of version 0.8.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SafeTensors {
    tensors: BTreeMap<String, Tensor>,
    metadata: BTreeMap<String, String>,
    numbers: Vec<u8>,
}

/// A tensor's place among the numbers.
#[derive(Clone, Debug, PartialEq)]
struct Tensor {
    dtype: String,
    shape: Vec<usize>,
    start: usize,
    end: usize,
}

impl SafeTensors {
    /// No tensors yet.
    #[must_use]
    pub fn new() -> Self {
        SafeTensors::default()
    }

    /// The names of the tensors, in ascending order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// A text of the metadata.
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// Sets a text of the metadata.
    pub fn set_metadata(&mut self, key: impl Into<String>, text: impl Into<String>) {
        self.metadata.insert(key.into(), text.into());
    }

    /// Adds a tensor.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a name that is taken, and for a number that is not finite.
    pub fn insert<F: Float>(&mut self, name: &str, values: ArrayD<F>) -> Result<()> {
        let free = name != METADATA && !self.tensors.contains_key(name);
        crate::error::check("name of a tensor", name, free, "one that no other tensor has")?;
        check_finite(name, &values)?;
        let start = self.numbers.len();
        for value in &values {
            self.numbers.extend_from_slice(&bytes_of(*value)[..size_of::<F>()]);
        }
        let (dtype, shape) = (dtype::<F>().to_owned(), values.shape().to_vec());
        self.tensors.insert(name.to_owned(), Tensor { dtype, shape, start, end: self.numbers.len() });
        Ok(())
    }

    /// The shape of a tensor.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a name that is not there.
    pub fn shape(&self, name: &str) -> Result<&[usize]> {
        Ok(&self.tensor(name)?.shape)
    }

    /// A tensor of numbers of this type.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a name that is not there, numbers of another type, and a number that is not finite.
    pub fn get<F: Float>(&self, name: &str) -> Result<ArrayD<F>> {
        let found = &self.tensor(name)?.dtype;
        let allowed = format!("{}, or be converted when it is read", dtype::<F>());
        crate::error::check(&format!("dtype of tensor {name}"), found, found == dtype::<F>(), &allowed)?;
        self.get_converted(name)
    }

    /// A tensor of `F32` or `F64` numbers, rounded to this type where it is the narrower one.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a name that is not there, numbers of a third type, and a number that is not finite or beyond
    /// this type.
    pub fn get_converted<F: Float>(&self, name: &str) -> Result<ArrayD<F>> {
        let Tensor { dtype, shape, start, end } = self.tensor(name)?;
        let bytes = &self.numbers[*start..*end];
        let values: Vec<F> = match dtype.as_str() {
            "F32" => bytes.chunks_exact(4).map(|b| F::of(f64::from(f32::from_le_bytes(four(b))))).collect(),
            "F64" => bytes.chunks_exact(8).map(|b| F::of(f64::from_le_bytes(eight(b)))).collect(),
            _ => return Err(Error::parameter(format!("dtype of tensor {name}"), dtype, "F32 or F64")),
        };
        let values = ArrayD::from_shape_vec(&shape[..], values).map_err(|_| {
            Error::parameter(format!("tensor {name}"), format!("of shape {shape:?}"), "smaller")
        })?;
        check_finite(name, &values)?;
        Ok(values)
    }

    /// The same file with all its tensors as numbers of this type.
    ///
    /// # Errors
    ///
    /// As [`get_converted`](Self::get_converted).
    pub fn converted<F: Float>(&self) -> Result<Self> {
        let mut file = SafeTensors { metadata: self.metadata.clone(), ..SafeTensors::new() };
        for name in self.names() {
            file.insert(name, self.get_converted::<F>(name)?)?;
        }
        Ok(file)
    }

    /// The bytes of the file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut entries = serde_json::Map::new();
        if !self.metadata.is_empty() {
            entries.insert(METADATA.into(), json!(self.metadata));
        }
        for (name, Tensor { dtype, shape, start, end }) in &self.tensors {
            entries.insert(
                name.clone(),
                json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, end] }),
            );
        }
        let mut header = serde_json::Value::Object(entries).to_string().into_bytes();
        // Readers that map the file want the numbers on a boundary.
        header.resize(header.len().next_multiple_of(8), b' ');
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.append(&mut header);
        bytes.extend_from_slice(&self.numbers);
        bytes
    }

    /// The content of a file's bytes. Nothing is allocated that the bytes do not hold.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] for bytes that are no such file, are cut, name a tensor twice, or hold numbers that belong to no
    /// tensor or to two.
    pub fn from_bytes(mut bytes: Vec<u8>) -> Result<Self> {
        let fail = |problem: String| Error::Format { kind: "safetensors", problem };
        let Some(length) = bytes.get(..8).map(|length| u64::from_le_bytes(eight(length))) else {
            return Err(fail(format!("it has {} bytes, and begins with a length of 8", bytes.len())));
        };
        let rest = bytes.len() as u64 - 8;
        if length > rest.min(MAX_HEADER) {
            let most = rest.min(MAX_HEADER);
            return Err(fail(format!("its header should have {length} bytes, where {most} are possible")));
        }
        let end = 8 + length as usize;
        let Header { tensors, metadata } =
            serde_json::from_slice(&bytes[8..end]).map_err(|error| fail(format!("its header: {error}")))?;
        bytes.drain(..end);
        let mut places = BTreeMap::new();
        let mut in_order: Vec<(&String, &Info)> = tensors.iter().map(|(name, info)| (name, info)).collect();
        in_order.sort_by_key(|(_, info)| info.data_offsets);
        let mut next = 0;
        for (name, info) in in_order {
            let tensor = info.place(bytes.len()).ok_or_else(|| {
                fail(format!("tensor {name}: {} {:?} at {:?}", info.dtype, info.shape, info.data_offsets))
            })?;
            if tensor.start != next {
                let problem = format!("tensor {name} begins at {}, where {next} follows", tensor.start);
                return Err(fail(problem));
            }
            next = tensor.end;
            places.insert(name.clone(), tensor);
        }
        if next != bytes.len() {
            return Err(fail(format!("{} bytes after the last tensor", bytes.len() - next)));
        }
        Ok(SafeTensors { tensors: places, metadata: metadata.into_iter().collect(), numbers: bytes })
    }

    /// Writes the file.
    ///
    /// # Errors
    ///
    /// [`Error::File`] names the path; a file that was there is left whole.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        persistence::write_atomically(path, &self.to_bytes())
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`Error::File`]; [`Error::DataFile`] for what [`from_bytes`](Self::from_bytes) refuses.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        SafeTensors::from_bytes(persistence::read_file(path)?).map_err(|error| match error {
            Error::Format { kind, problem } => Error::DataFile { kind, path: path.into(), problem },
            other => other,
        })
    }

    fn tensor(&self, name: &str) -> Result<&Tensor> {
        let missing = || Error::parameter(format!("tensor {name}"), "missing", "in the file");
        self.tensors.get(name).ok_or_else(missing)
    }
}

/// The type's name in a header.
fn dtype<F: Float>() -> &'static str {
    if size_of::<F>() == 4 { "F32" } else { "F64" }
}

/// The bytes of a number, of which an `f32` has the first four.
fn bytes_of<F: Float>(value: F) -> [u8; 8] {
    if size_of::<F>() == 8 {
        return value.wide().to_le_bytes();
    }
    let [a, b, c, d] = (value.wide() as f32).to_le_bytes();
    [a, b, c, d, 0, 0, 0, 0]
}

/// Four bytes of a chunk of four.
fn four(bytes: &[u8]) -> [u8; 4] {
    std::array::from_fn(|i| bytes[i])
}

/// Eight bytes of a chunk of eight.
fn eight(bytes: &[u8]) -> [u8; 8] {
    std::array::from_fn(|i| bytes[i])
}

fn check_finite<F: Float>(name: &str, values: &ArrayD<F>) -> Result<()> {
    match values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        Some((place, value)) => {
            Err(Error::parameter(format!("tensor {name}, number {place}"), value.wide(), "finite"))
        }
        None => Ok(()),
    }
}

/// What a header says of a tensor.
#[derive(Deserialize)]
struct Info {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

impl Info {
    /// Its place, if type, shape and offsets agree and lie within that many bytes.
    fn place(&self, bytes: usize) -> Option<Tensor> {
        let width = match self.dtype.as_str() {
            "BOOL" | "U8" | "I8" | "F8_E4M3" | "F8_E5M2" => 1,
            "U16" | "I16" | "F16" | "BF16" => 2,
            "U32" | "I32" | "F32" => 4,
            "U64" | "I64" | "F64" => 8,
            _ => return None,
        };
        let size = self.shape.iter().try_fold(width, |size: usize, &n| size.checked_mul(n))?;
        let [start, end] = self.data_offsets;
        let fits = end <= bytes && end.checked_sub(start)? == size;
        fits.then(|| Tensor { dtype: self.dtype.clone(), shape: self.shape.clone(), start, end })
    }
}

struct Header {
    tensors: Vec<(String, Info)>,
    metadata: Vec<(String, String)>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let (mut tensors, mut metadata) = (BTreeMap::new(), None);
                while let Some(name) = map.next_key::<String>()? {
                    let twice = if name == METADATA {
                        metadata.replace(map.next_value::<Unique<String>>()?).is_some()
                    } else {
                        tensors.insert(name.clone(), map.next_value::<Info>()?).is_some()
                    };
                    if twice {
                        return Err(A::Error::custom(format!("{name} stands there twice")));
                    }
                }
                let metadata = metadata.map_or_else(Vec::new, |metadata| metadata.0);
                Ok(Header { tensors: tensors.into_iter().collect(), metadata })
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// An object that has each of its keys once.
struct Unique<T>(Vec<(String, T)>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Unique<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for Entries<T> {
            type Value = Unique<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique<T>, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, T>()? {
                    if entries.insert(key.clone(), value).is_some() {
                        return Err(A::Error::custom(format!("{key} stands there twice")));
                    }
                }
                Ok(Unique(entries.into_iter().collect()))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn file(header: &str, numbers: &[u8]) -> Result<SafeTensors> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(numbers);
        SafeTensors::from_bytes(bytes)
    }

    fn problem(header: &str, numbers: &[u8]) -> String {
        match file(header, numbers) {
            Err(Error::Format { problem, .. }) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn both_number_types_come_back_bit_by_bit() {
        let mut file = SafeTensors::new();
        let (single, double) = (array![[0.1_f32, -0.0], [f32::MIN_POSITIVE, 3e38]], array![0.1_f64, -1e300]);
        file.insert("a", single.clone().into_dyn()).unwrap();
        file.insert("b", double.clone().into_dyn()).unwrap();
        file.set_metadata("x", "ä \"quoted\"");
        let again = SafeTensors::from_bytes(file.to_bytes()).unwrap();
        assert_eq!(again, file);
        assert_eq!(again.to_bytes(), file.to_bytes());
        assert_eq!(again.get::<f32>("a").unwrap(), single.into_dyn());
        assert_eq!(again.get::<f64>("b").unwrap(), double.into_dyn());
        assert_eq!(again.shape("a").unwrap(), [2, 2]);
        assert_eq!(again.get_converted::<f64>("a").unwrap()[[0, 0]], f64::from(0.1_f32));
        assert!(again.get_converted::<f32>("b").unwrap_err().to_string().contains("tensor b, number 1"));
    }

    #[test]
    fn what_a_header_says_twice_or_leaves_open_is_refused_by_name() {
        let a = r#""a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
        let four = [0_u8; 4];
        assert!(file(&format!("{{{a}}}"), &four).is_ok());
        assert!(problem(&format!("{{{a},{a}}}"), &four).contains("a stands there twice"));
        let metadata = r#""__metadata__":{"k":"1","k":"2"}"#;
        assert!(problem(&format!("{{{a},{metadata}}}"), &four).contains("k stands there twice"));
        assert!(problem(&format!("{{{a}}}"), &[0; 5]).contains("1 bytes after"));
        assert!(problem(&format!("{{{a}}}"), &[0; 3]).contains("tensor a"));
        let hole = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
        assert!(problem(hole, &[0; 8]).contains("tensor a begins at 4"));
        let shared = format!(r#"{{{a},"b":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}}"#);
        assert!(problem(&shared, &four).contains("begins at 0, where 4 follows"));
        let huge = r#"{"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#;
        assert!(problem(huge, &[]).contains("tensor a"));
        let kind = r#"{"a":{"dtype":"F80","shape":[0],"data_offsets":[0,0]}}"#;
        assert!(problem(kind, &[]).contains("F80"));
        for header in ["", "[]", "{\"a\":1}", "{\"__metadata__\":{\"k\":1}}", &"[".repeat(100_000)] {
            assert!(problem(header, &[]).contains("its header"));
        }
        let mut cut = u64::MAX.to_le_bytes().to_vec();
        assert!(SafeTensors::from_bytes(cut.clone()).is_err());
        cut.truncate(7);
        assert!(SafeTensors::from_bytes(cut).is_err());
    }

    #[test]
    fn numbers_that_are_none_are_refused_both_ways() {
        let mut file = SafeTensors::new();
        let error = file.insert("w", array![1.0, f64::NAN].into_dyn()).unwrap_err();
        assert!(error.to_string().contains("tensor w, number 1"), "{error}");
        let header = r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        let read = super::tests::file(header, &f32::INFINITY.to_le_bytes()).unwrap();
        assert!(read.get::<f32>("w").unwrap_err().to_string().contains("tensor w, number 0"));
        assert!(matches!(read.get::<f32>("v"), Err(Error::Parameter { name, .. }) if name == "tensor v"));
        file.insert("w", array![1.0].into_dyn()).unwrap();
        assert!(file.insert("w", array![1.0].into_dyn()).is_err());
        assert!(file.insert("__metadata__", array![1.0].into_dyn()).is_err());
    }

    #[test]
    fn numbers_of_other_types_are_not_read_as_weights() {
        let header = r#"{"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}"#;
        let read = file(header, &[1, 0, 0, 0, 0, 0, 0, 0]).unwrap();
        assert!(read.get_converted::<f64>("n").unwrap_err().to_string().contains("F32 or F64, but is I64"));
    }
}

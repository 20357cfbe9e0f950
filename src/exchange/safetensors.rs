//! Files of named tensors, in the safetensors format.
//!
//! ```text
//! length of the header u64 | header: JSON {name: {dtype, shape, data_offsets}, "__metadata__": {key: text}} | numbers
//! ```
//!
//! The crate of that name writes them, knows the number types, and checks that each tensor has the bytes of its shape and that
//! they follow each other without a gap. What it does not see is looked at here: a name that stands there twice, of which it
//! takes the last one, and places whose sum overflows.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;

use ndarray::ArrayD;
use safetensors::tensor::{Dtype, Metadata, SafeTensorError, TensorInfo, TensorView};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::float::Float;
use crate::persistence;

const METADATA: &str = "__metadata__";

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
/// let again = SafeTensors::from_bytes(&file.to_bytes()?)?;
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
}

/// A tensor as it stands in a file: row-major, little-endian.
#[derive(Clone, Debug, PartialEq)]
struct Tensor {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
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

    /// Sets a text of the metadata. Equal files with one text at most have equal bytes; several stand there in any order.
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
        let mut bytes = Vec::with_capacity(values.len() * size_of::<F>());
        for value in &values {
            match dtype::<F>() {
                Dtype::F32 => bytes.extend((value.wide() as f32).to_le_bytes()),
                _ => bytes.extend(value.wide().to_le_bytes()),
            }
        }
        let tensor = Tensor { dtype: dtype::<F>(), shape: values.shape().to_vec(), bytes };
        self.tensors.insert(name.to_owned(), tensor);
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
        let found = self.tensor(name)?.dtype;
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
        let Tensor { dtype, shape, bytes } = self.tensor(name)?;
        let values: Vec<F> = match dtype {
            Dtype::F32 => numbers(bytes, |bytes| F::of(f64::from(f32::from_le_bytes(bytes)))),
            Dtype::F64 => numbers(bytes, |bytes| F::of(f64::from_le_bytes(bytes))),
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
    ///
    /// # Errors
    ///
    /// [`Error::Format`] for names, shapes and metadata of more than 100 MB together, which nothing would read again.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let views = self.tensors.iter().map(|(name, Tensor { dtype, shape, bytes })| {
            TensorView::new(*dtype, shape.clone(), bytes).map(|view| (name, view))
        });
        let views = views.collect::<Result<Vec<_>, _>>();
        let metadata = (!self.metadata.is_empty()).then(|| self.metadata.clone().into_iter().collect());
        views
            .and_then(|views| safetensors::serialize(views, metadata))
            .map_err(|error| fail(error.to_string()))
    }

    /// The content of a file's bytes. Nothing is allocated that the bytes do not hold.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] for bytes that are no such file, are cut, name a tensor twice, or hold numbers that belong to no
    /// tensor or to two.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (header, numbers) = parts(bytes)
            .ok_or_else(|| fail(format!("it has {} bytes, and its header is longer", bytes.len())))?;
        let Once(entries) = serde_json::from_slice::<Once<Once<Value>>>(header)
            .map_err(|error| fail(format!("its header: {error}")))?;
        let (mut infos, mut metadata) = (Vec::new(), BTreeMap::new());
        for (name, Once(entry)) in entries {
            let entry = Value::Object(entry.into_iter().collect());
            let read = if name == METADATA {
                serde_json::from_value(entry).map(|texts| metadata = texts)
            } else {
                serde_json::from_value::<TensorInfo>(entry).map(|info| infos.push((name.clone(), info)))
            };
            read.map_err(|error| fail(format!("its header: {name}: {error}")))?;
        }
        infos.sort_by_key(|(_, info)| info.data_offsets);
        infos.iter().try_for_each(|(name, info)| check_alone(name, info))?;
        let file = Metadata::new(None, infos).map_err(|error| fail(error.to_string()))?;
        if file.data_len() != numbers.len() {
            let problem =
                format!("its tensors have {} bytes, and {} are there", file.data_len(), numbers.len());
            return Err(fail(problem));
        }
        let tensor = |(name, info): (String, &TensorInfo)| {
            let (start, end) = info.data_offsets;
            let (dtype, shape) = (info.dtype, info.shape.clone());
            (name, Tensor { dtype, shape, bytes: numbers[start..end].to_vec() })
        };
        Ok(SafeTensors { tensors: file.tensors().into_iter().map(tensor).collect(), metadata })
    }

    /// Writes the file.
    ///
    /// # Errors
    ///
    /// [`Error::File`] names the path; a file that was there is left whole. [`Error::Format`], as
    /// [`to_bytes`](Self::to_bytes).
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        persistence::write_atomically(path, &self.to_bytes()?)
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`Error::File`], also for more than 64 GiB; [`Error::DataFile`] for what [`from_bytes`](Self::from_bytes) refuses.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        SafeTensors::from_bytes(&persistence::read_file(path)?).map_err(|error| match error {
            Error::Format { kind, problem } => Error::DataFile { kind, path: path.into(), problem },
            other => other,
        })
    }

    fn tensor(&self, name: &str) -> Result<&Tensor> {
        let missing = || Error::parameter(format!("tensor {name}"), "missing", "in the file");
        self.tensors.get(name).ok_or_else(missing)
    }
}

fn fail(problem: String) -> Error {
    Error::Format { kind: "safetensors", problem }
}

/// The type's name in a header.
fn dtype<F: Float>() -> Dtype {
    if size_of::<F>() == 4 { Dtype::F32 } else { Dtype::F64 }
}

/// The numbers that some bytes are, wherever these lie in memory.
fn numbers<F, const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> F) -> Vec<F> {
    bytes.as_chunks().0.iter().map(|&bytes| number(bytes)).collect()
}

fn check_finite<F: Float>(name: &str, values: &ArrayD<F>) -> Result<()> {
    match values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        Some((place, value)) => {
            Err(Error::parameter(format!("tensor {name}, number {place}"), value.wide(), "finite"))
        }
        None => Ok(()),
    }
}

/// The header and what follows it, if there are as many bytes as the first eight say.
fn parts(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}

/// Checks a tensor as if it were the only one of its file: errors of the crate about one among many do not name it.
fn check_alone(name: &str, info: &TensorInfo) -> Result<()> {
    let (start, end) = info.data_offsets;
    let alone = end.checked_sub(start).ok_or(SafeTensorError::TensorInvalidInfo).and_then(|length| {
        Metadata::new(None, vec![(name.to_owned(), TensorInfo { data_offsets: (0, length), ..info.clone() })])
    });
    alone.map(drop).map_err(|error| {
        let TensorInfo { dtype, shape, .. } = info;
        fail(format!("tensor {name}, {dtype} of shape {shape:?} at {start}..{end}: {error}"))
    })
}

/// An object that has each of its keys once.
struct Once<T>(BTreeMap<String, T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Once<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Once<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Once<T>, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, T>()? {
                    if entries.contains_key(&key) {
                        return Err(A::Error::custom(format!("{key} stands there twice")));
                    }
                    entries.insert(key, value);
                }
                Ok(Once(entries))
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
        SafeTensors::from_bytes(&bytes)
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
        let again = SafeTensors::from_bytes(&file.to_bytes().unwrap()).unwrap();
        assert_eq!(again, file);
        assert_eq!(again.to_bytes().unwrap(), file.to_bytes().unwrap());
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
        assert!(problem(&format!("{{{a}}}"), &[0; 5]).contains("have 4 bytes, and 5 are there"));
        assert!(problem(&format!("{{{a}}}"), &[0; 3]).contains("have 4 bytes, and 3 are there"));
        let hole = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
        assert!(problem(hole, &[0; 8]).contains("`a`"));
        let shared = format!(r#"{{{a},"b":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}}"#);
        assert!(problem(&shared, &four).contains("invalid offset for tensor"));
        let huge = r#"{"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#;
        assert!(problem(huge, &[]).contains("tensor a"));
        let kind = r#"{"a":{"dtype":"F80","shape":[0],"data_offsets":[0,0]}}"#;
        assert!(problem(kind, &[]).contains("its header: a: unknown variant `F80`"));
        let [turned, long, bits] = [
            r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#,
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
            r#"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}"#,
        ];
        for header in [turned, long, bits] {
            assert!(problem(header, &four).contains("tensor a, F"));
        }
        for entry in [r#""dtype":"F64","#, r#""shape":[],"#, r#""data_offsets":[0,8],"#] {
            let header = format!("{{{}}}", a.replacen('{', &format!("{{{entry}"), 1));
            assert!(problem(&header, &four).contains("stands there twice"), "{header}");
        }
        for header in ["", "[]", "{\"a\":1}", "{\"__metadata__\":{\"k\":1}}", &"[".repeat(100_000)] {
            assert!(problem(header, &[]).contains("its header"));
        }
        let mut cut = u64::MAX.to_le_bytes().to_vec();
        assert!(SafeTensors::from_bytes(&cut).is_err());
        cut.truncate(7);
        assert!(SafeTensors::from_bytes(&cut).is_err());
    }

    /// Places that are as long as their shapes say, follow each other, and whose sum with the header's length overflows to
    /// the file's own.
    #[test]
    fn places_whose_sum_overflows_are_refused() {
        let longest = (1_usize << 61) - 1;
        let mut entries: Vec<(usize, usize)> = (0..8).map(|i| (i * longest, (i + 1) * longest)).collect();
        let header = |entries: &[(usize, usize)]| {
            let entry = |(i, (start, end)): (usize, &(usize, usize))| {
                let size = end - start;
                format!(r#""t{i}":{{"dtype":"U8","shape":[{size}],"data_offsets":[{start},{end}]}}"#)
            };
            format!("{{{}}}", entries.iter().enumerate().map(entry).collect::<Vec<_>>().join(","))
        };
        for end in 8 * longest..=usize::MAX {
            entries.truncate(8);
            entries.push((8 * longest, end));
            assert!(problem(&header(&entries), &[]).contains("0 are there"));
        }
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
        for dtype in ["F16", "BF16", "F8_E4M3", "BOOL", "C64"] {
            let width = [("F16", 2), ("BF16", 2), ("C64", 8)].into_iter().find(|(name, _)| *name == dtype);
            let width = width.map_or(1, |(_, width)| width);
            let header = format!(r#"{{"n":{{"dtype":"{dtype}","shape":[1],"data_offsets":[0,{width}]}}}}"#);
            let read = file(&header, &[0; 8][..width]).unwrap();
            let error = read.get_converted::<f32>("n").unwrap_err().to_string();
            assert_eq!(error, format!("dtype of tensor n must be F32 or F64, but is {dtype}"));
            assert!(read.get::<f64>("n").unwrap_err().to_string().contains("dtype of tensor n must be F64"));
        }
    }

    #[test]
    fn equal_files_have_equal_bytes_in_whatever_order_they_were_made() {
        let names = ["b/kernel", "a/kernel", "c", "B"];
        let bytes = |names: &mut dyn Iterator<Item = &&str>| {
            let mut file = SafeTensors::new();
            for name in names {
                file.insert(name, array![name.len() as f32, 0.5].into_dyn()).unwrap();
            }
            file.insert("wide", array![0.25_f64].into_dyn()).unwrap();
            file.set_metadata("about", "the same");
            file.to_bytes().unwrap()
        };
        let whole = bytes(&mut names.iter());
        for _ in 0..20 {
            assert_eq!(bytes(&mut names.iter().rev()), whole);
        }
        let turned = array![[1.0_f32, 2.0], [3.0, 4.0]].reversed_axes();
        let mut file = SafeTensors::new();
        file.insert("w", turned.clone().into_dyn()).unwrap();
        let again = SafeTensors::from_bytes(&file.to_bytes().unwrap()).unwrap();
        assert_eq!(again.get::<f32>("w").unwrap(), turned.into_dyn(), "row-major, whatever it was in memory");
    }

    #[test]
    fn bytes_are_read_wherever_they_lie() {
        let mut file = SafeTensors::new();
        file.insert("w", array![0.1_f64, 0.2].into_dyn()).unwrap();
        let mut bytes = file.to_bytes().unwrap();
        for _ in 0..8 {
            let ahead = bytes.len() - file.to_bytes().unwrap().len();
            assert_eq!(SafeTensors::from_bytes(&bytes[ahead..]).unwrap(), file);
            bytes.insert(0, 0);
        }
    }
}

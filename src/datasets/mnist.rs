//! MNIST: handwritten digits of 28 × 28 pixels.

use std::path::Path;

use linfa::Dataset;
use ndarray::{Array1, Ix1, Ix2};

use super::digits::pixel_names;
use super::source::{DataFile, Source};
use super::{TrainTest, read_idx};
use crate::error::{Error, Result};
use crate::float::Float;

/// The four files as they have been published since 1998, images before labels.
const TRAIN: [DataFile; 2] = [
    file(
        "train-images-idx3-ubyte.gz",
        9_912_422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    file(
        "train-labels-idx1-ubyte.gz",
        28_881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
];
const TEST: [DataFile; 2] = [
    file(
        "t10k-images-idx3-ubyte.gz",
        1_648_877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    file(
        "t10k-labels-idx1-ubyte.gz",
        4_542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
];

const fn file(name: &'static str, bytes: u64, sha256: &'static str) -> DataFile {
    DataFile { data_set: "MNIST", folder: "mnist", name, bytes, sha256 }
}

/// MNIST as it is trained on: 60 000 rows to learn from and 10 000 to test, of 784 pixels scaled to \[0, 1\], and the digits
/// as labels. [`TrainTest::one_hot`] makes rows of zeros and a one of them.
///
/// The pixels are scaled by the lowest and highest value among the training rows, 0 and 255: all by the same, so that no
/// speck at the border is made large. The files are looked for as [`Source::new`] says.
///
/// # Errors
///
/// As [`Source::mnist`].
///
/// # Examples
///
/// ```no_run
/// use linfa_mlp::datasets::mnist;
///
/// let mnist = mnist::<f32>()?.one_hot(10)?;
/// assert_eq!((mnist.train.records.dim(), mnist.train.targets.dim()), ((60_000, 784), (60_000, 10)));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
///
/// # References
///
/// Y. LeCun, C. Cortes, C. J. C. Burges, *The MNIST database of handwritten digits*, 1998.
pub fn mnist<F: Float>() -> Result<TrainTest<F, usize>> {
    Source::new().mnist()
}

/// MNIST as published: pixels from 0 (white) to 255 (black).
///
/// # Errors
///
/// As [`Source::mnist`].
pub fn mnist_raw<F: Float>() -> Result<TrainTest<F, usize>> {
    Source::new().mnist_raw()
}

impl Source {
    /// [`mnist`](super::mnist) from here.
    ///
    /// # Errors
    ///
    /// - [`Error::NoDataFile`]: a file is in no folder, and was not fetched; it says which file, and where to put it.
    /// - [`Error::DataFile`]: a file is damaged, or holds no pictures of 28 × 28 pixels, no digits, or not as many digits as
    ///   pictures.
    pub fn mnist<F: Float>(&self) -> Result<TrainTest<F, usize>> {
        self.mnist_raw()?.scaled()
    }

    /// [`mnist_raw`](super::mnist_raw) from here.
    ///
    /// # Errors
    ///
    /// As [`mnist`](Self::mnist).
    pub fn mnist_raw<F: Float>(&self) -> Result<TrainTest<F, usize>> {
        Ok(TrainTest { train: part(self, &TRAIN)?, test: part(self, &TEST)? })
    }
}

fn part<F: Float>(source: &Source, [images, labels]: &[DataFile; 2]) -> Result<Dataset<F, usize, Ix1>> {
    let y = source.read(labels, digits_of)?;
    let x = source.read(images, |path| {
        let fail = |problem: String| Error::DataFile { kind: "MNIST", path: path.into(), problem };
        let x = read_idx::<F>(path)?;
        let &[n, 28, 28] = x.shape() else {
            return Err(fail(format!("its values are {:?}, not pictures of 28 × 28 pixels", x.shape())));
        };
        if n != y.len() || n == 0 {
            return Err(fail(format!("it has {n} pictures, but there are {} labels", y.len())));
        }
        x.into_shape_with_order(Ix2(n, 784)).map_err(|error| fail(error.to_string()))
    })?;
    Ok(Dataset::new(x, y).with_feature_names(pixel_names(28, 28)).with_target_names(vec!["digit"]))
}

fn digits_of(path: &Path) -> Result<Array1<usize>> {
    let fail = |problem: String| Error::DataFile { kind: "MNIST", path: path.into(), problem };
    let y = read_idx::<f32>(path)?;
    let y = y.into_dimensionality::<Ix1>().map_err(|_| fail("its labels are no list".into()))?;
    match y.iter().position(|digit| !(0.0..=9.0).contains(digit) || digit.fract() != 0.0) {
        Some(row) => Err(fail(format!("label {row} is {}, not a digit", y[row]))),
        None => Ok(y.mapv(|digit| digit as usize)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// An IDX file of bytes.
    fn idx(shape: &[u32], values: &[u8]) -> Vec<u8> {
        let sizes = shape.iter().flat_map(|size| size.to_be_bytes());
        [0, 0, 8, shape.len() as u8].into_iter().chain(sizes).chain(values.iter().copied()).collect()
    }

    fn read(images: &[u8], labels: &[u8]) -> Result<TrainTest<f32, usize>> {
        let folder = tempfile::tempdir().unwrap();
        for part in ["train", "t10k"] {
            fs::write(folder.path().join(format!("{part}-images-idx3-ubyte")), images).unwrap();
            fs::write(folder.path().join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
        }
        Source::nowhere().folder(folder.path()).mnist()
    }

    #[test]
    fn pixels_are_scaled_and_digits_become_labels() {
        let mut pixels = vec![0; 2 * 784];
        (pixels[0], pixels[784 + 29]) = (51, 255);
        let found = read(&idx(&[2, 28, 28], &pixels), &idx(&[2], &[7, 0])).unwrap();
        assert_eq!(found.train.records.dim(), (2, 784));
        assert_eq!((found.train.records[[0, 0]], found.test.records[[1, 29]]), (0.2, 1.0));
        assert_eq!(
            (found.train.targets.to_vec(), found.train.feature_names()[29].as_str()),
            (vec![7, 0], "pixel_1_1")
        );
        let one_hot = found.one_hot(10).unwrap();
        assert_eq!(one_hot.train.targets.row(0).to_vec(), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(one_hot.test.target_names()[9], "digit_9");
    }

    #[test]
    fn files_that_do_not_belong_together_are_refused() {
        let (images, labels) = (idx(&[2, 28, 28], &[0; 2 * 784]), idx(&[2], &[1, 2]));
        for (images, labels, expected) in [
            (idx(&[1, 28, 28], &[0; 784]), labels.clone(), "1 pictures, but there are 2 labels"),
            (idx(&[2, 14, 56], &[0; 2 * 784]), labels.clone(), "not pictures of 28 × 28 pixels"),
            (images.clone(), idx(&[2], &[1, 10]), "label 1 is 10, not a digit"),
            (images.clone(), idx(&[2, 1], &[1, 1]), "its labels are no list"),
            (images, vec![0; 8], "there is no type 0x00"),
            (idx(&[0, 28, 28], &[]), idx(&[0], &[]), "0 pictures"),
            (labels.clone(), labels, "not pictures of 28 × 28 pixels"),
        ] {
            let error = read(&images, &labels).unwrap_err();
            assert!(
                matches!(error, Error::DataFile { .. }) && error.to_string().contains(expected),
                "{error}"
            );
        }
    }
}

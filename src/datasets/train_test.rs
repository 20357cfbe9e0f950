//! A data set in two parts.

use linfa::Dataset;
use ndarray::{Axis, Ix1, Ix2};

use super::{MinMax, numpy_shuffle, one_hot};
use crate::error::{Error, Result, check};
use crate::float::Float;

/// Rows to learn from, and rows to test what was learned.
#[derive(Clone, Debug)]
pub struct TrainTest<F: Float, T, I: ndarray::Dimension = Ix1> {
    /// Rows to learn from.
    pub train: Dataset<F, T, I>,
    /// Rows that take no part in learning.
    pub test: Dataset<F, T, I>,
}

impl<F: Float, T: Clone> TrainTest<F, T> {
    /// Splits as the data sets of Keras do: rows in the order of [`numpy_shuffle`], of which the first
    /// `⌊n · (1 − test_split)⌋` are learned from. Keras' seed is 113.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a share outside (0, 1), or one that leaves a part without rows.
    ///
    /// # Examples
    ///
    /// ```
    /// use linfa_mlp::datasets::{TrainTest, digits};
    ///
    /// let digits = TrainTest::keras_split(&digits::<f32>(), 0.2, 113)?.scaled()?;
    /// assert_eq!((digits.train.targets.len(), digits.test.targets.len()), (1437, 360));
    /// # Ok::<(), linfa_mlp::Error>(())
    /// ```
    pub fn keras_split(data: &Dataset<F, T, Ix1>, test_split: f64, seed: u32) -> Result<Self> {
        check("test_split", test_split, test_split > 0.0 && test_split < 1.0, "above 0 and below 1")?;
        let n = data.targets.len();
        let n_train = (n as f64 * (1.0 - test_split)) as usize;
        if n_train == 0 || n_train == n {
            let found = format!("{test_split}, which leaves {n_train} of {n} rows to learn from");
            return Err(Error::parameter("test_split", found, "a share that leaves a row on both sides"));
        }
        let order = numpy_shuffle(seed, n);
        let part = |rows: &[usize]| {
            Dataset::new(data.records.select(Axis(0), rows), data.targets.select(Axis(0), rows))
                .with_feature_names(data.feature_names().to_vec())
                .with_target_names(data.target_names().to_vec())
        };
        Ok(TrainTest { train: part(&order[..n_train]), test: part(&order[n_train..]) })
    }
}

impl<F: Float, T, I: ndarray::Dimension> TrainTest<F, T, I> {
    /// Scales all features to \[0, 1\] by the lowest and highest value of the training part, as for pixels.
    ///
    /// # Errors
    ///
    /// As [`MinMax::of_all`], and [`Error::Width`] when the parts have not the same columns.
    pub fn scaled(mut self) -> Result<Self> {
        let scaling = MinMax::of_all(&self.train.records)?;
        self.train.records = scaling.scale(self.train.records)?;
        self.test.records = scaling.scale(self.test.records)?;
        Ok(self)
    }
}

impl<F: Float> TrainTest<F, usize> {
    /// Labels as rows of zeros with a one at the class: see [`one_hot`](super::one_hot). The target names become
    /// `digit_0`, `digit_1` and so on. Features are taken over, not copied.
    ///
    /// # Errors
    ///
    /// As [`one_hot`](super::one_hot), for either part.
    pub fn one_hot(self, n_classes: usize) -> Result<TrainTest<F, F, Ix2>> {
        let part = |data: Dataset<F, usize, Ix1>| -> Result<Dataset<F, F, Ix2>> {
            let y = one_hot(&data.targets, n_classes)?;
            let features = data.feature_names().to_vec();
            let name = data.target_names().first().map_or("class", String::as_str);
            let targets: Vec<String> = (0..n_classes).map(|class| format!("{name}_{class}")).collect();
            Ok(Dataset::new(data.records, y).with_feature_names(features).with_target_names(targets))
        };
        Ok(TrainTest { train: part(self.train)?, test: part(self.test)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, Array2};

    #[test]
    fn a_split_that_leaves_a_part_empty_is_refused() {
        let data = Dataset::new(Array2::<f32>::zeros((10, 1)), Array1::from_elem(10, 0_usize));
        for share in [0.0, 1.0, -0.5, f64::NAN, f64::INFINITY, 0.95, 1e-300] {
            let split = TrainTest::keras_split(&data, share, 0);
            assert!(matches!(split, Err(Error::Parameter { .. })), "{share}");
        }
        let empty = Dataset::new(Array2::<f32>::zeros((0, 1)), Array1::<usize>::default(0));
        assert!(TrainTest::keras_split(&empty, 0.5, 0).is_err());
    }
}

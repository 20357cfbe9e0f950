//! A borrowed data set.

use std::borrow::Cow;

use linfa::dataset::{AsTargets, DatasetBase, TargetDim};
use linfa::{Dataset, Float};
use ndarray::{Array, Array1, Array2, ArrayBase, ArrayView, ArrayView2, Axis, Data, Ix1, Ix2};

use super::target::Target;
use crate::error::{Error, Result};

/// A data set without a copy: records, targets, sample weights and names, as every fit of a search sees them.
///
/// # Shapes
///
/// `records` is `(n_samples, n_features)`; `targets` is `(n_samples,)` or `(n_samples, n_outputs)`; weights, when there
/// are any, are `n_samples` long.
#[derive(Clone, Debug)]
pub struct DataView<'a, F, Y, I: TargetDim> {
    records: ArrayView2<'a, F>,
    targets: ArrayView<'a, Y, I>,
    weights: Option<Cow<'a, [f32]>>,
    feature_names: &'a [String],
    target_names: &'a [String],
}

impl<'a, F: Float, Y: Target, I: TargetDim> DataView<'a, F, Y, I> {
    /// Borrows a linfa data set.
    ///
    /// # Errors
    ///
    /// - [`Error::NoRows`] when there are none
    /// - [`Error::RowCount`] when targets or weights have another number of rows than the records
    pub fn of<D, S>(dataset: &'a DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>) -> Result<Self>
    where
        D: Data<Elem = F>,
        S: Data<Elem = Y>,
    {
        let expected = dataset.records.nrows();
        if expected == 0 {
            return Err(Error::NoRows { array: "x" });
        }
        let weights = match dataset.weights.as_slice() {
            _ if dataset.weights.is_empty() => None,
            Some(weights) => Some(Cow::Borrowed(weights)),
            None => Some(Cow::Owned(dataset.weights.to_vec())),
        };
        let n_targets = dataset.targets.len_of(Axis(0));
        let n_weights = weights.as_ref().map_or(expected, |weights| weights.len());
        for (array, found) in [("y", n_targets), ("sample weights", n_weights)] {
            if found != expected {
                return Err(Error::RowCount { array, expected, found });
            }
        }
        Ok(DataView {
            records: dataset.records.view(),
            targets: dataset.targets.view(),
            weights,
            feature_names: dataset.feature_names(),
            target_names: dataset.target_names(),
        })
    }

    /// The same data under a shorter borrow. ndarray's views are invariant, so the compiler does not do it by itself.
    pub(crate) fn reborrow(&self) -> DataView<'_, F, Y, I> {
        self.with(None, None)
    }

    /// The same rows with other records or targets, as a fold's preparation makes them.
    pub(crate) fn with<'b>(
        &'b self,
        records: Option<ArrayView2<'b, F>>,
        targets: Option<ArrayView<'b, Y, I>>,
    ) -> DataView<'b, F, Y, I> {
        DataView {
            records: records.unwrap_or_else(|| self.records.view()),
            targets: targets.unwrap_or_else(|| self.targets.view()),
            weights: self.weights().map(Cow::Borrowed),
            feature_names: self.feature_names,
            target_names: self.target_names,
        }
    }

    /// The records, `(n_samples, n_features)`.
    #[must_use]
    pub fn records(&self) -> ArrayView2<'_, F> {
        self.records.view()
    }

    /// The targets, `(n_samples,)` or `(n_samples, n_outputs)`.
    #[must_use]
    pub fn targets(&self) -> ArrayView<'_, Y, I> {
        self.targets.view()
    }

    /// The sample weights; none means 1 for every row.
    #[must_use]
    pub fn weights(&self) -> Option<&[f32]> {
        self.weights.as_deref()
    }

    /// The names of the features, or nothing.
    #[must_use]
    pub fn feature_names(&self) -> &[String] {
        self.feature_names
    }

    /// The names of the targets, or nothing.
    #[must_use]
    pub fn target_names(&self) -> &[String] {
        self.target_names
    }

    /// The number of rows.
    #[must_use]
    pub fn n_samples(&self) -> usize {
        self.records.nrows()
    }

    /// The number of outputs: 1 for one-dimensional targets.
    #[must_use]
    pub fn n_outputs(&self) -> usize {
        columns(self.targets.view()).ncols()
    }

    /// The records of some rows, copied.
    pub(crate) fn gather_records(&self, rows: &[usize]) -> Array2<F> {
        self.records.select(Axis(0), rows)
    }

    /// The targets of some rows, copied.
    pub(crate) fn gather_targets(&self, rows: &[usize]) -> Array<Y, I> {
        self.targets.select(Axis(0), rows)
    }

    /// The weights of some rows, copied.
    pub(crate) fn gather_weights(&self, rows: &[usize]) -> Option<Vec<f32>> {
        self.weights().map(|weights| rows.iter().map(|&row| weights[row]).collect())
    }

    /// A data set of its own with these records and targets of some rows, their weights and the names.
    pub(crate) fn owned(&self, rows: &[usize], records: Array2<F>, targets: Array<Y, I>) -> Dataset<F, Y, I> {
        let mut dataset = DatasetBase::new(records, targets);
        if let Some(weights) = self.gather_weights(rows) {
            dataset = dataset.with_weights(Array1::from(weights));
        }
        // A transformer may change the number of columns; then the names mean nothing any more.
        if self.feature_names.len() == dataset.records.ncols() {
            dataset = dataset.with_feature_names(self.feature_names.to_vec());
        }
        if self.target_names.len() == columns(dataset.targets.as_targets()).ncols() {
            dataset = dataset.with_target_names(self.target_names.to_vec());
        }
        dataset
    }
}

/// Targets of any dimension as `(n_samples, n_outputs)`.
pub(crate) fn columns<Y, I: TargetDim>(targets: ArrayView<'_, Y, I>) -> ArrayView2<'_, Y> {
    // A target array has one or two dimensions: linfa implements `TargetDim` for nothing else.
    if I::NDIM == Some(1) {
        let column = targets.into_dimensionality::<Ix1>().expect("the dimension was just compared");
        column.insert_axis(Axis(1))
    } else {
        targets
            .into_dimensionality::<Ix2>()
            .expect("targets that are not one-dimensional are two-dimensional")
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{array, s};

    use super::*;

    #[test]
    fn weights_and_names_follow_their_rows() {
        let dataset = Dataset::new(array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], array![1.0, 2.0, 3.0])
            .with_weights(array![0.5, 1.0, 2.0])
            .with_feature_names(vec!["a", "b"])
            .with_target_names(vec!["t"]);
        let view = DataView::of(&dataset).unwrap();
        let rows = [2, 0];
        let part = view.owned(&rows, view.gather_records(&rows), view.gather_targets(&rows));
        assert_eq!(part.records, array![[5.0, 6.0], [1.0, 2.0]]);
        assert_eq!(part.targets, array![3.0, 1.0]);
        assert_eq!(part.weights, array![2.0, 0.5]);
        assert_eq!(
            (part.feature_names(), part.target_names()),
            (dataset.feature_names(), dataset.target_names())
        );
    }

    #[test]
    fn arrays_of_different_lengths_are_refused() {
        let records = array![[1.0], [2.0]];
        let targets = array![1.0, 2.0, 3.0];
        let dataset = DatasetBase::new(records.view(), targets.view());
        let error = DataView::of(&dataset).unwrap_err();
        assert!(matches!(error, Error::RowCount { array: "y", expected: 2, found: 3 }), "{error}");
        let dataset = DatasetBase::new(records.view(), targets.slice(s![..2])).with_weights(array![1.0]);
        let error = DataView::of(&dataset).unwrap_err();
        assert!(matches!(error, Error::RowCount { array: "sample weights", .. }), "{error}");
        let dataset = DatasetBase::new(records.slice(s![..0, ..]), targets.slice(s![..0]));
        assert!(matches!(DataView::of(&dataset), Err(Error::NoRows { array: "x" })));
    }
}

//! Rows to train on: borrowed arrays and an index list.

use std::borrow::Cow;

use ndarray::{ArrayView1, ArrayView2};

use crate::error::{Error, Result, check};
use crate::float::Float;
use crate::kernel;

/// Rows of a borrowed data set, chosen by index; every value has been seen to be finite.
///
/// # Shapes
///
/// `x` (n_samples, n_features), `y` (n_samples, target_width), weights (n_samples), whatever their memory layout. The
/// index list may name a row more than once.
#[derive(Clone, Debug)]
pub struct Rows<'a, F> {
    x: ArrayView2<'a, F>,
    y: ArrayView2<'a, F>,
    weights: Option<ArrayView1<'a, f32>>,
    index: Option<Cow<'a, [usize]>>,
}

/// The rows a run learns from, and those it is validated on.
#[derive(Clone, Debug)]
pub struct Data<'a, F> {
    /// Training rows.
    pub training: Rows<'a, F>,
    /// Validation rows.
    pub validation: Option<Rows<'a, F>>,
}

impl<'a, F: Float> Rows<'a, F> {
    /// All rows of a data set.
    ///
    /// # Errors
    ///
    /// [`Error::NoRows`], [`Error::NoColumns`], [`Error::RowCount`] for shapes that do not fit, [`Error::NotFinite`] for
    /// a NaN or an infinity in `x` or `y`.
    pub fn new(x: ArrayView2<'a, F>, y: ArrayView2<'a, F>) -> Result<Self> {
        if x.nrows() == 0 {
            return Err(Error::NoRows { array: "x" });
        }
        for (array, view) in [("x", &x), ("y", &y)] {
            if view.ncols() == 0 {
                return Err(Error::NoColumns { array });
            }
            if view.nrows() != x.nrows() {
                return Err(Error::RowCount { array: "y", expected: x.nrows(), found: view.nrows() });
            }
            // Most arrays are one slice of numbers, read at the speed of memory; only others are searched.
            let found = match view.as_slice_memory_order() {
                Some(values) if kernel::all_finite(values) => None,
                _ => view.indexed_iter().find(|(_, value)| !value.is_finite()),
            };
            if let Some(((row, column), value)) = found {
                return Err(Error::NotFinite { array, row, column, value: value.wide() });
            }
        }
        Ok(Rows { x, y, weights: None, index: None })
    }

    /// All rows of a data set that has been checked before.
    pub(crate) fn checked_before(
        x: ArrayView2<'a, F>,
        y: ArrayView2<'a, F>,
        weights: Option<ArrayView1<'a, f32>>,
    ) -> Self {
        Rows { x, y, weights, index: None }
    }

    /// With a weight for each row of the data set.
    ///
    /// # Errors
    ///
    /// [`Error::RowCount`] for another number of weights, [`Error::Parameter`] for a weight that is negative, NaN or
    /// infinite.
    pub fn with_weights(mut self, weights: ArrayView1<'a, f32>) -> Result<Self> {
        check_weights(weights, self.x.nrows())?;
        self.weights = Some(weights);
        Ok(self)
    }

    /// Those rows of the data set alone, in that order.
    ///
    /// # Errors
    ///
    /// [`Error::RowIndex`] for an index past the end, [`Error::NoRows`] for an empty list.
    pub fn select(&self, index: impl Into<Cow<'a, [usize]>>) -> Result<Self> {
        let index = index.into();
        let n_samples = self.x.nrows();
        if index.is_empty() {
            return Err(Error::NoRows { array: "the rows chosen" });
        }
        if let Some((position, &row)) = index.iter().enumerate().find(|(_, row)| **row >= n_samples) {
            return Err(Error::RowIndex { position, row, n_samples });
        }
        Ok(Rows { index: Some(index), ..self.clone() })
    }

    /// The first rows to train on, the last `held_out` to validate on.
    ///
    /// # Errors
    ///
    /// [`Error::NoRows`] when no row is left to train on.
    pub(crate) fn hold_out_last(self, held_out: usize) -> Result<Data<'a, F>> {
        if held_out == 0 {
            return Ok(Data { training: self, validation: None });
        }
        let rows: Vec<usize> = (0..self.len()).map(|place| self.row(place)).collect();
        let (first, last) = rows.split_at(rows.len() - held_out);
        Ok(Data { training: self.select(first.to_vec())?, validation: Some(self.select(last.to_vec())?) })
    }

    /// Number of rows chosen.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.as_ref().map_or(self.x.nrows(), |index| index.len())
    }

    /// Never: there is at least one row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Columns of `x`.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.x.ncols()
    }

    /// Columns of `y`.
    #[must_use]
    pub fn target_width(&self) -> usize {
        self.y.ncols()
    }

    /// Whether rows have weights.
    #[must_use]
    pub fn has_weights(&self) -> bool {
        self.weights.is_some()
    }

    /// Whether a row chosen has a weight above 0.
    pub(crate) fn have_weight(&self) -> bool {
        (0..self.len()).any(|place| self.has_weight(self.row(place)))
    }

    /// Whether a row of the data set has a weight above 0.
    pub(crate) fn has_weight(&self, row: usize) -> bool {
        self.weights.as_ref().is_none_or(|weights| weights[row] > 0.0)
    }

    /// Number of rows chosen that have a weight above 0.
    pub(crate) fn n_weighted(&self) -> usize {
        (0..self.len()).filter(|&place| self.has_weight(self.row(place))).count()
    }

    /// The row of the data set at a place of the index list.
    pub(crate) fn row(&self, place: usize) -> usize {
        self.index.as_ref().map_or(place, |index| index[place])
    }

    /// Copies `x` of some rows of the data set into a buffer.
    pub(crate) fn gather_x(&self, rows: &[usize], to: &mut [F]) {
        gather(self.x, rows, to);
    }

    /// Copies `y` of some rows of the data set into a buffer.
    pub(crate) fn gather_y(&self, rows: &[usize], to: &mut [F]) {
        gather(self.y, rows, to);
    }

    /// Copies the weights of some rows of the data set into a buffer; 1 where there are none.
    pub(crate) fn gather_weights(&self, rows: &[usize], to: &mut [F]) {
        match &self.weights {
            Some(weights) => {
                to.iter_mut().zip(rows).for_each(|(to, &row)| *to = F::of(f64::from(weights[row])))
            }
            None => to.fill(F::one()),
        }
    }

    /// The targets of the rows chosen.
    pub(crate) fn targets(&self) -> impl Iterator<Item = (usize, ArrayView1<'_, F>)> {
        (0..self.len()).map(|place| {
            let row = self.row(place);
            (row, self.y.row(row))
        })
    }
}

/// Whether these are sample weights of so many rows.
pub(crate) fn check_weights(weights: ArrayView1<'_, f32>, n_samples: usize) -> Result<()> {
    if weights.len() != n_samples {
        return Err(Error::RowCount { array: "sample weights", expected: n_samples, found: weights.len() });
    }
    match weights.iter().enumerate().find(|(_, weight)| !(weight.is_finite() && **weight >= 0.0)) {
        Some((row, weight)) => {
            let name = format!("the sample weight of row {row}");
            Err(Error::parameter(name, weight, "finite and at least 0"))
        }
        None => Ok(()),
    }
}

/// Whether there is anything to learn from, or to score.
pub(crate) fn check_any_weight(any: bool) -> Result<()> {
    check("sample weights", "0 in every row", any, "above 0 in at least one row")
}

fn gather<F: Float>(from: ArrayView2<'_, F>, rows: &[usize], to: &mut [F]) {
    let width = from.ncols();
    if let Some(slice) = from.as_slice() {
        kernel::gather_rows(slice, width, width, rows, to);
        return;
    }
    for (to, &row) in to.chunks_exact_mut(width).zip(rows) {
        to.iter_mut().zip(from.row(row)).for_each(|(to, &from)| *to = from);
    }
}

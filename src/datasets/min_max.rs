//! Scaling to [0, 1].

use ndarray::{Array1, Array2, ArrayBase, Data as ArrayData, Ix1, Ix2};

use crate::error::{Error, Result};
use crate::float::Float;

/// Scales values so that the least one seen becomes 0 and the greatest one 1.
///
/// ```text
/// scaled = (value − lowest) / (highest − lowest)
/// ```
///
/// A column that is constant becomes 0 (as in scikit-learn's `MinMaxScaler`). Values not seen at the fit may fall outside of
/// \[0, 1\].
///
/// # Examples
///
/// ```
/// use linfa_mlp::datasets::MinMax;
/// use ndarray::array;
///
/// let scaling = MinMax::of_columns(&array![[10.0, 5.0], [20.0, 5.0]])?;
/// let scaled = scaling.scale(array![[10.0, 5.0], [15.0, 7.0], [40.0, 5.0]])?;
/// assert_eq!(scaled, array![[0.0, 0.0], [0.5, 2.0], [3.0, 0.0]]);
/// assert_eq!(scaling.restore(scaled)?, array![[10.0, 5.0], [15.0, 7.0], [40.0, 5.0]]);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[doc(alias = "MinMaxScaler")]
pub struct MinMax<F> {
    /// For each column its lowest value and its range.
    columns: Vec<(F, F)>,
}

impl<F: Float> MinMax<F> {
    /// Each column by its own lowest and highest value.
    ///
    /// # Errors
    ///
    /// [`Error::NoRows`]; [`Error::NoColumns`]; [`Error::NotFinite`]; [`Error::Parameter`] for a column whose range is beyond
    /// the number type.
    pub fn of_columns<D: ArrayData<Elem = F>>(x: &ArrayBase<D, Ix2>) -> Result<Self> {
        let mut columns = check(x)?;
        for row in x.rows() {
            for ((low, high), &value) in columns.iter_mut().zip(row) {
                (*low, *high) = (low.min(value), high.max(value));
            }
        }
        Self::of(columns)
    }

    /// All columns by the lowest and highest value of all, as for the pixels of a picture.
    ///
    /// # Errors
    ///
    /// As [`of_columns`](Self::of_columns).
    pub fn of_all<D: ArrayData<Elem = F>>(x: &ArrayBase<D, Ix2>) -> Result<Self> {
        let columns = check(x)?;
        let first = columns[0];
        let ends = x.iter().fold(first, |(low, high), &value| (low.min(value), high.max(value)));
        Self::of(vec![ends; columns.len()])
    }

    fn of(ends: Vec<(F, F)>) -> Result<Self> {
        let ranges = ends.into_iter().enumerate().map(|(column, (low, high))| {
            let range = high - low;
            let name = || format!("x, column {column}: highest − lowest value");
            crate::error::check(&name(), range, range.is_finite(), "finite")?;
            Ok((low, if range > F::zero() { range } else { F::one() }))
        });
        Ok(MinMax { columns: ranges.collect::<Result<_>>()? })
    }

    /// Scales rows, in place.
    ///
    /// # Errors
    ///
    /// [`Error::Width`] when there are other columns than at the fit.
    pub fn scale(&self, mut x: Array2<F>) -> Result<Array2<F>> {
        self.check_width(x.ncols())?;
        for mut row in x.rows_mut() {
            for (value, &(low, range)) in row.iter_mut().zip(&self.columns) {
                *value = (*value - low) / range;
            }
        }
        Ok(x)
    }

    /// Takes scaled rows back, in place: [`scale`](Self::scale) but for rounding.
    ///
    /// # Errors
    ///
    /// As [`scale`](Self::scale).
    #[doc(alias = "inverse_transform")]
    pub fn restore(&self, mut x: Array2<F>) -> Result<Array2<F>> {
        self.check_width(x.ncols())?;
        for mut row in x.rows_mut() {
            for (value, &(low, range)) in row.iter_mut().zip(&self.columns) {
                *value = *value * range + low;
            }
        }
        Ok(x)
    }

    /// For each column its lowest value and its range.
    #[cfg(feature = "onnx")]
    pub(crate) fn columns(&self) -> &[(F, F)] {
        &self.columns
    }

    /// Takes one scaled column back, the first one of the fit.
    pub(super) fn restore_column<D: ArrayData<Elem = F>>(&self, y: &ArrayBase<D, Ix1>) -> Array1<F> {
        let (low, range) = self.columns[0];
        y.mapv(|value| value * range + low)
    }

    fn check_width(&self, found: usize) -> Result<()> {
        match self.columns.len() {
            expected if expected == found => Ok(()),
            expected => Err(Error::Width { array: "x", expected, found }),
        }
    }
}

/// The first row as lowest and highest values, once all values are known to be finite.
fn check<F: Float, D: ArrayData<Elem = F>>(x: &ArrayBase<D, Ix2>) -> Result<Vec<(F, F)>> {
    if x.nrows() == 0 {
        return Err(Error::NoRows { array: "x" });
    }
    if x.ncols() == 0 {
        return Err(Error::NoColumns { array: "x" });
    }
    match x.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, column), value)) => {
            Err(Error::NotFinite { array: "x", row, column, value: value.wide() })
        }
        None => Ok(x.row(0).iter().map(|&value| (value, value)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_ends_become_0_and_1_exactly() {
        let x = array![[0.1_f32, -3.7], [0.7, 1e-3], [0.3, 8.9]];
        let scaled = MinMax::of_columns(&x).unwrap().scale(x).unwrap();
        assert_eq!((scaled[[0, 0]], scaled[[1, 0]], scaled[[0, 1]], scaled[[2, 1]]), (0.0, 1.0, 0.0, 1.0));
        let all = MinMax::of_all(&array![[0.0, 4.0], [1.0, 2.0]]).unwrap();
        assert_eq!(all.scale(array![[4.0, 1.0]]).unwrap(), array![[1.0, 0.25]]);
    }

    #[test]
    fn what_has_no_range_is_refused() {
        let of = |x: Array2<f32>| MinMax::of_columns(&x).unwrap_err();
        assert!(matches!(of(Array2::zeros((0, 2))), Error::NoRows { array: "x" }));
        assert!(matches!(of(Array2::zeros((2, 0))), Error::NoColumns { array: "x" }));
        let nan = of(array![[1.0, 2.0], [3.0, f32::NAN]]);
        assert!(matches!(nan, Error::NotFinite { row: 1, column: 1, .. }), "{nan}");
        let huge = of(array![[f32::MAX], [f32::MIN]]);
        assert!(matches!(huge, Error::Parameter { .. }), "{huge}");
        let scaling = MinMax::of_all(&array![[1.0, 2.0]]).unwrap();
        assert!(matches!(scaling.scale(array![[1.0]]), Err(Error::Width { expected: 2, found: 1, .. })));
        assert!(matches!(scaling.restore(array![[1.0]]), Err(Error::Width { expected: 2, found: 1, .. })));
    }
}

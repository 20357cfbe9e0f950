//! Scaling of columns, to become a part of what leaves with a model.

use crate::datasets::MinMax;
use crate::error::{Error, Result, check};
use crate::float::Float;
use crate::model_selection::FittedTargetScaling;
use crate::network::graph::{Graph, Value};

/// A scaling of columns.
///
/// ```text
/// x' = (x − offset) / divisor
/// ```
///
/// | from | by |
/// | --- | --- |
/// | [`MinMax`] | `Scaling::from(&min_max)` |
/// | linfa's `LinearScaler`, standard or to \[0, 1\] | `Scaling::by_factors(scaler.offsets(), scaler.scales())?` |
/// | figures of your own | `Scaling::new(means, deviations)?` |
///
/// # Examples
///
/// ```
/// use linfa_mlp::exchange::Scaling;
///
/// let scaling = Scaling::new([1.0, 0.0], [2.0, 10.0])?;
/// assert_eq!(scaling.apply(&[5.0, 5.0]), [2.0, 0.5]);
/// assert!(Scaling::new([1.0], [0.0]).is_err());
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    offsets: Vec<f64>,
    divisors: Vec<f64>,
}

impl Scaling {
    /// With an offset and a divisor for each column.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for an offset that is not finite, a divisor that is not finite or is 0, and lists of different
    /// lengths.
    pub fn new(offsets: impl Into<Vec<f64>>, divisors: impl Into<Vec<f64>>) -> Result<Self> {
        let (offsets, divisors) = (offsets.into(), divisors.into());
        let (found, n) = (divisors.len(), offsets.len());
        check("number of divisors", found, found == n, &format!("{n}, one for each offset"))?;
        for (column, (&offset, &divisor)) in offsets.iter().zip(&divisors).enumerate() {
            check(&format!("offset of column {column}"), offset, offset.is_finite(), "finite")?;
            let fits = divisor.is_finite() && divisor != 0.0;
            check(&format!("divisor of column {column}"), divisor, fits, "finite and not 0")?;
        }
        Ok(Scaling { offsets, divisors })
    }

    /// With an offset and a factor for each column: (x − offset) · factor.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); a factor of 0 is refused, too.
    pub fn by_factors<'a, F: Float>(
        offsets: impl IntoIterator<Item = &'a F>,
        factors: impl IntoIterator<Item = &'a F>,
    ) -> Result<Self> {
        let offsets: Vec<f64> = offsets.into_iter().map(|offset| offset.wide()).collect();
        Scaling::new(offsets, factors.into_iter().map(|factor| 1.0 / factor.wide()).collect::<Vec<f64>>())
    }

    /// Number of columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.offsets.len()
    }

    /// A scaled row.
    #[must_use]
    pub fn apply(&self, row: &[f64]) -> Vec<f64> {
        let columns = self.offsets.iter().zip(&self.divisors);
        row.iter().zip(columns).map(|(x, (offset, divisor))| (x - offset) / divisor).collect()
    }

    /// Offset and divisor of a column.
    #[cfg(feature = "onnx")]
    pub(super) fn column(&self, column: usize) -> (f64, f64) {
        (self.offsets[column], self.divisors[column])
    }

    /// Checks that it is one of rows that wide.
    pub(super) fn check_width(&self, name: &'static str, expected: usize) -> Result<()> {
        let found = self.width();
        if found == expected { Ok(()) } else { Err(Error::Width { array: name, expected, found }) }
    }

    /// Adds the scaling to a graph.
    pub(super) fn express<F: Float>(&self, graph: &mut Graph<'_, F>, x: Value) -> Value {
        let (offsets, divisors) = self.vectors(graph);
        let centred = graph.apply("Sub", &[x, offsets]);
        graph.apply("Div", &[centred, divisors])
    }

    /// Adds the way back to a graph.
    pub(super) fn express_inverse<F: Float>(&self, graph: &mut Graph<'_, F>, y: Value) -> Value {
        let (offsets, divisors) = self.vectors(graph);
        let stretched = graph.apply("Mul", &[y, divisors]);
        graph.apply("Add", &[stretched, offsets])
    }

    fn vectors<F: Float>(&self, graph: &mut Graph<'_, F>) -> (Value, Value) {
        (graph.vector("offsets", self.offsets.clone()), graph.vector("divisors", self.divisors.clone()))
    }
}

impl<F: Float> From<&MinMax<F>> for Scaling {
    fn from(scaling: &MinMax<F>) -> Self {
        let columns = scaling.columns().iter().map(|&(lowest, range)| (lowest.wide(), range.wide()));
        let (offsets, divisors) = columns.unzip();
        Scaling { offsets, divisors }
    }
}

impl From<&FittedTargetScaling> for Scaling {
    fn from(scaling: &FittedTargetScaling) -> Self {
        Scaling { offsets: scaling.offsets().to_vec(), divisors: scaling.scales().to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_undone_is_refused() {
        for (offsets, divisors) in [
            (vec![0.0], vec![0.0]),
            (vec![0.0], vec![f64::NAN]),
            (vec![f64::INFINITY], vec![1.0]),
            (vec![0.0, 1.0], vec![1.0]),
        ] {
            assert!(matches!(Scaling::new(offsets, divisors), Err(Error::Parameter { .. })));
        }
        assert!(Scaling::by_factors(&[0.0_f32], &[0.0]).is_err());
        assert_eq!(Scaling::by_factors(&[1.0_f32], &[0.5]).unwrap().apply(&[5.0]), [2.0]);
    }
}

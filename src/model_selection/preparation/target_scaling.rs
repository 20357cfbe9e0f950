//! Scaling of regression targets, undone in every prediction.

use linfa::dataset::TargetDim;
use ndarray::{Array, ArrayView, Axis};

use crate::model_selection::fit::target::Target;

/// How the targets of a regression are scaled for training.
///
/// ```text
/// Standard:  y' = (y − ȳ) / σ                     σ² = Σ (yᵢ − ȳ)² / n
/// MinMax:    y' = (y − min y) / (max y − min y)
/// ```
///
/// The figures are those of the training rows, for each output alone, computed in `f64`; where the divisor would be 0 it
/// is 1. Predictions are scaled back, so scores and predictions have the units of the data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetScaling {
    /// To mean 0 and standard deviation 1.
    Standard,
    /// To the range from 0 to 1.
    MinMax,
}

impl TargetScaling {
    /// The scaling that fits these targets.
    pub(crate) fn fit<Y: Target, I: TargetDim>(self, targets: ArrayView<'_, Y, I>) -> FittedTargetScaling {
        let rows = targets.len_of(Axis(0)).max(1);
        let width = targets.len() / rows;
        let mut columns = vec![Vec::with_capacity(rows); width];
        // Row-major: value i belongs to output i mod width.
        for (place, value) in targets.iter().enumerate() {
            columns[place % width].push(value.to_number().unwrap_or(f64::NAN));
        }
        let (offsets, scales) = columns.iter().map(|column| self.of_column(column)).unzip();
        FittedTargetScaling { offsets, scales }
    }

    fn of_column(self, column: &[f64]) -> (f64, f64) {
        let n = column.len() as f64;
        let (offset, scale) = match self {
            TargetScaling::Standard => {
                let mean = column.iter().sum::<f64>() / n;
                (mean, (column.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n).sqrt())
            }
            TargetScaling::MinMax => {
                let least = column.iter().copied().fold(f64::INFINITY, f64::min);
                (least, column.iter().copied().fold(f64::NEG_INFINITY, f64::max) - least)
            }
        };
        (offset, if scale > 0.0 { scale } else { 1.0 })
    }
}

/// A target scaling with the figures of its training rows.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FittedTargetScaling {
    offsets: Vec<f64>,
    scales: Vec<f64>,
}

impl FittedTargetScaling {
    /// What is subtracted from each output.
    #[must_use]
    pub fn offsets(&self) -> &[f64] {
        &self.offsets
    }

    /// What each output is divided by.
    #[must_use]
    pub fn scales(&self) -> &[f64] {
        &self.scales
    }

    /// From the units of the data set to those of training.
    pub fn apply<Y: Target, I: TargetDim>(&self, targets: &mut Array<Y, I>) {
        self.map(targets, |y, offset, scale| (y - offset) / scale);
    }

    /// From the units of training to those of the data set.
    pub fn invert<Y: Target, I: TargetDim>(&self, targets: &mut Array<Y, I>) {
        self.map(targets, |y, offset, scale| y * scale + offset);
    }

    fn map<Y: Target, I: TargetDim>(&self, targets: &mut Array<Y, I>, f: impl Fn(f64, f64, f64) -> f64) {
        let width = self.offsets.len();
        for (place, value) in targets.iter_mut().enumerate() {
            let output = place % width;
            let mapped = value
                .to_number()
                .and_then(|y| Y::from_number(f(y, self.offsets[output], self.scales[output])));
            if let Some(mapped) = mapped {
                *value = mapped;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn each_output_is_scaled_alone_and_back() {
        let targets = array![[1.0, 10.0], [3.0, 10.0]];
        let standard = TargetScaling::Standard.fit(targets.view());
        assert_eq!((standard.offsets(), standard.scales()), (&[2.0, 10.0][..], &[1.0, 1.0][..]));
        let mut scaled = targets.clone();
        standard.apply(&mut scaled);
        assert_eq!(scaled, array![[-1.0, 0.0], [1.0, 0.0]]);
        standard.invert(&mut scaled);
        assert_eq!(scaled, targets);
    }

    #[test]
    fn min_max_reaches_from_zero_to_one() {
        let mut targets = array![2.0_f32, 6.0, 4.0];
        TargetScaling::MinMax.fit(targets.view()).apply(&mut targets);
        assert_eq!(targets, array![0.0, 1.0, 0.5]);
    }
}

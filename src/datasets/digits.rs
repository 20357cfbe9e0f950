//! Handwritten digits of 8 × 8 pixels.

use linfa::Dataset;
use ndarray::{Array1, Array2, Ix1};

use crate::float::Float;

/// A line for each picture: its digit, a space, and 64 pixels from `0` to `g` (16).
const PICTURES: &str = include_str!("data/digits.txt");
const ROWS: usize = 1797;
const PIXELS: usize = 64;

/// 1 797 handwritten digits of 8 × 8 pixels, from 0 (white) to 16 (black): scikit-learn's `load_digits`, in its order.
///
/// [`TrainTest::keras_split`](super::TrainTest::keras_split) and [`TrainTest::scaled`](super::TrainTest::scaled) prepare
/// them like [`mnist`](super::mnist).
///
/// # References
///
/// E. Alpaydin, C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository, 1998,
/// doi:10.24432/C50P49: the test part, written by 13 persons. Licence: Creative Commons Attribution 4.0. Here each
/// pixel is written as one character; nothing else was changed.
///
/// # Examples
///
/// ```
/// let digits = linfa_mlp::datasets::digits::<f32>();
/// assert_eq!(digits.records.dim(), (1797, 64));
/// assert_eq!(digits.targets.iter().take(10).copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
/// ```
#[must_use]
#[doc(alias = "load_digits")]
pub fn digits<F: Float>() -> Dataset<F, usize, Ix1> {
    let (mut x, mut y) = (Vec::with_capacity(ROWS * PIXELS), Vec::with_capacity(ROWS));
    for line in PICTURES.lines() {
        let (digit, pixels) = line.split_once(' ').expect("an embedded line is a digit and its pixels");
        y.push(digit.parse().expect("an embedded line begins with a digit"));
        x.extend(pixels.bytes().map(|pixel| {
            let value = char::from(pixel).to_digit(17).expect("an embedded pixel is between 0 and g");
            F::of(f64::from(value))
        }));
    }
    let x = Array2::from_shape_vec((ROWS, PIXELS), x).expect("there are 1797 embedded pictures of 64 pixels");
    Dataset::new(x, Array1::from(y)).with_feature_names(pixel_names(8, 8)).with_target_names(vec!["digit"])
}

/// `pixel_0_0`, `pixel_0_1` …: row and column, from 0.
pub(super) fn pixel_names(rows: usize, columns: usize) -> Vec<String> {
    (0..rows).flat_map(|row| (0..columns).map(move |column| format!("pixel_{row}_{column}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_pictures_are_those_of_scikit_learn() {
        // load_digits(): data.sum(), bincount(target), (data * arange(64)).sum(), (target * data[:, 20]).sum()
        let digits = digits::<f64>();
        assert_eq!(digits.records.sum(), 561_718.0);
        let count = |digit| digits.targets.iter().filter(|&&label| label == digit).count();
        assert_eq!(
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(count),
            [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
        );
        let by_column = Array1::from_iter((0..64).map(f64::from));
        assert_eq!(digits.records.dot(&by_column).sum(), BY_COLUMN);
        let labels = digits.targets.mapv(|label| label as f64);
        assert_eq!((&labels * &digits.records.column(20)).sum(), BY_LABEL);
        assert_eq!(digits.feature_names()[9], "pixel_1_1");
    }

    const BY_COLUMN: f64 = 17_660_653.0;
    const BY_LABEL: f64 = 52_980.0;
}

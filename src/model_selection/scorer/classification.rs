//! Scorers of labels.

use linfa::dataset::Label;

use super::Scorer;
use crate::metric::Direction;

/// Scores of labels.
impl<L: Label> Scorer<L> {
    /// The share of rows whose label is right: Σ wᵢ[yᵢ = ŷᵢ] / Σ wᵢ. With several outputs, all of a row must be right.
    #[must_use]
    pub fn accuracy() -> Self {
        Scorer::plain("accuracy", Direction::Maximize, |e| {
            e.mean(|row| f64::from(u8::from(e.truth.row(row) == e.prediction.row(row))))
        })
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn accuracy_counts_rows_by_weight() {
        let (truth, prediction) = (array![["a"], ["b"], ["b"], ["c"]], array![["a"], ["b"], ["c"], ["a"]]);
        let accuracy = Scorer::accuracy();
        assert_eq!(accuracy.score_arrays(&truth, &prediction, None).unwrap(), 0.5);
        assert_eq!(accuracy.score_arrays(&truth, &prediction, Some(&[3.0, 3.0, 1.0, 1.0])).unwrap(), 0.75);
    }

    #[test]
    fn with_several_outputs_the_whole_row_must_be_right() {
        let (truth, prediction) = (array![[true, false], [true, true]], array![[true, true], [true, true]]);
        assert_eq!(Scorer::accuracy().score_arrays(&truth, &prediction, None).unwrap(), 0.5);
    }
}

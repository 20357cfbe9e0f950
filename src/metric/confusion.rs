//! How often each class is predicted, is true, and both: all that precision, recall, F, balanced accuracy, Matthews'
//! and Cohen's coefficients need of a confusion matrix.
//!
//! ```text
//! hitₖ = Σᵢ wᵢ·[ŷᵢ = k][yᵢ = k]    predictedₖ = Σᵢ wᵢ·[ŷᵢ = k]    actualₖ = Σᵢ wᵢ·[yᵢ = k]
//! ```
//!
//! These are the diagonal and the two margins of the matrix, 3 sums for a class instead of a row of them. With several
//! labels to a row, each label has its own three.
//!
//! State, in pairs: the sum of weights (NaN as soon as a row has no class), whether there are labels, then 3 for a
//! class.

use super::Batch;
use super::sums;
use crate::float::Float;

const HEADER: usize = 2;

/// Weights of one class, or of several added up.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    /// Predicted and true.
    pub(super) hit: f64,
    /// Predicted.
    pub(super) predicted: f64,
    /// True.
    pub(super) actual: f64,
}

/// `part / whole`, and 0 where the whole is 0 (scikit-learn's `zero_division=0`).
pub(super) fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// Adds a batch.
pub(super) fn update<F: Float>(state: &mut Vec<f64>, batch: &Batch<'_, F>) {
    let labels = batch.task().has_labels();
    let n_classes = batch.n_classes();
    let (header, classes) = sums::started(state, HEADER + 3 * n_classes).split_at_mut(HEADER);
    header[1][0] = f64::from(u8::from(labels));
    let (classes, _) = classes.as_chunks_mut::<3>();
    for (row, weight) in batch.weighted_rows() {
        let class = if labels { 0 } else { batch.class(row) };
        if batch.is_nan(row) || class >= classes.len() {
            header[0] = [f64::NAN; 2];
            continue;
        }
        sums::add(&mut header[0], weight);
        if labels {
            for (label, class) in classes.iter_mut().enumerate() {
                count(class, batch.predicted_label(row, label), batch.label(row, label), weight);
            }
        } else {
            let guess = batch.predicted_class(row);
            count(&mut classes[guess], true, guess == class, weight);
            if guess != class {
                count(&mut classes[class], false, true, weight);
            }
        }
    }
}

fn count([hit, predicted, actual]: &mut [[f64; 2]; 3], is_predicted: bool, is_actual: bool, weight: f64) {
    for (sum, counts) in [(hit, is_predicted && is_actual), (predicted, is_predicted), (actual, is_actual)] {
        if counts {
            sums::add(sum, weight);
        }
    }
}

/// The counts of a state.
#[derive(Clone, Copy)]
pub(super) struct Counts<'a> {
    classes: &'a [[[f64; 2]; 3]],
    /// Whether they are of labels (rather than of classes).
    pub(super) labels: bool,
}

impl<'a> Counts<'a> {
    /// Reads a state; nothing when no row counted or one had no class.
    pub(super) fn of(state: &'a [f64]) -> Option<Self> {
        let (header, classes) = state.as_chunks().0.split_at_checked(HEADER)?;
        let counted = sums::total(header[0]) > 0.0;
        counted.then(|| Counts { classes: classes.as_chunks().0, labels: header[1][0] > 0.5 })
    }

    /// One count for each class.
    pub(super) fn iter(self) -> impl Iterator<Item = Count> + Clone + use<'a> {
        self.classes.iter().map(|class| {
            let [hit, predicted, actual] = class.map(sums::total);
            Count { hit, predicted, actual }
        })
    }

    /// All classes added up.
    pub(super) fn sum(self) -> Count {
        self.iter().fold(Count::default(), |sum, class| Count {
            hit: sum.hit + class.hit,
            predicted: sum.predicted + class.predicted,
            actual: sum.actual + class.actual,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(batch: &Batch<'_, f64>) -> Vec<[f64; 3]> {
        let mut state = Vec::new();
        update(&mut state, batch);
        let counts = Counts::of(&state).expect("rows count");
        counts.iter().map(|count| [count.hit, count.predicted, count.actual]).collect()
    }

    #[test]
    fn diagonal_and_margins_of_a_confusion_matrix() {
        // Predicted 0, 1, 1, 0 for true 0, 0, 1, 1 with weights 1, 2, 3, 4: matrix [[1, 2], [4, 3]].
        let batch =
            Batch::new(&[0.0, 0.0, 1.0, 1.0], 1, &[0.1, 0.9, 0.8, 0.2], 1).weighted(&[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(counts(&batch), [[1.0, 5.0, 3.0], [3.0, 5.0, 7.0]]);
    }

    #[test]
    fn labels_are_counted_one_by_one() {
        let batch = Batch::new(&[1.0, 1.0, 0.0, 1.0], 2, &[0.9, 0.1, 0.8, 0.7], 2).multilabel();
        assert_eq!(counts(&batch), [[1.0, 2.0, 1.0], [1.0, 1.0, 2.0]]);
    }

    #[test]
    fn a_row_without_class_leaves_no_counts() {
        for batch in [
            Batch::new(&[0.0, 0.0], 1, &[0.1, f64::NAN], 1),
            Batch::new(&[0.0, 3.0], 1, &[0.1, 0.9, 0.5, 0.5], 2),
            Batch::new(&[0.0], 1, &[0.1], 1).weighted(&[0.0]),
        ] {
            let mut state = Vec::new();
            update(&mut state, &batch);
            assert!(Counts::of(&state).is_none());
        }
    }
}

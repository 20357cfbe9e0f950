//! Weighted means of a figure that every row has: the state behind accuracy, the losses and the errors.
//!
//! ```text
//! meanⱼ = Σᵢ wᵢ · figureᵢⱼ / Σᵢ wᵢ
//! ```
//!
//! State: the sum of weights, then one sum for each column.

use super::Batch;
use super::sums;
use crate::float::Float;

/// Adds a batch whose row `i` has the figure `figure(i, j)` in column `j`.
pub(super) fn update<F: Float>(
    state: &mut Vec<f64>,
    batch: &Batch<'_, F>,
    n_columns: usize,
    figure: impl Fn(usize, usize) -> f64,
) {
    let Some((weights, columns)) = sums::started(state, 1 + n_columns).split_first_mut() else { return };
    for (row, weight) in batch.weighted_rows() {
        sums::add(weights, weight);
        for (column, sum) in columns.iter_mut().enumerate() {
            sums::add(sum, weight * figure(row, column));
        }
    }
}

/// The mean of `shown(meanⱼ)` over the columns; NaN without rows.
pub(super) fn mean_of(state: &[f64], shown: impl Fn(f64) -> f64) -> f64 {
    let Some((weights, columns)) = state.as_chunks().0.split_first() else { return f64::NAN };
    let weight = sums::total(*weights);
    let sum: f64 = columns.iter().map(|column| shown(sums::total(*column) / weight)).sum();
    sum / columns.len() as f64
}

/// The mean over rows and columns; NaN without rows.
pub(super) fn mean(state: &[f64]) -> f64 {
    mean_of(state, |mean| mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_weighted_and_columns_are_not() {
        let batch = Batch::new(&[0.0; 4], 2, &[1.0, 10.0, 4.0, 40.0], 2).weighted(&[2.0, 1.0]);
        let mut state = Vec::new();
        update(&mut state, &batch, 2, |row, column| batch.output(row, column));
        // Columns: (2·1 + 4)/3 = 2 and (2·10 + 40)/3 = 20.
        assert!((mean(&state) - 11.0).abs() < 1e-15);
        assert!((mean_of(&state, f64::sqrt) - (2f64.sqrt() + 20f64.sqrt()) / 2.0).abs() < 1e-15);
    }

    #[test]
    fn no_rows_have_no_mean() {
        assert!(mean(&[]).is_nan());
        let batch = Batch::new(&[1.0], 1, &[1.0], 1).weighted(&[0.0]);
        let mut state = Vec::new();
        update(&mut state, &batch, 1, |_, _| 1.0);
        assert!(mean(&state).is_nan());
    }
}

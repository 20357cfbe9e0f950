//! Scorers of numbers.

use linfa::Float;

use super::{Estimate, Scorer};
use crate::metric::Direction;

/// Scores of numbers, for one- and two-dimensional targets. With several outputs, each output is scored alone and the
/// plain mean over the outputs is given, as scikit-learn does (`uniform_average`).
///
/// w are the sample weights, ȳ = Σ wᵢyᵢ / Σ wᵢ.
impl<F: Float> Scorer<F> {
    /// The coefficient of determination R²; 1 is perfect, 0 is what the mean of the truth would get.
    ///
    /// ```text
    /// R² = 1 − Σ wᵢ(yᵢ − ŷᵢ)² / Σ wᵢ(yᵢ − ȳ)²
    /// ```
    ///
    /// A constant truth scores 1 when it is predicted exactly and else 0; fewer than two rows score NaN. Both follow
    /// scikit-learn.
    #[must_use]
    pub fn r2() -> Self {
        Scorer::plain("r2", Direction::Maximize, r2)
    }

    /// The mean squared error with its sign turned: −Σ wᵢ(yᵢ − ŷᵢ)² / Σ wᵢ, in squared units of the target.
    #[must_use]
    pub fn neg_mean_squared_error() -> Self {
        Scorer::plain("neg_mean_squared_error", Direction::Maximize, |e| -over_outputs(e, squared_error))
    }

    /// The root of the mean squared error with its sign turned, in units of the target.
    #[must_use]
    pub fn neg_root_mean_squared_error() -> Self {
        Scorer::plain("neg_root_mean_squared_error", Direction::Maximize, |e| {
            -over_outputs(e, |e, output| squared_error(e, output).sqrt())
        })
    }

    /// The mean absolute error with its sign turned: −Σ wᵢ|yᵢ − ŷᵢ| / Σ wᵢ, in units of the target.
    #[must_use]
    pub fn neg_mean_absolute_error() -> Self {
        Scorer::plain("neg_mean_absolute_error", Direction::Maximize, |e| {
            -over_outputs(e, |e, output| e.mean(|row| error(e, row, output).abs()))
        })
    }
}

fn wide<F: Float>(value: F) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}

fn error<F: Float>(estimate: &Estimate<'_, F>, row: usize, output: usize) -> f64 {
    wide(estimate.truth[(row, output)]) - wide(estimate.prediction[(row, output)])
}

fn squared_error<F: Float>(estimate: &Estimate<'_, F>, output: usize) -> f64 {
    estimate.mean(|row| error(estimate, row, output).powi(2))
}

fn over_outputs<F>(estimate: &Estimate<'_, F>, score: impl Fn(&Estimate<'_, F>, usize) -> f64) -> f64 {
    let outputs = estimate.truth.ncols();
    (0..outputs).map(|output| score(estimate, output)).sum::<f64>() / outputs as f64
}

fn r2<F: Float>(estimate: &Estimate<'_, F>) -> f64 {
    if estimate.rows() < 2 {
        return f64::NAN;
    }
    over_outputs(estimate, |e, output| {
        let mean = e.mean(|row| wide(e.truth[(row, output)]));
        let spread = e.mean(|row| (wide(e.truth[(row, output)]) - mean).powi(2));
        let error = squared_error(e, output);
        // A truth without spread: the quotient has no meaning, so exact and inexact are told apart by hand.
        if spread == 0.0 { if error == 0.0 { 1.0 } else { error * 0.0 } } else { 1.0 - error / spread }
    })
}

#[cfg(test)]
#[allow(clippy::float_cmp)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    fn score(
        scorer: Scorer<f64>,
        truth: Array2<f64>,
        prediction: Array2<f64>,
        weights: Option<&[f32]>,
    ) -> f64 {
        scorer.score_arrays(&truth, &prediction, weights).unwrap()
    }

    #[test]
    fn the_numbers_of_scikit_learns_manual_come_out() {
        let (truth, prediction) = (array![[3.0], [-0.5], [2.0], [7.0]], array![[2.5], [0.0], [2.0], [8.0]]);
        let value = |scorer| score(scorer, truth.clone(), prediction.clone(), None);
        assert_eq!(value(Scorer::neg_mean_squared_error()), -0.375);
        assert_eq!(value(Scorer::neg_mean_absolute_error()), -0.5);
        assert!((value(Scorer::r2()) - 0.948_608_137_044_967_8).abs() < 1e-15);
        assert!((value(Scorer::neg_root_mean_squared_error()) + 0.612_372_435_695_794_5).abs() < 1e-15);
    }

    #[test]
    fn several_outputs_are_averaged() {
        let (truth, prediction) =
            (array![[0.5, 1.0], [-1.0, 1.0], [7.0, -6.0]], array![[0.0, 2.0], [-1.0, 2.0], [8.0, -5.0]]);
        let value = |scorer| score(scorer, truth.clone(), prediction.clone(), None);
        assert!((value(Scorer::neg_mean_squared_error()) + 0.708_333_333_333_333_4).abs() < 1e-15);
        assert!((value(Scorer::r2()) - 0.936_800_526_662_277_8).abs() < 1e-12);
        assert!((value(Scorer::neg_root_mean_squared_error()) + 0.822_748_612_7).abs() < 1e-9);
    }

    #[test]
    fn a_weight_of_two_counts_as_the_row_twice_and_a_weight_of_zero_not_at_all() {
        for scorer in [Scorer::r2(), Scorer::neg_mean_squared_error(), Scorer::neg_mean_absolute_error()] {
            let weighted = score(
                scorer.clone(),
                array![[1.0], [3.0], [9.0]],
                array![[2.0], [3.5], [f64::NAN]],
                Some(&[2.0, 1.0, 0.0]),
            );
            let repeated = score(scorer, array![[1.0], [1.0], [3.0]], array![[2.0], [2.0], [3.5]], None);
            assert!((weighted - repeated).abs() < 1e-15);
        }
    }

    #[test]
    fn a_constant_truth_scores_one_or_zero_and_nan_stays_nan() {
        assert_eq!(score(Scorer::r2(), array![[2.0], [2.0]], array![[2.0], [2.0]], None), 1.0);
        assert_eq!(score(Scorer::r2(), array![[2.0], [2.0]], array![[2.0], [3.0]], None), 0.0);
        assert!(score(Scorer::r2(), array![[2.0], [2.0]], array![[2.0], [f64::NAN]], None).is_nan());
        assert!(score(Scorer::r2(), array![[2.0]], array![[2.0]], None).is_nan());
        assert!(score(Scorer::r2(), array![[1.0], [2.0]], array![[2.0], [2.0]], Some(&[0.0, 0.0])).is_nan());
    }
}

//! Top-k accuracy: how often the true class is among the k best.

use serde::{Deserialize, Serialize};

use super::{Batch, Direction, Metric, Task, means};
use crate::error::{Result, check};
use crate::float::Float;
use crate::part::Configured;

/// The weighted fraction of rows whose true class is among the `k` highest scores.
///
/// ```text
/// top_k = Σᵢ wᵢ · [fewer than k classes are ahead of yᵢ] / Σᵢ wᵢ
/// ```
///
/// Of classes with equal scores the last is ahead, as in scikit-learn's `top_k_accuracy_score`; Keras counts all of
/// them as in. So with ties, `k = 1` need not equal [`Accuracy`](super::Accuracy), which takes the first.
///
/// | setting | default | meaning | range |
/// | --- | --- | --- | --- |
/// | `k` | 2 (scikit-learn's; Keras has 5) | how many classes may be named | 1 to `n_classes − 1` |
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::{Batch, Metric, TopK};
///
/// let batch = Batch::new(&[0.0, 2.0], 1, &[0.2, 0.5, 0.3, 0.1, 0.6, 0.3], 3);
/// assert_eq!(TopK::new(2).of(&batch), 0.5);
/// ```
#[doc(alias = "top_k_accuracy_score")]
#[doc(alias = "TopKCategoricalAccuracy")]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TopK {
    /// How many classes may be named.
    pub k: usize,
}

impl TopK {
    /// Top-`k` accuracy.
    #[must_use]
    pub fn new(k: usize) -> Self {
        TopK { k }
    }
}

impl Default for TopK {
    fn default() -> Self {
        TopK { k: 2 }
    }
}

impl Configured for TopK {
    const NAME: &'static str = "top_k_accuracy";
    const ALIASES: &'static [&'static str] =
        &["top_k", "top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy", "top_k_accuracy_score"];

    fn check(&self) -> Result<()> {
        check("k", self.k, self.k >= 1, "at least 1")
    }
}

impl<F: Float> Metric<F> for TopK {
    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn of_classes(&self) -> bool {
        true
    }

    fn check_task(&self, task: &Task) -> Result<()> {
        task.check_classes(Self::NAME, false)?;
        let allowed = format!("from 1 to {}, one below the number of classes", task.n_classes() - 1);
        check("metric top_k_accuracy: k", self.k, (1..task.n_classes()).contains(&self.k), &allowed)
    }

    fn update(&self, state: &mut Vec<f64>, batch: &Batch<'_, F>) {
        means::update(state, batch, 1, |row, _| {
            let class = batch.class(row);
            let score = batch.score(row, class);
            if batch.is_nan(row) || score.is_nan() {
                return f64::NAN;
            }
            let ahead = (0..batch.n_classes()).filter(|other| {
                let rival = batch.score(row, *other);
                rival > score || (rival >= score && tie_is_ahead(batch.n_outputs, *other, class))
            });
            f64::from(u8::from(ahead.count() < self.k))
        });
    }

    fn value(&self, state: &[f64]) -> f64 {
        means::mean(state)
    }
}

/// Whether `other` is ahead of `class` at equal scores: the later one, but for a single output class 0, which is
/// predicted at ½.
fn tie_is_ahead(n_outputs: usize, other: usize, class: usize) -> bool {
    if n_outputs == 1 { other < class } else { other > class }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_scores_the_last_is_ahead() {
        let at = |class: f64, k| TopK::new(k).of(&Batch::new(&[class], 1, &[0.3, 0.3, 0.3], 3)) > 0.5;
        assert_eq!([at(0.0, 1), at(1.0, 1), at(2.0, 1)], [false, false, true]);
        assert_eq!([at(0.0, 2), at(1.0, 2), at(2.0, 2)], [false, true, true]);
    }

    #[test]
    fn a_single_output_is_split_at_one_half() {
        let at = |class: f64, p: f64| TopK::new(1).of(&Batch::new(&[class], 1, &[p], 1)) > 0.5;
        assert_eq!([at(0.0, 0.5), at(1.0, 0.5), at(1.0, 0.6)], [true, false, true]);
    }

    #[test]
    fn k_must_leave_a_class_out() {
        let task = Task { n_outputs: 3, target_width: 1, multilabel: false };
        assert!([1, 2].iter().all(|k| Metric::<f64>::check_task(&TopK::new(*k), &task).is_ok()));
        assert!([0, 3].iter().all(|k| Metric::<f64>::check_task(&TopK::new(*k), &task).is_err()));
        assert!(Configured::check(&TopK::new(0)).is_err());
    }
}

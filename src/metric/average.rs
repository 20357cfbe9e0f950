//! How the figures of several classes become one.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Task;
use super::confusion::{Count, Counts};
use crate::error::{Result, check};

/// How a metric that is defined for one class against the rest becomes one number for a task.
///
/// ```text
/// binary    m(class 1)
/// macro     Σₖ m(k) / K                      over the classes
/// weighted  Σₖ actualₖ · m(k) / Σₖ actualₖ   actualₖ: weight of the rows of class k
/// micro     m(all classes added up)
/// ```
///
/// For classes, K counts those that occur in truth or prediction of a row of weight above 0 (scikit-learn's rule when
/// no `labels` are given, which looks at rows of weight 0 too); labels of a multilabel task all count. When no row is
/// of any class, `weighted` is `macro`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Average {
    /// The figure of class 1, for tasks of two classes only.
    #[default]
    Binary,
    /// The plain mean over the classes.
    Macro,
    /// The mean over the classes, each weighted by its share of the rows.
    Weighted,
    /// The figure of all classes together.
    Micro,
}

impl fmt::Display for Average {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Average::Binary => "binary",
            Average::Macro => "macro",
            Average::Weighted => "weighted",
            Average::Micro => "micro",
        })
    }
}

impl Average {
    /// Checks that the targets can be read and, for `binary`, that there are two classes.
    pub(super) fn check_task(self, metric: &str, task: &Task) -> Result<()> {
        task.check_classes(metric, true)?;
        let (found, ok) = if task.has_labels() {
            (format!("{} labels", task.n_outputs), false)
        } else {
            (format!("{} classes", task.n_classes()), task.n_classes() == 2)
        };
        let allowed = format!("macro, weighted or micro for {found}");
        check(&format!("metric {metric}: average"), self, ok || self != Average::Binary, &allowed)
    }

    /// The average of a figure of counts; NaN when nothing was counted.
    pub(super) fn of_counts(self, state: &[f64], figure: impl Fn(Count) -> f64) -> f64 {
        let Some(counts) = Counts::of(state) else { return f64::NAN };
        let occurring = counts.iter().filter(|class| counts.labels || class.predicted + class.actual > 0.0);
        match self {
            // Two classes: a task of more was refused.
            Average::Binary => counts.iter().nth(1).map_or(f64::NAN, figure),
            Average::Micro => figure(counts.sum()),
            Average::Macro => mean(occurring.map(|class| (figure(class), 1.0))),
            Average::Weighted => by_weight(occurring.map(|class| (figure(class), class.actual))),
        }
    }
}

/// The mean of figures with weights, NaN when they have none.
pub(super) fn mean(figures: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (sum, weights) = figures
        .fold((0.0, 0.0), |(sum, weights), (figure, weight)| (sum + weight * figure, weights + weight));
    sum / weights
}

/// The mean of figures with weights: one of weight 0 does not matter, be it NaN, unless all are.
pub(super) fn by_weight(figures: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    if figures.clone().any(|(_, weight)| weight > 0.0) {
        mean(figures.filter(|(_, weight)| *weight > 0.0))
    } else {
        mean(figures.map(|(figure, _)| (figure, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Batch, confusion};

    fn precision(average: Average, batch: &Batch<'_, f64>) -> f64 {
        let mut state = Vec::new();
        confusion::update(&mut state, batch);
        average.of_counts(&state, |count| confusion::ratio(count.hit, count.predicted))
    }

    #[test]
    fn the_four_averages_of_a_matrix() {
        // Truth 0, 0, 0, 1; prediction 0, 0, 1, 1: precisions 2/2 and 1/2, shares 3/4 and 1/4, 3 of 4 right.
        let batch = Batch::new(&[0.0, 0.0, 0.0, 1.0], 1, &[0.1, 0.2, 0.9, 0.8], 1);
        let all = [Average::Binary, Average::Macro, Average::Weighted, Average::Micro];
        for (average, expected) in all.into_iter().zip([0.5, 0.75, 0.875, 0.75]) {
            assert!((precision(average, &batch) - expected).abs() < 1e-15, "{average}");
        }
    }

    #[test]
    fn classes_that_do_not_occur_are_left_out_and_labels_are_not() {
        let (targets, outputs) = ([1.0, 0.0, 0.0], [0.9, 0.1, 0.0]);
        let classes = Batch::new(&targets, 3, &outputs, 3);
        assert!((precision(Average::Macro, &classes) - 1.0).abs() < 1e-15);
        assert!((precision(Average::Macro, &classes.multilabel()) - 1.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn without_any_weight_the_plain_mean_is_taken() {
        assert!((by_weight([(1.0, 0.0), (2.0, 0.0)].into_iter()) - 1.5).abs() < 1e-15);
        assert!((by_weight([(f64::NAN, 0.0), (2.0, 3.0)].into_iter()) - 2.0).abs() < 1e-15);
        assert!(by_weight([].into_iter()).is_nan());
    }

    #[test]
    fn binary_is_refused_for_three_classes() {
        let three = Task { n_outputs: 3, target_width: 1, multilabel: false };
        let refused = Average::Binary.check_task("recall", &three).map_err(|error| error.to_string());
        let message = "metric recall: average must be macro, weighted or micro for 3 classes, but is binary";
        assert_eq!(refused, Err(message.into()));
        assert!(Average::Macro.check_task("recall", &three).is_ok());
        let labels = Task { n_outputs: 2, target_width: 2, multilabel: true };
        assert!(Average::Binary.check_task("recall", &labels).is_err());
        assert!(Average::Micro.check_task("recall", &labels).is_ok());
    }
}

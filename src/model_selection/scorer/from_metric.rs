//! A metric of the metric room as a scorer.

use ndarray::Array1;

use super::{Estimate, Scorer};
use crate::metric::{AnyMetric, Batch, Metric};
use crate::model_selection::target::Target;

impl<Y: Target + 'static> Scorer<Y> {
    /// A metric as a scorer, with the metric's own name, sign and direction.
    ///
    /// Numbers are handed over as they are. Labels become class indices beside one column for each class: the predicted
    /// probabilities when the scorer is made [`with_probabilities`](Scorer::with_probabilities), else 1 for the
    /// predicted class and 0 for the others.
    #[must_use]
    pub fn from_metric(metric: impl Into<AnyMetric>) -> Self {
        let metric = metric.into();
        let direction = metric.ops::<f64>().direction();
        let name = metric.name();
        let settings = Some(metric.settings().to_string().into());
        let scorer = Scorer::new(name, direction, move |estimate| value(metric.ops::<f64>(), estimate));
        Scorer { settings, ..scorer }
    }
}

fn value<Y: Target>(metric: &dyn Metric<f64>, estimate: &Estimate<'_, Y>) -> f64 {
    let weights: Option<Vec<f64>> =
        estimate.weights.map(|weights| weights.iter().copied().map(f64::from).collect());
    let numbers =
        |values: &ndarray::ArrayView2<'_, Y>| values.iter().map(Y::to_number).collect::<Option<Vec<f64>>>();
    let width = estimate.truth.ncols();
    let (targets, outputs, n_outputs) = match (numbers(&estimate.truth), numbers(&estimate.prediction)) {
        (Some(targets), Some(outputs)) => (targets, outputs, width),
        _ if width == 1 => match classes(estimate) {
            Some(classes) => classes,
            None => return f64::NAN,
        },
        _ => return f64::NAN,
    };
    metric.of(&Batch {
        multilabel: false,
        targets: &targets,
        target_width: width,
        outputs: &outputs,
        n_outputs,
        weights: weights.as_deref(),
    })
}

/// Class indices, one column of outputs for each class, and the number of classes.
fn classes<Y: Target>(estimate: &Estimate<'_, Y>) -> Option<(Vec<f64>, Vec<f64>, usize)> {
    let rows = estimate.rows();
    if let Some(probabilities) = estimate.probabilities {
        let index = |label| probabilities.classes.iter().position(|class| class == label);
        let targets: Option<Vec<f64>> =
            estimate.truth.iter().map(|label| index(label).map(|class| class as f64)).collect();
        return Some((targets?, probabilities.values.iter().copied().collect(), probabilities.classes.len()));
    }
    // Truth and prediction are numbered together, so that a class only one of them has gets a place too.
    let both: Array1<Y> = estimate.truth.iter().chain(estimate.prediction.iter()).cloned().collect();
    let both = Y::classes(both.view())?;
    // Two columns at least: a single one would be read as the probability of class 1.
    let n_classes = both.names.len().max(2);
    let mut outputs = vec![0.0; rows * n_classes];
    for (row, &class) in both.indices[rows..].iter().enumerate() {
        outputs[row * n_classes + class] = 1.0;
    }
    Some((both.indices[..rows].iter().map(|&class| class as f64).collect(), outputs, n_classes))
}

#[cfg(test)]
#[allow(clippy::float_cmp)]
mod tests {
    use ndarray::array;
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::float::Float;
    use crate::metric::Direction;
    use crate::part::Configured;

    #[derive(Clone, Debug, Serialize, Deserialize)]
    struct HitRate {}

    impl Configured for HitRate {
        const NAME: &'static str = "hit_rate";
    }

    impl<F: Float> Metric<F> for HitRate {
        fn direction(&self) -> Direction {
            Direction::Maximize
        }

        fn of_classes(&self) -> bool {
            true
        }

        fn update(&self, state: &mut Vec<f64>, batch: &Batch<'_, F>) {
            state.resize(2, 0.0);
            for row in 0..batch.rows() {
                state[0] += batch.weight(row) * f64::from(batch.class(row) == batch.predicted_class(row));
                state[1] += batch.weight(row);
            }
        }

        fn value(&self, state: &[f64]) -> f64 {
            state[0] / state[1]
        }
    }

    #[test]
    fn a_metric_of_classes_reads_labels() {
        let scorer = Scorer::from_metric(HitRate {});
        assert_eq!((scorer.name(), scorer.direction()), ("hit_rate", Direction::Maximize));
        let (truth, prediction) = (array![["no"], ["yes"], ["yes"]], array![["no"], ["perhaps"], ["yes"]]);
        assert_eq!(scorer.score_arrays(&truth, &prediction, None).unwrap(), 2.0 / 3.0);
        assert_eq!(scorer.score_arrays(&truth, &prediction, Some(&[1.0, 2.0, 1.0])).unwrap(), 0.5);
        let (truth, prediction) = (array![[true], [false]], array![[true], [true]]);
        let scorer = Scorer::from_metric(HitRate {});
        assert_eq!(scorer.score_arrays(&truth, &prediction, None).unwrap(), 0.5);
    }

    #[test]
    fn a_metric_reads_numbers_as_they_are() {
        let scorer = Scorer::<f64>::from_metric(HitRate {});
        let (truth, prediction) = (array![[1.0], [0.0]], array![[0.9], [0.7]]);
        assert_eq!(scorer.score_arrays(&truth, &prediction, None).unwrap(), 0.5);
    }
}

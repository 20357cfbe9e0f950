//! Scorers: what a search compares.
//!
//! A [`Scorer`] has a name, a direction and a function of truth, prediction and weights. It is typed by the targets it
//! reads, so that R² of labels does not compile. `neg_…` scorers follow scikit-learn: the error with its sign turned, so
//! that higher is better; metrics of the [`metric`](crate::metric) room keep their own sign and direction.
//!
//! A score that is NaN never wins: it ranks behind every number.

mod classification;
mod from_metric;
mod regression;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2};

use crate::error::{Error, Result};
use crate::metric::Direction;

/// What a scorer sees: truth and prediction of some rows.
///
/// # Shapes
///
/// `truth` and `prediction` are `(n_samples, n_outputs)`; one-dimensional targets are one column.
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::Estimate;
/// use ndarray::array;
///
/// let (truth, prediction) = (array![[1.0], [2.0]], array![[1.5], [4.0]]);
/// let estimate = Estimate {
///     truth: truth.view(),
///     prediction: prediction.view(),
///     weights: Some(&[3.0, 1.0]),
///     probabilities: None,
/// };
/// let error = |row: usize| f64::abs(estimate.truth[(row, 0)] - estimate.prediction[(row, 0)]);
/// assert_eq!((estimate.rows(), estimate.mean(error)), (2, (3.0 * 0.5 + 2.0) / 4.0));
/// ```
#[derive(Clone, Debug)]
pub struct Estimate<'a, Y> {
    /// The true values, in the units of the data set.
    pub truth: ArrayView2<'a, Y>,
    /// The predicted values, in the same units.
    pub prediction: ArrayView2<'a, Y>,
    /// The sample weights of the rows; none means 1.
    pub weights: Option<&'a [f32]>,
    /// The probabilities of the classes, when the estimator gives them and a scorer asked for them.
    pub probabilities: Option<&'a Probabilities<Y>>,
}

impl<Y> Estimate<'_, Y> {
    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.truth.nrows()
    }

    /// The sample weight of a row.
    #[must_use]
    pub fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| f64::from(weights[row]))
    }

    /// Σ wᵢ·f(i) / Σ wᵢ over the rows; NaN without a row of weight above 0.
    pub fn mean(&self, mut value: impl FnMut(usize) -> f64) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        for row in 0..self.rows() {
            let weight = self.weight(row);
            if weight > 0.0 {
                sum += weight * value(row);
                total += weight;
            }
        }
        if total > 0.0 { sum / total } else { f64::NAN }
    }
}

/// Probabilities of classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Probabilities<Y> {
    /// The classes, one for each column.
    pub classes: Vec<Y>,
    /// `(n_samples, n_classes)`; rows sum to 1.
    pub values: Array2<f64>,
}

type Closure<Y> = dyn Fn(&Estimate<'_, Y>) -> f64 + Send + Sync;

/// A plain function keeps its place here for labels that borrow, such as `&str` with a lifetime.
enum Function<Y> {
    Plain(fn(&Estimate<'_, Y>) -> f64),
    Closure(Arc<Closure<Y>>),
}

/// A score for predictions of `Y`: a name, a direction and a function.
///
/// | targets | constructors |
/// | --- | --- |
/// | numbers | [`r2`](Scorer::r2), [`neg_mean_squared_error`](Scorer::neg_mean_squared_error), [`neg_root_mean_squared_error`](Scorer::neg_root_mean_squared_error), [`neg_mean_absolute_error`](Scorer::neg_mean_absolute_error) |
/// | labels | [`accuracy`](Scorer::accuracy) |
/// | any | [`new`](Scorer::new) from a closure, [`from_metric`](Scorer::from_metric) |
///
/// # Examples
///
/// ```
/// use linfa_mlp::metric::Direction;
/// use linfa_mlp::model_selection::{Estimate, Scorer};
///
/// let worst = Scorer::new("max_error", Direction::Minimize, |e: &Estimate<'_, f64>| {
///     e.truth.iter().zip(&e.prediction).map(|(t, p)| (t - p).abs()).fold(0.0, f64::max)
/// });
/// let (truth, prediction) = (ndarray::array![[1.0], [2.0]], ndarray::array![[1.5], [4.0]]);
/// assert_eq!(worst.score_arrays(&truth, &prediction, None)?, 2.0);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub struct Scorer<Y> {
    name: Cow<'static, str>,
    direction: Direction,
    reads_probabilities: bool,
    /// The settings behind the function, where they are known.
    settings: Option<Arc<str>>,
    function: Function<Y>,
}

impl<Y> Scorer<Y> {
    /// A scorer from a closure.
    #[must_use]
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        direction: Direction,
        function: impl Fn(&Estimate<'_, Y>) -> f64 + Send + Sync + 'static,
    ) -> Self {
        Scorer {
            name: name.into(),
            direction,
            reads_probabilities: false,
            settings: None,
            function: Function::Closure(Arc::new(function)),
        }
    }

    const fn plain(name: &'static str, direction: Direction, function: fn(&Estimate<'_, Y>) -> f64) -> Self {
        Scorer {
            name: Cow::Borrowed(name),
            direction,
            reads_probabilities: false,
            settings: None,
            function: Function::Plain(function),
        }
    }

    /// Gives the scorer another name, for instance to use one metric twice.
    #[must_use]
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Says that the scorer reads [`Estimate::probabilities`]; an estimator that has none is then refused before the
    /// first fit.
    #[must_use]
    pub fn with_probabilities(mut self) -> Self {
        self.reads_probabilities = true;
        self
    }

    /// The name, which is the column's name in results.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which scores are better.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Whether the scorer reads probabilities.
    #[must_use]
    pub fn reads_probabilities(&self) -> bool {
        self.reads_probabilities
    }

    /// The score.
    #[must_use]
    pub fn score(&self, estimate: &Estimate<'_, Y>) -> f64 {
        match &self.function {
            Function::Plain(function) => function(estimate),
            Function::Closure(function) => function(estimate),
        }
    }

    /// The score of a prediction as two arrays of shape `(n_samples, n_outputs)`.
    ///
    /// # Errors
    ///
    /// - [`Error::RowCount`] when prediction or weights have another number of rows than the truth
    /// - [`Error::Width`] when the prediction has another number of columns
    pub fn score_arrays(
        &self,
        truth: &Array2<Y>,
        prediction: &Array2<Y>,
        weights: Option<&[f32]>,
    ) -> Result<f64> {
        let (expected, width) = truth.dim();
        same_shape(expected, width, prediction.dim())?;
        if let Some(found) = weights.map(<[f32]>::len).filter(|&found| found != expected) {
            return Err(Error::RowCount { array: "weights", expected, found });
        }
        Ok(self.score(&Estimate {
            truth: truth.view(),
            prediction: prediction.view(),
            weights,
            probabilities: None,
        }))
    }
}

impl<Y: Clone> Scorer<Y> {
    /// What the scorer is, as far as it can be seen: name, direction, settings, and its score of a small test, which
    /// a change of its code is likely to change. In the test, row i is predicted to be as row i / 2 truly is: more often wrong
    /// than right, and no mere change of order.
    pub(crate) fn identity(&self, truth: &ArrayView2<'_, Y>, weights: Option<&[f32]>) -> String {
        let mut identity = format!("{} ({:?}", self.name, self.direction);
        if let Some(settings) = &self.settings {
            identity += &format!(", {settings}");
        }
        if self.reads_probabilities {
            identity += ", of probabilities";
        } else {
            let halves: Vec<usize> = (0..truth.nrows()).map(|row| row / 2).collect();
            let prediction = truth.select(ndarray::Axis(0), &halves);
            let (truth, prediction) = (truth.view(), prediction.view());
            let score = self.score(&Estimate { truth, prediction, weights, probabilities: None });
            identity += &format!(", {score:?} in a test");
        }
        identity + ")"
    }
}

/// Checks that a prediction has the shape of the truth.
pub(crate) fn same_shape(rows: usize, width: usize, found: (usize, usize)) -> Result<()> {
    if found.0 != rows {
        Err(Error::RowCount { array: "prediction", expected: rows, found: found.0 })
    } else if found.1 != width {
        Err(Error::Width { array: "prediction", expected: width, found: found.1 })
    } else {
        Ok(())
    }
}

impl<Y> Clone for Scorer<Y> {
    fn clone(&self) -> Self {
        let function = match &self.function {
            Function::Plain(function) => Function::Plain(*function),
            Function::Closure(function) => Function::Closure(Arc::clone(function)),
        };
        Scorer { name: self.name.clone(), settings: self.settings.clone(), function, ..*self }
    }
}

impl<Y> fmt::Debug for Scorer<Y> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scorer").field("name", &self.name).field("direction", &self.direction).finish()
    }
}

/// The order of two scores, the better one first and NaN last. Two NaN are equal.
pub(crate) fn better_first(direction: Direction, a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        // Neither is NaN, so the comparison has an answer; -0 and 0 tie.
        (false, false) => {
            let order = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
            if direction == Direction::Maximize { order.reverse() } else { order }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_is_never_the_better_score() {
        let order = |direction, a, b| better_first(direction, a, b);
        for direction in [Direction::Maximize, Direction::Minimize] {
            assert_eq!(order(direction, f64::NAN, f64::NEG_INFINITY), Ordering::Greater);
            assert_eq!(order(direction, f64::INFINITY, f64::NAN), Ordering::Less);
            assert_eq!(order(direction, f64::NAN, f64::NAN), Ordering::Equal);
            assert_eq!(order(direction, 0.0, -0.0), Ordering::Equal);
        }
        assert_eq!(order(Direction::Maximize, 2.0, 1.0), Ordering::Less);
        assert_eq!(order(Direction::Minimize, 2.0, 1.0), Ordering::Greater);
    }

    #[test]
    fn a_prediction_of_another_shape_is_refused() {
        let scorer = Scorer::<f64>::r2();
        let truth = Array2::zeros((3, 1));
        let short = scorer.score_arrays(&truth, &Array2::zeros((2, 1)), None);
        assert!(matches!(short, Err(Error::RowCount { array: "prediction", expected: 3, found: 2 })));
        let wide = scorer.score_arrays(&truth, &Array2::zeros((3, 2)), None);
        assert!(matches!(wide, Err(Error::Width { expected: 1, found: 2, .. })));
        let weights = scorer.score_arrays(&truth, &truth, Some(&[1.0]));
        assert!(matches!(weights, Err(Error::RowCount { array: "weights", expected: 3, found: 1 })));
    }

    #[test]
    fn what_a_scorer_does_is_part_of_its_identity() {
        let truth = ndarray::array![[1.0], [2.0], [4.0], [8.0]];
        let of = |scorer: &Scorer<f64>| scorer.identity(&truth.view(), None);
        let scorer = |add: f64| {
            Scorer::new("s", Direction::Minimize, move |e: &Estimate<'_, f64>| {
                e.mean(|row| (e.truth[(row, 0)] - e.prediction[(row, 0)]).abs() + add)
            })
        };
        // Rows 0, 0, 1, 1 are predicted: 0 + 1 + 2 + 6 is off in all.
        assert_eq!(of(&scorer(0.0)), "s (Minimize, 2.25 in a test)");
        assert_eq!(of(&scorer(0.0).clone()), of(&scorer(0.0)));
        assert_ne!(of(&scorer(0.0)), of(&scorer(1e-9)));
        let weighted = scorer(0.0).identity(&truth.view(), Some(&[0.0, 0.0, 1.0, 0.0]));
        assert_eq!(weighted, "s (Minimize, 2.0 in a test)");
        let labels = ndarray::array![[true], [true], [true], [true]];
        let f = |beta| {
            Scorer::<bool>::from_metric(crate::metric::FBeta::new(beta)).identity(&labels.view(), None)
        };
        // The test tells them not apart, their settings do.
        assert_ne!(f(1.0), f(2.0));
        let probable = scorer(0.0).with_probabilities();
        assert_eq!(of(&probable), "s (Minimize, of probabilities)");
    }
}

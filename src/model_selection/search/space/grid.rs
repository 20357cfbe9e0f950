//! Typed axes and functions that draw, and their combinations.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::distribution::Distribution;
use super::draw::{Draw, Guide};
use super::walk::Walk;
use crate::error::{Error, Result, check};
use crate::model_selection::engine::guarded::guarded;
use crate::model_selection::results::ParamValue;
use crate::model_selection::search::candidates::Candidate;

/// What is done to the builder, by what is drawn.
type Step<P> = Arc<dyn Fn(P, &mut Draw<'_>) -> P + Send + Sync>;

type Filter<P> = Arc<dyn Fn(&Candidate<P>) -> bool + Send + Sync>;

/// Axes over an estimator's builder `P`, and the filter of their combinations.
///
/// The combinations are ordered like an odometer: the first axis changes slowest, the last one fastest.
///
/// | method | adds |
/// | --- | --- |
/// | `axis`, `axis_labelled` | a list of values |
/// | `axis_from` | a [`Distribution`] |
/// | `vary` | a function that draws: one parameter may depend on another |
/// | `filter` | a condition |
///
/// # Examples
///
/// ```
/// use linfa_elasticnet::{ElasticNet, ElasticNetParams};
/// use linfa_mlp::model_selection::Grid;
///
/// let grid: Grid<ElasticNetParams<f64>> = Grid::new()
///     .axis("penalty", [0.1, 1.0], |p: ElasticNetParams<f64>, v| p.penalty(v))
///     .axis("l1_ratio", [0.0, 0.5, 1.0], |p, v| p.l1_ratio(v));
/// let candidates = grid.candidates(&ElasticNet::params())?;
/// assert_eq!(candidates.len(), 6);
/// assert_eq!(candidates[1].params().to_string(), "penalty=0.1, l1_ratio=0.5");
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
///
/// A space in which one parameter depends on another is counted exactly: 3 + 9 networks of one or two layers.
///
/// ```
/// use linfa_mlp::MlpRegressor;
/// use linfa_mlp::estimator::MlpRegressorParams;
/// use linfa_mlp::model_selection::Grid;
///
/// let networks = Grid::new().vary(|p: MlpRegressorParams, draw| {
///     p.hidden_layer_sizes(draw.depth_and_units("hidden", 1..=2, [16, 32, 64]))
/// });
/// assert_eq!(networks.candidates(&MlpRegressor::params())?.len(), 12);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub struct Grid<P> {
    names: Vec<String>,
    steps: Vec<Step<P>>,
    filters: Vec<Filter<P>>,
}

impl<P> Default for Grid<P> {
    fn default() -> Self {
        Grid { names: Vec::new(), steps: Vec::new(), filters: Vec::new() }
    }
}

impl<P> Clone for Grid<P> {
    fn clone(&self) -> Self {
        Grid { names: self.names.clone(), steps: self.steps.clone(), filters: self.filters.clone() }
    }
}

impl<P> fmt::Debug for Grid<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Grid").field(&self.names).finish()
    }
}

impl<P> Grid<P> {
    /// Without axes.
    #[must_use]
    pub fn new() -> Self {
        Grid::default()
    }

    /// Adds an axis: a name, values, and what a value does to the builder. The values' serde form is what results and
    /// files show of them.
    #[must_use]
    pub fn axis<V>(
        self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = V>,
        set: impl Fn(P, V) -> P + Send + Sync + 'static,
    ) -> Self
    where
        V: Clone + Serialize + Send + Sync + 'static,
    {
        let values: Vec<V> = values.into_iter().collect();
        match ParamValue::of_axis(&values) {
            Ok(forms) => self.list(name.into(), forms, values, set),
            Err(error) => {
                let error = Arc::new(error);
                self.step(name.into(), move |builder, draw| {
                    draw.note_problem(json_error(&error));
                    builder
                })
            }
        }
    }

    /// As [`axis`](Grid::axis), for values without a serde form: each comes with the label that results show.
    #[must_use]
    pub fn axis_labelled<V>(
        self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = (&'static str, V)>,
        set: impl Fn(P, V) -> P + Send + Sync + 'static,
    ) -> Self
    where
        V: Clone + Send + Sync + 'static,
    {
        let (labels, values) = values.into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
        self.list(name.into(), labels.into_iter().map(ParamValue::labelled).collect(), values, set)
    }

    /// Adds an axis whose values come from a distribution. Where every combination is tried, it must be one of whole
    /// numbers.
    #[must_use]
    pub fn axis_from<D: Distribution + 'static>(
        self,
        name: impl Into<String>,
        distribution: D,
        set: impl Fn(P, D::Value) -> P + Send + Sync + 'static,
    ) -> Self {
        let name = name.into();
        self.step(name.clone(), move |builder, draw| {
            let value = draw.from(&name, &distribution);
            set(builder, value)
        })
    }

    /// Adds a function that draws what it needs, and changes the builder by it; see [`Draw`].
    #[must_use]
    pub fn vary(self, change: impl Fn(P, &mut Draw<'_>) -> P + Send + Sync + 'static) -> Self {
        self.step("…".into(), change)
    }

    /// Keeps only the combinations for which this holds.
    #[must_use]
    pub fn filter(mut self, keep: impl Fn(&Candidate<P>) -> bool + Send + Sync + 'static) -> Self {
        self.filters.push(Arc::new(keep));
        self
    }

    fn list<V: Clone + Send + Sync + 'static>(
        self,
        name: String,
        forms: Vec<ParamValue>,
        values: Vec<V>,
        set: impl Fn(P, V) -> P + Send + Sync + 'static,
    ) -> Self {
        self.step(name.clone(), move |builder, draw| match draw.place(&name, values.len()) {
            Some(place) => {
                draw.note(&name, forms[place].clone());
                set(builder, values[place].clone())
            }
            None => builder,
        })
    }

    fn step(mut self, name: String, step: impl Fn(P, &mut Draw<'_>) -> P + Send + Sync + 'static) -> Self {
        self.names.push(name);
        self.steps.push(Arc::new(step));
        self
    }

    /// All combinations, applied to copies of the prototype.
    ///
    /// # Errors
    ///
    /// - [`Error::Parameter`] for no axes, an axis without values or with more than can be counted, two axes of the same name,
    ///   or a filter that keeps nothing
    /// - [`Error::Json`] for a value whose serde form cannot be made
    pub fn candidates(&self, prototype: &P) -> Result<Vec<Candidate<P>>>
    where
        P: Clone,
    {
        let mut walk = Walk::default();
        let (mut candidates, mut all) = (Vec::new(), 0);
        loop {
            candidates.extend(self.candidate(prototype, &mut walk)?);
            all += 1;
            if !walk.advance()? {
                break;
            }
        }
        self.check_kept(!candidates.is_empty(), all)?;
        Ok(candidates)
    }

    /// The candidate that a guide leads to; none when the filter refuses it.
    pub(super) fn candidate(&self, prototype: &P, guide: &mut dyn Guide) -> Result<Option<Candidate<P>>>
    where
        P: Clone,
    {
        check("grid", "without axes", !self.is_empty(), "a grid of at least one axis")?;
        let mut draw = Draw::by(guide);
        // A function that gets a value out of its range, because the range is impossible, may panic of it.
        let estimator = guarded("the search space", || {
            let steps = self.steps.iter();
            Ok::<P, Error>(steps.fold(prototype.clone(), |builder, step| step(builder, &mut draw)))
        });
        let (estimator, (params, answers)) = match estimator {
            Err(error) if !draw.problem() => return Err(error),
            estimator => {
                let drawn = draw.finish()?;
                (estimator?, drawn)
            }
        };
        let candidate = Candidate { estimator, params, answers };
        Ok(self.filters.iter().all(|keep| keep(&candidate)).then_some(candidate))
    }

    /// Refuses a filter that kept none of so many.
    pub(super) fn check_kept(&self, any: bool, all: usize) -> Result<()> {
        let found = format!("keeping none of {all}");
        check("filter", found, any, "one that keeps at least one candidate")
    }

    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// serde's errors cannot be copied, so its text is put into a new one.
fn json_error(error: &serde_json::Error) -> Error {
    Error::Json(serde::ser::Error::custom(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, Default, PartialEq)]
    struct Builder {
        rate: f64,
        hidden: Vec<usize>,
        kind: Option<Kind>,
    }

    #[derive(Clone, Debug, PartialEq)]
    enum Kind {
        Plain,
    }

    fn grid() -> Grid<Builder> {
        Grid::new().axis("rate", [0.1, 0.2], |p: Builder, rate| Builder { rate, ..p }).axis(
            "hidden",
            [vec![3], vec![4, 5], vec![]],
            |p, hidden| Builder { hidden, ..p },
        )
    }

    fn texts(grid: &Grid<Builder>) -> Vec<String> {
        let candidates = grid.candidates(&Builder::default()).unwrap();
        candidates.iter().map(|candidate| candidate.params().to_string()).collect()
    }

    #[test]
    fn candidates_are_the_product_with_the_last_axis_fastest() {
        let candidates = grid().candidates(&Builder::default()).unwrap();
        assert_eq!(candidates.len(), 6);
        assert_eq!(candidates[4].estimator(), &Builder { rate: 0.2, hidden: vec![4, 5], kind: None });
        assert_eq!(
            texts(&grid())[..3],
            ["rate=0.1, hidden=[3]", "rate=0.1, hidden=[4, 5]", "rate=0.1, hidden=[]"]
        );
    }

    #[test]
    fn filters_see_builder_and_parameters() {
        let kept = grid()
            .filter(|candidate| candidate.estimator().hidden.len() < 2)
            .filter(|candidate| candidate.params().get("rate").and_then(ParamValue::number) == Some(0.2));
        assert_eq!(texts(&kept), ["rate=0.2, hidden=[3]", "rate=0.2, hidden=[]"]);
    }

    #[test]
    fn labelled_values_need_no_serde_form() {
        let grid = Grid::new().axis_labelled("kind", [("plain", Kind::Plain)], |p: Builder, kind| Builder {
            kind: Some(kind),
            ..p
        });
        let candidates = grid.candidates(&Builder::default()).unwrap();
        assert_eq!(candidates[0].params().to_string(), "kind=plain");
        assert_eq!(candidates[0].estimator().kind, Some(Kind::Plain));
    }

    #[test]
    fn grids_without_candidates_are_refused() {
        let error = |grid: Grid<Builder>| grid.candidates(&Builder::default()).unwrap_err().to_string();
        assert_eq!(error(Grid::new()), "grid must be a grid of at least one axis, but is without axes");
        let empty = grid().axis("kind", Vec::<u8>::new(), |p, _| p);
        assert_eq!(error(empty), "axis kind must be a list of at least one value, but is empty");
        let twice = grid().axis("rate", [1], |p, _| p);
        assert_eq!(error(twice), "axis must be a name that no other axis has, but is rate");
        let none = grid().filter(|_| false);
        assert_eq!(
            error(none),
            "filter must be one that keeps at least one candidate, but is keeping none of 6"
        );
    }

    #[test]
    fn a_value_that_cannot_be_written_is_an_error() {
        let pairs = std::collections::BTreeMap::from([((1, 2), 3)]);
        let grid = Grid::new().axis("pairs", [pairs], |p: Builder, _| p);
        assert!(matches!(grid.candidates(&Builder::default()), Err(Error::Json(_))));
    }
}

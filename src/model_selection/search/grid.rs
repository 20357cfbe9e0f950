//! Typed axes and their combinations.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::candidates::Candidate;
use crate::error::{Error, Result, check};
use crate::model_selection::results::{ParamValue, Params};

type Setter<P> = Arc<dyn Fn(P) -> P + Send + Sync>;

/// A value of an axis: what it is called, and what it does to the builder.
struct Point<P> {
    value: ParamValue,
    set: Setter<P>,
}

impl<P> Clone for Point<P> {
    fn clone(&self) -> Self {
        Point { value: self.value.clone(), set: Arc::clone(&self.set) }
    }
}

struct Axis<P> {
    name: String,
    points: Result<Vec<Point<P>>, Arc<serde_json::Error>>,
}

impl<P> Clone for Axis<P> {
    fn clone(&self) -> Self {
        Axis { name: self.name.clone(), points: self.points.clone() }
    }
}

type Filter<P> = Arc<dyn Fn(&Candidate<P>) -> bool + Send + Sync>;

/// Axes over an estimator's builder `P`, and the filter of their combinations.
///
/// The combinations are ordered like an odometer: the first axis changes slowest, the last one fastest.
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
pub struct Grid<P> {
    axes: Vec<Axis<P>>,
    filters: Vec<Filter<P>>,
}

impl<P> Default for Grid<P> {
    fn default() -> Self {
        Grid { axes: Vec::new(), filters: Vec::new() }
    }
}

impl<P> Clone for Grid<P> {
    fn clone(&self) -> Self {
        Grid { axes: self.axes.clone(), filters: self.filters.clone() }
    }
}

impl<P> fmt::Debug for Grid<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let axes = self.axes.iter().map(|axis| (&axis.name, axis.points.as_ref().map_or(0, Vec::len)));
        f.debug_map().entries(axes).finish()
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
        mut self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = V>,
        set: impl Fn(P, V) -> P + Send + Sync + 'static,
    ) -> Self
    where
        V: Clone + Serialize + Send + Sync + 'static,
    {
        let values: Vec<V> = values.into_iter().collect();
        let forms = ParamValue::of_axis(&values).map_err(Arc::new);
        let points = forms.map(|forms| points(forms.into_iter().zip(values), set));
        self.axes.push(Axis { name: name.into(), points });
        self
    }

    /// As [`axis`](Grid::axis), for values without a serde form: each comes with the label that results show.
    #[must_use]
    pub fn axis_labelled<V>(
        mut self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = (&'static str, V)>,
        set: impl Fn(P, V) -> P + Send + Sync + 'static,
    ) -> Self
    where
        V: Clone + Send + Sync + 'static,
    {
        let values = values.into_iter().map(|(label, value)| (ParamValue::labelled(label), value));
        self.axes.push(Axis { name: name.into(), points: Ok(points(values, set)) });
        self
    }

    /// Keeps only the combinations for which this holds.
    #[must_use]
    pub fn filter(mut self, keep: impl Fn(&Candidate<P>) -> bool + Send + Sync + 'static) -> Self {
        self.filters.push(Arc::new(keep));
        self
    }

    /// All combinations, applied to copies of the prototype.
    ///
    /// # Errors
    ///
    /// - [`Error::Parameter`] for no axes, an axis without values, two axes of the same name, or a filter that keeps
    ///   nothing
    /// - [`Error::Json`] for a value whose serde form cannot be made
    pub fn candidates(&self, prototype: &P) -> Result<Vec<Candidate<P>>>
    where
        P: Clone,
    {
        check("grid", "without axes", !self.axes.is_empty(), "a grid of at least one axis")?;
        let mut candidates = vec![Candidate { estimator: prototype.clone(), params: Params::default() }];
        for (place, axis) in self.axes.iter().enumerate() {
            let again = self.axes[..place].iter().any(|other| other.name == axis.name);
            check("axis", &axis.name, !again, "a name that no other axis has")?;
            let points = axis.points.as_ref().map_err(|error| json_error(error))?;
            let allowed = "a list of at least one value";
            check(&format!("axis {}", axis.name), "empty", !points.is_empty(), allowed)?;
            candidates = candidates
                .iter()
                .flat_map(|candidate| {
                    points.iter().map(|point| Candidate {
                        estimator: (point.set)(candidate.estimator.clone()),
                        params: candidate.params.clone().with(&axis.name, point.value.clone()),
                    })
                })
                .collect();
        }
        let all = candidates.len();
        candidates.retain(|candidate| self.filters.iter().all(|keep| keep(candidate)));
        let found = format!("keeping none of {all}");
        check("filter", found, !candidates.is_empty(), "one that keeps at least one candidate")?;
        Ok(candidates)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.axes.is_empty()
    }
}

/// serde's errors cannot be copied, so its text is put into a new one.
fn json_error(error: &serde_json::Error) -> Error {
    Error::Json(serde::ser::Error::custom(error))
}

fn points<P, V>(
    values: impl IntoIterator<Item = (ParamValue, V)>,
    set: impl Fn(P, V) -> P + Send + Sync + 'static,
) -> Vec<Point<P>>
where
    V: Clone + Send + Sync + 'static,
{
    let set = Arc::new(set);
    let point = |(form, value): (ParamValue, V)| {
        let set = Arc::clone(&set);
        Point { value: form, set: Arc::new(move |builder| set(builder, value.clone())) as Setter<P> }
    };
    values.into_iter().map(point).collect()
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

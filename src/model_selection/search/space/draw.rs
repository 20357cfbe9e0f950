//! Drawing the parameters of a candidate, each under a name.

use std::ops::RangeInclusive;

use serde::Serialize;

use super::distribution::{Distribution, Integer, LogInteger, LogUniform, Uniform};
use crate::error::{Error, Result, check};
use crate::model_selection::results::{ParamValue, Params};

/// What is asked for: a coordinate for this name.
pub(crate) struct Question<'a> {
    pub name: &'a str,
    /// The number of values, when they can be counted.
    pub count: Option<usize>,
    /// Whether neighbouring coordinates mean similar values.
    pub ordered: bool,
    /// The coordinate of a countable value.
    pub coordinate: &'a dyn Fn(usize) -> f64,
}

/// Answers questions: by chance, by what was learnt, or by going through all answers.
pub(crate) trait Guide {
    fn answer(&mut self, question: &Question<'_>) -> f64;
}

/// An answer that a candidate is made of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub name: String,
    /// In [0, 1).
    pub coordinate: f64,
}

/// Draws the parameters of a candidate.
///
/// Every parameter has a name, and is a column of the results. A function that draws decides as it goes which parameters there
/// are: a candidate has those that were drawn for it, and the others are empty in the table.
///
/// What is drawn depends on the search, the candidate and the name, and not on the order of the calls.
///
/// | method | gives |
/// | --- | --- |
/// | `uniform`, `log_uniform` | a number from low to high |
/// | `integer`, `log_integer` | a whole number of a range |
/// | `choice`, `choice_labelled` | one of a list |
/// | `depth_and_units` | sizes of hidden layers |
/// | `from` | a value of any [`Distribution`] |
///
/// An impossible range or a name that is drawn twice gives some value, and the search then fails with the error before any fit.
///
/// # Examples
///
/// ```
/// use linfa_mlp::MlpRegressor;
/// use linfa_mlp::model_selection::RandomSearch;
/// use linfa_mlp::optimizer::{Adam, Sgd};
///
/// let search: RandomSearch<_> = RandomSearch::new(MlpRegressor::params()).sample(20, |p, draw| {
///     let rate = draw.log_uniform("learning_rate", 1e-5, 1e-1);
///     let p = p.hidden_layer_sizes(draw.depth_and_units("hidden", 1..=3, [32, 64, 128]));
///     match draw.choice("optimizer", ["adam", "sgd"]) {
///         "adam" => p.optimizer(Adam::new(rate)),
///         _ => p.optimizer(Sgd::new(rate).momentum(draw.uniform("momentum", 0.0, 0.95))),
///     }
/// });
/// let candidates = search.candidates()?;
/// assert_eq!(candidates.len(), 20);
/// let sgd = candidates.iter().filter(|candidate| candidate.params().get("momentum").is_some()).count();
/// assert!(0 < sgd && sgd < 20);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub struct Draw<'a> {
    guide: &'a mut dyn Guide,
    answers: Vec<Answer>,
    params: Params,
    problem: Option<Error>,
}

impl std::fmt::Debug for Draw<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draw").field("params", &self.params).finish_non_exhaustive()
    }
}

impl<'a> Draw<'a> {
    pub(crate) fn by(guide: &'a mut dyn Guide) -> Self {
        Draw { guide, answers: Vec::new(), params: Params::default(), problem: None }
    }

    /// What was drawn, or the first problem.
    pub(crate) fn finish(self) -> Result<(Params, Vec<Answer>)> {
        self.problem.map_or(Ok((self.params, self.answers)), Err)
    }

    /// Whether something is wrong with what was drawn so far.
    pub(crate) fn problem(&self) -> bool {
        self.problem.is_some()
    }

    /// A number from `low` to `high`.
    pub fn uniform(&mut self, name: &str, low: f64, high: f64) -> f64 {
        self.from(name, &Uniform::new(low, high))
    }

    /// A positive number from `low` to `high`, evenly in its logarithm.
    pub fn log_uniform(&mut self, name: &str, low: f64, high: f64) -> f64 {
        self.from(name, &LogUniform::new(low, high))
    }

    /// A whole number of the range.
    pub fn integer(&mut self, name: &str, range: RangeInclusive<usize>) -> usize {
        self.from(name, &Integer::new(range))
    }

    /// A positive whole number of the range, about evenly in its logarithm.
    pub fn log_integer(&mut self, name: &str, range: RangeInclusive<usize>) -> usize {
        self.from(name, &LogInteger::new(range))
    }

    /// A value of this distribution.
    pub fn from<D: Distribution>(&mut self, name: &str, distribution: &D) -> D::Value {
        if let Err(error) = distribution.check() {
            self.note_problem(error.within(name));
            return distribution.value(0.0);
        }
        let coordinate = |place| distribution.coordinate(place);
        let at = self.ask(name, distribution.count(), true, &coordinate);
        let value = distribution.value(at);
        match ParamValue::of_drawn(&value) {
            Ok(form) => self.note(name, form),
            Err(error) => self.note_problem(error.into()),
        }
        value
    }

    /// One of a list, whose order means nothing. The values' serde form is what tables and files show of them.
    pub fn choice<V: Serialize + 'static, const N: usize>(&mut self, name: &str, values: [V; N]) -> V {
        const { assert!(N > 0, "a choice needs at least one value") };
        let place = self.place(name, N).unwrap_or(0);
        match ParamValue::of_axis(&values) {
            Ok(mut forms) => self.note(name, forms.swap_remove(place)),
            Err(error) => self.note_problem(error.into()),
        }
        nth(values, place)
    }

    /// As [`choice`](Draw::choice), with the label of each value.
    pub fn choice_labelled<V, const N: usize>(&mut self, name: &str, values: [(&'static str, V); N]) -> V {
        const { assert!(N > 0, "a choice needs at least one value") };
        let place = self.place(name, N).unwrap_or(0);
        self.note(name, ParamValue::labelled(values[place].0));
        nth(values, place).1
    }

    /// The sizes of hidden layers: how many there are, and for each one of these numbers of units. It is one column of the
    /// results, such as `[64, 32]`.
    ///
    /// With d depths and u units it has Σ uᵈ values over the depths, so that deep networks are no more likely than shallow
    /// ones, though there are more of them.
    pub fn depth_and_units<const N: usize>(
        &mut self,
        name: &str,
        depth: RangeInclusive<usize>,
        units: [usize; N],
    ) -> Vec<usize> {
        const { assert!(N > 0, "layers need at least one number of units") };
        let depth = Integer::new(depth);
        if let Err(error) = depth.check() {
            self.note_problem(error.within("depth").within(name));
            return Vec::new();
        }
        let at = self.ask(&format!("{name} depth"), depth.count(), true, &|place| depth.coordinate(place));
        let middle = |place: usize| (place as f64 + 0.5) / N as f64;
        let layers: Vec<usize> = (1..=depth.value(at))
            .map(|layer| {
                let at = self.ask(&format!("{name} layer {layer}"), Some(N), true, &middle);
                units[((at * N as f64) as usize).min(N - 1)]
            })
            .collect();
        match ParamValue::of_drawn(&layers) {
            Ok(form) => self.note(name, form),
            Err(error) => self.note_problem(error.into()),
        }
        layers
    }

    /// The place of one of `count` values, whose order means nothing; none when there are none.
    pub(crate) fn place(&mut self, name: &str, count: usize) -> Option<usize> {
        let allowed = "a list of at least one value";
        if let Err(error) = check(&format!("axis {name}"), "empty", count > 0, allowed) {
            self.note_problem(error);
            return None;
        }
        let middle = |place: usize| (place as f64 + 0.5) / count as f64;
        let at = self.ask(name, Some(count), false, &middle);
        Some(((at * count as f64) as usize).min(count - 1))
    }

    /// Asks for a coordinate, and remembers the answer.
    fn ask(
        &mut self,
        name: &str,
        count: Option<usize>,
        ordered: bool,
        coordinate: &dyn Fn(usize) -> f64,
    ) -> f64 {
        let again = self.answers.iter().any(|answer| answer.name == name);
        if let Err(error) = check("axis", name, !again, "a name that no other axis has") {
            self.note_problem(error);
            return 0.0;
        }
        let at = self.guide.answer(&Question { name, count, ordered, coordinate });
        self.answers.push(Answer { name: name.into(), coordinate: at });
        at
    }

    /// Shows a value in the results.
    pub(crate) fn note(&mut self, name: &str, value: ParamValue) {
        self.params.push(name, value);
    }

    pub(crate) fn note_problem(&mut self, error: Error) {
        self.problem.get_or_insert(error);
    }
}

fn nth<V, const N: usize>(values: [V; N], place: usize) -> V {
    values.into_iter().nth(place).expect("a place of a list is one of its places")
}

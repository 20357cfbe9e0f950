//! Steps among which candidates choose.

use std::fmt;
use std::sync::Arc;

use linfa::Float;
use linfa::traits::{Fit, Transformer};
use ndarray::{Array1, Array2};

use super::Preparation;
use super::transform::{Foreign, Step};
use crate::model_selection::results::Params;

/// One value of an axis of the preprocessing: a transformer, or none.
///
/// See [`preprocess_axis`](crate::model_selection::Search::preprocess_axis).
pub struct Preprocess<F>(pub(super) Option<Arc<dyn Step<F>>>);

impl<F> Clone for Preprocess<F> {
    fn clone(&self) -> Self {
        Preprocess(self.0.clone())
    }
}

impl<F> fmt::Debug for Preprocess<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Preprocess::by(…)" } else { "Preprocess::none()" })
    }
}

impl<F: Float> Preprocess<F> {
    /// A linfa transformer of the records.
    #[must_use]
    pub fn by<T, E>(transformer: T) -> Self
    where
        T: Fit<Array2<F>, Array1<()>, E> + Send + Sync + 'static,
        T::Object: Transformer<Array2<F>, Array2<F>> + Send + Sync + 'static,
        E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
    {
        Preprocess(Some(Arc::new(Foreign::new(transformer))))
    }

    /// No step: the records stay as they are.
    #[must_use]
    pub fn none() -> Self {
        Preprocess(None)
    }
}

/// A place in the sequence of steps.
pub(super) enum Place<F> {
    /// The same for every candidate.
    Always(Arc<dyn Step<F>>),
    /// By the label that a candidate has on an axis; a candidate without the axis goes without the step.
    Chosen { axis: String, steps: Vec<(String, Preprocess<F>)> },
}

impl<F> Clone for Place<F> {
    fn clone(&self) -> Self {
        match self {
            Place::Always(step) => Place::Always(Arc::clone(step)),
            Place::Chosen { axis, steps } => Place::Chosen { axis: axis.clone(), steps: steps.clone() },
        }
    }
}

/// The preparations that candidates have chosen, each of them once: candidates with the same one share its fitted steps.
#[derive(Debug)]
pub(crate) struct Prefixes<F> {
    all: Vec<Preparation<F>>,
    of: Vec<usize>,
}

impl<F: Float> Prefixes<F> {
    /// Of candidates with these parameters.
    pub(crate) fn of<'p>(preparation: &Preparation<F>, params: impl IntoIterator<Item = &'p Params>) -> Self {
        let (mut keys, mut all, mut of) = (Vec::new(), Vec::new(), Vec::new());
        for params in params {
            let key = preparation.choices(params);
            let known = keys.iter().position(|other| *other == key);
            of.push(known.unwrap_or_else(|| {
                all.push(preparation.chosen_by(params));
                keys.push(key);
                all.len() - 1
            }));
        }
        Prefixes { all, of }
    }

    /// The one of a candidate.
    pub(crate) fn place(&self, candidate: usize) -> usize {
        self.of[candidate]
    }

    /// A preparation, in which nothing is left to choose.
    pub(crate) fn get(&self, place: usize) -> &Preparation<F> {
        &self.all[place]
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}

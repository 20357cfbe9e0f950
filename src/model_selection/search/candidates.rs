//! Candidates of a search.

use super::space::Answer;
use crate::error::Error;
use crate::model_selection::engine::trainer::AnyError;
use crate::model_selection::results::Params;

/// A setting of the estimator that a search may try.
///
/// # Examples
///
/// ```
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::GridSearch;
///
/// let search: GridSearch<_> = GridSearch::new(ElasticNet::<f64>::params()).axis("penalty", [0.1, 1.0], |p, v| p.penalty(v));
/// let candidates = search.candidates()?;
/// assert_eq!(candidates[1].params().get("penalty").and_then(|value| value.number()), Some(1.0));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Candidate<P> {
    pub(super) estimator: P,
    pub(super) params: Params,
    /// What the space's questions were answered.
    pub(super) answers: Vec<Answer>,
}

impl<P> Candidate<P> {
    /// The estimator's builder with the candidate's values.
    #[must_use]
    pub fn estimator(&self) -> &P {
        &self.estimator
    }

    /// The values by the names of their axes.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }
}

/// Names the candidate in an error.
pub(super) fn named(index: usize, params: &Params, source: AnyError) -> Error {
    Error::Candidate { candidate: index, params: params.to_string(), source }
}

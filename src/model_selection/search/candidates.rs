//! Candidates of a search.

use super::space::Answer;
use crate::error::Error;
use crate::model_selection::results::Params;
use crate::model_selection::trainer::AnyError;

/// A setting of the estimator that a search may try.
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

//! Fits that go on: estimators whose training can pause and continue.

use linfa::dataset::TargetDim;
use serde::{Deserialize, Serialize};

use super::data_view::DataView;
use super::fit_rows::{FitContext, FitRows};
use crate::error::Result;

/// How far a fit shall go, and how far it may go in all.
///
/// Both are counted from the beginning of training. The whole way is known from the start, so that a fit that pauses on it
/// is the same fit as one that does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Goal {
    /// Passes over the training rows.
    Epochs {
        /// Pause after so many …
        now: usize,
        /// … of so many.
        of: usize,
    },
    /// Updates of the weights: batches learned from.
    Updates {
        /// Pause after so many …
        now: u64,
        /// … of so many.
        of: u64,
    },
}

impl Goal {
    /// How far to go now, in its unit.
    #[must_use]
    pub fn now(&self) -> u64 {
        match *self {
            Goal::Epochs { now, .. } => now as u64,
            Goal::Updates { now, .. } => now,
        }
    }

    /// The whole way.
    #[must_use]
    pub fn whole(self) -> Self {
        match self {
            Goal::Epochs { of, .. } => Goal::Epochs { now: of, of },
            Goal::Updates { of, .. } => Goal::Updates { now: of, of },
        }
    }
}

/// An estimator whose fits can pause and go on, so that a search need not repeat what a candidate has learned.
///
/// The law: however often a fit pauses on its way, it gives the model of a fit that never did, to the last bit.
///
/// ```text
/// begin → advance → model           the first rung
///         advance → model           the next ones, for the candidates that are left
/// ```
///
/// A state that was lost (because another process has it) is begun again and advanced the whole way, which gives the same.
pub trait ContinueRows<F, Y, I: TargetDim>: FitRows<F, Y, I> {
    /// Everything that training needs to go on.
    type State: Send;

    /// A state before its first update, on the way to that goal.
    ///
    /// # Errors
    ///
    /// As [`FitRows::fit_rows`], before its first step.
    fn begin(
        &self,
        data: &DataView<'_, F, Y, I>,
        prepared: &Self::Prepared,
        rows: &[usize],
        goal: Goal,
        context: &FitContext<'_>,
    ) -> Result<Self::State>;

    /// Trains until the goal is reached. A state that has come as far already stays as it is.
    ///
    /// # Errors
    ///
    /// As [`FitRows::fit_rows`].
    fn advance(
        &self,
        state: &mut Self::State,
        data: &DataView<'_, F, Y, I>,
        prepared: &Self::Prepared,
        rows: &[usize],
        goal: Goal,
        context: &FitContext<'_>,
    ) -> Result<()>;

    /// The model of a state.
    ///
    /// # Errors
    ///
    /// A model that cannot be made.
    fn model(&self, state: &Self::State, prepared: &Self::Prepared) -> Result<Self::Object>;

    /// The state as bytes, from which [`state_from_bytes`](ContinueRows::state_from_bytes) makes it again.
    ///
    /// # Errors
    ///
    /// A state that cannot be written.
    fn state_to_bytes(&self, state: &Self::State) -> Result<Vec<u8>>;

    /// The state that was written. Training goes on from it to the same bits.
    ///
    /// # Errors
    ///
    /// Bytes that are no state of this estimator.
    fn state_from_bytes(&self, bytes: &[u8]) -> Result<Self::State>;
}

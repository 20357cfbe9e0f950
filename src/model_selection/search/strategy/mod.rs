//! Strategies: which candidates a search tries, and in which order.
//!
//! A search proceeds in rounds. A [`Strategy`] names the candidates of a round, all of them are evaluated in every fold, and it
//! is asked again with what came of them. One that does not learn names all its candidates in the first round and none
//! in the second.

mod exhaustive;
mod halving;
mod hyperband;
mod random;
mod tpe;

pub use exhaustive::Exhaustive;
pub use halving::Halving;
pub use hyperband::Hyperband;
pub use random::Random;
pub use tpe::Tpe;

use std::fmt::Debug;

use super::candidates::Candidate;
use super::ladder::Ladder;
use super::space::{Answer, Space};
use crate::error::Result;

/// Which candidates a search tries.
///
/// What a strategy proposes depends on its settings, the space and what has been tried, on nothing else: not on the time, nor on
/// the number of threads. So a search that is run again proposes the same candidates. Its `Debug` form shows the settings: processes
/// that [share a store](crate::model_selection::SharedStore) compare it.
///
/// # Examples
///
/// ```
/// use linfa::traits::Fit;
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{Candidate, KFold, Search, Space, Strategy, Tried};
///
/// /// The first two combinations, whatever comes of them.
/// #[derive(Debug)]
/// struct FirstTwo;
///
/// impl Strategy for FirstTwo {
///     fn next_round<P: Clone>(&self, space: &Space<P>, tried: &Tried<'_>) -> linfa_mlp::Result<Vec<Candidate<P>>> {
///         Ok(if tried.is_empty() { space.combinations()?.into_iter().take(2).collect() } else { Vec::new() })
///     }
/// }
///
/// let search = Search::by(FirstTwo, ElasticNet::params())
///     .axis("penalty", [0.1, 1.0, 10.0], |p, v| p.penalty(v))
///     .cv(KFold::new(3));
/// assert_eq!(search.fit(&linfa_datasets::diabetes())?.results().candidates().len(), 2);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub trait Strategy: Debug + Send + Sync {
    /// The candidates of the next round; none ends the search.
    ///
    /// # Errors
    ///
    /// What the space cannot be searched for, before any fit of the round.
    fn next_round<P: Clone>(&self, space: &Space<P>, tried: &Tried<'_>) -> Result<Vec<Candidate<P>>>;

    /// The rungs that the candidates of a round (from 0) climb, each trained further than the one before and with fewer of the
    /// candidates; none trains them all to their own end. The smallest fold trains on `n_train` rows.
    ///
    /// # Errors
    ///
    /// Settings outside their ranges, before any fit of the round.
    fn ladder(&self, round: usize, candidates: usize, n_train: usize) -> Result<Option<Ladder>> {
        let _ = (round, candidates, n_train);
        Ok(None)
    }

    /// The number of fits in each fold in all rounds, given the candidates of the first. It is a forecast, for progress
    /// displays.
    fn forecast_fits(&self, first_round: usize, n_train: usize) -> usize {
        let _ = n_train;
        self.forecast(first_round)
    }

    /// The number of candidates of all rounds, given those of the first. It is a forecast, for progress displays.
    fn forecast(&self, first_round: usize) -> usize {
        first_round
    }

    /// Whether the candidates of later rounds depend on scores; then they are not known without them. The default is yes.
    fn learns(&self) -> bool {
        true
    }

    /// The number of candidates asked for, when it is a wish: the space may have fewer.
    fn asked(&self) -> Option<usize> {
        None
    }
}

/// What a search has tried so far.
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{Space, Strategy, Tried, Tpe};
///
/// fn tells_more<S: Strategy>(strategy: &S, tried: &Tried<'_>) -> bool {
///     strategy.learns() && !tried.is_empty() && tried.losses().len() == tried.len()
/// }
/// assert!(Tpe::default().learns());
/// # let _ = tells_more::<Tpe>;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Tried<'a> {
    losses: &'a [f64],
    answers: &'a [Vec<Answer>],
}

impl<'a> Tried<'a> {
    pub(super) fn nothing() -> Self {
        Tried { losses: &[], answers: &[] }
    }

    pub(super) fn of(losses: &'a [f64], answers: &'a [Vec<Answer>]) -> Self {
        Tried { losses, answers }
    }

    /// The number of candidates tried.
    #[must_use]
    pub fn len(&self) -> usize {
        self.losses.len()
    }

    /// Whether this is before the first round.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.losses.is_empty()
    }

    /// The candidates' mean test scores by the scorer that decides, turned so that less is better; NaN where a fit failed.
    #[must_use]
    pub fn losses(&self) -> &'a [f64] {
        self.losses
    }

    /// What the space's questions were answered for each candidate.
    pub(crate) fn answers(&self) -> &'a [Vec<Answer>] {
        self.answers
    }
}

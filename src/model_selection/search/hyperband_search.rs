//! Halvings of different haste, one after the other.

use linfa::ParamGuard;

use super::builder::Search;
use super::ladder::Resource;
use super::space::Draw;
use super::strategy::Hyperband;
use crate::error::Error;

/// Draws candidates by chance and halves them, in brackets that drop candidates sooner or later: Hyperband, with every
/// candidate of a rung cross-validated on the same folds.
///
/// How little training tells a good candidate from a bad one is seldom known. [`HalvingSearch`](super::HalvingSearch) takes it
/// from its user; Hyperband tries every answer, from many candidates that start with the least of the resource to a few that
/// are trained the whole way.
///
/// To the settings of every [`Search`] it adds:
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | `sample` | – | a function that draws a candidate, beside or in place of axes |
/// | `resource` | `Epochs { min: 1, max: 81 }` | what is given out: [`Epochs`](super::Epochs), [`Updates`](super::Updates) or [`Samples`](super::Samples) |
/// | `factor` | 3 | of that many candidates one goes on, and is trained that many times as far |
/// | `seed` | 0 | of the draws |
///
/// The number of candidates follows from resource and factor: 81, 34, 15, 8 and 5 with the defaults. All that is said of rungs
/// in [`HalvingSearch`](super::HalvingSearch) holds here: survivors go on from where they stopped, and the outcome depends on
/// scores alone.
///
/// There is no asynchronous variant (ASHA), which promotes a candidate as soon as it is among the best of those that happen to
/// be finished: which ones those are depends on the machine and its load, and the same search would find something else the
/// next day. Here a rung is finished first; its fits run in parallel, over candidates, folds and replicates.
///
/// # Examples
///
/// ```
/// use linfa_mlp::MlpRegressor;
/// use linfa_mlp::model_selection::{Epochs, HyperbandSearch, KFold, TargetScaling};
/// use linfa_mlp::optimizer::Adam;
///
/// let search = HyperbandSearch::new(MlpRegressor::params().seed(1))
///     .sample(|p, draw| {
///         let p = p.optimizer(Adam::new(draw.log_uniform("learning_rate", 1e-4, 1e-1)));
///         p.hidden_layer_sizes(draw.depth_and_units("hidden", 1..=2, [4, 8]))
///     })
///     .resource(Epochs { min: 1, max: 9 })
///     .scale_targets(TargetScaling::Standard)
///     .cv(KFold::new(3).shuffle(1))
///     .fit(&linfa_datasets::diabetes())?;
/// let seen: Vec<(usize, usize, u64)> =
///     search.rungs().iter().map(|rung| (rung.round, rung.candidates.len(), rung.resource)).collect();
/// assert_eq!(seen, [(0, 9, 1), (0, 3, 3), (0, 1, 9), (1, 5, 3), (1, 1, 9), (2, 3, 9)]);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
///
/// # References
///
/// L. Li, K. Jamieson, G. DeSalvo, A. Rostamizadeh, A. Talwalkar, *Hyperband: A Novel Bandit-Based Approach to Hyperparameter
/// Optimization*, JMLR 18(185), 2018, algorithm 1.
pub type HyperbandSearch<P, F = f64, Y = f64, E = Error> = Search<Hyperband, P, F, Y, E>;

impl<P, F, Y, E> Search<Hyperband, P, F, Y, E> {
    /// A search over the settings of this builder. Each candidate is checked by its `ParamGuard` before the first fit.
    #[must_use]
    pub fn new(prototype: P) -> Self
    where
        P: ParamGuard,
        P::Error: Send + Sync + 'static,
    {
        Search::by(Hyperband::default(), prototype)
    }

    /// A search over the settings of an estimator that has no `ParamGuard`, such as `LinearRegression`.
    #[must_use]
    pub fn unguarded(prototype: P) -> Self {
        Search::unguarded_by(Hyperband::default(), prototype)
    }

    /// A function that draws a candidate; see [`Draw`]. The same as [`vary`](Search::vary).
    #[must_use]
    pub fn sample(self, draw: impl Fn(P, &mut Draw<'_>) -> P + Send + Sync + 'static) -> Self {
        self.vary(draw)
    }

    /// What the rungs give more and more of.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<Resource>) -> Self {
        self.strategy.resource = resource.into();
        self
    }

    /// One candidate of so many goes on to the next rung, which trains so many times as far; at least 2.
    #[must_use]
    pub fn factor(mut self, factor: usize) -> Self {
        self.strategy.factor = factor;
        self
    }

    /// The seed of the draws. The default is 0.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.strategy.seed = seed;
        self
    }
}

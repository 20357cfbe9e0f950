//! Many candidates trained a little, the best of them further.

use linfa::ParamGuard;

use super::builder::Search;
use super::ladder::Resource;
use super::space::Draw;
use super::strategy::Halving;
use crate::error::Error;

/// Tries every candidate with little training, the best of them with more, and so on: successive halving, with every
/// candidate of a rung cross-validated on the same folds.
///
/// To the settings of every [`Search`] it adds:
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | `resource` | `Epochs { min: 1, max: 81 }` | what is given out: [`Epochs`](super::Epochs), [`Updates`](super::Updates) or [`Samples`](super::Samples) |
/// | `factor` | 3 | of that many candidates one goes on, and is trained that many times as far |
/// | `n_candidates`, `sample` | all combinations | candidates drawn by chance: how many, and a function that draws one |
/// | `seed` | 0 | of the draws |
///
/// With epochs or updates, a fit that goes on continues where it stopped: nothing is trained twice, and what comes out has the
/// bits of a fit that never stopped. The resource takes the place of the builder's own epochs, also in the refit of the best.
/// This takes an estimator that can continue ([`ContinueRows`](super::super::ContinueRows)), as this crate's can. With samples any
/// linfa estimator will do, and every rung fits anew.
///
/// A rung is finished before its best go on, and equal candidates go on in their order; so the outcome depends on nothing but
/// the scores. A candidate that failed or diverged never goes on, even where that leaves a rung short. The best candidate is one
/// that was trained furthest.
///
/// # Examples
///
/// ```
/// use linfa_mlp::MlpClassifier;
/// use linfa_mlp::model_selection::{Epochs, HalvingSearch, StratifiedKFold};
/// use linfa_mlp::optimizer::Adam;
///
/// let iris = linfa_datasets::iris();
/// let search = HalvingSearch::new(MlpClassifier::params().hidden_layer_sizes([8]).batch_size(16).seed(7))
///     .axis("learning_rate", [1e-5, 1e-4, 1e-3, 0.003, 0.01, 0.03], |p, v| p.optimizer(Adam::new(v)))
///     .resource(Epochs { min: 2, max: 18 })
///     .cv(StratifiedKFold::new(3).shuffle(1))
///     .fit(&iris)?;
/// let seen: Vec<(usize, u64)> = search.rungs().iter().map(|r| (r.candidates.len(), r.resource)).collect();
/// assert_eq!(seen, [(6, 6), (2, 18)]);
/// assert!(search.best_score().is_some_and(|accuracy| accuracy > 0.8));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
///
/// # References
///
/// - K. Jamieson, A. Talwalkar, *Non-stochastic Best Arm Identification and Hyperparameter Optimization*, AISTATS 2016.
/// - The numbers of candidates are those of scikit-learn's `HalvingGridSearchCV` with `min_resources="exhaust"`. There the last
///   rung gets the first one's resource times a power of the factor, which may be less than the most; here it gets the most.
///   There each rung fits anew.
pub type HalvingSearch<P, F = f64, Y = f64, E = Error> = Search<Halving, P, F, Y, E>;

impl<P, F, Y, E> Search<Halving, P, F, Y, E> {
    /// A search over the settings of this builder. Each candidate is checked by its `ParamGuard` before the first fit.
    #[must_use]
    pub fn new(prototype: P) -> Self
    where
        P: ParamGuard,
        P::Error: Send + Sync + 'static,
    {
        Search::by(Halving::default(), prototype)
    }

    /// A search over the settings of an estimator that has no `ParamGuard`, such as `LinearRegression`.
    #[must_use]
    pub fn unguarded(prototype: P) -> Self {
        Search::unguarded_by(Halving::default(), prototype)
    }

    /// Draws so many candidates by chance, in place of trying every combination.
    #[doc(alias = "n_iter")]
    #[must_use]
    pub fn n_candidates(mut self, n_candidates: usize) -> Self {
        self.strategy.n_candidates = Some(n_candidates);
        self
    }

    /// How many candidates are drawn by chance, and a function that draws one; see [`Draw`].
    #[must_use]
    pub fn sample(
        self,
        n_candidates: usize,
        draw: impl Fn(P, &mut Draw<'_>) -> P + Send + Sync + 'static,
    ) -> Self {
        self.n_candidates(n_candidates).vary(draw)
    }

    /// The seed of the draws. The default is 0.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.strategy.seed = seed;
        self
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
}

//! Candidates that are learnt from those before.

use linfa::ParamGuard;

use super::builder::{Search, drawing_methods};
use super::strategy::Tpe;
use crate::error::Error;

/// Tries candidates that are proposed from the scores of those before ([`Tpe`]), by cross-validation, and refits the best one.
///
/// To the settings of every [`Search`] it adds:
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | `n_candidates` | 50 | how many are tried |
/// | `n_startup` | 10 | how many of them are drawn by chance, first and all at once |
/// | `parallel` | 1 | how many are proposed at a time; their folds are fitted side by side |
/// | `sample` | – | how many, and a function that draws them |
/// | `seed` | 0 | of the draws |
///
/// It learns from the scorer that decides. The candidates depend on the seed and the scores, so neither the number of threads nor
/// the order in which fits end changes them; `parallel` does. With k folds, `parallel` of about threads / k keeps every thread
/// busy.
///
/// A proposed candidate that cannot run does not end the search: its rows say why, and it is learnt from as a bad one.
///
/// # Examples
///
/// ```
/// use linfa::traits::Fit;
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{KFold, LogUniform, SequentialSearch, Uniform};
///
/// let search = SequentialSearch::new(ElasticNet::params())
///     .axis_from("penalty", LogUniform::new(1e-4, 10.0), |p, v| p.penalty(v))
///     .axis_from("l1_ratio", Uniform::new(0.0, 1.0), |p, v| p.l1_ratio(v))
///     .n_candidates(24)
///     .parallel(2)
///     .cv(KFold::new(5).shuffle(1))
///     .fit(&linfa_datasets::diabetes())?;
/// assert_eq!(search.results().candidates().len(), 24);
/// assert!(search.best_score().is_some_and(|r2| r2 > 0.4));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub type SequentialSearch<P, F = f64, Y = f64, E = Error> = Search<Tpe, P, F, Y, E>;

impl<P, F, Y, E> Search<Tpe, P, F, Y, E> {
    /// A search over the settings of this builder. Each of the first candidates is checked by its `ParamGuard` before the
    /// first fit.
    #[must_use]
    pub fn new(prototype: P) -> Self
    where
        P: ParamGuard,
        P::Error: Send + Sync + 'static,
    {
        Search::by(Tpe::default(), prototype)
    }

    /// A search over the settings of an estimator that has no `ParamGuard`, such as `LinearRegression`.
    #[must_use]
    pub fn unguarded(prototype: P) -> Self {
        Search::unguarded_by(Tpe::default(), prototype)
    }

    /// How many candidates are drawn by chance, before the first that is learnt. The default is 10.
    #[must_use]
    pub fn n_startup(mut self, n_startup: usize) -> Self {
        self.strategy.n_startup = n_startup;
        self
    }

    /// How many candidates are proposed at a time. The default is 1.
    #[must_use]
    pub fn parallel(mut self, parallel: usize) -> Self {
        self.strategy.parallel = parallel;
        self
    }

    drawing_methods!();
}

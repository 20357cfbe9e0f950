//! Candidates drawn by chance.

use linfa::ParamGuard;

use super::builder::{Search, drawing_methods};
use super::strategy::Random;
use crate::error::Error;

/// Tries candidates drawn by chance, by cross-validation, and refits the best one.
///
/// To the settings of every [`Search`] it adds:
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | `n_candidates` | 10 | how many are tried |
/// | `sample` | – | how many, and a function that draws them |
/// | `seed` | 0 | of the draws |
///
/// No candidate is tried twice. Candidate 17 of a seed is the same however many there are: a search that turned out too short
/// can be run again with more. A space with fewer candidates than were asked for is tried exhaustively, and the results say so.
///
/// # Examples
///
/// ```
/// use linfa::traits::Fit;
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{KFold, LogUniform, RandomSearch, Uniform};
///
/// let search = RandomSearch::new(ElasticNet::params())
///     .axis_from("penalty", LogUniform::new(1e-4, 10.0), |p, v| p.penalty(v))
///     .axis_from("l1_ratio", Uniform::new(0.0, 1.0), |p, v| p.l1_ratio(v))
///     .n_candidates(12)
///     .seed(7)
///     .cv(KFold::new(5).shuffle(1))
///     .fit(&linfa_datasets::diabetes())?;
/// assert_eq!(search.results().candidates().len(), 12);
/// assert!(search.best_score().is_some_and(|r2| r2 > 0.4));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
///
/// For parameters that depend on each other there is [`Draw`](super::Draw).
///
/// # References
///
/// J. Bergstra, Y. Bengio, *Random Search for Hyper-Parameter Optimization*, JMLR 13, 2012.
pub type RandomSearch<P, F = f64, Y = f64, E = Error> = Search<Random, P, F, Y, E>;

impl<P, F, Y, E> Search<Random, P, F, Y, E> {
    /// A search over the settings of this builder. Each candidate is checked by its `ParamGuard` before the first fit.
    #[must_use]
    pub fn new(prototype: P) -> Self
    where
        P: ParamGuard,
        P::Error: Send + Sync + 'static,
    {
        Search::by(Random::default(), prototype)
    }

    /// A search over the settings of an estimator that has no `ParamGuard`, such as `LinearRegression`.
    #[must_use]
    pub fn unguarded(prototype: P) -> Self {
        Search::unguarded_by(Random::default(), prototype)
    }

    drawing_methods!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model_selection::search::space::{Integer, LogUniform};

    fn search() -> RandomSearch<f64> {
        RandomSearch::unguarded(0.0)
    }

    fn texts(search: &RandomSearch<f64>) -> Vec<String> {
        search.candidates().unwrap().iter().map(|candidate| candidate.params().to_string()).collect()
    }

    #[test]
    fn a_candidate_is_the_same_however_many_there_are() {
        let search = search().axis_from("rate", LogUniform::new(1e-3, 1.0), |_, v| v);
        let (few, many) = (texts(&search.clone().n_candidates(3)), texts(&search.clone().n_candidates(50)));
        assert_eq!((few.len(), many.len()), (3, 50));
        assert_eq!(few, many[..3]);
        assert_ne!(few, texts(&search.n_candidates(3).seed(1)));
    }

    #[test]
    fn no_candidate_is_there_twice_and_finite_spaces_end() {
        let dice = search().axis_from("a", Integer::new(1..=6), |_, v| v as f64).axis("b", [0, 1], |p, _| p);
        let mut all = texts(&dice.clone().n_candidates(100));
        assert_eq!(all[..5], texts(&dice.clone().n_candidates(5)));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 12);
        let odd = dice.filter(|candidate| candidate.estimator() % 2.0 == 1.0);
        assert_eq!(texts(&odd.n_candidates(100)).len(), 6);
    }

    #[test]
    fn misuse_is_an_error() {
        let error = |search: RandomSearch<f64>| search.candidates().unwrap_err().to_string();
        let rate = || search().axis_from("rate", LogUniform::new(1e-3, 1.0), |_, v| v);
        assert_eq!(error(rate().n_candidates(0)), "n_candidates must be at least 1, but is 0");
        assert!(error(search()).starts_with("grid must be a grid of at least one axis"));
        assert!(error(rate().filter(|_| false)).starts_with("filter must be one that keeps at least one"));
        assert!(error(rate().axis("rate", [1], |p, _| p)).starts_with("axis must be a name that no other"));
        assert!(error(search().axis("rate", Vec::<f64>::new(), |p, _| p)).starts_with("axis rate must be"));
    }
}

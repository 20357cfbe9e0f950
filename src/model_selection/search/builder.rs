//! What every search is built of: an estimator's builder, a space of settings, a protocol, and a strategy.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use linfa::dataset::{DatasetBase, TargetDim};
use linfa::traits::{Fit, PredictInplace};
use linfa::{Float, ParamGuard};
use ndarray::{Array, Array2, ArrayBase, Data, Ix2};
use serde::Serialize;

use super::candidates::{Candidate, named};
use super::fitted::FittedSearch;
use super::refit::Refit;
use super::refit_epochs::RefitEpochs;
use super::rounds::search;
use super::space::{Distribution, Draw, Grid, Space};
use super::strategy::{Strategy, Tried};
use crate::error::{Error, Result};
use crate::model_selection::engine::protocol::{Protocol, protocol_methods};
use crate::model_selection::engine::trainer::{AnyError, ByDataset, ByRows, InParts};
use crate::model_selection::fit::continue_rows::ContinueRows;
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::fit_rows::FitRows;
use crate::model_selection::fit::target::Target;
use crate::model_selection::preparation::Preprocess;
use crate::model_selection::results::Params;
use crate::rng::Stream;

/// How many candidates are drawn to learn the names of all parameters: one that a candidate in a hundred has is missed in one search
/// out of 23,000.
const EXAMPLES: u64 = 1000;

type Guard<P> = Arc<dyn Fn(&P) -> Result<(), AnyError> + Send + Sync>;

/// A search by cross-validation over the settings of an estimator's builder, which refits the best one.
///
/// Nobody needs to name this type: [`GridSearch`](super::GridSearch) and its kin are this search, each with its own
/// [`Strategy`] `S`. `P` is the builder; the other parameters follow from the data set: `F` is the type of the records, `Y`
/// that of the targets, `E` the error of the estimator's `Fit`.
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | `axis`, `axis_labelled` | – | a name, values, and what a value does to the builder |
/// | `axis_from` | – | the same with a distribution instead of values |
/// | `vary` | – | a function that draws parameters which depend on each other |
/// | `filter` | all | which combinations are tried |
/// | `distinct`, `distinct_by` | all | which candidates are the same |
/// | `grid` | – | one more grid, tried beside the others |
/// | `cv` | 5 folds, stratified for labels | how the rows are divided |
/// | `scorers` | R² or accuracy | what is scored; the first decides |
/// | `preprocess`, `scale_targets` | none | fitted on the training rows of each fold |
/// | `stopping_rows` | none | training rows kept for early stopping |
/// | `refit` | `true` | fits the best candidate on all rows |
/// | `refit_epochs` | the builder's | for how long |
/// | `replicates` | 1 | fits of each candidate in each fold, by different seeds |
/// | `budget`, `stop_flag` | none | when to end |
/// | `train_scores` | off | scores the training rows too |
/// | `pool`, `executor` | the current rayon pool | where fits run |
/// | `journal` | none | the file that makes the search survive anything |
/// | `observer`, `progress` | none | who watches |
///
/// The candidates that are known when the search starts are checked before the first fit, and one that cannot run is an
/// error that names it. A fit that fails later, diverges or panics gets its status, and its candidate ranks last.
///
/// The search is a linfa estimator itself: its `fit` is linfa's, and what it gives predicts.
pub struct Search<S, P, F = f64, Y = f64, E = Error> {
    pub(super) strategy: S,
    pub(super) space: Space<P>,
    pub(super) guard: Option<Guard<P>>,
    pub(in crate::model_selection) protocol: Protocol<F, Y>,
    pub(super) refit: Refit,
    pub(super) refit_epochs: Option<RefitEpochs>,
    pub(super) error: PhantomData<fn() -> E>,
}

impl<S, P, F, Y, E> Search<S, P, F, Y, E> {
    /// A search by this strategy. Each candidate is checked by its `ParamGuard` before the first fit.
    #[must_use]
    pub fn by(strategy: S, prototype: P) -> Self
    where
        P: ParamGuard,
        P::Error: Send + Sync + 'static,
    {
        let guard = |candidate: &P| match candidate.check_ref() {
            Ok(_) => Ok(()),
            Err(error) => Err(AnyError::from(error)),
        };
        Search { guard: Some(Arc::new(guard)), ..Search::unguarded_by(strategy, prototype) }
    }

    /// A search by this strategy over an estimator that has no `ParamGuard`, such as `LinearRegression`.
    #[must_use]
    pub fn unguarded_by(strategy: S, prototype: P) -> Self {
        Search {
            strategy,
            space: Space::of(prototype),
            guard: None,
            protocol: Protocol::default(),
            refit: Refit::default(),
            refit_epochs: None,
            error: PhantomData,
        }
    }

    /// Adds an axis: a name, values, and what a value does to the builder. The last axis changes fastest.
    ///
    /// The values' serde form is what tables and files show of them; for values without one there is
    /// [`axis_labelled`](Search::axis_labelled).
    #[must_use]
    pub fn axis<V>(
        self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = V>,
        set: impl Fn(P, V) -> P + Send + Sync + 'static,
    ) -> Self
    where
        V: Clone + Serialize + Send + Sync + 'static,
    {
        self.on_last_grid(|grid| grid.axis(name, values, set))
    }

    /// As [`axis`](Search::axis), with the label of each value.
    #[must_use]
    pub fn axis_labelled<V>(
        self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = (&'static str, V)>,
        set: impl Fn(P, V) -> P + Send + Sync + 'static,
    ) -> Self
    where
        V: Clone + Send + Sync + 'static,
    {
        self.on_last_grid(|grid| grid.axis_labelled(name, values, set))
    }

    /// Adds an axis of the preprocessing: each candidate has one of these steps in this place of the sequence. Candidates with the
    /// same steps share what is fitted on the training rows of a fold.
    ///
    /// Candidates of other [grids](Search::grid), which lack the axis, go without the step.
    ///
    /// # Examples
    ///
    /// ```
    /// use linfa::traits::Fit;
    /// use linfa_elasticnet::ElasticNet;
    /// use linfa_mlp::model_selection::{GridSearch, KFold, Preprocess};
    /// use linfa_preprocessing::linear_scaling::LinearScaler;
    ///
    /// let search = GridSearch::new(ElasticNet::params())
    ///     .preprocess_axis("scaling", [
    ///         ("none", Preprocess::none()),
    ///         ("standard", Preprocess::by(LinearScaler::standard())),
    ///     ])
    ///     .axis("penalty", [0.01, 1.0], |p, v| p.penalty(v))
    ///     .cv(KFold::new(5))
    ///     .fit(&linfa_datasets::diabetes())?;
    /// assert_eq!(search.results().candidates().len(), 4);
    /// assert_eq!(search.results().candidates()[2].params.to_string(), "scaling=standard, penalty=0.01");
    /// # Ok::<(), linfa_mlp::Error>(())
    /// ```
    #[must_use]
    pub fn preprocess_axis(
        mut self,
        name: impl Into<String>,
        steps: impl IntoIterator<Item = (&'static str, Preprocess<F>)>,
    ) -> Self
    where
        F: Float,
    {
        let name = name.into();
        let steps: Vec<(&'static str, Preprocess<F>)> = steps.into_iter().collect();
        let labels: Vec<_> = steps.iter().map(|(label, _)| (*label, ())).collect();
        let steps = steps.into_iter().map(|(label, step)| (label.to_owned(), step)).collect();
        self.protocol.preparation.push_chosen(name.clone(), steps);
        self.space.keep_apart(name.clone());
        self.axis_labelled(name, labels, |builder, ()| builder)
    }

    /// Adds an axis whose values come from a [`Distribution`]. A grid, which tries them all, needs one of whole numbers.
    #[must_use]
    pub fn axis_from<D: Distribution + 'static>(
        self,
        name: impl Into<String>,
        distribution: D,
        set: impl Fn(P, D::Value) -> P + Send + Sync + 'static,
    ) -> Self {
        self.on_last_grid(|grid| grid.axis_from(name, distribution, set))
    }

    /// Adds a function that draws what it needs, and changes the builder by it: one parameter may depend on another. See
    /// [`Draw`].
    #[must_use]
    pub fn vary(self, change: impl Fn(P, &mut Draw<'_>) -> P + Send + Sync + 'static) -> Self {
        self.on_last_grid(|grid| grid.vary(change))
    }

    /// Keeps only the combinations for which this holds.
    #[must_use]
    pub fn filter(self, keep: impl Fn(&Candidate<P>) -> bool + Send + Sync + 'static) -> Self {
        self.on_last_grid(|grid| grid.filter(keep))
    }

    /// Adds a grid of its own axes; its combinations are tried after the others.
    #[must_use]
    pub fn grid(mut self, grid: Grid<P>) -> Self {
        self.space.push(grid);
        self
    }

    /// Takes candidates whose builders print the same (`{:?}`) for one, and tries the first of them: different answers may
    /// mean the same estimator.
    #[must_use]
    pub fn distinct(self) -> Self
    where
        P: fmt::Debug,
    {
        self.distinct_by(|builder| format!("{builder:?}"))
    }

    /// Takes candidates for one when this gives the same text for their builders.
    #[must_use]
    pub fn distinct_by(mut self, key: impl Fn(&P) -> String + Send + Sync + 'static) -> Self {
        self.space.distinct_by(key);
        self
    }

    fn on_last_grid(mut self, change: impl FnOnce(Grid<P>) -> Grid<P>) -> Self {
        self.space.change_last(change);
        self
    }

    /// What happens to the best candidate: `true` (the default), `false`, a scorer's name, or a rule
    /// ([`Refit::by`]).
    #[must_use]
    pub fn refit(mut self, refit: impl Into<Refit>) -> Self {
        self.refit = refit.into();
        self
    }

    /// How many epochs the best candidate is refitted for, chosen from the best epochs of its fits. Then the refit trains on all
    /// rows, without validation rows. The default is what the builder says.
    #[must_use]
    pub fn refit_epochs(mut self, rule: RefitEpochs) -> Self {
        self.refit_epochs = Some(rule);
        self
    }

    protocol_methods!();

    /// The candidates as they are, when the estimator's own check lets each of them pass.
    pub(super) fn checked(&self, candidates: Vec<Candidate<P>>) -> Result<Vec<Candidate<P>>> {
        if let Some(guard) = &self.guard {
            for (index, candidate) in candidates.iter().enumerate() {
                guard(&candidate.estimator).map_err(|source| named(index, &candidate.params, source))?;
            }
        }
        Ok(candidates)
    }
}

impl<S: Strategy, P: Clone, F, Y, E> Search<S, P, F, Y, E> {
    /// Parameters such as later rounds may bring, drawn for those who need to know all names before; none when there are no later
    /// rounds than one of so many candidates.
    pub(super) fn examples(&self, first_round: usize) -> Vec<Params> {
        if self.strategy.forecast(first_round) <= first_round || !self.protocol.observers.is_any() {
            return Vec::new();
        }
        let draw = |place| self.space.draw(Stream::new(0).named("examples").at(place)).ok().flatten();
        (0..EXAMPLES).filter_map(draw).map(|candidate| candidate.params).collect()
    }

    /// The candidates that are known when the search starts, in the order in which they are numbered.
    ///
    /// # Errors
    ///
    /// As [`Grid::candidates`], and [`Error::Candidate`] for the first one that its own check refuses.
    pub fn candidates(&self) -> Result<Vec<Candidate<P>>> {
        self.checked(self.strategy.next_round(&self.space, &Tried::nothing())?)
    }
}

impl<S: Clone, P: Clone, F, Y, E> Clone for Search<S, P, F, Y, E>
where
    Protocol<F, Y>: Clone,
{
    fn clone(&self) -> Self {
        Search {
            strategy: self.strategy.clone(),
            space: self.space.clone(),
            guard: self.guard.clone(),
            protocol: self.protocol.clone(),
            refit: self.refit.clone(),
            refit_epochs: self.refit_epochs,
            error: PhantomData,
        }
    }
}

impl<S: fmt::Debug, P: fmt::Debug, F, Y, E> fmt::Debug for Search<S, P, F, Y, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search")
            .field("strategy", &self.strategy)
            .field("space", &self.space)
            .field("refit", &self.refit)
            .finish_non_exhaustive()
    }
}

/// Runs the search.
///
/// # Errors
///
/// Before the first fit:
/// - [`Error::Parameter`] for an empty grid or axis, no scorers, two scorers of one name, an unknown scorer in `refit`
/// - [`Error::Candidate`] for the first candidate that its check refuses
/// - [`Error::NoRows`], [`Error::RowCount`] for data that do not belong together
/// - the splitter's own, [`Error::EmptyFold`], [`Error::ClassMissing`]
/// - [`Error::Preprocessing`] when the transformers cannot be fitted in the first fold
/// - [`Error::File`], [`Error::Journal`], [`Error::OtherStudy`] for a journal that cannot be used
///
/// Afterwards: [`Error::AllFitsFailed`] when not a single fit could be scored, [`Error::File`] when a finished fit could not
/// be written into the journal. A failed refit is kept:
/// [`best_model`](FittedSearch::best_model) gives it.
impl<S, P, F, Y, I, D, T, E> Fit<ArrayBase<D, Ix2>, ArrayBase<T, I>, Error> for Search<S, P, F, Y, E>
where
    S: Strategy,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
    D: Data<Elem = F>,
    T: Data<Elem = Y>,
    P: Fit<Array2<F>, Array<Y, I>, E> + Clone + fmt::Debug + Sync,
    P::Object: PredictInplace<Array2<F>, Array<Y, I>>,
    E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
{
    type Object = FittedSearch<P::Object, F, Array<Y, I>>;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<T, I>>) -> Result<Self::Object> {
        let candidates = self.candidates()?;
        search(self, &ByDataset::new(), candidates, &DataView::of(dataset)?)
    }
}

impl<S: Strategy, P, F: Float, Y: Target, E> Search<S, P, F, Y, E> {
    /// Runs the search with an estimator that reads the rows of the borrowed data set. No fold is copied; with preprocessing, or scaled
    /// targets, [each open fold](FitRows) has a copy of all rows behind it.
    ///
    /// # Errors
    ///
    /// As the search's `fit`, and before the first fit what [`FitRows::check`], [`FitRows::prepare`] and
    /// [`FitRows::check_data`] say, as [`Error::Candidate`] where a candidate is the cause.
    pub fn fit_by_rows<D, T, I>(
        &self,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<T, I>>,
    ) -> Result<FittedSearch<P::Object, F, Array<Y, I>>>
    where
        I: TargetDim + 'static,
        D: Data<Elem = F>,
        T: Data<Elem = Y>,
        P: FitRows<F, Y, I> + Clone + fmt::Debug,
    {
        let (candidates, data) = (self.candidates_by_rows()?, DataView::of(dataset)?);
        let trainer = ByRows::<P, F, Y, I>::new(&data, &self.protocol.preparation)?;
        search(self, &trainer, candidates, &data)
    }

    /// As [`fit_by_rows`](Search::fit_by_rows), with an estimator whose fits can go on: what a candidate has learned in a rung
    /// is not repeated in the next.
    ///
    /// # Errors
    ///
    /// As [`fit_by_rows`](Search::fit_by_rows).
    pub fn fit_continuing<D, T, I>(
        &self,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<T, I>>,
    ) -> Result<FittedSearch<P::Object, F, Array<Y, I>>>
    where
        I: TargetDim + 'static,
        D: Data<Elem = F>,
        T: Data<Elem = Y>,
        P: ContinueRows<F, Y, I> + Clone + fmt::Debug,
    {
        let (candidates, data) = (self.candidates_by_rows()?, DataView::of(dataset)?);
        let trainer = ByRows::<P, F, Y, I, InParts>::new(&data, &self.protocol.preparation)?;
        search(self, &trainer, candidates, &data)
    }

    /// The first candidates, each checked by itself.
    pub(super) fn candidates_by_rows<I: TargetDim>(&self) -> Result<Vec<Candidate<P>>>
    where
        P: FitRows<F, Y, I> + Clone,
    {
        let candidates = self.candidates()?;
        for (index, candidate) in candidates.iter().enumerate() {
            let checked = candidate.estimator.check();
            checked.map_err(|source| named(index, &candidate.params, Box::new(source)))?;
        }
        Ok(candidates)
    }
}

/// The builder methods of searches that draw. The strategy has fields `n_candidates` and `seed`.
macro_rules! drawing_methods {
    () => {
        /// How many candidates are tried. The default is 10.
        #[doc(alias = "n_iter")]
        #[must_use]
        pub fn n_candidates(mut self, n_candidates: usize) -> Self {
            self.strategy.n_candidates = n_candidates;
            self
        }

        /// The seed of the draws. The default is 0.
        #[must_use]
        pub fn seed(mut self, seed: u64) -> Self {
            self.strategy.seed = seed;
            self
        }

        /// How many candidates are tried, and a function that draws one; see [`Draw`](crate::model_selection::Draw).
        #[must_use]
        pub fn sample(
            self,
            n_candidates: usize,
            draw: impl Fn(P, &mut $crate::model_selection::Draw<'_>) -> P + Send + Sync + 'static,
        ) -> Self {
            self.n_candidates(n_candidates).vary(draw)
        }
    };
}

pub(super) use drawing_methods;

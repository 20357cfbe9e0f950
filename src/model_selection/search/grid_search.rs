//! Every combination of typed axes.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use linfa::dataset::{DatasetBase, TargetDim};
use linfa::traits::{Fit, PredictInplace};
use linfa::{Float, ParamGuard};
use ndarray::{Array, Array2, ArrayBase, Data, Ix2};
use serde::Serialize;

use super::candidates::{Candidate, named, search};
use super::fitted::FittedSearch;
use super::grid::Grid;
use super::refit::Refit;
use super::replay::{Replay, replay};
use crate::error::{Error, Result};
use crate::model_selection::data_view::DataView;
use crate::model_selection::fit_rows::FitRows;
use crate::model_selection::protocol::{Protocol, protocol_methods};
use crate::model_selection::results::FitRow;
use crate::model_selection::target::Target;
use crate::model_selection::trainer::{AnyError, ByDataset, ByRows};

type Guard<P> = Arc<dyn Fn(&P) -> Result<(), AnyError> + Send + Sync>;

/// Tries every combination of typed axes over an estimator's builder, by cross-validation, and refits the best one.
///
/// `P` is the builder; the other parameters follow from the data set: `F` is the type of the records, `Y` that of the
/// targets, `E` the error of the estimator's `Fit`.
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | `axis`, `axis_labelled` | – | a name, values, and what a value does to the builder |
/// | `filter` | all | which combinations are tried |
/// | `grid` | – | one more grid, tried after the others |
/// | `cv` | 5 folds, stratified for labels | how the rows are divided |
/// | `scorers` | R² or accuracy | what is scored; the first decides |
/// | `preprocess`, `scale_targets` | none | fitted on the training rows of each fold |
/// | `refit` | `true` | fits the best candidate on all rows |
/// | `train_scores` | off | scores the training rows too |
/// | `pool`, `executor` | the current rayon pool | where fits run |
/// | `journal` | none | the file that makes the search survive anything |
/// | `observer`, `progress` | none | who watches |
///
/// The whole grid is checked before the first fit, and one candidate that cannot run is an error that names it. A fit that
/// fails later, diverges or panics gets its status, and its candidate ranks last.
///
/// The search is a linfa estimator itself: its `fit` is linfa's, and what it gives predicts.
///
/// # Examples
///
/// ```
/// use linfa::traits::{Fit, Predict};
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{GridSearch, KFold, Scorer};
/// use linfa_preprocessing::linear_scaling::LinearScaler;
///
/// let diabetes = linfa_datasets::diabetes();
/// let search = GridSearch::new(ElasticNet::params())
///     .axis("penalty", [0.01, 0.1, 1.0], |p, v| p.penalty(v))
///     .axis("l1_ratio", [0.2, 0.8], |p, v| p.l1_ratio(v))
///     .preprocess(LinearScaler::standard())
///     .cv(KFold::new(5).shuffle(1))
///     .scorers([Scorer::r2(), Scorer::neg_root_mean_squared_error()])
///     .fit(&diabetes)?;
///
/// println!("{}", search.results());
/// assert!(search.best_score().is_some_and(|r2| r2 > 0.4));
/// let prediction = search.best_model()?.predict(&diabetes);
/// assert_eq!(prediction.len(), 441);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub struct GridSearch<P, F = f64, Y = f64, E = Error> {
    prototype: P,
    guard: Option<Guard<P>>,
    grids: Vec<Grid<P>>,
    protocol: Protocol<F, Y>,
    refit: Refit,
    error: PhantomData<fn() -> E>,
}

impl<P, F, Y, E> GridSearch<P, F, Y, E> {
    /// A search over the settings of this builder. Each candidate is checked by its `ParamGuard` before the first fit.
    #[must_use]
    pub fn new(prototype: P) -> Self
    where
        P: ParamGuard,
        P::Error: Send + Sync + 'static,
    {
        let guard = |candidate: &P| match candidate.check_ref() {
            Ok(_) => Ok(()),
            Err(error) => Err(AnyError::from(error)),
        };
        GridSearch { guard: Some(Arc::new(guard)), ..GridSearch::unguarded(prototype) }
    }

    /// A search over the settings of an estimator that has no `ParamGuard`, such as `LinearRegression`.
    #[must_use]
    pub fn unguarded(prototype: P) -> Self {
        GridSearch {
            prototype,
            guard: None,
            grids: vec![Grid::new()],
            protocol: Protocol::default(),
            refit: Refit::default(),
            error: PhantomData,
        }
    }

    /// Adds an axis: a name, values, and what a value does to the builder. The last axis changes fastest.
    ///
    /// The values' serde form is what tables and files show of them; for values without one there is
    /// [`axis_labelled`](GridSearch::axis_labelled).
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

    /// As [`axis`](GridSearch::axis), with the label of each value.
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

    /// Keeps only the combinations for which this holds.
    #[must_use]
    pub fn filter(self, keep: impl Fn(&Candidate<P>) -> bool + Send + Sync + 'static) -> Self {
        self.on_last_grid(|grid| grid.filter(keep))
    }

    /// Adds a grid of its own axes; its combinations are tried after the others.
    #[must_use]
    pub fn grid(mut self, grid: Grid<P>) -> Self {
        // A grid that nobody gave an axis is only the place where `axis` would put one.
        self.grids.retain(|grid| !grid.is_empty());
        self.grids.push(grid);
        self
    }

    fn on_last_grid(mut self, change: impl FnOnce(Grid<P>) -> Grid<P>) -> Self {
        let last = self.grids.pop().unwrap_or_default();
        self.grids.push(change(last));
        self
    }

    /// What happens to the best candidate: `true` (the default), `false`, a scorer's name, or a rule
    /// ([`Refit::by`]).
    #[must_use]
    pub fn refit(mut self, refit: impl Into<Refit>) -> Self {
        self.refit = refit.into();
        self
    }

    protocol_methods!();

    /// All candidates, in the order in which they are numbered.
    ///
    /// # Errors
    ///
    /// As [`Grid::candidates`], and [`Error::Candidate`] for the first one that its own check refuses.
    pub fn candidates(&self) -> Result<Vec<Candidate<P>>>
    where
        P: Clone,
    {
        let mut candidates = Vec::new();
        for grid in &self.grids {
            candidates.extend(grid.candidates(&self.prototype)?);
        }
        if let Some(guard) = &self.guard {
            for (index, candidate) in candidates.iter().enumerate() {
                guard(&candidate.estimator).map_err(|source| named(index, &candidate.params, source))?;
            }
        }
        Ok(candidates)
    }
}

impl<P: Clone, F, Y, E> Clone for GridSearch<P, F, Y, E>
where
    Protocol<F, Y>: Clone,
{
    fn clone(&self) -> Self {
        GridSearch {
            prototype: self.prototype.clone(),
            guard: self.guard.clone(),
            grids: self.grids.clone(),
            protocol: self.protocol.clone(),
            refit: self.refit.clone(),
            error: PhantomData,
        }
    }
}

impl<P: fmt::Debug, F, Y, E> fmt::Debug for GridSearch<P, F, Y, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GridSearch")
            .field("prototype", &self.prototype)
            .field("grids", &self.grids)
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
impl<P, F, Y, I, D, S, E> Fit<ArrayBase<D, Ix2>, ArrayBase<S, I>, Error> for GridSearch<P, F, Y, E>
where
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
    D: Data<Elem = F>,
    S: Data<Elem = Y>,
    P: Fit<Array2<F>, Array<Y, I>, E> + Clone + fmt::Debug + Sync,
    P::Object: PredictInplace<Array2<F>, Array<Y, I>>,
    E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
{
    type Object = FittedSearch<P::Object, F, Array<Y, I>>;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>) -> Result<Self::Object> {
        let candidates = self.candidates()?;
        search(&ByDataset::new(), candidates, &DataView::of(dataset)?, &self.protocol, &self.refit)
    }
}

impl<P, F: Float, Y: Target, E> GridSearch<P, F, Y, E> {
    /// Fits the candidate of a row in the fold of the row once more: the same score, bit for bit, and the model that the
    /// search did not keep. An estimator that is not deterministic, or other data, give another score.
    ///
    /// # Errors
    ///
    /// - what the search's `fit` refuses before its first fit, but for its journal, which is not opened
    /// - [`Error::Parameter`] for a row of a candidate or fold that the search does not have
    ///
    /// # Examples
    ///
    /// ```
    /// use linfa::traits::Fit;
    /// use linfa_elasticnet::ElasticNet;
    /// use linfa_mlp::model_selection::{GridSearch, KFold};
    ///
    /// let diabetes = linfa_datasets::diabetes();
    /// let search = GridSearch::new(ElasticNet::params())
    ///     .axis("penalty", [0.01, 0.1, 1.0], |p, v| p.penalty(v))
    ///     .cv(KFold::new(5).shuffle(1));
    /// let fitted = search.fit(&diabetes)?;
    /// let row = &fitted.results().rows()[7];
    /// let again = search.replay(row, &diabetes)?;
    /// assert_eq!(again.row.test_scores, row.test_scores);
    /// assert!(again.model.is_some());
    /// # Ok::<(), linfa_mlp::Error>(())
    /// ```
    pub fn replay<D, S, I>(
        &self,
        row: &FitRow,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    ) -> Result<Replay<P::Object, F, Array<Y, I>>>
    where
        I: TargetDim + 'static,
        D: Data<Elem = F>,
        S: Data<Elem = Y>,
        P: Fit<Array2<F>, Array<Y, I>, E> + Clone + fmt::Debug + Sync,
        P::Object: PredictInplace<Array2<F>, Array<Y, I>>,
        E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
    {
        let data = DataView::of(dataset)?;
        replay(&ByDataset::new(), self.candidates()?, row, &data, &self.protocol)
    }

    /// As [`replay`](GridSearch::replay), with an estimator that reads the rows of the borrowed data set.
    ///
    /// # Errors
    ///
    /// As [`replay`](GridSearch::replay).
    pub fn replay_by_rows<D, S, I>(
        &self,
        row: &FitRow,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    ) -> Result<Replay<P::Object, F, Array<Y, I>>>
    where
        I: TargetDim + 'static,
        D: Data<Elem = F>,
        S: Data<Elem = Y>,
        P: FitRows<F, Y, I> + Clone + fmt::Debug,
    {
        let data = DataView::of(dataset)?;
        let trainer = ByRows::<P, F, Y, I>::new(&data, &self.protocol.preparation)?;
        replay(&trainer, self.candidates()?, row, &data, &self.protocol)
    }

    /// Runs the search with an estimator that reads the rows of the borrowed data set: no fold is copied.
    ///
    /// # Errors
    ///
    /// As the search's `fit`, and before the first fit what [`FitRows::check`], [`FitRows::prepare`] and
    /// [`FitRows::check_data`] say, as [`Error::Candidate`] where a candidate is the cause.
    pub fn fit_by_rows<D, S, I>(
        &self,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    ) -> Result<FittedSearch<P::Object, F, Array<Y, I>>>
    where
        I: TargetDim + 'static,
        D: Data<Elem = F>,
        S: Data<Elem = Y>,
        P: FitRows<F, Y, I> + Clone + fmt::Debug,
    {
        let candidates = self.candidates()?;
        for (index, candidate) in candidates.iter().enumerate() {
            let checked = candidate.estimator.check();
            checked.map_err(|source| named(index, &candidate.params, Box::new(source)))?;
        }
        let data = DataView::of(dataset)?;
        let trainer = ByRows::<P, F, Y, I>::new(&data, &self.protocol.preparation)?;
        search(&trainer, candidates, &data, &self.protocol, &self.refit)
    }
}

#[cfg(test)]
mod tests {
    use linfa::Dataset;
    use linfa::traits::Predict;
    use ndarray::{Array1, Ix1, array};

    use super::*;
    use crate::model_selection::fit_rows::FitContext;
    use crate::model_selection::split::KFold;

    /// An estimator of this crate, with a search whose `fit` is its own.
    #[derive(Clone, Debug)]
    struct Constant<F>(F);

    struct Model<F>(F);

    impl<F: Float> ParamGuard for Constant<F> {
        type Checked = Self;
        type Error = Error;

        fn check_ref(&self) -> Result<&Self> {
            Ok(self)
        }

        fn check(self) -> Result<Self> {
            Ok(self)
        }
    }

    impl<F: Float> PredictInplace<Array2<F>, Array1<F>> for Model<F> {
        fn predict_inplace<'a>(&'a self, _: &'a Array2<F>, y: &mut Array1<F>) {
            y.fill(self.0);
        }

        fn default_target(&self, x: &Array2<F>) -> Array1<F> {
            Array1::zeros(x.nrows())
        }
    }

    impl<F: Float + Target> FitRows<F, F, Ix1> for Constant<F> {
        type Object = Model<F>;
        type Prepared = ();

        fn check(&self) -> Result<()> {
            Ok(())
        }

        fn prepare(_: &DataView<'_, F, F, Ix1>) -> Result<()> {
            Ok(())
        }

        fn fit_rows(
            &self,
            _: &DataView<'_, F, F, Ix1>,
            (): &(),
            _: &[usize],
            _: &FitContext<'_>,
        ) -> Result<Model<F>> {
            Ok(Model(self.0))
        }

        fn predict_rows(
            &self,
            model: &Model<F>,
            _: &DataView<'_, F, F, Ix1>,
            rows: &[usize],
        ) -> Result<Array1<F>> {
            Ok(Array1::from_elem(rows.len(), model.0))
        }
    }

    impl<F: Float + Target> GridSearch<Constant<F>, F, F, Error> {
        fn fit<D: Data<Elem = F>, S: Data<Elem = F>>(
            &self,
            dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, Ix1>>,
        ) -> Result<FittedSearch<Model<F>, F, Array1<F>>> {
            self.fit_by_rows(dataset)
        }
    }

    #[test]
    fn an_estimator_of_this_crate_can_give_its_search_a_fit_of_its_own() {
        // No type is named, and linfa's `Fit` is in scope: the inherent method wins.
        let dataset = Dataset::new(array![[1.0_f32], [2.0], [3.0], [4.0]], array![1.0, 2.0, 3.0, 6.0]);
        let fitted = GridSearch::new(Constant(0.0))
            .axis("value", [9.0_f32, 3.0], |_, value| Constant(value))
            .cv(KFold::new(2))
            .fit(&dataset)
            .expect("two candidates that cannot fail");
        assert_eq!(fitted.best_index(), Some(1));
        assert_eq!(fitted.predict(&dataset), array![3.0_f32, 3.0, 3.0, 3.0]);
    }
}

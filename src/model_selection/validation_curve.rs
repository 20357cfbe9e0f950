//! Scores by the value of one parameter.

use linfa::dataset::{DatasetBase, TargetDim};
use linfa::traits::{Fit, PredictInplace};
use linfa::{Float, ParamGuard};
use ndarray::{Array, Array2, ArrayBase, Data, Ix2};
use serde::Serialize;

use super::cross_validate::CrossValidator;
use super::data_view::DataView;
use super::fit_rows::FitRows;
use super::score_curve::ScoreCurve;
use super::scorer::Scorer;
use super::search::GridSearch;
use super::split::Splitter;
use super::target::Target;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;

impl<F: Float, Y: Target> CrossValidator<F, Y> {
    /// The scores by the value of one parameter; [`validation_curve`] is the short form. Training rows are scored too.
    ///
    /// # Errors
    ///
    /// As [`validation_curve`].
    pub fn validation_curve<P, D, S, I, E, V>(
        &self,
        estimator: &P,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
        name: &str,
        values: impl IntoIterator<Item = V>,
        set: impl Fn(P, V) -> P + Send + Sync + 'static,
    ) -> Result<ScoreCurve>
    where
        D: Data<Elem = F>,
        S: Data<Elem = Y>,
        I: TargetDim + 'static,
        P: ParamGuard + Fit<Array2<F>, Array<Y, I>, E> + Clone + std::fmt::Debug + Sync,
        <P as ParamGuard>::Error: Send + Sync + 'static,
        P::Object: PredictInplace<Array2<F>, Array<Y, I>>,
        E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
        V: Clone + Serialize + Send + Sync + 'static,
    {
        let search: GridSearch<P, F, Y, E> = self.along(estimator, name, values, set);
        let results = Fit::fit(&search, dataset)?.results().clone();
        Ok(ScoreCurve::new(name.into(), results))
    }

    /// As [`validation_curve`](CrossValidator::validation_curve), for an estimator that reads the rows of the borrowed data
    /// set.
    ///
    /// # Errors
    ///
    /// As [`validation_curve`], and before the first fit what the estimator's own checks say.
    pub fn validation_curve_by_rows<P, D, S, I, V>(
        &self,
        estimator: &P,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
        name: &str,
        values: impl IntoIterator<Item = V>,
        set: impl Fn(P, V) -> P + Send + Sync + 'static,
    ) -> Result<ScoreCurve>
    where
        D: Data<Elem = F>,
        S: Data<Elem = Y>,
        I: TargetDim + 'static,
        P: ParamGuard + FitRows<F, Y, I> + Clone + std::fmt::Debug,
        <P as ParamGuard>::Error: Send + Sync + 'static,
        V: Clone + Serialize + Send + Sync + 'static,
    {
        let search: GridSearch<P, F, Y> = self.along(estimator, name, values, set);
        let results = search.fit_by_rows(dataset)?.results().clone();
        Ok(ScoreCurve::new(name.into(), results))
    }

    /// A search over one parameter that fits nothing afterwards.
    fn along<P, E, V>(
        &self,
        estimator: &P,
        name: &str,
        values: impl IntoIterator<Item = V>,
        set: impl Fn(P, V) -> P + Send + Sync + 'static,
    ) -> GridSearch<P, F, Y, E>
    where
        P: ParamGuard + Clone,
        <P as ParamGuard>::Error: Send + Sync + 'static,
        V: Clone + Serialize + Send + Sync + 'static,
    {
        let mut search = GridSearch::new(estimator.clone()).axis(name, values, set).refit(false);
        search.protocol = self.protocol.clone();
        search.train_scores(true)
    }
}

/// The scores of an estimator on training and test rows, by the value of one parameter.
///
/// It shows where the estimator fits too little (both scores are poor) and too much (the training score is good, the test score
/// is not). All values are checked before the first fit; the fits of all values and folds run in parallel.
///
/// # Errors
///
/// - as [`cross_validate`](super::cross_validate)
/// - [`Error::Parameter`] for no values, [`Error::Candidate`] for the first one that the estimator's check refuses
///
/// # Examples
///
/// ```
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{KFold, Scorer, validation_curve};
///
/// let (params, diabetes) = (ElasticNet::params(), linfa_datasets::diabetes());
/// let penalties = [0.001, 0.1, 10.0];
/// let cv = KFold::new(5).shuffle(1);
/// let curve = validation_curve(&params, &diabetes, "penalty", penalties, |p, v| p.penalty(v), &cv, &[Scorer::r2()])?;
/// assert_eq!(curve.numbers().as_deref(), Some(&penalties[..]));
/// let test = curve.test("r2").unwrap();
/// assert!(test[0].mean > test[2].mean);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub fn validation_curve<P, D, S, F, Y, I, E, V>(
    estimator: &P,
    dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    name: &str,
    values: impl IntoIterator<Item = V>,
    set: impl Fn(P, V) -> P + Send + Sync + 'static,
    splitter: &dyn Splitter,
    scorers: &[Scorer<Y>],
) -> Result<ScoreCurve>
where
    F: Float,
    Y: Target,
    D: Data<Elem = F>,
    S: Data<Elem = Y>,
    I: TargetDim + 'static,
    P: ParamGuard + Fit<Array2<F>, Array<Y, I>, E> + Clone + std::fmt::Debug + Sync,
    <P as ParamGuard>::Error: Send + Sync + 'static,
    P::Object: PredictInplace<Array2<F>, Array<Y, I>>,
    E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
    V: Clone + Serialize + Send + Sync + 'static,
{
    let validator = CrossValidator::<F, Y>::new().scorers(scorers.iter().cloned());
    let splits = validator.protocol.splits(&DataView::of(dataset)?, Some(splitter))?;
    validator.cv(splits).validation_curve(estimator, dataset, name, values, set)
}

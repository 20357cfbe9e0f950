//! The estimators under evaluation: scores, predictions of unseen rows, curves and nested cross-validation from one copy of the
//! data.
//!
//! The methods have the names of the general functions of [`model_selection`](crate::model_selection), which take any linfa
//! estimator and gather the rows of a fold.

use linfa::dataset::{DatasetBase, Label, TargetDim};
use ndarray::{Array, ArrayBase, Data as ArrayData, Ix1, Ix2};

use super::hyperparams::{MlpClassifierParams, MlpParams};
use super::search_task::SearchTask;
use super::task::Task;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::model_selection::{
    CrossValidation, CrossValidator, NestedCrossValidation, Probabilities, ScoreCurve, Scorer, Search, Split,
    Splitter, Strategy, Target, TrainSizes, cross_val_predict_by_rows, cross_val_predict_proba_by_rows,
    cross_validate_by_rows, nested_cross_validate_continuing,
};

type Data<'a, D, S, I> = &'a DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>;

impl<S: Strategy + Clone, K: Task, F: Float, Y: Target> Search<S, MlpParams<K>, F, Y, Error> {
    /// Nested cross-validation of the search; every fold reads one copy of the data. With preprocessing, or scaled targets, the
    /// candidates of [an open fold](crate::model_selection::FitRows) read one that is transformed for it.
    ///
    /// # Errors
    ///
    /// As [`nested_cross_validate_continuing`].
    pub fn nested_cross_validate<D, T, I>(
        &self,
        dataset: Data<'_, D, T, I>,
        outer: &dyn Splitter,
    ) -> Result<NestedCrossValidation>
    where
        K: SearchTask<F, Y, I> + Sync,
        D: ArrayData<Elem = F>,
        T: ArrayData<Elem = Y>,
        I: TargetDim + 'static,
    {
        nested_cross_validate_continuing(self, dataset, outer)
    }
}

/// Cross-validation with the folds of a borrowed splitter, which settings can keep.
fn validator<F, Y, D, S, I>(
    dataset: Data<'_, D, S, I>,
    splitter: &dyn Splitter,
    scorers: &[Scorer<Y>],
) -> Result<CrossValidator<F, Y>>
where
    F: Float,
    Y: Target,
    D: ArrayData<Elem = F>,
    S: ArrayData<Elem = Y>,
    I: TargetDim + 'static,
{
    let folds: Vec<Split> = CrossValidator::<F, Y>::new().folds(dataset, splitter)?;
    Ok(CrossValidator::new().cv(folds).scorers(scorers.iter().cloned()))
}

impl<K: Task> MlpParams<K> {
    /// Cross-validation; every fold reads one copy of the data.
    ///
    /// # Errors
    ///
    /// As [`cross_validate_by_rows`].
    pub fn cross_validate<F, Y, D, S, I>(
        &self,
        dataset: Data<'_, D, S, I>,
        splitter: &dyn Splitter,
        scorers: &[Scorer<Y>],
    ) -> Result<CrossValidation>
    where
        K: SearchTask<F, Y, I> + Sync,
        F: Float,
        Y: Target,
        D: ArrayData<Elem = F>,
        S: ArrayData<Elem = Y>,
        I: TargetDim + 'static,
    {
        cross_validate_by_rows(self, dataset, splitter, scorers)
    }

    /// Every row predicted by a model that has not seen it; every fold reads one copy of the data.
    ///
    /// # Errors
    ///
    /// As [`cross_val_predict_by_rows`].
    pub fn cross_val_predict<F, Y, D, S, I>(
        &self,
        dataset: Data<'_, D, S, I>,
        splitter: &dyn Splitter,
    ) -> Result<Array<Y, I>>
    where
        K: SearchTask<F, Y, I> + Sync,
        K::Model: Send + Sync,
        F: Float,
        Y: Target,
        D: ArrayData<Elem = F>,
        S: ArrayData<Elem = Y>,
        I: TargetDim + 'static,
    {
        cross_val_predict_by_rows(self, dataset, splitter)
    }

    /// The scores by the number of training rows; every fold reads one copy of the data.
    ///
    /// # Errors
    ///
    /// As [`learning_curve`](crate::model_selection::learning_curve).
    pub fn learning_curve<F, Y, D, S, I>(
        &self,
        dataset: Data<'_, D, S, I>,
        sizes: &TrainSizes,
        splitter: &dyn Splitter,
        scorers: &[Scorer<Y>],
    ) -> Result<ScoreCurve>
    where
        K: SearchTask<F, Y, I> + Sync,
        F: Float,
        Y: Target,
        D: ArrayData<Elem = F>,
        S: ArrayData<Elem = Y>,
        I: TargetDim + 'static,
    {
        validator(dataset, splitter, scorers)?.learning_curve_by_rows(self, dataset, sizes)
    }

    /// The scores by the value of one parameter; every fold reads one copy of the data.
    ///
    /// # Errors
    ///
    /// As [`validation_curve`](crate::model_selection::validation_curve).
    pub fn validation_curve<F, Y, D, S, I, V>(
        &self,
        dataset: Data<'_, D, S, I>,
        name: &str,
        values: impl IntoIterator<Item = V>,
        set: impl Fn(Self, V) -> Self + Send + Sync + 'static,
        splitter: &dyn Splitter,
        scorers: &[Scorer<Y>],
    ) -> Result<ScoreCurve>
    where
        K: SearchTask<F, Y, I> + Sync,
        F: Float,
        Y: Target,
        D: ArrayData<Elem = F>,
        S: ArrayData<Elem = Y>,
        I: TargetDim + 'static,
        V: Clone + serde::Serialize + Send + Sync + 'static,
    {
        validator(dataset, splitter, scorers)?.validation_curve_by_rows(self, dataset, name, values, set)
    }
}

impl MlpClassifierParams {
    /// The probabilities of every row's classes by a model that has not seen it.
    ///
    /// # Errors
    ///
    /// As [`cross_val_predict_proba_by_rows`].
    pub fn cross_val_predict_proba<F, L, D, S>(
        &self,
        dataset: Data<'_, D, S, Ix1>,
        splitter: &dyn Splitter,
    ) -> Result<Probabilities<L>>
    where
        F: Float,
        L: Label + Target,
        D: ArrayData<Elem = F>,
        S: ArrayData<Elem = L>,
    {
        cross_val_predict_proba_by_rows(self, dataset, splitter)
    }
}

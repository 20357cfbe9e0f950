//! The estimators under evaluation: predictions of unseen rows, curves and nested cross-validation from one copy of the data.
//!
//! The methods have the names of the general functions of [`model_selection`](crate::model_selection), which take any linfa
//! estimator and gather the rows of a fold.

use linfa::dataset::{DatasetBase, Label, TargetDim};
use ndarray::{Array, Array1, ArrayBase, Data as ArrayData, Ix1, Ix2};

use super::hyperparams::{MlpClassifierParams, MlpRegressorParams};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::model_selection::{
    CrossValidator, NestedCrossValidation, Probabilities, ScoreCurve, Scorer, Search, Split, Splitter,
    Strategy, Target, TrainSizes, cross_val_predict_by_rows, cross_val_predict_proba_by_rows,
    nested_cross_validate_by_rows,
};

type Data<'a, D, S, I> = &'a DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>;

impl<S: Strategy + Clone, F: Float + Target> Search<S, MlpRegressorParams, F, F, Error> {
    /// Nested cross-validation of the search; every fold reads one copy of the data.
    ///
    /// # Errors
    ///
    /// As [`nested_cross_validate_by_rows`].
    pub fn nested_cross_validate<D, T, I>(
        &self,
        dataset: Data<'_, D, T, I>,
        outer: &dyn Splitter,
    ) -> Result<NestedCrossValidation>
    where
        D: ArrayData<Elem = F>,
        T: ArrayData<Elem = F>,
        I: TargetDim + 'static,
    {
        nested_cross_validate_by_rows(self, dataset, outer)
    }
}

impl<S: Strategy + Clone, F: Float, L: Label + Target> Search<S, MlpClassifierParams, F, L, Error> {
    /// Nested cross-validation of the search; every fold reads one copy of the data.
    ///
    /// # Errors
    ///
    /// As [`nested_cross_validate_by_rows`].
    pub fn nested_cross_validate<D, T>(
        &self,
        dataset: Data<'_, D, T, Ix1>,
        outer: &dyn Splitter,
    ) -> Result<NestedCrossValidation>
    where
        D: ArrayData<Elem = F>,
        T: ArrayData<Elem = L>,
    {
        nested_cross_validate_by_rows(self, dataset, outer)
    }
}

/// The folds of a borrowed splitter, which settings can keep.
fn divided<F, Y, D, S, I>(dataset: Data<'_, D, S, I>, splitter: &dyn Splitter) -> Result<Vec<Split>>
where
    F: Float,
    Y: Target,
    D: ArrayData<Elem = F>,
    S: ArrayData<Elem = Y>,
    I: TargetDim + 'static,
{
    CrossValidator::<F, Y>::new().folds(dataset, splitter)
}

impl MlpRegressorParams {
    /// Every row predicted by a model that has not seen it; every fold reads one copy of the data.
    ///
    /// # Errors
    ///
    /// As [`cross_val_predict_by_rows`].
    pub fn cross_val_predict<F, D, S, I>(
        &self,
        dataset: Data<'_, D, S, I>,
        splitter: &dyn Splitter,
    ) -> Result<Array<F, I>>
    where
        F: Float + Target,
        D: ArrayData<Elem = F>,
        S: ArrayData<Elem = F>,
        I: TargetDim + 'static,
    {
        cross_val_predict_by_rows(self, dataset, splitter)
    }

    /// The scores by the number of training rows; every fold reads one copy of the data.
    ///
    /// # Errors
    ///
    /// As [`learning_curve`](crate::model_selection::learning_curve).
    pub fn learning_curve<F, D, S, I>(
        &self,
        dataset: Data<'_, D, S, I>,
        sizes: &TrainSizes,
        splitter: &dyn Splitter,
        scorers: &[Scorer<F>],
    ) -> Result<ScoreCurve>
    where
        F: Float + Target,
        D: ArrayData<Elem = F>,
        S: ArrayData<Elem = F>,
        I: TargetDim + 'static,
    {
        let folds = divided(dataset, splitter)?;
        CrossValidator::new()
            .cv(folds)
            .scorers(scorers.iter().cloned())
            .learning_curve_by_rows(self, dataset, sizes)
    }

    /// The scores by the value of one parameter; every fold reads one copy of the data.
    ///
    /// # Errors
    ///
    /// As [`validation_curve`](crate::model_selection::validation_curve).
    pub fn validation_curve<F, D, S, I, V>(
        &self,
        dataset: Data<'_, D, S, I>,
        name: &str,
        values: impl IntoIterator<Item = V>,
        set: impl Fn(Self, V) -> Self + Send + Sync + 'static,
        splitter: &dyn Splitter,
        scorers: &[Scorer<F>],
    ) -> Result<ScoreCurve>
    where
        F: Float + Target,
        D: ArrayData<Elem = F>,
        S: ArrayData<Elem = F>,
        I: TargetDim + 'static,
        V: Clone + serde::Serialize + Send + Sync + 'static,
    {
        let folds = divided(dataset, splitter)?;
        CrossValidator::new()
            .cv(folds)
            .scorers(scorers.iter().cloned())
            .validation_curve_by_rows(self, dataset, name, values, set)
    }
}

impl MlpClassifierParams {
    /// Every row predicted by a model that has not seen it; every fold reads one copy of the data.
    ///
    /// # Errors
    ///
    /// As [`cross_val_predict_by_rows`].
    pub fn cross_val_predict<F, L, D, S>(
        &self,
        dataset: Data<'_, D, S, Ix1>,
        splitter: &dyn Splitter,
    ) -> Result<Array1<L>>
    where
        F: Float,
        L: Label + Target,
        D: ArrayData<Elem = F>,
        S: ArrayData<Elem = L>,
    {
        cross_val_predict_by_rows(self, dataset, splitter)
    }

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

    /// The scores by the number of training rows; every fold reads one copy of the data.
    ///
    /// # Errors
    ///
    /// As [`learning_curve`](crate::model_selection::learning_curve).
    pub fn learning_curve<F, L, D, S>(
        &self,
        dataset: Data<'_, D, S, Ix1>,
        sizes: &TrainSizes,
        splitter: &dyn Splitter,
        scorers: &[Scorer<L>],
    ) -> Result<ScoreCurve>
    where
        F: Float,
        L: Label + Target,
        D: ArrayData<Elem = F>,
        S: ArrayData<Elem = L>,
    {
        let folds = divided(dataset, splitter)?;
        CrossValidator::new()
            .cv(folds)
            .scorers(scorers.iter().cloned())
            .learning_curve_by_rows(self, dataset, sizes)
    }

    /// The scores by the value of one parameter; every fold reads one copy of the data.
    ///
    /// # Errors
    ///
    /// As [`validation_curve`](crate::model_selection::validation_curve).
    pub fn validation_curve<F, L, D, S, V>(
        &self,
        dataset: Data<'_, D, S, Ix1>,
        name: &str,
        values: impl IntoIterator<Item = V>,
        set: impl Fn(Self, V) -> Self + Send + Sync + 'static,
        splitter: &dyn Splitter,
        scorers: &[Scorer<L>],
    ) -> Result<ScoreCurve>
    where
        F: Float,
        L: Label + Target,
        D: ArrayData<Elem = F>,
        S: ArrayData<Elem = L>,
        V: Clone + serde::Serialize + Send + Sync + 'static,
    {
        let folds = divided(dataset, splitter)?;
        CrossValidator::new()
            .cv(folds)
            .scorers(scorers.iter().cloned())
            .validation_curve_by_rows(self, dataset, name, values, set)
    }
}

//! Fits that are validated on a data set of the user's.

use std::fmt;

use linfa::dataset::{AsSingleTargets, AsTargets};
use linfa::traits::{Fit, FitWith};
use linfa::{DatasetBase, Label, ParamGuard};
use ndarray::{ArrayBase, Data as ArrayData, Ix2};

use super::classifier::MlpClassifier;
use super::fitting::{Outcome, Views};
use super::hyperparams::{MlpParams, MlpValidParams};
use super::multilabel::{MlpMultilabelClassifier, YesNo, label_columns};
use super::regressor::{MlpRegressor, columns};
use super::task::{Classification, Multilabel, Regression, Task};
use crate::error::{Error, Result};
use crate::float::Float;

/// Hyper-parameters and a data set to validate on: `params.validation_data(&valid).fit(&train)`.
///
/// Sample weights of the validation data count in the validation loss and its metrics. It has the types of the training
/// data: number type, labels and dimension of the targets.
///
/// # Examples
///
/// ```
/// use linfa::prelude::*;
/// use linfa_mlp::MlpClassifier;
/// use linfa_mlp::callback::{EarlyStopping, ValLoss};
///
/// let mut rng = linfa_mlp::rng::Stream::new(1);
/// let (train, valid) = linfa_datasets::iris().shuffle(&mut rng).split_with_ratio(0.7);
/// let params = MlpClassifier::params().hidden_layer_sizes([16]).callback(EarlyStopping::on(ValLoss).patience(5));
/// let model = params.validation_data(&valid).fit(&train)?;
/// assert_eq!(model.history().n_validation_rows(), 45);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
///
/// # Errors
///
/// Of a fit, beside its own: [`Error::Parameter`] when the params hold rows of the training data out for validation, too.
pub struct ValidatedOn<'v, K: Clone, D: ArrayData, T> {
    params: MlpParams<K>,
    data: &'v DatasetBase<ArrayBase<D, Ix2>, T>,
}

impl<K: Clone + fmt::Debug, D: ArrayData, T> fmt::Debug for ValidatedOn<'_, K, D, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValidatedOn").field("params", &self.params).finish_non_exhaustive()
    }
}

impl<K: Clone> MlpParams<K> {
    /// Validates on a data set of its own, of the types of the training data.
    #[must_use]
    pub fn validation_data<D: ArrayData, T>(
        self,
        data: &DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> ValidatedOn<'_, K, D, T> {
        ValidatedOn { params: self, data }
    }
}

/// How a task trains on one data set and validates on another.
#[doc(hidden)]
pub trait FitBoth<F: Float, T, U>: Task {
    type Model;

    fn fit_both<D: ArrayData<Elem = F>, V: ArrayData<Elem = F>>(
        params: &MlpValidParams<Self>,
        model: Option<Self::Model>,
        training: &DatasetBase<ArrayBase<D, Ix2>, T>,
        validation: &DatasetBase<ArrayBase<V, Ix2>, U>,
    ) -> Result<(Self::Model, Outcome)>;
}

impl<F, T, U> FitBoth<F, T, U> for Classification
where
    F: Float,
    T: AsSingleTargets,
    T::Elem: Label,
    U: AsSingleTargets<Elem = T::Elem>,
{
    type Model = MlpClassifier<F, T::Elem>;

    fn fit_both<D: ArrayData<Elem = F>, V: ArrayData<Elem = F>>(
        params: &MlpValidParams<Self>,
        model: Option<Self::Model>,
        training: &DatasetBase<ArrayBase<D, Ix2>, T>,
        validation: &DatasetBase<ArrayBase<V, Ix2>, U>,
    ) -> Result<(Self::Model, Outcome)> {
        let views = Views::of(training, training.as_single_targets());
        params.fit_views(model, &views, Some(&Views::of(validation, validation.as_single_targets())))
    }
}

impl<F, T, U> FitBoth<F, T, U> for Multilabel
where
    F: Float,
    T: AsTargets<Ix = Ix2>,
    T::Elem: YesNo,
    U: AsTargets<Elem = T::Elem, Ix = Ix2>,
{
    type Model = MlpMultilabelClassifier<F, T::Elem>;

    fn fit_both<D: ArrayData<Elem = F>, V: ArrayData<Elem = F>>(
        params: &MlpValidParams<Self>,
        model: Option<Self::Model>,
        training: &DatasetBase<ArrayBase<D, Ix2>, T>,
        validation: &DatasetBase<ArrayBase<V, Ix2>, U>,
    ) -> Result<(Self::Model, Outcome)> {
        let (y, y_valid) = (training.as_targets(), validation.as_targets());
        let views = Views::of(training, label_columns(&y));
        params.fit_views(model, &views, Some(&Views::of(validation, label_columns(&y_valid))))
    }
}

impl<F, T, U> FitBoth<F, T, U> for Regression
where
    F: Float,
    T: AsTargets<Elem = F>,
    U: AsTargets<Elem = F, Ix = T::Ix>,
{
    type Model = MlpRegressor<F, T::Ix>;

    fn fit_both<D: ArrayData<Elem = F>, V: ArrayData<Elem = F>>(
        params: &MlpValidParams<Self>,
        model: Option<Self::Model>,
        training: &DatasetBase<ArrayBase<D, Ix2>, T>,
        validation: &DatasetBase<ArrayBase<V, Ix2>, U>,
    ) -> Result<(Self::Model, Outcome)> {
        let (y, y_valid) = (training.as_targets(), validation.as_targets());
        let views = Views::of(training, columns(&y));
        params.fit_views(model, &views, Some(&Views::of(validation, columns(&y_valid))))
    }
}

impl<K: Task, V: ArrayData, U> ValidatedOn<'_, K, V, U> {
    /// Trains from fresh weights, and gives the model as it is when training ends, whatever ends it, as the params' own method of
    /// this name does.
    ///
    /// # Errors
    ///
    /// What is seen before the first step. [`Error::Diverged`] and [`Error::Callback`] are part of the outcome.
    pub fn fit_with_outcome<F, D, T>(
        &self,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<(K::Model, Outcome)>
    where
        F: Float,
        D: ArrayData<Elem = F>,
        V: ArrayData<Elem = F>,
        K: FitBoth<F, T, U>,
    {
        K::fit_both(self.params.check_ref()?, None, dataset, self.data)
    }
}

/// Trains from fresh weights.
impl<F, D, T, K, V, U> Fit<ArrayBase<D, Ix2>, T, Error> for ValidatedOn<'_, K, V, U>
where
    F: Float,
    D: ArrayData<Elem = F>,
    V: ArrayData<Elem = F>,
    K: FitBoth<F, T, U>,
{
    type Object = K::Model;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<Self::Object> {
        let (model, outcome) = self.fit_with_outcome(dataset)?;
        outcome.map(|_| model)
    }
}

/// Goes on from a model until `epochs` are done in all.
impl<'a, F, D, T, K, V, U> FitWith<'a, ArrayBase<D, Ix2>, T, Error> for ValidatedOn<'_, K, V, U>
where
    F: Float,
    D: ArrayData<Elem = F>,
    V: ArrayData<Elem = F>,
    K: FitBoth<F, T, U>,
    K::Model: 'a,
{
    type ObjectIn = Option<K::Model>;
    type ObjectOut = K::Model;

    fn fit_with(
        &self,
        model: Self::ObjectIn,
        dataset: &'a DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<Self::ObjectOut> {
        let (model, outcome) = K::fit_both(self.params.check_ref()?, model, dataset, self.data)?;
        outcome.map(|_| model)
    }
}

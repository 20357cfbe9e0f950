//! Learning from data that come piece by piece, or are read when they are needed.

use linfa::dataset::{AsSingleTargets, AsTargets, TargetDim};
use linfa::{DatasetBase, Label, ParamGuard};
use ndarray::{ArrayBase, Data as ArrayData, Ix2};

use super::classifier::{MlpClassifier, encode};
use super::fitting::{Views, pass_over};
use super::hyperparams::{MlpClassifierParams, MlpMultilabelClassifierParams, MlpRegressorParams};
use super::labels::{distinct, listed};
use super::multilabel::{MlpMultilabelClassifier, YesNo, encode_labels};
use super::regressor::{MlpRegressor, columns};
use crate::error::{Error, Result, check};
use crate::float::Float;
use crate::train::{ClassWeight, Data};

impl MlpClassifierParams {
    /// Makes one pass over a chunk of the data, in its order, and gives the model back: a new one, or the one that is handed in,
    /// which goes on where it stopped. `classes` are all there will ever be, the same at each call; a chunk may lack some.
    ///
    /// The optimizer keeps its state, and callbacks theirs: k chunks are k epochs of one run. `epochs` and `shuffle` have no part
    /// in it, and a batch is `batch_size` rows, 200 by default, whatever the length of the chunk. A model that was saved and
    /// loaded goes on to the same bits. Once a callback has stopped the run, further chunks change nothing.
    ///
    /// ```
    /// use linfa::Dataset;
    /// use linfa_mlp::{MlpClassifier, optimizer::Adam};
    ///
    /// let mut rng = linfa_mlp::rng::Stream::new(0);
    /// let iris = linfa_datasets::iris().shuffle(&mut rng);
    /// let params = MlpClassifier::params().hidden_layer_sizes([16]).optimizer(Adam::new(0.02)).batch_size(10);
    /// let mut model = None;
    /// for _ in 0..20 {
    ///     for chunk in iris.sample_chunks(50) {
    ///         model = Some(params.partial_fit(model, &chunk, &[0, 1, 2])?);
    ///     }
    /// }
    /// assert!(model.ok_or("no chunks")?.score(&iris)? > 0.9);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As a fit, and
    ///
    /// - [`Error::OneClass`]: fewer than two classes.
    /// - [`Error::Mismatch`]: the model was trained on other classes.
    /// - [`Error::UnknownLabel`]: a label of the chunk is no class.
    /// - [`Error::Parameter`]: rows are to be held out for validation, or classes balanced, which a chunk cannot do.
    pub fn partial_fit<F, D, T>(
        &self,
        model: Option<MlpClassifier<F, T::Elem>>,
        chunk: &DatasetBase<ArrayBase<D, Ix2>, T>,
        classes: &[T::Elem],
    ) -> Result<MlpClassifier<F, T::Elem>>
    where
        F: Float,
        D: ArrayData<Elem = F>,
        T: AsSingleTargets,
        T::Elem: Label,
    {
        let params = self.check_ref()?;
        let classes = checked_classes(distinct(classes), model.as_ref())?;
        params.check_classes(classes.len())?;
        let balanced = params.settings.task.class_weight == Some(ClassWeight::Balanced);
        check("class_weight", "balanced", !balanced, "given for each class where chunks are learned from")?;
        let views = Views::of(chunk, chunk.as_single_targets());
        let encoded = encode(Some(&classes), views.x.view(), views.y.view())?;
        let data = Data::from(params.weigh(&classes, views.rows(encoded.y.view())?)?);
        let plan = params.plan_for(classes.len(), data.training.len());
        let run = pass_over(params, plan, model.map(MlpClassifier::into_run), &data)?;
        Ok(params.model(run, &classes))
    }

    /// Trains on rows of any kind until the epochs are done: read from a [`RowSource`](crate::train::RowSource), chosen by index,
    /// weighted, validated on rows of their own. Goes on with a model, if one is handed in.
    ///
    /// Targets are one column of indices into `classes`, which are in ascending order.
    ///
    /// # Errors
    ///
    /// As a fit; [`Error::Parameter`] for classes out of order, [`Error::Mismatch`] for a model of other classes.
    pub fn fit_data<F: Float, L: Label>(
        &self,
        model: Option<MlpClassifier<F, L>>,
        data: &Data<'_, F>,
        classes: &[L],
    ) -> Result<MlpClassifier<F, L>> {
        let params = self.check_ref()?;
        let sorted = classes.is_sorted_by(|a, b| a < b);
        check("classes", listed(classes), sorted, "in ascending order, each once")?;
        let classes = checked_classes(classes.to_vec(), model.as_ref())?;
        let (model, outcome) = params.run_to_end(model, &classes, data.clone())?;
        outcome.map(|_| model)
    }
}

/// Classes that are enough to tell apart, and those of the model if there is one.
fn checked_classes<F: Float, L: Label>(
    classes: Vec<L>,
    model: Option<&MlpClassifier<F, L>>,
) -> Result<Vec<L>> {
    if classes.len() < 2 {
        check("number of classes", classes.len(), !classes.is_empty(), "at least 2")?;
        return Err(Error::OneClass { class: listed(&classes) });
    }
    match model {
        Some(model) if model.classes() != classes => Err(Error::Mismatch {
            what: "the set of classes",
            trained: listed(model.classes()),
            found: listed(&classes),
        }),
        _ => Ok(classes),
    }
}

impl MlpRegressorParams {
    /// Makes one pass over a chunk of the data, in its order, and gives the model back: a new one, or the one that is handed in,
    /// which goes on where it stopped. What is kept and what is left aside is as for
    /// [a classifier](MlpClassifierParams::partial_fit).
    ///
    /// # Errors
    ///
    /// As a fit; [`Error::Parameter`] when rows are to be held out for validation.
    pub fn partial_fit<F, D, T>(
        &self,
        model: Option<MlpRegressor<F, T::Ix>>,
        chunk: &DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<MlpRegressor<F, T::Ix>>
    where
        F: Float,
        D: ArrayData<Elem = F>,
        T: AsTargets<Elem = F>,
        T::Ix: TargetDim,
    {
        let params = self.check_ref()?;
        let targets = chunk.as_targets();
        let views = Views::of(chunk, columns(&targets));
        let data = Data::from(views.rows(views.y.view())?);
        let plan = params.plan_for(data.training.target_width(), data.training.len());
        MlpRegressor::from_run(pass_over(params, plan, model.map(MlpRegressor::into_run), &data)?)
    }

    /// Trains on rows of any kind until the epochs are done: read from a [`RowSource`](crate::train::RowSource), chosen by index,
    /// weighted, validated on rows of their own. Goes on with a model, if one is handed in.
    ///
    /// # Errors
    ///
    /// As a fit.
    pub fn fit_data<F: Float>(
        &self,
        model: Option<MlpRegressor<F, Ix2>>,
        data: &Data<'_, F>,
    ) -> Result<MlpRegressor<F, Ix2>> {
        let (model, outcome) = self.check_ref()?.run_to_end(model, data.clone())?;
        outcome.map(|_| model)
    }
}

impl MlpMultilabelClassifierParams {
    /// Makes one pass over a chunk of the data, in its order, and gives the model back: a new one, or the one that is handed in,
    /// which goes on where it stopped. What is kept and what is left aside is as for
    /// [a classifier](MlpClassifierParams::partial_fit).
    ///
    /// # Errors
    ///
    /// As a fit; [`Error::Parameter`] when rows are to be held out for validation.
    pub fn partial_fit<F, D, T>(
        &self,
        model: Option<MlpMultilabelClassifier<F, T::Elem>>,
        chunk: &DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<MlpMultilabelClassifier<F, T::Elem>>
    where
        F: Float,
        D: ArrayData<Elem = F>,
        T: AsTargets<Ix = Ix2>,
        T::Elem: YesNo,
    {
        let params = self.check_ref()?;
        let targets = chunk.as_targets();
        let views = Views::of(chunk, ());
        let y = encode_labels(views.x.nrows(), targets.view())?;
        params.check_labels(y.ncols())?;
        let data = Data::from(views.rows(y.view())?);
        let plan = params.plan_for(y.ncols(), data.training.len());
        let run = pass_over(params, plan, model.map(MlpMultilabelClassifier::into_run), &data)?;
        Ok(params.model(run))
    }

    /// Trains on rows of any kind until the epochs are done: read from a [`RowSource`](crate::train::RowSource), chosen by index,
    /// weighted, validated on rows of their own. Goes on with a model, if one is handed in.
    ///
    /// Targets are 0 and 1, one column for each label.
    ///
    /// # Errors
    ///
    /// As a fit.
    pub fn fit_data<F: Float, L: YesNo>(
        &self,
        model: Option<MlpMultilabelClassifier<F, L>>,
        data: &Data<'_, F>,
    ) -> Result<MlpMultilabelClassifier<F, L>> {
        let (model, outcome) = self.check_ref()?.run_to_end(model, data.clone())?;
        outcome.map(|_| model)
    }
}

//! The regressor.

use std::marker::PhantomData;
use std::path::Path;

use linfa::DatasetBase;
use linfa::dataset::{AsTargets, TargetDim};
use linfa::traits::{Fit, FitWith, PredictInplace};
use ndarray::{Array, Array2, ArrayBase, ArrayView, ArrayView2, Data as ArrayData, Dimension, Ix1, Ix2};

use super::fitting::{Outcome, Views, fit_run, of_validation, score_weights};
use super::hyperparams::{MlpParams, MlpRegressorParams, MlpValidParams};
use super::task::Regression;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::history::History;
use crate::loss::MeanSquaredError;
use crate::metric::{Batch, Metric, R2};
use crate::network::{Dense, Network, Summary};
use crate::persistence::{self, Kind};
use crate::train::{Data, Plan, Run, RunV1};

/// A fitted regressor.
///
/// The output layer is linear, with one unit per target column; the loss is the mean squared error. Targets of one
/// dimension give predictions of one dimension, targets of two give two.
///
/// ```
/// use linfa::prelude::*;
/// use linfa_mlp::{MlpRegressor, optimizer::Adam};
/// use ndarray::{Array, Axis};
///
/// let x = Array::linspace(-1.0, 1.0, 64).insert_axis(Axis(1));
/// let y = x.column(0).mapv(|x: f64| x * x);
/// let parabola = Dataset::new(x, y);
///
/// let model = MlpRegressor::params()
///     .hidden_layer_sizes([32])
///     .optimizer(Adam::new(0.01))
///     .epochs(300)
///     .fit(&parabola)?;
/// assert!(model.score(&parabola)? > 0.98);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MlpRegressor<F: Float = f64, I = Ix1> {
    run: Run<F>,
    network: Network<F>,
    target_dim: PhantomData<fn() -> I>,
}

impl MlpRegressor {
    /// Hyper-parameters with their defaults. The number type and the dimension of the targets are those of the data, at
    /// the fit.
    #[must_use]
    pub fn params() -> MlpRegressorParams {
        MlpParams::new(Regression, Vec::new())
    }
}

impl MlpValidParams<Regression> {
    pub(crate) fn plan_for(&self, n_outputs: usize, n_training_rows: usize) -> Plan {
        self.plan(Dense::new(n_outputs), MeanSquaredError.into(), n_training_rows)
    }

    pub(super) fn run_to_end<F: Float, I>(
        &self,
        model: Option<MlpRegressor<F, I>>,
        data: Data<'_, F>,
    ) -> Result<(MlpRegressor<F, I>, Outcome)> {
        let n_outputs = data.training.target_width();
        let plan = |n| self.plan_for(n_outputs, n);
        let (run, outcome) = fit_run(self, plan, model.map(|model| model.run), data, Ok)?;
        Ok((MlpRegressor { network: run.result(), run, target_dim: PhantomData }, outcome))
    }

    fn fit_from<F, D, T>(
        &self,
        model: Option<MlpRegressor<F, T::Ix>>,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<(MlpRegressor<F, T::Ix>, Outcome)>
    where
        F: Float,
        D: ArrayData<Elem = F>,
        T: AsTargets<Elem = F>,
    {
        let targets = dataset.as_targets();
        self.fit_views(model, &Views::of(dataset, columns(&targets)), None)
    }

    /// Trains on one data set and validates on another, if there is one.
    pub(super) fn fit_views<F: Float, I>(
        &self,
        model: Option<MlpRegressor<F, I>>,
        training: &Views<'_, F, ArrayView2<'_, F>>,
        validation: Option<&Views<'_, F, ArrayView2<'_, F>>>,
    ) -> Result<(MlpRegressor<F, I>, Outcome)> {
        let mut data = Data::from(training.rows(training.y.view())?);
        if let Some(views) = validation {
            data.validation = Some(views.rows(views.y.view()).map_err(of_validation)?);
        }
        self.run_to_end(model, data)
    }
}

impl MlpRegressorParams {
    /// Trains from fresh weights as `fit` does, and gives the model as it is when training ends, whatever ends it: its epochs,
    /// a callback, a failure of a callback or a divergence. After a divergence it has the weights before the batch whose loss
    /// was not finite.
    ///
    /// ```
    /// use linfa_mlp::{Error, MlpRegressor, optimizer::Sgd};
    ///
    /// let diabetes = linfa_datasets::diabetes();
    /// let params = MlpRegressor::params().optimizer(Sgd::new(1e9)).epochs(5);
    /// let (model, outcome) = params.fit_with_outcome(&diabetes)?;
    /// assert!(matches!(outcome, Err(Error::Diverged { .. })));
    /// assert!(model.network().tensors().all(|(_, values)| values.iter().all(|value| value.is_finite())));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What is seen before the first step: settings, shapes and values. [`Error::Diverged`] and [`Error::Callback`] are
    /// part of the outcome.
    pub fn fit_with_outcome<F, D, T>(
        &self,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<(MlpRegressor<F, T::Ix>, Outcome)>
    where
        F: Float,
        D: ArrayData<Elem = F>,
        T: AsTargets<Elem = F>,
    {
        linfa::ParamGuard::check_ref(self)?.fit_from(None, dataset)
    }
}

/// Targets of one or two dimensions as columns.
pub(crate) fn columns<'a, F, I: Dimension>(targets: &'a ArrayView<'_, F, I>) -> ArrayView2<'a, F> {
    let width = if targets.ndim() < 2 { 1 } else { targets.shape()[1] };
    let view = targets.view().into_dyn();
    let view = if targets.ndim() < 2 { view.insert_axis(ndarray::Axis(1)) } else { view };
    debug_assert_eq!(view.shape()[1], width);
    view.into_dimensionality().expect("targets have one or two dimensions")
}

/// Trains from fresh weights.
impl<F, D, T> Fit<ArrayBase<D, Ix2>, T, Error> for MlpValidParams<Regression>
where
    F: Float,
    D: ArrayData<Elem = F>,
    T: AsTargets<Elem = F>,
{
    type Object = MlpRegressor<F, T::Ix>;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<Self::Object> {
        let (model, outcome) = self.fit_from(None, dataset)?;
        outcome.map(|_| model)
    }
}

/// Goes on from a model until `epochs` are done in all: 10 epochs, then `fit_with` to 20, are 20 epochs in one go.
impl<'a, F, D, T> FitWith<'a, ArrayBase<D, Ix2>, T, Error> for MlpValidParams<Regression>
where
    F: Float,
    D: ArrayData<Elem = F>,
    T: AsTargets<Elem = F>,
    T::Ix: 'a,
{
    type ObjectIn = Option<MlpRegressor<F, T::Ix>>;
    type ObjectOut = MlpRegressor<F, T::Ix>;

    fn fit_with(
        &self,
        model: Self::ObjectIn,
        dataset: &'a DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<Self::ObjectOut> {
        let (model, outcome) = self.fit_from(model, dataset)?;
        outcome.map(|_| model)
    }
}

impl<F: Float, I: TargetDim> MlpRegressor<F, I> {
    /// The regressor over a run, such as a file of a [`ModelCheckpoint`](crate::callback::ModelCheckpoint) holds.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] for a run of several outputs when targets of one dimension are asked for.
    pub fn from_run(run: Run<F>) -> Result<Self> {
        if I::NDIM == Some(1) && run.network().n_outputs() != 1 {
            return Err(persistence::contradiction(Kind::Regressor, OTHER_DIMENSION));
        }
        Ok(MlpRegressor { network: run.result(), run, target_dim: PhantomData })
    }

    /// Puts another run in place of the model's own.
    pub(crate) fn set_run(&mut self, run: Run<F>) {
        self.network = run.result();
        self.run = run;
    }

    pub(super) fn into_run(self) -> Run<F> {
        self.run
    }

    /// The predicted values: linfa's `predict` with an error in place of a panic.
    ///
    /// # Shapes
    ///
    /// `x` (n_samples, n_features) → (n_samples), or (n_samples, n_outputs) after targets of two dimensions
    ///
    /// # Errors
    ///
    /// [`Error::Width`] and [`Error::NotFinite`].
    pub fn try_predict<D: ArrayData<Elem = F>>(&self, x: &ArrayBase<D, Ix2>) -> Result<Array<F, I>> {
        Ok(self.shaped(self.network.predict(x.view())?))
    }

    pub(super) fn shaped(&self, outputs: Array2<F>) -> Array<F, I> {
        let outputs = outputs.into_dyn();
        let outputs = if I::NDIM == Some(1) { outputs.remove_axis(ndarray::Axis(1)) } else { outputs };
        outputs.into_dimensionality().expect("a regressor is fitted on targets of one or two dimensions")
    }

    /// R² on a data set, weighted by its sample weights; the mean over the columns of several targets.
    ///
    /// # Errors
    ///
    /// As [`try_predict`](Self::try_predict), and for targets or sample weights that do not fit the rows.
    pub fn score<D, T>(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<f64>
    where
        D: ArrayData<Elem = F>,
        T: AsTargets<Elem = F, Ix = I>,
    {
        let targets = dataset.as_targets();
        let truth = columns(&targets);
        let outputs = self.network.predict(dataset.records().view())?;
        if truth.dim() != outputs.dim() {
            return Err(match truth.nrows() == outputs.nrows() {
                true => Error::Width { array: "y", expected: outputs.ncols(), found: truth.ncols() },
                false => Error::RowCount { array: "y", expected: outputs.nrows(), found: truth.nrows() },
            });
        }
        let truth: Vec<F> = truth.iter().copied().collect();
        let weights = score_weights(dataset)?;
        let weights = weights.map(|weights| weights.into_iter().map(F::of).collect::<Vec<F>>());
        let n_outputs = outputs.ncols();
        let outputs: Vec<F> = outputs.iter().copied().collect();
        let batch = Batch {
            targets: &truth,
            target_width: n_outputs,
            outputs: &outputs,
            n_outputs,
            weights: weights.as_deref(),
            multilabel: false,
        };
        Ok(R2.of(&batch))
    }

    /// The network, with the weights that predictions use.
    #[must_use]
    pub fn network(&self) -> &Network<F> {
        &self.network
    }

    /// What happened in training.
    #[must_use]
    pub fn history(&self) -> &History {
        self.run.history()
    }

    /// The run behind the model, from which training goes on.
    #[must_use]
    pub fn run(&self) -> &Run<F> {
        &self.run
    }

    /// The table of layers, shapes and parameters.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.network.summary()
    }

    /// Number of parameters.
    #[must_use]
    pub fn count_params(&self) -> usize {
        self.network.count_params()
    }

    /// The model as the bytes of a file, with everything that training needs to go on.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] when a part of the user's cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mirror = (I::NDIM.unwrap_or(2) as u64, self.run.to_mirror());
        persistence::encode(Kind::Regressor, VERSION, &mirror)
    }

    /// The model that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] for bytes that are no regressor of these types, are damaged, or contradict themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (_, payload) = persistence::open(Kind::Regressor, VERSION, bytes)?;
        let (ndim, run): (u64, RunV1<F>) = persistence::decode(Kind::Regressor, payload)?;
        if Some(ndim as usize) != I::NDIM {
            return Err(persistence::contradiction(Kind::Regressor, OTHER_DIMENSION));
        }
        Self::from_run(Run::from_mirror(run)?)
    }

    /// Writes the model to a file.
    ///
    /// # Errors
    ///
    /// [`Error::File`] names the path; a file that was there is left whole.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        persistence::write_atomically(path, &self.to_bytes()?)
    }

    /// Reads a model that [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// [`Error::File`] and [`Error::Format`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Self::from_bytes(&persistence::read_framed(path)?)
    }
}

const OTHER_DIMENSION: &str = "its targets have another number of dimensions";

/// The newest format version; version 1 is the number of dimensions of the targets and a run.
const VERSION: u16 = 1;

/// # Panics
///
/// `predict` and `predict_inplace` panic when `x` has another width than the training data or a value that is not finite;
/// [`MlpRegressor::try_predict`] gives an error instead.
impl<F, D, I> PredictInplace<ArrayBase<D, Ix2>, Array<F, I>> for MlpRegressor<F, I>
where
    F: Float,
    D: ArrayData<Elem = F>,
    I: TargetDim,
{
    fn predict_inplace<'a>(&'a self, x: &'a ArrayBase<D, Ix2>, y: &mut Array<F, I>) {
        match self.try_predict(x) {
            Ok(predicted) => *y = predicted,
            Err(error) => panic!("{error}"),
        }
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array<F, I> {
        self.shaped(Array2::zeros((x.nrows(), self.network.n_outputs())))
    }
}

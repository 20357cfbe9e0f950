//! Keras' model: compile, fit, evaluate, predict.

use std::path::Path;

use ndarray::{Array2, ArrayBase, ArrayView1, ArrayView2, Data as ArrayData, Ix2};

use crate::callback::AnyCallback;
#[cfg(doc)]
use crate::error::Error;
use crate::error::{Result, check};
use crate::float::Float;
use crate::history::History;
use crate::loss::AnyLoss;
use crate::metric::IntoMetrics;
use crate::network::{Network, Sequential, Summary};
use crate::optimizer::AnyOptimizer;
use crate::persistence;

use super::plan::{check_unbatched, reads_all_rows};
use super::{ClassWeight, Data, Plan, Rows, Run, Scores, Until, Validation, evaluate};

impl Sequential {
    /// Makes a model that can be trained, with its first weights. Metrics are a list such as `[Accuracy]` or
    /// `(Accuracy, Rmse)`, or `()` for none.
    ///
    /// The seed of all random streams is 0; [`Model::seed`] sets another.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] names the first setting that is outside its range.
    pub fn compile<F: Float>(
        self,
        n_features: usize,
        optimizer: impl Into<AnyOptimizer>,
        loss: impl Into<AnyLoss>,
        metrics: impl IntoMetrics,
    ) -> Result<Model<F>> {
        let plan = Plan {
            network: self,
            loss: loss.into(),
            optimizer: optimizer.into(),
            metrics: metrics.into_metrics(),
            batch_size: 32,
            shuffle: true,
            seed: 0,
            callbacks: Vec::new(),
        };
        Ok(Model { run: Run::new(plan, n_features)? })
    }
}

/// How a [`Model`] is fitted.
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `epochs` | – | epochs of this call; ≥ 1 |
/// | `batch_size` | 32 | ≥ 1; unset for an optimizer that reads all rows at once |
/// | `shuffle` | true | training rows, anew in each epoch |
/// | `validation` | none | [`Validation`]: the last rows, a random or stratified share, rows by index |
/// | `class_weight` | none | [`ClassWeight`] |
/// | `callbacks` | none | |
#[derive(Clone, Debug)]
pub struct Training {
    epochs: usize,
    batch_size: Option<usize>,
    shuffle: bool,
    validation: Validation,
    class_weight: Option<ClassWeight>,
    callbacks: Vec<AnyCallback>,
}

impl Training {
    /// That many epochs.
    #[must_use]
    pub fn epochs(epochs: usize) -> Self {
        let (validation, callbacks) = (Validation::none(), Vec::new());
        Training { epochs, batch_size: None, shuffle: true, validation, class_weight: None, callbacks }
    }

    /// Rows of a batch.
    #[must_use]
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = Some(batch_size);
        self
    }

    /// Whether rows are shuffled in each epoch.
    #[must_use]
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// The share of rows held out for validation: the last ones. Short for [`Validation::last`].
    #[must_use]
    pub fn validation_split(self, share: f64) -> Self {
        self.validation(Validation::last(share))
    }

    /// Which rows are held out for validation.
    #[must_use]
    pub fn validation(mut self, validation: Validation) -> Self {
        self.validation = validation;
        self
    }

    /// How much each class counts in training. Classes are indices from 0: the targets themselves where these are one column,
    /// else the column of the largest.
    #[must_use]
    pub fn class_weight(mut self, weight: ClassWeight) -> Self {
        self.class_weight = Some(weight);
        self
    }

    /// Adds a callback.
    #[must_use]
    pub fn callback(mut self, callback: impl Into<AnyCallback>) -> Self {
        self.callbacks.push(callback.into());
        self
    }

    /// Prints a line per epoch.
    #[must_use]
    pub fn verbose(self) -> Self {
        self.callback(crate::callback::Verbose::default())
    }
}

/// A compiled network: Keras' model, on arrays.
///
/// ```
/// use linfa_mlp::prelude::*;
/// use ndarray::array;
///
/// let (x, y) = (array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], array![[0.0], [1.0], [1.0], [0.0]]);
/// let mut model = Sequential::new()
///     .add(Dense::new(8).activation(Tanh))
///     .add(Dense::new(1).activation(Sigmoid))
///     .compile(2, Adam::new(0.1), BinaryCrossEntropy::default(), [Accuracy])?;
/// model.fit(&x, &y, &Training::epochs(100).batch_size(4))?;
/// assert_eq!(model.evaluate(&x, &y)?["accuracy"], 1.0);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Model<F: Float> {
    run: Run<F>,
}

impl<F: Float> Model<F> {
    /// Sets the seed of all random streams and draws the first weights anew; what was learned is forgotten.
    ///
    /// # Errors
    ///
    /// None that [`Sequential::compile`] has not reported.
    pub fn seed(self, seed: u64) -> Result<Self> {
        let n_features = self.run.network().n_features();
        Ok(Model { run: Run::new(Plan { seed, ..self.run.plan }, n_features)? })
    }

    /// Trains for some epochs. A second call goes on where the first one ended, with fresh callbacks.
    ///
    /// # Shapes
    ///
    /// `x` (n_samples, n_features), `y` (n_samples, n_outputs), or (n_samples, 1) class indices for
    /// [`SparseCategoricalCrossEntropy`](crate::loss::SparseCategoricalCrossEntropy).
    ///
    /// # Errors
    ///
    /// Settings, shapes and values are checked before the first step: [`Error::Parameter`], [`Error::NoRows`],
    /// [`Error::Width`], [`Error::RowCount`], [`Error::NotFinite`], [`Error::TargetRange`]. Later, [`Error::Diverged`] and
    /// [`Error::Callback`], which leave the model as it was at that batch.
    pub fn fit<D: ArrayData<Elem = F>, T: ArrayData<Elem = F>>(
        &mut self,
        x: &ArrayBase<D, Ix2>,
        y: &ArrayBase<T, Ix2>,
        training: &Training,
    ) -> Result<&History> {
        self.fit_rows(Rows::new(x.view(), y.view())?, training)
    }

    /// As [`fit`](Self::fit), with a weight for each row.
    ///
    /// # Errors
    ///
    /// As [`fit`](Self::fit), and for weights that are negative, not finite or not as many as the rows.
    pub fn fit_weighted<'a, D: ArrayData<Elem = F>, T: ArrayData<Elem = F>>(
        &mut self,
        x: &'a ArrayBase<D, Ix2>,
        y: &'a ArrayBase<T, Ix2>,
        weights: ArrayView1<'a, f32>,
        training: &Training,
    ) -> Result<&History> {
        self.fit_rows(Rows::new(x.view(), y.view())?.with_weights(weights)?, training)
    }

    fn fit_rows(&mut self, rows: Rows<'_, F>, training: &Training) -> Result<&History> {
        self.fit_data(&Data::from(rows), training)
    }

    /// As [`fit`](Self::fit), on rows of any kind: weighted, chosen by index, and validated on rows of their own.
    ///
    /// ```
    /// use linfa_mlp::prelude::*;
    /// use linfa_mlp::train::{Data, Rows};
    /// use ndarray::array;
    ///
    /// let (x, y) = (array![[0.0], [1.0], [2.0]], array![[1.0], [3.0], [5.0]]);
    /// let (x_valid, y_valid) = (array![[0.5]], array![[2.0]]);
    /// let mut model = Sequential::new().add(Dense::new(1)).compile(1, Adam::new(0.1), MeanSquaredError, ())?;
    /// let data = Data {
    ///     training: Rows::new(x.view(), y.view())?,
    ///     validation: Some(Rows::new(x_valid.view(), y_valid.view())?),
    /// };
    /// let history = model.fit_data(&data, &Training::epochs(100))?;
    /// assert!(history["val_loss"][99] < history["val_loss"][0]);
    /// # Ok::<(), linfa_mlp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`fit`](Self::fit); and [`Error::Parameter`] when there are validation rows and `training` asks for others.
    #[doc(alias = "validation_data")]
    pub fn fit_data(&mut self, data: &Data<'_, F>, training: &Training) -> Result<&History> {
        check("epochs", training.epochs, training.epochs >= 1, "at least 1")?;
        check_unbatched(&self.run.plan().optimizer, training.batch_size)?;
        let default = if reads_all_rows(&self.run.plan().optimizer) { usize::MAX } else { 32 };
        let mut data = data.clone().validated_by(&training.validation, self.run.plan.seed)?;
        if let Some(weight) = &training.class_weight {
            let n_outputs = self.run.network.n_outputs();
            let labels = self.run.plan.is_multilabel(n_outputs);
            check("class_weight", "given", !labels, "none where each output is a question of its own")?;
            let classes: Vec<String> = (0..n_outputs.max(2)).map(|class| class.to_string()).collect();
            data.training = weight.weigh(&classes, data.training)?;
        }
        let plan = Plan {
            batch_size: training.batch_size.unwrap_or(default),
            shuffle: training.shuffle,
            callbacks: training.callbacks.clone(),
            ..self.run.plan.clone()
        };
        plan.check()?;
        self.run.renew(plan);
        let goal = self.run.epochs().saturating_add(training.epochs);
        self.run.advance(&data, Until::epochs(goal))?;
        Ok(self.run.history())
    }

    /// Loss and metrics on some rows: `scores["loss"]`, `scores["accuracy"]`.
    ///
    /// # Errors
    ///
    /// As [`fit`](Self::fit), for shapes and values.
    pub fn evaluate<D: ArrayData<Elem = F>, T: ArrayData<Elem = F>>(
        &self,
        x: &ArrayBase<D, Ix2>,
        y: &ArrayBase<T, Ix2>,
    ) -> Result<Scores> {
        evaluate(&self.run.result(), self.run.plan(), &Rows::new(x.view(), y.view())?)
    }

    /// The outputs for some rows.
    ///
    /// # Shapes
    ///
    /// `x` (n_samples, n_features) → (n_samples, n_outputs)
    ///
    /// # Errors
    ///
    /// [`Error::Width`] and [`Error::NotFinite`].
    pub fn predict<D: ArrayData<Elem = F>>(&self, x: &ArrayBase<D, Ix2>) -> Result<Array2<F>> {
        self.run.result().predict(x.view())
    }

    /// What has happened in all fits so far.
    #[must_use]
    pub fn history(&self) -> &History {
        self.run.history()
    }

    /// The table of layers, shapes and parameters.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.run.network().summary()
    }

    /// Number of parameters.
    #[must_use]
    pub fn count_params(&self) -> usize {
        self.run.network().count_params()
    }

    /// The network as the last step left it.
    #[must_use]
    pub fn network(&self) -> &Network<F> {
        self.run.network()
    }

    /// Replaces the values of a tensor: `dense_1/kernel` (fan_in, units), `dense_1/bias` (1, units).
    ///
    /// # Errors
    ///
    /// As [`Network::set_tensor`].
    pub fn set_tensor(&mut self, name: &str, values: ArrayView2<'_, F>) -> Result<()> {
        self.run.network_mut().set_tensor(name, values)
    }

    /// Puts another run in place of the model's own.
    pub(crate) fn set_run(&mut self, run: Run<F>) {
        self.run = run;
    }

    /// The run behind the model.
    #[must_use]
    pub fn run(&self) -> &Run<F> {
        &self.run
    }

    /// Writes the model, with everything that training needs to go on.
    ///
    /// # Errors
    ///
    /// [`Error::File`] names the path; a file that was there is left whole.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        persistence::write_atomically(path, &self.run.to_bytes()?)
    }

    /// Reads a model that [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// [`Error::File`] and [`Error::Format`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Model { run: Run::from_bytes(&persistence::read_framed(path)?)? })
    }
}

//! The hyper-parameters that all estimators share.

use std::fmt;

use linfa::ParamGuard;
use serde::{Deserialize, Serialize};

use super::task::{Classification, Multilabel, Regression, Task};
use crate::callback::AnyCallback;
use crate::error::{Error, Result, check};
use crate::loss::AnyLoss;
use crate::metric::AnyMetric;
use crate::network::activation::AnyActivation;
use crate::network::{Dense, L2, Relu, Sequential};
use crate::optimizer::{Adam, AnyOptimizer};
use crate::train::{Plan, Validation, check_search, check_unbatched, reads_all_rows};

/// Hyper-parameters of [`MlpClassifier`](super::MlpClassifier), not yet checked.
pub type MlpClassifierParams = MlpParams<Classification>;

/// Hyper-parameters of [`MlpRegressor`](super::MlpRegressor), not yet checked.
pub type MlpRegressorParams = MlpParams<Regression>;

/// Hyper-parameters of [`MlpMultilabelClassifier`](super::MlpMultilabelClassifier), not yet checked.
pub type MlpMultilabelClassifierParams = MlpParams<Multilabel>;

/// Hyper-parameters, not yet checked: the builder.
///
/// | parameter | default | from | range |
/// | --- | --- | --- | --- |
/// | [`hidden_layer_sizes`](Self::hidden_layer_sizes) | `[100]` | scikit-learn | each 1 to 2²⁴; empty: no hidden layer |
/// | [`activation`](Self::activation) | ReLU | scikit-learn | of hidden layers |
/// | [`alpha`](Self::alpha) | 0.0001 | scikit-learn (¹) | finite, ≥ 0: L2 penalty `alpha · Σ w²` on all weights but biases |
/// | [`network`](Self::network) | – | – | takes the place of the three above |
/// | [`optimizer`](Self::optimizer) | [`Adam`] | scikit-learn | |
/// | [`loss`](Self::loss) | see the estimators | – | |
/// | [`metrics`](Self::metric) | accuracy; none for regression | – | |
/// | [`batch_size`](Self::batch_size) | min(200, n) | scikit-learn | ≥ 1; unset for `Lbfgs` |
/// | [`epochs`](Self::epochs) | 200 | scikit-learn's `max_iter` | ≥ 1; counted from the beginning of training |
/// | [`shuffle`](Self::shuffle) | true | scikit-learn | |
/// | [`validation`](Self::validation) | none | – | [`Validation`]: the last rows (Keras), a random or stratified share (scikit-learn), rows by index |
/// | [`seed`](Self::seed) | 0 | – | any; the same seed gives the same bits |
/// | [`callbacks`](Self::callback) | none | – | prototypes: each fit starts its own |
///
/// (¹) The penalty has Keras' form; scikit-learn halves it and divides it by the number of rows of a batch, which makes its
/// strength depend on the batch size.
///
/// What one task alone has is on its page: [`Classification`], [`Multilabel`].
///
/// One value can be fitted any number of times, also in parallel: nothing in it changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Settings<K>", into = "Settings<K>")]
#[serde(bound(serialize = "K: Clone + Serialize", deserialize = "K: Clone + Deserialize<'de>"))]
pub struct MlpParams<K: Clone>(MlpValidParams<K>);

/// Hyper-parameters that have been checked; serde checks what it reads.
///
/// ```
/// use linfa::ParamGuard;
/// use linfa_mlp::MlpRegressor;
/// use linfa_mlp::estimator::{MlpValidParams, Regression};
///
/// let params = MlpRegressor::params().epochs(5);
/// let text = serde_json::to_string(params.check_ref()?)?;
/// assert_eq!(&serde_json::from_str::<MlpValidParams<Regression>>(&text)?, params.check_ref()?);
///
/// let none = text.replace(r#""epochs":5"#, r#""epochs":0"#);
/// let error = serde_json::from_str::<MlpValidParams<Regression>>(&none).unwrap_err();
/// assert!(error.to_string().starts_with("epochs must be at least 1, but is 0"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "MlpParams<K>", into = "MlpParams<K>")]
#[serde(bound(serialize = "K: Clone + Serialize", deserialize = "K: Task"))]
pub struct MlpValidParams<K> {
    pub(super) settings: Settings<K>,
}

impl<K: Clone> From<MlpValidParams<K>> for MlpParams<K> {
    fn from(checked: MlpValidParams<K>) -> Self {
        MlpParams(checked)
    }
}

impl<K: Task> TryFrom<MlpParams<K>> for MlpValidParams<K> {
    type Error = Error;

    fn try_from(params: MlpParams<K>) -> Result<Self> {
        params.check()
    }
}

/// The values themselves, as they stand in files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings<K> {
    pub(super) hidden_layer_sizes: Vec<usize>,
    pub(super) activation: AnyActivation,
    pub(super) alpha: f64,
    pub(super) network: Option<Sequential>,
    pub(super) optimizer: AnyOptimizer,
    pub(super) loss: Option<AnyLoss>,
    pub(super) metrics: Vec<AnyMetric>,
    pub(super) batch_size: Option<usize>,
    pub(super) epochs: usize,
    pub(super) shuffle: bool,
    pub(super) validation: Validation,
    pub(super) seed: u64,
    #[serde(serialize_with = "crate::callback::serialize_saved")]
    pub(super) callbacks: Vec<AnyCallback>,
    pub(super) task: K,
}

impl<K: Clone> From<Settings<K>> for MlpParams<K> {
    fn from(settings: Settings<K>) -> Self {
        MlpParams(MlpValidParams { settings })
    }
}

impl<K: Clone> From<MlpParams<K>> for Settings<K> {
    fn from(params: MlpParams<K>) -> Self {
        params.0.settings
    }
}

impl<K: Clone> MlpParams<K> {
    pub(super) fn new(task: K, metrics: Vec<AnyMetric>) -> Self {
        MlpParams::from(Settings {
            hidden_layer_sizes: vec![100],
            activation: Relu.into(),
            alpha: 1e-4,
            network: None,
            optimizer: Adam::default().into(),
            loss: None,
            metrics,
            batch_size: None,
            epochs: 200,
            shuffle: true,
            validation: Validation::none(),
            seed: 0,
            callbacks: Vec::new(),
            task,
        })
    }

    pub(super) fn settings(&self) -> &Settings<K> {
        &self.0.settings
    }

    pub(super) fn task_mut(&mut self) -> &mut K {
        &mut self.0.settings.task
    }

    /// Units of each hidden layer; none for a linear model.
    #[must_use]
    pub fn hidden_layer_sizes(mut self, sizes: impl Into<Vec<usize>>) -> Self {
        self.0.settings.hidden_layer_sizes = sizes.into();
        self
    }

    /// The activation of the hidden layers.
    #[must_use]
    pub fn activation(mut self, activation: impl Into<AnyActivation>) -> Self {
        self.0.settings.activation = activation.into();
        self
    }

    /// The factor of the L2 penalty on all weights but biases.
    #[must_use]
    #[doc(alias = "l2")]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.0.settings.alpha = alpha;
        self
    }

    /// The hidden part of the network, layer by layer, in place of `hidden_layer_sizes`, `activation` and `alpha`. The
    /// output layer is added by the estimator.
    #[must_use]
    pub fn network(mut self, network: Sequential) -> Self {
        self.0.settings.network = Some(network);
        self
    }

    /// How weights move.
    #[must_use]
    #[doc(alias = "solver")]
    pub fn optimizer(mut self, optimizer: impl Into<AnyOptimizer>) -> Self {
        self.0.settings.optimizer = optimizer.into();
        self
    }

    /// What training makes small, in place of the estimator's own.
    #[must_use]
    pub fn loss(mut self, loss: impl Into<AnyLoss>) -> Self {
        self.0.settings.loss = Some(loss.into());
        self
    }

    /// Adds a metric to those reported in the history.
    #[must_use]
    pub fn metric(mut self, metric: impl Into<AnyMetric>) -> Self {
        self.0.settings.metrics.push(metric.into());
        self
    }

    /// Rows of a batch; the last batch of an epoch has the rest. More than there are rows means all of them.
    #[must_use]
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.0.settings.batch_size = Some(batch_size);
        self
    }

    /// Passes over the training rows, counted from the beginning of training: `fit_with` adds what is missing.
    #[must_use]
    #[doc(alias = "max_iter")]
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.0.settings.epochs = epochs;
        self
    }

    /// Whether training rows are shuffled anew in each epoch.
    #[must_use]
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.0.settings.shuffle = shuffle;
        self
    }

    /// The share of rows held out for validation: the last ones, before any shuffling. Short for [`Validation::last`].
    #[must_use]
    pub fn validation_split(self, share: f64) -> Self {
        self.validation(Validation::last(share))
    }

    /// Which rows are held out for validation.
    #[must_use]
    #[doc(alias = "validation_fraction")]
    pub fn validation(mut self, validation: Validation) -> Self {
        self.0.settings.validation = validation;
        self
    }

    /// What all random streams derive from.
    #[must_use]
    #[doc(alias = "random_state")]
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.settings.seed = seed;
        self
    }

    /// Adds a callback.
    #[must_use]
    pub fn callback(mut self, callback: impl Into<AnyCallback>) -> Self {
        self.0.settings.callbacks.push(callback.into());
        self
    }

    /// Prints a line per epoch.
    #[must_use]
    pub fn verbose(self) -> Self {
        self.callback(crate::callback::Verbose::default())
    }
}

impl<K: Task> ParamGuard for MlpParams<K> {
    type Checked = MlpValidParams<K>;
    type Error = Error;

    fn check_ref(&self) -> Result<&Self::Checked> {
        let params = &self.0.settings;
        for (i, &units) in params.hidden_layer_sizes.iter().enumerate() {
            let name = format!("hidden_layer_sizes[{i}]");
            check(
                &name,
                units,
                (1..=crate::network::layer::MAX_UNITS).contains(&units),
                "between 1 and 16777216",
            )?;
        }
        params.activation.check()?;
        check(
            "alpha",
            params.alpha,
            params.alpha.is_finite() && params.alpha >= 0.0,
            "finite and at least 0",
        )?;
        params.network.as_ref().map_or(Ok(()), Sequential::check)?;
        params.optimizer.check()?;
        params.loss.as_ref().map_or(Ok(()), AnyLoss::check)?;
        params.metrics.iter().try_for_each(AnyMetric::check)?;
        let batch_size = params.batch_size.unwrap_or(1);
        check("batch_size", batch_size, batch_size >= 1, "at least 1")?;
        check_unbatched(&params.optimizer, params.batch_size)?;
        params.network.as_ref().map_or(Ok(()), |network| check_search(&params.optimizer, network))?;
        check("epochs", params.epochs, params.epochs >= 1, "at least 1")?;
        params.validation.check()?;
        params.callbacks.iter().try_for_each(AnyCallback::check)?;
        params.task.check()?;
        Ok(&self.0)
    }

    fn check(self) -> Result<Self::Checked> {
        self.check_ref()?;
        Ok(self.0)
    }
}

/// Rows of a batch, as far as there are so many.
pub(super) const DEFAULT_BATCH_SIZE: usize = 200;

impl<K> MlpValidParams<K> {
    /// The hidden part of the network, and the output layer's own penalty.
    fn hidden(&self) -> Sequential {
        if let Some(network) = &self.settings.network {
            return network.clone();
        }
        self.settings.hidden_layer_sizes.iter().fold(Sequential::new(), |network, &units| {
            network.add(self.penalized(Dense::new(units).activation(self.settings.activation.clone())))
        })
    }

    fn penalized(&self, layer: Dense) -> Dense {
        if self.settings.alpha > 0.0 { layer.kernel_regularizer(L2::new(self.settings.alpha)) } else { layer }
    }

    /// Rows of a batch, of so many training rows.
    pub(super) fn rows_of_batch(&self, n_training_rows: usize) -> usize {
        let default =
            if reads_all_rows(&self.settings.optimizer) { n_training_rows } else { DEFAULT_BATCH_SIZE };
        self.settings.batch_size.unwrap_or(default).clamp(1, n_training_rows.max(1))
    }

    /// The whole plan, once the task has chosen output layer and loss.
    pub(super) fn plan(&self, output: Dense, default_loss: AnyLoss, n_training_rows: usize) -> Plan {
        let output = if self.settings.network.is_none() { self.penalized(output) } else { output };
        Plan {
            network: self.hidden().add(output),
            loss: self.settings.loss.clone().unwrap_or(default_loss),
            optimizer: self.settings.optimizer.clone(),
            metrics: self.settings.metrics.clone(),
            batch_size: self.rows_of_batch(n_training_rows),
            shuffle: self.settings.shuffle,
            seed: self.settings.seed,
            callbacks: self.settings.callbacks.clone(),
        }
    }

    /// Epochs from the beginning of training.
    #[must_use]
    pub fn epochs(&self) -> usize {
        self.settings.epochs
    }
}

/// The settings that are not the defaults would be too long for a table: structure and optimizer.
impl<K: Clone> fmt::Display for MlpParams<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.settings.network {
            Some(network) => write!(f, "{} layers", network.layers().len())?,
            None => write!(f, "{:?}", self.0.settings.hidden_layer_sizes)?,
        }
        write!(f, ", {}", self.0.settings.optimizer)
    }
}

//! Fitted models of other libraries.
//!
//! | file | reads |
//! | --- | --- |
//! | `sklearn.rs` | `MLPClassifier`, `MLPRegressor` |
//! | `keras.rs` | `Sequential` |
//! | `pytorch.rs` | `nn.Sequential` |
//! | `settings.rs` | the settings of a layer, none of which is left out |
//! | `stack.rs` | layers and their tensors, in order |

mod keras;
mod pytorch;
mod settings;
mod sklearn;
mod stack;

use std::path::Path;
use std::str::FromStr;

use linfa::dataset::TargetDim;
use linfa::{Label, ParamGuard};
use ndarray::{Array2, ArrayBase, Data as ArrayData, Ix2};

use super::SafeTensors;
use crate::error::{Error, Result};
use crate::estimator::{
    MlpClassifier, MlpClassifierParams, MlpMultilabelClassifier, MlpMultilabelClassifierParams, MlpRegressor,
    MlpRegressorParams, YesNo,
};
use crate::float::Float;
use crate::loss::AnyLoss;
use crate::metric::IntoMetrics;
use crate::network::activation::AnyActivation;
use crate::network::graph::Precision;
use crate::network::layer::AnyLayer;
use crate::network::{Dense, Network, Sequential};
use crate::optimizer::AnyOptimizer;
use crate::train::{Model, Plan, Run};

/// A fitted network of another library, read from one safetensors file: weights as tensors, structure as metadata.
///
/// It predicts at once, and becomes a model that training goes on from: [`model`](Self::model), or an estimator by
/// [`classifier`](Self::classifier), [`multilabel_classifier`](Self::multilabel_classifier) and [`regressor`](Self::regressor).
/// `F` is the number type it computes in; numbers of the file are converted to it.
///
/// | from | layers |
/// | --- | --- |
/// | [scikit-learn](Self::from_sklearn) | `MLPClassifier`, `MLPRegressor`: all of their activations |
/// | [Keras](Self::from_keras) | `Dense`, `Activation`, `Dropout`, `AlphaDropout`, `GaussianNoise`, `BatchNormalization`, `LayerNormalization`, `ReLU`, `LeakyReLU`, `ELU`, `Softmax`, `InputLayer`, `Flatten` of rows |
/// | [PyTorch](Self::from_pytorch) | `Linear`, `Dropout`, `AlphaDropout`, `BatchNorm1d`, `LayerNorm`, `Identity`, `Flatten` of rows, and the activations this crate has |
///
/// # Examples
///
/// ```
/// use linfa_mlp::exchange::{Imported, SafeTensors};
/// use linfa_mlp::prelude::*;
/// use ndarray::array;
///
/// let mut file = SafeTensors::new();
/// file.insert("coefs_0", array![[1.0], [2.0]].into_dyn())?;
/// file.insert("intercepts_0", array![0.5].into_dyn())?;
/// file.set_metadata("sklearn", r#"{"activation": "relu", "out_activation": "identity"}"#);
///
/// let imported = Imported::<f64>::from_sklearn(&file)?;
/// assert_eq!(imported.predict(&array![[1.0, 1.0]])?, array![[3.5]]);
/// let mut model = imported.model(Adam::default(), MeanSquaredError, ())?;
/// model.fit(&array![[1.0, 1.0]], &array![[4.0]], &Training::epochs(1))?;
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Imported<F: Float> {
    layers: Sequential,
    network: Network<F>,
    classes: Option<Vec<String>>,
}

impl<F: Float> Imported<F> {
    /// A fitted `MLPClassifier` or `MLPRegressor`. Of its file, written by
    ///
    /// ```python
    /// tensors = {f"coefs_{i}": w for i, w in enumerate(m.coefs_)} | {f"intercepts_{i}": b for i, b in enumerate(m.intercepts_)}
    /// about = {"activation": m.activation, "out_activation": m.out_activation_, "classes": [str(c) for c in getattr(m, "classes_", [])]}
    /// save_file(tensors, "model.safetensors", metadata={"sklearn": json.dumps(about)})
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] and [`Error::Format`] name what is missing, left over, or does not fit.
    pub fn from_sklearn(file: &SafeTensors) -> Result<Self> {
        sklearn::read(file)
    }

    /// A Keras `Sequential`. Of its file, written by
    ///
    /// ```python
    /// tensors = {f"{l.name}/{w.name}": w.numpy() for l in model.layers for w in l.weights}
    /// save_file(tensors, "model.safetensors", metadata={"keras": model.to_json()})
    /// ```
    ///
    /// The seed generators of dropout layers are no weights of theirs; `w.numpy()` is `np.asarray(w)` where Keras does not run on
    /// TensorFlow. Penalties of layers come along; initializers do not, and a layer with a constraint is refused.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] and [`Error::Format`] name what is missing, left over, not known or does not fit.
    pub fn from_keras(file: &SafeTensors) -> Result<Self> {
        keras::read(file)
    }

    /// A PyTorch `nn.Sequential`. Of its file, written by
    ///
    /// ```python
    /// simple = lambda m: {k: v for k, v in vars(m).items() if type(v) in (int, float, str, bool) and k != "training"}
    /// about = [{"class": type(m).__name__} | simple(m) for m in model]
    /// save_file(model.state_dict(), "model.safetensors", metadata={"pytorch": json.dumps(about)})
    /// ```
    ///
    /// A classifier of PyTorch often ends in a plain `Linear`: [`output_activation`](Self::output_activation) adds what its loss
    /// holds.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] and [`Error::Format`] name what is missing, left over, not known or does not fit.
    pub fn from_pytorch(file: &SafeTensors) -> Result<Self> {
        pytorch::read(file)
    }

    /// As [`from_sklearn`](Self::from_sklearn), from a file that is there.
    ///
    /// # Errors
    ///
    /// As there; [`Error::File`] and [`Error::DataFile`].
    pub fn read_sklearn(path: impl AsRef<Path>) -> Result<Self> {
        sklearn::read(&SafeTensors::read(path)?)
    }

    /// As [`from_keras`](Self::from_keras), from a file that is there.
    ///
    /// # Errors
    ///
    /// As there; [`Error::File`] and [`Error::DataFile`].
    pub fn read_keras(path: impl AsRef<Path>) -> Result<Self> {
        keras::read(&SafeTensors::read(path)?)
    }

    /// As [`from_pytorch`](Self::from_pytorch), from a file that is there.
    ///
    /// # Errors
    ///
    /// As there; [`Error::File`] and [`Error::DataFile`].
    pub fn read_pytorch(path: impl AsRef<Path>) -> Result<Self> {
        pytorch::read(&SafeTensors::read(path)?)
    }

    /// All layers.
    #[must_use]
    pub fn layers(&self) -> &Sequential {
        &self.layers
    }

    /// The layers before the last one: what [`MlpParams::network`](crate::estimator::MlpParams::network) takes, as estimators
    /// add the last one themselves.
    #[must_use]
    pub fn hidden_layers(&self) -> Sequential {
        let layers = self.layers.layers();
        let hidden = layers.split_last().map_or(layers, |(_, hidden)| hidden);
        hidden.iter().fold(Sequential::new(), |network, layer| network.add(layer.clone()))
    }

    /// The network, with its weights.
    #[must_use]
    pub fn network(&self) -> &Network<F> {
        &self.network
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
        self.network.predict(x.view())
    }

    /// The classes that scikit-learn's file names, as labels.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] when the file names none, or one that is no such label.
    pub fn classes<L: FromStr>(&self) -> Result<Vec<L>> {
        let Some(classes) = &self.classes else {
            return Err(Error::parameter("classes", "missing", "in the file"));
        };
        let label = |text: &String| {
            let kind = std::any::type_name::<L>();
            text.parse().map_err(|_| Error::parameter("classes", text, format!("of the type {kind}")))
        };
        classes.iter().map(label).collect()
    }

    /// The same network with another activation at the end of its last layer: for networks that end in sums, because their loss
    /// had the activation.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] when the last layer is not dense, or has an activation already.
    pub fn output_activation(self, activation: impl Into<AnyActivation>) -> Result<Self> {
        let last = self.layers.layers().last();
        let dense = last.and_then(|layer| layer.downcast_ref::<Dense>());
        let plain = dense.filter(|dense| stack::is_plain(dense)).cloned();
        let Some(dense) = plain else {
            let found = last.map_or_else(|| "none".into(), AnyLayer::to_string);
            return Err(Error::parameter("last layer", found, "dense without activation"));
        };
        let layers = self.hidden_layers().add(dense.activation(activation));
        let network = with_tensors_of(&layers, &self.network)?;
        Ok(Imported { layers, network, classes: self.classes })
    }

    /// A model on the first floor, at the beginning of training with these weights.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] names the first setting that is outside its range.
    pub fn model(
        &self,
        optimizer: impl Into<AnyOptimizer>,
        loss: impl Into<AnyLoss>,
        metrics: impl IntoMetrics,
    ) -> Result<Model<F>> {
        let (layers, n_features) = (self.layers.clone(), self.network.n_features());
        let mut model = layers.compile::<F>(n_features, optimizer, loss, metrics)?;
        model.set_run(model.run().restarted(self.network.clone()));
        Ok(model)
    }

    /// A classifier, from which `params.fit_with(Some(classifier), …)` goes on. The params say how, and have
    /// [`hidden_layers`](Self::hidden_layers) as their network, or one that computes the same.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a setting outside its range; [`Error::Mismatch`] for params whose network computes something else;
    /// [`Error::Format`] for classes that are not in ascending order, or not as many as the network tells apart.
    pub fn classifier<L: Label>(
        &self,
        params: &MlpClassifierParams,
        classes: impl Into<Vec<L>>,
    ) -> Result<MlpClassifier<F, L>> {
        let classes = classes.into();
        let params = params.check_ref()?;
        params.check_classes(classes.len())?;
        let checked = MlpClassifier::from_run(self.run(params.plan_for(classes.len(), 1))?, classes)?;
        let classes = checked.classes().to_vec();
        Ok(params.model(checked.into_run(), &classes))
    }

    /// A multilabel classifier; as [`classifier`](Self::classifier).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn multilabel_classifier<L: YesNo>(
        &self,
        params: &MlpMultilabelClassifierParams,
    ) -> Result<MlpMultilabelClassifier<F, L>> {
        let (params, n_labels) = (params.check_ref()?, self.network.n_outputs());
        params.check_labels(n_labels)?;
        Ok(params.model(self.run(params.plan_for(n_labels, 1))?))
    }

    /// A regressor; as [`classifier`](Self::classifier).
    ///
    /// # Errors
    ///
    /// As there; [`Error::Format`] for several outputs when targets of one dimension are asked for.
    pub fn regressor<I: TargetDim>(&self, params: &MlpRegressorParams) -> Result<MlpRegressor<F, I>> {
        MlpRegressor::from_run(self.run(params.check_ref()?.plan_for(self.network.n_outputs(), 1))?)
    }

    /// A run of that plan with these weights.
    fn run(&self, plan: Plan) -> Result<Run<F>> {
        let different = |network: &Sequential| Error::Mismatch {
            what: "the network",
            trained: listed(&self.layers),
            found: listed(network),
        };
        let network = with_tensors_of(&plan.network, &self.network).map_err(|_| different(&plan.network))?;
        let (asked, trained) = (network.graph(Precision::Double)?, self.network.graph(Precision::Double)?);
        if !asked.is_same(&trained) {
            return Err(different(&plan.network));
        }
        Run::with_network(plan, network)
    }
}

fn listed(layers: &Sequential) -> String {
    layers.layers().iter().map(ToString::to_string).collect::<Vec<_>>().join(" – ")
}

/// A network of those layers with the tensors of another one, in their order.
fn with_tensors_of<F: Float>(layers: &Sequential, of: &Network<F>) -> Result<Network<F>> {
    let n_params = layers.count_params(of.n_features())?;
    crate::error::check("number of parameters", n_params, n_params == of.count_params(), "that of the file")?;
    let mut network = layers.build::<F>(of.n_features(), 0)?;
    let names: Vec<String> = network.tensors().map(|(name, _)| name).collect();
    let tensors = of.tensors().count();
    crate::error::check("number of tensors", names.len(), names.len() == tensors, "that of the file")?;
    for (name, (_, values)) in names.iter().zip(of.tensors()) {
        network.set_tensor(name, values)?;
    }
    Ok(network)
}

//! Models as ONNX files.
//!
//! | file | role |
//! | --- | --- |
//! | `outputs.rs` | what each kind of model gives: labels and probabilities, numbers |
//! | `preparation.rs` | the scalings before and after a model |
//! | `encode.rs`, `message.rs` | a graph as protocol buffers |

mod encode;
mod message;
mod outputs;
mod preparation;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use super::Scaling;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::network::Network;
use crate::network::graph::{Graph, Precision, Value};
use crate::persistence;
use preparation::{Preparation, Reader};

/// How a model is written as an ONNX file, where `model.export_onnx(path)` is not enough.
///
/// The file has one input `x` (N, n_features), for any number of rows N. It is of ONNX' intermediate representation 8 and operator
/// set 17, which runtimes read since 2022.
///
/// | model | outputs |
/// | --- | --- |
/// | [`MlpClassifier`](crate::MlpClassifier) | `label` (N) int64, `probabilities` (N, n_classes) |
/// | [`MlpMultilabelClassifier`](crate::MlpMultilabelClassifier) | `labels` (N, n_labels) int64, 0 or 1; `probabilities` (N, n_labels) |
/// | [`MlpRegressor`](crate::MlpRegressor), [`Model`](crate::train::Model), [`Network`] | `y` (N, n_outputs) |
///
/// A label is the class itself where all classes are whole numbers, else its place among the classes, which the file's metadata
/// hold under `classes`, as a JSON list of texts. Layers that only train (dropout, noise) leave nothing behind.
///
/// | setting | default |
/// | --- | --- |
/// | `precision` | `f32`, whatever the model was trained in |
/// | `scaled_by` | none: the scaling that records went through before the model saw them |
/// | `targets_scaled_by` | none: the scaling that targets went through, undone in the file |
/// | `reading` | none: how to read the transformers of a [`Pipeline`](crate::model_selection::Pipeline) |
/// | `doc_string` | the model's summary |
///
/// # Examples
///
/// ```
/// use linfa::prelude::*;
/// use linfa_mlp::MlpClassifier;
/// use linfa_mlp::datasets::MinMax;
/// use linfa_mlp::exchange::Onnx;
///
/// let iris = linfa_datasets::iris();
/// let scaling = MinMax::of_columns(iris.records())?;
/// let train = Dataset::new(scaling.scale(iris.records().clone())?, iris.targets().clone());
/// let model = MlpClassifier::params().hidden_layer_sizes([8]).epochs(5).fit(&train)?;
/// # let folder = tempfile::tempdir().expect("a temporary folder");
/// # let path = folder.path().join("iris.onnx");
/// Onnx::new().scaled_by(&scaling).doc_string("irises, in centimetres").export(&model, &path)?;
/// assert!(std::fs::metadata(&path).is_ok_and(|file| file.len() > 100));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
///
/// # References
///
/// ONNX, `docs/IR.md`, `docs/Operators.md` and `onnx/onnx.proto3`, version 1.12.
#[derive(Clone, Default)]
pub struct Onnx {
    precision: Precision,
    scalings: Vec<Scaling>,
    targets: Option<Scaling>,
    readers: Vec<Reader>,
    doc_string: Option<String>,
}

impl Onnx {
    /// With the defaults.
    #[must_use]
    pub fn new() -> Self {
        Onnx::default()
    }

    /// The number type of input, weights and outputs. Runtimes have fewer operators in `f64`: that of
    /// [`Gelu`](crate::network::Gelu) is missing in some.
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// The scaling that records went through before they came to the model: the file takes them as they were. Asked for twice,
    /// the first one comes first.
    #[must_use]
    pub fn scaled_by(mut self, scaling: impl Into<Scaling>) -> Self {
        self.scalings.push(scaling.into());
        self
    }

    /// The scaling that the targets of a regression went through: the file gives numbers as they were.
    #[must_use]
    pub fn targets_scaled_by(mut self, scaling: impl Into<Scaling>) -> Self {
        self.targets = Some(scaling.into());
        self
    }

    /// How to read a fitted transformer of type `T` in a [`Pipeline`](crate::model_selection::Pipeline), such as linfa's
    /// `LinearScaler`. What is read is compared with what the transformer does.
    ///
    /// ```
    /// use linfa_mlp::exchange::{Onnx, Scaling};
    /// use linfa_preprocessing::linear_scaling::LinearScaler;
    ///
    /// let onnx = Onnx::new()
    ///     .reading(|scaler: &LinearScaler<f64>| Scaling::by_factors(scaler.offsets(), scaler.scales()));
    /// assert!(format!("{onnx:?}").contains("readers: 1"));
    /// ```
    #[must_use]
    pub fn reading<T: 'static>(
        mut self,
        reader: impl Fn(&T) -> Result<Scaling> + Send + Sync + 'static,
    ) -> Self {
        self.readers.push(Reader::of(reader));
        self
    }

    /// What the file says about itself.
    #[must_use]
    pub fn doc_string(mut self, text: impl Into<String>) -> Self {
        self.doc_string = Some(text.into());
        self
    }

    /// Writes a model to a file.
    ///
    /// # Errors
    ///
    /// - [`Error::NoGraph`]: a layer or activation, of a program of its own, does not say what it computes.
    /// - [`Error::Width`]: a scaling of other columns than the model has.
    /// - [`Error::Parameter`]: a transformer that nothing reads, or that does something else than what was read; a scaling of
    ///   targets where there are labels; weights beyond `f32`; more than 2 GiB.
    /// - [`Error::File`] names the path; a file that was there is left whole.
    pub fn export<F: Float>(&self, model: &impl ToOnnx<F>, path: impl AsRef<Path>) -> Result<()> {
        persistence::write_atomically(path, &self.to_bytes(model)?)
    }

    /// The bytes of the file.
    ///
    /// # Errors
    ///
    /// As [`export`](Self::export), but for files.
    pub fn to_bytes<F: Float>(&self, model: &impl ToOnnx<F>) -> Result<Vec<u8>> {
        let Preparation { steps, targets } = model.preparation(self)?;
        let targets = targets.as_ref().or(self.targets.as_ref());
        let network = model.result();
        let mut graph = Graph::new(network.n_features(), self.precision);
        let mut x = graph.input();
        for scaling in self.scalings.iter().chain(&steps) {
            scaling.check_width("the scaling of x", network.n_features())?;
            x = scaling.express(&mut graph, x);
        }
        let mut y = graph.network(&network, x)?;
        if let Some(scaling) = targets {
            if !model.gives_numbers() {
                let allowed = "none for a model that gives labels";
                return Err(Error::parameter("targets_scaled_by", "given", allowed));
            }
            scaling.check_width("the scaling of y", network.n_outputs())?;
            y = scaling.express_inverse(&mut graph, y);
        }
        model.outputs(&mut graph, y);
        encode::check_range(&graph)?;
        let doc_string = self.doc_string.clone().unwrap_or_else(|| network.summary().to_string());
        encode::encode(&graph, doc_string, model.metadata())
    }
}

impl fmt::Debug for Onnx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Onnx")
            .field("precision", &self.precision)
            .field("scalings", &self.scalings)
            .field("targets", &self.targets)
            .field("readers", &self.readers.len())
            .field("doc_string", &self.doc_string)
            .finish()
    }
}

/// A model that can be written as an ONNX file.
pub trait ToOnnx<F: Float> {
    /// The network, with the weights that predictions use.
    fn result(&self) -> Cow<'_, Network<F>>;

    /// Names the outputs, and adds what comes between the network's output `y` and them.
    fn outputs(&self, graph: &mut Graph<'_, F>, y: Value);

    /// Whether the outputs are numbers of a regression, in the units of its targets.
    fn gives_numbers(&self) -> bool;

    /// What stands in the file's metadata.
    fn metadata(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// What happens to records before the model and to numbers after it.
    #[doc(hidden)]
    fn preparation(&self, _onnx: &Onnx) -> Result<Preparation> {
        Ok(Preparation::default())
    }
}

//! Weights by themselves, as files that Python reads.

use std::borrow::Cow;
use std::path::Path;

use linfa::Label;
use linfa::dataset::TargetDim;
use ndarray::{ArrayD, ArrayView2};
use serde::Serialize;

use super::SafeTensors;
use crate::error::{Error, Result};
use crate::estimator::{MlpClassifier, MlpMultilabelClassifier, MlpRegressor, YesNo};
use crate::float::Float;
use crate::network::Network;
use crate::network::layer::AnyLayer;
use crate::train::{Model, Run};

/// What a file of weights says of the network, as one text: of several the order would be any.
#[derive(Serialize)]
struct About<'a> {
    version: &'static str,
    n_features: usize,
    layers: Vec<&'a AnyLayer>,
}

impl<F: Float> Network<F> {
    /// The weights as named tensors: `dense_1/kernel` (fan_in, units), `dense_1/bias` (units) …
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a weight that is not finite.
    pub fn to_safetensors(&self) -> Result<SafeTensors> {
        let mut file = SafeTensors::new();
        for ((name, values), vector) in self.tensors().zip(self.vectors()) {
            let values = values.to_owned().into_dyn();
            let values = if vector { values.remove_axis(ndarray::Axis(0)) } else { values };
            file.insert(&name, values)?;
        }
        let about = About {
            version: env!("CARGO_PKG_VERSION"),
            n_features: self.n_features(),
            layers: self.stages().iter().map(|stage| &stage.layer).collect(),
        };
        file.set_metadata("linfa-mlp", serde_json::to_string(&about)?);
        Ok(file)
    }

    /// The network with the weights of a file in place of its own.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] names the tensor that is missing, is none of the network's, or has another shape, other numbers or
    /// a number that is not finite.
    pub fn with_safetensors(&self, file: &SafeTensors) -> Result<Network<F>> {
        let mut network = self.clone();
        let names: Vec<String> = self.tensors().map(|(name, _)| name).collect();
        if let Some(other) = file.names().find(|name| !names.iter().any(|known| known == name)) {
            return Err(Error::parameter("tensor", other, format!("one of {}", names.join(", "))));
        }
        for (name, vector) in names.iter().zip(self.vectors()) {
            let values = file.get::<F>(name)?;
            set(&mut network, name, name, values, vector)?;
        }
        Ok(network)
    }

    /// Whether each tensor is a vector.
    pub(super) fn vectors(&self) -> impl Iterator<Item = bool> {
        self.stages().iter().flat_map(|stage| stage.tensors.iter().map(|tensor| tensor.vector))
    }
}

/// Sets a tensor of a network from one that a file calls by another name.
pub(super) fn set<F: Float>(
    network: &mut Network<F>,
    name: &str,
    in_file: &str,
    values: ArrayD<F>,
    vector: bool,
) -> Result<()> {
    let found = format!("of shape {:?}", values.shape());
    let shape = |network: &Network<F>| {
        let tensor = network.tensors().find(|(known, _)| known == name);
        tensor.map(
            |(_, values)| if vector { vec![values.ncols()] } else { vec![values.nrows(), values.ncols()] },
        )
    };
    let expected = shape(network).unwrap_or_default();
    if values.shape() != expected {
        return Err(Error::parameter(format!("tensor {in_file}"), found, format!("of shape {expected:?}")));
    }
    let (rows, columns) = if vector { (1, expected[0]) } else { (expected[0], expected[1]) };
    let values: Vec<F> = values.iter().copied().collect();
    let view = ArrayView2::from_shape((rows, columns), &values).expect("the shape has been compared");
    network.set_tensor(name, view).map_err(|error| match error {
        Error::Parameter { found, allowed, .. } => {
            Error::Parameter { name: format!("tensor {in_file}"), found, allowed }
        }
        other => other,
    })
}

/// A model whose weights can be written and replaced.
trait Weighted<F: Float> {
    /// The network, with the weights that predictions use.
    fn result(&self) -> Cow<'_, Network<F>>;

    /// The run whose weights are replaced.
    fn its_run(&self) -> &Run<F>;

    fn replace(&mut self, run: Run<F>);

    fn write_weights(&self, path: &Path) -> Result<()> {
        self.result().to_safetensors()?.write(path)
    }

    fn take_weights(&mut self, file: &SafeTensors) -> Result<()> {
        let run = self.its_run();
        let run = run.restarted(run.network().with_safetensors(file)?);
        self.replace(run);
        Ok(())
    }
}

macro_rules! weighted {
    ($($model:ty, [$($of:tt)*];)*) => {$(
        impl<$($of)*> Weighted<F> for $model {
            fn result(&self) -> Cow<'_, Network<F>> {
                Cow::Owned(self.run().result())
            }

            fn its_run(&self) -> &Run<F> {
                self.run()
            }

            fn replace(&mut self, run: Run<F>) {
                self.set_run(run);
            }
        }

        impl<$($of)*> $model {
            /// Writes the weights that predictions use as a safetensors file: `dense_1/kernel` (fan_in, units),
            /// `dense_1/bias` (units) … Its metadata hold one text, `linfa-mlp`: a JSON object with the `version` of this
            /// crate, `n_features` and `layers`. Equal models give equal files.
            ///
            /// # Errors
            ///
            /// [`Error::File`] names the path; a file that was there is left whole.
            pub fn save_weights(&self, path: impl AsRef<Path>) -> Result<()> {
                self.write_weights(path.as_ref())
            }

            /// Replaces the weights by those of a file. Training begins anew from them: moments, history, best and averaged
            /// weights of the run so far are forgotten.
            ///
            /// # Errors
            ///
            /// [`Error::File`] and [`Error::DataFile`]; [`Error::Parameter`] names the tensor that is missing, is none of the
            /// model's, or has another shape, another number type or a number that is not finite. The model is left as it was.
            pub fn load_weights(&mut self, path: impl AsRef<Path>) -> Result<()> {
                self.take_weights(&SafeTensors::read(path)?)
            }

            /// As [`load_weights`](Self::load_weights), from a file that has been read: its numbers may have been
            /// [converted](SafeTensors::converted).
            ///
            /// # Errors
            ///
            /// [`Error::Parameter`], as there.
            pub fn set_weights(&mut self, file: &SafeTensors) -> Result<()> {
                self.take_weights(file)
            }
        }
    )*};
}

weighted! {
    Model<F>, [F: Float];
    MlpRegressor<F, I>, [F: Float, I: TargetDim];
    MlpClassifier<F, L>, [F: Float, L: Label];
    MlpMultilabelClassifier<F, L>, [F: Float, L: YesNo];
}

//! A network before the width of the data is known.

use serde::{Deserialize, Serialize};

use super::layer::{AnyLayer, MAX_UNITS};
use super::summary::layer_names;
use super::{Network, Summary};
use crate::error::{Result, check};
use crate::float::Float;
use crate::rng::Stream;

/// Layers in order, as in Keras.
///
/// It becomes a [`Network`] when the number of features is known: by [`build`](Self::build), by
/// [`compile`](Self::compile) or by the fit of an estimator.
///
/// ```
/// use linfa_mlp::network::{Dense, Dropout, Relu, Sequential, Softmax};
///
/// let network = Sequential::new()
///     .add(Dense::new(128).activation(Relu))
///     .add(Dropout::new(0.1))
///     .add(Dense::new(10).activation(Softmax));
/// assert_eq!(network.count_params(784)?, (784 + 1) * 128 + (128 + 1) * 10);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sequential {
    layers: Vec<AnyLayer>,
}

impl Sequential {
    /// No layers yet.
    #[must_use]
    pub fn new() -> Self {
        Sequential::default()
    }

    /// Appends a layer.
    #[must_use]
    #[allow(clippy::should_implement_trait)]
    pub fn add(mut self, layer: impl Into<AnyLayer>) -> Self {
        self.layers.push(layer.into());
        self
    }

    /// The layers.
    #[must_use]
    pub fn layers(&self) -> &[AnyLayer] {
        &self.layers
    }

    /// Checks the settings of every layer.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](crate::Error::Parameter) names layer and setting: `layer 2: units`.
    pub fn check(&self) -> Result<()> {
        for (i, layer) in self.layers.iter().enumerate() {
            layer.check().map_err(|error| error.within(format_args!("layer {}", i + 1)))?;
        }
        Ok(())
    }

    /// Columns of the output for that many features.
    #[must_use]
    pub fn n_outputs(&self, n_features: usize) -> usize {
        self.layers.iter().fold(n_features, |width, layer| layer.ops::<f32>().n_outputs(width))
    }

    /// Number of parameters for that many features.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn count_params(&self, n_features: usize) -> Result<usize> {
        self.check()?;
        check("n_features", n_features, (1..=MAX_UNITS).contains(&n_features), "between 1 and 16777216")?;
        check("number of layers", 0, !self.layers.is_empty(), "at least 1")?;
        check_widths(&self.layers, n_features)?;
        let mut total = 0_usize;
        for Unfolded { layer, n_inputs, .. } in unfolded(&self.layers, n_features) {
            for tensor in layer.ops::<f32>().tensors(n_inputs) {
                total = total.saturating_add(tensor.rows.saturating_mul(tensor.columns));
            }
        }
        check("number of parameters", total, total <= MAX_PARAMS, "at most 2147483648 (2^31)")?;
        Ok(total)
    }

    /// The network for that many features, with its first weights.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](crate::Error::Parameter) for a setting of a layer, a branch whose width does not fit, a
    /// layer of no width, no layers or more than 10 000 one after the other, no features or more than 2²⁴, or more than 2³¹
    /// parameters.
    pub fn build<F: Float>(&self, n_features: usize, seed: u64) -> Result<Network<F>> {
        let mut network = self.build_empty(n_features)?;
        network.initialize(Stream::new(seed).named("init"));
        Ok(network)
    }

    /// The network for that many features, whose weights are still to come.
    pub(crate) fn build_empty<F: Float>(&self, n_features: usize) -> Result<Network<F>> {
        self.count_params(n_features)?;
        Ok(Network::lay_out(&self.layers, n_features))
    }

    /// The table of layers, shapes and parameters.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn summary(&self, n_features: usize) -> Result<Summary> {
        self.count_params(n_features)?;
        Ok(Summary::of(&self.layers, n_features))
    }
}

/// A layer in the order in which rows go through them.
pub(super) struct Unfolded<'l> {
    pub(super) layer: &'l AnyLayer,
    pub(super) name: String,
    pub(super) n_inputs: usize,
    pub(super) n_outputs: usize,
    /// Of a layer that merges a branch: the place of the branch's first layer.
    pub(super) branch: Option<usize>,
}

/// The layers in the order in which rows go through them: those of a branch before the layer that merges it.
pub(super) fn unfolded(layers: &[AnyLayer], n_features: usize) -> Vec<Unfolded<'_>> {
    let mut all = Vec::with_capacity(layers.len());
    unfold(layers, n_features, "", &mut all);
    all
}

/// Appends some layers; gives the columns of their output.
fn unfold<'l>(layers: &'l [AnyLayer], mut width: usize, within: &str, all: &mut Vec<Unfolded<'l>>) -> usize {
    for (layer, name) in layers.iter().zip(layer_names(layers)) {
        let name = format!("{within}{name}");
        let ops = layer.ops::<f32>();
        let (mut n_inputs, mut first) = (width, None);
        if let Some(branch) = ops.branch() {
            first = Some(all.len());
            n_inputs = unfold(&branch.layers, width, &format!("{name}/"), all);
        }
        width = ops.n_outputs(width);
        all.push(Unfolded { layer, name, n_inputs, n_outputs: width, branch: first });
    }
    width
}

/// Checks that there are columns everywhere, and that branches fit what they are merged with; gives the columns of the output.
fn check_widths(layers: &[AnyLayer], mut width: usize) -> Result<usize> {
    check("number of layers", layers.len(), layers.len() <= MAX_LAYERS, "at most 10000")?;
    for (i, layer) in layers.iter().enumerate() {
        let (ops, place) = (layer.ops::<f32>(), format!("layer {}", i + 1));
        if let Some(branch) = ops.branch() {
            let n_branch = check_widths(&branch.layers, width).map_err(|error| error.within(&place))?;
            ops.check_branch(width, n_branch).map_err(|error| error.within(&place))?;
        }
        width = ops.n_outputs(width);
        check("n_outputs", width, width >= 1, "at least 1").map_err(|error| error.within(&place))?;
    }
    Ok(width)
}

/// The most parameters of a network.
const MAX_PARAMS: usize = 1 << 31;

/// The most layers one after the other.
const MAX_LAYERS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::network::layer::{Backward, Forward, Layer};
    use crate::network::{Dense, Dropout};
    use crate::part::Configured;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Nothing;

    impl Configured for Nothing {
        const NAME: &'static str = "nothing";

        fn check(&self) -> Result<()> {
            Ok(())
        }
    }

    impl<F: Float> Layer<F> for Nothing {
        fn n_outputs(&self, _n_inputs: usize) -> usize {
            0
        }
        fn forward(&self, _pass: Forward<'_, F>) {}
        fn backward(&self, _pass: Backward<'_, F>) {}
    }

    #[test]
    fn a_network_without_layers_or_columns_or_with_too_many_is_refused() {
        let dropouts = |n: usize| (0..n).fold(Sequential::new(), |all, _| all.add(Dropout::new(0.1)));
        let refused = |network: Sequential, n_features, names: &str| {
            let error = network.build::<f64>(n_features, 1).unwrap_err();
            assert!(
                matches!(&error, Error::Parameter { .. }) && error.to_string().contains(names),
                "{error}"
            );
        };
        refused(Sequential::new(), 6, "number of layers");
        refused(dropouts(MAX_LAYERS + 1), 6, "number of layers");
        refused(dropouts(1), 0, "n_features");
        refused(dropouts(1), MAX_UNITS + 1, "n_features");
        refused(Sequential::new().add(Dense::new(2)).add(AnyLayer::from(Nothing)), 6, "layer 2: n_outputs");
        let network = dropouts(MAX_LAYERS).build::<f32>(1, 1).unwrap();
        assert_eq!(network.stages().last().map(|stage| stage.name.as_str()), Some("dropout_10000"));
    }
}

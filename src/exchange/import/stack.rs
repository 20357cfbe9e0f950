//! Layers and their tensors, in order.

use std::collections::BTreeSet;

use ndarray::{ArrayD, Axis};

use super::Imported;
use crate::error::{Error, Result, check};
use crate::exchange::{SafeTensors, weights};
use crate::float::Float;
use crate::network::activation::AnyActivation;
use crate::network::layer::AnyLayer;
use crate::network::{ActivationLayer, Dense, Identity, Sequential};

/// A network while it is read from a file.
pub(super) struct Stack<'f> {
    file: &'f SafeTensors,
    layers: Vec<AnyLayer>,
    n_features: Option<usize>,
    /// Columns so far, once they are known.
    width: Option<usize>,
    /// Names in the file, in the order of the network's tensors, and whether it has them turned.
    tensors: Vec<(String, bool)>,
    /// Tensors that are no weights.
    ignored: BTreeSet<String>,
}

impl<'f> Stack<'f> {
    pub(super) fn new(file: &'f SafeTensors) -> Self {
        let (tensors, ignored) = (Vec::new(), BTreeSet::new());
        Stack { file, layers: Vec::new(), n_features: None, width: None, tensors, ignored }
    }

    /// The input's width, where a file says it beside its tensors.
    pub(super) fn input(&mut self, place: &str, width: usize) -> Result<()> {
        match self.width {
            Some(known) => check(&format!("{place}: columns"), width, width == known, &known.to_string()),
            None => {
                (self.n_features, self.width) = (Some(width), Some(width));
                Ok(())
            }
        }
    }

    /// A dense layer, built for as many units as its kernel (fan_in, units) has; `turned` says that the file has (units, fan_in).
    pub(super) fn dense(
        &mut self,
        kernel: String,
        turned: bool,
        bias: Option<String>,
        layer: impl FnOnce(Dense) -> Dense,
    ) -> Result<usize> {
        let shape = self.file.shape(&kernel)?;
        let &[rows, columns] = shape else {
            let found = format!("of shape {shape:?}");
            return Err(Error::parameter(format!("tensor {kernel}"), found, "of two dimensions"));
        };
        let (fan_in, units) = if turned { (columns, rows) } else { (rows, columns) };
        let known = self.width.unwrap_or(fan_in);
        check(&format!("inputs of tensor {kernel}"), fan_in, fan_in == known, &known.to_string())?;
        self.n_features.get_or_insert(fan_in);
        self.width = Some(units);
        self.layers.push(layer(Dense::new(units).use_bias(bias.is_some())).into());
        self.tensors.push((kernel, turned));
        self.tensors.extend(bias.map(|bias| (bias, false)));
        Ok(units)
    }

    /// A layer that keeps the width, with its vectors.
    pub(super) fn layer(&mut self, layer: impl Into<AnyLayer>, vectors: Vec<String>) -> Result<()> {
        for name in &vectors {
            let shape = self.file.shape(name)?;
            let &[width] = shape else {
                let found = format!("of shape {shape:?}");
                return Err(Error::parameter(format!("tensor {name}"), found, "of one dimension"));
            };
            self.input(&format!("tensor {name}"), width)?;
        }
        self.layers.push(layer.into());
        self.tensors.extend(vectors.into_iter().map(|name| (name, false)));
        Ok(())
    }

    /// An activation: of the dense layer before it, if that has none, else a layer of its own.
    pub(super) fn activation(&mut self, activation: impl Into<AnyActivation>) {
        let activation = activation.into();
        let dense = self.layers.last().and_then(|layer| layer.downcast_ref::<Dense>());
        match dense.filter(|dense| is_plain(dense)).cloned() {
            Some(dense) => {
                self.layers.pop();
                self.layers.push(dense.activation(activation).into());
            }
            None => self.layers.push(ActivationLayer::new(activation).into()),
        }
    }

    /// A tensor that is no weight.
    pub(super) fn ignore(&mut self, name: String) {
        self.ignored.insert(name);
    }

    /// Whether the file has a tensor of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.file.shape(name).is_ok()
    }

    /// The network, if every tensor of the file has its place.
    pub(super) fn finish<F: Float>(self, classes: Option<Vec<String>>) -> Result<Imported<F>> {
        let used: BTreeSet<&str> = self.tensors.iter().map(|(name, _)| name.as_str()).collect();
        check("names of tensors", "used twice", used.len() == self.tensors.len(), "of one layer each")?;
        let mut left = self.file.names().filter(|name| !used.contains(name) && !self.ignored.contains(*name));
        if let Some(name) = left.next() {
            return Err(Error::parameter("tensor", name, "one that a layer has"));
        }
        let layers = self.layers.into_iter().fold(Sequential::new(), |network, layer| network.add(layer));
        check("number of layers", layers.layers().len(), !layers.layers().is_empty(), "at least 1")?;
        let Some(n_features) = self.n_features else {
            return Err(Error::parameter("n_features", "unknown", "known from a tensor or the input layer"));
        };
        let values: Vec<ArrayD<F>> =
            self.tensors.iter().map(|(name, _)| self.file.get_converted(name)).collect::<Result<_>>()?;
        // Before anything of that size is made: the file has as many numbers as the network needs.
        let (found, expected) =
            (values.iter().map(|v| v.len()).sum::<usize>(), layers.count_params(n_features)?);
        check("number of weights", found, found == expected, &expected.to_string())?;
        let mut network = layers.build::<F>(n_features, 0)?;
        let names: Vec<(String, bool)> =
            network.tensors().map(|(name, _)| name).zip(network.vectors()).collect();
        check("number of tensors", values.len(), values.len() == names.len(), &names.len().to_string())?;
        for ((name, vector), ((in_file, turned), values)) in names.iter().zip(self.tensors.iter().zip(values))
        {
            let values = if *turned { values.permuted_axes(vec![1, 0]) } else { values };
            // A scalar parameter of one column is no vector of one number.
            let values = if *vector && values.ndim() == 0 { values.insert_axis(Axis(0)) } else { values };
            weights::set(&mut network, name, in_file, values, *vector)?;
        }
        Ok(Imported { layers, network, classes })
    }
}

/// Whether a dense layer has no activation, and nothing that reads its outputs.
pub(super) fn is_plain(dense: &Dense) -> bool {
    let layer: &dyn crate::network::layer::Layer<f64> = dense;
    layer.activation().is_none_or(|activation| activation.downcast_ref::<Identity>().is_some())
        && layer.activity_regularizer().is_none()
}

//! Layers: the steps a row goes through.
//!
//! A layer is a plain description. It owns no numbers: weights, gradients and everything kept between the two passes are
//! slices it is handed, so that a whole network lives in a few flat buffers. A step has two phases: the *rows* phase
//! ([`forward`](Layer::forward), [`backward`](Layer::backward)), in which rows do not touch each other, and the
//! *parameters* phase ([`gradient`](Layer::gradient)), in which parameters do not.

use std::sync::Arc;

use crate::error::Result;
use crate::float::Float;
use crate::network::activation::AnyActivation;
use crate::network::initializer::AnyInitializer;
use crate::network::regularizer::AnyRegularizer;
use crate::part::{Configured, Member, Part, Room};
use crate::rng::Stream;

mod dense;
mod dropout;

pub use dense::Dense;
pub(crate) use dense::MAX_UNITS;
pub use dropout::Dropout;

/// A tensor that a layer asks for.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// Name inside the layer: `kernel`, `bias`.
    pub name: &'static str,
    /// Rows; 1 for a vector.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// The law of its first values.
    pub initializer: AnyInitializer,
    /// The penalty on its values.
    pub regularizer: Option<AnyRegularizer>,
}

/// The tensors of a layer, in the order in which it asked for them.
#[derive(Clone, Copy, Debug)]
pub struct Tensors<'a, F> {
    pub(crate) all: &'a [F],
    pub(crate) places: &'a [(usize, usize)],
}

impl<'a, F> Tensors<'a, F> {
    /// The values of a tensor, row-major.
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> &'a [F] {
        let (start, len) = self.places[index];
        &self.all[start..start + len]
    }
}

/// The tensors of a layer, to be written.
#[derive(Debug)]
pub struct TensorsMut<'a, F> {
    pub(crate) all: &'a mut [F],
    pub(crate) places: &'a [(usize, usize)],
}

impl<F> TensorsMut<'_, F> {
    /// The values of a tensor, row-major.
    #[inline]
    #[must_use]
    pub fn get(&mut self, index: usize) -> &mut [F] {
        let (start, len) = self.places[index];
        &mut self.all[start..start + len]
    }
}

/// The random numbers of a layer in one batch.
#[derive(Clone, Copy, Debug)]
pub struct Noise {
    /// A stream for this layer in this batch of this epoch; element `row · width + column` has that counter.
    pub stream: Stream,
    /// Place in the batch of the first row of this pass.
    pub first_row: usize,
}

/// A forward pass over some rows.
#[derive(Debug)]
pub struct Forward<'a, F> {
    /// Number of rows.
    pub rows: usize,
    /// `rows × n_inputs`.
    pub input: &'a [F],
    /// `rows × n_outputs`, to be written.
    pub output: &'a mut [F],
    /// `rows × kept_width`, to be written for the backward pass; empty in a prediction.
    pub kept: &'a mut [F],
    /// The layer's weights.
    pub weights: Tensors<'a, F>,
    /// Present in training only.
    pub noise: Option<Noise>,
    /// Leave the activation to the loss, which computes the two as one.
    pub without_activation: bool,
}

/// A backward pass over some rows.
#[derive(Debug)]
pub struct Backward<'a, F> {
    /// Number of rows.
    pub rows: usize,
    /// `rows × n_inputs`, as in the forward pass.
    pub input: &'a [F],
    /// `rows × n_outputs`, what the forward pass gave.
    pub output: &'a [F],
    /// What the forward pass kept.
    pub kept: &'a [F],
    /// `rows × n_outputs`: ∂loss/∂output; the layer may leave in it what [`Layer::gradient`] needs.
    pub delta: &'a mut [F],
    /// `rows × n_inputs`: ∂loss/∂input, to be written; absent in the first layer.
    pub input_delta: Option<&'a mut [F]>,
    /// The layer's weights.
    pub weights: Tensors<'a, F>,
    /// What [`Layer::prepare`] wrote.
    pub scratch: &'a [F],
    /// As in the forward pass.
    pub noise: Option<Noise>,
    /// `delta` is already ∂loss/∂z.
    pub without_activation: bool,
}

/// The parameters phase of a step.
#[derive(Debug)]
pub struct Gradient<'a, F> {
    /// Number of rows.
    pub rows: usize,
    /// `rows × n_inputs`.
    pub input: &'a [F],
    /// `rows × n_outputs`, as the backward pass left it.
    pub delta: &'a [F],
    /// ∂loss/∂weights, to be written.
    pub gradient: TensorsMut<'a, F>,
}

/// A step of a network. Only the output width and the two passes are mandatory.
pub trait Layer<F: Float>: Send + Sync {
    /// Columns of the output for that many columns of the input.
    fn n_outputs(&self, n_inputs: usize) -> usize;

    /// The tensors the layer needs.
    fn tensors(&self, _n_inputs: usize) -> Vec<Tensor> {
        Vec::new()
    }

    /// The activation at its end, if it has one that a loss may take over.
    fn activation(&self) -> Option<&AnyActivation> {
        None
    }

    /// Values per row that the forward pass keeps for the backward pass, beside input and output.
    fn kept_width(&self, _n_inputs: usize) -> usize {
        0
    }

    /// Values that [`prepare`](Self::prepare) computes from the weights once a step.
    fn scratch_len(&self, _n_inputs: usize) -> usize {
        0
    }

    /// Computes, once a step, what the backward passes of all rows share.
    fn prepare(&self, _n_inputs: usize, _weights: Tensors<'_, F>, _scratch: &mut [F]) {}

    /// Computes the output of some rows.
    fn forward(&self, pass: Forward<'_, F>);

    /// Computes ∂loss/∂input of some rows.
    fn backward(&self, pass: Backward<'_, F>);

    /// Computes ∂loss/∂weights over all rows of the batch.
    fn gradient(&self, _pass: Gradient<'_, F>) {}
}

/// The room of layers.
#[derive(Debug)]
pub enum Layers {}

/// Any layer.
pub type AnyLayer = Part<Layers>;

impl Room for Layers {
    type Ops<F: Float> = dyn Layer<F>;
    const KIND: &'static str = "layer";

    fn members() -> &'static [Member<Self>] {
        const MEMBERS: &[Member<Layers>] = &[Member::of::<Dense>(), Member::of::<Dropout>()];
        MEMBERS
    }
}

impl<L: Configured + Layer<f32> + Layer<f64>> From<L> for AnyLayer {
    fn from(layer: L) -> Self {
        let part = Arc::new(layer);
        let single: Arc<dyn Layer<f32>> = part.clone();
        let double: Arc<dyn Layer<f64>> = part.clone();
        Part::assemble(part, single, double)
    }
}

/// Checks an optional part.
fn check_part<R: Room>(name: &str, part: Option<&Part<R>>) -> Result<()> {
    part.map_or(Ok(()), |part| part.check().map_err(|error| error.within(name)))
}

//! Layers: the steps a row goes through.
//!
//! A layer is a plain description. It owns no numbers: weights, gradients and everything kept between the two passes are
//! slices it is handed, so that a whole network lives in a few flat buffers. A step has two phases: the *rows* phase
//! ([`forward`](Layer::forward), [`backward`](Layer::backward)), in which rows do not touch each other, and the
//! *parameters* phase ([`gradient`](Layer::gradient)), in which parameters do not.
//!
//! | to | add |
//! | --- | --- |
//! | connect every input with every unit | [`Dense`] |
//! | drop units while training | [`Dropout`], [`AlphaDropout`] |
//! | add noise while training | [`GaussianNoise`] |
//! | bring values to mean 0 and variance 1 | [`BatchNorm`] over the batch, [`LayerNorm`] over the row |
//! | apply an activation by itself | [`ActivationLayer`] |
//! | lead values past some layers | [`Residual`] |
//! | do anything else | a type of your own with the trait [`Layer`] |

use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::float::Float;
use crate::network::activation::AnyActivation;
use crate::network::constraint::AnyConstraint;
use crate::network::graph::{Graph, Value};
use crate::network::initializer::AnyInitializer;
use crate::network::regularizer::AnyRegularizer;
use crate::network::sequential::Sequential;
use crate::part::{Configured, Member, Part, Room};
use crate::rng::Stream;

mod activation_layer;
mod alpha_dropout;
mod batch_norm;
mod dense;
mod dropout;
mod gaussian_noise;
mod layer_norm;
mod normalized;
mod residual;

pub use activation_layer::ActivationLayer;
pub use alpha_dropout::AlphaDropout;
pub use batch_norm::BatchNorm;
pub use dense::Dense;
pub(crate) use dense::MAX_UNITS;
pub use dropout::Dropout;
pub use gaussian_noise::GaussianNoise;
pub use layer_norm::LayerNorm;
pub use residual::Residual;

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
    /// What its values are made to obey after each update.
    pub constraint: Option<AnyConstraint>,
    /// Whether the optimizer moves it. One that it does not move has no gradient, no penalty and no moments; it is
    /// saved and restored like any other.
    pub trainable: bool,
    /// Whether it is a vector, stored as one row: a constraint on norms then sees one column.
    pub vector: bool,
    /// Whether no value of it is ever below 0, as of a variance: files that say another thing are refused.
    pub non_negative: bool,
}

impl Tensor {
    /// A trainable tensor without penalty or constraint.
    #[must_use]
    pub fn new(name: &'static str, rows: usize, columns: usize, initializer: AnyInitializer) -> Self {
        let (regularizer, constraint) = (None, None);
        let (trainable, vector, non_negative) = (true, false, false);
        Tensor { name, rows, columns, initializer, regularizer, constraint, trainable, vector, non_negative }
    }

    /// A trainable vector without penalty or constraint.
    #[must_use]
    pub fn vector(name: &'static str, len: usize, initializer: AnyInitializer) -> Self {
        Tensor { vector: true, ..Tensor::new(name, 1, len, initializer) }
    }

    /// Checks that its values can be such; `name` is the tensor's in errors.
    pub(super) fn check_range<'a, F: Float>(
        &self,
        name: &str,
        values: impl IntoIterator<Item = &'a F>,
    ) -> Result<()> {
        match values.into_iter().find(|value| self.non_negative && **value < F::zero()) {
            Some(value) => Err(Error::parameter(format!("tensor {name}"), value.wide(), ">= 0 everywhere")),
            None => Ok(()),
        }
    }
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

/// The tensors of a layer, to be written, or some rows of them.
#[derive(Debug)]
pub struct TensorsMut<'a, F> {
    /// The values from place `first` on, and behind them those from place `first_of_rest` on.
    pub(crate) all: &'a mut [F],
    pub(crate) first: usize,
    pub(crate) rest: &'a mut [F],
    pub(crate) first_of_rest: usize,
    pub(crate) places: &'a [(usize, usize)],
}

impl<'a, F> TensorsMut<'a, F> {
    /// All of them, in one buffer.
    pub(crate) fn whole(all: &'a mut [F], places: &'a [(usize, usize)]) -> Self {
        TensorsMut { all, first: 0, rest: &mut [], first_of_rest: usize::MAX, places }
    }

    /// The values of a tensor that are there, row-major: all of them, unless the layer
    /// [divides](Layer::divides_gradient) its gradient.
    #[inline]
    #[must_use]
    pub fn get(&mut self, index: usize) -> &mut [F] {
        let (start, len) = self.places[index];
        let (values, first) = if start >= self.first_of_rest {
            (&mut *self.rest, self.first_of_rest)
        } else {
            (&mut *self.all, self.first)
        };
        let end = (start + len).saturating_sub(first).min(values.len());
        let start = start.saturating_sub(first).min(end);
        &mut values[start..end]
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
    /// What goes past the branch that ends in this layer; empty where there is none.
    pub skip: &'a [F],
    /// `rows × n_outputs`, to be written.
    pub output: &'a mut [F],
    /// `rows × kept_width`, to be written for the backward pass; empty in a prediction.
    pub kept: &'a mut [F],
    /// The layer's weights.
    pub weights: Tensors<'a, F>,
    /// What [`Layer::survey`] wrote; empty in a prediction.
    pub shared: &'a [F],
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
    /// Number of rows of the whole batch.
    pub batch_rows: usize,
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
    /// ∂loss/∂skip, to be written; absent without a branch, or when it begins in the first layer.
    pub skip_delta: Option<&'a mut [F]>,
    /// The layer's weights.
    pub weights: Tensors<'a, F>,
    /// What [`Layer::prepare`] wrote.
    pub scratch: &'a [F],
    /// What [`Layer::survey`] and [`Layer::survey_deltas`] wrote.
    pub shared: &'a [F],
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
    /// Which rows of the layer's first tensor are asked for: all of them, unless it [divides](Layer::divides_gradient) its
    /// gradient. Its other tensors are asked for with the last of these rows.
    pub part: Range<usize>,
    /// `rows × n_inputs`.
    pub input: &'a [F],
    /// What the forward pass kept.
    pub kept: &'a [F],
    /// What [`Layer::survey`] and [`Layer::survey_deltas`] wrote.
    pub shared: &'a [F],
    /// `rows × n_outputs`, as the backward pass left it.
    pub delta: &'a [F],
    /// ∂loss/∂weights, to be written.
    pub gradient: TensorsMut<'a, F>,
}

/// All rows of a batch, for what one row cannot know: their mean, say.
#[derive(Debug)]
pub struct Survey<'a, F> {
    /// Number of rows.
    pub rows: usize,
    /// `rows × n_inputs`.
    pub input: &'a [F],
    /// `rows × n_outputs`: ∂loss/∂output; empty before the forward pass.
    pub delta: &'a [F],
    /// `shared_len` values, to be written.
    pub shared: &'a mut [F],
}

/// The place in a graph where a layer says what it computes in a prediction.
#[derive(Debug)]
pub struct Express<'g, 'a, F: Float> {
    /// The graph, to which operators are added.
    pub graph: &'g mut Graph<'a, F>,
    /// (n_samples, n_inputs)
    pub input: Value,
    /// What goes past the branch that ends in this layer.
    pub skip: Option<Value>,
    /// Columns of the input.
    pub n_inputs: usize,
    /// The layer's weights.
    pub weights: Tensors<'a, F>,
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

    /// The penalty on its output, added to the loss: the mean over the rows of the penalty on the output of each.
    fn activity_regularizer(&self) -> Option<&AnyRegularizer> {
        None
    }

    /// The layers that rows go through before they come to this one, if it merges a branch: it is handed what they give as
    /// `input`, and what went into them as `skip`.
    fn branch(&self) -> Option<&Sequential> {
        None
    }

    /// Checks that it can merge a branch of that many outputs with the `n_inputs` columns that go past it.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] says which widths do not fit.
    fn check_branch(&self, _n_inputs: usize, _n_branch: usize) -> Result<()> {
        Ok(())
    }

    /// Whether training draws random numbers, so that two passes over the same rows differ. A layer that does and does not say
    /// so acts as in a prediction where all rows are read at once.
    fn is_random(&self) -> bool {
        false
    }

    /// Values per row that the forward pass keeps for the backward pass, beside input and output.
    fn kept_width(&self, _n_inputs: usize) -> usize {
        0
    }

    /// Values that [`prepare`](Self::prepare) computes from the weights once a step.
    fn scratch_len(&self, _n_inputs: usize) -> usize {
        0
    }

    /// Computes, once a step, what the backward passes of all rows share. Other layers may do so at the same time.
    fn prepare(&self, _n_inputs: usize, _weights: Tensors<'_, F>, _scratch: &mut [F]) {}

    /// Values that the rows of a batch share in training; see [`survey`](Self::survey).
    fn shared_len(&self, _n_inputs: usize) -> usize {
        0
    }

    /// Computes, before the forward pass of a training step, what its rows share. Called when there is something to share.
    fn survey(&self, _batch: Survey<'_, F>) {}

    /// Computes, before the backward pass, what its rows share.
    fn survey_deltas(&self, _batch: Survey<'_, F>) {}

    /// Takes what the rows shared into the layer's own state: tensors that are not trainable. Called after the update.
    fn remember(&self, _n_inputs: usize, _shared: &[F], _weights: TensorsMut<'_, F>) {}

    /// Computes the output of some rows: a batch, or a part of one. Several threads may call it at once, each for its own rows, and
    /// a row's output does not depend on what other rows are there.
    fn forward(&self, pass: Forward<'_, F>);

    /// Computes ∂loss/∂input of some rows, a part of the batch that need not be the part of the forward pass.
    fn backward(&self, pass: Backward<'_, F>);

    /// Adds what it computes in a prediction to a graph, and gives the value of its output; none when that cannot be said.
    /// Models with such a layer are not exported.
    fn express(&self, _pass: Express<'_, '_, F>) -> Option<Value> {
        None
    }

    /// Whether [`gradient`](Self::gradient) heeds the rows that are asked for, so that several threads share them. Where it does
    /// not, one thread computes the gradient of the whole layer.
    fn divides_gradient(&self) -> bool {
        false
    }

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
        const MEMBERS: &[Member<Layers>] = &[
            Member::of::<Dense>(),
            Member::of::<ActivationLayer>(),
            Member::of::<Dropout>(),
            Member::of::<AlphaDropout>(),
            Member::of::<GaussianNoise>(),
            Member::of::<LayerNorm>(),
            Member::of::<BatchNorm>(),
            Member::of::<Residual>(),
        ];
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

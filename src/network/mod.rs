//! What is computed: layers, activations, initialisers, regularisers, constraints, and the network built from them.
//!
//! [`Sequential`] describes a network, [`Network`] is one whose width and weights are known. This room knows nothing of
//! training. Start with [`Sequential`] and [`Dense`]; most networks need nothing else.
//!
//! | what | where |
//! | --- | --- |
//! | layers: [`Dense`], [`Dropout`], [`BatchNorm`] … | [`layer`] |
//! | functions behind their sums: [`Relu`], [`Softmax`] … | [`activation`] |
//! | their first weights: [`GlorotUniform`], [`HeNormal`] … | [`initializer`] |
//! | penalties on weights: [`L1`], [`L2`] | [`regularizer`] |
//! | limits of weights: [`MaxNorm`] … | [`constraint`] |
//! | what is computed, for other tools | [`graph`] |
//!
//! ```
//! use linfa_mlp::network::{Dense, Dropout, Relu, Sequential, Softmax};
//!
//! let network = Sequential::new()
//!     .add(Dense::new(128).activation(Relu))
//!     .add(Dropout::new(0.1))
//!     .add(Dense::new(10).activation(Softmax));
//! println!("{}", network.summary(784)?); // the width of the input
//! assert_eq!(network.count_params(784)?, 101_770);
//! # Ok::<(), linfa_mlp::Error>(())
//! ```

use std::ops::Range;
use std::sync::Arc;

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::error::{Error, Result};
use crate::float::Float;
use crate::kernel::{Buffer, aligned_len};
use crate::rng::Stream;

pub mod activation;
pub mod constraint;
pub mod graph;
pub mod initializer;
pub mod layer;
mod predict;
pub mod regularizer;
mod sequential;
mod summary;
mod tape;
mod windows;

pub use activation::{
    Elu, Exponential, Gelu, HardSigmoid, Identity, LeakyRelu, Relu, Selu, Sigmoid, Silu, Softmax, Softplus,
    Softsign, Tanh,
};
pub use constraint::{MaxNorm, MinMaxNorm, NonNeg, UnitNorm};
pub use initializer::{
    Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, LecunNormal, LecunUniform, Ones, Orthogonal,
    RandomNormal, RandomUniform, Zeros,
};
pub use layer::{
    ActivationLayer, AlphaDropout, BatchNorm, Dense, Dropout, GaussianNoise, LayerNorm, Residual,
};
pub use predict::RowScratch;
pub use regularizer::{L1, L1L2, L2};
pub use sequential::Sequential;
pub use summary::{Summary, SummaryRow};
pub(crate) use tape::{Ends, Pass, Tape, TapeRows};

use layer::{AnyLayer, Tensor, Tensors};
use sequential::Unfolded;
use windows::Window;

/// A layer in its place.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) layer: AnyLayer,
    pub(crate) name: String,
    pub(crate) n_inputs: usize,
    pub(crate) n_outputs: usize,
    /// Of a layer that merges a branch: the place of the branch's first stage.
    pub(crate) branch: Option<usize>,
    pub(crate) tensors: Vec<Tensor>,
    /// Start and length of each tensor in the flat buffers.
    pub(crate) places: Vec<(usize, usize)>,
}

/// A network with its weights.
///
/// All weights lie in one flat buffer, each tensor on a 64-byte boundary: first those that are trained, then those that
/// are not (frozen layers, moving averages). Gradients and optimizer moments have the same layout, and an optimizer is
/// handed the first part alone, so that nothing it does can reach the second. A clone shares the layout and copies the weights.
#[derive(Clone, Debug)]
pub struct Network<F: Float> {
    stages: Arc<Vec<Stage>>,
    n_features: usize,
    weights: Buffer<F>,
    /// Length of the part of the buffer that is trained.
    trained: usize,
}

impl<F: Float> Network<F> {
    /// A place for each tensor, and zeros there.
    fn lay_out(layers: &[AnyLayer], n_features: usize) -> Self {
        let mut stages: Vec<Stage> = sequential::unfolded(layers, n_features)
            .into_iter()
            .map(|Unfolded { layer, name, n_inputs, n_outputs, branch }| {
                let tensors = layer.ops::<F>().tensors(n_inputs);
                let places = tensors.iter().map(|tensor| (0, tensor.rows * tensor.columns)).collect();
                Stage { layer: layer.clone(), name, n_inputs, n_outputs, branch, tensors, places }
            })
            .collect();
        let trained = place::<F>(&mut stages, true, 0);
        let len = place::<F>(&mut stages, false, trained);
        Network { stages: Arc::new(stages), n_features, weights: Buffer::zeros(len), trained }
    }

    /// Draws the first weights.
    fn initialize(&mut self, init: Stream) {
        for (i, stage) in self.stages.iter().enumerate() {
            for (j, (tensor, &(start, size))) in stage.tensors.iter().zip(&stage.places).enumerate() {
                let stream = init.at(i as u64).at(j as u64);
                let mut values = vec![0.0; size];
                tensor.initializer.ops::<F>().fill(tensor.rows, tensor.columns, stream, &mut values);
                for (weight, value) in self.weights[start..start + size].iter_mut().zip(values) {
                    *weight = F::of(value);
                }
            }
        }
    }

    /// Columns of the input.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Columns of the output.
    #[must_use]
    pub fn n_outputs(&self) -> usize {
        self.stages.last().map_or(self.n_features, |stage| stage.n_outputs)
    }

    /// Number of parameters.
    #[must_use]
    pub fn count_params(&self) -> usize {
        self.stages.iter().flat_map(|stage| &stage.places).map(|(_, size)| size).sum()
    }

    /// Number of parameters that training moves.
    #[must_use]
    pub fn count_trainable_params(&self) -> usize {
        let tensors = self.stages.iter().flat_map(|stage| &stage.tensors);
        tensors.filter(|tensor| tensor.trainable).map(|tensor| tensor.rows * tensor.columns).sum()
    }

    /// The table of layers, shapes and parameters.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary { n_features: self.n_features, layers: self.stages.iter().map(SummaryRow::of).collect() }
    }

    /// The tensors by name (`dense_1/kernel`, `dense_1/bias` …), in order. A bias is one row.
    pub fn tensors(&self) -> impl Iterator<Item = (String, ArrayView2<'_, F>)> {
        self.stages.iter().flat_map(move |stage| {
            stage.tensors.iter().zip(&stage.places).map(move |(tensor, &(start, size))| {
                let values = &self.weights[start..start + size];
                let view = ArrayView2::from_shape((tensor.rows, tensor.columns), values);
                (format!("{}/{}", stage.name, tensor.name), view.expect("a place has its tensor's size"))
            })
        })
    }

    /// Replaces the values of a tensor.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a name the network does not have, a shape that is not the tensor's, and a negative value of one
    /// that has none, such as a variance; [`Error::NotFinite`] for a value that is NaN or infinite.
    pub fn set_tensor(&mut self, name: &str, values: ArrayView2<'_, F>) -> Result<()> {
        if let Some(((row, column), value)) = values.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(Error::NotFinite { array: "weights", row, column, value: value.wide() });
        }
        for stage in self.stages.iter() {
            for (tensor, &(start, size)) in stage.tensors.iter().zip(&stage.places) {
                if format!("{}/{}", stage.name, tensor.name) == name {
                    let shape = (tensor.rows, tensor.columns);
                    let allowed = format!("of shape {shape:?}");
                    let target = ArrayViewMut2::from_shape(shape, &mut self.weights[start..start + size]);
                    return match target {
                        Ok(mut target) if target.dim() == values.dim() => {
                            tensor.check_range(name, values)?;
                            target.assign(&values);
                            Ok(())
                        }
                        _ => Err(Error::parameter(name, format!("of shape {:?}", values.dim()), allowed)),
                    };
                }
            }
        }
        let names: Vec<String> = self.tensors().map(|(name, _)| name).collect();
        Err(Error::parameter("tensor", name, format!("one of {}", names.join(", "))))
    }

    /// Checks that weights in the layout of this network's can be such.
    pub(crate) fn check_range(&self, weights: &[F]) -> Result<()> {
        let mut tensors = self
            .stages
            .iter()
            .flat_map(|stage| stage.tensors.iter().zip(&stage.places).map(move |t| (stage, t)));
        tensors.try_for_each(|(stage, (tensor, &(start, size)))| {
            tensor.check_range(&format!("{}/{}", stage.name, tensor.name), &weights[start..start + size])
        })
    }

    pub(crate) fn stages(&self) -> &[Stage] {
        &self.stages
    }

    pub(crate) fn weights(&self) -> &Buffer<F> {
        &self.weights
    }

    pub(crate) fn weights_mut(&mut self) -> &mut Buffer<F> {
        &mut self.weights
    }

    /// The part of the flat buffers that is trained: `..trained`.
    pub(crate) fn trained(&self) -> usize {
        self.trained
    }

    fn stages_and_weights(&mut self) -> (&[Stage], &mut [F]) {
        (&self.stages, &mut self.weights)
    }

    /// Makes the weights obey their constraints.
    fn constrain(&mut self) {
        for stage in self.stages.iter() {
            for (tensor, &(start, size)) in stage.tensors.iter().zip(&stage.places) {
                if let (Some(constraint), true) = (&tensor.constraint, tensor.trainable) {
                    let weights = &mut self.weights[start..start + size];
                    let (rows, columns) =
                        if tensor.vector { (tensor.columns, 1) } else { (tensor.rows, tensor.columns) };
                    constraint.ops::<F>().apply(rows, columns, weights);
                }
            }
        }
    }

    pub(crate) fn of_stage(&self, stage: usize) -> Tensors<'_, F> {
        Tensors { all: &self.weights, places: &self.stages[stage].places }
    }

    /// The sum of all penalties on weights.
    pub(crate) fn penalty(&self) -> f64 {
        penalized(self.stages())
            .map(|(regularizer, place)| regularizer.ops::<F>().penalty(&self.weights[place]))
            .sum()
    }

    /// Adds the gradient of all penalties.
    pub(crate) fn add_penalty_gradient(&self, gradient: &mut [F]) {
        let place = 0..gradient.len();
        let (stages, weights) = (self.stages(), &self.weights[place.clone()]);
        Window { stages, place, weights, gradient }.add_divisible_penalties();
        self.add_whole_penalties(gradient);
    }

    /// Adds the gradient of the other penalties, and says whether there are any.
    pub(crate) fn add_whole_penalties(&self, gradient: &mut [F]) -> bool {
        let mut any = false;
        for (regularizer, place) in penalized(self.stages()) {
            if !regularizer.ops::<F>().is_elementwise() {
                regularizer.ops::<F>().add_gradient(&self.weights[place.clone()], &mut gradient[place]);
                any = true;
            }
        }
        any
    }
}

/// The penalties on weights that are trained, each with the place of its tensor.
fn penalized(stages: &[Stage]) -> impl Iterator<Item = (&regularizer::AnyRegularizer, Range<usize>)> {
    stages.iter().flat_map(|stage| {
        stage.tensors.iter().zip(&stage.places).filter_map(|(tensor, &(start, size))| {
            let regularizer = tensor.regularizer.as_ref().filter(|_| tensor.trainable);
            regularizer.map(|regularizer| (regularizer, start..start + size))
        })
    })
}

/// Gives a place to the tensors that are trained, or to those that are not, from `len` on; gives the new length.
fn place<F: Float>(stages: &mut [Stage], trainable: bool, mut len: usize) -> usize {
    for stage in stages {
        for (tensor, (start, size)) in stage.tensors.iter().zip(&mut stage.places) {
            if tensor.trainable == trainable {
                *start = len;
                len += aligned_len::<F>(*size);
            }
        }
    }
    len
}

//! Multilayer perceptrons as [linfa](https://docs.rs/linfa) estimators, with model selection.
//!
//! Three floors, each usable without the one above it:
//!
//! 1. [`Sequential`](network::Sequential) and [`Model`](train::Model) – Keras' model: layers in order, `compile`, `fit`,
//!    `evaluate`, `predict`, on plain `ndarray`s.
//! 2. [`MlpClassifier`], [`MlpRegressor`], [`MlpMultilabelClassifier`] – linfa estimators over it: labels, output layer and loss are chosen for you.
//! 3. [`model_selection`] – cross-validation and searches over *any* linfa estimator, these two being the fast path.
//!
//! Start with one of these; the rest is detail. The [`prelude`] imports what a program needs, and the [`guide`] is a book: a course in
//! sixteen exercises, a phrase book for users of Keras and scikit-learn, a cookbook, how to choose hyper-parameters honestly, the
//! design and what is reproducible.
//!
//! ```
//! use linfa::prelude::*;
//! use linfa_mlp::{MlpClassifier, optimizer::Adam};
//!
//! let iris = linfa_datasets::iris();
//! let model = MlpClassifier::params().hidden_layer_sizes([16]).optimizer(Adam::new(0.01)).epochs(50).fit(&iris)?;
//! assert!(model.score(&iris)? > 0.9);
//! # Ok::<(), linfa_mlp::Error>(())
//! ```
//!
//! # The rooms
//!
//! | room | holds |
//! | --- | --- |
//! | [`network`] | what is computed: layers, activations, initialisers, regularisers |
//! | [`kernel`] | how fast: matrix products and fused loops, chosen for the CPU at run time |
//! | [`loss`] | what training makes small |
//! | [`optimizer`] | how weights move, and the learning rate over the steps |
//! | [`metric`] | how good predictions are; also the scorers of a search |
//! | [`callback`] | who watches a run |
//! | [`train`] | the loop: a run is one plain value |
//! | [`estimator`] | linfa's `Fit`, `FitWith`, `Predict` |
//! | [`model_selection`] | which model is best: splitters, cross-validation, searches |
//! | [`exchange`] | models from and for other tools: ONNX, safetensors, scikit-learn, Keras, PyTorch |
//! | [`guide`] | how to use all this, chapter by chapter |
//! | [`persistence`] | a versioned file around bytes |
//! | [`datasets`] | small ready data, and readers of CSV, IDX and NumPy files |
#![cfg_attr(feature = "plot", doc = "| [`report`] | curves, confusion matrices, residuals, as SVG |")]
#![cfg_attr(feature = "tensorboard", doc = "| [`tensorboard`] | event files that TensorBoard reads |")]
//! | [`part`], [`rng`], [`history`], [`error`] | values by name; random streams; what happened; what went wrong |
//!
//! # Features
//!
//! On by default, and in need of nothing but cargo: `plot`, learning curves as SVG; `progress`, progress bars on a
//! terminal; `tensorboard`, event files; `onnx`, models for other runtimes; `csv` and `gzip`, data from such files. `download`
//! fetches MNIST when it is on no disk, and needs a C compiler for the cryptography of its connections; so does `postgres`,
//! searches on many machines.

// Tests compare exact results on purpose.
#![cfg_attr(test, allow(clippy::float_cmp))]

pub mod callback;
pub mod datasets;
pub mod error;
pub mod estimator;
pub mod exchange;
mod float;
pub mod guide;
pub mod history;
pub mod kernel;
pub mod loss;
pub mod metric;
pub mod model_selection;
pub mod network;
mod number;
pub mod optimizer;
pub mod part;
pub mod persistence;
pub mod prelude;
#[cfg(feature = "plot")]
pub mod report;
pub mod rng;
#[cfg(feature = "tensorboard")]
pub mod tensorboard;
pub mod train;

pub use error::{Error, Result};
pub use estimator::{MlpClassifier, MlpMultilabelClassifier, MlpRegressor};
pub use float::Float;

//! Multilayer perceptrons as linfa estimators, with model selection.

pub mod callback;
pub mod error;
pub mod estimator;
mod float;
pub mod history;
pub mod kernel;
pub mod loss;
pub mod metric;
pub mod network;
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
pub use estimator::{MlpClassifier, MlpRegressor};
pub use float::Float;

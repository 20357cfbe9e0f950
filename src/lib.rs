//! Multilayer perceptrons as linfa estimators, with model selection.

pub mod error;
mod float;
mod kernel;
pub mod metric;
pub mod model_selection;
pub mod part;
pub mod rng;

pub use error::{Error, Result};
pub use float::Float;

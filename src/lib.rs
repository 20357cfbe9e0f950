//! Multilayer perceptrons as linfa estimators, with model selection.

pub mod kernel;

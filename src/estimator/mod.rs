//! What users call: [`MlpClassifier`] and [`MlpRegressor`], linfa estimators over a [`Sequential`](crate::network::Sequential).
//!
//! The two share one set of hyper-parameters ([`MlpParams`]) and one loop. Labels, output layer, default loss and score are
//! all that differs.

mod classifier;
mod fitting;
mod hyperparams;
mod inside_search;
mod labels;
mod regressor;
mod search;

pub use classifier::MlpClassifier;
pub use fitting::Outcome;
pub use hyperparams::{
    Classification, MlpClassifierParams, MlpParams, MlpRegressorParams, MlpValidParams, Regression,
};
pub use regressor::MlpRegressor;

//! What users call: [`MlpClassifier`], [`MlpMultilabelClassifier`] and [`MlpRegressor`], linfa estimators over a
//! [`Sequential`](crate::network::Sequential).
//!
//! They share one set of hyper-parameters ([`MlpParams`]) and one loop. Labels, output layer, default loss, score and the
//! settings of the [`Task`] are all that differs. Start with `params()`, which has a default for everything:
//!
//! ```
//! use linfa::prelude::*;
//! use linfa_mlp::MlpClassifier;
//!
//! let (train, test) = linfa_datasets::iris().shuffle(&mut rand::thread_rng()).split_with_ratio(0.8);
//! let model = MlpClassifier::params().hidden_layer_sizes([16]).batch_size(16).epochs(50).fit(&train)?;
//! println!("{:.2} of the test rows are right", model.score(&test)?);
//! # Ok::<(), linfa_mlp::Error>(())
//! ```
//!
//! | to train | write |
//! | --- | --- |
//! | on a data set | `params.fit(&train)` |
//! | and validate on a part of it | `params.validation(Validation::stratified(0.2)).fit(&train)` |
//! | and validate on another | `params.validation_data(&valid).fit(&train)` |
//! | further, to more epochs | `params.fit_with(Some(model), &train)` |
//! | on chunks, as they come | `params.partial_fit(model, &chunk, …)` |
//! | on rows that are read when needed, or chosen by index | `params.fit_data(None, &data, …)` |
//! | and keep the model of a fit that fails | `params.fit_with_outcome(&train)` |

mod classifier;
mod evaluate;
mod fitting;
mod hyperparams;
mod inside_search;
mod labels;
mod log_proba;
mod multilabel;
mod regressor;
mod search;
mod search_task;
mod streaming;
mod task;
mod validated;

pub use classifier::MlpClassifier;
pub use fitting::Outcome;
pub use hyperparams::{
    MlpClassifierParams, MlpMultilabelClassifierParams, MlpParams, MlpRegressorParams, MlpValidParams,
};
pub use multilabel::{MlpMultilabelClassifier, YesNo};
pub use regressor::MlpRegressor;
pub use search_task::SearchTask;
pub use task::{Classification, Multilabel, Regression, Task};
pub use validated::ValidatedOn;

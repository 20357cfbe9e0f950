//! Divergence as an end of training.

use serde::{Deserialize, Serialize};

use super::Callback;
use crate::part::Configured;

/// Ends a run that diverges as a callback's wish to stop would: `fit` gives the model, with the weights before that batch, and
/// the history has the reason. It has no settings.
///
/// Without it a run that diverges is an error, [`Error::Diverged`](crate::Error::Diverged): nobody takes such a model for a
/// trained one by accident. Either way the batch changes no weight, and a search counts the fit as diverged. What
/// counts as divergence is told with [`Run::advance`](crate::train::Run::advance). Keras' `TerminateOnNaN` keeps the weights
/// after the batch.
///
/// # Examples
///
/// ```
/// use linfa::traits::Fit;
/// use linfa_mlp::history::StopReason;
/// use linfa_mlp::prelude::*;
///
/// let params = MlpClassifier::params().optimizer(Sgd::new(1e200)).epochs(5);
/// let model = params.callback(TerminateOnNan).fit(&linfa_datasets::iris())?;
/// assert!(matches!(model.history().stop_reason(), Some(StopReason::Diverged { .. })));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[doc(alias = "TerminateOnNaN")]
pub struct TerminateOnNan;

impl Configured for TerminateOnNan {
    const NAME: &'static str = "terminate_on_nan";
}

impl Callback for TerminateOnNan {
    fn ends_divergence(&self) -> bool {
        true
    }
}

//! What an estimator says of its fit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What an estimator says of its fit, by [`FitContext::record`](crate::model_selection::FitContext::record), for its row of the results.
///
/// Everything is optional: an estimator says what it knows. One that may fail records before it does, so that the row of a
/// failed fit shows how far it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FitReport {
    /// Epochs or iterations done.
    pub epochs: Option<usize>,
    /// The epoch whose value on the validation rows was best, from 1; none without validation rows.
    pub best_epoch: Option<usize>,
    /// Updates made, counted from the beginning of training.
    pub updates: Option<u64>,
    /// The number of parameters of the model.
    pub n_params: Option<usize>,
    /// The values of each epoch.
    pub curve: Option<Curve>,
    /// Whether the fit ended early because [`FitContext::should_stop`](crate::model_selection::FitContext::should_stop) said so.
    pub stopped: bool,
}

/// Values of each epoch, by name: `loss`, `val_loss`, metrics, `learning_rate` …
///
/// ```
/// use linfa_mlp::model_selection::Curve;
///
/// let curve = Curve::new().with("loss", [0.9, 0.4]).with("val_loss", [1.0, 0.6]);
/// assert_eq!(curve.get("val_loss"), Some(&[1.0, 0.6][..]));
/// assert_eq!(curve.epochs(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Curve {
    #[serde(with = "crate::number::lists")]
    columns: BTreeMap<String, Vec<f64>>,
}

impl Curve {
    /// Without columns.
    #[must_use]
    pub fn new() -> Self {
        Curve::default()
    }

    /// With that column, one value for each epoch.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, values: impl Into<Vec<f64>>) -> Self {
        self.columns.insert(name.into(), values.into());
        self
    }

    /// A column, one value for each epoch.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[f64]> {
        self.columns.get(name).map(Vec::as_slice)
    }

    /// The columns, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[f64])> {
        self.columns.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// The number of epochs: that of the longest column.
    #[must_use]
    pub fn epochs(&self) -> usize {
        self.columns.values().map(Vec::len).max().unwrap_or(0)
    }
}

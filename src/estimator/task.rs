//! What a classifier, a multilabel classifier and a regressor do not share: the settings of their tasks.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::hyperparams::MlpParams;
use crate::error::{Result, check};
use crate::train::ClassWeight;

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Classification {}
    impl Sealed for super::Multilabel {}
    impl Sealed for super::Regression {}
}

/// A task, and the settings that it alone has.
pub trait Task: Clone + Debug + PartialEq + Serialize + DeserializeOwned + sealed::Sealed {
    #[doc(hidden)]
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// The task of a classifier: labels in, labels out.
///
/// | parameter | default | from | range |
/// | --- | --- | --- | --- |
/// | [`class_weight`](MlpParams::class_weight) | none | scikit-learn | [`ClassWeight`] |
/// | [`threshold`](MlpParams::threshold) | ½ | scikit-learn | 0 ≤ t ≤ 1, for two classes |
/// | [`binary_softmax`](MlpParams::binary_softmax) | false | – | |
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classification {
    pub(super) class_weight: Option<ClassWeight>,
    pub(super) threshold: Option<f64>,
    pub(super) binary_softmax: bool,
}

/// The task of a multilabel classifier: several yes-or-no labels for each row.
///
/// | parameter | default | from | range |
/// | --- | --- | --- | --- |
/// | [`threshold`](MlpParams::threshold), [`thresholds`](MlpParams::thresholds) | ½ | scikit-learn | 0 ≤ t ≤ 1, one for all labels or one for each |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Multilabel {
    /// One for all labels, or one for each.
    pub(super) thresholds: Vec<f64>,
}

/// The task of a regressor: numbers in, numbers out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regression;

impl Default for Multilabel {
    fn default() -> Self {
        Multilabel { thresholds: vec![0.5] }
    }
}

impl Task for Classification {
    fn check(&self) -> Result<()> {
        self.class_weight.as_ref().map_or(Ok(()), ClassWeight::check)?;
        self.threshold.map_or(Ok(()), |threshold| check_threshold("threshold", threshold))
    }
}

impl Task for Multilabel {
    fn check(&self) -> Result<()> {
        let n = self.thresholds.len();
        check("number of thresholds", n, n >= 1, "1, or one for each label")?;
        check_thresholds(&self.thresholds)
    }
}

impl Task for Regression {}

/// Whether this is a probability to decide by.
pub(super) fn check_threshold(name: &str, threshold: f64) -> Result<()> {
    check(name, threshold, (0.0..=1.0).contains(&threshold), "between 0 and 1")
}

/// Whether each of these is.
pub(super) fn check_thresholds(thresholds: &[f64]) -> Result<()> {
    match thresholds {
        &[threshold] => check_threshold("threshold", threshold),
        _ => thresholds
            .iter()
            .enumerate()
            .try_for_each(|(label, &threshold)| check_threshold(&format!("thresholds[{label}]"), threshold)),
    }
}

impl MlpParams<Classification> {
    /// How much each class counts in training.
    #[must_use]
    pub fn class_weight(mut self, weight: ClassWeight) -> Self {
        self.task_mut().class_weight = Some(weight);
        self
    }

    /// Two classes: the second one is predicted when its probability is above this. [`MlpClassifier::with_threshold`] sets it
    /// after the fit.
    ///
    /// [`MlpClassifier::with_threshold`]: super::MlpClassifier::with_threshold
    #[must_use]
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.task_mut().threshold = Some(threshold);
        self
    }

    /// Whether two classes have two softmax outputs, as more classes have, in place of one sigmoid.
    #[must_use]
    pub fn binary_softmax(mut self, softmax: bool) -> Self {
        self.task_mut().binary_softmax = softmax;
        self
    }
}

impl MlpParams<Multilabel> {
    /// A label is predicted as yes when its probability is above this: the same for all labels.
    #[must_use]
    pub fn threshold(self, threshold: f64) -> Self {
        self.thresholds([threshold])
    }

    /// A threshold for each label, in the order of the columns.
    #[must_use]
    pub fn thresholds(mut self, thresholds: impl Into<Vec<f64>>) -> Self {
        self.task_mut().thresholds = thresholds.into();
        self
    }
}

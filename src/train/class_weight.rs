//! How much each class counts in training.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, check};
use crate::float::Float;

use super::Rows;
use super::rows::class_of;

/// How much each class counts in the loss that is trained on.
///
/// ```text
/// Balanced    w_c = Σᵢ sᵢ / (k · Σ_{i of class c} sᵢ)        over the training rows; s their sample weights, k the classes among them
/// given       w_c = the number given for class c, and 1 for classes that are not listed (Keras)
/// ```
///
/// A row weighs the product of its sample weight and the weight of its class (scikit-learn). Class weight 2 is every row of
/// that class twice; a class of weight 0 is not trained on. As in Keras, the reported training loss is weighted by class, and
/// the validation loss and all metrics are not: these see sample weights alone.
///
/// Labels are given as values of their type; the weights are kept under the text of the label, as `Debug` writes it, so that
/// params need not know the type of the labels. For a [`Model`](super::Model), classes are indices from 0.
///
/// # Examples
///
/// ```
/// use linfa::prelude::*;
/// use linfa_mlp::MlpClassifier;
/// use linfa_mlp::train::ClassWeight;
///
/// // 1382 ordinary wines and 217 better ones: without weights, few of these are found.
/// let wine = linfa_datasets::winequality().map_targets(|&quality| if quality > 6 { "good" } else { "ordinary" });
/// let params = MlpClassifier::params().hidden_layer_sizes([]).epochs(5);
/// let found = |params: linfa_mlp::estimator::MlpClassifierParams| -> linfa_mlp::Result<usize> {
///     Ok(params.fit(&wine)?.predict(&wine).iter().filter(|label| **label == "good").count())
/// };
/// let plain = found(params.clone())?;
/// assert!(found(params.clone().class_weight(ClassWeight::Balanced))? > plain);
/// assert!(found(params.class_weight(ClassWeight::given([("good", 6.0)])))? > plain);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClassWeight {
    /// Every class weighs the same in sum: weights inversely proportional to the classes' sizes.
    Balanced,
    /// Weights by the text of the label; see [`given`](Self::given).
    Given(Vec<(String, f64)>),
}

impl ClassWeight {
    /// A weight for each label listed; all others weigh 1.
    ///
    /// A label that is no class of the data is an error at the fit, as is one that is listed twice.
    #[must_use]
    pub fn given<L: fmt::Debug>(weights: impl IntoIterator<Item = (L, f64)>) -> Self {
        let weights = weights.into_iter().map(|(label, weight)| (label_text(&label), weight));
        ClassWeight::Given(weights.collect())
    }

    /// Checks what can be checked without data.
    pub(crate) fn check(&self) -> Result<()> {
        let ClassWeight::Given(weights) = self else { return Ok(()) };
        for (place, (label, weight)) in weights.iter().enumerate() {
            let name = format!("the class weight of {label}");
            check(&name, weight, weight.is_finite() && *weight >= 0.0, "finite and at least 0")?;
            if weights[..place].iter().any(|(other, _)| other == label) {
                return Err(Error::parameter(
                    "class_weight",
                    format!("for {label} twice"),
                    "for each class once",
                ));
            }
        }
        Ok(())
    }

    /// Gives training rows their class weights. Targets are class indices, or one-hot; `classes` are the texts of the labels.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a label that is no class or for targets that are no classes; otherwise as
    /// [`Rows::with_class_weights`].
    pub(crate) fn weigh<'a, F: Float>(&self, classes: &[String], rows: Rows<'a, F>) -> Result<Rows<'a, F>> {
        self.check()?;
        // A source is not read through for this alone: what it gives is up to the loss.
        if rows.source().is_none() {
            let mut other = None;
            rows.for_each_target(|row, targets| {
                if let (None, [value]) = (other, targets) {
                    other = (!is_class(value.wide())).then_some((row, value.wide()));
                }
            })?;
            if let Some((row, value)) = other {
                let found = format!("given, and the target of row {row} is {value:?}");
                return Err(Error::parameter("class_weight", found, NO_CLASSES));
            }
        }
        let mut weights = vec![1.0; classes.len()];
        match self {
            ClassWeight::Balanced => {
                let mut masses = vec![0.0; classes.len()];
                let mut other = None;
                rows.for_each_target(|row, targets| match masses.get_mut(class_of(targets)) {
                    Some(mass) => *mass += rows.sample_weight(row),
                    None => other = Some(row),
                })?;
                if let Some(row) = other {
                    let found = format!("balanced, and row {row} is of none of {} classes", classes.len());
                    return Err(Error::parameter("class_weight", found, NO_CLASSES));
                }
                let present = masses.iter().filter(|mass| **mass > 0.0).count();
                let total: f64 = masses.iter().sum();
                for (weight, mass) in weights.iter_mut().zip(masses).filter(|(_, mass)| *mass > 0.0) {
                    *weight = total / (present as f64 * mass);
                }
            }
            ClassWeight::Given(given) => {
                for (label, weight) in given {
                    let mut places = classes.iter().enumerate().filter(|(_, class)| *class == label);
                    match (places.next(), places.next()) {
                        (Some((place, _)), None) => weights[place] = *weight,
                        (first, _) => {
                            let known =
                                classes.iter().take(20).map(String::as_str).collect::<Vec<_>>().join(", ");
                            let known = known + if classes.len() > 20 { ", …" } else { "" };
                            let found = match first {
                                None => format!("for {label}"),
                                Some(_) => format!("for {label}, which is the text of several"),
                            };
                            let allowed = format!("for classes there are ({known})");
                            return Err(Error::parameter("class_weight", found, allowed));
                        }
                    }
                }
            }
        }
        rows.with_class_weights(weights)
    }
}

const NO_CLASSES: &str = "none where targets are no classes";

/// Whether a target can be the index of a class.
fn is_class(value: f64) -> bool {
    value >= 0.0 && value.fract() <= 0.0
}

/// The text under which the weight of a label is kept: as `Debug` writes it, without the quotes around strings.
pub(crate) fn label_text(label: &impl fmt::Debug) -> String {
    let text = format!("{label:?}");
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inside) => inside.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, array};

    use super::*;

    fn weights(weight: &ClassWeight, targets: &[f64], sample_weights: Option<&[f32]>) -> Result<Vec<f64>> {
        let y = Array1::from(targets.to_vec()).insert_axis(ndarray::Axis(1));
        let mut rows = Rows::new(y.view(), y.view())?;
        if let Some(weights) = sample_weights {
            rows = rows.with_weights(weights.into())?;
        }
        let classes = ["a", "b", "c"].map(String::from);
        Ok(weight.weigh(&classes, rows)?.class_weights().unwrap().to_vec())
    }

    #[test]
    fn balanced_weights_are_scikit_learns() {
        // compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 1, 2, 2])
        let targets = [0.0, 0.0, 0.0, 1.0, 2.0, 2.0];
        let close = |found: Vec<f64>, expected: [f64; 3]| {
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{found:?}");
        };
        close(weights(&ClassWeight::Balanced, &targets, None).unwrap(), [2.0 / 3.0, 2.0, 1.0]);
        // … with sample_weight=[1, 0.5, 0.5, 4, 1, 2]
        let sample_weights = [1.0, 0.5, 0.5, 4.0, 1.0, 2.0];
        close(weights(&ClassWeight::Balanced, &targets, Some(&sample_weights)).unwrap(), [1.5, 0.75, 1.0]);
        // A class without rows counts as none.
        close(weights(&ClassWeight::Balanced, &[0.0, 0.0, 2.0], None).unwrap(), [0.75, 1.0, 1.5]);
    }

    #[test]
    fn labels_of_every_type_have_a_text() {
        let text = |weight: ClassWeight| match weight {
            ClassWeight::Given(weights) => weights[0].0.clone(),
            ClassWeight::Balanced => unreachable!(),
        };
        assert_eq!(text(ClassWeight::given([("rot", 1.0)])), "rot");
        assert_eq!(text(ClassWeight::given([(String::from("rot"), 1.0)])), "rot");
        assert_eq!(text(ClassWeight::given([(7_usize, 1.0)])), "7");
        assert_eq!(text(ClassWeight::given([(true, 1.0)])), "true");
        assert_eq!(text(ClassWeight::given([(Some(3), 1.0)])), "Some(3)");
    }

    #[test]
    fn weights_are_for_classes_there_are() {
        let message = |weight: ClassWeight| weights(&weight, &[0.0, 1.0], None).unwrap_err().to_string();
        assert_eq!(
            message(ClassWeight::given([("d", 1.0)])),
            "class_weight must be for classes there are (a, b, c), but is for d"
        );
        assert_eq!(
            message(ClassWeight::given([("a", 1.0), ("b", 1.0), ("a", 2.0)])),
            "class_weight must be for each class once, but is for a twice"
        );
        for weight in [-1.0, f64::NAN, f64::INFINITY] {
            let expected = format!("the class weight of a must be finite and at least 0, but is {weight}");
            assert_eq!(message(ClassWeight::given([("a", weight)])), expected);
        }
        assert_eq!(
            message(ClassWeight::given([("a", 0.0), ("b", 0.0)])),
            "the training rows of classes with a weight above 0 must have at least 1 row, but has none"
        );
        let given = weights(&ClassWeight::given([("c", 3.0)]), &[0.0, 2.0], None).unwrap();
        assert_eq!(given, array![1.0, 1.0, 3.0].to_vec());
    }

    #[test]
    fn targets_past_the_classes_cannot_be_balanced() {
        let error = weights(&ClassWeight::Balanced, &[0.0, 7.0], None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "class_weight must be none where targets are no classes, but is balanced, and row 1 is of none of 3 classes"
        );
    }

    #[test]
    fn numbers_that_are_no_indices_have_no_class() {
        for weight in [ClassWeight::Balanced, ClassWeight::given([("b", 2.0)])] {
            let error = weights(&weight, &[0.0, 1.0, 0.7], None).unwrap_err();
            assert_eq!(
                error.to_string(),
                "class_weight must be none where targets are no classes, but is given, and the target of row 2 is 0.7"
            );
            assert!(weights(&weight, &[0.0, -1.0], None).is_err());
        }
    }
}

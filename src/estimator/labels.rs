//! Labels in and out: the classes, in ascending order, and their indices.

use linfa::Label;
use ndarray::{Array2, ArrayView1};

use crate::error::{Error, Result};
use crate::float::Float;
use crate::train::label_text;

/// The classes of some labels, in ascending order.
///
/// # Errors
///
/// [`Error::NoRows`] and [`Error::OneClass`].
pub(super) fn classes_of<'l, L: Label + 'l>(labels: impl IntoIterator<Item = &'l L>) -> Result<Vec<L>> {
    let classes = distinct(labels);
    match classes.as_slice() {
        [] => Err(Error::NoRows { array: "y" }),
        [only] => Err(Error::OneClass { class: format!("{only:?}") }),
        _ => Ok(classes),
    }
}

/// Some labels in ascending order, each once.
pub(super) fn distinct<'l, L: Label + 'l>(labels: impl IntoIterator<Item = &'l L>) -> Vec<L> {
    let mut classes: Vec<L> = Vec::new();
    for label in labels {
        if let Err(place) = classes.binary_search(label) {
            classes.insert(place, label.clone());
        }
    }
    classes
}

/// The first twenty labels, as text.
pub(super) fn listed<L: Label>(labels: &[L]) -> String {
    let first: Vec<String> = labels.iter().take(20).map(|label| format!("{label:?}")).collect();
    first.join(", ") + if labels.len() > 20 { ", …" } else { "" }
}

/// Whether a model knows all of these labels: it goes on learning the classes that it has.
///
/// # Errors
///
/// [`Error::Mismatch`] shows both sets.
pub(super) fn check_known<L: Label>(known: &[L], labels: ArrayView1<'_, L>) -> Result<()> {
    if labels.iter().all(|label| known.binary_search(label).is_ok()) {
        return Ok(());
    }
    let found = listed(&distinct(labels));
    Err(Error::Mismatch { what: "the set of classes", trained: listed(known), found })
}

/// The error of a class that is too small, with its label in place of its index.
pub(super) fn with_label<L: Label>(error: Error, classes: &[L]) -> Error {
    match error {
        Error::ClassTooSmall { splitter, class, members, needed } => {
            let label = class.parse().ok().and_then(|index: usize| classes.get(index));
            let class = label.map_or(class, label_text);
            Error::ClassTooSmall { splitter, class, members, needed }
        }
        other => other,
    }
}

/// Class indices, as one column of numbers.
///
/// # Errors
///
/// [`Error::UnknownLabel`] names the first row whose label is no class.
pub(super) fn encode<F: Float, L: Label>(classes: &[L], labels: ArrayView1<'_, L>) -> Result<Array2<F>> {
    let mut indices = Array2::zeros((labels.len(), 1));
    for (row, label) in labels.iter().enumerate() {
        let Ok(class) = classes.binary_search(label) else {
            let known = listed(classes);
            return Err(Error::UnknownLabel { label: format!("{label:?}"), row, known });
        };
        indices[[row, 0]] = F::of(class as f64);
    }
    Ok(indices)
}

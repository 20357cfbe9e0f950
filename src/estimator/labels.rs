//! Labels in and out: the classes, in ascending order, and their indices.

use linfa::Label;
use ndarray::{Array2, ArrayView1};

use crate::error::{Error, Result};
use crate::float::Float;

/// The classes of some labels, in ascending order.
///
/// # Errors
///
/// [`Error::NoRows`] and [`Error::OneClass`].
pub(super) fn classes_of<L: Label>(labels: ArrayView1<'_, L>) -> Result<Vec<L>> {
    let mut classes: Vec<L> = Vec::new();
    for label in labels {
        if let Err(place) = classes.binary_search(label) {
            classes.insert(place, label.clone());
        }
    }
    match classes.as_slice() {
        [] => Err(Error::NoRows { array: "y" }),
        [only] => Err(Error::OneClass { class: format!("{only:?}") }),
        _ => Ok(classes),
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
            let known: Vec<String> = classes.iter().take(20).map(|class| format!("{class:?}")).collect();
            let known = known.join(", ") + if classes.len() > 20 { ", …" } else { "" };
            return Err(Error::UnknownLabel { label: format!("{label:?}"), row, known });
        };
        indices[[row, 0]] = F::of(class as f64);
    }
    Ok(indices)
}

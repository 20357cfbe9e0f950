//! Class numbers as rows of zeros and a one.

use ndarray::{Array2, ArrayBase, Data as ArrayData, Ix1};

use crate::error::{Error, Result};
use crate::float::Float;

/// Class numbers as rows of zeros with a one at the class: what
/// [`CategoricalCrossEntropy`](crate::loss::CategoricalCrossEntropy) is computed with.
///
/// # Shapes
///
/// `labels` (n_samples,) → (n_samples, n_classes)
///
/// # Errors
///
/// [`Error::UnknownLabel`] names the first row whose label is no class; [`Error::NoColumns`] when there are no classes.
///
/// # Examples
///
/// ```
/// use linfa_mlp::datasets::one_hot;
/// use ndarray::array;
///
/// assert_eq!(one_hot::<f32, _>(&array![2, 0], 3)?, array![[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]);
/// assert!(one_hot::<f32, _>(&array![2, 0], 2).is_err());
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[doc(alias = "to_categorical")]
pub fn one_hot<F: Float, D: ArrayData<Elem = usize>>(
    labels: &ArrayBase<D, Ix1>,
    n_classes: usize,
) -> Result<Array2<F>> {
    if n_classes == 0 {
        return Err(Error::NoColumns { array: "y" });
    }
    if let Some((row, label)) = labels.iter().enumerate().find(|(_, label)| **label >= n_classes) {
        let known = format!("0 to {}", n_classes - 1);
        return Err(Error::UnknownLabel { label: label.to_string(), row, known });
    }
    let mut y = Array2::zeros((labels.len(), n_classes));
    for (mut row, &label) in y.rows_mut().into_iter().zip(labels) {
        row[label] = F::one();
    }
    Ok(y)
}

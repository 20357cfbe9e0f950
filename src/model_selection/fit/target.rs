//! What a target is: a number or a class label.

use std::collections::BTreeMap;

use linfa::dataset::Label;
use ndarray::ArrayView1;

use crate::model_selection::scorer::Scorer;

/// A value that an estimator is trained to give: `f32` and `f64` are numbers, linfa's labels are classes.
///
/// The type decides what a search does when it is told nothing: numbers are split by [`KFold`](crate::model_selection::KFold) and scored
/// by R², classes are split by [`StratifiedKFold`](crate::model_selection::StratifiedKFold) and scored by accuracy.
///
/// A label type of your own joins with two lines:
///
/// ```
/// use linfa::dataset::Label;
/// use linfa_mlp::model_selection::{Classes, Scorer, Target};
/// use ndarray::ArrayView1;
///
/// #[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
/// enum Iris { #[default] Setosa, Virginica }
///
/// impl Label for Iris {}
/// impl Target for Iris {
///     fn default_scorer() -> Scorer<Self> { Scorer::accuracy() }
///     fn classes(column: ArrayView1<'_, Self>) -> Option<Classes> { Some(Classes::of(column)) }
/// }
///
/// let column = ndarray::array![Iris::Virginica, Iris::Setosa];
/// assert_eq!(Iris::classes(column.view()).map(|classes| classes.indices), Some(vec![1, 0]));
/// ```
pub trait Target: Clone + PartialEq + Default + std::fmt::Debug + Send + Sync {
    /// The score when none is asked for.
    fn default_scorer() -> Scorer<Self>;

    /// The classes of a column, none when its values are numbers.
    fn classes(column: ArrayView1<'_, Self>) -> Option<Classes>;

    /// The value as a number, none for a label.
    fn to_number(&self) -> Option<f64> {
        None
    }

    /// The value that stands for a number, none for labels.
    fn from_number(number: f64) -> Option<Self> {
        let _ = number;
        None
    }
}

/// The classes of a column of labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    /// The class of each row, as a place in `names`.
    pub indices: Vec<usize>,
    /// The classes in their own order, as text.
    pub names: Vec<String>,
}

impl Classes {
    /// Numbers the labels of a column in their own order.
    #[must_use]
    pub fn of<L: Label>(column: ArrayView1<'_, L>) -> Self {
        let mut places: BTreeMap<&L, usize> = column.iter().map(|label| (label, 0)).collect();
        for (place, index) in places.values_mut().enumerate() {
            *index = place;
        }
        Classes {
            indices: column.iter().map(|label| places[label]).collect(),
            names: places.keys().map(|label| plain(&format!("{label:?}"))).collect(),
        }
    }

    /// The number of rows of each class.
    #[must_use]
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.names.len()];
        for &class in &self.indices {
            counts[class] += 1;
        }
        counts
    }
}

/// A label's text without the quotes that `Debug` puts around strings.
fn plain(text: &str) -> String {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).to_string()
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Target for $number {
            fn default_scorer() -> Scorer<Self> {
                Scorer::r2()
            }

            fn classes(_: ArrayView1<'_, Self>) -> Option<Classes> {
                None
            }

            fn to_number(&self) -> Option<f64> {
                Some(f64::from(*self))
            }

            fn from_number(number: f64) -> Option<Self> {
                Some(number as $number)
            }
        }
    )*};
}

macro_rules! labels {
    ($($label:ty),*) => {$(
        impl Target for $label {
            fn default_scorer() -> Scorer<Self> {
                Scorer::accuracy()
            }

            fn classes(column: ArrayView1<'_, Self>) -> Option<Classes> {
                Some(Classes::of(column))
            }
        }
    )*};
}

numbers!(f32, f64);
labels!(bool, usize, String, (), &str);

impl<L: Label + Target> Target for Option<L> {
    fn default_scorer() -> Scorer<Self> {
        Scorer::accuracy()
    }

    fn classes(column: ArrayView1<'_, Self>) -> Option<Classes> {
        Some(Classes::of(column))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn classes_are_numbered_in_the_labels_own_order() {
        let classes = Classes::of(array!["b", "a", "c", "b"].view());
        assert_eq!(classes.indices, [1, 0, 2, 1]);
        assert_eq!(classes.names, ["a", "b", "c"]);
        assert_eq!(classes.counts(), [1, 2, 1]);
    }

    #[test]
    fn numbers_have_no_classes_and_labels_no_numbers() {
        assert!(f64::classes(array![1.0, 2.0].view()).is_none());
        assert_eq!(f32::from_number(0.5), Some(0.5));
        assert_eq!(true.to_number(), None);
        assert_eq!(usize::from_number(1.0), None);
    }
}

//! What a data set says about its rows, held so that splitters can read it.

use linfa::Float;
use linfa::dataset::TargetDim;

use super::data_view::{DataView, columns};
use super::split::Rows;
use super::target::{Classes, Target};
use crate::error::{Error, Result};

/// The classes or numbers and the groups of a data set's rows.
pub(crate) struct KnownRows {
    n_samples: usize,
    pub(crate) classes: Option<Classes>,
    numbers: Option<Vec<f64>>,
    groups: Option<Vec<usize>>,
}

impl KnownRows {
    /// Of a data set; several columns of targets are neither classes nor numbers.
    pub(crate) fn of<F: Float, Y: Target, I: TargetDim>(
        data: &DataView<'_, F, Y, I>,
        groups: Option<&[usize]>,
    ) -> Result<Self> {
        let n_samples = data.n_samples();
        let groups = groups.map(<[usize]>::to_vec);
        if let Some(found) = groups.as_ref().map(Vec::len).filter(|&found| found != n_samples) {
            return Err(Error::RowCount { array: "groups", expected: n_samples, found });
        }
        let targets = columns(data.targets());
        let (classes, numbers) = if targets.ncols() == 1 {
            (Y::classes(targets.column(0)), targets.iter().map(Y::to_number).collect())
        } else {
            (None, None)
        };
        Ok(KnownRows { n_samples, classes, numbers, groups })
    }

    /// As splitters see them.
    pub(crate) fn rows(&self) -> Rows<'_> {
        let mut rows = Rows::new(self.n_samples);
        if let Some(classes) = &self.classes {
            rows = rows.classes(classes);
        }
        if let Some(numbers) = &self.numbers {
            rows = rows.numbers(numbers);
        }
        if let Some(groups) = &self.groups {
            rows = rows.groups(groups);
        }
        rows
    }

    /// The group of each row, when there are any.
    pub(crate) fn groups(&self) -> Option<&[usize]> {
        self.groups.as_deref()
    }

    /// Some of the rows, numbered anew; classes that none of them has are left out.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        let classes = self.classes.as_ref().map(|classes| {
            let mut places = vec![None; classes.names.len()];
            rows.iter().for_each(|&row| places[classes.indices[row]] = Some(0));
            places.iter_mut().flatten().enumerate().for_each(|(place, index)| *index = place);
            let named = places.iter().zip(&classes.names).filter(|(place, _)| place.is_some());
            Classes {
                indices: rows.iter().filter_map(|&row| places[classes.indices[row]]).collect(),
                names: named.map(|(_, name)| name.clone()).collect(),
            }
        });
        KnownRows {
            n_samples: rows.len(),
            classes,
            numbers: self.numbers.as_ref().map(|numbers| rows.iter().map(|&row| numbers[row]).collect()),
            groups: self.groups.as_ref().map(|groups| rows.iter().map(|&row| groups[row]).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use linfa::Dataset;
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn selected_rows_keep_their_classes_and_groups() {
        let dataset = Dataset::<f64, _, _>::new(Array2::zeros((4, 1)), array!["b", "a", "c", "b"]);
        let data = DataView::of(&dataset).unwrap();
        let known = KnownRows::of(&data, Some(&[5, 6, 7, 8])).unwrap();
        let part = known.select(&[3, 2]);
        let classes = part.classes.as_ref().unwrap();
        assert_eq!((&classes.indices[..], &classes.names[..]), (&[0, 1][..], &["b".into(), "c".into()][..]));
        assert_eq!((part.groups(), part.rows().n_samples()), (Some(&[8, 7][..]), 2));
        assert!(part.rows().require_numbers("").is_err());
    }

    #[test]
    fn one_column_of_numbers_is_known_and_several_are_not() {
        let dataset = Dataset::new(Array2::<f64>::zeros((2, 1)), array![1.5, 2.5]);
        let known = KnownRows::of(&DataView::of(&dataset).unwrap(), None).unwrap();
        assert_eq!(known.select(&[1]).rows().require_numbers("").unwrap(), [2.5]);
        let dataset = Dataset::new(Array2::<f64>::zeros((2, 1)), array![[1.5, 1.0], [2.5, 1.0]]);
        let known = KnownRows::of(&DataView::of(&dataset).unwrap(), None).unwrap();
        assert!(known.rows().require_numbers("").is_err());
    }
}

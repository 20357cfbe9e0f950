//! One split into training and test rows.

use linfa::dataset::{DatasetBase, TargetDim};
use linfa::{Dataset, Float};
use ndarray::{ArrayBase, Data, Ix2};

use super::share::{Share, sizes};
use super::{GroupShuffleSplit, Rows, ShuffleSplit, Split, Splitter, StratifiedShuffleSplit, checked};
use crate::error::Result;
use crate::model_selection::data_view::DataView;
use crate::model_selection::known_rows::KnownRows;
use crate::model_selection::protocol::numbered;
use crate::model_selection::target::Target;

/// Divides the rows once, into training and test rows; [`train_test_split`] is the short form for data sets.
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | `test_size` | the rest of `train_size`, else 0.25 (scikit-learn) | test rows: a number or a fraction |
/// | `train_size` | the rest of `test_size` | training rows: a number or a fraction |
/// | `seed` | 0 | where the random numbers start |
/// | `stratified` | no | both parts have the classes' shares, as [`StratifiedShuffleSplit`] |
/// | `grouped` | no | whole groups are drawn, as [`GroupShuffleSplit`]; sizes count groups |
/// | `in_order` | no | nothing is drawn: the first rows train, the ones after them are tested |
///
/// Of the last three, the one that is called last holds. It is a splitter of one fold too.
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::TrainTestSplit;
///
/// let iris = linfa_datasets::iris();
/// let (train, test) = TrainTestSplit::new().test_size(0.2).stratified().seed(42).of(&iris)?;
/// assert_eq!((train.records.nrows(), test.records.nrows()), (120, 30));
/// assert_eq!(test.feature_names(), iris.feature_names());
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TrainTestSplit {
    test_size: Option<Share>,
    train_size: Option<Share>,
    seed: u64,
    draw: Draw,
}

#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
enum Draw {
    #[default]
    Rows,
    Stratified,
    Groups(Vec<usize>),
    InOrder,
}

impl TrainTestSplit {
    /// A quarter of the rows, drawn at random, are test rows.
    #[must_use]
    pub fn new() -> Self {
        TrainTestSplit::default()
    }

    /// The test rows: a number such as `20` or a fraction such as `0.2`.
    #[must_use]
    pub fn test_size(mut self, size: impl Into<Share>) -> Self {
        self.test_size = Some(size.into());
        self
    }

    /// The training rows: a number or a fraction.
    #[must_use]
    pub fn train_size(mut self, size: impl Into<Share>) -> Self {
        self.train_size = Some(size.into());
        self
    }

    /// Where the random numbers start.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Gives both parts every class in its share.
    #[must_use]
    pub fn stratified(mut self) -> Self {
        self.draw = Draw::Stratified;
        self
    }

    /// Keeps the rows of a group on one side.
    #[must_use]
    pub fn grouped<G: Ord>(mut self, groups: impl IntoIterator<Item = G>) -> Self {
        self.draw = Draw::Groups(numbered(groups));
        self
    }

    /// Draws nothing: the first rows train and those after them are tested, as rows in the order of time want it.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.draw = Draw::InOrder;
        self
    }

    /// The row indices.
    ///
    /// # Errors
    ///
    /// - [`Error::Parameter`](crate::Error::Parameter) for a size outside its range
    /// - [`Error::Split`](crate::Error::Split) when a part would be empty or both together exceed the rows
    /// - as [`StratifiedShuffleSplit`] and [`GroupShuffleSplit`] say
    pub fn indices(&self, rows: &Rows<'_>) -> Result<Split> {
        let (test, train) = (self.test_size, self.train_size);
        let n_samples = rows.n_samples();
        // The other splitters have their own default for the test rows.
        let test = test.or(train.is_none().then_some(Share::Fraction(0.25)));
        macro_rules! drawn_by {
            ($splitter:ident, $rows:expr) => {{
                let mut splitter = $splitter::new(1).seed(self.seed);
                if let Some(test) = test {
                    splitter = splitter.test_size(test);
                }
                if let Some(train) = train {
                    splitter = splitter.train_size(train);
                }
                splitter.split($rows)?.swap_remove(0)
            }};
        }
        Ok(match &self.draw {
            Draw::Rows => drawn_by!(ShuffleSplit, rows),
            Draw::Stratified => drawn_by!(StratifiedShuffleSplit, rows),
            Draw::Groups(groups) => drawn_by!(GroupShuffleSplit, &rows.groups(groups)),
            Draw::InOrder => {
                let (train, test) = sizes(self.name(), n_samples, "rows", train, test, 0.25)?;
                Split { train: (0..train).collect(), test: (train..train + test).collect() }
            }
        })
    }

    /// The two parts of a linfa data set, with their sample weights and all names.
    ///
    /// # Errors
    ///
    /// - as [`indices`](TrainTestSplit::indices)
    /// - [`Error::NoRows`](crate::Error::NoRows), [`Error::RowCount`](crate::Error::RowCount) for data that do not belong
    ///   together
    /// - [`Error::ClassMissing`](crate::Error::ClassMissing) when the training rows lack a class
    pub fn of<D, S, F, Y, I>(
        &self,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    ) -> Result<(Dataset<F, Y, I>, Dataset<F, Y, I>)>
    where
        F: Float,
        Y: Target,
        D: Data<Elem = F>,
        S: Data<Elem = Y>,
        I: TargetDim,
    {
        let data = DataView::of(dataset)?;
        let known = KnownRows::of(&data, None)?;
        let split = checked(self, &known.rows(), false)?.swap_remove(0);
        let part = |rows: &[usize]| data.owned(rows, data.gather_records(rows), data.gather_targets(rows));
        Ok((part(&split.train), part(&split.test)))
    }
}

impl Splitter for TrainTestSplit {
    fn name(&self) -> &str {
        "TrainTestSplit"
    }

    fn n_splits(&self, _: &Rows<'_>) -> usize {
        1
    }

    fn split(&self, rows: &Rows<'_>) -> Result<Vec<Split>> {
        Ok(vec![self.indices(rows)?])
    }
}

/// Divides a linfa data set at random into a training and a test data set, with their sample weights and all names.
///
/// [`TrainTestSplit`] has more settings: stratified, by groups, in order.
///
/// # Errors
///
/// As [`TrainTestSplit::of`].
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::train_test_split;
///
/// let (train, test) = train_test_split(&linfa_datasets::diabetes(), 0.2, 42)?;
/// assert_eq!((train.records.nrows(), test.records.nrows()), (352, 89));
/// assert!(train_test_split(&linfa_datasets::diabetes(), 1.5, 42).is_err());
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub fn train_test_split<D, S, F, Y, I>(
    dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    test_size: impl Into<Share>,
    seed: u64,
) -> Result<(Dataset<F, Y, I>, Dataset<F, Y, I>)>
where
    F: Float,
    Y: Target,
    D: Data<Elem = F>,
    S: Data<Elem = Y>,
    I: TargetDim,
{
    TrainTestSplit::new().test_size(test_size).seed(seed).of(dataset)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2, array};

    use super::*;
    use crate::error::Error;

    #[test]
    fn in_order_the_first_rows_train() {
        let split = |splitter: TrainTestSplit| splitter.in_order().indices(&Rows::new(8)).unwrap();
        assert_eq!(split(TrainTestSplit::new()), Split { train: (0..6).collect(), test: vec![6, 7] });
        let part = split(TrainTestSplit::new().train_size(3).test_size(2));
        assert_eq!(part, Split { train: vec![0, 1, 2], test: vec![3, 4] });
    }

    #[test]
    fn weights_and_names_follow_their_rows() {
        let dataset = Dataset::new(Array2::from_shape_fn((8, 1), |(row, _)| row as f64), Array1::zeros(8))
            .with_weights((0..8).map(|row| row as f32).collect())
            .with_feature_names(vec!["row"])
            .with_target_names(vec!["nothing"]);
        let (train, test) = train_test_split::<_, _, f64, f64, _>(&dataset, 3, 1).unwrap();
        for part in [&train, &test] {
            assert_eq!(part.records.column(0).mapv(|row| row as f32), part.weights);
            assert_eq!(part.feature_names(), ["row"]);
            assert_eq!(part.target_names(), ["nothing"]);
        }
        assert_eq!((train.weights.len(), test.weights.len()), (5, 3));
    }

    #[test]
    fn groups_stay_on_one_side() {
        let groups = ["a", "b", "a", "c", "c", "d"];
        let split = TrainTestSplit::new().test_size(0.5).grouped(groups).indices(&Rows::new(6)).unwrap();
        assert!(split.test.iter().all(|&row| split.train.iter().all(|&other| groups[row] != groups[other])));
        let short = TrainTestSplit::new().grouped(["a", "b"]).indices(&Rows::new(6));
        assert!(matches!(short, Err(Error::RowCount { array: "groups", expected: 6, found: 2 })));
    }

    #[test]
    fn a_training_part_without_a_class_is_refused() {
        let dataset = Dataset::new(Array2::<f64>::zeros((4, 1)), array!["a", "a", "a", "b"]);
        let in_order = TrainTestSplit::new().in_order().of(&dataset).unwrap_err();
        assert!(matches!(in_order, Error::ClassMissing { .. }), "{in_order}");
        let one = TrainTestSplit::new().stratified().test_size(2).of(&dataset).unwrap_err();
        assert!(matches!(one, Error::ClassTooSmall { members: 1, .. }), "{one}");
        let numbers = Dataset::new(Array2::<f64>::zeros((4, 1)), Array1::<f64>::zeros(4));
        assert!(matches!(TrainTestSplit::new().stratified().of(&numbers), Err(Error::Split { .. })));
    }
}

//! The Boston Housing data.

use linfa::Dataset;
use ndarray::{Array1, Array2, ArrayBase, Axis, Data as ArrayData, Ix1};

use super::{MinMax, TrainTest};
use crate::float::Float;

const TABLE: &str = include_str!("data/boston_housing.csv");
const ROWS: usize = 506;

/// Boston Housing, prepared: Keras' 404 rows to learn from and 102 to test, features and prices scaled to \[0, 1\].
#[derive(Clone, Debug)]
pub struct BostonHousing<F: Float> {
    /// Keras' training rows, each column between 0 and 1.
    pub train: Dataset<F, F, Ix1>,
    /// Keras' test rows, scaled by the training rows: some values are a little outside of \[0, 1\].
    pub test: Dataset<F, F, Ix1>,
    features: MinMax<F>,
    price: MinMax<F>,
}

impl<F: Float> BostonHousing<F> {
    /// Scaled prices, such as predictions, in dollars.
    ///
    /// # Shapes
    ///
    /// (n_samples,) → (n_samples,)
    #[must_use]
    pub fn dollars<D: ArrayData<Elem = F>>(&self, scaled: &ArrayBase<D, Ix1>) -> Array1<F> {
        self.price.restore_column(scaled).mapv(|thousands| thousands * F::of(1000.0))
    }

    /// How features were scaled, column by column.
    #[must_use]
    pub fn feature_scaling(&self) -> &MinMax<F> {
        &self.features
    }

    /// How prices were scaled, from thousands of dollars.
    #[must_use]
    pub fn price_scaling(&self) -> &MinMax<F> {
        &self.price
    }
}

/// Boston Housing as it is trained on: the rows of Keras' `boston_housing.load_data()`, features and prices each scaled to
/// \[0, 1\] by the lowest and highest value among the training rows.
///
/// See [`boston_housing_raw`] for what is in it, and why it was withdrawn elsewhere.
///
/// # Examples
///
/// ```
/// use linfa_mlp::datasets::boston_housing;
///
/// let boston = boston_housing::<f64>();
/// assert_eq!((boston.train.records.dim(), boston.test.records.dim()), ((404, 13), (102, 13)));
///
/// // Keras' first training row is a home of 15 200 dollars.
/// let dollars = boston.dollars(&boston.train.targets);
/// assert!((dollars[0] - 15_200.0).abs() < 1e-6);
/// ```
#[must_use]
pub fn boston_housing<F: Float>() -> BostonHousing<F> {
    let split = TrainTest::keras_split(&boston_housing_raw::<F>(), 0.2, 113);
    let TrainTest { mut train, mut test } = split.expect("506 rows can be split");
    let features = MinMax::of_columns(&train.records).expect("the embedded values are finite");
    let price = MinMax::of_columns(&train.targets.view().insert_axis(Axis(1)));
    let price = price.expect("the embedded values are finite");
    for part in [&mut train, &mut test] {
        let (x, y) = (std::mem::take(&mut part.records), std::mem::take(&mut part.targets));
        part.records = features.scale(x).expect("both parts have the 13 columns");
        let y = price.scale(y.insert_axis(Axis(1))).expect("both parts have one target");
        part.targets = y.remove_axis(Axis(1));
    }
    BostonHousing { train, test, features, price }
}

/// Boston Housing as published: 506 census tracts around 1970, 13 features, and the median value of the homes (`MEDV`) in
/// thousands of dollars.
///
/// | column | meaning |
/// | --- | --- |
/// | `CRIM` | crimes per head |
/// | `ZN` | percent of land zoned for lots above 25 000 square feet |
/// | `INDUS` | percent of land for business other than retail |
/// | `CHAS` | 1 if the tract is at the Charles River, else 0 |
/// | `NOX` | nitrogen oxides, parts per 10 million |
/// | `RM` | rooms per dwelling |
/// | `AGE` | percent of homes built before 1940 |
/// | `DIS` | weighted distance to five centres of employment |
/// | `RAD` | access to radial highways, an index |
/// | `TAX` | property tax, dollars per 10 000 |
/// | `PTRATIO` | pupils per teacher |
/// | `B` | 1000 · (share of Black residents − 0.63)² |
/// | `LSTAT` | percent of residents "of lower status" |
///
/// **Why scikit-learn (1.2) and Keras (3.13) withdrew this set**: its column `B` is computed from the share of Black
/// residents, on the assumption that segregation raises prices, and the study behind the set cannot support that. It is
/// here because many courses use it and their results can be compared, not as a model of anything. An alternative of the
/// same shape is `linfa_datasets::diabetes()`.
///
/// # References
///
/// D. Harrison, D. Rubinfeld, *Hedonic housing prices and the demand for clean air*, J. Environ. Economics & Management 5,
/// 1978; distributed by StatLib, Carnegie Mellon University (`datasets/boston`), which asks that it and the authors be named.
///
/// # Examples
///
/// ```
/// let boston = linfa_mlp::datasets::boston_housing_raw::<f32>();
/// assert_eq!(boston.records.dim(), (506, 13));
/// assert_eq!((boston.feature_names()[5].as_str(), boston.records[[0, 5]], boston.targets[0]), ("RM", 6.575, 24.0));
/// ```
#[must_use]
pub fn boston_housing_raw<F: Float>() -> Dataset<F, F, Ix1> {
    let mut lines = TABLE.lines();
    let mut names: Vec<&str> = lines.next().expect("the embedded table has a header").split(',').collect();
    let target = names.pop().expect("the embedded header has 14 names");
    let (mut x, mut y) = (Vec::with_capacity(ROWS * names.len()), Vec::with_capacity(ROWS));
    for line in lines {
        let cells = line.split(',').map(|cell| F::of(cell.parse().expect("the embedded cells are numbers")));
        x.extend(cells);
        y.push(x.pop().expect("the embedded rows have 14 cells"));
    }
    let x = Array2::from_shape_vec((ROWS, names.len()), x).expect("the embedded table has 506 rows");
    Dataset::new(x, Array1::from(y)).with_feature_names(names).with_target_names(vec![target])
}

//! The Boston Housing data, as the examples and tests use them.
//!
//! 506 census tracts of Boston around 1970: 13 features, and the median value of the homes in thousands of dollars
//! (D. Harrison, D. Rubinfeld, *Hedonic housing prices and the demand for clean air*, 1978).
//!
//! **Why scikit-learn (1.2) and Keras (3.13) withdrew this set**: its column `B` is computed from the share of Black
//! residents, on the assumption that segregation raises prices, and the study behind the set cannot support that. It is
//! here because the practical uses it and its results can be compared, not as a model of anything. An alternative of the
//! same shape is `linfa_datasets::diabetes()`.

use linfa::Dataset;
use ndarray::{Array1, Array2};

/// Names of the columns.
pub const FEATURES: [&str; 13] =
    ["CRIM", "ZN", "INDUS", "CHAS", "NOX", "RM", "AGE", "DIS", "RAD", "TAX", "PTRATIO", "B", "LSTAT"];

/// The 506 rows, in their published order.
pub fn boston_housing() -> Dataset<f32, f32, ndarray::Ix1> {
    let raw = smartcore::dataset::boston::load_dataset();
    let mut x = Array2::from_shape_vec((raw.num_samples, raw.num_features), raw.data)
        .expect("the embedded table has 506 rows of 13 values");
    // The embedded table says 7.8 in its last row; the published value is 7.88.
    x[[505, 12]] = 7.88;
    Dataset::new(x, Array1::from(raw.target))
        .with_feature_names(FEATURES.to_vec())
        .with_target_names(vec!["MEDV"])
}

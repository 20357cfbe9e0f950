//! Evaluations: what cross-validation can say of one estimator.
//!
//! All of them run one candidate through the [engine](super::engine), fold by fold in parallel.

mod cross_val_predict;
pub(super) mod cross_validate;
mod learning_curve;
mod permutation_test;
mod score_curve;
mod validation_curve;

pub use cross_val_predict::{
    KeptFolds, cross_val_predict, cross_val_predict_by_rows, cross_val_predict_proba_by_rows,
};
pub use cross_validate::{
    CrossValidate, CrossValidation, CrossValidator, cross_val_score, cross_validate, cross_validate_by_rows,
};
pub use learning_curve::{TrainSizes, learning_curve};
pub use permutation_test::{PermutationTest, permutation_test_score};
pub use score_curve::ScoreCurve;
pub use validation_curve::validation_curve;

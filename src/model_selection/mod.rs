//! Which model is best: cross-validation and searches over any linfa estimator.
//!
//! Three places to start: [`cross_validate`] scores one estimator, [`GridSearch`] compares many settings of one, and
//! [`FitRows`] lets an estimator of your own train without copies of the data. The rest is detail.
//!
//! | question | function |
//! | --- | --- |
//! | how good is it on rows it has not seen? | [`cross_validate`] |
//! | what does it say of rows it has not seen? | [`cross_val_predict`]; models and scores with it: [`CrossValidator::run_keeping`] |
//! | would more rows help? | [`learning_curve`] |
//! | where does it fit too little, where too much? | [`validation_curve`] |
//! | is that better than chance? | [`permutation_test_score`] |
//! | how good is the best of many settings really? | [`nested_cross_validate`] |
//! | one test set, once | [`train_test_split`] |
//!
//! ```text
//! data set ─ Splitter ─→ folds                                    split/
//! candidates × folds ─ Executor ─→ fits, in parallel              executor/
//!     in a fold: Preparation (training rows only) → estimator → Scorer
//! one FitRow for each ─→ SearchResults, ranked                    results/
//! the best, refitted on all rows ─→ Pipeline                      search/
//! ```
//!
//! What is promised for every estimator:
//!
//! - **Checked first.** Splitter, scorers, data and the whole grid are checked before the first fit starts.
//! - **Nothing leaks.** Transformers and target scaling are fitted on training rows alone, once for each fold.
//! - **Nothing is lost.** Every fit has a row with its status; one that fails, diverges or panics ranks last and stops
//!   nothing. (A panic's message is printed by the program's panic hook, as always.)
//! - **Nothing is done twice.** With a [`Journal`], a search that was killed goes on where it was.
//! - **Same result anywhere.** Results do not depend on the number of threads or the order in which fits run.
//! - **Nothing twice.** Where training can continue, the survivors of a rung go on from where they stopped.
//! - **Stopped is not lost.** A budget or a flag ends a search with what was measured, ranked and marked.
//! - **Weights count.** Sample weights of the data set reach training rows, transformers and scorers.

mod budget;
mod continue_rows;
mod cross_val_predict;
mod cross_validate;
mod data_view;
mod evaluation;
mod executor;
mod fit_report;
mod fit_rows;
mod fold_rows;
mod journal;
mod keeping;
mod known_rows;
mod learning_curve;
mod observer;
mod permutation_test;
mod pipeline;
mod preparation;
mod protocol;
mod results;
mod score_curve;
mod scorer;
mod search;
mod split;
mod stop;
mod target;
mod trainer;
mod validation_curve;

pub use budget::Budget;
pub use continue_rows::{ContinueRows, Goal};
pub use cross_val_predict::{
    KeptFolds, cross_val_predict, cross_val_predict_by_rows, cross_val_predict_proba_by_rows,
};
pub use cross_validate::{
    CrossValidate, CrossValidation, CrossValidator, cross_val_score, cross_validate, cross_validate_by_rows,
};
pub use data_view::DataView;
pub use executor::{Executor, FoldTasks, OpenFold, RayonExecutor, Work};
pub use fit_report::{Curve, FitReport};
pub use fit_rows::{FitContext, FitRows};
pub use journal::Journal;
pub use learning_curve::{TrainSizes, learning_curve};
#[cfg(feature = "progress")]
pub use observer::SearchProgress;
#[cfg(feature = "tensorboard")]
pub use observer::SearchTensorBoard;
pub use observer::{OnFit, OnProgress, Progress, SearchObserver, SearchPlan, StartedRung, Task};
pub use permutation_test::{PermutationTest, permutation_test_score};
pub use pipeline::Pipeline;
pub use preparation::{FittedSteps, FittedTargetScaling, TargetScaling, Transform};
pub use results::{
    CandidateSummary, Comparison, FitRow, FitStatus, MeanStd, ParamValue, Params, ResultsTable, ScoreSummary,
    ScorerInfo, SearchResults, Spread,
};
pub use score_curve::ScoreCurve;
pub use scorer::{Estimate, Probabilities, Scorer};
pub use search::{
    Candidate, Distribution, Draw, Epochs, Exhaustive, FittedSearch, Grid, GridSearch, Halving,
    HalvingSearch, Hyperband, HyperbandSearch, InnerSearch, Integer, Ladder, LogInteger, LogUniform,
    NestedCrossValidation, Random, RandomSearch, Refit, RefitEpochs, Replay, Resource, RungSummary, Samples,
    Search, SequentialSearch, Space, Strategy, Tpe, Tried, Uniform, Unit, Updates, nested_cross_validate,
    nested_cross_validate_by_rows,
};
pub use split::{
    Binned, GroupKFold, GroupShuffleSplit, KFold, LeaveOneGroupOut, LeaveOneOut, LeavePGroupsOut, LeavePOut,
    PredefinedSplit, RepeatedKFold, RepeatedStratifiedKFold, Rows, Share, ShuffleSplit, Split, SplitBy,
    Splitter, StratifiedGroupKFold, StratifiedKFold, StratifiedShuffleSplit, TimeSeriesSplit, TrainTestSplit,
    train_test_split,
};
pub use target::{Classes, Target};
pub use validation_curve::validation_curve;

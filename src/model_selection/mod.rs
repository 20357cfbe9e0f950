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
//! candidates × folds ─ Executor ─→ fits, in parallel              engine/, executor/
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
//! - **Nothing is done twice.** With a [`Journal`], a search that was killed goes on where it was; where training can continue,
//!   the survivors of a rung go on from where they stopped.
//! - **Same result anywhere.** Results do not depend on the number of threads or the order in which fits run.
//! - **Stopped is not lost.** A budget or a flag ends a search with what was measured, ranked and marked.
//! - **Weights count.** Sample weights of the data set reach training rows, transformers and scorers.

mod engine;
mod evaluate;
mod executor;
mod fit;
mod journal;
mod observer;
mod preparation;
mod results;
mod scorer;
mod search;
mod split;

pub use engine::Budget;
pub use evaluate::{
    CrossValidate, CrossValidation, CrossValidator, KeptFolds, PermutationTest, ScoreCurve, TrainSizes,
    cross_val_predict, cross_val_predict_by_rows, cross_val_predict_proba_by_rows, cross_val_score,
    cross_validate, cross_validate_by_rows, learning_curve, permutation_test_score, validation_curve,
};
#[cfg(feature = "postgres")]
pub use executor::{CandidateStatus, Postgres, StudyStatus};
pub use executor::{Executor, FitStore, FoldTasks, Joined, OpenFold, RayonExecutor, SharedStore, Work};
pub use fit::{
    Classes, ContinueRows, Curve, DataView, FitContext, FitReport, FitRows, Goal, Pipeline, Target,
};
pub use journal::{Digest, Journal, StateOf, Study, TaskKey};
#[cfg(feature = "progress")]
pub use observer::SearchProgress;
#[cfg(feature = "tensorboard")]
pub use observer::SearchTensorBoard;
pub use observer::{OnFit, OnProgress, Progress, SearchObserver, SearchPlan, StartedRung, Task};
pub use preparation::{FittedSteps, FittedTargetScaling, Preprocess, TargetScaling, Transform};
pub use results::{
    CandidateSummary, Comparison, FitRow, FitStatus, MeanStd, ParamValue, Params, ResultsTable, ScoreSummary,
    ScorerInfo, SearchResults, Spread,
};
pub use scorer::{Estimate, Probabilities, Scorer};
pub use search::{
    Candidate, Distribution, Draw, Epochs, Exhaustive, FittedSearch, Grid, GridSearch, Halving,
    HalvingSearch, Hyperband, HyperbandSearch, InnerSearch, Integer, Ladder, LogInteger, LogUniform,
    NestedCrossValidation, Random, RandomSearch, Refit, RefitEpochs, Replay, Resource, RungSummary, Samples,
    Search, SequentialSearch, Space, Strategy, Tpe, Tried, Uniform, Unit, Updates, nested_cross_validate,
    nested_cross_validate_by_rows, nested_cross_validate_continuing,
};
pub use split::{
    Binned, GroupKFold, GroupShuffleSplit, KFold, LeaveOneGroupOut, LeaveOneOut, LeavePGroupsOut, LeavePOut,
    PredefinedSplit, RepeatedKFold, RepeatedStratifiedKFold, Rows, Share, ShuffleSplit, Split, SplitBy,
    Splitter, StratifiedGroupKFold, StratifiedKFold, StratifiedShuffleSplit, TimeSeriesSplit, TrainTestSplit,
    train_test_split,
};

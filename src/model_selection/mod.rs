//! Which model is best: cross-validation and searches over any linfa estimator.
//!
//! Three places to start: [`cross_validate`] scores one estimator, [`GridSearch`] compares many settings of one, and
//! [`FitRows`] lets an estimator of your own train without copies of the data. The rest is detail.
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
//! - **Same result anywhere.** Results do not depend on the number of threads or the order in which fits run.
//! - **Weights count.** Sample weights of the data set reach training rows, transformers and scorers.

mod budget;
mod continue_rows;
mod cross_validate;
mod data_view;
mod evaluation;
mod executor;
mod fit_report;
mod fit_rows;
mod fold_rows;
mod observer;
mod pipeline;
mod preparation;
mod protocol;
mod results;
mod scorer;
mod search;
mod split;
mod stop;
mod target;
mod trainer;

pub use budget::Budget;
pub use continue_rows::{ContinueRows, Goal};
pub use cross_validate::{
    CrossValidate, CrossValidation, CrossValidator, cross_val_score, cross_validate, cross_validate_by_rows,
};
pub use data_view::DataView;
pub use executor::{Executor, FoldTasks, OpenFold, RayonExecutor, Work};
pub use fit_report::{Curve, FitReport};
pub use fit_rows::{FitContext, FitRows};
#[cfg(feature = "progress")]
pub use observer::SearchProgress;
#[cfg(feature = "tensorboard")]
pub use observer::SearchTensorBoard;
pub use observer::{OnFit, OnProgress, Progress, SearchObserver, SearchPlan, Task};
pub use pipeline::Pipeline;
pub use preparation::{FittedSteps, FittedTargetScaling, TargetScaling, Transform};
pub use results::{
    CandidateSummary, Comparison, FitRow, FitStatus, MeanStd, ParamValue, Params, ResultsTable, ScoreSummary,
    ScorerInfo, SearchResults, Spread,
};
pub use scorer::{Estimate, Probabilities, Scorer};
pub use search::{
    Candidate, Distribution, Draw, Exhaustive, FittedSearch, Grid, GridSearch, Integer, LogInteger,
    LogUniform, Random, RandomSearch, Refit, Search, SequentialSearch, Space, Strategy, Tpe, Tried, Uniform,
};
pub use split::{KFold, Rows, Share, ShuffleSplit, Split, Splitter, StratifiedKFold};
pub use target::{Classes, Target};

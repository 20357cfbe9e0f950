//! The loop: a training run is one plain value that reads rows through an index list.
//!
//! [`Run`] is that value. [`Model`] is Keras' compiled model, a thin user of it; so are the estimators and the searches.

mod class_weight;
mod descent;
mod evaluate;
mod forward;
mod inside;
mod model;
mod passage;
mod plan;
mod resume;
mod rows;
mod run;
mod saved;
mod source;
mod telling;
mod update;
mod validation;
mod watch;
mod workspace;

pub use class_weight::ClassWeight;
pub use evaluate::{Scores, evaluate};
pub use model::{Model, Training};
pub use plan::Plan;
pub use rows::{Data, Rows};
pub use run::{Run, Status, Until};
pub use source::RowSource;
pub use validation::Validation;

pub(crate) use class_weight::label_text;
pub(crate) use plan::{check_search, check_unbatched, reads_all_rows};
pub(crate) use rows::{check_any_weight, check_weights};
pub(crate) use saved::RunV1;
pub(crate) use watch::Watch;

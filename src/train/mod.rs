//! The loop: a training run is one plain value that reads rows through an index list.
//!
//! [`Run`] is that value. [`Model`] is Keras' compiled model, a thin user of it; so are the estimators and the searches.
//!
//! Start with [`Sequential::compile`](crate::network::Sequential::compile), which gives a [`Model`], and [`Training`], which says how
//! long and on what it is trained. [`Run`] is for loops of your own.
//!
//! ```
//! use linfa_mlp::prelude::*;
//! use ndarray::{Array, Axis};
//!
//! let x = Array::linspace(-1.0, 1.0, 100).insert_axis(Axis(1));
//! let y = x.mapv(|x: f64| 2.0 * x + 1.0);
//! let mut model = Sequential::new().add(Dense::new(1)).compile(1, Adam::new(0.1), MeanSquaredError, ())?;
//! model.fit(&x, &y, &Training::epochs(60).batch_size(10).validation(Validation::random(0.2)))?;
//! assert!(model.evaluate(&x, &y)?["loss"] < 0.01);
//! # Ok::<(), linfa_mlp::Error>(())
//! ```

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

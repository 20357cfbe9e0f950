//! What an estimator can be asked for, beyond linfa's `Fit`: to train on the rows of one copy of the data ([`FitRows`]), to go
//! on later ([`ContinueRows`]), and to report.

pub(super) mod continue_rows;
pub(super) mod data_view;
pub(super) mod fit_report;
pub(super) mod fit_rows;
pub(super) mod pipeline;
pub(super) mod target;

pub use continue_rows::{ContinueRows, Goal};
pub use data_view::DataView;
pub use fit_report::{Curve, FitReport};
pub use fit_rows::{FitContext, FitRows};
pub use pipeline::Pipeline;
pub use target::{Classes, Target};

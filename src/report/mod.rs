//! Pictures for reports, as SVG: no fonts, no display and no system library are needed. The same numbers give the same bytes.
//!
//! | picture | of |
//! | --- | --- |
//! | [`learning_curves`] | loss and metrics over the epochs of a run |
//! | [`Curves`] | one value of several runs, compared |
//! | [`score_curve`] | a learning curve or a validation curve: test and training score along one parameter |
//! | [`confusion_matrix`] | which classes are taken for which |
//! | [`residuals`] | predicted against true numbers, and what is left over |

mod axis;
mod confusion_matrix;
mod curves;
mod learning_curves;
mod page;
mod residuals;
mod score_curve;

pub use confusion_matrix::confusion_matrix;
pub use curves::Curves;
pub use learning_curves::learning_curves;
pub use residuals::residuals;
pub use score_curve::score_curve;

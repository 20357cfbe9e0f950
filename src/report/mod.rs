//! Pictures for reports, as SVG: no fonts, no display and no system library are needed. The same numbers give the same bytes.
//!
//! | picture | of |
//! | --- | --- |
//! | [`learning_curves`] | loss and metrics over the epochs of a run |
//! | [`Curves`] | one value of several runs, compared |
//! | [`score_curve`] | a learning curve or a validation curve: test and training score along one parameter |
//! | [`confusion_matrix`] | which classes are taken for which |
//! | [`residuals`] | predicted against true numbers, and what is left over |
//! | [`search_history`] | the candidates of a search in their order, and the best so far |
//! | [`heat_map`] | the score of a search over two parameters |
//! | [`parallel_coordinates`] | all parameters and the score of every candidate of a search |

mod axis;
mod colour_scale;
mod confusion_matrix;
mod curves;
mod heat_map;
mod learning_curves;
mod page;
mod parallel_coordinates;
mod residuals;
mod score_curve;
mod search_history;
mod search_table;

pub use confusion_matrix::confusion_matrix;
pub use curves::Curves;
pub use heat_map::heat_map;
pub use learning_curves::learning_curves;
pub use parallel_coordinates::parallel_coordinates;
pub use residuals::residuals;
pub use score_curve::score_curve;
pub use search_history::search_history;

#[cfg(test)]
mod tests;

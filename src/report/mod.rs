//! Pictures for reports, as SVG: no fonts, no display and no system library are needed. The same numbers give the same bytes.
//!
//! | picture | of |
//! | --- | --- |
//! | [`learning_curves`] | a training run: loss and metrics over the epochs |
//! | [`search_history`] | a search: the candidates in their order, and the best so far |
//! | [`heat_map`] | a search: the score over two parameters |
//! | [`parallel_coordinates`] | a search: all parameters and the score of every candidate |

mod heat_map;
mod learning_curves;
mod page;
mod parallel_coordinates;
mod search_history;
mod search_table;

pub use heat_map::heat_map;
pub use learning_curves::learning_curves;
pub use parallel_coordinates::parallel_coordinates;
pub use search_history::search_history;

#[cfg(test)]
mod tests;

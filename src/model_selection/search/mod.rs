//! Searches: many candidates under one protocol, ranked, the best one refitted.
//!
//! [`GridSearch`] tries every combination of typed axes. What it shares with searches to come (candidates, their whole
//! check before the first fit, the choice of the best, the refit) is in `candidates.rs` and `fitted.rs`.

mod candidates;
mod fitted;
mod grid;
mod grid_search;
mod refit;
mod replay;

pub use candidates::Candidate;
pub use fitted::FittedSearch;
pub use grid::Grid;
pub use grid_search::GridSearch;
pub use refit::Refit;
pub use replay::Replay;

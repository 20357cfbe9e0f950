//! Searches: many candidates under one protocol, ranked, the best one refitted.
//!
//! | search | tries |
//! | --- | --- |
//! | [`GridSearch`] | every combination of typed axes |
//!
//! All are one [`Search`] with a [`Strategy`] of its own: what they share is in `builder.rs` (settings), `rounds.rs`
//! (evaluation, choice, refit) and `fitted.rs` (what comes out). A new one is a file in `strategy/` and a name for it.
//!
//! [`nested_cross_validate`] scores a whole search.

mod builder;
mod candidates;
mod fitted;
mod grid;
mod grid_search;
mod nested;
mod refit;
mod replay;
mod rounds;
mod space;
mod strategy;

pub use builder::Search;
pub use candidates::Candidate;
pub use fitted::FittedSearch;
pub use grid::Grid;
pub use grid_search::GridSearch;
pub use nested::{InnerSearch, NestedCrossValidation, nested_cross_validate, nested_cross_validate_by_rows};
pub use refit::Refit;
pub use replay::Replay;
pub use space::Space;
pub use strategy::{Exhaustive, Strategy, Tried};

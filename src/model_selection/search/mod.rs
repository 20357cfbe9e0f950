//! Searches: many candidates under one protocol, ranked, the best one refitted.
//!
//! | search | tries |
//! | --- | --- |
//! | [`GridSearch`] | every combination of typed axes |
//! | [`RandomSearch`] | candidates drawn by chance |
//! | [`SequentialSearch`] | candidates learnt from those before |
//!
//! All are one [`Search`] with a [`Strategy`] of its own: what they share is in `builder.rs` (settings), `rounds.rs`
//! (evaluation, choice, refit) and `fitted.rs` (what comes out). A new one is a file in `strategy/` and a name for it.
//!
//! [`nested_cross_validate`] scores a whole search.

mod builder;
mod candidates;
mod fitted;
mod grid_search;
mod nested;
mod random_search;
mod refit;
mod replay;
mod rounds;
mod sequential_search;
mod space;
mod strategy;

pub use builder::Search;
pub use candidates::Candidate;
pub use fitted::FittedSearch;
pub use grid_search::GridSearch;
pub use nested::{InnerSearch, NestedCrossValidation, nested_cross_validate, nested_cross_validate_by_rows};
pub use random_search::RandomSearch;
pub use refit::Refit;
pub use replay::Replay;
pub use sequential_search::SequentialSearch;
pub use space::{Distribution, Draw, Grid, Integer, LogInteger, LogUniform, Space, Uniform};
pub use strategy::{Exhaustive, Random, Strategy, Tpe, Tried};

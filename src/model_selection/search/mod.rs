//! Searches: many candidates under one protocol, ranked, the best one refitted.
//!
//! | search | tries |
//! | --- | --- |
//! | [`GridSearch`] | every combination of typed axes |
//! | [`RandomSearch`] | candidates drawn by chance |
//! | [`HalvingSearch`] | many candidates with little training, the best with more |
//! | [`HyperbandSearch`] | halvings of different haste |
//! | [`SequentialSearch`] | candidates learnt from those before |
//!
//! All are one [`Search`] with a [`Strategy`] of its own: what they share is in `builder.rs` (settings), `rounds.rs`
//! (evaluation, choice, refit) and `fitted.rs` (what comes out). A new one is a file in `strategy/` and a name for it.
//!
//! [`nested_cross_validate`] scores a whole search.

mod builder;
mod candidates;
mod climb;
mod fit_all;
mod fitted;
mod grid_search;
mod halving_search;
mod hyperband_search;
mod ladder;
mod nested;
mod random_search;
mod refit;
mod refit_epochs;
mod replay;
mod rounds;
mod sequential_search;
mod space;
mod strategy;

pub use builder::Search;
pub use candidates::Candidate;
pub use fitted::FittedSearch;
pub use grid_search::GridSearch;
pub use halving_search::HalvingSearch;
pub use hyperband_search::HyperbandSearch;
pub use ladder::{Epochs, Ladder, Resource, RungSummary, Samples, Unit, Updates};
pub use nested::{
    InnerSearch, NestedCrossValidation, nested_cross_validate, nested_cross_validate_by_rows,
    nested_cross_validate_continuing,
};
pub use random_search::RandomSearch;
pub use refit::Refit;
pub use refit_epochs::RefitEpochs;
pub use replay::Replay;
pub use sequential_search::SequentialSearch;
pub use space::{Distribution, Draw, Grid, Integer, LogInteger, LogUniform, Space, Uniform};
pub use strategy::{Exhaustive, Halving, Hyperband, Random, Strategy, Tpe, Tried};

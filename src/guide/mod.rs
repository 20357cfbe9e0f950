//! The guide: how the crate is made and what can be relied on.

#[doc = include_str!("phrase_book.md")]
pub mod phrase_book {}

#[doc = include_str!("database.md")]
pub mod database {}

#[doc = include_str!("design.md")]
pub mod design {}

#[doc = include_str!("exchange.md")]
pub mod exchange {}

#[doc = include_str!("many_machines.md")]
pub mod many_machines {}

#[doc = include_str!("practical.md")]
pub mod practical {}

#[doc = include_str!("promises.md")]
pub mod promises {}

#[doc = include_str!("reproducibility.md")]
pub mod reproducibility {}

/// The README, whose programs are run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub mod readme {}

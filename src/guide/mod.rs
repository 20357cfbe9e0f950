//! The guide, a book in chapters. Every program in it is run as a test, and every figure is what a command of this crate prints.
//!
//! | chapter | |
//! | --- | --- |
//! | [`practical`] | a first course on multilayer perceptrons: sixteen exercises, their programs, pictures and measured answers |
//! | [`phrase_book`] | what you would write in Keras or scikit-learn, and what you write here |
//! | [`cookbook`] | one task, one short program: pipelines, imbalance, parts of your own, going on after a kill |
//! | [`honest_search`] | choosing hyper-parameters without fooling yourself: leaks, the winner's curse, luck |
//! | [`exchange`] | models from and for other tools: ONNX, safetensors, scikit-learn, Keras, PyTorch |
//! | [`many_machines`] | one search on several machines without a server: shards, and journals put together |
//! | [`database`] | one search on several machines that share a PostgreSQL database |
//! | [`promises`] | what can be relied on, the test that proves it and the figure it reached |
//! | [`reproducibility`] | which runs give the same bits, and what is not promised |
//! | [`design`] | why the house is built as it is |
//!
//! New to networks? Read them in this order. Coming from Keras or scikit-learn? Begin with the second.

#[doc = include_str!("links.md")]
#[doc = include_str!("pictures/pictures.md")]
#[doc = include_str!("practical.md")]
pub mod practical {}

#[doc = include_str!("links.md")]
#[doc = include_str!("phrase_book.md")]
pub mod phrase_book {}

#[doc = include_str!("links.md")]
#[doc = include_str!("cookbook.md")]
pub mod cookbook {}

#[doc = include_str!("links.md")]
#[doc = include_str!("honest_search.md")]
pub mod honest_search {}

#[doc = include_str!("links.md")]
#[doc = include_str!("exchange.md")]
pub mod exchange {}

#[doc = include_str!("links.md")]
#[doc = include_str!("many_machines.md")]
pub mod many_machines {}

#[doc = include_str!("links.md")]
#[doc = include_str!("database.md")]
pub mod database {}

#[doc = include_str!("links.md")]
#[doc = include_str!("promises.md")]
pub mod promises {}

#[doc = include_str!("links.md")]
#[doc = include_str!("reproducibility.md")]
pub mod reproducibility {}

#[doc = include_str!("links.md")]
#[doc = include_str!("design.md")]
pub mod design {}

/// The README, whose programs are run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub mod readme {}

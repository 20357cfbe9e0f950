//! Data to learn with: Boston Housing, handwritten digits and MNIST, ready for a network, and readers for files of your
//! own.
//!
//! | data | rows | features | target | comes from |
//! | --- | --- | --- | --- | --- |
//! | [`boston_housing`] | 404 + 102 | 13 | price of homes | this crate |
//! | [`digits`] | 1 797 | 64 (8 × 8 pixels) | 0 to 9 | this crate |
//! | [`mnist`] | 60 000 + 10 000 | 784 (28 × 28 pixels) | 0 to 9 | a folder, or the network: see [`Source`] |
//!
//! Prepared means: in the parts that results are reported for elsewhere, scaled to \[0, 1\] by what is known of the
//! training part alone. [`boston_housing_raw`] and [`mnist_raw`] give the values as published.
//!
//! | file | reader |
//! | --- | --- |
//! | IDX, as MNIST's | [`read_idx`] |
//! | NPY | [`read_npy`] |
#![cfg_attr(feature = "gzip", doc = "| NPZ | [`Npz`] |")]
#![cfg_attr(feature = "csv", doc = "| CSV | [`Csv`] |")]
//!
//! Readers trust no header: nothing is allocated that the file does not hold, and an error names file, line and column. With
//! the feature `gzip`, all of them read compressed files too.

mod boston_housing;
mod digits;
#[cfg(feature = "download")]
mod download;
mod min_max;
mod mnist;
mod numpy_shuffle;
mod one_hot;
mod reader;
mod source;
mod train_test;

pub use boston_housing::{BostonHousing, boston_housing, boston_housing_raw};
pub use digits::digits;
#[cfg(feature = "download")]
pub use download::Progress;
pub use min_max::MinMax;
pub use mnist::{mnist, mnist_raw};
pub use numpy_shuffle::numpy_shuffle;
pub use one_hot::one_hot;
#[cfg(feature = "csv")]
pub use reader::Csv;
#[cfg(feature = "gzip")]
pub use reader::Npz;
pub use reader::{read_idx, read_npy};
pub use source::Source;
pub use train_test::TrainTest;

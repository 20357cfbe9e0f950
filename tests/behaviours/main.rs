//! How training behaves, seen from outside: what the reference suites of scikit-learn and Keras check of a training loop, and
//! what is better here.
//!
//! | file | what it holds to |
//! | --- | --- |
//! | training | one seed, one result; the best epoch's weights; endless patience; divergence; unit weights; stopping at a batch |
//! | validation | the last rows, drawn rows, rows by index, data of their own; what leaves no row on a side |
//! | class_weight | twice the weight is twice the row; products; the balanced formula; what validation sees |
//! | probabilities | shapes, sums, logarithms, thresholds |
//! | multilabel | labels that are questions of their own |
//! | warm_start | epochs that add up, optimizers that go on, other classes refused |
//! | streaming, source | chunks; rows that are read when they are needed |

// Equal bits are the point.
#![allow(clippy::float_cmp)]

mod class_weight;
mod data;
mod multilabel;
mod probabilities;
mod source;
mod streaming;
mod training;
mod validation;
mod warm_start;

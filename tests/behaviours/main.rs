//! How training behaves, seen from outside: what the reference suites of scikit-learn and Keras check of a training loop, and
//! what is better here.

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

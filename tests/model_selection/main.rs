//! Model selection through its public API: laws of the splitters, cross-validation and searches over a toy estimator
//! that counts its fits, and over linfa's own estimators.

#![allow(clippy::float_cmp)]

mod cross_validation;
mod curves;
mod engine;
mod grid_search;
mod halving;
mod linfa_estimators;
mod nested;
mod predictions;
mod preparation;
mod preprocess_axis;
mod rows;
mod same_anywhere;
mod shared_store;
mod splitters;
mod strategies;
mod toy;

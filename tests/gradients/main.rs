//! Gradients of every layer × activation × loss × regulariser against central differences, in `f64`.
//!
//! Members are taken from the rooms' own tables, so that a new one is covered by being there.

mod branches;
mod dropout;
mod layers;
mod members;
mod networks;
mod problem;

//! The same numbers as scikit-learn and Keras: each file of this folder says which versions made it.

mod activations;
mod activity;
mod adaptive_rate;
mod fixture;
mod golden_steps;
mod halving;
mod initializers;
mod layers;
mod lbfgs;
mod losses;
mod metrics;
mod optimizers;
mod regularizers;
mod splitters;
mod training;

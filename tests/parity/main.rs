//! The same numbers as scikit-learn and Keras: each file of this folder says which versions made it.

mod layers;
mod metrics;

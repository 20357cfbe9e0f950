//! The identity.

use serde::{Deserialize, Serialize};

use super::Activation;
use crate::float::Float;
use crate::network::graph::{Graph, Value};
use crate::part::Configured;

/// The identity: `a = z`. What a regression network ends in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Identity;

impl Configured for Identity {
    const NAME: &'static str = "linear";
    const ALIASES: &'static [&'static str] = &["identity"];
}

impl<F: Float> Activation<F> for Identity {
    fn forward(&self, z: &mut [F], _width: usize) {
        let _ = z;
    }

    fn express(&self, _graph: &mut Graph<'_, F>, z: Value) -> Option<Value> {
        Some(z)
    }

    fn backward(&self, kept: &[F], delta: &mut [F], _width: usize) {
        let _ = (kept, delta);
    }
}

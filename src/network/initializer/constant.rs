//! The same value everywhere.

use serde::{Deserialize, Serialize};

use super::Initializer;
use crate::error::{Result, check};
use crate::part::Configured;
use crate::rng::Stream;

/// All 0: the default of biases, as in Keras.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Zeros;

impl Configured for Zeros {
    const NAME: &'static str = "zeros";
}

impl Initializer for Zeros {
    fn fill(&self, _rows: usize, _columns: usize, _stream: Stream, values: &mut [f64]) {
        values.fill(0.0);
    }
}

/// All 1: the default of the scales of normalising layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ones;

impl Configured for Ones {
    const NAME: &'static str = "ones";
}

impl Initializer for Ones {
    fn fill(&self, _rows: usize, _columns: usize, _stream: Stream, values: &mut [f64]) {
        values.fill(1.0);
    }
}

/// All one value.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `value` | 0 (Keras) | finite |
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Constant {
    /// The value.
    pub value: f64,
}

impl Constant {
    /// All values are `value`.
    #[must_use]
    pub fn new(value: f64) -> Self {
        Constant { value }
    }
}

impl Configured for Constant {
    const NAME: &'static str = "constant";

    fn check(&self) -> Result<()> {
        check("value", self.value, self.value.is_finite(), "finite")
    }
}

impl Initializer for Constant {
    fn fill(&self, _rows: usize, _columns: usize, _stream: Stream, values: &mut [f64]) {
        values.fill(self.value);
    }
}

//! The constant rate.

use serde::{Deserialize, Serialize};

use super::{Schedule, check_positive};
use crate::error::Result;
use crate::part::Configured;

/// The same rate for ever.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `rate` | 0.001 | finite, > 0 |
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Constant {
    /// The rate.
    pub rate: f64,
}

impl Default for Constant {
    fn default() -> Self {
        Constant { rate: 0.001 }
    }
}

impl Configured for Constant {
    const NAME: &'static str = "constant";

    fn check(&self) -> Result<()> {
        check_positive("learning_rate", self.rate)
    }
}

impl Schedule for Constant {
    fn rate(&self, _step: u64) -> f64 {
        self.rate
    }
}

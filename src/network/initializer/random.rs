//! Uniform and normal laws with given limits.

use serde::{Deserialize, Serialize};

use super::{Initializer, normal};
use crate::error::{Result, check};
use crate::part::Configured;
use crate::rng::Stream;

/// Uniform between two limits.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `minval` | −0.05 (Keras) | finite |
/// | `maxval` | 0.05 (Keras) | finite, ≥ `minval` |
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomUniform {
    /// Lower limit.
    pub minval: f64,
    /// Upper limit.
    pub maxval: f64,
}

impl RandomUniform {
    /// Between `minval` and `maxval`.
    #[must_use]
    pub fn new(minval: f64, maxval: f64) -> Self {
        RandomUniform { minval, maxval }
    }
}

impl Default for RandomUniform {
    fn default() -> Self {
        RandomUniform { minval: -0.05, maxval: 0.05 }
    }
}

impl Configured for RandomUniform {
    const NAME: &'static str = "random_uniform";

    fn check(&self) -> Result<()> {
        check("minval", self.minval, self.minval.is_finite(), "finite")?;
        let ok = self.maxval.is_finite() && self.maxval >= self.minval;
        check("maxval", self.maxval, ok, "finite and at least minval")
    }
}

impl Initializer for RandomUniform {
    fn fill(&self, _rows: usize, _columns: usize, mut stream: Stream, values: &mut [f64]) {
        for value in values {
            *value = self.minval + stream.uniform() * (self.maxval - self.minval);
        }
    }
}

/// Normal with given mean and standard deviation.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `mean` | 0 (Keras) | finite |
/// | `stddev` | 0.05 (Keras) | finite, ≥ 0 |
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomNormal {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub stddev: f64,
}

impl RandomNormal {
    /// With that mean and standard deviation.
    #[must_use]
    pub fn new(mean: f64, stddev: f64) -> Self {
        RandomNormal { mean, stddev }
    }
}

impl Default for RandomNormal {
    fn default() -> Self {
        RandomNormal { mean: 0.0, stddev: 0.05 }
    }
}

impl Configured for RandomNormal {
    const NAME: &'static str = "random_normal";

    fn check(&self) -> Result<()> {
        check("mean", self.mean, self.mean.is_finite(), "finite")?;
        check("stddev", self.stddev, self.stddev.is_finite() && self.stddev >= 0.0, "finite and at least 0")
    }
}

impl Initializer for RandomNormal {
    fn fill(&self, _rows: usize, _columns: usize, mut stream: Stream, values: &mut [f64]) {
        for value in values {
            *value = self.mean + self.stddev * normal(&mut stream);
        }
    }
}

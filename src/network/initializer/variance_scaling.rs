//! Laws whose spread follows from the layer's width: Glorot, He and LeCun.
//!
//! ```text
//! variance v = scale / fan        uniform: U(−√(3v), √(3v))        normal: N(0, v) cut off at two standard deviations
//! ```
//!
//! | law | scale | fan |
//! | --- | --- | --- |
//! | Glorot | 1 | (fan_in + fan_out) / 2 |
//! | He | 2 | fan_in |
//! | LeCun | 1 | fan_in |
//!
//! As in Keras, the standard deviation of the uncut normal law is widened by 1/0.87962566103423978, so that the cut one
//! has variance v.

use serde::{Deserialize, Serialize};

use super::{Initializer, truncated_normal};
use crate::part::Configured;
use crate::rng::Stream;

/// Standard deviation of the standard normal law cut off at ±2.
const CUT_STDDEV: f64 = 0.879_625_661_034_239_8;

fn uniform(variance: f64, mut stream: Stream, values: &mut [f64]) {
    let limit = (3.0 * variance).sqrt();
    for value in values {
        *value = (2.0 * stream.uniform() - 1.0) * limit;
    }
}

fn normal(variance: f64, mut stream: Stream, values: &mut [f64]) {
    let stddev = variance.sqrt() / CUT_STDDEV;
    for value in values {
        *value = truncated_normal(&mut stream) * stddev;
    }
}

/// As Keras reads a shape: a vector (a bias) has its length as both fans.
fn fans(rows: usize, columns: usize) -> (f64, f64) {
    if rows == 1 { (columns as f64, columns as f64) } else { (rows as f64, columns as f64) }
}

/// Uniform with variance 2 / (fan_in + fan_out), the default of weights, as in Keras: limits ±√(6 / (fan_in + fan_out)).
///
/// # References
///
/// X. Glorot, Y. Bengio, *Understanding the difficulty of training deep feedforward neural networks*, AISTATS 2010, eq. 16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GlorotUniform;

impl Configured for GlorotUniform {
    const NAME: &'static str = "glorot_uniform";
}

impl Initializer for GlorotUniform {
    fn fill(&self, rows: usize, columns: usize, stream: Stream, values: &mut [f64]) {
        let (fan_in, fan_out) = fans(rows, columns);
        uniform(2.0 / (fan_in + fan_out), stream, values);
    }
}

/// Cut normal with variance 2 / (fan_in + fan_out).
///
/// # References
///
/// X. Glorot, Y. Bengio, *Understanding the difficulty of training deep feedforward neural networks*, AISTATS 2010, eq. 16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GlorotNormal;

impl Configured for GlorotNormal {
    const NAME: &'static str = "glorot_normal";
}

impl Initializer for GlorotNormal {
    fn fill(&self, rows: usize, columns: usize, stream: Stream, values: &mut [f64]) {
        let (fan_in, fan_out) = fans(rows, columns);
        normal(2.0 / (fan_in + fan_out), stream, values);
    }
}

/// Uniform with variance 2 / fan_in, made for ReLU: limits ±√(6 / fan_in).
///
/// # References
///
/// K. He, X. Zhang, S. Ren, J. Sun, *Delving Deep into Rectifiers*, ICCV 2015, eq. 10.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeUniform;

impl Configured for HeUniform {
    const NAME: &'static str = "he_uniform";
}

impl Initializer for HeUniform {
    fn fill(&self, rows: usize, columns: usize, stream: Stream, values: &mut [f64]) {
        let (fan_in, _) = fans(rows, columns);
        uniform(2.0 / fan_in, stream, values);
    }
}

/// Cut normal with variance 2 / fan_in, made for ReLU.
///
/// # References
///
/// K. He, X. Zhang, S. Ren, J. Sun, *Delving Deep into Rectifiers*, ICCV 2015, eq. 10.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeNormal;

impl Configured for HeNormal {
    const NAME: &'static str = "he_normal";
}

impl Initializer for HeNormal {
    fn fill(&self, rows: usize, columns: usize, stream: Stream, values: &mut [f64]) {
        let (fan_in, _) = fans(rows, columns);
        normal(2.0 / fan_in, stream, values);
    }
}

/// Uniform with variance 1 / fan_in: limits ±√(3 / fan_in).
///
/// # References
///
/// Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, *Efficient BackProp*, 1998, section 4.6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LecunUniform;

impl Configured for LecunUniform {
    const NAME: &'static str = "lecun_uniform";
}

impl Initializer for LecunUniform {
    fn fill(&self, rows: usize, columns: usize, stream: Stream, values: &mut [f64]) {
        let (fan_in, _) = fans(rows, columns);
        uniform(1.0 / fan_in, stream, values);
    }
}

/// Cut normal with variance 1 / fan_in, made for SELU.
///
/// # References
///
/// Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, *Efficient BackProp*, 1998, section 4.6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LecunNormal;

impl Configured for LecunNormal {
    const NAME: &'static str = "lecun_normal";
}

impl Initializer for LecunNormal {
    fn fill(&self, rows: usize, columns: usize, stream: Stream, values: &mut [f64]) {
        let (fan_in, _) = fans(rows, columns);
        normal(1.0 / fan_in, stream, values);
    }
}

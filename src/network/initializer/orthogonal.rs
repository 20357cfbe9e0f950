//! Orthogonal matrices.

use serde::{Deserialize, Serialize};

use super::{Initializer, normal};
use crate::error::{Result, check};
use crate::part::Configured;
use crate::rng::Stream;

/// A random matrix with orthonormal columns, or rows where there are fewer of them.
///
/// A matrix of standard normal draws is made orthonormal by Gram and Schmidt (each vector twice, which is as exact as
/// Householder's way); the sign rule of Keras, a positive diagonal of R, holds by construction.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `gain` | 1 (Keras) | finite |
///
/// # References
///
/// A. Saxe, J. McClelland, S. Ganguli, *Exact solutions to the nonlinear dynamics of learning in deep linear neural
/// networks*, ICLR 2014.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Orthogonal {
    /// Factor of the orthonormal matrix.
    pub gain: f64,
}

impl Default for Orthogonal {
    fn default() -> Self {
        Orthogonal { gain: 1.0 }
    }
}

impl Configured for Orthogonal {
    const NAME: &'static str = "orthogonal";

    fn check(&self) -> Result<()> {
        check("gain", self.gain, self.gain.is_finite(), "finite")
    }
}

impl Initializer for Orthogonal {
    fn fill(&self, rows: usize, columns: usize, mut stream: Stream, values: &mut [f64]) {
        let (long, short) = (rows.max(columns), rows.min(columns));
        let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(short);
        while vectors.len() < short {
            let mut vector: Vec<f64> = (0..long).map(|_| normal(&mut stream)).collect();
            for _ in 0..2 {
                for other in &vectors {
                    let overlap: f64 = vector.iter().zip(other).map(|(a, b)| a * b).sum();
                    vector.iter_mut().zip(other).for_each(|(a, b)| *a -= overlap * b);
                }
            }
            let length = vector.iter().map(|a| a * a).sum::<f64>().sqrt();
            // A draw inside the span of the others has probability 0; a longer one is drawn anew.
            if length > 1e-8 {
                vector.iter_mut().for_each(|a| *a /= length);
                vectors.push(vector);
            }
        }
        for (i, value) in values.iter_mut().enumerate() {
            let (row, column) = (i / columns, i % columns);
            let entry = if rows >= columns { vectors[column][row] } else { vectors[row][column] };
            *value = self.gain * entry;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorter_side_is_orthonormal() {
        for (rows, columns) in [(5, 3), (3, 5), (4, 4), (1, 3)] {
            let mut w = vec![0.0; rows * columns];
            Orthogonal { gain: 2.0 }.fill(rows, columns, Stream::new(1), &mut w);
            let at =
                |i: usize, k: usize| if rows >= columns { w[k * columns + i] } else { w[i * columns + k] };
            for i in 0..rows.min(columns) {
                for j in 0..rows.min(columns) {
                    let product: f64 = (0..rows.max(columns)).map(|k| at(i, k) * at(j, k)).sum();
                    let expected = if i == j { 4.0 } else { 0.0 };
                    assert!((product - expected).abs() < 1e-12, "{rows}x{columns}: {i}·{j} = {product}");
                }
            }
        }
    }
}

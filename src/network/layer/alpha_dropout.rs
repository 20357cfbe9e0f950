//! Alpha dropout.

use serde::{Deserialize, Serialize};

use super::{Backward, Express, Forward, Layer, Noise};
use crate::error::{Result, check};
use crate::float::Float;
use crate::kernel;
use crate::network::graph::Value;
use crate::part::Configured;

/// Dropout for networks of [`Selu`](crate::network::Selu): a dropped value becomes the least that the activation can give,
/// and an affine map brings mean and variance back to 0 and 1. In a prediction nothing happens.
///
/// ```text
/// α′ = −1.0507… · 1.6732…
/// v  = x with probability 1 − rate, else α′
/// a  = A·v + B,  A = ((1 − rate)·(1 + rate·α′²))^(−½),  B = −A·rate·α′
/// ```
///
/// Masks are those of [`Dropout`](super::Dropout).
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `rate` | 0.05 (the paper tries 0.05 and 0.1) | 0 ≤ rate < 1, in steps of 2⁻³² |
///
/// # References
///
/// G. Klambauer et al., *Self-Normalizing Neural Networks*, NeurIPS 2017, "New Dropout Technique". Keras' `AlphaDropout`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlphaDropout {
    rate: f64,
}

/// −scale · alpha of SELU.
const LEAST: f64 = -1.050_700_987_355_480_5 * 1.673_263_242_354_377_2;

impl AlphaDropout {
    /// Drops a value with that probability.
    #[must_use]
    pub fn new(rate: f64) -> Self {
        AlphaDropout { rate }
    }

    /// `A`, and what a dropped value becomes, and `B`.
    fn map(&self) -> (f64, f64, f64) {
        let a = 1.0 / ((1.0 - self.rate) * (1.0 + self.rate * LEAST * LEAST)).sqrt();
        let b = -a * self.rate * LEAST;
        (a, a * LEAST + b, b)
    }

    /// `to = a·from + b` where kept, else `dropped`.
    fn apply<F: Float>(&self, noise: Noise, width: usize, map: (f64, f64, f64), from: &[F], to: &mut [F]) {
        let Noise { stream, first_row } = noise;
        let threshold = (self.rate * (1_u64 << 32) as f64) as u64;
        let (a, dropped, b) = (F::of(map.0), F::of(map.1), F::of(map.2));
        let first = (first_row * width) as u64;
        kernel::dispatch(
            #[inline(always)]
            || {
                for (i, (to, &from)) in to.iter_mut().zip(from).enumerate() {
                    // Two values share a number of 64 bits.
                    let element = first + i as u64;
                    let half = (stream.value(element >> 1) >> ((element & 1) * 32)) & 0xFFFF_FFFF;
                    *to = if half >= threshold { a * from + b } else { dropped };
                }
            },
        );
    }
}

impl Default for AlphaDropout {
    fn default() -> Self {
        AlphaDropout { rate: 0.05 }
    }
}

impl Configured for AlphaDropout {
    const NAME: &'static str = "alpha_dropout";

    fn check(&self) -> Result<()> {
        check("rate", self.rate, (0.0..1.0).contains(&self.rate), "at least 0 and below 1")
    }
}

impl<F: Float> Layer<F> for AlphaDropout {
    fn n_outputs(&self, n_inputs: usize) -> usize {
        n_inputs
    }

    fn is_random(&self) -> bool {
        self.rate > 0.0
    }

    fn express(&self, pass: Express<'_, '_, F>) -> Option<Value> {
        Some(pass.input)
    }

    fn forward(&self, pass: Forward<'_, F>) {
        match pass.noise {
            Some(noise) => {
                self.apply(noise, pass.input.len() / pass.rows, self.map(), pass.input, pass.output);
            }
            None => pass.output.copy_from_slice(pass.input),
        }
    }

    fn backward(&self, pass: Backward<'_, F>) {
        let Some(input_delta) = pass.input_delta else { return };
        match pass.noise {
            Some(noise) => {
                let slope = (self.map().0, 0.0, 0.0);
                self.apply(noise, pass.delta.len() / pass.rows, slope, pass.delta, input_delta);
            }
            None => input_delta.copy_from_slice(pass.delta),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::math::inverse_normal_cdf;
    use crate::rng::Stream;

    #[test]
    fn mean_and_variance_stay_and_rows_may_be_split() {
        // Values of mean 0 and variance 1: the quantiles of the normal law.
        let n = 40_000;
        let x: Vec<f64> = (0..n).map(|i| inverse_normal_cdf((i as f64 + 0.5) / n as f64)).collect();
        for rate in [0.05, 0.3, 0.8] {
            let layer = AlphaDropout::new(rate);
            let noise = |first_row| Noise { stream: Stream::new(5), first_row };
            let mut whole = vec![0.0; n];
            layer.apply(noise(0), 5, layer.map(), &x, &mut whole);
            let mean = whole.iter().sum::<f64>() / n as f64;
            let variance = whole.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n as f64;
            assert!(mean.abs() < 0.025 && (variance - 1.0).abs() < 0.04, "{rate}: {mean}, {variance}");
            let dropped = whole.iter().filter(|v| **v == layer.map().1).count() as f64 / n as f64;
            assert!((dropped - rate).abs() < 0.015, "{dropped} of {rate}");
            let mut halves = vec![0.0; n];
            layer.apply(noise(0), 5, layer.map(), &x[..15], &mut halves[..15]);
            layer.apply(noise(3), 5, layer.map(), &x[15..], &mut halves[15..]);
            assert_eq!(whole, halves);
        }
    }

    #[test]
    fn a_rate_of_0_changes_nothing() {
        let x = [1.0_f32, -2.0, 3.0];
        let mut y = [0.0; 3];
        let layer = AlphaDropout::new(0.0);
        layer.apply(Noise { stream: Stream::new(1), first_row: 0 }, 3, layer.map(), &x, &mut y);
        assert_eq!(x, y);
    }
}

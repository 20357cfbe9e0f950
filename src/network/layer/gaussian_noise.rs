//! Gaussian noise.

use serde::{Deserialize, Serialize};

use super::{Backward, Express, Forward, Layer, Noise};
use crate::error::{Result, check};
use crate::float::Float;
use crate::kernel::{self, math};
use crate::network::graph::Value;
use crate::part::Configured;

/// Adds normal noise in training; in a prediction nothing happens.
///
/// ```text
/// a = x + stddev · n,  n ~ N(0, 1)
/// ```
///
/// The noise comes from a counter, as the masks of [`Dropout`](super::Dropout): one number of 64 bits a value, taken to the
/// normal law by the inverse of its distribution function, so it is the same on every machine.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `stddev` | 0.1 (Keras has none) | finite, ≥ 0 |
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaussianNoise {
    stddev: f64,
}

impl GaussianNoise {
    /// Noise of that standard deviation.
    #[must_use]
    pub fn new(stddev: f64) -> Self {
        GaussianNoise { stddev }
    }

    fn apply<F: Float>(&self, noise: Option<Noise>, width: usize, from: &[F], to: &mut [F]) {
        let Some(Noise { stream, first_row }) = noise else {
            to.copy_from_slice(from);
            return;
        };
        let first = (first_row * width) as u64;
        kernel::dispatch(
            #[inline(always)]
            || {
                for (i, (to, &from)) in to.iter_mut().zip(from).enumerate() {
                    // The middle of one of 2⁵² steps: neither 0 nor 1, whose normal numbers are infinite.
                    let step = (stream.value(first + i as u64) >> 12) as f64;
                    let normal = math::inverse_normal_cdf((step + 0.5) * (1.0 / (1_u64 << 52) as f64));
                    *to = from + F::of(self.stddev * normal);
                }
            },
        );
    }
}

impl Default for GaussianNoise {
    fn default() -> Self {
        GaussianNoise { stddev: 0.1 }
    }
}

impl Configured for GaussianNoise {
    const NAME: &'static str = "gaussian_noise";

    fn check(&self) -> Result<()> {
        check("stddev", self.stddev, self.stddev.is_finite() && self.stddev >= 0.0, "finite and at least 0")
    }
}

impl<F: Float> Layer<F> for GaussianNoise {
    fn n_outputs(&self, n_inputs: usize) -> usize {
        n_inputs
    }

    fn is_random(&self) -> bool {
        self.stddev > 0.0
    }

    fn express(&self, pass: Express<'_, '_, F>) -> Option<Value> {
        Some(pass.input)
    }

    fn forward(&self, pass: Forward<'_, F>) {
        self.apply(pass.noise, pass.input.len() / pass.rows, pass.input, pass.output);
    }

    fn backward(&self, pass: Backward<'_, F>) {
        if let Some(input_delta) = pass.input_delta {
            input_delta.copy_from_slice(pass.delta);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn noise_is_normal_and_rows_may_be_split() {
        let x = vec![3.0_f64; 40_000];
        let noise = |first_row| Some(Noise { stream: Stream::new(5), first_row });
        let mut whole = vec![0.0; x.len()];
        GaussianNoise::new(2.0).apply(noise(0), 5, &x, &mut whole);
        let n = x.len() as f64;
        let mean = whole.iter().sum::<f64>() / n;
        let moment = |k: i32| whole.iter().map(|v| ((v - 3.0) / 2.0).powi(k)).sum::<f64>() / n;
        // Five standard errors: 5·2/√n of the mean, 5·√(2/n), 5·√(15/n), 5·√(96/n) of the moments.
        assert!((mean - 3.0).abs() < 0.05, "{mean}");
        assert!((moment(2) - 1.0).abs() < 0.036, "{}", moment(2));
        assert!(moment(3).abs() < 0.097, "{}", moment(3));
        assert!((moment(4) - 3.0).abs() < 0.25, "{}", moment(4));
        let mut halves = vec![0.0; x.len()];
        GaussianNoise::new(2.0).apply(noise(0), 5, &x[..15], &mut halves[..15]);
        GaussianNoise::new(2.0).apply(noise(3), 5, &x[15..], &mut halves[15..]);
        assert_eq!(whole, halves);
    }

    #[test]
    fn a_prediction_changes_nothing_and_settings_are_checked() {
        let x = [1.0_f32, -2.0, 3.0];
        let mut y = [0.0; 3];
        GaussianNoise::new(0.9).apply(None, 3, &x, &mut y);
        assert_eq!(x, y);
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(GaussianNoise::new(bad).check().is_err(), "{bad}");
        }
    }
}

//! Dropout.

use serde::{Deserialize, Serialize};

use super::{Backward, Express, Forward, Layer, Noise};
use crate::error::{Result, check};
use crate::float::Float;
use crate::kernel;
use crate::network::graph::Value;
use crate::part::Configured;

/// Inverted dropout: in training each value is dropped with probability `rate`, and those kept are scaled so that the
/// expected value stays; in a prediction nothing happens.
///
/// ```text
/// a = x · m / (1 − rate),  m = 0 with probability rate, else 1
/// ```
///
/// The masks come from a counter: value (row, column) of a batch has its own 32 random bits, whatever thread computes
/// it, and the backward pass reads them again instead of keeping them.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `rate` | 0.5 (the paper) | 0 ≤ rate < 1, in steps of 2⁻³² |
///
/// # References
///
/// N. Srivastava et al., *Dropout*, JMLR 15, 2014, section 10 (for the inverted form).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dropout {
    rate: f64,
}

impl Dropout {
    /// Drops a value with that probability.
    #[must_use]
    pub fn new(rate: f64) -> Self {
        Dropout { rate }
    }

    /// `to = from · mask`.
    fn apply<F: Float>(&self, noise: Option<Noise>, width: usize, from: &[F], to: &mut [F]) {
        let Some(Noise { stream, first_row }) = noise else {
            to.copy_from_slice(from);
            return;
        };
        let threshold = (self.rate * (1_u64 << 32) as f64) as u64;
        let scale = F::of(1.0 / (1.0 - self.rate));
        let first = (first_row * width) as u64;
        kernel::dispatch(
            #[inline(always)]
            || {
                for (i, (to, &from)) in to.iter_mut().zip(from).enumerate() {
                    // Two values share a number of 64 bits.
                    let element = first + i as u64;
                    let half = (stream.value(element >> 1) >> ((element & 1) * 32)) & 0xFFFF_FFFF;
                    *to = from * if half >= threshold { scale } else { F::zero() };
                }
            },
        );
    }
}

impl Default for Dropout {
    fn default() -> Self {
        Dropout { rate: 0.5 }
    }
}

impl Configured for Dropout {
    const NAME: &'static str = "dropout";

    fn check(&self) -> Result<()> {
        check("rate", self.rate, (0.0..1.0).contains(&self.rate), "at least 0 and below 1")
    }
}

impl<F: Float> Layer<F> for Dropout {
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
        self.apply(pass.noise, pass.input.len() / pass.rows, pass.input, pass.output);
    }

    fn backward(&self, pass: Backward<'_, F>) {
        if let Some(input_delta) = pass.input_delta {
            self.apply(pass.noise, pass.delta.len() / pass.rows, pass.delta, input_delta);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn the_expected_value_stays_and_rows_may_be_split() {
        let x = vec![1.0_f64; 40_000];
        let noise = |first_row| Some(Noise { stream: Stream::new(5), first_row });
        let mut whole = vec![0.0; x.len()];
        Dropout::new(0.1).apply(noise(0), 5, &x, &mut whole);
        let mean = whole.iter().sum::<f64>() / x.len() as f64;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
        let mut halves = vec![0.0; x.len()];
        Dropout::new(0.1).apply(noise(0), 5, &x[..15], &mut halves[..15]);
        Dropout::new(0.1).apply(noise(3), 5, &x[15..], &mut halves[15..]);
        assert_eq!(whole, halves);
    }

    #[test]
    fn values_have_the_bits_of_their_place_wherever_a_pass_begins() {
        let stream = Stream::new(9);
        let x: Vec<f32> = (0..100).map(|i| i as f32 - 50.0).collect();
        for (first_row, width) in [(0, 1), (1, 1), (3, 7), (2, 7), (5, 33)] {
            for len in [0, 1, 2, 31, 32, 33, 34, 64, 65, 100] {
                let mut y = vec![f32::NAN; len];
                Dropout::new(0.3).apply(Some(Noise { stream, first_row }), width, &x[..len], &mut y);
                for (i, (y, x)) in y.iter().zip(&x).enumerate() {
                    let element = (first_row * width + i) as u64;
                    let half = (stream.value(element / 2) >> (element % 2 * 32)) & 0xFFFF_FFFF;
                    let kept = half as f64 / (1_u64 << 32) as f64 >= 0.3;
                    assert_eq!(
                        *y,
                        x * if kept { 1.0 / 0.7 } else { 0.0 },
                        "{i} of {len} from {first_row}·{width}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_rate_of_0_and_a_prediction_change_nothing() {
        let x = [1.0_f32, -2.0, 3.0];
        let mut y = [0.0; 3];
        Dropout::new(0.0).apply(Some(Noise { stream: Stream::new(1), first_row: 0 }), 3, &x, &mut y);
        assert_eq!(x, y);
        Dropout::new(0.9).apply(None, 3, &x, &mut y);
        assert_eq!(x, y);
    }
}

//! Logarithms of probabilities, from the sums before the activation.
//!
//! ```text
//! sigmoid    ln p = −softplus(−z)        ln(1 − p) = −softplus(z)
//! softmax    ln pⱼ = (zⱼ − m) − ln(1 + Σ_{k ≠ m} e^(zₖ − m)),  m the largest of the row
//! ```
//!
//! The logarithm of a rounded probability is −∞ where p is rounded to 0, and has lost its digits where p is near 1.

use ndarray::{Array2, ArrayView2, ArrayViewMut1};

use crate::error::Result;
use crate::float::Float;
use crate::kernel::math;
use crate::network::Network;

/// ln of the logistic function, computed in `f64`.
pub(super) fn log_sigmoid<F: Float>(z: F) -> F {
    F::of(-math::softplus(-z.wide()))
}

/// The logarithms of the probabilities of some rows. `of_sigmoid` makes them of the sums before a sigmoid; behind any
/// activation but sigmoid and softmax, they are the logarithms of what `proba` makes of the outputs.
pub(super) fn log_proba<F: Float>(
    network: &Network<F>,
    x: ArrayView2<'_, F>,
    proba: impl Fn(Array2<F>) -> Array2<F>,
    of_sigmoid: impl Fn(&Array2<F>) -> Array2<F>,
) -> Result<Array2<F>> {
    let last = network.stages().last().and_then(|stage| stage.layer.ops::<F>().activation());
    match last.map(|activation| activation.name()) {
        Some("sigmoid") => Ok(of_sigmoid(&network.sums(x)?)),
        Some("softmax") => {
            let mut z = network.sums(x)?;
            z.rows_mut().into_iter().for_each(log_softmax);
            Ok(z)
        }
        _ => Ok(proba(network.predict(x)?).mapv(|p| F::of(math::ln(p.wide())))),
    }
}

/// Sums to logarithms of their softmax.
fn log_softmax<F: Float>(mut z: ArrayViewMut1<'_, F>) {
    let largest = (1..z.len()).fold(0, |best, column| if z[column] > z[best] { column } else { best });
    let top = z[largest].wide();
    let rest: f64 = (0..z.len())
        .filter(|&column| column != largest)
        .map(|column| math::exp(z[column].wide() - top))
        .sum();
    let log_total = math::ln_1p(rest);
    z.mapv_inplace(|z| F::of(z.wide() - top - log_total));
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn both_ends_keep_their_digits() {
        assert_eq!(log_sigmoid(-800.0), -800.0);
        assert_eq!(log_sigmoid(40.0), -f64::exp(-40.0));
        assert!((log_sigmoid(0.0) + std::f64::consts::LN_2).abs() < 1e-16);
        assert_eq!(log_sigmoid(-1e30_f32), -1e30);

        let mut z = array![0.0, -50.0, -900.0];
        log_softmax(z.view_mut());
        assert!((z[0] / -f64::exp(-50.0) - 1.0).abs() < 1e-15, "{}", z[0]);
        assert_eq!((z[1], z[2]), (-50.0, -900.0));
    }
}

//! Densities made of observations.

use crate::kernel::math::{exp, inverse_normal_cdf, ln, normal_cdf};
use crate::rng::Stream;

/// A density on [0, 1), or probabilities of categories, made of the places where something was observed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Parzen {
    /// A mixture of normal distributions cut off at 0 and 1.
    Normals(Vec<Normal>),
    /// Probabilities.
    Categories(Vec<f64>),
}

/// A normal distribution, with its probabilities below 0 and between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Normal {
    mean: f64,
    deviation: f64,
    below: f64,
    within: f64,
}

impl Normal {
    fn new(mean: f64, deviation: f64) -> Self {
        let below = normal_cdf(-mean / deviation);
        Normal { mean, deviation, below, within: normal_cdf((1.0 - mean) / deviation) - below }
    }
}

impl Parzen {
    /// Over [0, 1):
    ///
    /// ```text
    /// p(x) = 1/(n + 1) · (N(x; ½, 1) + Σᵢ N(x; xᵢ, σᵢ))        each N cut off at 0 and 1
    /// σᵢ = the larger distance to a neighbour (or 0 or 1), within [1/min(100, n + 2), 1]
    /// ```
    ///
    /// The term without an observation is the prior: nothing is ever ruled out.
    pub fn of_numbers(mut places: Vec<f64>) -> Self {
        places.sort_by(f64::total_cmp);
        let narrowest = 1.0 / (places.len() as f64 + 2.0).min(100.0);
        let mut normals = vec![Normal::new(0.5, 1.0)];
        for (i, &place) in places.iter().enumerate() {
            let left = if i == 0 { 0.0 } else { places[i - 1] };
            let right = places.get(i + 1).copied().unwrap_or(1.0);
            normals.push(Normal::new(place, (place - left).max(right - place).clamp(narrowest, 1.0)));
        }
        Parzen::Normals(normals)
    }

    /// Over categories: pⱼ = (nⱼ + 1) / (n + k), where nⱼ of n observations are of category j.
    pub fn of_categories(places: &[f64], categories: usize) -> Self {
        let mut counts = vec![1.0; categories];
        for &place in places {
            counts[category(place, categories)] += 1.0;
        }
        let all = (places.len() + categories) as f64;
        Parzen::Categories(counts.into_iter().map(|count| count / all).collect())
    }

    /// A place drawn from the density.
    pub fn sample(&self, stream: &mut Stream) -> f64 {
        match self {
            Parzen::Normals(normals) => {
                let Normal { mean, deviation, below, within } = normals[stream.below(normals.len())];
                let z = inverse_normal_cdf(below + stream.uniform() * within);
                // The largest number below 1, for a draw that was rounded up.
                (mean + deviation * z).clamp(0.0, 1.0 - f64::EPSILON / 2.0)
            }
            Parzen::Categories(probabilities) => {
                let (u, mut sum) = (stream.uniform(), 0.0);
                let place = probabilities.iter().position(|probability| {
                    sum += probability;
                    u < sum
                });
                (place.unwrap_or(probabilities.len() - 1) as f64 + 0.5) / probabilities.len() as f64
            }
        }
    }

    /// The logarithm of the density at a place.
    pub fn ln_density(&self, place: f64) -> f64 {
        match self {
            Parzen::Normals(normals) => {
                let density = |normal: &Normal| {
                    let z = (place - normal.mean) / normal.deviation;
                    exp(-0.5 * z * z) / (normal.deviation * normal.within)
                };
                // The factor 1/√(2π) is the same in every density and cancels.
                ln(normals.iter().map(density).sum::<f64>() / normals.len() as f64)
            }
            Parzen::Categories(probabilities) => ln(probabilities[category(place, probabilities.len())]),
        }
    }
}

/// The category at a place.
pub(super) fn category(place: f64, categories: usize) -> usize {
    ((place * categories as f64) as usize).min(categories - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn densities_integrate_to_one_and_peak_at_the_observations() {
        let parzen = Parzen::of_numbers(vec![0.0, 0.2, 0.21, 0.22, 0.9]);
        let n = 20_000;
        let density = |i: usize| exp(parzen.ln_density((i as f64 + 0.5) / n as f64));
        let mean = (0..n).map(density).sum::<f64>() / n as f64 / (2.0 * std::f64::consts::PI).sqrt();
        assert!((mean - 1.0).abs() < 1e-6, "{mean}");
        assert!(parzen.ln_density(0.21) > parzen.ln_density(0.5) + 0.3);
        let categories = Parzen::of_categories(&[0.1, 0.15, 0.9], 3);
        assert_eq!(categories, Parzen::Categories(vec![3.0 / 6.0, 1.0 / 6.0, 2.0 / 6.0]));
    }

    #[test]
    fn samples_follow_the_density() {
        let mut stream = Stream::new(1);
        let parzen = Parzen::of_numbers(vec![0.1; 20]);
        let samples: Vec<f64> = (0..2000).map(|_| parzen.sample(&mut stream)).collect();
        assert!(samples.iter().all(|place| (0.0..1.0).contains(place)));
        // A twentieth is the prior's. The outermost of equal observations reach to the ends: one of 21 is wide.
        let near = samples.iter().filter(|place| (*place - 0.1).abs() < 0.15).count();
        assert!((1500..1950).contains(&near), "{near}");
        let categories = Parzen::of_categories(&[0.9; 7], 3);
        let last = (0..3000).filter(|_| category(categories.sample(&mut stream), 3) == 2).count();
        assert!((2300..2500).contains(&last), "{last}");
    }

    #[test]
    fn without_observations_there_is_the_prior() {
        assert_eq!(Parzen::of_numbers(Vec::new()), Parzen::Normals(vec![Normal::new(0.5, 1.0)]));
        assert_eq!(Parzen::of_categories(&[], 2), Parzen::Categories(vec![0.5, 0.5]));
    }
}

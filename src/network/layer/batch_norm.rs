//! Batch normalisation.

use serde::{Deserialize, Serialize};

use super::normalized::{affine, express_affine, scale_and_offset};
use super::{Backward, Express, Forward, Gradient, Layer, Survey, Tensor, TensorsMut, check_part};
use crate::error::{Result, check};
use crate::float::Float;
use crate::kernel;
use crate::network::graph::Value;
use crate::network::initializer::{Ones, Zeros};
use crate::network::regularizer::AnyRegularizer;
use crate::part::Configured;

/// Brings each column to mean 0 and variance 1, then scales and moves it by what it learns.
///
/// ```text
/// a = γ · (x − mean) / √(variance + ε) + β
/// moving ← momentum · moving + (1 − momentum) · of the batch        for mean and biased variance, after each step
/// ```
///
/// In training mean and variance are those of the batch; in a prediction the moving ones. A batch of one row has variance 0
/// and gives `β`. A frozen layer (`trainable(false)`) uses the moving ones in training too, and leaves them as they are, as
/// in Keras.
///
/// Rows of weight 0 do not reach any layer. Other sample weights do not enter mean and variance, as in Keras; so a weight of
/// 2 is not the row twice in a network with this layer.
///
/// # Shapes
///
/// `x` (n_samples, n_inputs), `γ`, `β` and the moving values (n_inputs), `a` (n_samples, n_inputs).
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `momentum` | 0.99 | 0 ≤ momentum ≤ 1 |
/// | `epsilon` | 1e-3 | finite, > 0 |
/// | `center` | true: there is a `β`, from 0 | |
/// | `scale` | true: there is a `γ`, from 1 | |
/// | `beta_regularizer` | none | |
/// | `gamma_regularizer` | none | |
/// | `trainable` | true | |
///
/// # References
///
/// S. Ioffe, C. Szegedy, *Batch Normalization*, ICML 2015, algorithm 1. PyTorch's momentum is 1 − Keras', and its moving
/// variance the unbiased one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchNorm {
    momentum: f64,
    epsilon: f64,
    center: bool,
    scale: bool,
    beta_regularizer: Option<AnyRegularizer>,
    gamma_regularizer: Option<AnyRegularizer>,
    trainable: bool,
}

impl BatchNorm {
    /// With Keras' settings.
    #[must_use]
    pub fn new() -> Self {
        BatchNorm {
            momentum: 0.99,
            epsilon: 1e-3,
            center: true,
            scale: true,
            beta_regularizer: None,
            gamma_regularizer: None,
            trainable: true,
        }
    }

    /// The share of the moving values that a step leaves.
    #[must_use]
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// What is added to the variance.
    #[must_use]
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Whether it learns an offset `β`.
    #[must_use]
    pub fn center(mut self, center: bool) -> Self {
        self.center = center;
        self
    }

    /// Whether it learns a factor `γ`.
    #[must_use]
    pub fn scale(mut self, scale: bool) -> Self {
        self.scale = scale;
        self
    }

    /// The penalty on `β`.
    #[must_use]
    pub fn beta_regularizer(mut self, regularizer: impl Into<AnyRegularizer>) -> Self {
        self.beta_regularizer = Some(regularizer.into());
        self
    }

    /// The penalty on `γ`.
    #[must_use]
    pub fn gamma_regularizer(mut self, regularizer: impl Into<AnyRegularizer>) -> Self {
        self.gamma_regularizer = Some(regularizer.into());
        self
    }

    /// Whether training moves `γ`, `β` and the moving values.
    #[must_use]
    pub fn trainable(mut self, trainable: bool) -> Self {
        self.trainable = trainable;
        self
    }

    /// Place of the moving mean among the tensors; the moving variance follows.
    fn moving(&self) -> usize {
        usize::from(self.scale) + usize::from(self.center)
    }
}

impl Default for BatchNorm {
    fn default() -> Self {
        BatchNorm::new()
    }
}

impl Configured for BatchNorm {
    const NAME: &'static str = "batch_norm";
    const ALIASES: &'static [&'static str] = &["batch_normalization"];

    fn check(&self) -> Result<()> {
        check("momentum", self.momentum, (0.0..=1.0).contains(&self.momentum), "between 0 and 1")?;
        check("epsilon", self.epsilon, self.epsilon.is_finite() && self.epsilon > 0.0, "finite and > 0")?;
        check_part("beta_regularizer", self.beta_regularizer.as_ref())?;
        check_part("gamma_regularizer", self.gamma_regularizer.as_ref())
    }
}

/// What the rows of a batch share: five vectors.
struct Shared<'a, F> {
    mean: &'a [F],
    variance: &'a [F],
    /// 1 / √(variance + ε).
    inverse: &'a [F],
    /// Σ δ over the rows.
    deltas: &'a [F],
    /// Σ δ·n, with the normalised input n.
    products: &'a [F],
}

impl<'a, F> Shared<'a, F> {
    #[inline(always)]
    fn of(all: &'a [F]) -> Self {
        let width = all.len() / 5;
        let part = |i: usize| &all[i * width..(i + 1) * width];
        Shared { mean: part(0), variance: part(1), inverse: part(2), deltas: part(3), products: part(4) }
    }
}

impl BatchNorm {
    #[inline(always)]
    fn inverse<F: Float>(&self, variance: F) -> F {
        F::one() / kernel::math::sqrt(variance + F::of(self.epsilon))
    }
}

impl<F: Float> Layer<F> for BatchNorm {
    fn n_outputs(&self, n_inputs: usize) -> usize {
        n_inputs
    }

    fn tensors(&self, n_inputs: usize) -> Vec<Tensor> {
        let regularizers = (self.gamma_regularizer.clone(), self.beta_regularizer.clone());
        let mut tensors = affine(n_inputs, (self.scale, self.center), regularizers, self.trainable);
        let moving =
            |name, initializer| Tensor { trainable: false, ..Tensor::vector(name, n_inputs, initializer) };
        tensors.push(moving("moving_mean", Zeros.into()));
        tensors.push(Tensor { non_negative: true, ..moving("moving_variance", Ones.into()) });
        tensors
    }

    fn shared_len(&self, n_inputs: usize) -> usize {
        if self.trainable { 5 * n_inputs } else { 0 }
    }

    fn survey(&self, batch: Survey<'_, F>) {
        let width = batch.input.len() / batch.rows;
        let n = F::of(batch.rows as f64);
        let (mean, rest) = batch.shared.split_at_mut(width);
        let (variance, rest) = rest.split_at_mut(width);
        kernel::column_sums(batch.rows, width, batch.input, mean);
        mean.iter_mut().for_each(|mean| *mean /= n);
        variance.fill(F::zero());
        kernel::dispatch(
            #[inline(always)]
            || {
                for row in batch.input.chunks_exact(width) {
                    for ((sum, &x), &mean) in variance.iter_mut().zip(row).zip(&*mean) {
                        *sum += (x - mean) * (x - mean);
                    }
                }
            },
        );
        for (inverse, variance) in rest.iter_mut().zip(variance) {
            *variance /= n;
            *inverse = self.inverse(*variance);
        }
    }

    fn survey_deltas(&self, batch: Survey<'_, F>) {
        let width = batch.input.len() / batch.rows;
        let (statistics, sums) = batch.shared.split_at_mut(3 * width);
        let (mean, inverse) = (&statistics[..width], &statistics[2 * width..]);
        let (deltas, products) = sums.split_at_mut(width);
        kernel::column_sums(batch.rows, width, batch.delta, deltas);
        products.fill(F::zero());
        kernel::dispatch(
            #[inline(always)]
            || {
                for (row, delta) in batch.input.chunks_exact(width).zip(batch.delta.chunks_exact(width)) {
                    for (i, sum) in products.iter_mut().enumerate() {
                        *sum += delta[i] * ((row[i] - mean[i]) * inverse[i]);
                    }
                }
            },
        );
    }

    fn remember(&self, _n_inputs: usize, shared: &[F], mut weights: TensorsMut<'_, F>) {
        let shared = Shared::of(shared);
        let (keep, take) = (F::of(self.momentum), F::of(1.0 - self.momentum));
        for (i, of_batch) in [shared.mean, shared.variance].into_iter().enumerate() {
            for (moving, &new) in weights.get(self.moving() + i).iter_mut().zip(of_batch) {
                *moving = *moving * keep + new * take;
            }
        }
    }

    fn express(&self, pass: Express<'_, '_, F>) -> Option<Value> {
        let Express { graph, input, n_inputs, weights, .. } = pass;
        let mean = weights.constant(graph, "moving_mean", self.moving(), &[n_inputs]);
        let variance = weights.get(self.moving() + 1).iter();
        let deviation = variance.map(|variance| (variance.wide() + self.epsilon).sqrt()).collect();
        let deviation = graph.vector("deviation", deviation);
        let centred = graph.apply("Sub", &[input, mean]);
        let normal = graph.apply("Div", &[centred, deviation]);
        Some(express_affine(graph, normal, n_inputs, weights, (self.scale, self.center)))
    }

    fn forward(&self, pass: Forward<'_, F>) {
        let width = pass.input.len() / pass.rows;
        let (gamma, beta) = scale_and_offset(pass.weights, self.scale, self.center);
        let shared = (!pass.shared.is_empty()).then(|| Shared::of(pass.shared));
        let moving_variance = pass.weights.get(self.moving() + 1);
        let mean = shared.as_ref().map_or(pass.weights.get(self.moving()), |shared| shared.mean);
        kernel::dispatch(
            #[inline(always)]
            || {
                for (from, to) in pass.input.chunks_exact(width).zip(pass.output.chunks_exact_mut(width)) {
                    to.iter_mut().zip(from).zip(mean).for_each(|((to, &x), &mean)| *to = x - mean);
                    match &shared {
                        Some(shared) => {
                            to.iter_mut().zip(shared.inverse).for_each(|(to, &inverse)| *to *= inverse)
                        }
                        None => {
                            to.iter_mut()
                                .zip(moving_variance)
                                .for_each(|(to, &variance)| *to *= self.inverse(variance));
                        }
                    }
                    if let Some(gamma) = gamma {
                        to.iter_mut().zip(gamma).for_each(|(to, &gamma)| *to *= gamma);
                    }
                    if let Some(beta) = beta {
                        to.iter_mut().zip(beta).for_each(|(to, &beta)| *to += beta);
                    }
                }
            },
        );
    }

    /// ∂loss/∂x = γ/√(variance + ε) · (δ − Σδ/n − normalised·Σ(δ·normalised)/n); the moving values of a frozen layer are
    /// constants, and leave the first term alone.
    fn backward(&self, pass: Backward<'_, F>) {
        let Some(input_delta) = pass.input_delta else { return };
        let width = pass.input.len() / pass.rows;
        let (gamma, _) = scale_and_offset(pass.weights, self.scale, self.center);
        let moving_variance = pass.weights.get(self.moving() + 1);
        let share = F::of(1.0 / pass.batch_rows as f64);
        let rows = pass.input.chunks_exact(width).zip(pass.delta.chunks_exact(width));
        kernel::dispatch(
            #[inline(always)]
            || {
                for ((x, delta), to) in rows.zip(input_delta.chunks_exact_mut(width)) {
                    if pass.shared.is_empty() {
                        for (i, to) in to.iter_mut().enumerate() {
                            *to = delta[i] * self.inverse(moving_variance[i]);
                        }
                    } else {
                        let Shared { mean, inverse, deltas, products, .. } = Shared::of(pass.shared);
                        for (i, to) in to.iter_mut().enumerate() {
                            let normal = (x[i] - mean[i]) * inverse[i];
                            *to = (delta[i] - (deltas[i] + normal * products[i]) * share) * inverse[i];
                        }
                    }
                    if let Some(gamma) = gamma {
                        to.iter_mut().zip(gamma).for_each(|(to, &gamma)| *to *= gamma);
                    }
                }
            },
        );
    }

    fn gradient(&self, mut pass: Gradient<'_, F>) {
        let shared = Shared::of(pass.shared);
        if self.scale {
            pass.gradient.get(0).copy_from_slice(shared.products);
        }
        if self.center {
            pass.gradient.get(usize::from(self.scale)).copy_from_slice(shared.deltas);
        }
    }
}

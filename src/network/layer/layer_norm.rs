//! Layer normalisation.

use serde::{Deserialize, Serialize};

use super::normalized::{add_products, affine, express_affine, scale_and_offset};
use super::{Backward, Express, Forward, Gradient, Layer, Tensor, check_part};
use crate::error::{Result, check};
use crate::float::Float;
use crate::kernel;
use crate::network::graph::{Attribute, Graph, Value};
use crate::network::regularizer::AnyRegularizer;
use crate::part::Configured;

/// Brings each row to mean 0 and variance 1, then scales and moves each column by what it learns.
///
/// ```text
/// a = γ · (x − mean) / √(variance + ε) + β        mean and biased variance over the columns of the row
/// ```
///
/// Sums are taken in `f64`, in the fixed order of [`kernel::sum`].
///
/// # Shapes
///
/// `x` (n_samples, n_inputs), `γ` and `β` (n_inputs), `a` (n_samples, n_inputs).
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `epsilon` | 1e-3 | finite, > 0 |
/// | `center` | true: there is a `β`, from 0 | |
/// | `scale` | true: there is a `γ`, from 1 | |
/// | `beta_regularizer` | none | |
/// | `gamma_regularizer` | none | |
/// | `trainable` | true | |
///
/// # References
///
/// J. L. Ba, J. R. Kiros, G. E. Hinton, *Layer Normalization*, arXiv:1607.06450, equation 4. PyTorch's ε is 1e-5.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LayerNorm {
    epsilon: f64,
    center: bool,
    scale: bool,
    beta_regularizer: Option<AnyRegularizer>,
    gamma_regularizer: Option<AnyRegularizer>,
    trainable: bool,
}

impl LayerNorm {
    /// With Keras' settings.
    #[must_use]
    pub fn new() -> Self {
        LayerNorm {
            epsilon: 1e-3,
            center: true,
            scale: true,
            beta_regularizer: None,
            gamma_regularizer: None,
            trainable: true,
        }
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

    /// Whether training moves `γ` and `β`.
    #[must_use]
    pub fn trainable(mut self, trainable: bool) -> Self {
        self.trainable = trainable;
        self
    }
}

impl Default for LayerNorm {
    fn default() -> Self {
        LayerNorm::new()
    }
}

impl Configured for LayerNorm {
    const NAME: &'static str = "layer_norm";
    const ALIASES: &'static [&'static str] = &["layer_normalization"];

    fn check(&self) -> Result<()> {
        check("epsilon", self.epsilon, self.epsilon.is_finite() && self.epsilon > 0.0, "finite and > 0")?;
        check_part("beta_regularizer", self.beta_regularizer.as_ref())?;
        check_part("gamma_regularizer", self.gamma_regularizer.as_ref())
    }
}

impl<F: Float> Layer<F> for LayerNorm {
    fn n_outputs(&self, n_inputs: usize) -> usize {
        n_inputs
    }

    fn tensors(&self, n_inputs: usize) -> Vec<Tensor> {
        let regularizers = (self.gamma_regularizer.clone(), self.beta_regularizer.clone());
        affine(n_inputs, (self.scale, self.center), regularizers, self.trainable)
    }

    // The normalised row, and 1 / √(variance + ε).
    fn kept_width(&self, n_inputs: usize) -> usize {
        n_inputs + 1
    }

    // Written out: the operator of that name is younger than many runtimes, and sums as it likes.
    fn express(&self, pass: Express<'_, '_, F>) -> Option<Value> {
        let Express { graph, input, n_inputs, weights, .. } = pass;
        let mean = |graph: &mut Graph<'_, F>, x| {
            let settings = vec![("axes", Attribute::Ints(vec![-1])), ("keepdims", Attribute::Int(1))];
            graph.apply_with("ReduceMean", &[x], settings)
        };
        let centre = mean(graph, input);
        let centred = graph.apply("Sub", &[input, centre]);
        let squares = graph.apply("Mul", &[centred, centred]);
        let variance = mean(graph, squares);
        let epsilon = graph.scalar(self.epsilon);
        let enough = graph.apply("Add", &[variance, epsilon]);
        let deviation = graph.apply("Sqrt", &[enough]);
        let normal = graph.apply("Div", &[centred, deviation]);
        Some(express_affine(graph, normal, n_inputs, weights, (self.scale, self.center)))
    }

    fn forward(&self, pass: Forward<'_, F>) {
        let width = pass.input.len() / pass.rows;
        let (gamma, beta) = scale_and_offset(pass.weights, self.scale, self.center);
        let mut kept = pass.kept.chunks_exact_mut(width + 1);
        kernel::dispatch(
            #[inline(always)]
            || {
                for (from, to) in pass.input.chunks_exact(width).zip(pass.output.chunks_exact_mut(width)) {
                    let mean = F::of(kernel::sum(from) / width as f64);
                    to.iter_mut().zip(from).for_each(|(to, &from)| *to = from - mean);
                    let variance = kernel::sum_of_squares(to) / width as f64;
                    let inverse = F::of(1.0 / (variance + self.epsilon).sqrt());
                    to.iter_mut().for_each(|to| *to *= inverse);
                    if let Some(kept) = kept.next() {
                        kept[..width].copy_from_slice(to);
                        kept[width] = inverse;
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

    /// With `g = γ·δ` and the normalised row `n`: ∂loss/∂x = (g − mean(g) − n·mean(g·n)) / √(variance + ε).
    fn backward(&self, pass: Backward<'_, F>) {
        let Some(input_delta) = pass.input_delta else { return };
        let width = pass.input.len() / pass.rows;
        let (gamma, _) = scale_and_offset(pass.weights, self.scale, self.center);
        let rows = pass.delta.chunks_exact(width).zip(input_delta.chunks_exact_mut(width));
        kernel::dispatch(
            #[inline(always)]
            || {
                for ((delta, to), kept) in rows.zip(pass.kept.chunks_exact(width + 1)) {
                    let (normal, inverse) = (&kept[..width], kept[width]);
                    to.copy_from_slice(delta);
                    if let Some(gamma) = gamma {
                        to.iter_mut().zip(gamma).for_each(|(to, &gamma)| *to *= gamma);
                    }
                    let mean = F::of(kernel::sum(to) / width as f64);
                    let slope = F::of(kernel::dot(to, normal) / width as f64);
                    for (to, &n) in to.iter_mut().zip(normal) {
                        *to = (*to - mean - n * slope) * inverse;
                    }
                }
            },
        );
    }

    fn gradient(&self, mut pass: Gradient<'_, F>) {
        let width = pass.input.len() / pass.rows;
        if self.scale {
            let gamma = pass.gradient.get(0);
            gamma.fill(F::zero());
            kernel::dispatch(
                #[inline(always)]
                || {
                    for (delta, kept) in pass.delta.chunks_exact(width).zip(pass.kept.chunks_exact(width + 1))
                    {
                        add_products(delta, &kept[..width], gamma);
                    }
                },
            );
        }
        if self.center {
            kernel::column_sums(pass.rows, width, pass.delta, pass.gradient.get(usize::from(self.scale)));
        }
    }
}

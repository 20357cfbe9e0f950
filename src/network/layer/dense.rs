//! The fully connected layer.

use serde::{Deserialize, Serialize};

use super::{Backward, Express, Forward, Gradient, Layer, Tensor, Tensors, check_part};
use crate::error::{Result, check};
use crate::float::Float;
use crate::kernel;
use crate::network::activation::{AnyActivation, Identity, Keeps};
use crate::network::constraint::AnyConstraint;
use crate::network::graph::{Precision, Value};
use crate::network::initializer::{AnyInitializer, GlorotUniform, Zeros};
use crate::network::regularizer::AnyRegularizer;
use crate::part::Configured;

/// The most units a layer may have: 2²⁴.
pub(crate) const MAX_UNITS: usize = 1 << 24;

/// The fully connected layer.
///
/// ```text
/// a = activation(x · W + b)
/// ```
///
/// # Shapes
///
/// `x` (n_samples, fan_in), `W` (fan_in, units), `b` (units), `a` (n_samples, units).
///
/// | setting | default (Keras') | range |
/// | --- | --- | --- |
/// | `units` | – | 1 to 2²⁴ |
/// | `activation` | identity | |
/// | `use_bias` | true | |
/// | `kernel_initializer` | Glorot uniform | |
/// | `bias_initializer` | zeros | |
/// | `kernel_regularizer` | none | |
/// | `bias_regularizer` | none | |
/// | `activity_regularizer` | none | |
/// | `kernel_constraint` | none | |
/// | `bias_constraint` | none | |
/// | `trainable` | true | |
///
/// ```
/// use linfa_mlp::network::{Dense, L1, Relu};
///
/// let layer = Dense::new(128).activation(Relu).kernel_regularizer(L1::new(1e-5));
/// assert_eq!(layer.units(), 128);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    units: usize,
    #[serde(default = "identity")]
    activation: AnyActivation,
    #[serde(default = "yes")]
    use_bias: bool,
    #[serde(default = "glorot_uniform")]
    kernel_initializer: AnyInitializer,
    #[serde(default = "zeros")]
    bias_initializer: AnyInitializer,
    #[serde(default)]
    kernel_regularizer: Option<AnyRegularizer>,
    #[serde(default)]
    bias_regularizer: Option<AnyRegularizer>,
    #[serde(default)]
    activity_regularizer: Option<AnyRegularizer>,
    #[serde(default)]
    kernel_constraint: Option<AnyConstraint>,
    #[serde(default)]
    bias_constraint: Option<AnyConstraint>,
    #[serde(default = "yes")]
    trainable: bool,
}

fn identity() -> AnyActivation {
    Identity.into()
}

fn yes() -> bool {
    true
}

fn glorot_uniform() -> AnyInitializer {
    GlorotUniform.into()
}

fn zeros() -> AnyInitializer {
    Zeros.into()
}

impl Dense {
    /// A layer of that many units.
    #[must_use]
    pub fn new(units: usize) -> Self {
        Dense {
            units,
            activation: identity(),
            use_bias: true,
            kernel_initializer: glorot_uniform(),
            bias_initializer: zeros(),
            kernel_regularizer: None,
            bias_regularizer: None,
            activity_regularizer: None,
            kernel_constraint: None,
            bias_constraint: None,
            trainable: true,
        }
    }

    /// The function at its end.
    #[must_use]
    pub fn activation(mut self, activation: impl Into<AnyActivation>) -> Self {
        self.activation = activation.into();
        self
    }

    /// Whether a bias is added.
    #[must_use]
    pub fn use_bias(mut self, use_bias: bool) -> Self {
        self.use_bias = use_bias;
        self
    }

    /// The law of the first weights.
    #[must_use]
    pub fn kernel_initializer(mut self, initializer: impl Into<AnyInitializer>) -> Self {
        self.kernel_initializer = initializer.into();
        self
    }

    /// The law of the first biases.
    #[must_use]
    pub fn bias_initializer(mut self, initializer: impl Into<AnyInitializer>) -> Self {
        self.bias_initializer = initializer.into();
        self
    }

    /// The penalty on the weights.
    #[must_use]
    pub fn kernel_regularizer(mut self, regularizer: impl Into<AnyRegularizer>) -> Self {
        self.kernel_regularizer = Some(regularizer.into());
        self
    }

    /// The penalty on the biases.
    #[must_use]
    pub fn bias_regularizer(mut self, regularizer: impl Into<AnyRegularizer>) -> Self {
        self.bias_regularizer = Some(regularizer.into());
        self
    }

    /// The penalty on its output: the mean over the rows, weighted by the sample weights, of the penalty on the output of each. In
    /// training and in validation, of a frozen layer too.
    ///
    /// For a sum over elements, as L1 and L2 are, that is Keras' penalty of the batch divided by its rows.
    #[must_use]
    pub fn activity_regularizer(mut self, regularizer: impl Into<AnyRegularizer>) -> Self {
        self.activity_regularizer = Some(regularizer.into());
        self
    }

    /// What the weights obey after each update.
    #[must_use]
    pub fn kernel_constraint(mut self, constraint: impl Into<AnyConstraint>) -> Self {
        self.kernel_constraint = Some(constraint.into());
        self
    }

    /// What the biases obey after each update; a norm is that of all biases together.
    #[must_use]
    pub fn bias_constraint(mut self, constraint: impl Into<AnyConstraint>) -> Self {
        self.bias_constraint = Some(constraint.into());
        self
    }

    /// Whether training moves weights and biases. Those of a frozen layer have no penalty either, as in Keras.
    #[must_use]
    pub fn trainable(mut self, trainable: bool) -> Self {
        self.trainable = trainable;
        self
    }

    /// Number of units.
    #[must_use]
    pub fn units(&self) -> usize {
        self.units
    }

    /// What the derivative of the activation needs.
    fn keeps<F: Float>(&self) -> Keeps {
        self.activation.ops::<F>().keeps()
    }
}

impl Configured for Dense {
    const NAME: &'static str = "dense";

    fn check(&self) -> Result<()> {
        check("units", self.units, (1..=MAX_UNITS).contains(&self.units), "between 1 and 16777216")?;
        check_part("activation", Some(&self.activation))?;
        check_part("kernel_initializer", Some(&self.kernel_initializer))?;
        check_part("bias_initializer", Some(&self.bias_initializer))?;
        check_part("kernel_regularizer", self.kernel_regularizer.as_ref())?;
        check_part("bias_regularizer", self.bias_regularizer.as_ref())?;
        check_part("activity_regularizer", self.activity_regularizer.as_ref())?;
        check_part("kernel_constraint", self.kernel_constraint.as_ref())?;
        check_part("bias_constraint", self.bias_constraint.as_ref())
    }
}

const KERNEL: usize = 0;
const BIAS: usize = 1;

impl<F: Float> Layer<F> for Dense {
    fn n_outputs(&self, _n_inputs: usize) -> usize {
        self.units
    }

    fn tensors(&self, n_inputs: usize) -> Vec<Tensor> {
        let kernel = Tensor {
            regularizer: self.kernel_regularizer.clone(),
            constraint: self.kernel_constraint.clone(),
            trainable: self.trainable,
            ..Tensor::new("kernel", n_inputs, self.units, self.kernel_initializer.clone())
        };
        let bias = Tensor {
            regularizer: self.bias_regularizer.clone(),
            constraint: self.bias_constraint.clone(),
            trainable: self.trainable,
            ..Tensor::vector("bias", self.units, self.bias_initializer.clone())
        };
        if self.use_bias { vec![kernel, bias] } else { vec![kernel] }
    }

    fn activation(&self) -> Option<&AnyActivation> {
        Some(&self.activation)
    }

    fn activity_regularizer(&self) -> Option<&AnyRegularizer> {
        self.activity_regularizer.as_ref()
    }

    fn kept_width(&self, _n_inputs: usize) -> usize {
        if self.keeps::<F>() == Keeps::Input { self.units } else { 0 }
    }

    // The weights, transposed: the backward pass reads them by rows.
    fn scratch_len(&self, n_inputs: usize) -> usize {
        n_inputs * self.units
    }

    fn prepare(&self, n_inputs: usize, weights: Tensors<'_, F>, scratch: &mut [F]) {
        kernel::transpose(n_inputs, self.units, weights.get(KERNEL), scratch);
    }

    fn express(&self, pass: Express<'_, '_, F>) -> Option<Value> {
        let Express { graph, input, n_inputs, weights, .. } = pass;
        let kernel = weights.constant(graph, "kernel", KERNEL, &[n_inputs, self.units]);
        let bias = self.use_bias.then(|| weights.constant(graph, "bias", BIAS, &[self.units]));
        // Not `MatMul`, into which runtimes fold a scaling by one number, which they round to `f32`. Nor is a bias a part of
        // it in `f64`: some runtimes keep the factor of that part in `f32`, and refuse their product.
        let z = match bias {
            Some(bias) if graph.precision() == Precision::Single => {
                graph.apply("Gemm", &[input, kernel, bias])
            }
            Some(bias) => {
                let product = graph.apply("Gemm", &[input, kernel]);
                graph.apply("Add", &[product, bias])
            }
            None => graph.apply("Gemm", &[input, kernel]),
        };
        self.activation.ops::<F>().express(graph, z)
    }

    fn forward(&self, pass: Forward<'_, F>) {
        let n_inputs = pass.input.len() / pass.rows;
        let bias = self.use_bias.then(|| pass.weights.get(BIAS));
        let kernel = pass.weights.get(KERNEL);
        kernel::dense_forward(pass.rows, n_inputs, self.units, pass.input, kernel, bias, pass.output);
        if pass.without_activation {
            return;
        }
        if self.keeps::<F>() == Keeps::Input && !pass.kept.is_empty() {
            pass.kept.copy_from_slice(pass.output);
        }
        self.activation.ops::<F>().forward(pass.output, self.units);
    }

    fn backward(&self, pass: Backward<'_, F>) {
        if !pass.without_activation {
            let kept = match self.keeps::<F>() {
                Keeps::Input => pass.kept,
                Keeps::Output => pass.output,
            };
            self.activation.ops::<F>().backward(kept, pass.delta, self.units);
        }
        if let Some(input_delta) = pass.input_delta {
            let n_inputs = input_delta.len() / pass.rows;
            kernel::dense_input_gradient(
                pass.rows,
                n_inputs,
                self.units,
                pass.delta,
                pass.scratch,
                input_delta,
            );
        }
    }

    fn divides_gradient(&self) -> bool {
        true
    }

    fn gradient(&self, mut pass: Gradient<'_, F>) {
        let n_inputs = pass.input.len() / pass.rows;
        let is_last = pass.part.end == n_inputs;
        if pass.part.len() < n_inputs {
            kernel::fetch_columns(pass.input, n_inputs, (pass.part.start, pass.part.end));
        }
        kernel::dense_weight_gradient(
            pass.rows,
            n_inputs,
            self.units,
            pass.part,
            pass.input,
            pass.delta,
            pass.gradient.get(KERNEL),
        );
        if self.use_bias && is_last {
            kernel::column_sums(pass.rows, self.units, pass.delta, pass.gradient.get(BIAS));
        }
    }
}

//! An activation as a layer of its own.

use serde::{Deserialize, Serialize};

use super::{Backward, Express, Forward, Layer, check_part};
use crate::error::Result;
use crate::float::Float;
use crate::network::activation::{AnyActivation, Keeps};
use crate::network::graph::Value;
use crate::part::Configured;

/// An activation as a layer of its own, for where it does not stand at the end of a [`Dense`](super::Dense) one: after a
/// normalisation, say.
///
/// ```text
/// a = activation(x)
/// ```
///
/// # Shapes
///
/// `x` and `a` (n_samples, n_inputs).
///
/// ```
/// use linfa_mlp::network::{ActivationLayer, BatchNorm, Dense, Relu, Sequential};
///
/// let network = Sequential::new()
///     .add(Dense::new(16).use_bias(false))
///     .add(BatchNorm::new())
///     .add(ActivationLayer::new(Relu))
///     .add(Dense::new(1));
/// assert_eq!(network.count_params(4)?, 4 * 16 + 4 * 16 + (16 + 1));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[doc(alias = "Activation")]
pub struct ActivationLayer {
    activation: AnyActivation,
}

impl ActivationLayer {
    /// A layer of that activation.
    #[must_use]
    pub fn new(activation: impl Into<AnyActivation>) -> Self {
        ActivationLayer { activation: activation.into() }
    }
}

impl Configured for ActivationLayer {
    const NAME: &'static str = "activation";

    fn check(&self) -> Result<()> {
        check_part("activation", Some(&self.activation))
    }
}

impl<F: Float> Layer<F> for ActivationLayer {
    fn n_outputs(&self, n_inputs: usize) -> usize {
        n_inputs
    }

    fn activation(&self) -> Option<&AnyActivation> {
        Some(&self.activation)
    }

    fn express(&self, pass: Express<'_, '_, F>) -> Option<Value> {
        self.activation.ops::<F>().express(pass.graph, pass.input)
    }

    fn forward(&self, pass: Forward<'_, F>) {
        pass.output.copy_from_slice(pass.input);
        if !pass.without_activation {
            self.activation.ops::<F>().forward(pass.output, pass.input.len() / pass.rows);
        }
    }

    fn backward(&self, pass: Backward<'_, F>) {
        let Some(input_delta) = pass.input_delta else { return };
        if !pass.without_activation {
            let ops = self.activation.ops::<F>();
            // What a dense layer has to keep is here the input.
            let kept = if ops.keeps() == Keeps::Input { pass.input } else { pass.output };
            ops.backward(kept, pass.delta, pass.input.len() / pass.rows);
        }
        input_delta.copy_from_slice(pass.delta);
    }
}

//! The residual connection.

use serde::{Deserialize, Serialize};

use super::{Backward, Express, Forward, Layer};
use crate::error::{Result, check};
use crate::float::Float;
use crate::network::graph::Value;
use crate::network::sequential::Sequential;
use crate::part::Configured;

/// Adds to its input what some layers make of it.
///
/// ```text
/// a = x + f(x)
/// ```
///
/// The layers may be of any kind, residual ones too; the last one has to give as many columns as come in, which is seen when the
/// network is built. Their names in the network bear this one's before theirs: `residual_1/dense_1`.
///
/// # Shapes
///
/// `x`, `f(x)` and `a` (n_samples, n_inputs).
///
/// ```
/// use linfa_mlp::network::{Dense, Relu, Residual, Sequential};
///
/// let block = Residual::new(Sequential::new().add(Dense::new(16).activation(Relu)).add(Dense::new(8)));
/// let network = Sequential::new().add(Dense::new(8).activation(Relu)).add(block).add(Dense::new(1));
/// assert_eq!(network.count_params(4)?, (4 + 1) * 8 + (8 + 1) * 16 + (16 + 1) * 8 + (8 + 1));
///
/// let narrower = Residual::new(Sequential::new().add(Dense::new(7)));
/// assert!(Sequential::new().add(Dense::new(8)).add(narrower).build::<f32>(4, 0).is_err());
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
///
/// # References
///
/// K. He, X. Zhang, S. Ren, J. Sun, *Deep Residual Learning for Image Recognition*, CVPR 2016, eq. 1. Keras writes it as
/// `Add()([x, f(x)])` of its functional models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residual {
    layers: Sequential,
}

impl Residual {
    /// Around those layers.
    #[must_use]
    pub fn new(layers: Sequential) -> Self {
        Residual { layers }
    }
}

impl Configured for Residual {
    const NAME: &'static str = "residual";

    fn check(&self) -> Result<()> {
        let layers = self.layers.layers().len();
        check("number of layers", layers, layers >= 1, "at least 1")?;
        self.layers.check()
    }
}

impl<F: Float> Layer<F> for Residual {
    fn n_outputs(&self, n_inputs: usize) -> usize {
        n_inputs
    }

    fn branch(&self) -> Option<&Sequential> {
        Some(&self.layers)
    }

    fn check_branch(&self, n_inputs: usize, n_branch: usize) -> Result<()> {
        let allowed = format!("{n_inputs}, as of the input that it is added to");
        check("the output width of the residual's last layer", n_branch, n_branch == n_inputs, &allowed)
    }

    fn express(&self, pass: Express<'_, '_, F>) -> Option<Value> {
        Some(pass.graph.apply("Add", &[pass.skip?, pass.input]))
    }

    fn forward(&self, pass: Forward<'_, F>) {
        for ((to, &x), &of_x) in pass.output.iter_mut().zip(pass.skip).zip(pass.input) {
            *to = x + of_x;
        }
    }

    fn backward(&self, pass: Backward<'_, F>) {
        for to in [pass.input_delta, pass.skip_delta].into_iter().flatten() {
            to.copy_from_slice(pass.delta);
        }
    }
}

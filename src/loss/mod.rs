//! Losses: what training makes small.
//!
//! | name | loss of a row |
//! | --- | --- |
//! | [`MeanSquaredError`] | mean (ŷ − y)² |
//! | [`MeanAbsoluteError`] | mean \|ŷ − y\| |
//! | [`Huber`] | quadratic near 0, linear beyond |
//! | [`LogCosh`] | mean ln cosh(ŷ − y) |
//! | [`Poisson`] | mean (ŷ − y ln ŷ) |
//! | [`BinaryCrossEntropy`] | mean over columns of −y ln ŷ − (1 − y) ln(1 − ŷ) |
//! | [`CategoricalCrossEntropy`] | −Σ y ln ŷ, targets one-hot |
//! | [`SparseCategoricalCrossEntropy`] | −ln ŷ of the true class, targets class indices |
//!
//! The loss of a batch is the mean over its rows, weighted by the sample weights: `Σ wᵢ ℓᵢ / Σ wᵢ`, so that weight 2 is
//! the row twice and weight 0 the row absent. (Keras divides by the number of rows instead.) Penalties of
//! regularisers come on top. Logarithms are natural.
//!
//! **Cross-entropy behind its activation** (softmax or sigmoid) is computed from the sums z, as one: exact where
//! the two in turn would overflow, and with the plain gradient ŷ − y.

use std::sync::Arc;

use crate::float::Float;
use crate::part::{Configured, Member, Part, Room};

mod binary_cross_entropy;
mod categorical_cross_entropy;
mod huber;
mod log_cosh;
mod mean_absolute_error;
mod mean_squared_error;
mod poisson;

pub use binary_cross_entropy::BinaryCrossEntropy;
pub use categorical_cross_entropy::{CategoricalCrossEntropy, SparseCategoricalCrossEntropy};
pub use huber::Huber;
pub use log_cosh::LogCosh;
pub use mean_absolute_error::MeanAbsoluteError;
pub use mean_squared_error::MeanSquaredError;
pub use poisson::Poisson;

/// Rows of targets and outputs whose losses are asked for.
///
/// # Shapes
///
/// `targets` rows × target_width, `outputs` and `gradient` rows × n_outputs, `losses` rows.
#[derive(Debug)]
pub struct Rows<'a, F> {
    /// The true values.
    pub targets: &'a [F],
    /// The outputs of the network; sums z where the loss takes over the activation, which it replaces by outputs.
    pub outputs: &'a mut [F],
    /// Columns of `outputs`.
    pub n_outputs: usize,
    /// The loss of each row, to be written.
    pub losses: &'a mut [F],
    /// The gradient of each row's loss with respect to `outputs` as they came in, to be written if there.
    pub gradient: Option<&'a mut [F]>,
}

/// A measure of error that can be differentiated.
pub trait Loss<F: Float>: Send + Sync {
    /// Columns of the targets for that many outputs.
    fn target_width(&self, n_outputs: usize) -> usize {
        n_outputs
    }

    /// Whether a target value is allowed.
    fn allows(&self, target: f64, _n_outputs: usize) -> bool {
        target.is_finite()
    }

    /// What [`allows`](Self::allows) allows, for the error message.
    fn allowed(&self, _n_outputs: usize) -> String {
        "finite".into()
    }

    /// Whether each output is a yes-or-no question of its own, so that metrics read several columns as labels.
    fn independent_outputs(&self) -> bool {
        false
    }

    /// The name of the activation that the loss can take over, computing both from the sums z.
    fn takes_over(&self) -> Option<&'static str> {
        None
    }

    /// Writes losses and gradients; with `from_sums` the outputs are sums z, to be replaced by the activation of them.
    fn rows(&self, rows: Rows<'_, F>, from_sums: bool);
}

/// The room of losses.
#[derive(Debug)]
pub enum Losses {}

/// Any loss: by value, or by name with `"mean_squared_error".parse()`.
pub type AnyLoss = Part<Losses>;

impl Room for Losses {
    type Ops<F: Float> = dyn Loss<F>;
    const KIND: &'static str = "loss";

    fn members() -> &'static [Member<Self>] {
        const MEMBERS: &[Member<Losses>] = &[
            Member::of::<MeanSquaredError>(),
            Member::of::<MeanAbsoluteError>(),
            Member::of::<Huber>(),
            Member::of::<LogCosh>(),
            Member::of::<Poisson>(),
            Member::of::<BinaryCrossEntropy>(),
            Member::of::<CategoricalCrossEntropy>(),
            Member::of::<SparseCategoricalCrossEntropy>(),
        ];
        MEMBERS
    }
}

impl<L: Configured + Loss<f32> + Loss<f64>> From<L> for AnyLoss {
    fn from(loss: L) -> Self {
        let part = Arc::new(loss);
        let single: Arc<dyn Loss<f32>> = part.clone();
        let double: Arc<dyn Loss<f64>> = part.clone();
        Part::assemble(part, single, double)
    }
}

/// The mean over the columns of a value for each element: `(loss, derivative)` by `element(output, target)`.
fn mean_over_columns<F: Float>(rows: Rows<'_, F>, element: impl Fn(F, F) -> (F, F)) {
    let share = F::of(1.0 / rows.n_outputs as f64);
    let mut gradient = rows.gradient;
    for (i, loss) in rows.losses.iter_mut().enumerate() {
        let at = i * rows.n_outputs..(i + 1) * rows.n_outputs;
        let mut total = F::zero();
        for j in at {
            let (value, derivative) = element(rows.outputs[j], rows.targets[j]);
            total += value;
            if let Some(gradient) = gradient.as_deref_mut() {
                gradient[j] = derivative * share;
            }
        }
        *loss = total * share;
    }
}

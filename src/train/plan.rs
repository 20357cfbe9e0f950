//! What is trained, and how.

use serde::{Deserialize, Serialize};

use crate::callback::AnyCallback;
use crate::error::{Error, Result, check};
use crate::float::Float;
use crate::loss::AnyLoss;
use crate::metric::{AnyMetric, Task};
use crate::network::Sequential;
use crate::optimizer::AnyOptimizer;

use super::Rows;
use super::rows::check_any_weight;

/// All settings of a run but its data and its length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The network.
    pub network: Sequential,
    /// What training makes small.
    pub loss: AnyLoss,
    /// How weights move.
    pub optimizer: AnyOptimizer,
    /// What is reported beside the loss.
    pub metrics: Vec<AnyMetric>,
    /// Rows of a batch; the last batch of an epoch may have fewer. An optimizer that reads all rows at once wants all of
    /// them, or more: `usize::MAX`.
    pub batch_size: usize,
    /// Whether rows are shuffled anew in each epoch.
    pub shuffle: bool,
    /// What all random streams derive from.
    pub seed: u64,
    /// Prototypes of the callbacks. Closures are left out where a plan is written to a file.
    #[serde(serialize_with = "crate::callback::serialize_saved")]
    pub callbacks: Vec<AnyCallback>,
}

impl Plan {
    /// Checks every setting, one line each.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](crate::Error::Parameter) names the first setting that is outside its range.
    pub fn check(&self) -> Result<()> {
        let layers = self.network.layers().len();
        check("number of layers", layers, layers >= 1, "at least 1")?;
        self.network.check()?;
        self.loss.check()?;
        self.optimizer.check()?;
        self.metrics.iter().try_for_each(AnyMetric::check)?;
        check("batch_size", self.batch_size, self.batch_size >= 1, "at least 1")?;
        check_search(&self.optimizer, &self.network)?;
        self.callbacks.iter().try_for_each(AnyCallback::check)
    }

    /// Whether the network, built for that many features, and the loss can read these rows.
    pub(crate) fn check_rows<F: Float>(
        &self,
        n_features: usize,
        rows: &Rows<'_, F>,
        array: &'static str,
    ) -> Result<()> {
        if rows.n_features() != n_features {
            return Err(Error::Width { array, expected: n_features, found: rows.n_features() });
        }
        let n_outputs = self.network.n_outputs(n_features);
        let loss = self.loss.ops::<F>();
        let width = loss.target_width(n_outputs);
        if rows.target_width() != width {
            return Err(Error::Width { array: "y", expected: width, found: rows.target_width() });
        }
        check_any_weight(rows.have_weight())?;
        let multilabel = self.is_multilabel(n_outputs);
        let task = Task { n_outputs, target_width: width, multilabel };
        self.metrics.iter().try_for_each(|metric| metric.ops::<F>().check_task(&task))?;
        if rows.source().is_some() {
            return Ok(());
        }
        let mut fault = None;
        rows.for_each_target(|row, targets| {
            fault = fault.take().or_else(|| self.target_out_of_range(n_outputs, row, targets));
        })?;
        fault.map_or(Ok(()), Err)
    }

    /// Reads rows into buffers, of arrays the targets alone, and checks the targets of a source: those of arrays have been checked
    /// before.
    pub(super) fn read_targets<F: Float>(
        &self,
        rows: &Rows<'_, F>,
        n_outputs: usize,
        index: &[usize],
        x: &mut [F],
        y: &mut [F],
    ) -> Result<()> {
        rows.read_targets(index, x, y)?;
        if rows.source().is_none() {
            return Ok(());
        }
        let mut targets = index.iter().zip(y.chunks_exact(rows.target_width()));
        let fault = targets.find_map(|(&row, targets)| self.target_out_of_range(n_outputs, row, targets));
        fault.map_or(Ok(()), Err)
    }

    /// The error of the first target that the loss is not defined for.
    fn target_out_of_range<F: Float>(&self, n_outputs: usize, row: usize, targets: &[F]) -> Option<Error> {
        let loss = self.loss.ops::<F>();
        let column = targets.iter().position(|value| !loss.allows(value.wide(), n_outputs))?;
        Some(Error::TargetRange {
            loss: self.loss.name().into(),
            row,
            column,
            value: targets[column].wide(),
            allowed: loss.allowed(n_outputs),
        })
    }

    /// Whether the batches are what the optimizer wants, for that many training rows of weight.
    pub(super) fn check_batches(&self, rows: usize) -> Result<()> {
        if !reads_all_rows(&self.optimizer) || self.batch_size >= rows {
            return Ok(());
        }
        let allowed = format!("at least {rows}, all training rows, for {}", self.optimizer.name());
        Err(Error::parameter("batch_size", self.batch_size, allowed))
    }

    /// Batches of an epoch, for that many training rows of weight.
    pub(crate) fn batches(&self, rows: usize) -> usize {
        rows.div_ceil(self.batch_size)
    }

    /// Whether the other plan is the same but for its callbacks.
    pub(super) fn is_same_fit(&self, other: &Plan) -> bool {
        let Plan { network, loss, optimizer, metrics, batch_size, shuffle, seed, callbacks: _ } = self;
        *network == other.network
            && *loss == other.loss
            && *optimizer == other.optimizer
            && *metrics == other.metrics
            && (*batch_size, *shuffle, *seed) == (other.batch_size, other.shuffle, other.seed)
    }

    /// Whether each output is a yes-or-no question of its own.
    pub(crate) fn is_multilabel(&self, n_outputs: usize) -> bool {
        n_outputs > 1 && self.loss.ops::<f32>().independent_outputs()
    }

    /// Whether the loss computes the last activation together with itself.
    pub(crate) fn loss_takes_over(&self) -> bool {
        // A penalty on the output needs the derivative of the activation by itself.
        let last = self.network.layers().last().map(|layer| layer.ops::<f32>());
        let last = last.filter(|layer| layer.activity_regularizer().is_none());
        last.and_then(|layer| layer.activation())
            .is_some_and(|activation| self.loss.ops::<f32>().takes_over() == Some(activation.name()))
    }
}

/// Whether the optimizer reads all rows at once.
pub(crate) fn reads_all_rows(optimizer: &AnyOptimizer) -> bool {
    optimizer.ops::<f64>().minimizer().is_some()
}

/// Whether a batch size that was asked for means anything to the optimizer.
///
/// # Errors
///
/// [`Error::Parameter`] for one that reads all rows at once.
pub(crate) fn check_unbatched(optimizer: &AnyOptimizer, batch_size: Option<usize>) -> Result<()> {
    match batch_size {
        Some(batch_size) if reads_all_rows(optimizer) => {
            let allowed = format!("unset for {}, which reads all rows at once", optimizer.name());
            Err(Error::parameter("batch_size", batch_size, allowed))
        }
        _ => Ok(()),
    }
}

/// Whether the optimizer can train these layers: where it compares the losses of two passes, they have to be those of the same
/// function, and it decides alone what the weights are.
///
/// # Errors
///
/// [`Error::Parameter`] names the first layer that it cannot.
pub(crate) fn check_search(optimizer: &AnyOptimizer, network: &Sequential) -> Result<()> {
    if !reads_all_rows(optimizer) {
        return Ok(());
    }
    let name = optimizer.name();
    for (i, part) in network.layers().iter().enumerate() {
        let layer = part.ops::<f64>();
        let place = format!("layer {}", i + 1);
        check(&place, part, !layer.is_random(), &format!("without random numbers for {name}"))?;
        check(&place, part, layer.shared_len(1) == 0, &format!("without values of the batch for {name}"))?;
        let constrained =
            layer.tensors(1).iter().any(|tensor| tensor.trainable && tensor.constraint.is_some());
        check(&place, part, !constrained, &format!("without constraints for {name}"))?;
        if let Some(branch) = layer.branch() {
            check_search(optimizer, branch).map_err(|error| error.within(&place))?;
        }
    }
    Ok(())
}

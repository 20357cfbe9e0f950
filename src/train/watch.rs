//! Who runs a run, and may pause it.

/// Whoever advances a run, between batches. Callbacks are part of a run; this is not, so it changes no bit of it.
pub(crate) trait Watch {
    /// Whether the run shall pause here. Asked before every batch.
    fn wants_pause(&self) -> bool {
        false
    }

    /// An epoch is done; epochs are counted from 1.
    fn epoch_ended(&self, epoch: usize, epochs: usize, loss: f64) {
        let _ = (epoch, epochs, loss);
    }
}

/// Nobody watches.
pub(super) struct Nobody;

impl Watch for Nobody {}

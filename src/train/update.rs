//! The update of a training step: everything between the gradient of a batch and the weights it leaves behind.

use crate::float::Float;
use crate::kernel::{self, Buffer, Crew, Cuts, Slices};
use crate::network::Network;
use crate::optimizer::{MAX_SLOTS, Optimizer, Step, Tuning};

/// Weights that go through all loops of an update together: few enough for them and their moments to stay in the
/// nearest cache, and a whole number of cache lines.
const BLOCK: usize = 1024;

/// What an optimizer remembers from step to step; every buffer is laid out as the weights.
#[derive(Clone, Debug)]
pub(super) struct Moments<F: Float> {
    /// The moments of the rule.
    pub(super) slots: Vec<Buffer<F>>,
    /// The numbers of the rule that all weights share.
    pub(super) scalars: Vec<f64>,
    /// The gradients gathered for the next update; empty when every batch makes one.
    pub(super) gathered: Buffer<F>,
    /// The moving average of the weights; empty when there is none.
    pub(super) average: Buffer<F>,
}

impl<F: Float> Moments<F> {
    /// Those of a run that has made no step, for that many weights.
    pub(super) fn start(optimizer: &dyn Optimizer<F>, len: usize) -> Self {
        let slot = |slot: usize| {
            let mut buffer = Buffer::zeros(len);
            buffer.fill(F::of(optimizer.slot_start(slot)));
            buffer
        };
        let tuning = optimizer.tuning();
        Moments {
            slots: (0..optimizer.slots().len()).map(slot).collect(),
            scalars: optimizer.scalars().iter().map(|&(_, start)| start).collect(),
            gathered: if tuning.accumulate > 1 { Buffer::zeros(len) } else { Buffer::default() },
            average: if tuning.ema.is_some() { Buffer::zeros(len) } else { Buffer::default() },
        }
    }

    /// What the gradient of one more batch does to the weights, after `steps` batches; see [`Tuning`] for the order. Every
    /// weight goes its own way, so that a crew may share them.
    pub(super) fn step(
        &mut self,
        optimizer: &dyn Optimizer<F>,
        (steps, learning_rate): (u64, f64),
        network: &mut Network<F>,
        gradient: &mut [F],
        (crew, cuts): (&Crew, Cuts<'_>),
    ) {
        let tuning = optimizer.tuning();
        let updates = steps / tuning.accumulate;
        let complete = completes(tuning, steps);
        // Frozen tensors and moving averages lie behind the trained part: no rule, no decay reaches them.
        let trained = network.trained();
        let gradient = &mut gradient[..trained];
        let Moments { slots, scalars, gathered, average: averages } = self;
        let (gathered, averages) = (up_to(gathered, trained), up_to(averages, trained));
        // A norm belongs to all weights of a tensor: they have to be gathered before.
        let by_norm = tuning.clip_norm.is_some() || tuning.global_clip_norm.is_some();
        if by_norm {
            gather(tuning, complete, gathered, gradient);
            if complete {
                clip_norms(tuning, network, gradient);
            }
        }
        if complete {
            optimizer.begin(updates + 1, scalars);
        }
        let step = Step { number: updates + 1, learning_rate, scalars };
        let decay = tuning.weight_decay.map(|decay| F::of(decay * learning_rate));
        let mut slots = slots.iter_mut();
        let slots: [Slices<'_, F>; MAX_SLOTS] = std::array::from_fn(|_| {
            Slices::of(slots.next().map_or(&mut [][..], |slot| &mut slot[..trained]), cuts)
        });
        let weights = Slices::of(&mut network.weights_mut()[..trained], cuts);
        let of_weights = (
            weights,
            Slices::of(gradient, cuts),
            slots,
            Slices::of(gathered, cuts),
            Slices::of(averages, cuts),
        );
        crew.share(of_weights, |(weights, gradient, slots, gathered, averages)| {
            if !by_norm {
                gather(tuning, complete, gathered, gradient);
            }
            if complete {
                clip_values(tuning, gradient);
                update(optimizer, (step, decay), weights, gradient, slots);
            }
            if let Some(momentum) = tuning.ema {
                average(averages, weights, if updates > 0 { momentum } else { 0.0 });
            }
        });
    }

    /// What is not trained is not averaged, but is as the network has it.
    pub(super) fn follow(&mut self, network: &Network<F>) {
        if !self.average.is_empty() {
            let trained = network.trained();
            self.average[trained..].copy_from_slice(&network.weights()[trained..]);
        }
    }

    /// The weights that predict: the averaged ones, if there are any.
    pub(super) fn predicting<'w>(&'w self, weights: &'w Buffer<F>, steps: u64) -> &'w Buffer<F> {
        if self.average.is_empty() || steps == 0 { weights } else { &self.average }
    }

    /// Gives the network the weights that predict, and takes them back when called again.
    pub(super) fn swap(&mut self, network: &mut Network<F>, steps: u64) {
        if !self.average.is_empty() && steps > 0 {
            std::mem::swap(&mut self.average, network.weights_mut());
        }
    }
}

/// Whether the weights move with the next batch, after so many.
pub(super) fn completes(tuning: &Tuning, steps: u64) -> bool {
    (steps + 1).is_multiple_of(tuning.accumulate)
}

/// The first elements of a buffer, if it has any.
fn up_to<F: Float>(buffer: &mut Buffer<F>, len: usize) -> &mut [F] {
    if buffer.is_empty() { &mut [] } else { &mut buffer[..len] }
}

/// Adds the gradient to those that wait; when they are complete, the gradient is then their mean.
fn gather<F: Float>(tuning: &Tuning, complete: bool, gathered: &mut [F], gradient: &mut [F]) {
    if tuning.accumulate == 1 {
        return;
    }
    let count = F::of(tuning.accumulate as f64);
    kernel::dispatch(
        #[inline(always)]
        || {
            if complete {
                for (sum, g) in gathered.iter_mut().zip(gradient) {
                    *g = (*sum + *g) / count;
                    *sum = F::zero();
                }
            } else {
                for (sum, &mut g) in gathered.iter_mut().zip(gradient) {
                    *sum += g;
                }
            }
        },
    );
}

/// Decay and the rule itself.
fn update<F: Float>(
    optimizer: &dyn Optimizer<F>,
    (step, decay): (Step<'_>, Option<F>),
    weights: &mut [F],
    gradient: &[F],
    mut slots: [&mut [F]; MAX_SLOTS],
) {
    let Some(decay) = decay else { return optimizer.update(step, weights, gradient, slots) };
    for (weights, gradient) in weights.chunks_mut(BLOCK).zip(gradient.chunks(BLOCK)) {
        shrink(weights, decay);
        let moved = std::array::from_fn(|i| front(&mut slots[i], BLOCK));
        optimizer.update(step, weights, gradient, moved);
    }
}

/// The first elements of a slice, which then begins after them.
fn front<'s, F>(slice: &mut &'s mut [F], len: usize) -> &'s mut [F] {
    slice.split_off_mut(..len.min(slice.len())).unwrap_or_default()
}

/// `w ← w − w·decay`.
fn shrink<F: Float>(weights: &mut [F], decay: F) {
    kernel::dispatch(
        #[inline(always)]
        || weights.iter_mut().for_each(|w| *w -= *w * decay),
    );
}

/// `a ← μ a + (1 − μ) w`.
fn average<F: Float>(average: &mut [F], weights: &[F], momentum: f64) {
    let (momentum, rest) = (F::of(momentum), F::of(1.0 - momentum));
    kernel::dispatch(
        #[inline(always)]
        || {
            for (a, &w) in average.iter_mut().zip(weights) {
                *a = momentum * *a + rest * w;
            }
        },
    );
}

/// Limits every element of a gradient, if that is asked for.
fn clip_values<F: Float>(tuning: &Tuning, gradient: &mut [F]) {
    let Some(limit) = tuning.clip_value.map(F::of) else { return };
    kernel::dispatch(
        #[inline(always)]
        || {
            for g in gradient.iter_mut() {
                // Written so that NaN stays NaN.
                let below = if *g > limit { limit } else { *g };
                *g = if below < -limit { -limit } else { below };
            }
        },
    );
}

/// Limits the norm of each tensor, or of all of them, if that is asked for.
fn clip_norms<F: Float>(tuning: &Tuning, network: &Network<F>, gradient: &mut [F]) {
    if let Some(limit) = tuning.clip_norm {
        let tensors = network.stages().iter().flat_map(|stage| stage.tensors.iter().zip(&stage.places));
        for (_, &(start, size)) in tensors.filter(|(tensor, _)| tensor.trainable) {
            let gradient = &mut gradient[start..start + size];
            limit_norm(kernel::sum_of_squares(gradient).sqrt(), limit, gradient);
        }
    } else if let Some(limit) = tuning.global_clip_norm {
        // The gaps between tensors are zero.
        limit_norm(kernel::sum_of_squares(gradient).sqrt(), limit, gradient);
    }
}

/// Scales a gradient of that norm down to the limit.
fn limit_norm<F: Float>(norm: f64, limit: f64, gradient: &mut [F]) {
    if norm > limit {
        let scale = F::of(limit / norm);
        kernel::dispatch(
            #[inline(always)]
            || gradient.iter_mut().for_each(|g| *g *= scale),
        );
    }
}

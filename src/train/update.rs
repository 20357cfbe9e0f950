//! The update of a training step: everything between the gradient of a batch and the weights it leaves behind.

use crate::float::Float;
use crate::kernel::{self, Buffer};
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

    /// What the gradient of one more batch does to the weights, after `steps` batches; see [`Tuning`] for the order.
    pub(super) fn step(
        &mut self,
        optimizer: &dyn Optimizer<F>,
        (steps, learning_rate): (u64, f64),
        network: &mut Network<F>,
        gradient: &mut [F],
    ) {
        let tuning = optimizer.tuning();
        let updates = steps / tuning.accumulate;
        // Frozen tensors and moving averages lie behind the trained part: no rule, no decay reaches them.
        let trained = network.trained();
        let gradient = &mut gradient[..trained];
        if self.gather(tuning, steps, gradient) {
            clip(tuning, network, gradient);
            optimizer.begin(updates + 1, &mut self.scalars);
            let step = Step { number: updates + 1, learning_rate, scalars: &self.scalars };
            let mut slots = self.slots.iter_mut();
            let mut slots: [&mut [F]; MAX_SLOTS] =
                std::array::from_fn(|_| slots.next().map_or(&mut [][..], |slot| &mut slot[..trained]));
            let decay = tuning.weight_decay.map(|decay| F::of(decay * learning_rate));
            let weights = &mut network.weights_mut()[..trained];
            match decay {
                None => optimizer.update(step, weights, gradient, slots),
                Some(decay) => {
                    for (weights, gradient) in weights.chunks_mut(BLOCK).zip(gradient.chunks(BLOCK)) {
                        shrink(weights, decay);
                        let moved = std::array::from_fn(|i| front(&mut slots[i], BLOCK));
                        optimizer.update(step, weights, gradient, moved);
                    }
                }
            }
        }
        if let Some(momentum) = tuning.ema {
            let momentum = if updates > 0 { momentum } else { 0.0 };
            average(&mut self.average[..trained], &network.weights()[..trained], momentum);
        }
    }

    /// Adds the gradient to those that wait; true when it is time for an update, and the gradient is then their mean.
    fn gather(&mut self, tuning: &Tuning, steps: u64, gradient: &mut [F]) -> bool {
        if tuning.accumulate == 1 {
            return true;
        }
        let gathered = &mut self.gathered;
        let complete = (steps + 1).is_multiple_of(tuning.accumulate);
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
        complete
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

/// Clips the gradient in the one way that is asked for.
fn clip<F: Float>(tuning: &Tuning, network: &Network<F>, gradient: &mut [F]) {
    if let Some(limit) = tuning.clip_value {
        let limit = F::of(limit);
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
    } else if let Some(limit) = tuning.clip_norm {
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

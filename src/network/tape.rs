//! The two passes through a network, and what is kept between them.

use super::layer::{Backward, Forward, Gradient, Noise, Survey, TensorsMut};
use super::regularizer::Regularizer;
use super::{Network, Stage};
use crate::float::Float;
use crate::kernel::Buffer;
use crate::rng::Stream;

/// Buffers for a number of rows: made once, used for every batch.
#[derive(Debug)]
pub(crate) struct Tape<F: Float> {
    outputs: Vec<Buffer<F>>,
    kept: Vec<Buffer<F>>,
    deltas: Vec<Buffer<F>>,
    scratch: Vec<Buffer<F>>,
    shared: Vec<Buffer<F>>,
    /// ∂loss of a branch's input, by the way past the branch; empty for layers that merge none.
    skips: Vec<Buffer<F>>,
    /// The share of each row in the loss, for penalties on activations.
    shares: Buffer<F>,
    /// A row's gradient of such a penalty.
    activity: Buffer<F>,
}

impl<F: Float> Tape<F> {
    /// For forward passes alone.
    pub(crate) fn for_prediction(network: &Network<F>, rows: usize) -> Self {
        let outputs = network.stages().iter().map(|stage| Buffer::zeros(rows * stage.n_outputs)).collect();
        Tape {
            outputs,
            kept: Vec::new(),
            deltas: Vec::new(),
            scratch: Vec::new(),
            shared: Vec::new(),
            skips: Vec::new(),
            shares: Buffer::default(),
            activity: Buffer::default(),
        }
    }

    /// Whether this is a tape for predictions of that network, row by row.
    pub(crate) fn is_for_one_row(&self, network: &Network<F>) -> bool {
        let widths = network.stages().iter().map(|stage| stage.n_outputs);
        self.kept.is_empty() && self.outputs.iter().map(|output| output.len()).eq(widths)
    }

    /// All outputs of the last layer.
    pub(crate) fn prediction(&self) -> &[F] {
        self.outputs.last().map_or(&[], |outputs| &outputs[..])
    }

    /// For both passes.
    pub(crate) fn for_training(network: &Network<F>, rows: usize) -> Self {
        let stages = network.stages();
        let each =
            |len: &dyn Fn(&Stage) -> usize| stages.iter().map(|stage| Buffer::zeros(len(stage))).collect();
        Tape {
            outputs: each(&|stage| rows * stage.n_outputs),
            kept: each(&|stage| rows * stage.layer.ops::<F>().kept_width(stage.n_inputs)),
            deltas: each(&|stage| rows * stage.n_outputs),
            scratch: each(&|stage| stage.layer.ops::<F>().scratch_len(stage.n_inputs)),
            shared: each(&|stage| stage.layer.ops::<F>().shared_len(stage.n_inputs)),
            skips: each(&|stage| match stage.branch {
                // The width of what goes past is that of what goes in.
                Some(first) if first > 0 => rows * stages[first].n_inputs,
                _ => 0,
            }),
            shares: Buffer::zeros(rows),
            activity: Buffer::zeros(stages.iter().map(|stage| stage.n_outputs).max().unwrap_or(0)),
        }
    }

    /// Weighs ∂loss/∂output of each row, in the tape, with the row's share in the loss.
    pub(crate) fn weigh_rows(&mut self, n_outputs: usize, weights: &[F], mass: f64) {
        let deltas = self.deltas.last_mut().expect("a tape for training has deltas");
        let rows = deltas.chunks_exact_mut(n_outputs).zip(&mut *self.shares);
        for ((delta, share), &weight) in rows.zip(weights) {
            *share = F::of(weight.wide() / mass);
            delta.iter_mut().for_each(|delta| *delta *= *share);
        }
    }

    /// The outputs of the last layer.
    pub(crate) fn output(&self, len: usize) -> &[F] {
        let outputs = self.outputs.last().expect("a network that predicts has a layer");
        &outputs[..len]
    }

    /// The outputs of the last layer and the place for ∂loss/∂output.
    pub(crate) fn output_and_delta(&mut self, len: usize) -> (&mut [F], &mut [F]) {
        let outputs = self.outputs.last_mut().expect("a network that trains has a layer");
        let deltas = self.deltas.last_mut().expect("a tape for training has deltas");
        (&mut outputs[..len], &mut deltas[..len])
    }
}

impl<F: Float> Network<F> {
    /// Rows through all layers; gives the output of the last one. With noise it is a pass of training.
    pub(crate) fn forward<'t>(
        &self,
        tape: &'t mut Tape<F>,
        input: &'t [F],
        rows: usize,
        noise: Option<Stream>,
        without_last_activation: bool,
    ) -> &'t mut [F] {
        let last = self.stages().len() - 1;
        for (i, stage) in self.stages().iter().enumerate() {
            let (before, from) = tape.outputs.split_at_mut(i);
            let skip = match stage.branch {
                Some(0) => input,
                Some(first) => &before[first - 1][..rows * self.stages()[first].n_inputs],
                None => &[],
            };
            let input = before.last().map_or(input, |output| &output[..rows * stage.n_inputs]);
            let kept_len =
                tape.kept.get(i).map_or(0, |_| rows * stage.layer.ops::<F>().kept_width(stage.n_inputs));
            let kept = tape.kept.get_mut(i).map_or(&mut [][..], |kept| &mut kept[..kept_len]);
            let shared = match tape.shared.get_mut(i) {
                Some(shared) if noise.is_some() => &mut shared[..],
                _ => &mut [],
            };
            if !shared.is_empty() {
                stage.layer.ops::<F>().survey(Survey { rows, input, delta: &[], shared });
            }
            stage.layer.ops::<F>().forward(Forward {
                rows,
                input,
                skip,
                output: &mut from[0][..rows * stage.n_outputs],
                kept,
                weights: self.of_stage(i),
                shared,
                noise: noise.map(|stream| Noise { stream: stream.at(i as u64), first_row: 0 }),
                without_activation: without_last_activation && i == last,
            });
        }
        &mut tape.outputs[last][..rows * self.n_outputs()]
    }

    /// The penalties on the activations of the rows that went through last, times the rows' weights.
    pub(crate) fn activity_penalty(&self, tape: &Tape<F>, weights: &[F]) -> f64 {
        let mut total = 0.0;
        for (stage, outputs) in self.stages().iter().zip(&tape.outputs) {
            if let Some(regularizer) = stage.layer.ops::<F>().activity_regularizer() {
                let rows = outputs.chunks_exact(stage.n_outputs).zip(weights);
                total += rows.map(|(row, w)| w.wide() * regularizer.ops::<F>().penalty(row)).sum::<f64>();
            }
        }
        total
    }

    /// From ∂loss/∂output of the last layer, in the tape, to ∂loss/∂weights.
    pub(crate) fn backward(
        &self,
        tape: &mut Tape<F>,
        input: &[F],
        rows: usize,
        noise: Option<Stream>,
        without_last_activation: bool,
        gradient: &mut [F],
    ) {
        let last = self.stages().len() - 1;
        for (i, stage) in self.stages().iter().enumerate().rev() {
            let layer = stage.layer.ops::<F>();
            let scratch = &mut tape.scratch[i];
            if i > 0 {
                layer.prepare(stage.n_inputs, self.of_stage(i), scratch);
            }
            let (before, from) = tape.deltas.split_at_mut(i);
            let input = if i == 0 { input } else { &tape.outputs[i - 1][..rows * stage.n_inputs] };
            let delta = &mut from[0][..rows * stage.n_outputs];
            if let Some(regularizer) = layer.activity_regularizer() {
                let (output, activity) = (&tape.outputs[i], &mut tape.activity[..stage.n_outputs]);
                add_activity_gradient(regularizer.ops::<F>(), output, &tape.shares, activity, delta);
            }
            let shared = &mut tape.shared[i][..];
            if !shared.is_empty() {
                layer.survey_deltas(Survey { rows, input, delta, shared });
            }
            let kept = &tape.kept[i][..rows * layer.kept_width(stage.n_inputs)];
            layer.backward(Backward {
                rows,
                input,
                output: &tape.outputs[i][..rows * stage.n_outputs],
                kept,
                delta,
                input_delta: before.last_mut().map(|delta| &mut delta[..rows * stage.n_inputs]),
                skip_delta: match stage.branch {
                    Some(first) if first > 0 => {
                        Some(&mut tape.skips[i][..rows * self.stages()[first].n_inputs])
                    }
                    _ => None,
                },
                weights: self.of_stage(i),
                scratch,
                shared,
                noise: noise.map(|stream| Noise { stream: stream.at(i as u64), first_row: 0 }),
                without_activation: without_last_activation && i == last,
            });
            if stage.tensors.iter().any(|tensor| tensor.trainable) {
                layer.gradient(Gradient {
                    rows,
                    input,
                    kept,
                    shared,
                    delta,
                    gradient: TensorsMut { all: gradient, places: &stage.places },
                });
            }
            // The ways past the branches that begin here meet the ways through them.
            if let Some(delta) = before.last_mut() {
                let ends = self.stages().iter().zip(&tape.skips).filter(|(end, _)| end.branch == Some(i));
                for (_, skip) in ends {
                    let values = delta.iter_mut().zip(&**skip).take(rows * stage.n_inputs);
                    values.for_each(|(delta, &skip)| *delta += skip);
                }
            }
        }
    }

    /// What is left to do when the optimizer has moved the weights: constraints, and the state of layers that keep one.
    pub(crate) fn settle(&mut self, tape: &Tape<F>) {
        self.constrain();
        let (stages, weights) = self.stages_and_weights();
        for (stage, shared) in stages.iter().zip(&tape.shared) {
            if !shared.is_empty() {
                let weights = TensorsMut { all: weights, places: &stage.places };
                stage.layer.ops::<F>().remember(stage.n_inputs, shared, weights);
            }
        }
    }
}

/// Adds the gradient of a penalty on activations, each row by its share.
fn add_activity_gradient<F: Float>(
    regularizer: &dyn Regularizer<F>,
    output: &[F],
    shares: &[F],
    activity: &mut [F],
    delta: &mut [F],
) {
    let width = activity.len();
    let rows = delta.chunks_exact_mut(width).zip(output.chunks_exact(width));
    for ((delta, output), &share) in rows.zip(shares) {
        activity.fill(F::zero());
        regularizer.add_gradient(output, activity);
        delta.iter_mut().zip(&*activity).for_each(|(delta, &g)| *delta += share * g);
    }
}

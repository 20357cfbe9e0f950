//! The two passes through a network, and what is kept between them.

use std::ops::Range;

use super::layer::{Backward, Forward, Gradient, Noise, Survey, TensorsMut};
use super::regularizer::Regularizer;
use super::windows::{Window, Windows};
use super::{Network, Stage};
use crate::float::Float;
use crate::kernel::{self, Block, Buffer, Crew, Cuts, MOST_PARTS, Matrices, Slices};
use crate::rng::Stream;

/// Buffers for a number of rows: made once, used for every batch.
#[derive(Debug)]
pub(crate) struct Tape<F: Float> {
    /// What a row has beside its values in the layers: see the places below.
    of_rows: Matrices<F>,
    outputs: Matrices<F>,
    kept: Matrices<F>,
    deltas: Matrices<F>,
    /// ∂loss of a branch's input, by the way past the branch; empty for layers that merge none.
    skips: Matrices<F>,
    scratch: Vec<Buffer<F>>,
    shared: Vec<Buffer<F>>,
    /// The weights in parts for several threads.
    windows: Windows,
}

/// The row as it comes in; empty where rows are lent.
const INPUT: usize = 0;
/// Its loss.
const LOSS: usize = 1;
/// Its share in the loss, for penalties on activations.
const SHARE: usize = 2;
/// Its gradient of such a penalty.
const ACTIVITY: usize = 3;

/// Some rows of a tape, for the thread that takes them through the layers.
pub(crate) struct TapeRows<'t, F: Float> {
    /// Which rows of the batch.
    pub(crate) range: Range<usize>,
    of_rows: Block<'t, F>,
    outputs: Block<'t, F>,
    kept: Block<'t, F>,
    deltas: Block<'t, F>,
    skips: Block<'t, F>,
}

/// What a loss reads and writes.
pub(crate) struct Ends<'t, F> {
    /// The outputs of the last layer.
    pub(crate) outputs: &'t mut [F],
    /// ∂loss/∂output; none on a tape that does not train.
    pub(crate) delta: Option<&'t mut [F]>,
    /// The loss of each row.
    pub(crate) losses: &'t mut [F],
}

/// A pass over some rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass<'p, F> {
    /// Number of rows.
    pub(crate) rows: usize,
    /// The rows that go in, where they are not on the tape.
    pub(crate) lent: Option<&'p [F]>,
    /// With noise it is a pass of training.
    pub(crate) noise: Option<Stream>,
    /// Leave the last activation to the loss.
    pub(crate) without_last_activation: bool,
}

impl<F: Float> Tape<F> {
    /// For forward passes alone, over rows that are lent.
    pub(crate) fn for_prediction(network: &Network<F>, rows: usize) -> Self {
        Tape {
            of_rows: Matrices::zeros(rows, [0; 4].into_iter()),
            outputs: Matrices::zeros(rows, network.stages().iter().map(|stage| stage.n_outputs)),
            kept: Matrices::default(),
            deltas: Matrices::default(),
            skips: Matrices::default(),
            scratch: Vec::new(),
            shared: Vec::new(),
            windows: Windows::default(),
        }
    }

    /// For forward passes and losses.
    pub(crate) fn for_evaluation(network: &Network<F>, rows: usize) -> Self {
        let widths = [network.n_features(), 1, 0, 0];
        let of_rows = Matrices::zeros(rows, widths.into_iter());
        Tape { of_rows, ..Tape::for_prediction(network, rows) }
    }

    /// For both passes, by so many threads at most.
    pub(crate) fn for_training(network: &Network<F>, rows: usize, threads: usize) -> Self {
        let stages = network.stages();
        let each = |width: &dyn Fn(&Stage) -> usize| Matrices::zeros(rows, stages.iter().map(width));
        let once =
            |len: &dyn Fn(&Stage) -> usize| stages.iter().map(|stage| Buffer::zeros(len(stage))).collect();
        let penalized = stages.iter().filter(|stage| stage.layer.ops::<F>().activity_regularizer().is_some());
        let activity = penalized.map(|stage| stage.n_outputs).max().unwrap_or(0);
        Tape {
            of_rows: Matrices::zeros(rows, [network.n_features(), 1, 1, activity].into_iter()),
            outputs: each(&|stage| stage.n_outputs),
            kept: each(&|stage| stage.layer.ops::<F>().kept_width(stage.n_inputs)),
            deltas: each(&|stage| stage.n_outputs),
            skips: each(&|stage| match stage.branch {
                // The width of what goes past is that of what goes in.
                Some(first) if first > 0 => stages[first].n_inputs,
                _ => 0,
            }),
            scratch: once(&|stage| stage.layer.ops::<F>().scratch_len(stage.n_inputs)),
            shared: once(&|stage| stage.layer.ops::<F>().shared_len(stage.n_inputs)),
            windows: Windows::new(network, threads),
        }
    }

    /// Whether this is a tape for predictions of that network, row by row.
    pub(crate) fn is_for_one_row(&self, network: &Network<F>) -> bool {
        let widths = network.stages().iter().map(|stage| stage.n_outputs);
        self.kept.is_empty() && self.outputs.has_rows(1) && self.outputs.widths().iter().copied().eq(widths)
    }

    /// The place of the first rows that go in.
    pub(crate) fn input_mut(&mut self, rows: usize) -> &mut [F] {
        self.of_rows.get_mut(INPUT, rows)
    }

    /// The outputs of the last layer.
    pub(crate) fn outputs(&self, rows: usize) -> &[F] {
        self.outputs.get(self.outputs.len() - 1, rows)
    }

    /// The losses of the rows.
    pub(crate) fn losses(&self, rows: usize) -> &[F] {
        self.of_rows.get(LOSS, rows)
    }

    /// What goes into a layer.
    fn input_of<'a>(&'a self, stage: usize, pass: &Pass<'a, F>) -> &'a [F] {
        match (stage, pass.lent) {
            (0, Some(lent)) => lent,
            (0, None) => self.of_rows.get(INPUT, pass.rows),
            _ => self.outputs.get(stage - 1, pass.rows),
        }
    }

    /// Calls `work` for the rows in parts, with what all rows share: the scratch of the layers and their surveys.
    fn share(
        &mut self,
        crew: &Crew,
        cuts: Cuts<'_>,
        work: impl Fn(&mut TapeRows<'_, F>, &[Buffer<F>], &[Buffer<F>]) + Sync,
    ) {
        let Tape { of_rows, outputs, kept, deltas, skips, scratch, shared, .. } = self;
        let layers = (outputs.cut(cuts), kept.cut(cuts), deltas.cut(cuts), skips.cut(cuts));
        crew.share((cuts, of_rows.cut(cuts), layers), |(range, of_rows, (outputs, kept, deltas, skips))| {
            work(&mut TapeRows { range, of_rows, outputs, kept, deltas, skips }, scratch, shared);
        });
    }

    /// ∂loss/∂weights of some rows of a layer's first tensor, and of what is behind the last of them.
    pub(super) fn gradient(
        &self,
        stages: &[Stage],
        i: usize,
        part: Range<usize>,
        pass: &Pass<'_, F>,
        gradient: TensorsMut<'_, F>,
    ) {
        stages[i].layer.ops::<F>().gradient(Gradient {
            rows: pass.rows,
            part,
            input: self.input_of(i, pass),
            kept: self.kept.get(i, pass.rows),
            shared: &self.shared[i],
            delta: self.deltas.get(i, pass.rows),
            gradient,
        });
    }

    /// Whether the rows of a batch share something in a layer.
    fn is_surveyed(&self, stage: usize) -> bool {
        self.shared.get(stage).is_some_and(|shared| !shared.is_empty())
    }
}

impl<F: Float> TapeRows<'_, F> {
    /// The place of the rows that go in.
    pub(crate) fn input_mut(&mut self) -> &mut [F] {
        self.of_rows.get_mut(INPUT)
    }

    /// What a loss reads and writes.
    pub(crate) fn ends(&mut self) -> Ends<'_, F> {
        let last = self.outputs.len() - 1;
        let delta = if self.deltas.is_empty() { None } else { Some(self.deltas.get_mut(last)) };
        Ends { outputs: self.outputs.get_mut(last), delta, losses: self.of_rows.get_mut(LOSS) }
    }

    /// Weighs ∂loss/∂output of each row with the row's share in the loss.
    pub(crate) fn weigh(&mut self, n_outputs: usize, weights: &[F], mass: f64) {
        let deltas = self.deltas.get_mut(self.deltas.len() - 1);
        let rows = deltas.chunks_exact_mut(n_outputs).zip(self.of_rows.get_mut(SHARE));
        for ((delta, share), &weight) in rows.zip(weights) {
            *share = F::of(weight.wide() / mass);
            delta.iter_mut().for_each(|delta| *delta *= *share);
        }
    }
}

impl<F: Float> Network<F> {
    /// Rows through all layers. `before` and `after` are called for some rows at a time, when they go in and when they have come
    /// out.
    pub(crate) fn forward(
        &self,
        crew: &Crew,
        tape: &mut Tape<F>,
        pass: Pass<'_, F>,
        before: impl Fn(&mut TapeRows<'_, F>) + Sync,
        after: impl Fn(&mut TapeRows<'_, F>) + Sync,
    ) {
        let (end, training) = (self.stages().len(), pass.noise.is_some());
        let (mut from, mut surveyed) = (0, false);
        loop {
            // As far as rows go without knowing of each other.
            let mut rest = from + usize::from(surveyed)..end;
            let to = rest.find(|&stage| training && tape.is_surveyed(stage)).unwrap_or(end);
            tape.share(crew, self.cuts(crew, pass.rows), |rows, _, shared| {
                if (from, surveyed) == (0, false) {
                    before(rows);
                }
                (from..to).for_each(|stage| self.forward_rows(stage, rows, shared, &pass));
                if to == end {
                    after(rows);
                }
            });
            if to == end {
                return;
            }
            self.survey(to, tape, &pass, false);
            (from, surveyed) = (to, true);
        }
    }

    /// Some rows through one layer.
    fn forward_rows(&self, i: usize, rows: &mut TapeRows<'_, F>, shared: &[Buffer<F>], pass: &Pass<'_, F>) {
        let stage = &self.stages()[i];
        let TapeRows { range, of_rows, outputs, kept, .. } = rows;
        let width = self.n_features();
        let first =
            pass.lent.map_or_else(|| of_rows.get(INPUT), |x| &x[range.start * width..range.end * width]);
        let (before, mut from) = outputs.split_at(i);
        let input_of = |i: usize| if i == 0 { first } else { before.get(i - 1) };
        let shared = shared.get(i).filter(|_| pass.noise.is_some());
        stage.layer.ops::<F>().forward(Forward {
            rows: range.len(),
            input: input_of(i),
            skip: stage.branch.map_or(&[], input_of),
            output: from.get_mut(0),
            kept: if kept.is_empty() { &mut [] } else { kept.get_mut(i) },
            weights: self.of_stage(i),
            shared: shared.map_or(&[], |shared| shared),
            noise: pass.noise.map(|stream| Noise { stream: stream.at(i as u64), first_row: range.start }),
            without_activation: pass.without_last_activation && i + 1 == self.stages().len(),
        });
    }

    /// What the rows of a batch share in a layer, before the forward pass or before the backward pass.
    fn survey(&self, i: usize, tape: &mut Tape<F>, pass: &Pass<'_, F>, backward: bool) {
        let (stage, rows) = (&self.stages()[i], pass.rows);
        let layer = stage.layer.ops::<F>();
        let mut shared = std::mem::take(&mut tape.shared[i]);
        if backward {
            // It comes before the layer's own pass, which adds this for other layers.
            tape.share(&Crew::alone(), Cuts::even(rows, 1), |rows, _, _| {
                add_activity_gradient(stage, i, rows)
            });
            let (input, delta) = (tape.input_of(i, pass), tape.deltas.get(i, rows));
            layer.survey_deltas(Survey { rows, input, delta, shared: &mut shared });
        } else {
            let input = tape.input_of(i, pass);
            layer.survey(Survey { rows, input, delta: &[], shared: &mut shared });
        }
        tape.shared[i] = shared;
    }

    /// The penalties on the activations of the rows that went through last, times the rows' weights.
    pub(crate) fn activity_penalty(&self, tape: &Tape<F>, weights: &[F]) -> f64 {
        let mut total = 0.0;
        for (i, stage) in self.stages().iter().enumerate() {
            if let Some(regularizer) = stage.layer.ops::<F>().activity_regularizer() {
                let outputs = tape.outputs.get(i, weights.len());
                let rows = outputs.chunks_exact(stage.n_outputs).zip(weights);
                total += rows.map(|(row, w)| w.wide() * regularizer.ops::<F>().penalty(row)).sum::<f64>();
            }
        }
        total
    }

    /// From ∂loss/∂output of the last layer, on the tape, to ∂loss/∂weights. `after` is called for all weights that are trained,
    /// or for some of them at a time, when their gradient is there. The weights stay as they are; `moves` says that the optimizer
    /// comes next and moves them.
    pub(crate) fn backward(
        &mut self,
        crew: &Crew,
        tape: &mut Tape<F>,
        pass: Pass<'_, F>,
        (gradient, moves): (&mut [F], bool),
        after: impl Fn(Window<'_, F>) + Sync,
    ) {
        let end = self.stages().len();
        if !self.is_shared(crew, pass.rows) {
            // Layer by layer: what belongs to one is at hand.
            for i in (0..end).rev() {
                self.prepare(i, &mut tape.scratch[i]);
                if tape.is_surveyed(i) {
                    self.survey(i, tape, &pass, true);
                }
                self.backward_shared(crew, i..i + 1, tape, &pass);
                self.gradient_of_layer(i, tape, &pass, gradient);
            }
            let (trained, stages) = (self.trained(), self.stages());
            let (weights, gradient) = (&self.weights()[..trained], &mut gradient[..trained]);
            return after(Window { stages, place: 0..trained, weights, gradient });
        }
        let cuts = Cuts::even(end, end.min(MOST_PARTS));
        crew.share((cuts, Slices::of(&mut tape.scratch, cuts)), |(stages, scratch)| {
            stages.zip(scratch).for_each(|(i, scratch)| self.prepare(i, scratch));
        });
        let (mut to, mut surveyed) = (end, false);
        loop {
            let mut rest = (0..to - usize::from(surveyed)).rev();
            let from = rest.find(|&stage| tape.is_surveyed(stage)).map_or(0, |stage| stage + 1);
            if from < to {
                self.backward_shared(crew, from..to, tape, &pass);
            }
            if from == 0 {
                break;
            }
            self.survey(from - 1, tape, &pass, true);
            (to, surveyed) = (from, true);
        }
        let trained = self.trained();
        if trained == 0 {
            return;
        }
        let (stages, weights) = self.stages_and_weights();
        let (tape, windows) = (&*tape, &tape.windows);
        let (gradient, rest) = gradient.split_at_mut(trained);
        let cuts = windows.trained();
        let of_weights = (Slices::of(&mut weights[..trained], cuts), Slices::of(gradient, cuts));
        let numbers = Cuts::even(windows.count(), windows.count());
        let parts = (numbers, of_weights, Slices::of(rest, windows.rest()));
        crew.share(parts, |(numbers, (weights, gradient), rest)| {
            let number = numbers.start;
            let claimed = if moves { &mut weights[..] } else { &mut [] };
            kernel::claiming(claimed, || windows.gradient(stages, number, tape, &pass, gradient, rest));
            after(Window { stages, place: windows.range(number), weights, gradient });
        });
    }

    /// What the backward passes of all rows through a layer share.
    fn prepare(&self, i: usize, scratch: &mut [F]) {
        if i > 0 {
            let stage = &self.stages()[i];
            stage.layer.ops::<F>().prepare(stage.n_inputs, self.of_stage(i), scratch);
        }
    }

    /// All rows back through some layers.
    fn backward_shared(&self, crew: &Crew, stages: Range<usize>, tape: &mut Tape<F>, pass: &Pass<'_, F>) {
        tape.share(crew, self.cuts(crew, pass.rows), |rows, scratch, shared| {
            stages.clone().rev().for_each(|i| self.backward_rows(i, rows, (&scratch[i], &shared[i]), pass));
        });
    }

    /// Some rows back through one layer.
    fn backward_rows(
        &self,
        i: usize,
        rows: &mut TapeRows<'_, F>,
        (scratch, shared): (&[F], &[F]),
        pass: &Pass<'_, F>,
    ) {
        let stage = &self.stages()[i];
        if shared.is_empty() {
            add_activity_gradient(stage, i, rows);
        }
        let TapeRows { range, of_rows, outputs, kept, deltas, skips } = rows;
        let width = self.n_features();
        let first =
            pass.lent.map_or_else(|| of_rows.get(INPUT), |x| &x[range.start * width..range.end * width]);
        let (mut before, mut from) = deltas.split_at(i);
        stage.layer.ops::<F>().backward(Backward {
            rows: range.len(),
            batch_rows: pass.rows,
            input: if i == 0 { first } else { outputs.get(i - 1) },
            output: outputs.get(i),
            kept: kept.get(i),
            delta: from.get_mut(0),
            input_delta: if i == 0 { None } else { Some(before.get_mut(i - 1)) },
            skip_delta: match stage.branch {
                Some(first) if first > 0 => Some(skips.get_mut(i)),
                _ => None,
            },
            weights: self.of_stage(i),
            scratch,
            shared,
            noise: pass.noise.map(|stream| Noise { stream: stream.at(i as u64), first_row: range.start }),
            without_activation: pass.without_last_activation && i + 1 == self.stages().len(),
        });
        // The ways past the branches that begin here meet the ways through them.
        if i > 0 {
            let delta = before.get_mut(i - 1);
            let ends = self.stages().iter().enumerate().filter(|(_, end)| end.branch == Some(i));
            for (end, _) in ends {
                delta.iter_mut().zip(skips.get(end)).for_each(|(delta, &skip)| *delta += skip);
            }
        }
    }

    /// ∂loss/∂weights of one layer.
    fn gradient_of_layer(&self, i: usize, tape: &Tape<F>, pass: &Pass<'_, F>, gradient: &mut [F]) {
        let stage = &self.stages()[i];
        let Some(rows) = stage.trained_rows() else { return };
        let (trained, rest) = gradient.split_at_mut(self.trained());
        let gradient =
            TensorsMut { all: trained, first: 0, rest, first_of_rest: self.trained(), places: &stage.places };
        tape.gradient(self.stages(), i, 0..rows, pass, gradient);
    }

    /// What is left to do when the optimizer has moved the weights: constraints, and the state of layers that keep one.
    pub(crate) fn settle(&mut self, tape: &Tape<F>) {
        self.constrain();
        let (stages, weights) = self.stages_and_weights();
        for (stage, shared) in stages.iter().zip(&tape.shared) {
            if !shared.is_empty() {
                let weights = TensorsMut::whole(weights, &stage.places);
                stage.layer.ops::<F>().remember(stage.n_inputs, shared, weights);
            }
        }
    }

    /// Where to cut rows for the members of a crew.
    fn cuts(&self, crew: &Crew, rows: usize) -> Cuts<'static> {
        Cuts::even(rows, crew.parts(rows, self.work(rows)))
    }

    /// Whether so many rows are enough for the members of a crew that are there.
    fn is_shared(&self, crew: &Crew, rows: usize) -> bool {
        crew.parts(rows, self.work(rows)) > 1
    }

    /// Where to cut the weights that are trained, in a step of so many rows.
    pub(crate) fn weight_cuts<'t>(&self, crew: &Crew, rows: usize, tape: &'t Tape<F>) -> Cuts<'t> {
        if self.is_shared(crew, rows) { tape.windows.trained() } else { Cuts::even(self.trained(), 1) }
    }

    /// Multiplications of a forward pass of so many rows.
    pub(crate) fn work(&self, rows: usize) -> usize {
        rows.saturating_mul(self.count_params())
    }
}

/// Adds the gradient of a layer's penalty on activations, each row by its share.
fn add_activity_gradient<F: Float>(stage: &Stage, i: usize, rows: &mut TapeRows<'_, F>) {
    let Some(regularizer) = stage.layer.ops::<F>().activity_regularizer() else { return };
    let (regularizer, width): (&dyn Regularizer<F>, _) = (regularizer.ops::<F>(), stage.n_outputs);
    let (mut shares, mut activity) = rows.of_rows.split_at(ACTIVITY);
    let (shares, activity) = (shares.get_mut(SHARE), activity.get_mut(0));
    let delta = rows.deltas.get_mut(i).chunks_exact_mut(width);
    let of_rows = delta.zip(rows.outputs.get(i).chunks_exact(width)).zip(shares);
    for ((delta, output), &mut share) in of_rows {
        let activity = &mut activity[..width];
        activity.fill(F::zero());
        regularizer.add_gradient(output, activity);
        delta.iter_mut().zip(&*activity).for_each(|(delta, &g)| *delta += share * g);
    }
}

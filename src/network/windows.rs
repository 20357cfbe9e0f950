//! The weights in parts of similar size, for several threads.

use std::ops::Range;

use super::layer::TensorsMut;
use super::tape::{Pass, Tape};
use super::{Network, Stage, penalized};
use crate::float::Float;
use crate::kernel::{Cuts, MOST_PARTS};

/// The flat buffers of a network cut into windows: each holds some layers, or some rows of one.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    pieces: Vec<Piece>,
    /// The first piece of each window, and the end.
    first_piece: Vec<usize>,
    /// The first weight of each window among those that are trained, and the end.
    trained: Vec<usize>,
    /// The first place of each window among the weights that are not trained, counted from the first of them, and the end.
    rest: Vec<usize>,
}

/// Some rows of a layer's first tensor, and behind the last of them the layer's other tensors.
#[derive(Debug)]
struct Piece {
    stage: usize,
    rows: Range<usize>,
    /// The place in the flat buffers.
    place: Range<usize>,
}

/// Some of the weights that are trained, and their gradient.
pub(crate) struct Window<'w, F> {
    pub(super) stages: &'w [Stage],
    /// Where they lie.
    pub(super) place: Range<usize>,
    pub(super) weights: &'w [F],
    pub(crate) gradient: &'w mut [F],
}

impl<F: Float> Window<'_, F> {
    /// Adds the gradient of the penalties that go weight by weight.
    pub(crate) fn add_divisible_penalties(&mut self) {
        let window = self.place.clone();
        for (regularizer, place) in penalized(self.stages) {
            let (start, end) = (place.start.max(window.start), place.end.min(window.end));
            if start < end && regularizer.ops::<F>().is_elementwise() {
                let part = start - window.start..end - window.start;
                regularizer.ops::<F>().add_gradient(&self.weights[part.clone()], &mut self.gradient[part]);
            }
        }
    }
}

impl Windows {
    /// For so many threads. One thread has no use for them.
    pub(crate) fn new<F: Float>(network: &Network<F>, threads: usize) -> Self {
        let mut windows = Windows::default();
        if threads == 1 {
            return windows;
        }
        // One for each thread, so that moments stay in the cache of the core that moves them. Windows may turn out a tenth smaller
        // than meant.
        let count = threads.min(MOST_PARTS * 3 / 4);
        let size = network.trained().div_ceil(count).max(1);
        let (mut filled, mut rest) = (size, 0);
        for (stage, of_stage) in network.stages().iter().enumerate() {
            let mut untrained = of_stage.places_of(false);
            let rest_start = untrained.next().map_or(rest, |place| {
                rest = untrained.last().unwrap_or_else(|| place.clone()).end - network.trained();
                place.start - network.trained()
            });
            let Some(rows) = of_stage.trained_rows() else { continue };
            let (mut at, mut from) = (of_stage.start(), 0);
            while from < rows {
                if 10 * filled >= 9 * size {
                    windows.open(at, if from == 0 { rest_start } else { rest });
                    filled = 0;
                }
                let to = of_stage.divide::<F>(from, size - filled).unwrap_or(rows);
                let end =
                    if to == rows { of_stage.end() } else { at + (to - from) * of_stage.tensors[0].columns };
                windows.pieces.push(Piece { stage, rows: from..to, place: at..end });
                filled += end - at;
                (at, from) = (end, to);
            }
        }
        windows.open(network.trained(), network.weights().len() - network.trained());
        windows
    }

    /// Ends a window, and begins one at these places.
    fn open(&mut self, trained: usize, rest: usize) {
        self.first_piece.push(self.pieces.len());
        self.trained.push(trained);
        self.rest.push(rest);
    }

    /// The number of windows.
    pub(crate) fn count(&self) -> usize {
        self.trained.len().saturating_sub(1)
    }

    /// The weights of a window that are trained.
    pub(crate) fn range(&self, window: usize) -> Range<usize> {
        self.trained[window]..self.trained[window + 1]
    }

    /// Where the weights that are trained are cut.
    pub(crate) fn trained(&self) -> Cuts<'_> {
        Cuts::at(&self.trained)
    }

    /// Where those are cut that are not.
    pub(super) fn rest(&self) -> Cuts<'_> {
        Cuts::at(&self.rest)
    }

    /// The gradient of a window's weights.
    pub(super) fn gradient<F: Float>(
        &self,
        stages: &[Stage],
        window: usize,
        tape: &Tape<F>,
        pass: &Pass<'_, F>,
        trained: &mut [F],
        rest: &mut [F],
    ) {
        let start = self.trained[window];
        for piece in &self.pieces[self.first_piece[window]..self.first_piece[window + 1]] {
            let gradient = TensorsMut {
                all: &mut trained[piece.place.start - start..piece.place.end - start],
                first: piece.place.start,
                rest: &mut *rest,
                first_of_rest: self.trained[self.count()] + self.rest[window],
                places: &stages[piece.stage].places,
            };
            tape.gradient(stages, piece.stage, piece.rows.clone(), pass, gradient);
        }
    }
}

impl Stage {
    /// The places of its tensors that are trained, or of those that are not.
    fn places_of(&self, trainable: bool) -> impl Iterator<Item = Range<usize>> {
        let tensors = self.tensors.iter().zip(&self.places);
        let chosen = tensors.filter(move |(tensor, _)| tensor.trainable == trainable);
        chosen.map(|(_, &(start, len))| start..start + len)
    }

    /// The rows of its first tensor, if a tensor of it is trained.
    pub(super) fn trained_rows(&self) -> Option<usize> {
        self.tensors.iter().any(|tensor| tensor.trainable).then(|| self.tensors[0].rows)
    }

    fn start(&self) -> usize {
        self.places_of(true).next().map_or(0, |place| place.start)
    }

    fn end(&self) -> usize {
        self.places_of(true).last().map_or(0, |place| place.end)
    }

    /// The row before which to cut its first tensor, from row `from` on, for a window that has room for so many weights; none
    /// where it ends within the window, or cannot be cut.
    fn divide<F: Float>(&self, from: usize, room: usize) -> Option<usize> {
        let all_trained = self.tensors.iter().all(|tensor| tensor.trainable);
        if !(all_trained && self.layer.ops::<F>().divides_gradient()) {
            return None;
        }
        let (rows, columns) = (self.tensors[0].rows, self.tensors[0].columns);
        // Whole blocks of rows where there are many, and no crumbs.
        let fit = (room / columns).max(1);
        let fit = if fit >= 32 { fit / 16 * 16 } else { fit };
        (from + fit + fit / 4 < rows).then_some(from + fit)
    }
}

//! Predictions: many rows in blocks that stay in the cache, on all threads, and single rows without an allocation.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use ndarray::{Array2, ArrayView1, ArrayView2};

use super::{Network, Pass, Tape};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::kernel::{self, Buffer, Crew, Cuts, MOST_PARTS, Slices};

/// Bytes of input and activations of the rows that go through the network together: they stay in the second cache
/// beside some weights.
const BLOCK_BYTES: usize = 384 << 10;
/// Fewest rows of a block, enough to use the matrix kernels, and most.
const LEAST_ROWS: usize = 48;
const MOST_ROWS: usize = 256;

/// Multiplications from which on blocks go to several threads: some milliseconds, a hundred times what it takes to wake
/// one.
const PARALLEL_FROM: usize = 100_000_000;

/// The memory of [`Network::predict_row`], for one network after another.
///
/// It is made for the first network it meets, and anew for one of another structure.
#[derive(Debug, Default)]
pub struct RowScratch<F: Float> {
    tape: Option<Tape<F>>,
}

impl<F: Float> RowScratch<F> {
    /// Memory for no network yet.
    #[must_use]
    pub fn new() -> Self {
        RowScratch { tape: None }
    }
}

impl<F: Float> Network<F> {
    /// The outputs for some rows.
    ///
    /// Large predictions are shared among the threads of the current rayon pool; the numbers do not depend on it.
    ///
    /// # Shapes
    ///
    /// `x` (n_samples, n_features) → (n_samples, n_outputs)
    ///
    /// # Errors
    ///
    /// [`Error::Width`] when `x` has another number of columns than the network was built for, [`Error::NotFinite`] for
    /// a value that is NaN or infinite.
    pub fn predict(&self, x: ArrayView2<'_, F>) -> Result<Array2<F>> {
        self.checked_rows(x, false)
    }

    /// The outputs for some rows before the last activation.
    pub(crate) fn sums(&self, x: ArrayView2<'_, F>) -> Result<Array2<F>> {
        self.checked_rows(x, true)
    }

    fn checked_rows(&self, x: ArrayView2<'_, F>, without_last_activation: bool) -> Result<Array2<F>> {
        self.check_width(x.ncols())?;
        let (n, width) = x.dim();
        let Some(values) = x.as_slice() else {
            check_finite(x)?;
            return Ok(self.rows_through(n, |row| x.row(row), without_last_activation));
        };
        let mut outputs = Array2::zeros((n, self.n_outputs()));
        let rows = self.block_rows().min(n);
        let finite = self.in_blocks(rows, &mut outputs, |tape, start, outputs| {
            let x = &values[start * width..][..outputs.len() / self.n_outputs() * width];
            // The block is in the cache afterwards, and the next one follows it while this one is computed with.
            let next = start + rows..(start + 2 * rows).min(n);
            kernel::announce_rows(values, width, width, next);
            let finite = kernel::all_finite(x);
            if finite {
                self.block(tape, x, outputs, without_last_activation);
            }
            finite
        });
        if !finite {
            check_finite(x)?;
        }
        Ok(outputs)
    }

    /// The outputs for one row, in memory that is used again: after the first call nothing is allocated.
    ///
    /// # Shapes
    ///
    /// `x` (n_features) → (n_outputs)
    ///
    /// # Errors
    ///
    /// As [`predict`](Self::predict).
    ///
    /// # Examples
    ///
    /// ```
    /// use linfa_mlp::network::{Dense, Relu, RowScratch, Sequential};
    ///
    /// let network = Sequential::new().add(Dense::new(4).activation(Relu)).add(Dense::new(2)).build::<f32>(3, 42)?;
    /// let mut scratch = RowScratch::new();
    /// for row in [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]] {
    ///     let outputs = network.predict_row(&row, &mut scratch)?;
    ///     assert_eq!(outputs.len(), 2);
    /// }
    /// assert!(network.predict_row(&[0.1, f32::NAN, 0.3], &mut scratch).is_err());
    /// # Ok::<(), linfa_mlp::Error>(())
    /// ```
    pub fn predict_row<'s>(&self, x: &[F], scratch: &'s mut RowScratch<F>) -> Result<&'s [F]> {
        self.check_width(x.len())?;
        if let Some((column, value)) = x.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            return Err(Error::NotFinite { array: "x", row: 0, column, value: value.wide() });
        }
        if scratch.tape.as_ref().is_some_and(|tape| !tape.is_for_one_row(self)) {
            scratch.tape = None;
        }
        let tape = scratch.tape.get_or_insert_with(|| Tape::for_prediction(self, 1));
        self.forward_lent(tape, x, 1, false);
        Ok(tape.outputs(1))
    }

    /// The outputs for `n` rows that `row` hands out, taken to fit the network.
    pub(crate) fn predict_rows<'x>(
        &self,
        n: usize,
        row: impl Fn(usize) -> ArrayView1<'x, F> + Sync,
    ) -> Array2<F> {
        self.rows_through(n, row, false)
    }

    fn rows_through<'x>(
        &self,
        n: usize,
        row: impl Fn(usize) -> ArrayView1<'x, F> + Sync,
        without_last_activation: bool,
    ) -> Array2<F> {
        let mut outputs = Array2::zeros((n, self.n_outputs()));
        let rows = self.block_rows().min(n);
        self.in_blocks(rows, &mut outputs, |tape, start, outputs| {
            let mut x = Buffer::zeros(outputs.len() / self.n_outputs() * self.n_features);
            for (i, to) in x.chunks_exact_mut(self.n_features).enumerate() {
                match row(start + i).as_slice() {
                    Some(from) => to.copy_from_slice(from),
                    None => to.iter_mut().zip(row(start + i)).for_each(|(to, &from)| *to = from),
                }
            }
            self.block(tape, &x, outputs, without_last_activation);
            true
        });
        outputs
    }

    /// Runs `block` on a tape, the number of its first row and the place of its outputs, until one says no.
    fn in_blocks(
        &self,
        rows: usize,
        outputs: &mut Array2<F>,
        block: impl Fn(&mut Tape<F>, usize, &mut [F]) -> bool + Sync,
    ) -> bool {
        let work = outputs.nrows().saturating_mul(self.count_params());
        let outputs = outputs.as_slice_mut().expect("a new array is contiguous");
        let len = (rows * self.n_outputs()).max(1);
        let crew = if work < PARALLEL_FROM { Crew::alone() } else { Crew::for_pieces_of(work) };
        crew.recruit(work);
        // Many parts, because helpers come while the first are done; without any, one tape goes from part to part.
        let most = if crew.places() == 1 { 1 } else { MOST_PARTS };
        let n_whole = outputs.len() / len;
        let (whole, rest) = outputs.split_at_mut(n_whole * len);
        let (tapes, finite) = (Mutex::new(Vec::new()), AtomicBool::new(true));
        let all = |first: usize, outputs: &mut [F]| {
            let idle = tapes.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut tape = idle.unwrap_or_else(|| Tape::for_prediction(self, rows));
            for (i, outputs) in outputs.chunks_mut(len).enumerate() {
                if finite.load(Relaxed) && !block(&mut tape, (first + i) * rows, outputs) {
                    finite.store(false, Relaxed);
                }
            }
            tapes.lock().unwrap_or_else(PoisonError::into_inner).push(tape);
        };
        let cuts = Cuts::even(n_whole, n_whole.clamp(1, most));
        crew.share((cuts, Slices::of_rows(whole, len, cuts)), |(range, outputs)| all(range.start, outputs));
        if !rest.is_empty() {
            all(n_whole, rest);
        }
        finite.into_inner()
    }

    fn block(&self, tape: &mut Tape<F>, x: &[F], outputs: &mut [F], without_last_activation: bool) {
        let rows = outputs.len() / self.n_outputs();
        self.forward_lent(tape, x, rows, without_last_activation);
        outputs.copy_from_slice(tape.outputs(rows));
    }

    /// Rows through the network on this thread; the tape has the outputs.
    fn forward_lent(&self, tape: &mut Tape<F>, x: &[F], rows: usize, without_last_activation: bool) {
        let pass = Pass { rows, lent: Some(x), noise: None, without_last_activation };
        self.forward(&Crew::alone(), tape, pass, |_| (), |_| ());
    }

    /// Rows of a block: their number decides no bit.
    fn block_rows(&self) -> usize {
        let widths = self.stages().iter().map(|stage| stage.n_outputs);
        let row = self.n_features + widths.sum::<usize>();
        (BLOCK_BYTES / (row * size_of::<F>()).max(1)).clamp(LEAST_ROWS, MOST_ROWS)
    }

    fn check_width(&self, found: usize) -> Result<()> {
        if found == self.n_features {
            return Ok(());
        }
        Err(Error::Width { array: "x", expected: self.n_features, found })
    }
}

fn check_finite<F: Float>(x: ArrayView2<'_, F>) -> Result<()> {
    match x.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, column), value)) => {
            Err(Error::NotFinite { array: "x", row, column, value: value.wide() })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Dense, Dropout, LayerNorm, Sequential, Softmax, Tanh};
    use ndarray::{Array2, s};

    fn network<F: Float>(units: usize) -> Network<F> {
        let hidden = || Dense::new(units).activation(Tanh);
        let layers =
            Sequential::new().add(hidden()).add(Dropout::new(0.5)).add(LayerNorm::new()).add(hidden());
        layers.add(Dense::new(3).activation(Softmax)).build(5, 7).expect("legal")
    }

    fn rows<F: Float>(n: usize) -> Array2<F> {
        Array2::from_shape_fn((n, 5), |(i, j)| F::of(((i * 31 + j * 17) % 101) as f64 / 50.0 - 1.0))
    }

    fn check<F: Float>() {
        let network = network::<F>(33);
        let x = rows::<F>(700);
        let all = network.predict(x.view()).unwrap();
        let turned = x.t().as_standard_layout().into_owned();
        assert_eq!(network.predict(turned.t()).unwrap(), all, "rows that are not contiguous");
        let mut scratch = RowScratch::new();
        for (row, expected) in x.rows().into_iter().zip(all.rows()) {
            let alone = network.predict_row(row.as_slice().unwrap(), &mut scratch).unwrap();
            assert_eq!(alone, expected.as_slice().unwrap());
        }
        assert_eq!(network.predict(x.slice(s![300..301, ..])).unwrap(), all.slice(s![300..301, ..]));
        assert_eq!(network.predict(x.slice(s![..0, ..])).unwrap().dim(), (0, 3));
    }

    #[test]
    fn rows_alone_in_blocks_and_in_any_layout_give_the_same_bits() {
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn threads_change_nothing() {
        let network = network::<f32>(128);
        let x = rows::<f32>(6000);
        assert!(x.nrows() * network.count_params() > PARALLEL_FROM, "the test must reach the threads");
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| network.predict(x.view()).unwrap())
        };
        let one = on(1);
        for threads in [2, 3, 16] {
            assert_eq!(on(threads), one, "{threads} threads");
        }
    }

    #[test]
    fn a_value_that_is_no_number_is_named_wherever_it_is() {
        let network = network::<f32>(128);
        for (row, column) in [(0, 0), (299, 4), (5999, 2)] {
            let mut x = rows::<f32>(6000);
            x[[row, column]] = f32::NEG_INFINITY;
            let error = network.predict(x.view()).unwrap_err();
            let named = matches!(error, Error::NotFinite { array: "x", row: r, column: c, .. } if (r, c) == (row, column));
            assert!(named, "{error}");
        }
    }

    #[test]
    fn a_row_of_another_width_is_refused_and_a_scratch_fits_any_network() {
        let (small, large) = (network::<f64>(4), network::<f64>(40));
        let mut scratch = RowScratch::default();
        let row = [0.5; 5];
        let expected = small.predict_row(&row, &mut scratch).unwrap().to_vec();
        for wrong in [&[][..], &[0.5; 4], &[0.5; 6]] {
            let error = small.predict_row(wrong, &mut scratch).unwrap_err();
            assert!(matches!(error, Error::Width { array: "x", expected: 5, .. }), "{error}");
        }
        let error = small.predict_row(&[0.0, 0.0, 0.0, f64::NAN, 0.0], &mut scratch).unwrap_err();
        assert!(matches!(error, Error::NotFinite { row: 0, column: 3, .. }), "{error}");
        large.predict_row(&row, &mut scratch).unwrap();
        let linear = Sequential::new().add(Dense::new(1)).build::<f64>(5, 1).unwrap();
        assert_eq!(linear.predict_row(&row, &mut scratch).unwrap().len(), 1);
        assert_eq!(small.predict_row(&row, &mut scratch).unwrap(), &expected[..]);
    }
}

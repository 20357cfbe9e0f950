//! Rows to train on: borrowed arrays, or what reads them, and an index list.

use std::borrow::Cow;
use std::sync::Arc;

use ndarray::{ArrayView1, ArrayView2};

use crate::error::{Error, Result, check};
use crate::float::Float;
use crate::kernel;

use super::RowSource;

/// Rows of a borrowed data set, chosen by index. Every value has been seen to be finite; those of a [`RowSource`] are
/// looked at when they are read.
///
/// # Shapes
///
/// `x` (n_samples, n_features), `y` (n_samples, target_width), weights (n_samples), whatever their memory layout. The
/// index list may name a row more than once.
#[derive(Clone, Debug)]
pub struct Rows<'a, F: Float> {
    store: Store<'a, F>,
    weights: Option<ArrayView1<'a, f32>>,
    /// The factor of each class, in a loss that is trained on.
    class_weights: Option<Arc<[f64]>>,
    index: Option<Cow<'a, [usize]>>,
}

/// Where values come from.
#[derive(Clone, Debug)]
enum Store<'a, F: Float> {
    Arrays { x: ArrayView2<'a, F>, y: ArrayView2<'a, F> },
    Source(&'a (dyn RowSource<F> + 'a)),
}

/// Rows that are read from a source at a time when all targets are looked at.
const BLOCK: usize = 256;

/// The rows a run learns from, and those it is validated on.
#[derive(Clone, Debug)]
pub struct Data<'a, F: Float> {
    /// Training rows.
    pub training: Rows<'a, F>,
    /// Validation rows.
    pub validation: Option<Rows<'a, F>>,
}

/// Rows to train on, without validation.
impl<'a, F: Float> From<Rows<'a, F>> for Data<'a, F> {
    fn from(training: Rows<'a, F>) -> Self {
        Data { training, validation: None }
    }
}

impl<'a, F: Float> Data<'a, F> {
    /// Some rows of a data set to train on, and others to validate on.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a validation row that is named twice or is trained on; otherwise as [`Rows::select`].
    pub fn divide(
        rows: &Rows<'a, F>,
        training: impl Into<Cow<'a, [usize]>>,
        validation: impl Into<Cow<'a, [usize]>>,
    ) -> Result<Self> {
        let (training, validation) = (rows.select(training)?, rows.select(validation)?);
        let mut trained: Vec<usize> = (0..training.len()).map(|place| training.row(place)).collect();
        trained.sort_unstable();
        let mut seen: Vec<usize> = (0..validation.len()).map(|place| validation.row(place)).collect();
        seen.sort_unstable();
        let twice = seen.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        let shared = seen.iter().find(|row| trained.binary_search(row).is_ok());
        let found = match (twice, shared) {
            (_, Some(row)) => format!("row {row}, which is trained on"),
            (Some(row), None) => format!("row {row} twice"),
            (None, None) => return Ok(Data { training, validation: Some(validation) }),
        };
        Err(Error::parameter("the validation rows", found, "rows that are not trained on, each named once"))
    }
}

impl<'a, F: Float> Rows<'a, F> {
    /// All rows of a data set.
    ///
    /// # Errors
    ///
    /// [`Error::NoRows`], [`Error::NoColumns`], [`Error::RowCount`] for shapes that do not fit, [`Error::NotFinite`] for
    /// a NaN or an infinity in `x` or `y`.
    pub fn new(x: ArrayView2<'a, F>, y: ArrayView2<'a, F>) -> Result<Self> {
        if x.nrows() == 0 {
            return Err(Error::NoRows { array: "x" });
        }
        for (array, view) in [("x", &x), ("y", &y)] {
            if view.ncols() == 0 {
                return Err(Error::NoColumns { array });
            }
            if view.nrows() != x.nrows() {
                return Err(Error::RowCount { array: "y", expected: x.nrows(), found: view.nrows() });
            }
            // Most arrays are one slice of numbers, read at the speed of memory; only others are searched.
            let found = match view.as_slice_memory_order() {
                Some(values) if kernel::all_finite(values) => None,
                _ => view.indexed_iter().find(|(_, value)| !value.is_finite()),
            };
            if let Some(((row, column), value)) = found {
                return Err(Error::NotFinite { array, row, column, value: value.wide() });
            }
        }
        Ok(Rows::checked_before(x, y, None))
    }

    /// All rows of a source, which is read when they are needed.
    ///
    /// # Errors
    ///
    /// [`Error::NoRows`] and [`Error::NoColumns`]. Later, where rows are read: [`Error::RowSource`] for an error of the source,
    /// [`Error::NotFinite`] for a NaN or an infinity, [`Error::TargetRange`] for a target outside the range of the loss.
    pub fn from_source(source: &'a (dyn RowSource<F> + 'a)) -> Result<Self> {
        if source.n_samples() == 0 {
            return Err(Error::NoRows { array: "x" });
        }
        for (array, columns) in [("x", source.n_features()), ("y", source.target_width())] {
            if columns == 0 {
                return Err(Error::NoColumns { array });
            }
        }
        Ok(Rows { store: Store::Source(source), weights: None, class_weights: None, index: None })
    }

    /// All rows of a data set that has been checked before.
    pub(crate) fn checked_before(
        x: ArrayView2<'a, F>,
        y: ArrayView2<'a, F>,
        weights: Option<ArrayView1<'a, f32>>,
    ) -> Self {
        Rows { store: Store::Arrays { x, y }, weights, class_weights: None, index: None }
    }

    /// With a weight for each row of the data set.
    ///
    /// # Errors
    ///
    /// [`Error::RowCount`] for another number of weights, [`Error::Parameter`] for a weight that is negative, NaN or
    /// infinite.
    pub fn with_weights(mut self, weights: ArrayView1<'a, f32>) -> Result<Self> {
        check_weights(weights, self.n_samples())?;
        self.weights = Some(weights);
        Ok(self)
    }

    /// With a factor for each class, by which the loss of its rows counts more or less in training. Metrics and validation
    /// know nothing of it. A row of a class of weight 0 is left out.
    ///
    /// The class of a row is its target where that is one column, and else the column of the largest. Classes past the end
    /// of the list weigh 1.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a weight that is negative, NaN or infinite, [`Error::NoRows`] when every row is left out; what
    /// the source reports, if there is one and a weight is 0.
    pub fn with_class_weights(mut self, weights: impl Into<Vec<f64>>) -> Result<Self> {
        let weights = weights.into();
        for (class, weight) in weights.iter().enumerate() {
            let name = format!("the weight of class {class}");
            check(&name, weight, weight.is_finite() && *weight >= 0.0, "finite and at least 0")?;
        }
        if weights.contains(&0.0) {
            let mut kept = Vec::new();
            self.for_each_target(|row, targets| {
                if class_weight(&weights, targets) > 0.0 {
                    kept.push(row);
                }
            })?;
            if kept.is_empty() {
                return Err(Error::NoRows { array: "the training rows of classes with a weight above 0" });
            }
            self.index = Some(kept.into());
        }
        self.class_weights = Some(weights.into());
        Ok(self)
    }

    /// Those rows of the data set alone, in that order.
    ///
    /// # Errors
    ///
    /// [`Error::RowIndex`] for an index past the end, [`Error::NoRows`] for an empty list.
    pub fn select(&self, index: impl Into<Cow<'a, [usize]>>) -> Result<Self> {
        let index = index.into();
        let n_samples = self.n_samples();
        if index.is_empty() {
            return Err(Error::NoRows { array: "the rows chosen" });
        }
        if let Some((position, &row)) = index.iter().enumerate().find(|(_, row)| **row >= n_samples) {
            return Err(Error::RowIndex { position, row, n_samples });
        }
        Ok(Rows { index: Some(index), ..self.clone() })
    }

    /// Number of rows chosen.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.as_ref().map_or(self.n_samples(), |index| index.len())
    }

    /// Number of rows of the data set.
    fn n_samples(&self) -> usize {
        match &self.store {
            Store::Arrays { x, .. } => x.nrows(),
            Store::Source(source) => source.n_samples(),
        }
    }

    /// Never: there is at least one row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Columns of `x`.
    #[must_use]
    pub fn n_features(&self) -> usize {
        match &self.store {
            Store::Arrays { x, .. } => x.ncols(),
            Store::Source(source) => source.n_features(),
        }
    }

    /// Columns of `y`.
    #[must_use]
    pub fn target_width(&self) -> usize {
        match &self.store {
            Store::Arrays { y, .. } => y.ncols(),
            Store::Source(source) => source.target_width(),
        }
    }

    /// Whether rows have weights.
    #[must_use]
    pub fn has_weights(&self) -> bool {
        self.weights.is_some()
    }

    /// Whether a row chosen has a weight above 0.
    pub(crate) fn have_weight(&self) -> bool {
        (0..self.len()).any(|place| self.has_weight(self.row(place)))
    }

    /// Whether a row of the data set has a weight above 0.
    pub(crate) fn has_weight(&self, row: usize) -> bool {
        self.weights.as_ref().is_none_or(|weights| weights[row] > 0.0)
    }

    /// The sample weight of a row of the data set; 1 where there are none.
    pub(crate) fn sample_weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| f64::from(weights[row]))
    }

    /// Number of rows chosen that have a weight above 0.
    pub(crate) fn n_weighted(&self) -> usize {
        (0..self.len()).filter(|&place| self.has_weight(self.row(place))).count()
    }

    /// The row of the data set at a place of the index list.
    pub(crate) fn row(&self, place: usize) -> usize {
        self.index.as_ref().map_or(place, |index| index[place])
    }

    /// The source that the rows are read from, if there is one.
    pub(crate) fn source(&self) -> Option<&(dyn RowSource<F> + 'a)> {
        match &self.store {
            Store::Arrays { .. } => None,
            Store::Source(source) => Some(*source),
        }
    }

    /// Copies `y` of some rows of arrays into a buffer. A source is asked for whole rows: their `x` is there too, then.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub(super) fn read_targets(&self, rows: &[usize], x: &mut [F], y: &mut [F]) -> Result<()> {
        match &self.store {
            Store::Arrays { y: from, .. } => gather(*from, rows, y),
            Store::Source(_) => self.read(rows, x, y)?,
        }
        Ok(())
    }

    /// Copies `x` of some rows into a buffer, unless [`read_targets`](Self::read_targets) has.
    pub(super) fn read_inputs(&self, rows: &[usize], to: &mut [F]) {
        if let Store::Arrays { x, .. } = &self.store {
            gather(*x, rows, to);
        }
    }

    /// Copies or reads `x` and `y` of some rows of the data set into buffers.
    ///
    /// # Errors
    ///
    /// None for arrays; for a source, what it reports and [`Error::NotFinite`].
    pub(crate) fn read(&self, rows: &[usize], x: &mut [F], y: &mut [F]) -> Result<()> {
        match &self.store {
            Store::Arrays { x: from_x, y: from_y } => {
                gather(*from_x, rows, x);
                gather(*from_y, rows, y);
            }
            Store::Source(source) => {
                x.fill(F::nan());
                y.fill(F::nan());
                source.read(rows, x, y).map_err(|source| Error::RowSource { source })?;
                for (array, values) in [("x", &*x), ("y", &*y)] {
                    let width = values.len() / rows.len().max(1);
                    if let Some(place) = values.iter().position(|value| !value.is_finite()) {
                        let (row, column, value) = (rows[place / width], place % width, values[place].wide());
                        return Err(Error::NotFinite { array, row, column, value });
                    }
                }
            }
        }
        Ok(())
    }

    /// Announces the rows that will be read next, so that they come into the cache while others are computed with.
    pub(crate) fn announce(&self, rows: &[usize]) {
        if let Store::Arrays { x, .. } = &self.store
            && let Some(values) = x.as_slice()
        {
            kernel::announce_rows(values, x.ncols(), x.ncols(), rows.iter().copied());
        }
    }

    /// Copies the sample weights of some rows of the data set into a buffer; 1 where there are none.
    pub(crate) fn gather_weights(&self, rows: &[usize], to: &mut [F]) {
        match &self.weights {
            Some(weights) => {
                to.iter_mut().zip(rows).for_each(|(to, &row)| *to = F::of(f64::from(weights[row])))
            }
            None => to.fill(F::one()),
        }
    }

    /// The factor of each class, if there is one.
    pub(crate) fn class_weights(&self) -> Option<&[f64]> {
        self.class_weights.as_deref()
    }

    /// What the loss of some rows counts in training: sample weights times class weights, by the targets `y`. Without the
    /// latter these are the sample weights.
    pub(super) fn loss_weights<'w>(
        &self,
        rows: &[usize],
        y: &[F],
        sample_weights: &'w [F],
        buffer: &'w mut [F],
    ) -> &'w [F] {
        let Some(class_weights) = self.class_weights() else { return sample_weights };
        let buffer = &mut buffer[..rows.len()];
        for ((to, &row), targets) in buffer.iter_mut().zip(rows).zip(y.chunks_exact(self.target_width())) {
            *to = F::of(self.sample_weight(row) * class_weight(class_weights, targets));
        }
        buffer
    }

    /// What the losses of all rows chosen count together in training.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub(super) fn mass(&self) -> Result<f64> {
        let mut mass = 0.0;
        match self.class_weights() {
            None => (0..self.len()).for_each(|place| mass += self.sample_weight(self.row(place))),
            Some(weights) => self.for_each_target(|row, targets| {
                mass += F::of(self.sample_weight(row) * class_weight(weights, targets)).wide();
            })?,
        }
        Ok(mass)
    }

    /// Tells the targets of every row chosen, with the row.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub(crate) fn for_each_target(&self, mut tell: impl FnMut(usize, &[F])) -> Result<()> {
        let width = self.target_width();
        match &self.store {
            Store::Arrays { y, .. } => {
                let mut targets = vec![F::zero(); width];
                for place in 0..self.len() {
                    let row = self.row(place);
                    targets.iter_mut().zip(y.row(row)).for_each(|(to, &from)| *to = from);
                    tell(row, &targets);
                }
            }
            Store::Source(_) => {
                let block = BLOCK.min(self.len());
                let mut rows = Vec::with_capacity(block);
                let (mut x, mut y) =
                    (vec![F::zero(); block * self.n_features()], vec![F::zero(); block * width]);
                for start in (0..self.len()).step_by(block) {
                    rows.clear();
                    rows.extend((start..(start + block).min(self.len())).map(|place| self.row(place)));
                    let n = rows.len();
                    self.read(&rows, &mut x[..n * self.n_features()], &mut y[..n * width])?;
                    rows.iter().zip(y.chunks_exact(width)).for_each(|(&row, targets)| tell(row, targets));
                }
            }
        }
        Ok(())
    }
}

/// The class of a row: its target where that is one column, and else the column of the largest, the first of equals.
pub(super) fn class_of<F: Float>(targets: &[F]) -> usize {
    match targets {
        // As a metric reads a single probability, and a class index as itself.
        [value] if value.wide() <= 1.0 => usize::from(value.wide() > 0.5),
        [value] => value.wide() as usize,
        _ => (1..targets.len())
            .fold(0, |best, column| if targets[column] > targets[best] { column } else { best }),
    }
}

fn class_weight<F: Float>(weights: &[f64], targets: &[F]) -> f64 {
    weights.get(class_of(targets)).copied().unwrap_or(1.0)
}

/// Whether these are sample weights of so many rows.
pub(crate) fn check_weights(weights: ArrayView1<'_, f32>, n_samples: usize) -> Result<()> {
    if weights.len() != n_samples {
        return Err(Error::RowCount { array: "sample weights", expected: n_samples, found: weights.len() });
    }
    match weights.iter().enumerate().find(|(_, weight)| !(weight.is_finite() && **weight >= 0.0)) {
        Some((row, weight)) => {
            let name = format!("the sample weight of row {row}");
            Err(Error::parameter(name, weight, "finite and at least 0"))
        }
        None => Ok(()),
    }
}

/// Whether there is anything to learn from, or to score.
pub(crate) fn check_any_weight(any: bool) -> Result<()> {
    check("sample weights", "0 in every row", any, "above 0 in at least one row")
}

fn gather<F: Float>(from: ArrayView2<'_, F>, rows: &[usize], to: &mut [F]) {
    let width = from.ncols();
    if let Some(slice) = from.as_slice() {
        kernel::gather_rows(slice, width, width, rows, to);
        return;
    }
    for (to, &row) in to.chunks_exact_mut(width).zip(rows) {
        to.iter_mut().zip(from.row(row)).for_each(|(to, &from)| *to = from);
    }
}

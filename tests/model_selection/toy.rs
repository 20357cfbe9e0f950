//! A toy estimator: it predicts the mean of its training targets, plus a shift, and counts its fits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use linfa::prelude::*;
use linfa_mlp::model_selection::{DataView, FitContext, FitRows, Progress};
use linfa_mlp::{Error, Result};
use ndarray::{Array1, Array2, ArrayBase, Data, Ix1, Ix2};

/// What a fit does.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Fit,
    Fail,
    Diverge,
    Panic,
    /// Fails when the first training row is not row 0, so in the first block of rows only.
    FailInFirstFold,
    PredictNan,
}

#[derive(Clone, Debug)]
pub struct Valid {
    pub shift: f64,
    pub mode: Mode,
    pub fits: Arc<AtomicUsize>,
    pub seen: Arc<std::sync::Mutex<Vec<(usize, Vec<f32>, Vec<String>)>>>,
}

#[derive(Clone, Debug)]
pub struct Mean(pub Valid);

#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    pub value: f64,
    pub mean_of_x: f64,
    pub nan: bool,
}

impl Mean {
    pub fn params() -> Self {
        Mean(Valid { shift: 0.0, mode: Mode::Fit, fits: Arc::default(), seen: Arc::default() })
    }

    pub fn shift(mut self, shift: f64) -> Self {
        self.0.shift = shift;
        self
    }

    pub fn mode(mut self, mode: Mode) -> Self {
        self.0.mode = mode;
        self
    }

    /// The fits of this builder and all its copies so far.
    pub fn fits(&self) -> usize {
        self.0.fits.load(Ordering::SeqCst)
    }
}

impl ParamGuard for Mean {
    type Checked = Valid;
    type Error = Error;

    fn check_ref(&self) -> Result<&Valid> {
        linfa_mlp::error::check("shift", self.0.shift, self.0.shift.is_finite(), "finite")?;
        Ok(&self.0)
    }

    fn check(self) -> Result<Valid> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl Valid {
    fn train(&self, x: f64, y: f64, rows: f64, first: f64) -> Result<Fitted> {
        self.fits.fetch_add(1, Ordering::SeqCst);
        match self.mode {
            Mode::Fail => Err(Error::Linfa(linfa::Error::NotConverged("on purpose".into()))),
            Mode::FailInFirstFold if first != 0.0 => Err(Error::NoRows { array: "the first row" }),
            Mode::Diverge => {
                Err(Error::Diverged { epoch: 3, batch: 1, loss: f64::INFINITY, learning_rate: 10.0 })
            }
            Mode::Panic => panic!("the toy panics on purpose"),
            mode => Ok(Fitted {
                value: y / rows + self.shift,
                mean_of_x: x / rows,
                nan: mode == Mode::PredictNan,
            }),
        }
    }
}

impl<D: Data<Elem = f64>, S: Data<Elem = f64>> Fit<ArrayBase<D, Ix2>, ArrayBase<S, Ix1>, Error> for Valid {
    type Object = Fitted;

    fn fit(&self, data: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, Ix1>>) -> Result<Fitted> {
        let weights = data.weights().map(<[f32]>::to_vec).unwrap_or_default();
        self.seen.lock().unwrap().push((data.nsamples(), weights, data.feature_names().to_vec()));
        let rows = data.nsamples() as f64;
        self.train(data.records.sum(), data.targets.sum(), rows, data.records[(0, 0)])
    }
}

impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array1<f64>> for Fitted {
    fn predict_inplace<'a>(&'a self, x: &'a ArrayBase<D, Ix2>, y: &mut Array1<f64>) {
        assert_eq!(x.nrows(), y.len());
        y.fill(if self.nan { f64::NAN } else { self.value });
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array1<f64> {
        Array1::zeros(x.nrows())
    }
}

impl FitRows<f64, f64, Ix1> for Mean {
    type Object = Fitted;
    /// The address of the records it was prepared for.
    type Prepared = usize;

    fn check(&self) -> Result<()> {
        self.check_ref().map(|_| ())
    }

    fn prepare(data: &DataView<'_, f64, f64, Ix1>) -> Result<usize> {
        for ((row, column), &value) in data.records().indexed_iter() {
            if !value.is_finite() {
                return Err(Error::NotFinite { array: "x", row, column, value });
            }
        }
        Ok(data.records().as_ptr() as usize)
    }

    fn check_data(&self, _: &DataView<'_, f64, f64, Ix1>, _: &usize, rows: &[usize]) -> Result<()> {
        linfa_mlp::error::check("shift", self.0.shift, self.0.shift < rows.len() as f64, "below the rows")
    }

    fn fit_rows(
        &self,
        data: &DataView<'_, f64, f64, Ix1>,
        prepared: &usize,
        rows: &[usize],
        context: &FitContext<'_>,
    ) -> Result<Fitted> {
        assert_eq!(*prepared, data.records().as_ptr() as usize, "the data is not the one that was prepared");
        context.report(Progress { done: 1, of: 1, loss: 0.0 });
        let sum = |f: &dyn Fn(usize) -> f64| rows.iter().map(|&row| f(row)).sum::<f64>();
        let (x, y) = (sum(&|row| data.records().row(row).sum()), sum(&|row| data.targets()[row]));
        self.0.train(x, y, rows.len() as f64, data.records()[(rows[0], 0)])
    }

    fn predict_rows(
        &self,
        model: &Fitted,
        data: &DataView<'_, f64, f64, Ix1>,
        rows: &[usize],
    ) -> Result<Array1<f64>> {
        let x = Array2::<f64>::zeros((rows.len(), data.records().ncols()));
        Ok(model.predict(&x))
    }
}

/// n rows: x is the row number, y is 2 · row, or what `y` makes of it.
pub fn data(n: usize) -> Dataset<f64, f64, Ix1> {
    let x = Array2::from_shape_fn((n, 1), |(row, _)| row as f64);
    let y = Array1::from_shape_fn(n, |row| 2.0 * row as f64);
    Dataset::new(x, y)
}

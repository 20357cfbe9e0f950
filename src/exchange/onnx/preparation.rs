//! The scalings before and after a model.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use ndarray::Array2;

use super::{Onnx, ToOnnx};
use crate::error::{Error, Result};
use crate::exchange::Scaling;
use crate::float::Float;
use crate::model_selection::{FittedSteps, Pipeline, Transform};
use crate::network::Network;
use crate::network::graph::{Graph, Value};

/// What happens to records before the model and to numbers after it.
#[derive(Debug, Default)]
pub struct Preparation {
    pub(super) steps: Vec<Scaling>,
    pub(super) targets: Option<Scaling>,
}

/// How to read transformers of one type; none for others.
#[derive(Clone)]
pub(super) struct Reader(Arc<dyn Fn(&dyn Any) -> Option<Result<Scaling>> + Send + Sync>);

impl Reader {
    pub(super) fn of<T: 'static>(reader: impl Fn(&T) -> Result<Scaling> + Send + Sync + 'static) -> Self {
        Reader(Arc::new(move |step| step.downcast_ref().map(&reader)))
    }
}

/// The transformers of a pipeline as scalings, for rows of that many columns.
pub(super) fn read<F: Float>(steps: &FittedSteps<F>, onnx: &Onnx, width: usize) -> Result<Vec<Scaling>> {
    let read = |(place, step): (usize, &dyn Transform<F>)| {
        let name = format!("step {} of the preprocessing", place + 1);
        let scaling = onnx.readers.iter().find_map(|reader| (reader.0)(step.as_any()));
        let Some(scaling) = scaling else {
            let allowed = "one that Onnx::reading knows how to read";
            return Err(Error::parameter(name, "of another type", allowed));
        };
        let scaling = scaling?;
        scaling.check_width("the scaling of x", width)?;
        check_equal(&name, step, &scaling)?;
        Ok(scaling)
    };
    steps.iter().enumerate().map(read).collect()
}

/// Compares what was read with what the transformer does, on rows around the offsets: a transformer that does more than scale
/// its columns, or was read wrongly, is seen.
fn check_equal<F: Float>(name: &str, step: &dyn Transform<F>, scaling: &Scaling) -> Result<()> {
    const ROWS: usize = 7;
    // Multiples of the divisor: no two neighbouring columns have the same ones.
    let place = |row: usize, column: usize| (row * (column % 5 + 2)) as f64 % 11.0 - 5.0;
    let mut rows = Array2::zeros((ROWS, scaling.width()));
    for ((row, column), value) in rows.indexed_iter_mut() {
        let (offset, divisor) = scaling.column(column);
        *value = F::of(offset + place(row, column) * divisor);
    }
    let done = step.transform(rows.clone());
    let equal = done.dim() == rows.dim()
        && done.rows().into_iter().zip(rows.rows()).all(|(done, row)| {
            let row: Vec<f64> = row.iter().map(|value| value.wide()).collect();
            let read = scaling.apply(&row);
            // Rows were rounded relative to their offsets.
            let tolerance = |x: f64, column: usize| {
                let divisor = scaling.column(column).1.abs();
                64.0 * F::epsilon().wide() * (1.0 + (x.abs() + scaling.column(column).0.abs()) / divisor)
            };
            done.iter()
                .zip(&read)
                .zip(&row)
                .enumerate()
                .all(|(column, ((done, read), &x))| (done.wide() - read).abs() <= tolerance(x, column))
        });
    let found = "another transformation than what was read";
    crate::error::check(name, found, equal, "the scaling of columns that was read")
}

impl<M: ToOnnx<F>, F: Float, T> ToOnnx<F> for Pipeline<M, F, T> {
    fn result(&self) -> Cow<'_, Network<F>> {
        self.model().result()
    }

    fn outputs(&self, graph: &mut Graph<'_, F>, y: Value) {
        self.model().outputs(graph, y);
    }

    fn gives_numbers(&self) -> bool {
        self.model().gives_numbers()
    }

    fn metadata(&self) -> Vec<(String, String)> {
        self.model().metadata()
    }

    fn preparation(&self, onnx: &Onnx) -> Result<Preparation> {
        let steps = read(self.steps(), onnx, self.result().n_features())?;
        Ok(Preparation { steps, targets: self.target_scaling().map(Scaling::from) })
    }
}

//! A fitted model with the preparation it was trained behind.

use std::marker::PhantomData;

use linfa::Float;
use linfa::dataset::TargetDim;
use linfa::traits::PredictInplace;
use ndarray::{Array, Array2, ArrayBase, Axis, Data, Ix2};

use crate::model_selection::fit::target::Target;
use crate::model_selection::preparation::{FittedSteps, FittedTargetScaling};

/// A fitted model behind its fitted transformers and target scaling: raw records in, predictions in the units of the data
/// set out. `T` is the targets' array, `Array1<f64>` for instance.
///
/// # Examples
///
/// It predicts like any linfa model; see [`GridSearch`](crate::model_selection::GridSearch).
pub struct Pipeline<M, F, T> {
    steps: FittedSteps<F>,
    scaling: Option<FittedTargetScaling>,
    model: M,
    n_outputs: usize,
    targets: PhantomData<fn() -> T>,
}

impl<M, F, T> Pipeline<M, F, T> {
    pub(crate) fn new(
        steps: FittedSteps<F>,
        scaling: Option<FittedTargetScaling>,
        model: M,
        n_outputs: usize,
    ) -> Self {
        Pipeline { steps, scaling, model, n_outputs, targets: PhantomData }
    }

    /// The estimator's model, which reads transformed records and gives scaled targets.
    #[must_use]
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The estimator's model alone.
    #[must_use]
    pub fn into_model(self) -> M {
        self.model
    }

    /// The fitted transformers.
    #[must_use]
    pub fn steps(&self) -> &FittedSteps<F> {
        &self.steps
    }

    /// The fitted scaling of the targets.
    #[must_use]
    pub fn target_scaling(&self) -> Option<&FittedTargetScaling> {
        self.scaling.as_ref()
    }
}

impl<M: Clone, F, T> Clone for Pipeline<M, F, T> {
    fn clone(&self) -> Self {
        Pipeline::new(self.steps.clone(), self.scaling.clone(), self.model.clone(), self.n_outputs)
    }
}

impl<M: std::fmt::Debug, F, T> std::fmt::Debug for Pipeline<M, F, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline")
            .field("steps", &self.steps)
            .field("scaling", &self.scaling)
            .field("model", &self.model)
            .finish()
    }
}

/// # Panics
///
/// `predict` panics when the records have another number of columns than the model was trained with, as linfa's models
/// do.
impl<M, F, Y, I, D> PredictInplace<ArrayBase<D, Ix2>, Array<Y, I>> for Pipeline<M, F, Array<Y, I>>
where
    M: PredictInplace<Array2<F>, Array<Y, I>>,
    F: Float,
    Y: Target,
    I: TargetDim,
    D: Data<Elem = F>,
{
    fn predict_inplace<'a>(&'a self, x: &'a ArrayBase<D, Ix2>, y: &mut Array<Y, I>) {
        let records = self.steps.apply(x.view());
        self.model.predict_inplace(&records, y);
        if let Some(scaling) = &self.scaling {
            scaling.invert(y);
        }
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array<Y, I> {
        let mut shape = I::zeros(I::NDIM.unwrap_or(1));
        shape[0] = x.len_of(Axis(0));
        if shape.ndim() > 1 {
            shape[1] = self.n_outputs;
        }
        Array::default(shape)
    }
}

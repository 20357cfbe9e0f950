//! What a fold's fit leaves behind when it is kept: its model and its predictions of the test rows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use linfa::Float;
use linfa::dataset::TargetDim;
use ndarray::Array;

use crate::error::Result;
use crate::model_selection::engine::fold_rows::FoldRows;
use crate::model_selection::engine::trainer::{AnyError, Part, Trainer};
use crate::model_selection::fit::continue_rows::Goal;
use crate::model_selection::fit::data_view::{DataView, columns};
use crate::model_selection::fit::fit_rows::FitContext;
use crate::model_selection::fit::pipeline::Pipeline;
use crate::model_selection::fit::target::Target;
use crate::model_selection::journal::Digester;
use crate::model_selection::preparation::{FittedSteps, FittedTargetScaling, Preparation};
use crate::model_selection::scorer::Probabilities;

/// A fold's model behind its preparation, and what it gives for the fold's test rows, in their order.
#[derive(Debug)]
pub(crate) struct Kept<M, F, Y, I: TargetDim> {
    pub model: Pipeline<M, F, Array<Y, I>>,
    pub prediction: Array<Y, I>,
    pub probabilities: Option<Probabilities<Y>>,
}

/// A trainer that trains as another one does and keeps what comes out, by fold.
pub(crate) struct Keeping<'t, T, M, F, Y, I: TargetDim> {
    trainer: &'t T,
    folds: Mutex<BTreeMap<usize, Kept<Arc<M>, F, Y, I>>>,
}

impl<'t, T, M, F, Y, I: TargetDim> Keeping<'t, T, M, F, Y, I> {
    pub(crate) fn new(trainer: &'t T) -> Self {
        Keeping { trainer, folds: Mutex::default() }
    }

    /// What was kept, by fold.
    pub(crate) fn into_folds(self) -> BTreeMap<usize, Kept<M, F, Y, I>> {
        let folds = self.folds.into_inner().unwrap_or_else(PoisonError::into_inner);
        let alone = |(fold, kept): (usize, Kept<Arc<M>, F, Y, I>)| {
            // The evaluation has dropped its own handle with the last score.
            let model = kept.model.try_map(Arc::into_inner)?;
            Some((fold, Kept { model, prediction: kept.prediction, probabilities: kept.probabilities }))
        };
        folds.into_iter().filter_map(alone).collect()
    }
}

/// A model under evaluation, and the fold that it is kept for.
pub(crate) struct Watched<M> {
    fold: Option<usize>,
    model: Arc<M>,
}

impl<P, F, Y, I, T, M> Trainer<P, F, Y, I> for Keeping<'_, T, M, F, Y, I>
where
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
    T: Trainer<P, F, Y, I, Model = M>,
    M: Send + Sync,
{
    const WAY: &'static str = T::WAY;

    type Model = Watched<M>;
    type State = T::State;
    const CONTINUES: bool = T::CONTINUES;
    type Fold<'a>
        = T::Fold<'a>
    where
        Self: 'a,
        Y: 'a;

    fn open<'a>(
        &'a self,
        data: &DataView<'a, F, Y, I>,
        rows: &'a FoldRows<'a>,
        preparation: &Preparation<F>,
    ) -> Result<Self::Fold<'a>> {
        self.trainer.open(data, rows, preparation)
    }

    fn digest<'a>(&self, fold: &Self::Fold<'a>, digester: &mut Digester)
    where
        Self: 'a,
        Y: 'a,
    {
        self.trainer.digest(fold, digester);
    }

    fn check<'a>(&self, params: &P, fold: &Self::Fold<'a>, rows: &FoldRows<'_>) -> Result<()>
    where
        Self: 'a,
        Y: 'a,
    {
        self.trainer.check(params, fold, rows)
    }

    fn has_probabilities(&self, params: &P) -> bool {
        self.trainer.has_probabilities(params)
    }

    fn seed(&self, params: &P) -> Option<u64> {
        self.trainer.seed(params)
    }

    fn check_epochs(&self, params: &P, stopping_rows: bool) -> Result<()> {
        self.trainer.check_epochs(params, stopping_rows)
    }

    fn planned_updates(
        &self,
        params: &P,
        data: &DataView<'_, F, Y, I>,
        train: &[usize],
        goal: Option<Goal>,
    ) -> Option<u64> {
        self.trainer.planned_updates(params, data, train, goal)
    }

    fn fit<'a>(
        &self,
        params: &P,
        fold: &Self::Fold<'a>,
        goal: Option<Goal>,
        state: &mut Option<T::State>,
        context: &FitContext<'_>,
    ) -> Result<Self::Model, AnyError>
    where
        Self: 'a,
        Y: 'a,
    {
        let model = self.trainer.fit(params, fold, goal, state, context)?;
        // Of replicates, which differ in their seeds alone, the first is kept.
        let fold = context.fold().filter(|_| context.task.replicate == 0);
        Ok(Watched { fold, model: Arc::new(model) })
    }

    fn predict<'a>(
        &self,
        params: &P,
        model: &Self::Model,
        fold: &Self::Fold<'a>,
        part: Part,
    ) -> Result<Array<Y, I>, AnyError>
    where
        Self: 'a,
        Y: 'a,
    {
        let prediction = self.trainer.predict(params, &model.model, fold, part)?;
        if let (Part::Test, Some(number)) = (part, model.fold) {
            let probabilities = self.trainer.probabilities(params, &model.model, fold, part)?;
            let (steps, scaling) = T::prepared(fold);
            let outputs = columns(prediction.view()).ncols();
            let model = Pipeline::new(steps, scaling, Arc::clone(&model.model), outputs);
            let kept = Kept { model, prediction: prediction.clone(), probabilities };
            self.folds.lock().unwrap_or_else(PoisonError::into_inner).insert(number, kept);
        }
        Ok(prediction)
    }

    fn probabilities<'a>(
        &self,
        params: &P,
        model: &Self::Model,
        fold: &Self::Fold<'a>,
        part: Part,
    ) -> Result<Option<Probabilities<Y>>, AnyError>
    where
        Self: 'a,
        Y: 'a,
    {
        self.trainer.probabilities(params, &model.model, fold, part)
    }

    fn prepared<'a>(fold: &Self::Fold<'a>) -> (FittedSteps<F>, Option<FittedTargetScaling>)
    where
        Self: 'a,
        Y: 'a,
    {
        T::prepared(fold)
    }

    fn close<'a>(fold: Self::Fold<'a>) -> (FittedSteps<F>, Option<FittedTargetScaling>)
    where
        Self: 'a,
        Y: 'a,
    {
        T::close(fold)
    }
}

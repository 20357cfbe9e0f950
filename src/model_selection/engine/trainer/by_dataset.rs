//! Any linfa estimator, by its own `Fit`.

use std::marker::PhantomData;

use linfa::dataset::TargetDim;
use linfa::traits::{Fit, PredictInplace};
use linfa::{Dataset, Float};
use ndarray::{Array, Array2};

use super::{AnyError, Part, Trainer};
use crate::error::{Result, check};
use crate::model_selection::engine::fold_rows::FoldRows;
use crate::model_selection::fit::continue_rows::Goal;
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::fit_rows::FitContext;
use crate::model_selection::fit::target::Target;
use crate::model_selection::journal::{self, Digester};
use crate::model_selection::preparation::{FittedSteps, FittedTargetScaling, Preparation};
use crate::model_selection::scorer::Probabilities;

/// Any linfa estimator: the rows of an open fold are gathered once and shared by its candidates.
pub(crate) struct ByDataset<E>(PhantomData<fn() -> E>);

impl<E> ByDataset<E> {
    pub(crate) fn new() -> Self {
        ByDataset(PhantomData)
    }
}

pub(crate) struct GatheredFold<F: Float, Y, I: TargetDim> {
    train: Dataset<F, Y, I>,
    test: Array2<F>,
    steps: FittedSteps<F>,
    scaling: Option<FittedTargetScaling>,
}

impl<P, F, Y, I, E> Trainer<P, F, Y, I> for ByDataset<E>
where
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
    P: Fit<Array2<F>, Array<Y, I>, E>,
    P::Object: PredictInplace<Array2<F>, Array<Y, I>>,
    E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
{
    const WAY: &'static str = "by data sets";

    type Model = P::Object;
    type State = ();
    const CONTINUES: bool = false;
    type Fold<'a>
        = GatheredFold<F, Y, I>
    where
        Self: 'a,
        Y: 'a;

    fn open<'a>(
        &'a self,
        data: &DataView<'a, F, Y, I>,
        rows: &'a FoldRows<'a>,
        preparation: &Preparation<F>,
    ) -> Result<Self::Fold<'a>> {
        let weights = data.gather_weights(&rows.train);
        let (steps, records) =
            preparation.fit_records(data.gather_records(&rows.train), weights.as_deref())?;
        let mut targets = data.gather_targets(&rows.train);
        let scaling = preparation.fit_targets(targets.view());
        if let Some(scaling) = &scaling {
            scaling.apply(&mut targets);
        }
        let test = if rows.test.is_empty() {
            Array2::from_shape_simple_fn((0, records.ncols()), F::zero)
        } else {
            steps.apply_owned(data.gather_records(rows.test))
        };
        Ok(GatheredFold { train: data.owned(&rows.train, records, targets), test, steps, scaling })
    }

    fn digest<'a>(&self, fold: &Self::Fold<'a>, digester: &mut Digester)
    where
        Self: 'a,
        Y: 'a,
    {
        fold.train.records.iter().chain(&fold.test).for_each(|value| journal::number(digester, value));
        fold.train.targets.iter().for_each(|value| journal::target(digester, value));
    }

    fn check<'a>(&self, _: &P, _: &Self::Fold<'a>, rows: &FoldRows<'_>) -> Result<()>
    where
        Self: 'a,
        Y: 'a,
    {
        let allowed = "unset for an estimator that trains by linfa's `Fit`";
        check("stopping_rows", "set", rows.stopping.is_empty(), allowed)
    }

    fn has_probabilities(&self, _: &P) -> bool {
        false
    }

    fn seed(&self, _: &P) -> Option<u64> {
        None
    }

    fn check_epochs(&self, _: &P, _: bool) -> Result<()> {
        check("refit_epochs", "set", false, "unset for an estimator that trains by linfa's `Fit`")
    }

    fn planned_updates(&self, _: &P, _: &DataView<'_, F, Y, I>, _: &[usize], _: Option<Goal>) -> Option<u64> {
        None
    }

    fn fit<'a>(
        &self,
        params: &P,
        fold: &Self::Fold<'a>,
        _: Option<Goal>,
        _: &mut Option<()>,
        _: &FitContext<'_>,
    ) -> Result<Self::Model, AnyError>
    where
        Self: 'a,
        Y: 'a,
    {
        params.fit(&fold.train).map_err(AnyError::from)
    }

    fn predict<'a>(
        &self,
        _: &P,
        model: &Self::Model,
        fold: &Self::Fold<'a>,
        part: Part,
    ) -> Result<Array<Y, I>, AnyError>
    where
        Self: 'a,
        Y: 'a,
    {
        let records = if part == Part::Train { &fold.train.records } else { &fold.test };
        let mut prediction = model.default_target(records);
        model.predict_inplace(records, &mut prediction);
        if let Some(scaling) = &fold.scaling {
            scaling.invert(&mut prediction);
        }
        Ok(prediction)
    }

    fn probabilities<'a>(
        &self,
        _: &P,
        _: &Self::Model,
        _: &Self::Fold<'a>,
        _: Part,
    ) -> Result<Option<Probabilities<Y>>, AnyError>
    where
        Self: 'a,
        Y: 'a,
    {
        Ok(None)
    }

    fn prepared<'a>(fold: &Self::Fold<'a>) -> (FittedSteps<F>, Option<FittedTargetScaling>)
    where
        Self: 'a,
        Y: 'a,
    {
        (fold.steps.clone(), fold.scaling.clone())
    }
}

//! Estimators that read rows of the borrowed data set.

use std::marker::PhantomData;

use linfa::Float;
use linfa::dataset::TargetDim;
use ndarray::{Array, Array2, ArrayView, ArrayView2};

use super::way::{AtOnce, Way};
use super::{AnyError, Part, Trainer};
use crate::error::Result;
use crate::model_selection::engine::fold_rows::FoldRows;
use crate::model_selection::fit::continue_rows::Goal;
use crate::model_selection::fit::data_view::{DataView, columns};
use crate::model_selection::fit::fit_rows::{FitContext, FitRows};
use crate::model_selection::fit::target::Target;
use crate::model_selection::journal::{self, Digester};
use crate::model_selection::preparation::{FittedSteps, FittedTargetScaling, Preparation, scaled};
use crate::model_selection::scorer::Probabilities;

/// Estimators that read rows of the borrowed data set. Without preparation all folds share what `prepare` gave.
pub(crate) struct ByRows<P: FitRows<F, Y, I>, F, Y, I: TargetDim, W = AtOnce> {
    prepared: Option<P::Prepared>,
    way: PhantomData<fn() -> W>,
}

impl<P: FitRows<F, Y, I>, F: Float, Y: Target, I: TargetDim, W> ByRows<P, F, Y, I, W> {
    pub(crate) fn new(data: &DataView<'_, F, Y, I>, preparation: &Preparation<F>) -> Result<Self> {
        let as_is = preparation.keeps_records() && preparation.keeps_targets();
        Ok(ByRows { prepared: if as_is { Some(P::prepare(data)?) } else { None }, way: PhantomData })
    }
}

pub(crate) enum Held<'a, T> {
    Shared(&'a T),
    Own(T),
}

impl<T> Held<'_, T> {
    fn get(&self) -> &T {
        match self {
            Held::Shared(value) => value,
            Held::Own(value) => value,
        }
    }
}

pub(crate) struct RowsFold<'a, P: FitRows<F, Y, I>, F, Y, I: TargetDim> {
    data: DataView<'a, F, Y, I>,
    rows: &'a FoldRows<'a>,
    records: Option<Array2<F>>,
    targets: Option<Array<Y, I>>,
    prepared: Held<'a, P::Prepared>,
    steps: FittedSteps<F>,
    scaling: Option<FittedTargetScaling>,
}

impl<P: FitRows<F, Y, I>, F: Float, Y: Target, I: TargetDim> RowsFold<'_, P, F, Y, I> {
    /// All rows as the estimator sees them in this fold.
    fn view(&self) -> DataView<'_, F, Y, I> {
        self.data.with(self.records.as_ref().map(Array2::view), self.targets.as_ref().map(Array::view))
    }

    fn rows(&self, part: Part) -> &[usize] {
        if part == Part::Train { &self.rows.train } else { self.rows.test }
    }
}

impl<P, F, Y, I, W> Trainer<P, F, Y, I> for ByRows<P, F, Y, I, W>
where
    P: FitRows<F, Y, I>,
    W: Way<P, F, Y, I>,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    const WAY: &'static str = "by rows";

    type Model = P::Object;
    type State = W::State;
    const CONTINUES: bool = W::CONTINUES;
    type Fold<'a>
        = RowsFold<'a, P, F, Y, I>
    where
        Self: 'a,
        Y: 'a;

    fn open<'a>(
        &'a self,
        data: &DataView<'a, F, Y, I>,
        rows: &'a FoldRows<'a>,
        preparation: &Preparation<F>,
    ) -> Result<Self::Fold<'a>> {
        let (steps, records) = if preparation.keeps_records() {
            (FittedSteps::none(), None)
        } else {
            let weights = data.gather_weights(&rows.train);
            let (steps, _) = preparation.fit_records(data.gather_records(&rows.train), weights.as_deref())?;
            let records: ArrayView2<'_, F> = data.records();
            let all = steps.apply(records);
            (steps, Some(all))
        };
        let (scaling, targets) = if preparation.keeps_targets() {
            (None, None)
        } else {
            let scaling = preparation.fit_targets(data.gather_targets(&rows.train).view());
            let all: ArrayView<'_, Y, I> = data.targets();
            let targets = scaling.as_ref().map(|scaling| scaled(scaling, all));
            (scaling, targets)
        };
        let prepared = match &self.prepared {
            Some(shared) => Held::Shared(shared),
            None => Held::Own(P::prepare(
                &data.with(records.as_ref().map(Array2::view), targets.as_ref().map(Array::view)),
            )?),
        };
        Ok(RowsFold { data: data.clone(), rows, records, targets, prepared, steps, scaling })
    }

    fn digest<'a>(&self, fold: &Self::Fold<'a>, digester: &mut Digester)
    where
        Self: 'a,
        Y: 'a,
    {
        let view = fold.view();
        let (records, targets) = (view.records(), columns(view.targets()));
        for &row in fold.rows.train.iter().chain(fold.rows.test) {
            records.row(row).iter().for_each(|value| journal::number(digester, value));
        }
        for &row in fold.rows.train.iter() {
            targets.row(row).iter().for_each(|value| journal::target(digester, value));
        }
    }

    fn check<'a>(&self, params: &P, fold: &Self::Fold<'a>, rows: &FoldRows<'_>) -> Result<()>
    where
        Self: 'a,
        Y: 'a,
    {
        let (view, prepared) = (fold.view(), fold.prepared.get());
        params.check_data(&view, prepared, &rows.train)?;
        if rows.stopping.is_empty() {
            return Ok(());
        }
        params.check_validation_rows()?;
        params.check_data(&view, prepared, &rows.stopping)
    }

    fn has_probabilities(&self, params: &P) -> bool {
        params.has_probabilities()
    }

    fn seed(&self, params: &P) -> Option<u64> {
        params.seed()
    }

    fn check_epochs(&self, params: &P, stopping_rows: bool) -> Result<()> {
        params.check_epochs(stopping_rows)
    }

    fn planned_updates(
        &self,
        params: &P,
        data: &DataView<'_, F, Y, I>,
        train: &[usize],
        goal: Option<Goal>,
    ) -> Option<u64> {
        params.planned_updates(data, train, goal)
    }

    fn fit<'a>(
        &self,
        params: &P,
        fold: &Self::Fold<'a>,
        goal: Option<Goal>,
        state: &mut Option<W::State>,
        context: &FitContext<'_>,
    ) -> Result<Self::Model, AnyError>
    where
        Self: 'a,
        Y: 'a,
    {
        let data = (&fold.view(), fold.prepared.get(), fold.rows(Part::Train));
        W::fit(params, data, goal, state, context).map_err(AnyError::from)
    }

    fn state_to_bytes(&self, params: &P, state: &W::State) -> Option<Vec<u8>> {
        W::to_bytes(params, state)
    }

    fn state_from_bytes(&self, params: &P, bytes: &[u8]) -> Option<W::State> {
        W::from_bytes(params, bytes)
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
        let mut prediction = params.predict_rows(model, &fold.view(), fold.rows(part))?;
        if let Some(scaling) = &fold.scaling {
            scaling.invert(&mut prediction);
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
        Ok(params.predict_proba_rows(model, &fold.view(), fold.rows(part))?)
    }

    fn prepared<'a>(fold: &Self::Fold<'a>) -> (FittedSteps<F>, Option<FittedTargetScaling>)
    where
        Self: 'a,
        Y: 'a,
    {
        (fold.steps.clone(), fold.scaling.clone())
    }
}

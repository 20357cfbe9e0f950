//! The two ways to train in a fold, behind one interface: linfa's `Fit` on gathered rows, and [`FitRows`].

use std::marker::PhantomData;
use std::sync::Arc;

use linfa::dataset::TargetDim;
use linfa::traits::{Fit, PredictInplace};
use linfa::{Dataset, Float};
use ndarray::{Array, Array2, ArrayView, ArrayView2};

use crate::error::{Result, check};
use crate::model_selection::engine::fold_rows::FoldRows;
use crate::model_selection::fit::continue_rows::{ContinueRows, Goal};
use crate::model_selection::fit::data_view::{DataView, columns};
use crate::model_selection::fit::fit_rows::{FitContext, FitRows};
use crate::model_selection::fit::target::Target;
use crate::model_selection::journal::{self, Digester};
use crate::model_selection::preparation::{FittedSteps, FittedTargetScaling, Preparation, scaled};
use crate::model_selection::scorer::Probabilities;

/// An error of any estimator.
pub(crate) type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// The same, for errors that are kept and given several times.
pub(crate) type SharedError = Arc<dyn std::error::Error + Send + Sync>;

/// Which rows of a fold.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Part {
    Train,
    Test,
}

/// How candidates of type `P` are trained in a fold.
pub(crate) trait Trainer<P, F: Float, Y, I: TargetDim + 'static>: Sync {
    type Model;

    /// What a journal calls this way.
    const WAY: &'static str;

    /// What is kept of a fit that shall go on.
    type State: Send;

    /// Whether fits can go on to a further goal.
    const CONTINUES: bool;

    /// What the candidates of a fold share.
    type Fold<'a>: Send + Sync
    where
        Self: 'a,
        Y: 'a;

    fn open<'a>(
        &'a self,
        data: &DataView<'a, F, Y, I>,
        rows: &'a FoldRows<'a>,
        preparation: &Preparation<F>,
    ) -> Result<Self::Fold<'a>>;

    /// Adds what preparation has made of a fold: records of its training and test rows, targets of its training rows.
    fn digest<'a>(&self, fold: &Self::Fold<'a>, digester: &mut Digester)
    where
        Self: 'a,
        Y: 'a;

    /// Checks a candidate against the training rows of any fold.
    fn check<'a>(&self, params: &P, fold: &Self::Fold<'a>, train: &[usize]) -> Result<()>
    where
        Self: 'a,
        Y: 'a;

    fn has_probabilities(&self, params: &P) -> bool;

    /// The seed of the candidate's builder.
    fn seed(&self, params: &P) -> Option<u64>;

    fn check_validation_rows(&self, params: &P) -> Result<()>;

    fn check_epochs(&self, params: &P, stopping_rows: bool) -> Result<()>;

    fn planned_updates(
        &self,
        params: &P,
        data: &DataView<'_, F, Y, I>,
        train: &[usize],
        goal: Option<Goal>,
    ) -> Option<u64>;

    /// Trains to the goal, or else to the candidate's own end. A state that is there goes on; one that shall go on later is
    /// left there.
    fn fit<'a>(
        &self,
        params: &P,
        fold: &Self::Fold<'a>,
        goal: Option<Goal>,
        state: &mut Option<Self::State>,
        context: &FitContext<'_>,
    ) -> Result<Self::Model, AnyError>
    where
        Self: 'a,
        Y: 'a;

    /// A state as bytes, where it can be written.
    fn state_to_bytes(&self, params: &P, state: &Self::State) -> Option<Vec<u8>> {
        let _ = (params, state);
        None
    }

    /// The state that was written; none for bytes that are no state.
    fn state_from_bytes(&self, params: &P, bytes: &[u8]) -> Option<Self::State> {
        let _ = (params, bytes);
        None
    }

    /// Predictions in the units of the data set.
    fn predict<'a>(
        &self,
        params: &P,
        model: &Self::Model,
        fold: &Self::Fold<'a>,
        part: Part,
    ) -> Result<Array<Y, I>, AnyError>
    where
        Self: 'a,
        Y: 'a;

    fn probabilities<'a>(
        &self,
        params: &P,
        model: &Self::Model,
        fold: &Self::Fold<'a>,
        part: Part,
    ) -> Result<Option<Probabilities<Y>>, AnyError>
    where
        Self: 'a,
        Y: 'a;

    /// The fitted preparation, for a model that is kept while the fold stays open.
    fn prepared<'a>(fold: &Self::Fold<'a>) -> (FittedSteps<F>, Option<FittedTargetScaling>)
    where
        Self: 'a,
        Y: 'a;

    /// The fitted preparation, for the model that is kept.
    fn close<'a>(fold: Self::Fold<'a>) -> (FittedSteps<F>, Option<FittedTargetScaling>)
    where
        Self: 'a,
        Y: 'a;
}

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

    fn check<'a>(&self, _: &P, _: &Self::Fold<'a>, _: &[usize]) -> Result<()>
    where
        Self: 'a,
        Y: 'a,
    {
        Ok(())
    }

    fn has_probabilities(&self, _: &P) -> bool {
        false
    }

    fn seed(&self, _: &P) -> Option<u64> {
        None
    }

    fn check_validation_rows(&self, _: &P) -> Result<()> {
        check("stopping_rows", "set", false, "unset for an estimator that trains by linfa's `Fit`")
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

    fn close<'a>(fold: Self::Fold<'a>) -> (FittedSteps<F>, Option<FittedTargetScaling>)
    where
        Self: 'a,
        Y: 'a,
    {
        (fold.steps, fold.scaling)
    }
}

/// How an estimator trains on rows: at once, or in parts.
pub(crate) trait Way<P: FitRows<F, Y, I>, F, Y, I: TargetDim> {
    type State: Send;
    const CONTINUES: bool;

    fn fit(
        params: &P,
        data: (&DataView<'_, F, Y, I>, &P::Prepared, &[usize]),
        goal: Option<Goal>,
        state: &mut Option<Self::State>,
        context: &FitContext<'_>,
    ) -> Result<P::Object>;

    fn to_bytes(params: &P, state: &Self::State) -> Option<Vec<u8>> {
        let _ = (params, state);
        None
    }

    fn from_bytes(params: &P, bytes: &[u8]) -> Option<Self::State> {
        let _ = (params, bytes);
        None
    }
}

/// Each fit from its beginning to its end.
pub(crate) enum AtOnce {}

impl<P: FitRows<F, Y, I>, F, Y, I: TargetDim> Way<P, F, Y, I> for AtOnce {
    type State = ();
    const CONTINUES: bool = false;

    fn fit(
        params: &P,
        (data, prepared, rows): (&DataView<'_, F, Y, I>, &P::Prepared, &[usize]),
        _: Option<Goal>,
        _: &mut Option<()>,
        context: &FitContext<'_>,
    ) -> Result<P::Object> {
        params.fit_rows(data, prepared, rows, context)
    }
}

/// Fits that pause at a goal and go on to the next.
pub(crate) enum InParts {}

impl<P: ContinueRows<F, Y, I>, F, Y, I: TargetDim> Way<P, F, Y, I> for InParts {
    type State = P::State;
    const CONTINUES: bool = true;

    fn fit(
        params: &P,
        (data, prepared, rows): (&DataView<'_, F, Y, I>, &P::Prepared, &[usize]),
        goal: Option<Goal>,
        state: &mut Option<P::State>,
        context: &FitContext<'_>,
    ) -> Result<P::Object> {
        let Some(goal) = goal else { return params.fit_rows(data, prepared, rows, context) };
        let mut going = match state.take() {
            Some(state) => state,
            None => params.begin(data, prepared, rows, goal, context)?,
        };
        params.advance(&mut going, data, prepared, rows, goal, context)?;
        let model = params.model(&going, prepared)?;
        *state = Some(going);
        Ok(model)
    }

    fn to_bytes(params: &P, state: &P::State) -> Option<Vec<u8>> {
        params.state_to_bytes(state).ok()
    }

    fn from_bytes(params: &P, bytes: &[u8]) -> Option<P::State> {
        params.state_from_bytes(bytes).ok()
    }
}

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

    fn check<'a>(&self, params: &P, fold: &Self::Fold<'a>, train: &[usize]) -> Result<()>
    where
        Self: 'a,
        Y: 'a,
    {
        params.check_data(&fold.view(), fold.prepared.get(), train)
    }

    fn has_probabilities(&self, params: &P) -> bool {
        params.has_probabilities()
    }

    fn seed(&self, params: &P) -> Option<u64> {
        params.seed()
    }

    fn check_validation_rows(&self, params: &P) -> Result<()> {
        params.check_validation_rows()
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

    fn close<'a>(fold: Self::Fold<'a>) -> (FittedSteps<F>, Option<FittedTargetScaling>)
    where
        Self: 'a,
        Y: 'a,
    {
        (fold.steps, fold.scaling)
    }
}

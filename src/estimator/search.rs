//! The estimators inside cross-validation and searches: every fold of every candidate reads one copy of the data.
//!
//! A search over any linfa estimator gathers the training rows of a fold for each fit. The methods here have the names of
//! the general ones and take their place when the estimator is one of ours, so that `.fit(&data)` reads the same.

use linfa::ParamGuard;
use linfa::dataset::{DatasetBase, Label, TargetDim};
use ndarray::{Array, Array1, Array2, ArrayBase, ArrayView1, ArrayView2, Data as ArrayData, Ix1, Ix2};

use super::classifier::{Encoded, MlpClassifier, encode};
use super::hyperparams::{MlpClassifierParams, MlpRegressorParams, MlpValidParams};
use super::inside_search::{advance, until};
use super::labels::with_label;
use super::regressor::{MlpRegressor, columns};
use super::task::{Classification, Regression};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::model_selection::{
    ContinueRows, CrossValidation, DataView, FitContext, FitRows, FittedSearch, Goal, Probabilities, Scorer,
    Search, Splitter, Strategy, Target, cross_validate_by_rows,
};
use crate::train::{self, Plan, Rows, Run, Until};

/// The rows of a view with these targets, checked once for the whole search.
pub(super) fn checked<'a, F: Float>(
    x: ArrayView2<'a, F>,
    y: ArrayView2<'a, F>,
    weights: Option<&'a [f32]>,
) -> Result<Rows<'a, F>> {
    let rows = Rows::new(x, y)?;
    weights.map_or(Ok(rows.clone()), |weights| rows.with_weights(ArrayView1::from(weights)))
}

/// Rows of a view that [`checked`] has seen.
pub(super) fn chosen<'a, F: Float>(
    x: ArrayView2<'a, F>,
    y: ArrayView2<'a, F>,
    weights: Option<&'a [f32]>,
    rows: &'a [usize],
) -> Result<Rows<'a, F>> {
    Rows::checked_before(x, y, weights.map(ArrayView1::from)).select(rows)
}

/// The rows of a view that a fit trains on, and those that the search has it validated on.
pub(super) fn of_fit<'a, F: Float>(
    x: ArrayView2<'a, F>,
    y: ArrayView2<'a, F>,
    weights: Option<&'a [f32]>,
    rows: &'a [usize],
    context: &FitContext<'a>,
) -> Result<train::Data<'a, F>> {
    let validation = context.validation_rows();
    let validation = (!validation.is_empty()).then(|| chosen(x, y, weights, validation)).transpose()?;
    Ok(train::Data { training: chosen(x, y, weights, rows)?, validation })
}

/// What can be said against a fit before it starts.
pub(super) fn check_plan<'a, F: Float, K>(
    params: &MlpValidParams<K>,
    plan: impl Fn(usize) -> Plan,
    data: train::Data<'a, F>,
    weigh: impl FnOnce(Rows<'a, F>) -> Result<Rows<'a, F>>,
) -> Result<()> {
    let mut data = data.validated_by(&params.settings.validation, params.settings.seed)?;
    data.training = weigh(data.training)?;
    let rows = &data.training;
    let plan = plan(rows.len());
    plan.check()?;
    plan.network.count_params(rows.n_features())?;
    plan.check_rows(rows.n_features(), rows, "x")?;
    data.validation.as_ref().map_or(Ok(()), |rows| plan.check_rows(rows.n_features(), rows, "x"))
}

impl<F: Float, I: TargetDim> FitRows<F, F, I> for MlpRegressorParams
where
    F: Target,
{
    type Object = MlpRegressor<F, I>;
    type Prepared = ();

    fn check(&self) -> Result<()> {
        self.check_ref().map(|_| ())
    }

    fn prepare(data: &DataView<'_, F, F, I>) -> Result<()> {
        checked(data.records(), columns(&data.targets()), data.weights()).map(|_| ())
    }

    fn check_data(&self, data: &DataView<'_, F, F, I>, (): &(), rows: &[usize]) -> Result<()> {
        let (x, targets) = (data.records(), data.targets());
        let rows = chosen(x, columns(&targets), data.weights(), rows)?;
        let params: &MlpValidParams<Regression> = self.check_ref()?;
        let width = rows.target_width();
        check_plan(params, |n| params.plan_for(width, n), train::Data::from(rows), Ok)
    }

    fn fit_rows(
        &self,
        data: &DataView<'_, F, F, I>,
        (): &(),
        rows: &[usize],
        context: &FitContext<'_>,
    ) -> Result<Self::Object> {
        let params = self.check_ref()?.in_search(context);
        let targets = data.targets();
        let data = of_fit(data.records(), columns(&targets), data.weights(), rows, context)?;
        let data = params.divided(data)?;
        let width = data.training.target_width();
        let mut run = params.begin(|n| params.plan_for(width, n), &data)?;
        advance(&mut run, &data, Until::epochs(params.epochs()), context)?;
        MlpRegressor::from_run(run)
    }

    fn seed(&self) -> Option<u64> {
        Some(self.settings().seed)
    }

    fn check_validation_rows(&self) -> Result<()> {
        self.check_ref()?.check_free_of_validation()
    }

    fn check_epochs(&self, stopping_rows: bool) -> Result<()> {
        self.check_ref()?.check_validated(stopping_rows)
    }

    fn planned_updates(
        &self,
        data: &DataView<'_, F, F, I>,
        rows: &[usize],
        goal: Option<Goal>,
    ) -> Option<u64> {
        Some(self.check_ref().ok()?.updates_of(data, rows, goal))
    }

    fn predict_rows(
        &self,
        model: &Self::Object,
        data: &DataView<'_, F, F, I>,
        rows: &[usize],
    ) -> Result<Array<F, I>> {
        let x = data.records();
        Ok(model.shaped(model.network().predict_rows(rows.len(), |place| row_of(x, rows[place]))))
    }
}

impl<F: Float, L: Label + Target> FitRows<F, L, Ix1> for MlpClassifierParams {
    type Object = MlpClassifier<F, L>;
    type Prepared = Encoded<F, L>;

    fn check(&self) -> Result<()> {
        self.check_ref().map(|_| ())
    }

    fn prepare(data: &DataView<'_, F, L, Ix1>) -> Result<Self::Prepared> {
        let encoded = encode(None, data.records(), data.targets())?;
        checked(data.records(), encoded.y.view(), data.weights())?;
        Ok(encoded)
    }

    fn check_data(
        &self,
        data: &DataView<'_, F, L, Ix1>,
        prepared: &Self::Prepared,
        rows: &[usize],
    ) -> Result<()> {
        let rows = chosen(data.records(), prepared.y.view(), data.weights(), rows)?;
        let params: &MlpValidParams<Classification> = self.check_ref()?;
        let classes = &prepared.classes;
        params.check_classes(classes.len())?;
        let plan = |n| params.plan_for(classes.len(), n);
        check_plan(params, plan, train::Data::from(rows), |rows| params.weigh(classes, rows))
            .map_err(|error| with_label(error, classes))
    }

    fn fit_rows(
        &self,
        data: &DataView<'_, F, L, Ix1>,
        prepared: &Self::Prepared,
        rows: &[usize],
        context: &FitContext<'_>,
    ) -> Result<Self::Object> {
        let params = self.check_ref()?.in_search(context);
        let data = of_fit(data.records(), prepared.y.view(), data.weights(), rows, context)?;
        let data = params.divided_by_class(&prepared.classes, data)?;
        let mut run = params.begin(|n| params.plan_for(prepared.classes.len(), n), &data)?;
        advance(&mut run, &data, Until::epochs(params.epochs()), context)?;
        Ok(params.model(run, &prepared.classes))
    }

    fn seed(&self) -> Option<u64> {
        Some(self.settings().seed)
    }

    fn check_validation_rows(&self) -> Result<()> {
        self.check_ref()?.check_free_of_validation()
    }

    fn check_epochs(&self, stopping_rows: bool) -> Result<()> {
        self.check_ref()?.check_validated(stopping_rows)
    }

    fn planned_updates(
        &self,
        data: &DataView<'_, F, L, Ix1>,
        rows: &[usize],
        goal: Option<Goal>,
    ) -> Option<u64> {
        Some(self.check_ref().ok()?.updates_of(data, rows, goal))
    }

    fn predict_rows(
        &self,
        model: &Self::Object,
        data: &DataView<'_, F, L, Ix1>,
        rows: &[usize],
    ) -> Result<Array1<L>> {
        Ok(model.labels_of(&outputs(model, data, rows)))
    }

    fn has_probabilities(&self) -> bool {
        true
    }

    fn predict_proba_rows(
        &self,
        model: &Self::Object,
        data: &DataView<'_, F, L, Ix1>,
        rows: &[usize],
    ) -> Result<Option<Probabilities<L>>> {
        let values = model.proba_of(outputs(model, data, rows)).mapv(Float::wide);
        Ok(Some(Probabilities { classes: model.classes().to_vec(), values }))
    }
}

impl<F: Float, I: TargetDim> ContinueRows<F, F, I> for MlpRegressorParams
where
    F: Target,
{
    type State = Run<F>;

    fn begin(
        &self,
        data: &DataView<'_, F, F, I>,
        (): &(),
        rows: &[usize],
        _: Goal,
        context: &FitContext<'_>,
    ) -> Result<Run<F>> {
        let params = self.check_ref()?.in_search(context);
        let targets = data.targets();
        let data = of_fit(data.records(), columns(&targets), data.weights(), rows, context)?;
        let data = params.divided(data)?;
        let width = data.training.target_width();
        params.begin(|n| params.plan_for(width, n), &data)
    }

    fn advance(
        &self,
        run: &mut Run<F>,
        data: &DataView<'_, F, F, I>,
        (): &(),
        rows: &[usize],
        goal: Goal,
        context: &FitContext<'_>,
    ) -> Result<()> {
        let targets = data.targets();
        let data = of_fit(data.records(), columns(&targets), data.weights(), rows, context)?;
        let data = self.check_ref()?.in_search(context).divided(data)?;
        let until = until(run, &data, goal);
        advance(run, &data, until, context)
    }

    fn model(&self, run: &Run<F>, (): &()) -> Result<Self::Object> {
        MlpRegressor::from_run(run.clone())
    }

    fn state_to_bytes(&self, run: &Run<F>) -> Result<Vec<u8>> {
        run.to_bytes()
    }

    fn state_from_bytes(&self, bytes: &[u8]) -> Result<Run<F>> {
        Ok(Run::from_bytes(bytes)?.with_unsaved(&self.settings().callbacks))
    }
}

impl<F: Float, L: Label + Target> ContinueRows<F, L, Ix1> for MlpClassifierParams {
    type State = Run<F>;

    fn begin(
        &self,
        data: &DataView<'_, F, L, Ix1>,
        prepared: &Self::Prepared,
        rows: &[usize],
        _: Goal,
        context: &FitContext<'_>,
    ) -> Result<Run<F>> {
        let params = self.check_ref()?.in_search(context);
        let data = of_fit(data.records(), prepared.y.view(), data.weights(), rows, context)?;
        let data = params.divided_by_class(&prepared.classes, data)?;
        params.begin(|n| params.plan_for(prepared.classes.len(), n), &data)
    }

    fn advance(
        &self,
        run: &mut Run<F>,
        data: &DataView<'_, F, L, Ix1>,
        prepared: &Self::Prepared,
        rows: &[usize],
        goal: Goal,
        context: &FitContext<'_>,
    ) -> Result<()> {
        let data = of_fit(data.records(), prepared.y.view(), data.weights(), rows, context)?;
        let data = self.check_ref()?.in_search(context).divided_by_class(&prepared.classes, data)?;
        let until = until(run, &data, goal);
        advance(run, &data, until, context)
    }

    fn model(&self, run: &Run<F>, prepared: &Self::Prepared) -> Result<Self::Object> {
        Ok(self.check_ref()?.model(run.clone(), &prepared.classes))
    }

    fn state_to_bytes(&self, run: &Run<F>) -> Result<Vec<u8>> {
        run.to_bytes()
    }

    fn state_from_bytes(&self, bytes: &[u8]) -> Result<Run<F>> {
        Ok(Run::from_bytes(bytes)?.with_unsaved(&self.settings().callbacks))
    }
}

fn outputs<F: Float, L: Label + Target>(
    model: &MlpClassifier<F, L>,
    data: &DataView<'_, F, L, Ix1>,
    rows: &[usize],
) -> Array2<F> {
    let x = data.records();
    model.network().predict_rows(rows.len(), |place| row_of(x, rows[place]))
}

/// A row of a view, for as long as the data live rather than the view.
pub(super) fn row_of<'a, F>(x: ArrayView2<'a, F>, row: usize) -> ArrayView1<'a, F> {
    x.index_axis_move(ndarray::Axis(0), row)
}

type Data<'a, D, S, I> = &'a DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>;

impl<S: Strategy, F: Float + Target> Search<S, MlpRegressorParams, F, F, Error> {
    /// Runs the search; every fold of every candidate reads one copy of the data.
    ///
    /// # Errors
    ///
    /// As [`Search::fit_continuing`].
    pub fn fit<D, T, I>(
        &self,
        dataset: Data<'_, D, T, I>,
    ) -> Result<FittedSearch<MlpRegressor<F, I>, F, Array<F, I>>>
    where
        D: ArrayData<Elem = F>,
        T: ArrayData<Elem = F>,
        I: TargetDim + 'static,
    {
        self.fit_continuing(dataset)
    }
}

impl<S: Strategy, F: Float, L: Label + Target> Search<S, MlpClassifierParams, F, L, Error> {
    /// Runs the search; every fold of every candidate reads one copy of the data.
    ///
    /// # Errors
    ///
    /// As [`Search::fit_continuing`].
    pub fn fit<D, T>(
        &self,
        dataset: Data<'_, D, T, Ix1>,
    ) -> Result<FittedSearch<MlpClassifier<F, L>, F, Array1<L>>>
    where
        D: ArrayData<Elem = F>,
        T: ArrayData<Elem = L>,
    {
        self.fit_continuing(dataset)
    }
}

impl MlpRegressorParams {
    /// Cross-validation; every fold reads one copy of the data.
    ///
    /// # Errors
    ///
    /// As [`cross_validate_by_rows`].
    pub fn cross_validate<F, D, S, I>(
        &self,
        dataset: Data<'_, D, S, I>,
        splitter: &dyn Splitter,
        scorers: &[Scorer<F>],
    ) -> Result<CrossValidation>
    where
        F: Float + Target,
        D: ArrayData<Elem = F>,
        S: ArrayData<Elem = F>,
        I: TargetDim + 'static,
    {
        cross_validate_by_rows(self, dataset, splitter, scorers)
    }
}

impl MlpClassifierParams {
    /// Cross-validation; every fold reads one copy of the data.
    ///
    /// # Errors
    ///
    /// As [`cross_validate_by_rows`].
    pub fn cross_validate<F, L, D, S>(
        &self,
        dataset: Data<'_, D, S, Ix1>,
        splitter: &dyn Splitter,
        scorers: &[Scorer<L>],
    ) -> Result<CrossValidation>
    where
        F: Float,
        L: Label + Target,
        D: ArrayData<Elem = F>,
        S: ArrayData<Elem = L>,
    {
        cross_validate_by_rows(self, dataset, splitter, scorers)
    }
}

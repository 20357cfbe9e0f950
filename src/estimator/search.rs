//! The estimators inside cross-validation and searches: rows are read where they are, and no fold is gathered.
//!
//! A search over any linfa estimator gathers the training rows of a fold for each fit. The methods here have the names of
//! the general ones and take their place when the estimator is one of ours, so that `.fit(&data)` reads the same.

use linfa::ParamGuard;
use linfa::dataset::{DatasetBase, TargetDim};
use ndarray::{Array, Array2, ArrayBase, ArrayView1, ArrayView2, Data as ArrayData, Ix2};

use super::hyperparams::{MlpParams, MlpValidParams};
use super::inside_search::{advance, until};
use super::search_task::SearchTask;
use super::task::Task;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::model_selection::{
    ContinueRows, DataView, FitContext, FitRows, FittedSearch, Goal, Probabilities, Search, Strategy, Target,
};
use crate::train::{Data, Rows, Run, Until};

/// Rows of a view whose values have been looked at.
fn chosen<'a, F: Float>(
    x: ArrayView2<'a, F>,
    y: ArrayView2<'a, F>,
    weights: Option<&'a [f32]>,
    rows: &'a [usize],
) -> Result<Rows<'a, F>> {
    Rows::checked_before(x, y, weights.map(ArrayView1::from)).select(rows)
}

/// A fit of a search: the params as the search wants them, and its rows.
struct FitOf<'a, F: Float, K> {
    params: MlpValidParams<K>,
    data: Data<'a, F>,
}

impl<K: Task> MlpParams<K> {
    /// The fit on some rows of a view with these targets. The search may have chosen validation rows; else the params do.
    fn fit_of<'a, F: Float, Y: Target, I: TargetDim>(
        &self,
        data: &'a DataView<'_, F, Y, I>,
        y: ArrayView2<'a, F>,
        prepared: &K::Prepared,
        rows: &'a [usize],
        context: &FitContext<'a>,
    ) -> Result<FitOf<'a, F, K>>
    where
        K: SearchTask<F, Y, I>,
    {
        let params = self.check_ref()?.in_search(context);
        let (x, weights, validation) = (data.records(), data.weights(), context.validation_rows());
        let validation = (!validation.is_empty()).then(|| chosen(x, y, weights, validation)).transpose()?;
        let data = Data { training: chosen(x, y, weights, rows)?, validation };
        let mut data = params.divided(data)?;
        data.training = K::weigh(&params, prepared, data.training)?;
        Ok(FitOf { params, data })
    }
}

impl<K, F: Float, Y: Target, I: TargetDim> FitRows<F, Y, I> for MlpParams<K>
where
    K: SearchTask<F, Y, I> + Sync,
{
    type Object = K::Model;
    type Prepared = K::Prepared;

    fn check(&self) -> Result<()> {
        self.check_ref().map(|_| ())
    }

    fn prepare(data: &DataView<'_, F, Y, I>) -> Result<Self::Prepared> {
        let prepared = K::prepare(data)?;
        let targets = data.targets();
        let rows = Rows::new(data.records(), K::numbers(&targets, &prepared))?;
        data.weights().map_or(Ok(()), |weights| rows.with_weights(weights.into()).map(|_| ()))?;
        Ok(prepared)
    }

    fn check_data(
        &self,
        data: &DataView<'_, F, Y, I>,
        prepared: &Self::Prepared,
        rows: &[usize],
    ) -> Result<()> {
        let params = self.check_ref()?;
        K::check_prepared(params, prepared)?;
        let targets = data.targets();
        let y = K::numbers(&targets, prepared);
        let checked = || {
            let rows = chosen(data.records(), y, data.weights(), rows)?;
            let mut data = params.divided(Data::from(rows))?;
            data.training = K::weigh(params, prepared, data.training)?;
            let plan = K::plan(params, &y, prepared, data.training.len());
            let n_features = data.training.n_features();
            plan.check()?;
            plan.network.count_params(n_features)?;
            plan.check_rows(n_features, &data.training, "x")?;
            data.validation.as_ref().map_or(Ok(()), |rows| plan.check_rows(n_features, rows, "x"))
        };
        checked().map_err(|error| K::named(error, prepared))
    }

    fn fit_rows(
        &self,
        data: &DataView<'_, F, Y, I>,
        prepared: &Self::Prepared,
        rows: &[usize],
        context: &FitContext<'_>,
    ) -> Result<Self::Object> {
        let targets = data.targets();
        let y = K::numbers(&targets, prepared);
        let FitOf { params, data } = self.fit_of(data, y, prepared, rows, context)?;
        let mut run = params.begin(|n| K::plan(&params, &y, prepared, n), &data)?;
        advance(&mut run, &data, Until::epochs(params.epochs()), context)?;
        K::model(&params, run, prepared)
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
        data: &DataView<'_, F, Y, I>,
        rows: &[usize],
        goal: Option<Goal>,
    ) -> Option<u64> {
        Some(self.check_ref().ok()?.updates_of(data, rows, goal))
    }

    fn predict_rows(
        &self,
        model: &Self::Object,
        data: &DataView<'_, F, Y, I>,
        rows: &[usize],
    ) -> Result<Array<Y, I>> {
        Ok(K::targets(model, outputs(K::network(model), data, rows)))
    }

    fn has_probabilities(&self) -> bool {
        K::HAS_PROBABILITIES
    }

    fn predict_proba_rows(
        &self,
        model: &Self::Object,
        data: &DataView<'_, F, Y, I>,
        rows: &[usize],
    ) -> Result<Option<Probabilities<Y>>> {
        if !K::HAS_PROBABILITIES {
            return Ok(None);
        }
        Ok(K::probabilities(model, outputs(K::network(model), data, rows)))
    }
}

impl<K, F: Float, Y: Target, I: TargetDim> ContinueRows<F, Y, I> for MlpParams<K>
where
    K: SearchTask<F, Y, I> + Sync,
{
    type State = Run<F>;

    fn begin(
        &self,
        data: &DataView<'_, F, Y, I>,
        prepared: &Self::Prepared,
        rows: &[usize],
        _: Goal,
        context: &FitContext<'_>,
    ) -> Result<Run<F>> {
        let targets = data.targets();
        let y = K::numbers(&targets, prepared);
        let FitOf { params, data } = self.fit_of(data, y, prepared, rows, context)?;
        params.begin(|n| K::plan(&params, &y, prepared, n), &data)
    }

    fn advance(
        &self,
        run: &mut Run<F>,
        data: &DataView<'_, F, Y, I>,
        prepared: &Self::Prepared,
        rows: &[usize],
        goal: Goal,
        context: &FitContext<'_>,
    ) -> Result<()> {
        let targets = data.targets();
        let y = K::numbers(&targets, prepared);
        let FitOf { data, .. } = self.fit_of(data, y, prepared, rows, context)?;
        let until = until(run, &data, goal);
        advance(run, &data, until, context)
    }

    fn model(&self, run: &Run<F>, prepared: &Self::Prepared) -> Result<Self::Object> {
        K::model(self.check_ref()?, run.clone(), prepared)
    }

    fn state_to_bytes(&self, run: &Run<F>) -> Result<Vec<u8>> {
        run.to_bytes()
    }

    fn state_from_bytes(&self, bytes: &[u8]) -> Result<Run<F>> {
        Ok(Run::from_bytes(bytes)?.with_unsaved(&self.settings().callbacks))
    }
}

fn outputs<F: Float, Y: Target, I: TargetDim>(
    network: &crate::network::Network<F>,
    data: &DataView<'_, F, Y, I>,
    rows: &[usize],
) -> Array2<F> {
    let x = data.records();
    network.predict_rows(rows.len(), |place| x.index_axis_move(ndarray::Axis(0), rows[place]))
}

impl<S: Strategy, K: Task, F: Float, Y: Target> Search<S, MlpParams<K>, F, Y, Error> {
    /// Runs the search; every fold of every candidate reads one copy of the data. With preprocessing, or scaled targets, the
    /// candidates of [an open fold](crate::model_selection::FitRows) read one that is transformed for it.
    ///
    /// # Errors
    ///
    /// As [`Search::fit_continuing`].
    pub fn fit<D, T, I>(
        &self,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<T, I>>,
    ) -> Result<FittedSearch<K::Model, F, Array<Y, I>>>
    where
        K: SearchTask<F, Y, I> + Sync,
        D: ArrayData<Elem = F>,
        T: ArrayData<Elem = Y>,
        I: TargetDim + 'static,
    {
        self.fit_continuing(dataset)
    }
}

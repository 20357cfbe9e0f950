//! The multilabel classifier inside cross-validation and searches: every fold reads one copy of the data.

use linfa::ParamGuard;
use linfa::dataset::DatasetBase;
use ndarray::{Array2, ArrayBase, Data as ArrayData, Ix2};

use super::hyperparams::{MlpMultilabelClassifierParams, MlpValidParams};
use super::inside_search::{advance, until};
use super::multilabel::{MlpMultilabelClassifier, YesNo, encode_labels};
use super::search::{check_plan, checked, chosen, of_fit, row_of};
use super::task::Multilabel;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::model_selection::{
    ContinueRows, CrossValidation, DataView, FitContext, FitRows, FittedSearch, Goal, Scorer, Search,
    Splitter, Strategy, Target, cross_validate_by_rows,
};
use crate::train::{self, Run, Until};

impl<F: Float, L: YesNo + Target> FitRows<F, L, Ix2> for MlpMultilabelClassifierParams {
    type Object = MlpMultilabelClassifier<F, L>;
    type Prepared = Array2<F>;

    fn check(&self) -> Result<()> {
        self.check_ref().map(|_| ())
    }

    fn prepare(data: &DataView<'_, F, L, Ix2>) -> Result<Self::Prepared> {
        let y = encode_labels(data.n_samples(), data.targets())?;
        checked(data.records(), y.view(), data.weights())?;
        Ok(y)
    }

    fn check_data(&self, data: &DataView<'_, F, L, Ix2>, y: &Array2<F>, rows: &[usize]) -> Result<()> {
        let rows = chosen(data.records(), y.view(), data.weights(), rows)?;
        let params: &MlpValidParams<Multilabel> = self.check_ref()?;
        params.check_labels(y.ncols())?;
        check_plan(params, |n| params.plan_for(y.ncols(), n), train::Data::from(rows), Ok)
    }

    fn fit_rows(
        &self,
        data: &DataView<'_, F, L, Ix2>,
        y: &Array2<F>,
        rows: &[usize],
        context: &FitContext<'_>,
    ) -> Result<Self::Object> {
        let params = self.check_ref()?.in_search(context);
        let data = of_fit(data.records(), y.view(), data.weights(), rows, context)?;
        let data = params.divided(data)?;
        let mut run = params.begin(|n| params.plan_for(y.ncols(), n), &data)?;
        advance(&mut run, &data, Until::epochs(params.epochs()), context)?;
        Ok(params.model(run))
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
        data: &DataView<'_, F, L, Ix2>,
        rows: &[usize],
        goal: Option<Goal>,
    ) -> Option<u64> {
        Some(self.check_ref().ok()?.updates_of(data, rows, goal))
    }

    fn predict_rows(
        &self,
        model: &Self::Object,
        data: &DataView<'_, F, L, Ix2>,
        rows: &[usize],
    ) -> Result<Array2<L>> {
        let x = data.records();
        let outputs = model.network().predict_rows(rows.len(), |place| row_of(x, rows[place]));
        Ok(model.labels_of(&outputs))
    }
}

impl<F: Float, L: YesNo + Target> ContinueRows<F, L, Ix2> for MlpMultilabelClassifierParams {
    type State = Run<F>;

    fn begin(
        &self,
        data: &DataView<'_, F, L, Ix2>,
        y: &Array2<F>,
        rows: &[usize],
        _: Goal,
        context: &FitContext<'_>,
    ) -> Result<Run<F>> {
        let params = self.check_ref()?.in_search(context);
        let data = of_fit(data.records(), y.view(), data.weights(), rows, context)?;
        params.begin(|n| params.plan_for(y.ncols(), n), &params.divided(data)?)
    }

    fn advance(
        &self,
        run: &mut Run<F>,
        data: &DataView<'_, F, L, Ix2>,
        y: &Array2<F>,
        rows: &[usize],
        goal: Goal,
        context: &FitContext<'_>,
    ) -> Result<()> {
        let data = of_fit(data.records(), y.view(), data.weights(), rows, context)?;
        let data = self.check_ref()?.in_search(context).divided(data)?;
        let until = until(run, &data, goal);
        advance(run, &data, until, context)
    }

    fn model(&self, run: &Run<F>, _: &Array2<F>) -> Result<Self::Object> {
        Ok(self.check_ref()?.model(run.clone()))
    }

    fn state_to_bytes(&self, run: &Run<F>) -> Result<Vec<u8>> {
        run.to_bytes()
    }

    fn state_from_bytes(&self, bytes: &[u8]) -> Result<Run<F>> {
        Ok(Run::from_bytes(bytes)?.with_unsaved(&self.settings().callbacks))
    }
}

type Data<'a, D, S> = &'a DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, Ix2>>;

impl<S: Strategy, F: Float, L: YesNo + Target> Search<S, MlpMultilabelClassifierParams, F, L, Error> {
    /// Runs the search; every fold of every candidate reads one copy of the data.
    ///
    /// # Errors
    ///
    /// As [`Search::fit_continuing`].
    pub fn fit<D, T>(
        &self,
        dataset: Data<'_, D, T>,
    ) -> Result<FittedSearch<MlpMultilabelClassifier<F, L>, F, Array2<L>>>
    where
        D: ArrayData<Elem = F>,
        T: ArrayData<Elem = L>,
    {
        self.fit_continuing(dataset)
    }
}

impl MlpMultilabelClassifierParams {
    /// Cross-validation; every fold reads one copy of the data.
    ///
    /// # Errors
    ///
    /// As [`cross_validate_by_rows`].
    pub fn cross_validate<F, L, D, S>(
        &self,
        dataset: Data<'_, D, S>,
        splitter: &dyn Splitter,
        scorers: &[Scorer<L>],
    ) -> Result<CrossValidation>
    where
        F: Float,
        L: YesNo + Target,
        D: ArrayData<Elem = F>,
        S: ArrayData<Elem = L>,
    {
        cross_validate_by_rows(self, dataset, splitter, scorers)
    }
}

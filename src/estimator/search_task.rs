//! What cross-validation and searches need to know of a task, so that they are written once for all of them.

use linfa::dataset::{Label, TargetDim};
use ndarray::{Array, Array1, Array2, ArrayView, ArrayView2, Ix1, Ix2};

use super::classifier::{Encoded, MlpClassifier, encode};
use super::hyperparams::MlpValidParams;
use super::labels::with_label;
use super::multilabel::{MlpMultilabelClassifier, YesNo, encode_labels};
use super::regressor::{MlpRegressor, columns};
use super::task::{Classification, Multilabel, Regression, Task};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::model_selection::{DataView, Probabilities, Target};
use crate::network::Network;
use crate::train::{Plan, Rows, Run};

/// A task whose targets are `Y` in an array of dimension `I`: how they become numbers, and a run a model.
pub trait SearchTask<F: Float, Y, I: TargetDim>: Task {
    /// The fitted model.
    type Model;

    #[doc(hidden)]
    type Prepared: Send + Sync;

    #[doc(hidden)]
    const HAS_PROBABILITIES: bool = false;

    /// What all fits share; every value of the targets is looked at.
    #[doc(hidden)]
    fn prepare(data: &DataView<'_, F, Y, I>) -> Result<Self::Prepared>;

    /// The targets as the loss reads them.
    #[doc(hidden)]
    fn numbers<'a>(targets: &'a ArrayView<'_, Y, I>, prepared: &'a Self::Prepared) -> ArrayView2<'a, F>;

    /// The plan of a fit on so many rows.
    #[doc(hidden)]
    fn plan(
        params: &MlpValidParams<Self>,
        y: &ArrayView2<'_, F>,
        prepared: &Self::Prepared,
        n: usize,
    ) -> Plan;

    /// Checks settings against what was prepared.
    #[doc(hidden)]
    fn check_prepared(params: &MlpValidParams<Self>, prepared: &Self::Prepared) -> Result<()> {
        let _ = (params, prepared);
        Ok(())
    }

    /// Weighs the rows to train on.
    #[doc(hidden)]
    fn weigh<'a>(
        params: &MlpValidParams<Self>,
        prepared: &Self::Prepared,
        rows: Rows<'a, F>,
    ) -> Result<Rows<'a, F>> {
        let _ = (params, prepared);
        Ok(rows)
    }

    /// The error, in the words of the targets.
    #[doc(hidden)]
    fn named(error: Error, prepared: &Self::Prepared) -> Error {
        let _ = prepared;
        error
    }

    #[doc(hidden)]
    fn model(params: &MlpValidParams<Self>, run: Run<F>, prepared: &Self::Prepared) -> Result<Self::Model>;

    #[doc(hidden)]
    fn network(model: &Self::Model) -> &Network<F>;

    /// The targets that outputs stand for.
    #[doc(hidden)]
    fn targets(model: &Self::Model, outputs: Array2<F>) -> Array<Y, I>;

    #[doc(hidden)]
    fn probabilities(model: &Self::Model, outputs: Array2<F>) -> Option<Probabilities<Y>> {
        let _ = (model, outputs);
        None
    }
}

impl<F: Float + Target, I: TargetDim> SearchTask<F, F, I> for Regression {
    type Model = MlpRegressor<F, I>;
    type Prepared = ();

    fn prepare(_: &DataView<'_, F, F, I>) -> Result<()> {
        Ok(())
    }

    fn numbers<'a>(targets: &'a ArrayView<'_, F, I>, (): &'a ()) -> ArrayView2<'a, F> {
        columns(targets)
    }

    fn plan(params: &MlpValidParams<Self>, y: &ArrayView2<'_, F>, (): &(), n: usize) -> Plan {
        params.plan_for(y.ncols(), n)
    }

    fn model(_: &MlpValidParams<Self>, run: Run<F>, (): &()) -> Result<Self::Model> {
        MlpRegressor::from_run(run)
    }

    fn network(model: &Self::Model) -> &Network<F> {
        model.network()
    }

    fn targets(model: &Self::Model, outputs: Array2<F>) -> Array<F, I> {
        model.shaped(outputs)
    }
}

impl<F: Float, L: Label + Target> SearchTask<F, L, Ix1> for Classification {
    type Model = MlpClassifier<F, L>;
    type Prepared = Encoded<F, L>;

    const HAS_PROBABILITIES: bool = true;

    fn prepare(data: &DataView<'_, F, L, Ix1>) -> Result<Self::Prepared> {
        encode(None, data.records(), data.targets())
    }

    fn numbers<'a>(_: &'a ArrayView<'_, L, Ix1>, encoded: &'a Self::Prepared) -> ArrayView2<'a, F> {
        encoded.y.view()
    }

    fn plan(
        params: &MlpValidParams<Self>,
        _: &ArrayView2<'_, F>,
        encoded: &Self::Prepared,
        n: usize,
    ) -> Plan {
        params.plan_for(encoded.classes.len(), n)
    }

    fn check_prepared(params: &MlpValidParams<Self>, encoded: &Self::Prepared) -> Result<()> {
        params.check_classes(encoded.classes.len())
    }

    fn weigh<'a>(
        params: &MlpValidParams<Self>,
        encoded: &Self::Prepared,
        rows: Rows<'a, F>,
    ) -> Result<Rows<'a, F>> {
        params.weigh(&encoded.classes, rows)
    }

    fn named(error: Error, encoded: &Self::Prepared) -> Error {
        with_label(error, &encoded.classes)
    }

    fn model(params: &MlpValidParams<Self>, run: Run<F>, encoded: &Self::Prepared) -> Result<Self::Model> {
        Ok(params.model(run, &encoded.classes))
    }

    fn network(model: &Self::Model) -> &Network<F> {
        model.network()
    }

    fn targets(model: &Self::Model, outputs: Array2<F>) -> Array1<L> {
        model.labels_of(&outputs)
    }

    fn probabilities(model: &Self::Model, outputs: Array2<F>) -> Option<Probabilities<L>> {
        let values = model.proba_of(outputs).mapv(Float::wide);
        Some(Probabilities { classes: model.classes().to_vec(), values })
    }
}

impl<F: Float, L: YesNo + Target> SearchTask<F, L, Ix2> for Multilabel {
    type Model = MlpMultilabelClassifier<F, L>;
    type Prepared = Array2<F>;

    fn prepare(data: &DataView<'_, F, L, Ix2>) -> Result<Array2<F>> {
        encode_labels(data.n_samples(), data.targets())
    }

    fn numbers<'a>(_: &'a ArrayView<'_, L, Ix2>, y: &'a Array2<F>) -> ArrayView2<'a, F> {
        y.view()
    }

    fn plan(params: &MlpValidParams<Self>, y: &ArrayView2<'_, F>, _: &Array2<F>, n: usize) -> Plan {
        params.plan_for(y.ncols(), n)
    }

    fn check_prepared(params: &MlpValidParams<Self>, y: &Array2<F>) -> Result<()> {
        params.check_labels(y.ncols())
    }

    fn model(params: &MlpValidParams<Self>, run: Run<F>, _: &Array2<F>) -> Result<Self::Model> {
        Ok(params.model(run))
    }

    fn network(model: &Self::Model) -> &Network<F> {
        model.network()
    }

    fn targets(model: &Self::Model, outputs: Array2<F>) -> Array2<L> {
        model.labels_of(&outputs)
    }
}

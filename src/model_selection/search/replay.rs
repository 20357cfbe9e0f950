//! One fit of a search, once more.

use std::fmt;
use std::sync::Arc;

use linfa::Float;
use linfa::dataset::{DatasetBase, TargetDim};
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array, Array2, ArrayBase, Data, Ix2};

use super::builder::Search;
use super::candidates::{Candidate, named};
use super::strategy::Strategy;
#[cfg(doc)]
use crate::error::Error;
use crate::error::{Result, check};
use crate::model_selection::engine::budget::Budget;
use crate::model_selection::engine::evaluation::{Evaluation, Limits, Rung};
use crate::model_selection::engine::protocol::Protocol;
use crate::model_selection::engine::trainer::{ByDataset, ByRows, Trainer};
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::fit_rows::FitRows;
use crate::model_selection::fit::pipeline::Pipeline;
use crate::model_selection::fit::target::Target;
use crate::model_selection::observer::{Observers, Task};
use crate::model_selection::preparation::Prefixes;
use crate::model_selection::results::{FitRow, Params};

/// A fit done again: its row, and the model that the search did not keep.
#[derive(Debug)]
pub struct Replay<M, F, T> {
    /// The row. Times aside, it is the one that the search has.
    pub row: FitRow,
    /// The model trained on the fold's training rows, behind its preparation; none when the fit failed.
    pub model: Option<Pipeline<M, F, T>>,
}

impl<S: Strategy, P, F: Float, Y: Target, E> Search<S, P, F, Y, E> {
    /// Fits the candidate of a row in the fold of the row once more: the same scores, bit for bit, and the model that the
    /// search did not keep. An estimator that is not deterministic, or other data, give other scores.
    ///
    /// # Errors
    ///
    /// - what the search's `fit` refuses before its first fit
    /// - [`Error::Parameter`] for a row of a fold, a replicate, or a candidate of the first round that the search does not
    ///   have, and for one of a later rung
    ///
    /// # Examples
    ///
    /// ```
    /// use linfa::traits::Fit;
    /// use linfa_elasticnet::ElasticNet;
    /// use linfa_mlp::model_selection::{GridSearch, KFold};
    ///
    /// let diabetes = linfa_datasets::diabetes();
    /// let search = GridSearch::new(ElasticNet::params())
    ///     .axis("penalty", [0.01, 0.1, 1.0], |p, v| p.penalty(v))
    ///     .cv(KFold::new(5).shuffle(1));
    /// let fitted = search.fit(&diabetes)?;
    /// let row = &fitted.results().rows()[7];
    /// let again = search.replay(row, &diabetes)?;
    /// assert_eq!(again.row.test_scores, row.test_scores);
    /// assert!(again.model.is_some());
    /// # Ok::<(), linfa_mlp::Error>(())
    /// ```
    pub fn replay<D, T, I>(
        &self,
        row: &FitRow,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<T, I>>,
    ) -> Result<Replay<P::Object, F, Array<Y, I>>>
    where
        I: TargetDim + 'static,
        D: Data<Elem = F>,
        T: Data<Elem = Y>,
        P: Fit<Array2<F>, Array<Y, I>, E> + Clone + fmt::Debug + Sync,
        P::Object: PredictInplace<Array2<F>, Array<Y, I>>,
        E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
    {
        replay(&ByDataset::new(), self.candidates()?, row, &DataView::of(dataset)?, &self.protocol)
    }

    /// As [`replay`](Search::replay), with an estimator that reads the rows of the borrowed data set.
    ///
    /// # Errors
    ///
    /// As [`replay`](Search::replay).
    pub fn replay_by_rows<D, T, I>(
        &self,
        row: &FitRow,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<T, I>>,
    ) -> Result<Replay<P::Object, F, Array<Y, I>>>
    where
        I: TargetDim + 'static,
        D: Data<Elem = F>,
        T: Data<Elem = Y>,
        P: FitRows<F, Y, I> + Clone,
    {
        let (candidates, data) = (self.candidates_by_rows()?, DataView::of(dataset)?);
        let trainer = ByRows::<P, F, Y, I>::new(&data, &self.protocol.preparation)?;
        replay(&trainer, candidates, row, &data, &self.protocol)
    }
}

/// Nobody is told, nothing is spent, and no journal is opened.
fn replay<T, P, F, Y, I>(
    trainer: &T,
    candidates: Vec<Candidate<P>>,
    row: &FitRow,
    data: &DataView<'_, F, Y, I>,
    protocol: &Protocol<F, Y>,
) -> Result<Replay<T::Model, F, Array<Y, I>>>
where
    T: Trainer<P, F, Y, I>,
    P: Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    let (observers, stop, budget) = (Observers::default(), Arc::default(), Budget::default());
    let silent = Protocol { observers, stop, budget, ..protocol.clone() };
    let scorers = silent.scorers()?;
    let splits = silent.splits(data, None)?;
    let folds = silent.fold_rows(&splits, silent.known(data)?.classes.as_ref())?;
    for (name, found, there_are) in [
        ("row: candidate", row.candidate, candidates.len()),
        ("row: fold", row.fold, folds.len()),
        ("row: replicate", row.replicate, silent.replicates),
    ] {
        check(name, found, found < there_are, &format!("below {there_are}"))?;
    }
    let whole = row.rung == 0 && row.resource.is_none();
    check("row: rung", row.rung, whole, "of a search that trains every candidate to its end")?;
    let (estimators, params): (Vec<P>, Vec<Params>) =
        candidates.into_iter().map(|candidate| (candidate.estimator, candidate.params)).unzip();
    let limits = Limits::new(&silent);
    let prefixes = Prefixes::of(&silent.preparation, &params);
    let evaluation =
        Evaluation::new(trainer, &estimators, data.reborrow(), &silent, &scorers, &limits, prefixes);
    let task = Task { replicate: row.replicate, ..Task::new(row.candidate, Some(row.fold)) };
    let rung = Rung::only(0..estimators.len(), &folds);
    let (row, model) = evaluation
        .replay(&rung, task)
        .map_err(|error| named(row.candidate, &params[row.candidate], Box::new(error)))?;
    Ok(Replay { row, model })
}

//! What a search gives.

use std::sync::Arc;

use linfa::dataset::TargetDim;
use linfa::traits::PredictInplace;
use ndarray::{Array, ArrayBase, Data, Ix2};

use super::ladder::RungSummary;
use crate::error::{Error, Result};
use crate::model_selection::engine::trainer::SharedError;
use crate::model_selection::fit::pipeline::Pipeline;
use crate::model_selection::results::{Params, SearchResults};
use crate::model_selection::split::Split;

/// The best candidate and its model, or why there is none.
#[derive(Debug)]
pub(super) struct Best<M> {
    pub index: Option<usize>,
    pub model: Option<M>,
    pub reason: String,
    pub source: Option<SharedError>,
}

impl<M> Best<M> {
    pub fn none(reason: impl Into<String>) -> Self {
        Best { index: None, model: None, reason: reason.into(), source: None }
    }

    pub fn refitted(index: usize, model: Result<M, SharedError>) -> Self {
        match model {
            Ok(model) => Best { index: Some(index), model: Some(model), ..Best::none("") },
            Err(error) => Best {
                index: Some(index),
                source: Some(Arc::clone(&error)),
                ..Best::none(format!("its refit failed: {error}"))
            },
        }
    }
}

/// A finished search: the table, the best candidate, and its model fitted on all rows.
///
/// `M` is the estimator's model and `T` the targets' array, `Array1<f64>` for instance. It predicts like any linfa model,
/// by its best model, so that a search may stand wherever an estimator does, also inside a cross-validation.
///
/// # Examples
///
/// See [`GridSearch`](super::GridSearch).
#[derive(Debug)]
pub struct FittedSearch<M, F, T> {
    results: SearchResults,
    splits: Vec<Split>,
    rungs: Vec<RungSummary>,
    scorer: usize,
    best: Best<Pipeline<M, F, T>>,
}

impl<M, F, T> FittedSearch<M, F, T> {
    pub(super) fn new(
        results: SearchResults,
        splits: Vec<Split>,
        rungs: Vec<RungSummary>,
        scorer: usize,
        best: Best<Pipeline<M, F, T>>,
    ) -> Self {
        FittedSearch { results, splits, rungs, scorer, best }
    }

    /// The table: rows, candidates, ranks.
    #[must_use]
    pub fn results(&self) -> &SearchResults {
        &self.results
    }

    /// The folds' row indices, as the splitter gave them.
    #[must_use]
    pub fn splits(&self) -> &[Split] {
        &self.splits
    }

    /// The rungs, for a search that has them: which candidates each trained, how far, and which went on.
    #[must_use]
    pub fn rungs(&self) -> &[RungSummary] {
        &self.rungs
    }

    /// The best candidate; none when no candidate has a mean, or when the rule named none. In a search that was stopped, it may
    /// not have been scored in every fold: [`CandidateSummary::stopped`](super::super::CandidateSummary::stopped) says so.
    #[must_use]
    pub fn best_index(&self) -> Option<usize> {
        self.best.index
    }

    /// The best candidate's parameters, in the order of the axes.
    #[must_use]
    pub fn best_params(&self) -> Option<&Params> {
        self.best.index.map(|index| &self.results.candidates()[index].params)
    }

    /// The best candidate's mean test score, by the scorer that decides.
    #[must_use]
    pub fn best_score(&self) -> Option<f64> {
        self.best.index.map(|index| self.results.candidates()[index].test[self.scorer].mean)
    }

    /// The best candidate fitted on all rows, behind its fitted preparation.
    ///
    /// # Errors
    ///
    /// [`Error::NoModel`] when the search was told not to refit, when it has no best candidate, or when the refit failed.
    pub fn best_model(&self) -> Result<&Pipeline<M, F, T>> {
        self.best.model.as_ref().ok_or_else(|| self.no_model())
    }

    /// As [`best_model`](FittedSearch::best_model), for keeps.
    ///
    /// # Errors
    ///
    /// [`Error::NoModel`], as there.
    pub fn into_best_model(mut self) -> Result<Pipeline<M, F, T>> {
        self.best.model.take().ok_or_else(|| self.no_model())
    }

    fn no_model(&self) -> Error {
        Error::NoModel { reason: self.best.reason.clone(), source: self.best.source.clone() }
    }
}

/// # Panics
///
/// `predict` panics when there is no best model; [`best_model`](FittedSearch::best_model) says why instead.
impl<M, F, Y, I, D> PredictInplace<ArrayBase<D, Ix2>, Array<Y, I>> for FittedSearch<M, F, Array<Y, I>>
where
    I: TargetDim,
    D: Data<Elem = F>,
    Pipeline<M, F, Array<Y, I>>: PredictInplace<ArrayBase<D, Ix2>, Array<Y, I>>,
{
    fn predict_inplace<'a>(&'a self, x: &'a ArrayBase<D, Ix2>, y: &mut Array<Y, I>) {
        match self.best_model() {
            Ok(model) => model.predict_inplace(x, y),
            Err(error) => panic!("{error}"),
        }
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array<Y, I> {
        match self.best_model() {
            Ok(model) => model.default_target(x),
            Err(error) => panic!("{error}"),
        }
    }
}

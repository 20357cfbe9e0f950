//! One fit of a search, once more.

use std::fmt::Debug;
use std::sync::Mutex;

use linfa::Float;
use linfa::dataset::TargetDim;
use ndarray::Array;

use super::candidates::{Candidate, named};
use crate::error::{Result, check};
use crate::model_selection::data_view::DataView;
use crate::model_selection::evaluation::Evaluation;
use crate::model_selection::observer::Observers;
use crate::model_selection::pipeline::Pipeline;
use crate::model_selection::protocol::Protocol;
use crate::model_selection::results::FitRow;
use crate::model_selection::target::Target;
use crate::model_selection::trainer::Trainer;

/// A fit done again: its row, and the model that the search did not keep.
#[derive(Debug)]
pub struct Replay<M, F, T> {
    /// The row. Times aside, it is the one that the search has.
    pub row: FitRow,
    /// The model trained on the fold's training rows, behind its preparation; none when the fit failed.
    pub model: Option<Pipeline<M, F, T>>,
}

/// Fits the row's candidate in the row's fold, as the search did. Nobody is told, and no journal is opened.
pub(super) fn replay<T, P, F, Y, I>(
    trainer: &T,
    candidates: Vec<Candidate<P>>,
    row: &FitRow,
    data: &DataView<'_, F, Y, I>,
    protocol: &Protocol<F, Y>,
) -> Result<Replay<T::Model, F, Array<Y, I>>>
where
    T: Trainer<P, F, Y, I>,
    P: Debug + Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    let scorers = protocol.scorers()?;
    let splits = protocol.splits(data, None)?;
    let below = |n: usize| format!("below {n}");
    let (n_candidates, n_folds) = (candidates.len(), splits.len());
    check("row: candidate", row.candidate, row.candidate < n_candidates, &below(n_candidates))?;
    check("row: fold", row.fold, row.fold < n_folds, &below(n_folds))?;
    let estimators: Vec<P>;
    let params: Vec<_>;
    (estimators, params) = candidates.into_iter().map(|it| (it.estimator, it.params)).unzip();
    let silent = Observers::default();
    let evaluation = Evaluation {
        trainer,
        candidates: &estimators,
        data: data.reborrow(),
        splits: &splits,
        preparation: &protocol.preparation,
        scorers: &scorers,
        train_scores: protocol.train_scores,
        observer: &silent,
        stop: &protocol.stop,
        first: Mutex::new(None),
        failure: Mutex::new(None),
        past: None,
    };
    let (row, model) = evaluation
        .replay(row.candidate, row.fold)
        .map_err(|error| named(row.candidate, &params[row.candidate], Box::new(error)))?;
    Ok(Replay { row, model })
}

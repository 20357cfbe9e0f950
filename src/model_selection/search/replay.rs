//! One fit of a search, once more.

use std::fmt;
use std::sync::Arc;

use linfa::Float;
use linfa::dataset::{DatasetBase, TargetDim};
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array, Array2, ArrayBase, Data, Ix2};

use super::builder::Search;
use super::candidates::{Candidate, named};
use super::climb::rung_of;
use super::rounds::{Ground, climbing};
use super::strategy::{Strategy, Tried};
#[cfg(doc)]
use crate::error::Error;
use crate::error::{Result, check};
use crate::model_selection::engine::budget::Budget;
use crate::model_selection::engine::evaluation::Evaluation;
use crate::model_selection::engine::limits::Limits;
use crate::model_selection::engine::protocol::Protocol;
use crate::model_selection::engine::rung::Rung;
use crate::model_selection::engine::trainer::{ByDataset, ByRows, InParts, Trainer};
use crate::model_selection::fit::continue_rows::ContinueRows;
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::fit_rows::FitRows;
use crate::model_selection::fit::pipeline::Pipeline;
use crate::model_selection::fit::target::Target;
use crate::model_selection::observer::{Observers, Task};
use crate::model_selection::preparation::Prefixes;
use crate::model_selection::results::FitRow;

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
    /// A row of a later rung is trained from the beginning to where the rung ended.
    ///
    /// # Errors
    ///
    /// - what the search's `fit` refuses before its first fit
    /// - [`Error::Parameter`] for a row of a fold, a replicate, a rung or a candidate that the search does not have; a search that
    ///   learns has those of its first round
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
        replay(self, &ByDataset::new(), self.candidates()?, row, &DataView::of(dataset)?)
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
        replay(self, &trainer, candidates, row, &data)
    }

    /// As [`replay_by_rows`](Search::replay_by_rows), with an estimator whose fits can go on: also rows of rungs by epochs or updates.
    ///
    /// # Errors
    ///
    /// As [`replay`](Search::replay).
    pub fn replay_continuing<D, T, I>(
        &self,
        row: &FitRow,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<T, I>>,
    ) -> Result<Replay<P::Object, F, Array<Y, I>>>
    where
        I: TargetDim + 'static,
        D: Data<Elem = F>,
        T: Data<Elem = Y>,
        P: ContinueRows<F, Y, I> + Clone,
    {
        let (candidates, data) = (self.candidates_by_rows()?, DataView::of(dataset)?);
        let trainer = ByRows::<P, F, Y, I, InParts>::new(&data, &self.protocol.preparation)?;
        replay(self, &trainer, candidates, row, &data)
    }
}

/// Nobody is told, nothing is spent, and no journal is opened.
fn replay<S, T, P, F, Y, I, E>(
    search: &Search<S, P, F, Y, E>,
    trainer: &T,
    first: Vec<Candidate<P>>,
    row: &FitRow,
    data: &DataView<'_, F, Y, I>,
) -> Result<Replay<T::Model, F, Array<Y, I>>>
where
    S: Strategy,
    T: Trainer<P, F, Y, I>,
    P: Clone + Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    let (observers, stop, budget) = (Observers::default(), Arc::default(), Budget::default());
    let silent = Protocol { observers, stop, budget, shard: None, ..search.protocol.clone() };
    let scorers = silent.scorers()?;
    let splits = silent.splits(data, None)?;
    let classes = silent.known(data)?.classes;
    let folds = silent.fold_rows(&splits, classes.as_ref())?;
    let below = |name, found, there_are| check(name, found, found < there_are, &format!("below {there_are}"));
    below("row: fold", row.fold, folds.len())?;
    below("row: replicate", row.replicate, silent.replicates)?;
    let Round { number, place, candidates } = search.round_of(first, row.candidate)?;
    let Candidate { estimator, params, .. } = &candidates[place];

    let ground = Ground { folds: &folds, classes: classes.as_ref(), outer: None };
    let (ladder, rung_folds) = climbing(search, (number, candidates.len()), &ground, T::CONTINUES)?;
    let rungs = ladder.as_ref().map_or(1, |ladder| ladder.rungs().len());
    below("row: rung", row.rung, rungs)?;
    let rung = match &ladder {
        None => Rung::only(0..1, &folds),
        // The whole way at once, which is the same as in parts.
        Some(ladder) => {
            Rung { from: None, goes_on: false, ..rung_of(ladder, row.rung, vec![0], &rung_folds) }
        }
    };
    let resource = |resource: Option<u64>| resource.map_or_else(|| "none".into(), |n| n.to_string());
    let same = row.resource == rung.resource;
    check(
        "row: resource",
        resource(row.resource),
        same,
        &format!("{} in that rung", resource(rung.resource)),
    )?;

    let limits = Limits::new(&silent);
    let prefixes = Prefixes::of(&silent.preparation, [params]);
    let estimators = std::slice::from_ref(estimator);
    let evaluation =
        Evaluation::new(trainer, estimators, data.reborrow(), &silent, &scorers, &limits, prefixes);
    let task = Task { rung: row.rung, replicate: row.replicate, ..Task::new(0, Some(row.fold)) };
    let (again, model) =
        evaluation.replay(&rung, task).map_err(|error| named(row.candidate, params, Box::new(error)))?;
    Ok(Replay { row: FitRow { candidate: row.candidate, ..again }, model })
}

/// A round of candidates, and the place in it of one that was looked for.
struct Round<P> {
    number: usize,
    place: usize,
    candidates: Vec<Candidate<P>>,
}

impl<S: Strategy, P: Clone, F, Y, E> Search<S, P, F, Y, E> {
    /// The round in which a candidate is proposed, for a strategy that needs no scores to propose it.
    fn round_of(&self, first: Vec<Candidate<P>>, candidate: usize) -> Result<Round<P>> {
        let (mut number, mut before, mut candidates, mut answers) = (0, 0, first, Vec::new());
        loop {
            if candidate < before + candidates.len() {
                return Ok(Round { number, place: candidate - before, candidates });
            }
            before += candidates.len();
            answers.extend(candidates.drain(..).map(|candidate| candidate.answers));
            let more = if self.strategy.learns() {
                Vec::new()
            } else {
                // Losses that a strategy does not look at.
                let losses = vec![f64::NAN; before];
                self.strategy.next_round(&self.space, &Tried::of(&losses, &answers))?
            };
            let learns = if self.strategy.learns() { ", the round that needs no scores" } else { "" };
            check("row: candidate", candidate, !more.is_empty(), &format!("below {before}{learns}"))?;
            (number, candidates) = (number + 1, more);
        }
    }
}

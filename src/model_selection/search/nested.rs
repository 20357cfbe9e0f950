//! Cross-validation of a whole search: the score of the choice, not of the chosen.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use linfa::Float;
use linfa::dataset::{DatasetBase, TargetDim};
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array, Array2, ArrayBase, Data, Ix2};

use super::builder::Search;
use super::candidates::{Candidate, named};
use super::rounds::search;
use super::strategy::{Strategy, Tried};
use crate::error::{Error, Result, check};
use crate::metric::Direction;
use crate::model_selection::engine::budget::Budget;
use crate::model_selection::engine::fold_rows::FoldRows;
use crate::model_selection::engine::known_rows::KnownRows;
use crate::model_selection::engine::trainer::{AnyError, ByDataset, ByRows, Part, Trainer};
use crate::model_selection::evaluate::cross_validate::{CrossValidation, CrossValidator};
use crate::model_selection::fit::continue_rows::Goal;
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::fit_rows::{FitContext, FitRows};
use crate::model_selection::fit::target::Target;
use crate::model_selection::journal::Digester;
use crate::model_selection::observer::Observers;
use crate::model_selection::preparation::{FittedSteps, FittedTargetScaling, Preparation};
use crate::model_selection::results::{
    Align, FitRow, MeanStd, Params, SearchResults, Table, mean_std, seconds, significant,
};
use crate::model_selection::scorer::Probabilities;
use crate::model_selection::split::{Split, Splitter};

/// The search inside an outer fold: its table, and the candidate that it chose.
#[derive(Clone, Debug, PartialEq)]
pub struct InnerSearch {
    results: SearchResults,
    winner: usize,
    scorer: usize,
}

impl InnerSearch {
    /// The chosen candidate, from 0.
    #[must_use]
    pub fn winner(&self) -> usize {
        self.winner
    }

    /// The chosen candidate's parameters.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.results.candidates()[self.winner].params
    }

    /// The chosen candidate's mean score over the inner folds, by the scorer that decides: the score that is too good.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.results.candidates()[self.winner].test[self.scorer].mean
    }

    /// The whole inner table.
    #[must_use]
    pub fn results(&self) -> &SearchResults {
        &self.results
    }
}

/// What nested cross-validation measured: an outer score for each fold, and the search that each fold's model came from.
/// `Display` prints a table.
#[derive(Clone, Debug, PartialEq)]
pub struct NestedCrossValidation {
    outer: CrossValidation,
    inner: Vec<Option<InnerSearch>>,
    scorer: usize,
}

impl NestedCrossValidation {
    /// The outer scores: of the chosen models, on rows that had no part in the choice.
    #[must_use]
    pub fn outer(&self) -> &CrossValidation {
        &self.outer
    }

    /// The inner search of each outer fold; none where it failed or chose nothing.
    #[must_use]
    pub fn inner(&self) -> &[Option<InnerSearch>] {
        &self.inner
    }

    /// The scorer that decides.
    #[must_use]
    pub fn scorer(&self) -> &str {
        &self.outer.scorers()[self.scorer].name
    }

    /// By how much the inner scores are better than the outer ones, on average over the folds: the optimism of a search's own
    /// best score. NaN when a fold failed.
    #[must_use]
    pub fn optimism(&self) -> f64 {
        let score = |inner: &Option<InnerSearch>| inner.as_ref().map_or(f64::NAN, InnerSearch::score);
        let inner = MeanStd::of(&self.inner.iter().map(score).collect::<Vec<f64>>()).mean;
        let outer = MeanStd::of(&self.outer.results().test_scores(0, self.scorer)).mean;
        match self.outer.scorers()[self.scorer].direction {
            Direction::Maximize => inner - outer,
            Direction::Minimize => outer - inner,
        }
    }
}

/// A line for each outer fold: the chosen parameters, their inner and their outer score.
impl fmt::Display for NestedCrossValidation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.scorer();
        let heads = [
            ("fold", Align::Right),
            ("chosen", Align::Left),
            (&format!("inner {name}"), Align::Right),
            (&format!("outer {name}"), Align::Right),
            ("fit time", Align::Right),
            ("status", Align::Left),
        ];
        let mut table = Table::new(heads.map(|(head, align)| (head.to_string(), align)).to_vec());
        let mut scores = (Vec::new(), Vec::new());
        let line = |row: &FitRow, inner: &Option<InnerSearch>| {
            let chosen = inner.as_ref().map_or_else(|| "–".into(), |inner| inner.params().to_string());
            let score = inner.as_ref().map_or(f64::NAN, InnerSearch::score);
            (chosen, score, row.test_scores[self.scorer])
        };
        for (row, inner) in self.outer.rows().iter().zip(&self.inner) {
            let (chosen, inner, outer) = line(row, inner);
            let [shown, scored] = [inner, outer].map(|score| significant(score, 4));
            let status = row.status.name().to_string();
            table.push(vec![row.fold.to_string(), chosen, shown, scored, seconds(row.fit_seconds), status]);
            scores.0.push(inner);
            scores.1.push(outer);
        }
        let means = [scores.0, scores.1].map(|scores| MeanStd::of(&scores));
        let [inner, outer] = means.map(|score| mean_std(score.mean, score.std));
        let time = seconds(self.outer.results().candidates()[0].fit_seconds.mean);
        table.push(vec!["mean".into(), String::new(), inner, outer, time, String::new()]);
        table.fmt(f)
    }
}

/// A search as an estimator: a fit searches on the fold's training rows and trains the winner on all of them. Nothing is
/// copied: the inner folds are lists of the outer rows.
struct Nested<'t, T> {
    trainer: &'t T,
    known: &'t KnownRows,
    found: Mutex<BTreeMap<usize, InnerSearch>>,
}

struct NestedFold<'a, D, F, Y, I: TargetDim> {
    own: D,
    data: DataView<'a, F, Y, I>,
    train: &'a [usize],
}

impl<T> Nested<'_, T> {
    /// The inner folds, as rows of the whole data set.
    fn inner_folds<S, P, F: Float, Y: Target, E>(
        &self,
        search: &Search<S, P, F, Y, E>,
        train: &[usize],
    ) -> Result<Vec<Split>> {
        let folds = search.protocol.divide(&self.known.select(train), None)?;
        let whole = |rows: Vec<usize>| rows.into_iter().map(|place| train[place]).collect();
        Ok(folds.into_iter().map(|fold| Split { train: whole(fold.train), test: whole(fold.test) }).collect())
    }
}

/// The estimator of a candidate of a finished search. A strategy proposes the same candidates again for the same scores.
fn estimator_of<S: Strategy, P: Clone, F, Y, E>(
    search: &Search<S, P, F, Y, E>,
    first: Vec<Candidate<P>>,
    results: &SearchResults,
    scorer: usize,
    winner: usize,
) -> Result<P> {
    let direction = results.scorers()[scorer].direction;
    let loss = |mean: f64| if direction == Direction::Maximize { -mean } else { mean };
    let mean = |candidate| MeanStd::of(&results.test_scores(candidate, scorer)).mean;
    let losses: Vec<f64> = (0..results.candidates().len()).map(|candidate| loss(mean(candidate))).collect();
    let (mut tried, mut round, mut answers) = (0, first, Vec::new());
    loop {
        let proposed = round.len();
        answers.extend(round.iter().map(|candidate| candidate.answers.clone()));
        if let Some(place) = winner.checked_sub(tried).filter(|&place| place < proposed) {
            return Ok(round.swap_remove(place).estimator);
        }
        tried += proposed;
        if proposed == 0 || tried > losses.len() {
            return Err(Error::NoModel {
                reason: format!("the search's strategy did not propose candidate {winner} again"),
                source: None,
            });
        }
        round = search.strategy.next_round(&search.space, &Tried::of(&losses[..tried], &answers))?;
    }
}

impl<S, P, F, Y, I, E, T> Trainer<Search<S, P, F, Y, E>, F, Y, I> for Nested<'_, T>
where
    S: Strategy + Clone,
    P: Clone + fmt::Debug + Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
    T: Trainer<P, F, Y, I>,
{
    const WAY: &'static str = T::WAY;

    type Model = (P, T::Model);
    type State = ();
    const CONTINUES: bool = false;
    type Fold<'a>
        = NestedFold<'a, T::Fold<'a>, F, Y, I>
    where
        Self: 'a,
        Y: 'a;

    fn open<'a>(
        &'a self,
        data: &DataView<'a, F, Y, I>,
        rows: &'a FoldRows<'a>,
        preparation: &Preparation<F>,
    ) -> Result<Self::Fold<'a>> {
        let own = self.trainer.open(data, rows, preparation)?;
        Ok(NestedFold { own, data: data.clone(), train: &rows.train })
    }

    fn digest<'a>(&self, fold: &Self::Fold<'a>, digester: &mut Digester)
    where
        Self: 'a,
        Y: 'a,
    {
        self.trainer.digest(&fold.own, digester);
    }

    fn check<'a>(&self, params: &Search<S, P, F, Y, E>, fold: &Self::Fold<'a>, train: &[usize]) -> Result<()>
    where
        Self: 'a,
        Y: 'a,
    {
        let allowed = "unset for a search inside a cross-validation";
        check("stopping_rows", "set", params.protocol.stopping.is_none(), allowed)?;
        check("refit_epochs", "set", params.refit_epochs.is_none(), allowed)?;
        let inner = self.inner_folds(params, train)?;
        for (index, candidate) in params.candidates()?.iter().enumerate() {
            let rows = inner.iter().map(|split| &split.train[..]).chain([train]);
            for rows in rows {
                self.trainer
                    .check(&candidate.estimator, &fold.own, rows)
                    .map_err(|error| named(index, &candidate.params, Box::new(error)))?;
            }
        }
        Ok(())
    }

    fn has_probabilities(&self, params: &Search<S, P, F, Y, E>) -> bool {
        params.candidates().is_ok_and(|candidates| {
            candidates.iter().all(|candidate| self.trainer.has_probabilities(&candidate.estimator))
        })
    }

    /// A search has no seed of its own: its candidates have.
    fn seed(&self, _: &Search<S, P, F, Y, E>) -> Option<u64> {
        None
    }

    fn check_validation_rows(&self, params: &Search<S, P, F, Y, E>) -> Result<()> {
        let candidates = params.candidates()?;
        candidates.iter().try_for_each(|candidate| self.trainer.check_validation_rows(&candidate.estimator))
    }

    fn check_epochs(&self, params: &Search<S, P, F, Y, E>, stopping_rows: bool) -> Result<()> {
        let candidates = params.candidates()?;
        let checked = |estimator| self.trainer.check_epochs(estimator, stopping_rows);
        candidates.iter().try_for_each(|candidate| checked(&candidate.estimator))
    }

    fn planned_updates(
        &self,
        _: &Search<S, P, F, Y, E>,
        _: &DataView<'_, F, Y, I>,
        _: &[usize],
        _: Option<Goal>,
    ) -> Option<u64> {
        None
    }

    fn fit<'a>(
        &self,
        params: &Search<S, P, F, Y, E>,
        fold: &Self::Fold<'a>,
        _: Option<Goal>,
        _: &mut Option<()>,
        context: &FitContext<'_>,
    ) -> Result<Self::Model, AnyError>
    where
        Self: 'a,
        Y: 'a,
    {
        let mut inner = params.clone().cv(self.inner_folds(params, fold.train)?).refit(false);
        inner.protocol.observers = Observers::default();
        let candidates = params.candidates()?;
        let results = search(&inner, self.trainer, candidates.clone(), &fold.data)?.results().clone();
        let (winner, _) =
            params.refit.choose(&results).map_err(|reason| Error::NoModel { reason, source: None })?;
        let scorer = params.refit.place(results.scorers());
        let estimator = estimator_of(params, candidates, &results, scorer, winner)?;
        if let Some(outer) = context.fold() {
            let found = InnerSearch { results, winner, scorer };
            self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(outer, found);
        }
        let model = self.trainer.fit(&estimator, &fold.own, None, &mut None, context)?;
        Ok((estimator, model))
    }

    fn predict<'a>(
        &self,
        _: &Search<S, P, F, Y, E>,
        (estimator, model): &Self::Model,
        fold: &Self::Fold<'a>,
        part: Part,
    ) -> Result<Array<Y, I>, AnyError>
    where
        Self: 'a,
        Y: 'a,
    {
        self.trainer.predict(estimator, model, &fold.own, part)
    }

    fn probabilities<'a>(
        &self,
        _: &Search<S, P, F, Y, E>,
        (estimator, model): &Self::Model,
        fold: &Self::Fold<'a>,
        part: Part,
    ) -> Result<Option<Probabilities<Y>>, AnyError>
    where
        Self: 'a,
        Y: 'a,
    {
        self.trainer.probabilities(estimator, model, &fold.own, part)
    }

    fn prepared<'a>(fold: &Self::Fold<'a>) -> (FittedSteps<F>, Option<FittedTargetScaling>)
    where
        Self: 'a,
        Y: 'a,
    {
        T::prepared(&fold.own)
    }

    fn close<'a>(fold: Self::Fold<'a>) -> (FittedSteps<F>, Option<FittedTargetScaling>)
    where
        Self: 'a,
        Y: 'a,
    {
        T::close(fold.own)
    }
}

fn nested<S, P, F, Y, I, E, T>(
    search: &Search<S, P, F, Y, E>,
    trainer: &T,
    data: &DataView<'_, F, Y, I>,
    outer: &dyn Splitter,
) -> Result<NestedCrossValidation>
where
    S: Strategy + Clone,
    P: Clone + fmt::Debug + Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
    T: Trainer<P, F, Y, I>,
{
    let free = !search.protocol.preparation.has_choices();
    check(
        "preprocess_axis",
        "set",
        free,
        "unset in a nested search, whose winner shares the outer fold's steps",
    )?;
    let known = search.protocol.known(data)?;
    let nested = Nested { trainer, known: &known, found: Mutex::default() };
    let mut validator = CrossValidator { protocol: search.protocol.clone() };
    // Both belong to the fits of candidates.
    validator.protocol.replicates = 1;
    validator.protocol.budget = Budget::default();
    let outer = validator.evaluate(&nested, search, data, Some(outer), None)?;
    let mut found = nested.found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let inner = (0..outer.splits().len()).map(|fold| found.remove(&fold)).collect();
    let scorer = search.refit.place(outer.scorers());
    Ok(NestedCrossValidation { outer, inner, scorer })
}

/// Cross-validates a whole search: in every outer fold the search runs on the training rows alone, its winner is trained on all
/// of them and scored on the test rows.
///
/// A search's own best score is too good, because the candidate was chosen for it. The outer scores here are honest, and the
/// inner searches show whether the choice is stable.
///
/// The splitter of the search divides each outer fold's training rows, with their classes and groups; its scorers score the outer
/// folds too. A budget and replicates hold for each inner search. For the search's observers an outer fold is one fit.
///
/// # Errors
///
/// - as [`cross_validate`](crate::model_selection::cross_validate) and the search's own `fit`, before the first fit
/// - [`Error::AllFitsFailed`] when no outer fold could be fitted and scored
///
/// # Examples
///
/// ```
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{GridSearch, KFold, nested_cross_validate};
///
/// let search = GridSearch::new(ElasticNet::params())
///     .axis("penalty", [0.001, 0.1, 10.0], |p, v| p.penalty(v))
///     .cv(KFold::new(3));
/// let nested = nested_cross_validate(&search, &linfa_datasets::diabetes(), &KFold::new(4).shuffle(1))?;
/// assert!(nested.outer().mean_std("r2").is_some_and(|r2| r2.mean > 0.4));
/// assert!(nested.inner().iter().flatten().all(|inner| inner.params().to_string() != "penalty=10.0"));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
///
/// # References
///
/// G. C. Cawley, N. L. C. Talbot, *On Over-fitting in Model Selection and Subsequent Selection Bias in Performance
/// Evaluation*, JMLR 11 (2010).
pub fn nested_cross_validate<Q, P, D, S, F, Y, I, E>(
    search: &Search<Q, P, F, Y, E>,
    dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    outer: &dyn Splitter,
) -> Result<NestedCrossValidation>
where
    Q: Strategy + Clone,
    F: Float,
    Y: Target,
    D: Data<Elem = F>,
    S: Data<Elem = Y>,
    I: TargetDim + 'static,
    P: Fit<Array2<F>, Array<Y, I>, E> + Clone + fmt::Debug + Sync,
    P::Object: PredictInplace<Array2<F>, Array<Y, I>>,
    E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
{
    nested(search, &ByDataset::<E>::new(), &DataView::of(dataset)?, outer)
}

/// As [`nested_cross_validate`], for an estimator that reads the rows of the borrowed data set: no fold is copied.
///
/// # Errors
///
/// As [`nested_cross_validate`], and before the first fit what the estimator's own checks say.
pub fn nested_cross_validate_by_rows<Q, P, D, S, F, Y, I, E>(
    search: &Search<Q, P, F, Y, E>,
    dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    outer: &dyn Splitter,
) -> Result<NestedCrossValidation>
where
    Q: Strategy + Clone,
    F: Float,
    Y: Target,
    D: Data<Elem = F>,
    S: Data<Elem = Y>,
    I: TargetDim + 'static,
    P: FitRows<F, Y, I> + Clone + fmt::Debug,
{
    for (index, candidate) in search.candidates()?.iter().enumerate() {
        let checked = candidate.estimator.check();
        checked.map_err(|source| named(index, &candidate.params, Box::new(source)))?;
    }
    let data = DataView::of(dataset)?;
    let trainer = ByRows::<P, F, Y, I>::new(&data, &search.protocol.preparation)?;
    nested(search, &trainer, &data, outer)
}

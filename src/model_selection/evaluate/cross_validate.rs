//! Cross-validation of one estimator.

use std::fmt;

use linfa::Float;
use linfa::dataset::{DatasetBase, TargetDim};
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array, Array2, ArrayBase, Data, Ix2};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::model_selection::engine::evaluation::{Evaluation, Keep, Past};
use crate::model_selection::engine::keeper::Keeper;
use crate::model_selection::engine::limits::Limits;
use crate::model_selection::engine::protocol::{Protocol, protocol_methods};
use crate::model_selection::engine::rung::Rung;
use crate::model_selection::engine::trainer::{ByDataset, ByRows, Trainer};
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::fit_rows::FitRows;
use crate::model_selection::fit::target::Target;
use crate::model_selection::journal::{Content, Study};
use crate::model_selection::observer::{SearchObserver, SearchPlan};
use crate::model_selection::preparation::Prefixes;
use crate::model_selection::results::{
    Align, FitRow, MeanStd, Params, ScorerInfo, SearchResults, Table, mean_std, seconds, significant,
};
use crate::model_selection::scorer::Scorer;
use crate::model_selection::split::{Split, Splitter};

/// Cross-validation with all its settings; [`cross_validate`] is the short form.
///
/// `F` is the type of the records, `Y` that of the targets; both follow from the data set.
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | `cv` | 5 folds, stratified for labels | how the rows are divided |
/// | `scorers` | R² or accuracy | what is scored |
/// | `preprocess`, `scale_targets` | none | fitted on the training rows of each fold |
/// | `train_scores` | off | scores the training rows too |
/// | `pool`, `executor` | the current rayon pool | where fits run |
/// | `journal` | none | the file that makes the validation survive anything |
/// | `observer`, `progress` | none | who watches |
///
/// # Examples
///
/// ```
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{CrossValidator, KFold, Scorer, TargetScaling};
/// use linfa_preprocessing::linear_scaling::LinearScaler;
///
/// let scores = CrossValidator::new()
///     .cv(KFold::new(4).shuffle(1))
///     .scorers([Scorer::r2(), Scorer::neg_mean_absolute_error()])
///     .preprocess(LinearScaler::standard())
///     .scale_targets(TargetScaling::Standard)
///     .train_scores(true)
///     .run(&ElasticNet::params().penalty(0.1), &linfa_datasets::diabetes())?;
/// assert!(scores.mean_std("r2").is_some_and(|r2| r2.mean > 0.4));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CrossValidator<F, Y> {
    pub(in crate::model_selection) protocol: Protocol<F, Y>,
}

impl<F, Y> Default for CrossValidator<F, Y> {
    fn default() -> Self {
        CrossValidator { protocol: Protocol::default() }
    }
}

impl<F, Y> CrossValidator<F, Y> {
    /// With the defaults.
    #[must_use]
    pub fn new() -> Self {
        CrossValidator::default()
    }

    protocol_methods!();
}

impl<F: Float, Y: Target> CrossValidator<F, Y> {
    /// Fits and scores the estimator in every fold.
    ///
    /// # Errors
    ///
    /// - what the splitter, the scorers' names, the data and the journal are refused for, before the first fit
    /// - [`Error::AllFitsFailed`](crate::Error::AllFitsFailed) when no fold could be fitted and scored
    pub fn run<P, D, S, I, E>(
        &self,
        estimator: &P,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    ) -> Result<CrossValidation>
    where
        D: Data<Elem = F>,
        S: Data<Elem = Y>,
        I: TargetDim + 'static,
        P: Fit<Array2<F>, Array<Y, I>, E> + fmt::Debug + Sync,
        P::Object: PredictInplace<Array2<F>, Array<Y, I>>,
        E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
    {
        let content = self.content(estimator)?;
        self.evaluate(&ByDataset::new(), estimator, &DataView::of(dataset)?, None, content, None)
    }

    /// As [`run`](CrossValidator::run), for an estimator that reads the rows of the borrowed data set.
    ///
    /// # Errors
    ///
    /// As [`run`](CrossValidator::run), and before the first fit what the estimator's checks say.
    pub fn run_by_rows<P, D, S, I>(
        &self,
        estimator: &P,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    ) -> Result<CrossValidation>
    where
        D: Data<Elem = F>,
        S: Data<Elem = Y>,
        I: TargetDim + 'static,
        P: FitRows<F, Y, I> + fmt::Debug,
    {
        let content = self.content(estimator)?;
        self.by_rows(estimator, &DataView::of(dataset)?, None, content)
    }

    /// What a journal or a shared store knows the estimator by.
    fn content<P: fmt::Debug>(&self, estimator: &P) -> Result<Option<Content>> {
        let of = |keeper: Keeper<'_>| Content::of(estimator, &Params::default(), keeper.tag());
        Keeper::of(&self.protocol)?.map(of).transpose()
    }

    /// The folds into which a splitter divides the data set, with the groups given here; checked as before every fit.
    ///
    /// # Errors
    ///
    /// What the splitter and the data are refused for.
    pub fn folds<D, S, I>(
        &self,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
        splitter: &dyn Splitter,
    ) -> Result<Vec<Split>>
    where
        D: Data<Elem = F>,
        S: Data<Elem = Y>,
        I: TargetDim + 'static,
    {
        self.protocol.splits(&DataView::of(dataset)?, Some(splitter))
    }

    fn by_rows<P, I>(
        &self,
        estimator: &P,
        data: &DataView<'_, F, Y, I>,
        splitter: Option<&dyn Splitter>,
        content: Option<Content>,
    ) -> Result<CrossValidation>
    where
        I: TargetDim + 'static,
        P: FitRows<F, Y, I>,
    {
        estimator.check()?;
        let trainer = ByRows::<P, F, Y, I>::new(data, &self.protocol.preparation)?;
        self.evaluate(&trainer, estimator, data, splitter, content, None)
    }

    /// As [`run`](CrossValidator::run), however the estimator is trained. The splitter takes the place of `cv`, and the content
    /// is what a journal knows the estimator by; without one there must be none, and no executor with a store.
    pub(in crate::model_selection) fn evaluate<T, P, I>(
        &self,
        trainer: &T,
        estimator: &P,
        data: &DataView<'_, F, Y, I>,
        splitter: Option<&dyn Splitter>,
        content: Option<Content>,
        keep: Option<&Keep<'_, T::Model, F, Y, I>>,
    ) -> Result<CrossValidation>
    where
        T: Trainer<P, F, Y, I>,
        P: Sync,
        I: TargetDim + 'static,
    {
        let protocol = &self.protocol;
        let scorers = protocol.scorers()?;
        let splits = protocol.splits(data, splitter)?;
        let folds = protocol.fold_rows(&splits, protocol.known(data)?.classes.as_ref())?;
        let candidates = std::slice::from_ref(estimator);
        let limits = Limits::new(protocol);
        let rung = Rung::only(0..1, &folds);
        let joined;
        let mut executor = &protocol.executor;
        let no_params = Params::default();
        let prefixes = Prefixes::of(&protocol.preparation, candidates.iter().map(|_| &no_params));
        let mut evaluation =
            Evaluation::new(trainer, candidates, data.reborrow(), protocol, &scorers, &limits, prefixes)
                .keeping(keep);
        evaluation.check(&[&folds], |_, error| error)?;
        protocol.observers.ready()?;
        let mut notes = Vec::new();
        if let Some(keeper) = Keeper::of(protocol)? {
            let Some(content) = &content else { return Err(keeper.refused()) };
            let mut study = evaluation.describe(Study::new(keeper.tag()), &folds)?;
            if keeper.is_shared() {
                study = study.with("estimator", content.digest.to_string());
            }
            joined = keeper.open(&study, protocol)?;
            notes.extend(joined.store.note());
            executor = &joined.executor;
            let contents = std::slice::from_ref(content);
            evaluation.remember(Past { store: &*joined.store, contents, outer: None });
        }
        protocol.observers.search_started(&SearchPlan {
            candidates: vec![Params::default()],
            examples: Vec::new(),
            folds: splits.len(),
            fits: protocol.share(splits.len() * protocol.replicates),
            restored: evaluation.restored(&rung),
            replicates: protocol.replicates,
            threads: protocol.executor.threads(),
            scorers: scorers.iter().map(|scorer| scorer.name().to_string()).collect(),
            notes,
        });
        let rows = evaluation.run(&rung, &**executor)?;
        evaluation.check_any_fit(&rows)?;
        drop(evaluation);
        let scorers = scorers.iter().map(ScorerInfo::of).collect();
        let results = SearchResults::new(scorers, vec![Params::default()], rows);
        protocol.observers.search_finished(&results);
        Ok(CrossValidation { results, splits })
    }
}

/// Fits an estimator in every fold and scores it on the rows it has not seen.
///
/// Any linfa estimator will do: it gets the training rows of a fold as an owned data set, with their sample weights and
/// all names. Folds run in parallel on the current rayon pool; the result does not depend on the number of threads. A fold
/// that fails, diverges or panics gets its [`FitStatus`](crate::model_selection::FitStatus) and does not stop the others.
///
/// # Errors
///
/// Before the first fit:
/// - [`Error::NoRows`](crate::Error::NoRows), [`Error::RowCount`](crate::Error::RowCount) for data that do not belong together
/// - [`Error::Parameter`](crate::Error::Parameter) for no scorers, or two of the same name
/// - the splitter's own, [`Error::EmptyFold`](crate::Error::EmptyFold) for a fold without rows, [`Error::ClassMissing`](crate::Error::ClassMissing) for one that would train
///   without a class
///
/// Afterwards: [`Error::AllFitsFailed`](crate::Error::AllFitsFailed) when no fold could be fitted and scored.
///
/// # Examples
///
/// ```
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{KFold, Scorer, cross_validate};
///
/// let diabetes = linfa_datasets::diabetes();
/// let params = ElasticNet::params().penalty(0.001);
/// let scores = cross_validate(&params, &diabetes, &KFold::new(10).shuffle(1), &[Scorer::r2()])?;
/// assert_eq!(scores.rows().len(), 10);
/// assert!(scores.mean_std("r2").is_some_and(|r2| r2.mean > 0.4));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub fn cross_validate<P, D, S, F, Y, I, E>(
    estimator: &P,
    dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    splitter: &dyn Splitter,
    scorers: &[Scorer<Y>],
) -> Result<CrossValidation>
where
    F: Float,
    Y: Target,
    D: Data<Elem = F>,
    S: Data<Elem = Y>,
    I: TargetDim + 'static,
    P: Fit<Array2<F>, Array<Y, I>, E> + Sync,
    P::Object: PredictInplace<Array2<F>, Array<Y, I>>,
    E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
{
    let validator = CrossValidator::<F, Y>::new().scorers(scorers.iter().cloned());
    validator.evaluate(&ByDataset::new(), estimator, &DataView::of(dataset)?, Some(splitter), None, None)
}

/// As [`cross_validate`], for an estimator that reads the rows of the borrowed data set: no fold is copied.
///
/// # Errors
///
/// As [`cross_validate`], and before the first fit what the estimator's own checks say.
pub fn cross_validate_by_rows<P, D, S, F, Y, I>(
    estimator: &P,
    dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    splitter: &dyn Splitter,
    scorers: &[Scorer<Y>],
) -> Result<CrossValidation>
where
    F: Float,
    Y: Target,
    D: Data<Elem = F>,
    S: Data<Elem = Y>,
    I: TargetDim + 'static,
    P: FitRows<F, Y, I>,
{
    let validator = CrossValidator::<F, Y>::new().scorers(scorers.iter().cloned());
    validator.by_rows(estimator, &DataView::of(dataset)?, Some(splitter), None)
}

/// The test scores of an estimator, one for each fold; a fold that failed scores NaN.
///
/// # Errors
///
/// As [`cross_validate`].
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{Scorer, StratifiedKFold, cross_val_score};
/// use linfa_trees::DecisionTree;
///
/// let iris = linfa_datasets::iris();
/// let scores = cross_val_score(&DecisionTree::params(), &iris, &StratifiedKFold::new(5), &Scorer::accuracy())?;
/// assert!(scores.iter().all(|&accuracy| accuracy > 0.8));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub fn cross_val_score<P, D, S, F, Y, I, E>(
    estimator: &P,
    dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    splitter: &dyn Splitter,
    scorer: &Scorer<Y>,
) -> Result<Vec<f64>>
where
    F: Float,
    Y: Target,
    D: Data<Elem = F>,
    S: Data<Elem = Y>,
    I: TargetDim + 'static,
    P: Fit<Array2<F>, Array<Y, I>, E> + Sync,
    P::Object: PredictInplace<Array2<F>, Array<Y, I>>,
    E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
{
    let scores = cross_validate(estimator, dataset, splitter, std::slice::from_ref(scorer))?;
    Ok(scores.results.test_scores(0, 0))
}

/// Cross-validation as a method of every linfa estimator.
///
/// # Examples
///
/// ```
/// use linfa_linear::LinearRegression;
/// use linfa_mlp::model_selection::{CrossValidate, KFold, Scorer};
///
/// let diabetes = linfa_datasets::diabetes();
/// let scores = LinearRegression::new().cross_validate(&diabetes, &KFold::new(5), &[Scorer::r2()])?;
/// assert_eq!(scores.splits().len(), 5);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub trait CrossValidate {
    /// See [`cross_validate`].
    ///
    /// # Errors
    ///
    /// As [`cross_validate`].
    fn cross_validate<D, S, F, Y, I, E>(
        &self,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
        splitter: &dyn Splitter,
        scorers: &[Scorer<Y>],
    ) -> Result<CrossValidation>
    where
        F: Float,
        Y: Target,
        D: Data<Elem = F>,
        S: Data<Elem = Y>,
        I: TargetDim + 'static,
        Self: Fit<Array2<F>, Array<Y, I>, E> + Sync + Sized,
        Self::Object: PredictInplace<Array2<F>, Array<Y, I>>,
        E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
    {
        cross_validate(self, dataset, splitter, scorers)
    }
}

impl<P> CrossValidate for P {}

/// What cross-validation measured: one row for each fold. `Display` prints a table, serde writes it and reads it back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved")]
pub struct CrossValidation {
    results: SearchResults,
    splits: Vec<Split>,
}

/// Before it is known to be one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    results: SearchResults,
    splits: Vec<Split>,
}

impl TryFrom<Saved> for CrossValidation {
    type Error = &'static str;

    fn try_from(Saved { results, splits }: Saved) -> std::result::Result<Self, Self::Error> {
        let folds = results.rows().len();
        if results.candidates().len() != 1 || folds != splits.len() {
            return Err("a cross-validation has one candidate, and a row for each of its splits");
        }
        Ok(CrossValidation { results, splits })
    }
}

impl CrossValidation {
    /// Of the rows of one candidate.
    pub(in crate::model_selection) fn new(results: SearchResults, splits: Vec<Split>) -> Self {
        CrossValidation { results, splits }
    }

    /// The folds' rows: status, scores in the order of the scorers, times.
    #[must_use]
    pub fn rows(&self) -> &[FitRow] {
        self.results.rows()
    }

    /// The folds' row indices, as the splitter gave them.
    #[must_use]
    pub fn splits(&self) -> &[Split] {
        &self.splits
    }

    /// The scorers.
    #[must_use]
    pub fn scorers(&self) -> &[ScorerInfo] {
        self.results.scorers()
    }

    /// The test scores by fold, for the scorer of that name; a fold that failed has NaN.
    #[must_use]
    pub fn test_scores(&self, scorer: &str) -> Option<Vec<f64>> {
        Some(self.results.test_scores(0, self.results.scorer(scorer)?))
    }

    /// The training scores by fold, when they were asked for.
    #[must_use]
    pub fn train_scores(&self, scorer: &str) -> Option<Vec<f64>> {
        let place = self.results.scorer(scorer)?;
        self.results.candidates()[0].train.as_ref()?;
        let score = |row: &FitRow| row.train_scores.as_ref().map_or(f64::NAN, |scores| scores[place]);
        Some(self.rows().iter().map(score).collect())
    }

    /// Mean and standard deviation of the test scores over the folds, for the scorer of that name.
    #[must_use]
    pub fn mean_std(&self, scorer: &str) -> Option<MeanStd> {
        let score = self.results.candidates()[0].test[self.results.scorer(scorer)?];
        Some(MeanStd { mean: score.mean, std: score.std })
    }

    /// The same as the results of a search with one candidate, to be written as CSV or JSON.
    #[must_use]
    pub fn results(&self) -> &SearchResults {
        &self.results
    }
}

/// A line for each fold, and mean ± standard deviation below.
impl fmt::Display for CrossValidation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut heads = vec![("fold".to_string(), Align::Right)];
        heads.extend(self.scorers().iter().map(|scorer| (scorer.name.clone(), Align::Right)));
        heads.extend([("fit time".to_string(), Align::Right), ("status".to_string(), Align::Left)]);
        let mut table = Table::new(heads);
        for row in self.rows() {
            let mut cells = vec![row.fold.to_string()];
            cells.extend(row.test_scores.iter().map(|&score| significant(score, 4)));
            cells.extend([seconds(row.fit_seconds), row.status.name().to_string()]);
            table.push(cells);
        }
        let all = &self.results.candidates()[0];
        let mut cells = vec!["mean".to_string()];
        cells.extend(all.test.iter().map(|score| mean_std(score.mean, score.std)));
        cells.extend([seconds(all.fit_seconds.mean), String::new()]);
        table.push(cells);
        table.fmt(f)
    }
}

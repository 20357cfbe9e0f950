//! Predictions of rows by models that have not seen them, and the models themselves.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use linfa::Float;
use linfa::dataset::{DatasetBase, TargetDim};
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array, Array2, ArrayBase, Axis, Data, Ix2};

use crate::error::{Error, Result};
use crate::model_selection::engine::evaluation::Kept;
use crate::model_selection::engine::guarded::locked;
use crate::model_selection::engine::trainer::{ByDataset, ByRows, Trainer};
use crate::model_selection::evaluate::cross_validate::{CrossValidation, CrossValidator};
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::fit_rows::FitRows;
use crate::model_selection::fit::pipeline::Pipeline;
use crate::model_selection::fit::target::Target;
use crate::model_selection::scorer::Probabilities;
use crate::model_selection::split::{Split, Splitter};

/// A cross-validation whose folds' models and predictions were kept: scores, models and out-of-fold predictions in one
/// pass. [`CrossValidator::run_keeping`] gives it.
///
/// `M` is the estimator's model; `F`, `Y` and `I` are the types of the records, the targets and their dimension.
pub struct KeptFolds<M, F, Y, I: TargetDim> {
    scores: CrossValidation,
    n_samples: usize,
    folds: BTreeMap<usize, Kept<M, F, Y, I>>,
}

impl<M, F, Y, I: TargetDim> fmt::Debug for KeptFolds<M, F, Y, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptFolds")
            .field("scores", &self.scores)
            .field("kept", &self.folds.len())
            .finish_non_exhaustive()
    }
}

impl<M, F, Y: Target, I: TargetDim> KeptFolds<M, F, Y, I> {
    /// Scores, times and rows of the folds.
    #[must_use]
    pub fn scores(&self) -> &CrossValidation {
        &self.scores
    }

    /// The model of a fold, from 0, behind its fitted preparation; none when the fold failed.
    #[must_use]
    pub fn model(&self, fold: usize) -> Option<&Pipeline<M, F, Array<Y, I>>> {
        self.folds.get(&fold).map(|kept| &kept.model)
    }

    /// The models of all folds, for keeps.
    #[must_use]
    pub fn into_models(mut self) -> Vec<Option<Pipeline<M, F, Array<Y, I>>>> {
        let folds = 0..self.scores.splits().len();
        folds.map(|fold| self.folds.remove(&fold).map(|kept| kept.model)).collect()
    }

    /// The predictions of a fold's test rows, in their order; none when the fold failed.
    #[must_use]
    pub fn prediction(&self, fold: usize) -> Option<&Array<Y, I>> {
        self.folds.get(&fold).map(|kept| &kept.prediction)
    }

    /// The classes' probabilities for a fold's test rows, in their order, when the estimator gives them.
    #[must_use]
    pub fn probabilities(&self, fold: usize) -> Option<&Probabilities<Y>> {
        self.folds.get(&fold).and_then(|kept| kept.probabilities.as_ref())
    }

    /// Every row predicted by the model that has not seen it, in the order of the data set.
    ///
    /// # Errors
    ///
    /// [`Error::Split`] when the folds do not score every row exactly once, [`Error::FoldFailed`] when one failed.
    pub fn out_of_fold(&self) -> Result<Array<Y, I>> {
        check_once("the splitter", self.scores.splits(), self.n_samples)?;
        let mut all: Option<Array<Y, I>> = None;
        for (fold, split) in self.scores.splits().iter().enumerate() {
            let prediction = &self.kept(fold)?.prediction;
            let all = all.get_or_insert_with(|| {
                let mut shape = prediction.raw_dim();
                shape[0] = self.n_samples;
                Array::default(shape)
            });
            for (place, &row) in split.test.iter().enumerate() {
                all.index_axis_mut(Axis(0), row).assign(&prediction.index_axis(Axis(0), place));
            }
        }
        all.ok_or(Error::NoRows { array: "x" })
    }

    /// The probabilities of every row's classes by the model that has not seen it, in the order of the data set.
    ///
    /// A class that a fold's model does not know has probability 0 there.
    ///
    /// # Errors
    ///
    /// As [`out_of_fold`](KeptFolds::out_of_fold); a fold of an estimator without probabilities counts as failed.
    pub fn out_of_fold_probabilities(&self) -> Result<Probabilities<Y>> {
        check_once("the splitter", self.scores.splits(), self.n_samples)?;
        let folds = self.scores.splits().iter().enumerate().map(|(fold, split)| {
            let missing = || Error::FoldFailed {
                fold,
                what: "probabilities",
                message: "the estimator gives none".into(),
            };
            Ok((split, self.kept(fold)?.probabilities.as_ref().ok_or_else(missing)?))
        });
        let folds: Vec<(&Split, &Probabilities<Y>)> = folds.collect::<Result<_>>()?;
        let mut classes: Vec<Y> = Vec::new();
        for class in folds.iter().flat_map(|(_, part)| &part.classes) {
            if !classes.contains(class) {
                classes.push(class.clone());
            }
        }
        let mut values = Array2::zeros((self.n_samples, classes.len()));
        for (split, part) in folds {
            for (from, class) in part.classes.iter().enumerate() {
                // The class was put there a few lines above.
                let to = classes.iter().position(|other| other == class).unwrap_or(from);
                for (place, &row) in split.test.iter().enumerate() {
                    values[(row, to)] = part.values[(place, from)];
                }
            }
        }
        Ok(Probabilities { classes, values })
    }

    fn kept(&self, fold: usize) -> Result<&Kept<M, F, Y, I>> {
        self.folds.get(&fold).ok_or_else(|| {
            let row = self.scores.rows().iter().find(|row| row.fold == fold);
            let message = row.and_then(|row| row.status.message()).unwrap_or("it ran in another process");
            Error::FoldFailed { fold, what: "predictions", message: message.into() }
        })
    }
}

/// Checks that the folds score every row exactly once.
fn check_once(splitter: &str, splits: &[Split], n_samples: usize) -> Result<()> {
    let mut times = vec![0_usize; n_samples];
    splits.iter().flat_map(|split| &split.test).for_each(|&row| times[row] += 1);
    match times.iter().position(|&times| times != 1) {
        Some(row) => Err(Error::Split {
            splitter: splitter.into(),
            needed: "to score every row exactly once for predictions of all rows".into(),
            found: format!("it scores row {row} {} times", times[row]),
        }),
        None => Ok(()),
    }
}

impl<F: Float, Y: Target> CrossValidator<F, Y> {
    /// Fits and scores the estimator in every fold as [`run`](CrossValidator::run) does, and keeps the models and what they
    /// predict of the rows they have not seen. Nothing is fitted twice.
    ///
    /// There is no journal for it: that holds rows, and neither models nor predictions, of which it would need a form for any
    /// estimator. Where fits take hours, [`run`](CrossValidator::run) with a journal, and fit again the folds that are wanted.
    ///
    /// # Errors
    ///
    /// As [`run`](CrossValidator::run), and [`Error::Parameter`](crate::Error::Parameter) for a journal.
    ///
    /// # Examples
    ///
    /// ```
    /// use linfa_elasticnet::ElasticNet;
    /// use linfa_mlp::model_selection::{CrossValidator, KFold};
    ///
    /// let diabetes = linfa_datasets::diabetes();
    /// let kept = CrossValidator::new().cv(KFold::new(4)).run_keeping(&ElasticNet::params(), &diabetes)?;
    /// let fold = &kept.scores().splits()[0];
    /// assert_eq!(kept.out_of_fold()?[fold.test[0]], kept.prediction(0).unwrap()[0]);
    /// assert!(kept.into_models().iter().all(Option::is_some));
    /// # Ok::<(), linfa_mlp::Error>(())
    /// ```
    pub fn run_keeping<P, D, S, I, E>(
        &self,
        estimator: &P,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    ) -> Result<KeptFolds<P::Object, F, Y, I>>
    where
        D: Data<Elem = F>,
        S: Data<Elem = Y>,
        I: TargetDim + 'static,
        P: Fit<Array2<F>, Array<Y, I>, E> + Sync,
        P::Object: PredictInplace<Array2<F>, Array<Y, I>> + Send,
        E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
    {
        self.keep(&ByDataset::new(), estimator, &DataView::of(dataset)?, None)
    }

    /// As [`run_keeping`](CrossValidator::run_keeping), for an estimator that reads the rows of the borrowed data set. The
    /// classes' probabilities are kept too, when the estimator gives them.
    ///
    /// # Errors
    ///
    /// As [`run_by_rows`](CrossValidator::run_by_rows).
    pub fn run_keeping_by_rows<P, D, S, I>(
        &self,
        estimator: &P,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    ) -> Result<KeptFolds<P::Object, F, Y, I>>
    where
        D: Data<Elem = F>,
        S: Data<Elem = Y>,
        I: TargetDim + 'static,
        P: FitRows<F, Y, I>,
        P::Object: Send,
    {
        estimator.check()?;
        let data = DataView::of(dataset)?;
        let trainer = ByRows::<P, F, Y, I>::new(&data, &self.protocol.preparation)?;
        self.keep(&trainer, estimator, &data, None)
    }

    fn keep<T, P, I, M>(
        &self,
        trainer: &T,
        estimator: &P,
        data: &DataView<'_, F, Y, I>,
        splits: Option<Vec<Split>>,
    ) -> Result<KeptFolds<M, F, Y, I>>
    where
        T: Trainer<P, F, Y, I, Model = M>,
        P: Sync,
        I: TargetDim + 'static,
        M: Send,
    {
        let folds = Mutex::new(BTreeMap::new());
        let keep = |fold, kept| drop(locked(&folds).insert(fold, kept));
        let splitter = splits.as_ref().map(|splits| splits as &dyn Splitter);
        let scores = self.evaluate(trainer, estimator, data, splitter, None, Some(&keep))?;
        let folds = folds.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(KeptFolds { n_samples: data.n_samples(), folds, scores })
    }

    /// The folds, which must score every row once.
    fn once<I: TargetDim>(
        &self,
        data: &DataView<'_, F, Y, I>,
        splitter: Option<&dyn Splitter>,
    ) -> Result<Vec<Split>> {
        let splits = self.protocol.splits(data, splitter)?;
        let own = self.protocol.splitter.as_deref();
        let name = splitter.or(own).map_or("the splitter", |splitter| splitter.name());
        check_once(name, &splits, data.n_samples())?;
        Ok(splits)
    }
}

/// Predicts every row of a data set by a model that has not seen it: each fold's test rows by the model of its training rows.
///
/// These are predictions to look at: for a [picture](crate::report) of residuals or a confusion matrix, or as a feature of
/// another model. Scores by fold come from [`cross_validate`](crate::model_selection::cross_validate); both at once from
/// [`CrossValidator::run_keeping`].
///
/// # Errors
///
/// Before the first fit: as [`cross_validate`](crate::model_selection::cross_validate), and [`Error::Split`] for a splitter that does not score
/// every row exactly once. Afterwards: [`Error::FoldFailed`] for the first fold that failed.
///
/// # Examples
///
/// ```
/// use linfa::prelude::*;
/// use linfa_mlp::model_selection::{ShuffleSplit, StratifiedKFold, cross_val_predict};
/// use linfa_trees::DecisionTree;
///
/// let iris = linfa_datasets::iris();
/// let labels = cross_val_predict(&DecisionTree::params(), &iris, &StratifiedKFold::new(5))?;
/// assert!(labels.confusion_matrix(&iris)?.accuracy() > 0.9);
/// assert!(cross_val_predict(&DecisionTree::params(), &iris, &ShuffleSplit::new(5)).is_err());
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub fn cross_val_predict<P, D, S, F, Y, I, E>(
    estimator: &P,
    dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    splitter: &dyn Splitter,
) -> Result<Array<Y, I>>
where
    F: Float,
    Y: Target,
    D: Data<Elem = F>,
    S: Data<Elem = Y>,
    I: TargetDim + 'static,
    P: Fit<Array2<F>, Array<Y, I>, E> + Sync,
    P::Object: PredictInplace<Array2<F>, Array<Y, I>> + Send,
    E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
{
    let (validator, data) = (CrossValidator::<F, Y>::new(), DataView::of(dataset)?);
    let splits = validator.once(&data, Some(splitter))?;
    validator.keep(&ByDataset::new(), estimator, &data, Some(splits))?.out_of_fold()
}

/// As [`cross_val_predict`], for an estimator that reads the rows of the borrowed data set: no fold is copied.
///
/// # Errors
///
/// As [`cross_val_predict`], and before the first fit what the estimator's own checks say.
pub fn cross_val_predict_by_rows<P, D, S, F, Y, I>(
    estimator: &P,
    dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    splitter: &dyn Splitter,
) -> Result<Array<Y, I>>
where
    F: Float,
    Y: Target,
    D: Data<Elem = F>,
    S: Data<Elem = Y>,
    I: TargetDim + 'static,
    P: FitRows<F, Y, I>,
    P::Object: Send,
{
    predicted_by_rows(estimator, dataset, splitter)?.out_of_fold()
}

/// The probabilities of every row's classes by a model that has not seen the row.
///
/// # Errors
///
/// As [`cross_val_predict_by_rows`], and [`Error::Parameter`] for an estimator that gives no probabilities.
pub fn cross_val_predict_proba_by_rows<P, D, S, F, Y, I>(
    estimator: &P,
    dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    splitter: &dyn Splitter,
) -> Result<Probabilities<Y>>
where
    F: Float,
    Y: Target,
    D: Data<Elem = F>,
    S: Data<Elem = Y>,
    I: TargetDim + 'static,
    P: FitRows<F, Y, I>,
    P::Object: Send,
{
    let has = estimator.has_probabilities();
    crate::error::check("estimator", "one without", has, "one that gives probabilities")?;
    predicted_by_rows(estimator, dataset, splitter)?.out_of_fold_probabilities()
}

fn predicted_by_rows<P, D, S, F, Y, I>(
    estimator: &P,
    dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    splitter: &dyn Splitter,
) -> Result<KeptFolds<P::Object, F, Y, I>>
where
    F: Float,
    Y: Target,
    D: Data<Elem = F>,
    S: Data<Elem = Y>,
    I: TargetDim + 'static,
    P: FitRows<F, Y, I>,
    P::Object: Send,
{
    estimator.check()?;
    let (validator, data) = (CrossValidator::<F, Y>::new(), DataView::of(dataset)?);
    let splits = validator.once(&data, Some(splitter))?;
    let trainer = ByRows::<P, F, Y, I>::new(&data, &validator.protocol.preparation)?;
    validator.keep(&trainer, estimator, &data, Some(splits))
}

//! Cross-validation of a whole search: the score of the choice, not of the chosen.

mod outer;
mod result;

pub use result::{InnerSearch, NestedCrossValidation};

use std::fmt;

use linfa::Float;
use linfa::dataset::{DatasetBase, TargetDim};
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array, Array2, ArrayBase, Data, Ix2};

use super::builder::Search;
use super::strategy::Strategy;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::model_selection::engine::trainer::{ByDataset, ByRows, InParts};
use crate::model_selection::fit::continue_rows::ContinueRows;
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::fit_rows::FitRows;
use crate::model_selection::fit::target::Target;
use crate::model_selection::split::Splitter;
use outer::nested;

/// Cross-validates a whole search: in every outer fold the search runs on the training rows alone, its winner is trained on all
/// of them and scored on the test rows.
///
/// A search's own best score is too good, because the candidate was chosen for it. The outer scores here are honest, and the
/// inner searches show whether the choice is stable.
///
/// The splitter of the search divides each outer fold's training rows, with their classes and groups; its scorers score the outer
/// folds too. A budget and replicates hold for each inner search. For the search's observers an outer fold is one fit, whose
/// seconds are those of the search and of the winner's fit.
///
/// What the search says of its refit holds for the winner of each outer fold: its own steps of the preprocessing, the goal of the last
/// rung, [`refit_epochs`](Search::refit_epochs), and otherwise a share of the rows for stopping. With a journal, every inner fit and every
/// winner's fit is written down, and none of them is repeated; [shards](Search::shard) divide the outer folds.
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
    nested(search, &ByDataset::<E>::new(), search.candidates()?, &DataView::of(dataset)?, outer)
}

/// As [`nested_cross_validate`], for an estimator that reads the rows of the borrowed data set. No fold is copied; with preprocessing, or
/// scaled targets, [each open fold](FitRows) has a copy of all rows behind it.
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
    let (candidates, data) = (search.candidates_by_rows()?, DataView::of(dataset)?);
    let trainer = ByRows::<P, F, Y, I>::new(&data, &search.protocol.preparation)?;
    nested(search, &trainer, candidates, &data, outer)
}

/// As [`nested_cross_validate_by_rows`], with an estimator whose fits can go on: for searches in rungs by epochs or updates.
///
/// # Errors
///
/// As [`nested_cross_validate_by_rows`], and before the first fit what the estimator's own checks say.
///
/// # Examples
///
/// ```
/// use linfa_mlp::MlpClassifier;
/// use linfa_mlp::model_selection::{Epochs, HalvingSearch, StratifiedKFold, nested_cross_validate_continuing};
/// use linfa_mlp::optimizer::Adam;
///
/// let params = MlpClassifier::params().hidden_layer_sizes([8]).batch_size(16).seed(7);
/// let search: HalvingSearch<_, f64, usize> = HalvingSearch::new(params)
///     .axis("learning_rate", [1e-5, 0.003, 0.03], |p, v| p.optimizer(Adam::new(v)))
///     .resource(Epochs { min: 3, max: 9 })
///     .cv(StratifiedKFold::new(2));
/// let nested = nested_cross_validate_continuing(&search, &linfa_datasets::iris(), &StratifiedKFold::new(2))?;
/// assert!(nested.inner().iter().flatten().all(|inner| inner.winner() > 0));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub fn nested_cross_validate_continuing<Q, P, D, S, F, Y, I, E>(
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
    P: ContinueRows<F, Y, I> + Clone + fmt::Debug,
{
    let (candidates, data) = (search.candidates_by_rows()?, DataView::of(dataset)?);
    let trainer = ByRows::<P, F, Y, I, InParts>::new(&data, &search.protocol.preparation)?;
    nested(search, &trainer, candidates, &data, outer)
}

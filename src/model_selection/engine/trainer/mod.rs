//! The two ways to train in a fold, behind one interface: linfa's `Fit` on gathered rows, and
//! [`FitRows`](crate::model_selection::FitRows).

mod by_dataset;
mod by_rows;
mod way;

pub(crate) use by_dataset::ByDataset;
pub(crate) use by_rows::ByRows;
pub(crate) use way::InParts;

use std::sync::Arc;

use linfa::Float;
use linfa::dataset::TargetDim;
use ndarray::Array;

use crate::error::Result;
use crate::model_selection::engine::fold_rows::FoldRows;
use crate::model_selection::fit::continue_rows::Goal;
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::fit_rows::FitContext;
use crate::model_selection::journal::Digester;
use crate::model_selection::preparation::{FittedSteps, FittedTargetScaling, Preparation};
use crate::model_selection::scorer::Probabilities;

/// An error of any estimator.
pub(crate) type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// The same, for errors that are kept and given several times.
pub(crate) type SharedError = Arc<dyn std::error::Error + Send + Sync>;

/// Which rows of a fold.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Part {
    Train,
    Test,
}

/// How candidates of type `P` are trained in a fold.
pub(crate) trait Trainer<P, F: Float, Y, I: TargetDim + 'static>: Sync {
    type Model;

    /// What a journal calls this way.
    const WAY: &'static str;

    /// What is kept of a fit that shall go on.
    type State: Send;

    /// Whether fits can go on to a further goal.
    const CONTINUES: bool;

    /// What the candidates of a fold share.
    type Fold<'a>: Send + Sync
    where
        Self: 'a,
        Y: 'a;

    fn open<'a>(
        &'a self,
        data: &DataView<'a, F, Y, I>,
        rows: &'a FoldRows<'a>,
        preparation: &Preparation<F>,
    ) -> Result<Self::Fold<'a>>;

    /// Adds what preparation has made of a fold: records of its training and test rows, targets of its training rows.
    fn digest<'a>(&self, fold: &Self::Fold<'a>, digester: &mut Digester)
    where
        Self: 'a,
        Y: 'a;

    /// Checks a candidate against the rows of any fold: those to train on, and those kept for stopping.
    fn check<'a>(&self, params: &P, fold: &Self::Fold<'a>, rows: &FoldRows<'_>) -> Result<()>
    where
        Self: 'a,
        Y: 'a;

    fn has_probabilities(&self, params: &P) -> bool;

    /// The seed of the candidate's builder.
    fn seed(&self, params: &P) -> Option<u64>;

    fn check_epochs(&self, params: &P, stopping_rows: bool) -> Result<()>;

    fn planned_updates(
        &self,
        params: &P,
        data: &DataView<'_, F, Y, I>,
        train: &[usize],
        goal: Option<Goal>,
    ) -> Option<u64>;

    /// Trains to the goal, or else to the candidate's own end. A state that is there goes on; one that shall go on later is
    /// left there.
    fn fit<'a>(
        &self,
        params: &P,
        fold: &Self::Fold<'a>,
        goal: Option<Goal>,
        state: &mut Option<Self::State>,
        context: &FitContext<'_>,
    ) -> Result<Self::Model, AnyError>
    where
        Self: 'a,
        Y: 'a;

    /// A state as bytes, where it can be written.
    fn state_to_bytes(&self, params: &P, state: &Self::State) -> Option<Vec<u8>> {
        let _ = (params, state);
        None
    }

    /// The state that was written; none for bytes that are no state.
    fn state_from_bytes(&self, params: &P, bytes: &[u8]) -> Option<Self::State> {
        let _ = (params, bytes);
        None
    }

    /// Predictions in the units of the data set.
    fn predict<'a>(
        &self,
        params: &P,
        model: &Self::Model,
        fold: &Self::Fold<'a>,
        part: Part,
    ) -> Result<Array<Y, I>, AnyError>
    where
        Self: 'a,
        Y: 'a;

    fn probabilities<'a>(
        &self,
        params: &P,
        model: &Self::Model,
        fold: &Self::Fold<'a>,
        part: Part,
    ) -> Result<Option<Probabilities<Y>>, AnyError>
    where
        Self: 'a,
        Y: 'a;

    /// The preparation that was fitted in a fold, for a model that is kept.
    fn prepared<'a>(fold: &Self::Fold<'a>) -> (FittedSteps<F>, Option<FittedTargetScaling>)
    where
        Self: 'a,
        Y: 'a;
}

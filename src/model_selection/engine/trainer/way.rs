//! How an estimator that reads rows of the borrowed data set trains: at once, or in parts.

use linfa::dataset::TargetDim;

use crate::error::Result;
use crate::model_selection::fit::continue_rows::{ContinueRows, Goal};
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::fit_rows::{FitContext, FitRows};

/// How an estimator trains on rows: at once, or in parts.
pub(crate) trait Way<P: FitRows<F, Y, I>, F, Y, I: TargetDim> {
    type State: Send;
    const CONTINUES: bool;

    fn fit(
        params: &P,
        data: (&DataView<'_, F, Y, I>, &P::Prepared, &[usize]),
        goal: Option<Goal>,
        state: &mut Option<Self::State>,
        context: &FitContext<'_>,
    ) -> Result<P::Object>;

    fn to_bytes(params: &P, state: &Self::State) -> Option<Vec<u8>> {
        let _ = (params, state);
        None
    }

    fn from_bytes(params: &P, bytes: &[u8]) -> Option<Self::State> {
        let _ = (params, bytes);
        None
    }
}

/// Each fit from its beginning to its end.
pub(crate) enum AtOnce {}

impl<P: FitRows<F, Y, I>, F, Y, I: TargetDim> Way<P, F, Y, I> for AtOnce {
    type State = ();
    const CONTINUES: bool = false;

    fn fit(
        params: &P,
        (data, prepared, rows): (&DataView<'_, F, Y, I>, &P::Prepared, &[usize]),
        _: Option<Goal>,
        _: &mut Option<()>,
        context: &FitContext<'_>,
    ) -> Result<P::Object> {
        params.fit_rows(data, prepared, rows, context)
    }
}

/// Fits that pause at a goal and go on to the next.
pub(crate) enum InParts {}

impl<P: ContinueRows<F, Y, I>, F, Y, I: TargetDim> Way<P, F, Y, I> for InParts {
    type State = P::State;
    const CONTINUES: bool = true;

    fn fit(
        params: &P,
        (data, prepared, rows): (&DataView<'_, F, Y, I>, &P::Prepared, &[usize]),
        goal: Option<Goal>,
        state: &mut Option<P::State>,
        context: &FitContext<'_>,
    ) -> Result<P::Object> {
        let Some(goal) = goal else { return params.fit_rows(data, prepared, rows, context) };
        let mut going = match state.take() {
            Some(state) => state,
            None => params.begin(data, prepared, rows, goal, context)?,
        };
        params.advance(&mut going, data, prepared, rows, goal, context)?;
        let model = params.model(&going, prepared)?;
        *state = Some(going);
        Ok(model)
    }

    fn to_bytes(params: &P, state: &P::State) -> Option<Vec<u8>> {
        params.state_to_bytes(state).ok()
    }

    fn from_bytes(params: &P, bytes: &[u8]) -> Option<P::State> {
        params.state_from_bytes(bytes).ok()
    }
}

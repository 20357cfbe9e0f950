//! The fast path: estimators that train on the rows of a borrowed data set.

use std::sync::atomic::{AtomicBool, Ordering};

use linfa::dataset::TargetDim;
use ndarray::Array;

use super::data_view::DataView;
use super::observer::{Progress, SearchObserver, Task};
use super::scorer::Probabilities;
use crate::error::Result;

/// An estimator that trains on a list of row indices of a borrowed data set, so that folds are not copied.
///
/// linfa's `Fit` takes a data set of its own, so a search over such an estimator gathers the training rows of a fold. With
/// this trait, all folds and candidates read one copy of the data:
/// [`Search::fit_by_rows`](super::Search::fit_by_rows) and [`cross_validate_by_rows`](super::cross_validate_by_rows).
///
/// The order of calls, where P is what the estimator's builder is called:
///
/// ```text
/// check                                     every candidate, before anything else
/// prepare                                   once (with preprocessing: once for each fold), shared by all candidates
/// check_data                                every candidate and fold, before the first fit
/// fit_rows → predict_rows                   every candidate and fold, in parallel
/// ```
pub trait FitRows<F, Y, I: TargetDim>: Sync {
    /// The fitted model.
    type Object;

    /// What is worked out of the data once and shared by all fits: encoded labels, for instance.
    type Prepared: Send + Sync;

    /// Checks the parameters alone.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](crate::Error::Parameter) for the first one outside its range.
    fn check(&self) -> Result<()>;

    /// Checks the data (every value finite, two classes at least …) and works out what all fits share.
    ///
    /// # Errors
    ///
    /// The data set's first fault.
    fn prepare(data: &DataView<'_, F, Y, I>) -> Result<Self::Prepared>;

    /// Checks that these parameters can train on these rows.
    ///
    /// # Errors
    ///
    /// What does not fit together, for instance a loss and a target outside its range.
    fn check_data(
        &self,
        data: &DataView<'_, F, Y, I>,
        prepared: &Self::Prepared,
        rows: &[usize],
    ) -> Result<()> {
        let _ = (data, prepared, rows);
        Ok(())
    }

    /// Trains on some rows.
    ///
    /// # Errors
    ///
    /// A fit that cannot be finished; [`Error::Diverged`](crate::Error::Diverged) gets a status of its own.
    fn fit_rows(
        &self,
        data: &DataView<'_, F, Y, I>,
        prepared: &Self::Prepared,
        rows: &[usize],
        context: &FitContext<'_>,
    ) -> Result<Self::Object>;

    /// Predicts some rows, in their order.
    ///
    /// # Errors
    ///
    /// A prediction that cannot be made.
    fn predict_rows(
        &self,
        model: &Self::Object,
        data: &DataView<'_, F, Y, I>,
        rows: &[usize],
    ) -> Result<Array<Y, I>>;

    /// Whether [`predict_proba_rows`](FitRows::predict_proba_rows) gives probabilities.
    fn has_probabilities(&self) -> bool {
        false
    }

    /// The probabilities of the classes for some rows, in their order.
    ///
    /// # Errors
    ///
    /// A prediction that cannot be made.
    fn predict_proba_rows(
        &self,
        model: &Self::Object,
        data: &DataView<'_, F, Y, I>,
        rows: &[usize],
    ) -> Result<Option<Probabilities<Y>>> {
        let _ = (model, data, rows);
        Ok(None)
    }
}

/// What a fit may know of the search around it.
#[derive(Clone, Copy)]
pub struct FitContext<'a> {
    task: Task,
    stop: &'a AtomicBool,
    observer: &'a dyn SearchObserver,
}

impl std::fmt::Debug for FitContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FitContext")
            .field("task", &self.task)
            .field("stop", &self.stop)
            .finish_non_exhaustive()
    }
}

impl<'a> FitContext<'a> {
    pub(crate) fn new(task: Task, stop: &'a AtomicBool, observer: &'a dyn SearchObserver) -> Self {
        FitContext { task, stop, observer }
    }

    /// The candidate, from 0.
    #[must_use]
    pub fn candidate(&self) -> usize {
        self.task.candidate
    }

    /// The fold, from 0; none when the best candidate is fitted on all rows.
    #[must_use]
    pub fn fold(&self) -> Option<usize> {
        self.task.fold
    }

    /// Whether the search wants to end: a fit should then stop at its next boundary and give what it has.
    #[must_use]
    pub fn should_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Tells the search's observers how far the fit is.
    pub fn report(&self, progress: Progress) {
        self.observer.fit_progress(self.task, progress);
    }
}

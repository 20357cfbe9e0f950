//! The fast path: estimators that train on the rows of a borrowed data set.

use std::sync::{Mutex, PoisonError};

use linfa::dataset::TargetDim;
use ndarray::Array;

use crate::error::{Result, check};
use crate::model_selection::engine::stop::Stop;
use crate::model_selection::fit::continue_rows::Goal;
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::fit_report::FitReport;
use crate::model_selection::observer::{Progress, SearchObserver, Task};
use crate::model_selection::scorer::Probabilities;
use crate::rng::Stream;

/// An estimator that trains on a list of row indices of a borrowed data set, so that folds are not copied.
///
/// linfa's `Fit` takes a data set of its own, so a search over such an estimator gathers the training rows of a fold. With
/// this trait, all folds and candidates read one copy of the data:
/// [`Search::fit_by_rows`](crate::model_selection::Search::fit_by_rows) and [`cross_validate_by_rows`](crate::model_selection::cross_validate_by_rows).
///
/// Preprocessing and scaled targets are other data in each fold. All rows are transformed once for each fold that is open and each
/// preprocessing of its candidates; fits share that copy, and it is freed when the fold is closed.
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

    /// Trains on some rows, with what the context says of seed, validation rows, epochs and stopping.
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

    /// The seed from which the estimator's random numbers derive; none when it has no seed, and then it cannot be
    /// [replicated](FitContext::seed).
    fn seed(&self) -> Option<u64> {
        None
    }

    /// Checks that the estimator can be validated on rows of the search's choice
    /// ([`FitContext::validation_rows`]).
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](crate::Error::Parameter), unless it is written.
    fn check_validation_rows(&self) -> Result<()> {
        check("stopping_rows", "set", false, "unset for an estimator that is not validated while it trains")
    }

    /// Checks that the estimator can be told how many epochs to train ([`FitContext::epochs`]), and that its fits say which of
    /// theirs was best ([`FitReport::best_epoch`]): on the rows that the search keeps, or on validation rows of its own.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](crate::Error::Parameter), unless it is written.
    fn check_epochs(&self, stopping_rows: bool) -> Result<()> {
        let _ = stopping_rows;
        check("refit_epochs", "set", false, "unset for an estimator that does not train in epochs")
    }

    /// The updates that a fit on these rows makes at most, up to a goal or else to its own end, which a
    /// [budget](crate::model_selection::Budget) counts; none when the estimator cannot say.
    fn planned_updates(
        &self,
        data: &DataView<'_, F, Y, I>,
        rows: &[usize],
        goal: Option<Goal>,
    ) -> Option<u64> {
        let _ = (data, rows, goal);
        None
    }

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
    pub(crate) task: Task,
    pub(crate) stop: &'a Stop<'a>,
    pub(crate) observer: &'a dyn SearchObserver,
    pub(crate) report: &'a Mutex<FitReport>,
    pub(crate) validation: &'a [usize],
    pub(crate) epochs: Option<usize>,
}

impl std::fmt::Debug for FitContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FitContext")
            .field("task", &self.task)
            .field("stop", &self.stop)
            .field("validation", &self.validation.len())
            .field("epochs", &self.epochs)
            .finish_non_exhaustive()
    }
}

impl<'a> FitContext<'a> {
    /// The fit.
    #[must_use]
    pub fn task(&self) -> Task {
        self.task
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

    /// The seed to train with, when the builder's own is `own`. The first replicate trains with the builder's own seed, so
    /// that a fit is repeated by hand with the same builder; the others with seeds that derive from it.
    ///
    /// It depends on neither candidate nor fold: all candidates of a fold share their random numbers, and the difference
    /// of two scores is that of the candidates.
    #[must_use]
    pub fn seed(&self, own: u64) -> u64 {
        match self.task.replicate {
            0 => own,
            replicate => Stream::new(own).named("replicate").at(replicate as u64).value(0),
        }
    }

    /// Rows to validate on, apart from those to train on; empty when the search keeps none.
    #[must_use]
    pub fn validation_rows(&self) -> &'a [usize] {
        self.validation
    }

    /// How many epochs to train, in place of the builder's own number; then the fit has no validation rows, and what would
    /// watch them is left out.
    #[must_use]
    pub fn epochs(&self) -> Option<usize> {
        self.epochs
    }

    /// Whether the search wants to end: a fit should then stop at its next boundary, record that it was
    /// [stopped](FitReport::stopped), and give what it has.
    #[must_use]
    pub fn should_stop(&self) -> bool {
        self.stop.is_due()
    }

    /// Says what the fit was like, for its row of the results. Later words replace earlier ones.
    pub fn record(&self, report: FitReport) {
        *self.report.lock().unwrap_or_else(PoisonError::into_inner) = report;
    }

    /// Tells the search's observers how far the fit is; once for each epoch will do.
    pub fn report(&self, progress: Progress) {
        self.observer.fit_progress(self.task, progress);
    }
}

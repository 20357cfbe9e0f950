//! Observers made of closures.

use super::{Progress, SearchObserver, Task};
use crate::model_selection::results::FitRow;

/// Calls a closure with the row of every fit that is over.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use std::sync::Arc;
///
/// use linfa::traits::Fit;
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{GridSearch, KFold};
///
/// let fits = Arc::new(AtomicUsize::new(0));
/// let counter = Arc::clone(&fits);
/// GridSearch::new(ElasticNet::params())
///     .axis("penalty", [0.01, 0.1], |p, v| p.penalty(v))
///     .cv(KFold::new(3))
///     .on_fit(move |_row| _ = counter.fetch_add(1, Ordering::Relaxed))
///     .fit(&linfa_datasets::diabetes())?;
/// assert_eq!(fits.load(Ordering::Relaxed), 6);
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OnFit<C>(pub C);

impl<C: Fn(&FitRow) + Send + Sync> SearchObserver for OnFit<C> {
    fn fit_finished(&self, row: &FitRow) {
        (self.0)(row);
    }
}

/// Calls a closure when a fit says how far it is; those of this crate's estimators do after every epoch.
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{OnProgress, Progress, SearchObserver, Task};
///
/// let watch = OnProgress(|task: Task, progress: Progress| {
///     println!("candidate {}: epoch {} of {}", task.candidate, progress.done, progress.of);
/// });
/// watch.fit_progress(Task::new(3, Some(0)), Progress { done: 2, of: 10, loss: 0.5 });
/// assert_eq!(Task::new(3, None).fold, None);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OnProgress<C>(pub C);

impl<C: Fn(Task, Progress) + Send + Sync> SearchObserver for OnProgress<C> {
    fn fit_progress(&self, task: Task, progress: Progress) {
        (self.0)(task, progress);
    }
}

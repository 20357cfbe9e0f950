//! Fits on the threads of this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::{ScopeFifo, ThreadPool};

use super::{Executor, FoldTasks, OpenFold, Work};
use crate::error::Result;
use crate::model_selection::results::FitRow;

/// Runs fits on a rayon pool: the current one (rayon's global pool outside of any), or one that is given.
///
/// Candidates and folds are one flat list of jobs. No job ever waits for another, so the executor may be used inside a fit
/// that itself runs on the pool. Folds are opened a few at a time, just enough to keep every thread busy, because an
/// open fold may hold a copy of its rows.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use linfa::traits::Fit;
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{GridSearch, KFold, RayonExecutor};
///
/// let one = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build()?);
/// let search = GridSearch::new(ElasticNet::params())
///     .axis("penalty", [0.01, 1.0], |params, penalty| params.penalty(penalty))
///     .cv(KFold::new(3));
/// let diabetes = linfa_datasets::diabetes();
/// let alone = search.clone().executor(RayonExecutor::with_pool(one)).fit(&diabetes)?;
/// assert_eq!(alone.best_score(), search.fit(&diabetes)?.best_score());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RayonExecutor {
    pool: Option<Arc<ThreadPool>>,
}

impl RayonExecutor {
    /// On the current pool.
    #[must_use]
    pub fn new() -> Self {
        RayonExecutor::default()
    }

    /// On this pool.
    #[must_use]
    pub fn with_pool(pool: Arc<ThreadPool>) -> Self {
        RayonExecutor { pool: Some(pool) }
    }
}

impl Executor for RayonExecutor {
    fn threads(&self) -> usize {
        self.pool.as_ref().map_or_else(rayon::current_num_threads, |pool| pool.current_num_threads())
    }

    fn execute(&self, work: &dyn Work, done: &(dyn Fn(FitRow) + Sync)) -> Result<()> {
        let folds = work.folds();
        let chain = Chain { work, done, folds: &folds, next: AtomicUsize::new(0) };
        let open = folds_at_a_time(self.threads(), &folds);
        let run = || rayon::scope_fifo(|scope| (0..open).for_each(|_| chain.open_next(scope)));
        match &self.pool {
            Some(pool) => pool.install(run),
            None => run(),
        }
        Ok(())
    }
}

/// With as many fits in the open folds as there are threads, plus one fold in reserve, no thread waits for the last fits
/// of a fold. A fold with a single fit needs no reserve.
fn folds_at_a_time(threads: usize, folds: &[FoldTasks]) -> usize {
    let fits = folds.iter().map(|fold| fold.tasks.len()).min().unwrap_or(1).max(1);
    threads.div_ceil(fits) + usize::from(fits > 1)
}

struct Chain<'a> {
    work: &'a dyn Work,
    done: &'a (dyn Fn(FitRow) + Sync),
    folds: &'a [FoldTasks],
    next: AtomicUsize,
}

impl<'a> Chain<'a> {
    /// Opens the next fold; its last fit opens the one after.
    fn open_next<'s>(&'s self, scope: &ScopeFifo<'s>)
    where
        'a: 's,
    {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let Some(fold) = self.folds.get(place) else { return };
        scope.spawn_fifo(move |scope| {
            let open: Arc<dyn OpenFold + 's> = Arc::from(self.work.open(fold));
            let left = Arc::new(AtomicUsize::new(fold.tasks.len()));
            for &task in &fold.tasks {
                let (open, left) = (Arc::clone(&open), Arc::clone(&left));
                scope.spawn_fifo(move |scope| {
                    (self.done)(open.fit(task));
                    // Freed before the next fold takes its memory.
                    drop(open);
                    if left.fetch_sub(1, Ordering::AcqRel) == 1 {
                        self.open_next(scope);
                    }
                });
            }
            if fold.tasks.is_empty() {
                self.open_next(scope);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::model_selection::observer::Task;

    #[derive(Default)]
    struct Counted {
        folds: usize,
        candidates: usize,
        open: AtomicUsize,
        most: AtomicUsize,
        fitting: AtomicUsize,
        most_fitting: AtomicUsize,
    }

    struct Held<'a>(&'a Counted, usize);

    impl Drop for Held<'_> {
        fn drop(&mut self) {
            self.0.open.fetch_sub(1, Ordering::SeqCst);
        }
    }

    impl OpenFold for Held<'_> {
        fn fit(&self, task: Task) -> FitRow {
            let at_once = self.0.fitting.fetch_add(1, Ordering::SeqCst) + 1;
            self.0.most_fitting.fetch_max(at_once, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(1));
            self.0.fitting.fetch_sub(1, Ordering::SeqCst);
            assert_eq!(task.fold, Some(self.1));
            FitRow::started(task, 1, 1, 1)
        }
    }

    impl Work for Counted {
        fn folds(&self) -> Vec<FoldTasks> {
            let tasks = |fold| (0..self.candidates).map(|c| Task::new(c, Some(fold))).collect();
            (0..self.folds).map(|fold| FoldTasks { fold, prefix: 0, tasks: tasks(fold) }).collect()
        }

        fn open<'a>(&'a self, fold: &FoldTasks) -> Box<dyn OpenFold + 'a> {
            let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(open, Ordering::SeqCst);
            Box::new(Held(self, fold.fold))
        }
    }

    #[test]
    fn every_task_runs_once_and_few_folds_are_open() {
        for (threads, folds, candidates, allowed) in [(1, 4, 3, 2), (3, 7, 5, 2), (4, 10, 1, 4), (2, 6, 2, 2)]
        {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let work = Counted { folds, candidates, ..Counted::default() };
            let rows = Mutex::new(Vec::new());
            let executor = RayonExecutor::with_pool(Arc::new(pool));
            executor.execute(&work, &|row| rows.lock().unwrap().push((row.candidate, row.fold))).unwrap();
            let mut rows = rows.into_inner().unwrap();
            rows.sort_unstable();
            let all: Vec<_> = (0..candidates).flat_map(|c| (0..folds).map(move |f| (c, f))).collect();
            assert_eq!(rows, all);
            assert_eq!(work.open.into_inner(), 0);
            assert!(work.most_fitting.into_inner() <= threads, "more fits at a time than threads");
            let most = work.most.into_inner();
            assert!(most <= allowed, "{most} folds open with {threads} threads and {candidates} candidates");
        }
    }

    #[test]
    fn no_folds_are_no_work() {
        let work = Counted { folds: 0, candidates: 1, ..Counted::default() };
        RayonExecutor::new().execute(&work, &|_| panic!("there is no task")).unwrap();
    }
}

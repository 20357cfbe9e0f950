//! The fast path: training by row indices.

use std::sync::{Arc, Mutex};

use linfa_mlp::Error;
use linfa_mlp::model_selection::{
    GridSearch, KFold, Progress, Scorer, SearchObserver, Task, cross_validate_by_rows,
};
use ndarray::array;

use crate::toy::{Mean, Mode, data};

fn search(estimator: Mean) -> GridSearch<Mean, f64, f64, Error> {
    GridSearch::new(estimator)
        .axis("shift", [3.0, 0.0, -1.0], |p: Mean, v| p.shift(v))
        .scorers([Scorer::neg_mean_squared_error(), Scorer::r2()])
        .cv(KFold::new(3).shuffle(1))
}

#[test]
fn both_ways_give_the_same_scores_and_model() {
    use linfa::traits::Fit;
    let (gathered, rows) =
        (search(Mean::params()).fit(&data(14)), search(Mean::params()).fit_by_rows(&data(14)));
    let (gathered, rows) = (gathered.unwrap(), rows.unwrap());
    let scores = |fitted: &linfa_mlp::model_selection::FittedSearch<_, _, _>| {
        fitted.results().rows().iter().map(|row| row.test_scores.clone()).collect::<Vec<_>>()
    };
    assert_eq!(scores(&gathered), scores(&rows));
    assert_eq!(gathered.best_model().unwrap().model(), rows.best_model().unwrap().model());
}

#[test]
fn bad_data_and_candidates_that_do_not_suit_it_start_no_fit() {
    let estimator = Mean::params();
    let mut poisoned = data(14);
    poisoned.records[(5, 0)] = f64::NAN;
    let error = search(estimator.clone()).fit_by_rows(&poisoned).unwrap_err();
    assert!(matches!(error, Error::NotFinite { row: 5, .. }), "{error}");
    // The toy refuses a shift of the number of its training rows or more: 9 in a fold of 14 rows.
    let wide = search(estimator.clone()).axis("more", [0.0, 9.0], |p: Mean, v| p.shift(v));
    let error = wide.fit_by_rows(&data(14)).unwrap_err();
    assert!(matches!(&error, Error::Candidate { candidate: 1, .. }), "{error}");
    let unguarded =
        GridSearch::<_, _, _, Error>::unguarded(estimator.clone())
            .axis("shift", [f64::NAN], |p: Mean, v| p.shift(v));
    assert!(matches!(unguarded.fit_by_rows(&data(14)), Err(Error::Candidate { candidate: 0, .. })));
    let checked =
        cross_validate_by_rows(&Mean::params().shift(f64::NAN), &data(14), &KFold::new(2), &[Scorer::r2()]);
    assert!(matches!(checked, Err(Error::Parameter { .. })));
    assert_eq!(estimator.fits(), 0);
}

#[derive(Default)]
struct Reports(Mutex<Vec<(usize, Option<usize>)>>);

struct Watch(Arc<Reports>);

impl SearchObserver for Watch {
    fn fit_progress(&self, task: Task, progress: Progress) {
        assert_eq!((progress.done, progress.of), (1, 1));
        self.0.0.lock().unwrap().push((task.candidate, task.fold));
    }
}

#[test]
fn fits_report_their_progress_under_their_task() {
    let reports = Arc::new(Reports::default());
    search(Mean::params()).observer(Watch(Arc::clone(&reports))).fit_by_rows(&data(14)).unwrap();
    let mut seen = reports.0.lock().unwrap().clone();
    seen.sort_unstable();
    let mut all: Vec<_> = (0..3).flat_map(|c| (0..3).map(move |f| (c, Some(f)))).collect();
    all.push((1, None));
    all.sort_unstable();
    assert_eq!(seen, all);
}

#[test]
fn failures_and_weights_are_treated_alike() {
    let dataset = data(9).with_weights(array![1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
    let fitted = GridSearch::<_, _, _, Error>::new(Mean::params())
        .axis("mode", [Mode::Fit, Mode::Panic, Mode::Diverge], |p: Mean, mode| p.mode(mode))
        .scorers([Scorer::neg_mean_absolute_error()])
        .cv(KFold::new(3))
        .fit_by_rows(&dataset)
        .unwrap();
    let names: Vec<&str> = fitted.results().rows().iter().map(|row| row.status.name()).collect();
    assert_eq!(
        names,
        ["fitted", "fitted", "fitted", "failed", "failed", "failed", "diverged", "diverged", "diverged"]
    );
    // The last fold trains on 0 … 5 (mean 5) and scores 12 and 14, without the row of weight 0.
    assert_eq!(fitted.results().test_scores(0, 0)[2], -8.0);
}

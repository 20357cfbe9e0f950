//! Grid search over the toy estimator.

use std::sync::{Arc, Mutex};

use linfa::prelude::*;
use linfa_mlp::Error;
use linfa_mlp::metric::Direction;
use linfa_mlp::model_selection::{
    CandidateSummary, FitRow, FitStatus, Grid, GridSearch, KFold, MeanStd, Refit, Scorer, SearchObserver,
    SearchPlan, SearchResults, Task, cross_validate,
};
use ndarray::Array1;

use crate::toy::{Mean, Mode, data};

/// Four shifts, of which 0 is best: the toy predicts the mean.
fn search<E>(estimator: Mean) -> GridSearch<Mean, f64, f64, E> {
    GridSearch::new(estimator)
        .axis("shift", [3.0, 0.0, -1.0, 5.0], |p: Mean, shift| p.shift(shift))
        .cv(KFold::new(4).shuffle(3))
        .scorers([Scorer::neg_mean_squared_error(), Scorer::r2()])
}

#[test]
fn every_candidate_is_fitted_once_in_each_fold_and_the_best_once_more() {
    let estimator = Mean::params();
    let fitted = search(estimator.clone()).fit(&data(21)).unwrap();
    assert_eq!(estimator.fits(), 4 * 4 + 1);
    assert_eq!(fitted.results().rows().len(), 16);
    assert_eq!(fitted.best_index(), Some(1));
    assert_eq!(fitted.best_params().map(ToString::to_string), Some("shift=0.0".into()));
    let prediction: Array1<f64> = fitted.best_model().unwrap().predict(&data(21));
    assert_eq!(prediction, Array1::from_elem(21, 20.0));
    assert_eq!(fitted.predict(&data(21).records), prediction);
}

#[test]
fn reported_means_are_those_of_the_folds_worked_out_again() {
    let results = search(Mean::params()).train_scores(true).fit(&data(23)).unwrap().results().clone();
    for candidate in results.candidates() {
        for scorer in 0..2 {
            let scores = results.test_scores(candidate.candidate, scorer);
            let again = MeanStd::of(&scores);
            assert_eq!((candidate.test[scorer].mean, candidate.test[scorer].std), (again.mean, again.std));
            let fits: Vec<&FitRow> =
                results.rows().iter().filter(|row| row.candidate == candidate.candidate).collect();
            let train: Vec<f64> = fits.iter().map(|row| row.train_scores.as_ref().unwrap()[scorer]).collect();
            assert_eq!(candidate.train.as_ref().unwrap()[scorer], MeanStd::of(&train));
        }
    }
    assert_eq!(results.candidates().iter().map(|c| c.test[0].rank).collect::<Vec<_>>(), [3, 1, 2, 4]);
}

#[test]
fn a_search_gives_what_cross_validation_of_each_candidate_gives() {
    let results = search(Mean::params()).fit(&data(21)).unwrap().results().clone();
    for (candidate, shift) in [3.0, 0.0, -1.0, 5.0].into_iter().enumerate() {
        let scorers = [Scorer::neg_mean_squared_error(), Scorer::r2()];
        let cv = KFold::new(4).shuffle(3);
        let alone = cross_validate(&Mean::params().shift(shift), &data(21), &cv, &scorers).unwrap();
        assert_eq!(results.test_scores(candidate, 1), alone.test_scores("r2").unwrap());
    }
}

#[test]
fn candidates_that_fail_rank_last_and_stop_nothing() {
    let estimator = Mean::params();
    let modes = [Mode::Fail, Mode::Fit, Mode::Diverge, Mode::Panic, Mode::FailInFirstFold, Mode::PredictNan];
    let fitted = GridSearch::new(estimator.clone())
        .axis("mode", modes, |p: Mean, mode| p.mode(mode))
        .cv(KFold::new(3))
        .fit(&data(9))
        .unwrap();
    let results = fitted.results();
    assert_eq!(estimator.fits(), 6 * 3 + 1);
    assert_eq!(fitted.best_params().map(ToString::to_string), Some("mode=fit".into()));
    assert_eq!(results.candidates().iter().map(|c| c.test[0].rank).collect::<Vec<_>>(), [2, 1, 2, 2, 2, 2]);
    let counts = |c: &CandidateSummary| (c.failed, c.diverged, c.fits);
    let counts: Vec<_> = results.candidates().iter().map(counts).collect();
    assert_eq!(counts, [(3, 0, 3), (0, 0, 3), (0, 3, 3), (3, 0, 3), (1, 0, 3), (0, 0, 3)]);
    let status = |candidate: usize| &results.rows()[3 * candidate].status;
    assert!(matches!(status(0), FitStatus::Failed { message } if message.contains("on purpose")));
    assert!(matches!(status(2), FitStatus::Diverged { epoch: 3, batch: 1, .. }));
    assert!(matches!(status(3), FitStatus::Failed { message } if message.contains("panicked: the toy")));
    let text = results.to_string();
    assert!(text.contains("1 of 3 failed") && text.contains("3 of 3 diverged"), "{text}");
}

#[test]
fn all_fits_failing_is_an_error_with_the_first_cause() {
    let error = GridSearch::new(Mean::params())
        .axis("mode", [Mode::Diverge, Mode::Fail], |p: Mean, mode| p.mode(mode))
        .cv(KFold::new(3))
        .fit(&data(9))
        .unwrap_err();
    let Error::AllFitsFailed { fits: 6, source } = &error else { panic!("{error}") };
    assert!(matches!(source.downcast_ref(), Some(Error::Diverged { .. })), "{error}");
}

#[test]
fn the_whole_grid_is_checked_before_the_first_fit() {
    let estimator = Mean::params();
    let bad = GridSearch::new(estimator.clone()).axis("shift", [0.0, f64::NAN], |p: Mean, v| p.shift(v));
    let error = bad.fit(&data(9)).unwrap_err();
    let Error::Candidate { candidate: 1, params, source } = &error else { panic!("{error}") };
    assert_eq!(params, "shift=NaN");
    assert!(matches!(source.downcast_ref(), Some(Error::Parameter { .. })));
    assert_eq!(error.to_string(), "candidate 1 (shift=NaN) cannot run: shift must be finite, but is NaN");
    assert_eq!(estimator.fits(), 0);
}

#[test]
fn misuse_is_refused_before_the_first_fit() {
    let estimator = Mean::params();
    let name = |search: GridSearch<Mean, f64, f64, Error>| match search.fit(&data(9)).unwrap_err() {
        Error::Parameter { name, .. } => name,
        other => panic!("{other}"),
    };
    assert_eq!(name(GridSearch::new(estimator.clone())), "grid");
    let empty = GridSearch::new(estimator.clone()).axis("shift", Vec::<f64>::new(), |p: Mean, v| p.shift(v));
    assert_eq!(name(empty), "axis shift");
    assert_eq!(name(search(estimator.clone()).filter(|_| false)), "filter");
    assert_eq!(name(search(estimator.clone()).axis("shift", [1.0], |p, v| p.shift(v))), "axis");
    assert_eq!(name(search(estimator.clone()).scorers([])), "scorers");
    assert_eq!(name(search(estimator.clone()).refit("accuracy")), "refit");
    assert_eq!(name(search(estimator.clone()).cv(KFold::new(1))), "n_splits");
    let many = search::<Error>(estimator.clone()).cv(KFold::new(10)).fit(&data(9)).unwrap_err();
    assert!(matches!(many, Error::Split { .. }));
    assert_eq!(estimator.fits(), 0);
}

#[test]
fn one_point_grids_work_and_grids_are_tried_one_after_the_other() {
    let one =
        GridSearch::new(Mean::params()).axis("shift", [1.0], |p: Mean, v| p.shift(v)).fit(&data(9)).unwrap();
    assert_eq!(one.results().candidates().len(), 1);
    let modes = Grid::new().axis("mode", [Mode::Fit, Mode::PredictNan], |p: Mean, mode| p.mode(mode));
    let both = search(Mean::params()).grid(modes.clone()).fit(&data(9)).unwrap();
    assert_eq!(both.results().axes(), ["shift", "mode"]);
    assert_eq!(both.results().candidates()[4].params.to_string(), "mode=fit");
    assert!(both.results().candidates()[4].params.get("shift").is_none());
    assert!(both.results().to_string().contains('–'));
    let only = GridSearch::new(Mean::params()).grid(modes).fit(&data(9)).unwrap();
    assert_eq!(only.results().candidates().len(), 2);
}

#[test]
fn the_scorer_named_or_the_rule_decides() {
    let spread =
        Scorer::new("shift", Direction::Minimize, |e: &linfa_mlp::model_selection::Estimate<'_, f64>| {
            e.prediction[(0, 0)]
        });
    let scorers = [Scorer::r2(), spread];
    let fit =
        |refit: Refit| search(Mean::params()).scorers(scorers.clone()).refit(refit).fit(&data(21)).unwrap();
    assert_eq!(fit(Refit::from(true)).best_index(), Some(1));
    let named = fit(Refit::from("shift"));
    assert_eq!(named.best_index(), Some(2));
    assert_eq!(named.best_score(), Some(named.results().candidates()[2].test[1].mean));
    let rule = fit(Refit::by(|results| results.candidates().len() - 1));
    assert_eq!(rule.best_index(), Some(3));
    assert_eq!(rule.best_model().unwrap().model().value, 25.0);
}

#[test]
fn without_a_refit_there_is_no_best_model() {
    let estimator = Mean::params();
    let fitted = search(estimator.clone()).refit(false).fit(&data(21)).unwrap();
    assert_eq!((estimator.fits(), fitted.best_index()), (16, Some(1)));
    assert!(matches!(fitted.best_model(), Err(Error::NoModel { source: None, .. })));
}

#[test]
fn a_rule_out_of_range_and_a_failed_refit_keep_the_table() {
    let rule = search(Mean::params()).refit(Refit::by(|_| 99)).fit(&data(21)).unwrap();
    assert_eq!((rule.results().rows().len(), rule.best_index()), (16, None));
    let error = rule.best_model().unwrap_err().to_string();
    assert!(error.contains("below 4, but named 99"), "{error}");
    let panics = search(Mean::params()).refit(Refit::by(|_| panic!("no idea"))).fit(&data(21)).unwrap();
    assert!(panics.best_model().unwrap_err().to_string().contains("no idea"));

    let modes =
        GridSearch::new(Mean::params()).axis("mode", [Mode::Fit, Mode::Fail], |p: Mean, mode| p.mode(mode));
    let failed = modes.refit(Refit::by(|_| 1)).fit(&data(21)).unwrap();
    let error = failed.best_model().unwrap_err();
    assert!(matches!(&error, Error::NoModel { source: Some(_), .. }), "{error}");
    assert!(error.to_string().contains("on purpose"), "{error}");
    assert_eq!(failed.best_index(), Some(1));
}

#[test]
fn when_no_candidate_has_a_mean_there_is_no_best_one() {
    let fitted = GridSearch::new(Mean::params())
        .axis("mode", [Mode::PredictNan, Mode::FailInFirstFold], |p: Mean, mode| p.mode(mode))
        .cv(KFold::new(3))
        .fit(&data(9))
        .unwrap();
    assert_eq!((fitted.best_index(), fitted.best_score(), fitted.best_params()), (None, None, None));
    assert!(matches!(fitted.best_model(), Err(Error::NoModel { .. })));
}

#[test]
fn a_search_is_an_estimator_that_cross_validation_takes() {
    let inner = search::<Error>(Mean::params()).cv(KFold::new(2));
    let outer =
        cross_validate(&inner, &data(12), &KFold::new(3), &[Scorer::neg_mean_squared_error()]).unwrap();
    assert_eq!(outer.rows().len(), 3);
    assert!(outer.rows().iter().all(|row| row.status.is_fitted()), "{outer}");
    // In each outer fold the inner search took the best of its shifts, and predicts with that.
    let alone = inner.fit(&data(12)).unwrap();
    assert_eq!(alone.predict(&data(12)).len(), 12);
}

#[test]
fn a_search_over_a_borrowed_view_and_with_an_estimator_without_guard_works() {
    let owned = data(21);
    let view = owned.view();
    let fitted = GridSearch::unguarded(Mean::params().0)
        .axis("shift", [1.0, 0.0], |p, shift| crate::toy::Valid { shift, ..p })
        .cv(KFold::new(3).shuffle(1))
        .fit(&view)
        .unwrap();
    assert_eq!(fitted.best_index(), Some(1));
    assert_eq!(fitted.best_model().unwrap().predict(&view).len(), 21);
}

#[derive(Default)]
struct Counts(Mutex<[usize; 6]>);

struct Watch(Arc<Counts>);

impl Watch {
    fn count(&self, event: usize) {
        self.0.0.lock().unwrap()[event] += 1;
    }
}

impl SearchObserver for Watch {
    fn search_started(&self, plan: &SearchPlan) {
        assert_eq!((plan.candidates.len(), plan.folds, plan.fits), (6, 3, 18));
        assert_eq!(plan.candidates[2].to_string(), "mode=diverge");
        self.count(0);
    }

    fn fit_started(&self, task: Task) {
        assert!(task.fold.is_some());
        self.count(1);
    }

    fn fit_finished(&self, _: &FitRow) {
        self.count(2);
    }

    fn refit_started(&self, candidate: usize) {
        assert_eq!(candidate, 1);
        self.count(3);
    }

    fn refit_finished(&self, _: usize, problem: Option<&str>) {
        assert_eq!(problem, None);
        self.count(4);
    }

    fn search_finished(&self, results: &SearchResults) {
        assert_eq!(results.rows().len(), 18);
        self.count(5);
    }
}

#[test]
fn observers_are_told_of_every_fit_also_of_those_that_fail() {
    let counts = Arc::new(Counts::default());
    let modes = [Mode::Fail, Mode::Fit, Mode::Diverge, Mode::Panic, Mode::FailInFirstFold, Mode::PredictNan];
    let search = GridSearch::new(Mean::params())
        .axis("mode", modes, |p: Mean, mode| p.mode(mode))
        .cv(KFold::new(3))
        .observer(Watch(Arc::clone(&counts)));
    search.fit(&data(9)).unwrap();
    assert_eq!(*counts.0.lock().unwrap(), [1, 18, 18, 1, 1, 1]);
    search.refit(false).fit(&data(9)).unwrap();
    assert_eq!(*counts.0.lock().unwrap(), [2, 36, 36, 1, 1, 2]);
}

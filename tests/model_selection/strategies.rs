//! Random and sequential searches over the toy estimator and this crate's own, and the choice of the best.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use linfa::prelude::*;
use linfa_mlp::metric::Direction;
use linfa_mlp::model_selection::{
    Estimate, FitStatus, GridSearch, KFold, LogUniform, RandomSearch, Refit, Scorer, SearchObserver,
    SearchPlan, SearchResults, SequentialSearch, Spread, Uniform,
};
use linfa_mlp::optimizer::{Adam, Sgd};
use linfa_mlp::{Error, MlpRegressor};

use crate::toy::{Mean, Mode, data};

/// The toy predicts the mean plus its shift: the best shift is 0.
fn sequential<E>(estimator: Mean) -> SequentialSearch<Mean, f64, f64, E> {
    SequentialSearch::new(estimator)
        .axis_from("shift", Uniform::new(-40.0, 40.0), |p: Mean, shift| p.shift(shift))
        .n_candidates(30)
        .cv(KFold::new(3).shuffle(3))
        .scorers([Scorer::neg_mean_squared_error()])
}

fn shifts(results: &SearchResults) -> Vec<f64> {
    let number =
        |summary: &linfa_mlp::model_selection::CandidateSummary| summary.params.get("shift")?.number();
    results.candidates().iter().map(|summary| number(summary).unwrap()).collect()
}

#[test]
fn a_sequential_search_closes_in_on_the_best() {
    let estimator = Mean::params();
    let fitted = sequential(estimator.clone()).fit(&data(30)).unwrap();
    assert_eq!(estimator.fits(), 30 * 3 + 1);
    let shifts = shifts(fitted.results());
    let off = |shifts: &[f64]| shifts.iter().map(|shift| shift.abs()).sum::<f64>() / shifts.len() as f64;
    // By chance the last would be as far off as the first, which are drawn.
    assert!(3.0 * off(&shifts[20..]) < 2.0 * off(&shifts[..10]), "{shifts:?}");
    assert!(fitted.results().exhausted().is_none());
}

#[test]
fn a_sequential_search_is_the_same_on_any_number_of_threads() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let fitted = sequential(Mean::params()).parallel(4).pool(Arc::new(pool)).fit(&data(30)).unwrap();
        shifts(fitted.results()).into_iter().map(f64::to_bits).collect::<Vec<_>>()
    };
    let one = on(1);
    assert_eq!(one.len(), 30);
    assert_eq!(one, on(2));
    assert_eq!(one, on(8));
}

#[test]
fn candidates_that_fail_or_cannot_run_do_not_end_a_sequential_search() {
    let modes = [Mode::Fit, Mode::Fail, Mode::Panic, Mode::PredictNan, Mode::Diverge];
    let fitted =
        sequential(Mean::params()).axis("mode", modes, |p, mode| p.mode(mode)).fit(&data(30)).unwrap();
    let results = fitted.results();
    assert_eq!(results.rows().len(), 90);
    assert!(results.first_failure().is_some());
    assert_eq!(fitted.best_params().and_then(|p| p.get("mode")).map(ToString::to_string), Some("fit".into()));
    // A candidate of the first round that cannot run is an error; one proposed later has rows that say so.
    let first = sequential(Mean::params()).axis("nan", [f64::NAN], |p: Mean, v| p.shift(v)).fit(&data(30));
    assert!(matches!(first.unwrap_err(), Error::Candidate { candidate: 0, .. }));
    let later = AtomicUsize::new(0);
    let late = sequential::<Error>(Mean::params()).vary(move |p: Mean, _| {
        // From the 100th build on, which no first round reaches.
        if later.fetch_add(1, Ordering::SeqCst) > 100 { p.shift(f64::NAN) } else { p }
    });
    let fitted = late.fit(&data(30)).unwrap();
    let failed: Vec<_> = fitted.results().rows().iter().filter(|row| row.status.is_failure()).collect();
    assert!(!failed.is_empty() && fitted.results().rows().len() == 90);
    assert!(
        matches!(&failed[0].status, FitStatus::Failed { message } if message.contains("shift must be finite"))
    );
}

#[test]
fn random_and_sequential_searches_of_our_estimators_read_one_copy_of_the_data() {
    let rows =
        linfa_datasets::diabetes().with_targets(linfa_datasets::diabetes().targets.mapv(|y| y / 100.0));
    let prototype = MlpRegressor::params().hidden_layer_sizes([4]).epochs(3).batch_size(64).seed(1);
    let random = RandomSearch::new(prototype.clone())
        .sample(6, |p, draw| {
            let rate = draw.log_uniform("learning_rate", 1e-3, 1e-1);
            let p = p.hidden_layer_sizes(draw.depth_and_units("hidden", 1..=2, [4, 8]));
            if draw.choice("optimizer", ["sgd", "adam"]) == "sgd" {
                p.optimizer(Sgd::new(rate).momentum(draw.uniform("momentum", 0.0, 0.9)))
            } else {
                p.optimizer(Adam::new(rate))
            }
        })
        .cv(KFold::new(2))
        .refit(Refit::one_standard_error())
        .fit(&rows)
        .unwrap();
    let results = random.results();
    assert_eq!(results.candidates().len(), 6);
    assert_eq!(results.axes()[..2], ["learning_rate", "hidden"]);
    assert!(results.rows().iter().all(|row| row.status.is_fitted() && row.n_params.is_some()));
    // The simplest of those within one standard error of the best.
    let (best, chosen) = (results.best(0).unwrap(), random.best_index().unwrap());
    assert!(results.n_params(chosen) <= results.n_params(best));
    let fitted = SequentialSearch::new(prototype)
        .axis_from("learning_rate", LogUniform::new(1e-3, 1e-1), |p, v| p.optimizer(Adam::new(v)))
        .n_candidates(5)
        .n_startup(3)
        .cv(KFold::new(2))
        .fit(&rows)
        .unwrap();
    assert_eq!(fitted.results().candidates().len(), 5);
    assert_eq!(fitted.predict(&rows).len(), rows.nsamples());
}

#[test]
fn equal_networks_by_different_answers_are_tried_once_where_asked_for() {
    let search: GridSearch<_> = GridSearch::new(MlpRegressor::params()).vary(|p, draw| {
        let second = draw.choice("second layer", [0, 8]);
        let units = draw.choice("units", [4, 8]);
        // The units of a layer that is not there change nothing.
        if second == 0 { p.hidden_layer_sizes([16]) } else { p.hidden_layer_sizes([16, units]) }
    });
    assert_eq!(search.candidates().unwrap().len(), 4);
    assert_eq!(search.distinct().candidates().unwrap().len(), 3);
}

#[test]
fn the_simplest_within_one_standard_error_is_chosen_by_the_users_cost() {
    let search = |refit: Refit| {
        GridSearch::new(Mean::params())
            .axis("shift", [0.0, 0.5, 30.0, -0.5], |p: Mean, shift| p.shift(shift))
            .cv(KFold::new(4).shuffle(1))
            .scorers([Scorer::neg_mean_squared_error()])
            .refit(refit)
            .fit(&data(24))
            .unwrap()
    };
    // Candidates 0, 1 and 3 are as good as each other; 2 is much worse, and cheapest.
    let costs = [9.0, 3.0, 1.0, 4.0];
    let by_cost = search(Refit::one_standard_error_by(move |summary| costs[summary.candidate]));
    assert_eq!(by_cost.best_index(), Some(1));
    assert!(by_cost.best_model().is_ok());
    let cheap = search(Refit::one_standard_error_by(|_| 1.0));
    assert_eq!(cheap.best_index(), search(Refit::from(true)).best_index(), "of equals, the best");
    // The toy does not say how many parameters it has.
    let silent = search(Refit::one_standard_error());
    let reason = silent.best_model().unwrap_err().to_string();
    assert!(reason.contains("does not say how many parameters"), "{reason}");
    let nan = search(Refit::one_standard_error_by(|_| f64::NAN)).best_model().unwrap_err().to_string();
    assert!(nan.contains("no candidate has a cost"), "{nan}");
    let panics =
        search(Refit::one_standard_error_by(|_| panic!("on purpose"))).best_model().unwrap_err().to_string();
    assert!(panics.contains("the cost of refit panicked: on purpose"), "{panics}");
}

#[test]
fn an_exhausted_space_and_the_first_failure_are_told_below_the_table() {
    let fitted = RandomSearch::new(Mean::params())
        .axis("mode", [Mode::Fit, Mode::Fail], |p: Mean, mode| p.mode(mode))
        .n_candidates(7)
        .cv(KFold::new(3))
        .fit(&data(9))
        .unwrap();
    let results = fitted.results();
    assert_eq!((results.candidates().len(), results.exhausted()), (2, Some(7)));
    for text in [results.to_string(), results.table(Spread::Interval95).to_string()] {
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[4].starts_with("3 of 6 fits failed; the first: candidate ")
                && lines[4].contains("on purpose")
        );
        assert_eq!(lines[5], "all 2 candidates of the space; 7 were asked for");
    }
}

#[test]
fn closures_hear_of_every_fit() {
    let (fits, epochs) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (fit, epoch) = (Arc::clone(&fits), Arc::clone(&epochs));
    GridSearch::<_, _, _, Error>::new(Mean::params())
        .axis("mode", [Mode::Fit, Mode::Fail], |p: Mean, mode| p.mode(mode))
        .cv(KFold::new(3))
        .on_fit(move |row| _ = fit.fetch_add(1 + 10 * usize::from(row.status.is_failure()), Ordering::SeqCst))
        .on_progress(move |task, progress| {
            assert!(progress.done <= progress.of && task.candidate < 2);
            epoch.fetch_add(usize::from(task.fold.is_some()), Ordering::SeqCst);
        })
        .fit_by_rows(&data(9))
        .unwrap();
    assert_eq!((fits.load(Ordering::SeqCst), epochs.load(Ordering::SeqCst)), (3 + 3 * 11, 6));
}

#[cfg(feature = "tensorboard")]
#[test]
fn a_directory_that_cannot_be_made_ends_the_search_before_the_first_fit() {
    let estimator = Mean::params();
    let file = tempfile::NamedTempFile::new().unwrap();
    let search = GridSearch::new(estimator.clone())
        .axis("shift", [0.0, 1.0], |p: Mean, shift| p.shift(shift))
        .tensorboard(file.path().join("below"));
    assert!(matches!(search.fit(&data(9)).unwrap_err(), Error::File { .. }));
    assert_eq!(estimator.fits(), 0);
}

#[test]
fn the_scorer_that_decides_says_which_are_as_good_as_the_best() {
    // By its mean absolute error the shift 0 is best and 0.5 as good; by an error that grows with the predictions, -30 is.
    let low = Scorer::new("low", Direction::Maximize, |estimate: &Estimate<'_, f64>| {
        -estimate.prediction.iter().sum::<f64>() / estimate.prediction.len() as f64
    });
    let search = |refit: Refit| {
        GridSearch::new(Mean::params())
            .axis("shift", [0.0, 0.5, -30.0], |p: Mean, shift| p.shift(shift))
            .cv(KFold::new(4).shuffle(1))
            .scorers([Scorer::neg_mean_absolute_error(), low.clone()])
            .refit(refit)
            .fit(&data(24))
    };
    let cheapest = || Refit::one_standard_error_by(|candidate| -(candidate.candidate as f64));
    let index = |refit: Refit| search(refit).unwrap().best_index();
    assert_eq!((index(cheapest()), index(cheapest().scorer("low"))), (Some(1), Some(2)));
    let fitted = search(cheapest().scorer("low")).unwrap();
    assert_eq!(fitted.best_score(), Some(fitted.results().candidates()[2].test[1].mean));
    // With no refit, too.
    assert_eq!(index(Refit::from(false).scorer("low")), Some(2));
    let unknown = search(cheapest().scorer("high")).unwrap_err().to_string();
    assert!(
        unknown.starts_with("refit must be one of the scorers (neg_mean_absolute_error, low)"),
        "{unknown}"
    );
}

#[test]
fn a_plan_names_the_parameters_that_only_later_rounds_may_have() {
    let names = Arc::new(Mutex::new(Vec::new()));
    struct Names(Arc<Mutex<Vec<String>>>);
    impl SearchObserver for Names {
        fn search_started(&self, plan: &SearchPlan) {
            let all = plan.candidates.iter().chain(&plan.examples).flat_map(|params| params.iter());
            let mut names = self.0.lock().unwrap();
            names.extend(all.map(|(name, _)| name.to_string()));
            names.sort();
            names.dedup();
        }
    }
    let search = |startup: usize| {
        sequential::<Error>(Mean::params())
            .vary(|p, draw| {
                if draw.uniform("kind", 0.0, 1.0) > 0.9 { p.shift(draw.uniform("rare", 0.0, 1.0)) } else { p }
            })
            .n_candidates(startup + 1)
            .n_startup(startup)
            .observer(Names(Arc::clone(&names)))
            .fit(&data(20))
            .unwrap()
    };
    let found = search(1);
    let names = names.lock().unwrap();
    assert!(names.contains(&"rare".into()) && names.contains(&"kind".into()), "{names:?}");
    assert_eq!(found.results().candidates().len(), 2);
}

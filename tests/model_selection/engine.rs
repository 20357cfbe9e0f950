//! Seeds, budgets, stopping, and what fits say of themselves.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use linfa::prelude::*;
use linfa_elasticnet::ElasticNet;
use linfa_mlp::callback::{EarlyStopping, OnEpochEnd};
use linfa_mlp::estimator::{MlpClassifierParams, MlpRegressorParams};
use linfa_mlp::model_selection::{
    Budget, CrossValidator, Epochs, FitRow, FitStatus, GridSearch, HalvingSearch, HyperbandSearch, KFold,
    RefitEpochs, Samples, Scorer, SearchObserver, StratifiedKFold, TargetScaling, Task,
};
use linfa_mlp::optimizer::{Adam, Sgd};
use linfa_mlp::rng::Stream;
use linfa_mlp::train::Validation;
use linfa_mlp::{Error, MlpClassifier, MlpRegressor};
use linfa_preprocessing::linear_scaling::LinearScaler;
use ndarray::{Array1, Array2, Axis, Ix1};

use crate::same_anywhere::without_times;
use crate::toy::{Mean, data};

fn regression(n: usize) -> Dataset<f64, f64, Ix1> {
    let mut stream = Stream::new(9);
    let x = Array2::from_shape_simple_fn((n, 3), || 2.0 * stream.uniform() - 1.0);
    let y: Array1<f64> = x.rows().into_iter().map(|row| row[0] * row[1] - 0.5 * row[2]).collect();
    Dataset::new(x, y)
}

fn rows_of(data: &Dataset<f64, f64, Ix1>, rows: &[usize]) -> Dataset<f64, f64, Ix1> {
    Dataset::new(data.records.select(Axis(0), rows), data.targets.select(Axis(0), rows))
}

fn params() -> MlpRegressorParams {
    MlpRegressor::params().hidden_layer_sizes([5]).optimizer(Adam::new(0.01)).batch_size(8).epochs(4).seed(5)
}

fn search(params: MlpRegressorParams) -> GridSearch<MlpRegressorParams> {
    GridSearch::new(params)
        .axis("hidden", [vec![3], vec![5], vec![4, 2]], |p, h| p.hidden_layer_sizes(h))
        .cv(KFold::new(3).shuffle(1))
}

fn names(rows: &[FitRow]) -> Vec<&'static str> {
    rows.iter().map(|row| row.status.name()).collect()
}

// What fits say of themselves.

#[test]
fn rows_say_what_the_fits_history_says() {
    let data = regression(50);
    let params = params().validation_split(0.25).callback(EarlyStopping::default().patience(2));
    let found = search(params.clone().epochs(40)).fit(&data).unwrap();
    for row in found.results().rows() {
        let train = rows_of(&data, &found.splits()[row.fold].train);
        let hidden = [vec![3], vec![5], vec![4, 2]][row.candidate].clone();
        let model = params.clone().epochs(40).hidden_layer_sizes(hidden).fit(&train).unwrap();
        let (history, curve) = (model.history(), row.curve.as_ref().unwrap());
        for name in ["loss", "val_loss", "learning_rate"] {
            assert_eq!(curve.get(name), history.get(name), "{name}");
        }
        assert_eq!(row.epochs, Some(history.len()));
        assert_eq!(row.updates, Some(model.run().steps()));
        assert_eq!(row.n_params, Some(model.count_params()));
        assert_eq!(row.seed, Some(5));
        let losses = &history["val_loss"];
        let best = (0..losses.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b])).unwrap() + 1;
        assert_eq!(row.best_epoch, Some(best));
    }
    let csv = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut text = Vec::new();
        write(&mut text);
        String::from_utf8(text).unwrap()
    };
    let fits = csv(&|text| found.results().fits_to_csv(text).unwrap());
    assert!(fits.starts_with(
        "candidate,rung,fold,replicate,hidden,status,message,seed,resource,epochs,best_epoch,updates"
    ));
    assert_eq!(
        found.results().to_json().unwrap()["fits"][0]["curve"]["loss"][0],
        fits_loss(&found.results().rows()[0])
    );
}

fn fits_loss(row: &FitRow) -> f64 {
    row.curve.as_ref().unwrap().get("loss").unwrap()[0]
}

#[test]
fn a_fit_that_diverges_says_how_far_it_came() {
    let found = GridSearch::new(params().epochs(30))
        .axis("rate", [1e-3, 1e6], |p, rate| p.optimizer(Sgd::new(rate)))
        .cv(KFold::new(2))
        .fit(&regression(40))
        .unwrap();
    let row = &found.results().rows()[2];
    assert!(matches!(row.status, FitStatus::Diverged { .. }), "{:?}", row.status);
    assert!(row.updates.is_some() && row.curve.is_some() && row.n_params.is_some());
}

#[test]
fn estimators_that_say_nothing_have_rows_without_it() {
    let found = CrossValidator::new().cv(KFold::new(3)).run(&ElasticNet::params(), &regression(20)).unwrap();
    let row = &found.rows()[0];
    assert_eq!((row.epochs, row.updates, row.seed, row.n_params), (None, None, None, None));
    assert!(row.curve.is_none());
}

#[derive(Default)]
struct Told(Mutex<Vec<(Task, usize, usize)>>);

struct Listener(Arc<Told>);

impl SearchObserver for Listener {
    fn fit_progress(&self, task: Task, progress: linfa_mlp::model_selection::Progress) {
        assert!(progress.loss.is_finite());
        self.0.0.lock().unwrap().push((task, progress.done, progress.of));
    }
}

#[test]
fn every_epoch_is_reported_under_its_task() {
    let told = Arc::new(Told::default());
    search(params()).observer(Listener(Arc::clone(&told))).fit(&regression(30)).unwrap();
    let mut told = told.0.lock().unwrap().clone();
    told.sort();
    // 3 candidates in 3 folds, and the refit.
    assert_eq!(told.len(), (9 + 1) * 4);
    let first: Vec<_> = told.iter().filter(|(task, ..)| *task == Task::new(0, Some(0))).collect();
    assert_eq!(
        first.iter().map(|(_, done, of)| (*done, *of)).collect::<Vec<_>>(),
        [(1, 4), (2, 4), (3, 4), (4, 4)]
    );
}

// Seeds.

#[test]
fn replicates_have_seeds_of_their_own_and_count_alike() {
    let data = regression(40);
    let found = search(params()).replicates(3).fit(&data).unwrap();
    let once = search(params()).fit(&data).unwrap();
    let rows = found.results().rows();
    assert_eq!(rows.len(), 3 * 3 * 3);
    for (row, alone) in rows.iter().filter(|row| row.replicate == 0).zip(once.results().rows()) {
        assert_eq!((row.seed, &row.test_scores, &row.curve), (Some(5), &alone.test_scores, &alone.curve));
    }
    // Anybody can repeat a row by its seed.
    let row = rows.iter().find(|row| (row.candidate, row.fold, row.replicate) == (1, 2, 2)).unwrap();
    let train = rows_of(&data, &found.splits()[2].train);
    let again = params().hidden_layer_sizes([5]).seed(row.seed.unwrap()).fit(&train).unwrap();
    assert_eq!(row.curve.as_ref().unwrap().get("loss"), again.history().get("loss"));
    // Candidates and folds share them.
    let seeds: Vec<Option<u64>> = rows[..3].iter().map(|row| row.seed).collect();
    assert!(seeds[1] != seeds[0] && seeds[2] != seeds[1] && seeds[2] != seeds[0]);
    assert!(rows.chunks(3).all(|of_fold| of_fold.iter().map(|row| row.seed).eq(seeds.iter().copied())));
    for candidate in found.results().candidates() {
        let scores = found.results().test_scores(candidate.candidate, 0);
        assert_eq!((scores.len(), candidate.fits), (9, 9));
        assert_eq!(candidate.test[0].mean, scores.iter().sum::<f64>() / 9.0);
    }
    let mut csv = Vec::new();
    found.results().to_csv(&mut csv).unwrap();
    let head = String::from_utf8(csv).unwrap().lines().next().unwrap().to_string();
    assert!(head.contains("split0_seed0_test_r2,split0_seed1_test_r2"), "{head}");
}

#[test]
fn equal_candidates_tie_exactly_in_every_replicate() {
    let found = GridSearch::new(params())
        .axis("twin", [1, 2], |p, _| p)
        .cv(KFold::new(3))
        .replicates(2)
        .fit(&regression(30))
        .unwrap();
    assert_eq!(found.results().test_scores(0, 0), found.results().test_scores(1, 0));
    assert_eq!(found.results().candidates()[1].test[0].rank, 1);
}

#[test]
fn estimators_without_a_seed_are_not_replicated() {
    let linfas = GridSearch::new(ElasticNet::params()).axis("penalty", [0.1], |p, v| p.penalty(v));
    let error = linfas.replicates(2).fit(&regression(20)).unwrap_err().to_string();
    assert!(error.contains("replicates must be 1 for an estimator without a seed, but is 2"), "{error}");
    let error = search(params()).replicates(0).fit(&regression(20)).unwrap_err().to_string();
    assert_eq!(error, "replicates must be at least 1, but is 0");
}

// Budgets and stopping.

#[test]
fn a_budget_of_fits_keeps_the_first_candidates_on_any_number_of_threads() {
    let data = regression(40);
    let mut seen = Vec::new();
    for threads in [1, 2, 3, 8] {
        let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap());
        let found = search(params()).budget(Budget::fits(7)).pool(pool).fit(&data).unwrap();
        assert_eq!(names(found.results().rows())[..7], ["fitted"; 7]);
        assert_eq!(names(found.results().rows())[7..], ["stopped"; 2]);
        let candidates = found.results().candidates();
        assert_eq!(candidates.iter().map(|c| c.stopped).collect::<Vec<_>>(), [0, 0, 2]);
        // One score of three does not win, however good it is; the mean shows it.
        assert_eq!(candidates[2].test[0].rank, 3);
        assert_eq!(candidates[2].test[0].mean, found.results().rows()[6].test_scores[0]);
        assert!(found.best_index().unwrap() < 2 && found.best_model().is_ok());
        let table = found.results().to_string();
        assert!(table.contains("2 of 3 stopped"), "{table}");
        seen.push(without_times(found.results()));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_budget_of_updates_counts_what_fits_plan_to_make() {
    // 26 or 27 training rows in batches of 8 are 4 updates an epoch, 16 a fit.
    let data = regression(40);
    let fitted = |budget: Budget| {
        let found = search(params()).budget(budget).fit(&data).unwrap();
        let made: u64 = found.results().rows().iter().filter_map(|row| row.updates).sum();
        (names(found.results().rows()).iter().filter(|name| **name == "fitted").count(), made)
    };
    assert_eq!(fitted(Budget::updates(64)), (4, 64));
    assert_eq!(fitted(Budget::updates(79)), (4, 64));
    assert_eq!(fitted(Budget::updates(u64::MAX)), (9, 144));
    assert_eq!(fitted(Budget::updates(64).or(Budget::fits(2))), (2, 32));
    // Rungs add to what the ones before have made: 9 fits of 4, then 3 candidates have none left but one.
    let found = HalvingSearch::new(params())
        .axis("rate", [1e-3, 1e-2, 0.1], |p, rate| p.optimizer(Adam::new(rate)))
        .resource(Epochs { min: 1, max: 3 })
        .cv(KFold::new(3).shuffle(1))
        .budget(Budget::updates(9 * 4 + 8))
        .fit(&data)
        .unwrap();
    assert_eq!(names(found.results().rows()).iter().filter(|name| **name == "stopped").count(), 2);
    // The rung that could not be finished does not count, the one before does.
    assert!(found.results().candidates().iter().all(|c| (c.rung, c.stopped) == (0, 0)));
    assert!(found.best_model().is_ok());
    let linfas = GridSearch::new(ElasticNet::params()).axis("penalty", [0.1], |p, v| p.penalty(v));
    let error = linfas.budget(Budget::updates(9)).fit(&data).unwrap_err().to_string();
    assert!(error.contains("cannot say how many updates"), "{error}");
    assert!(search(params()).budget(Budget::seconds(f64::NAN)).fit(&data).is_err());
}

#[test]
fn without_any_time_nothing_is_fitted_and_the_search_says_so() {
    let estimator = Mean::params();
    let search = GridSearch::<_, f64, f64, Error>::new(estimator.clone())
        .axis("shift", [0.0, 1.0], |p: Mean, shift| p.shift(shift))
        .cv(KFold::new(3))
        .budget(Budget::seconds(0.0));
    for found in [search.fit(&data(12)).unwrap(), search.fit_by_rows(&data(12)).unwrap()] {
        assert_eq!(names(found.results().rows()), ["stopped"; 6]);
        let message = found.results().rows()[0].status.message().unwrap();
        assert_eq!(message, "the budget of 0 s is spent before the fit started");
        assert_eq!(found.best_index(), None);
        let error = found.best_model().map(|_| ()).unwrap_err().to_string();
        assert_eq!(error, "there is no best model: no candidate has a mean score");
    }
    assert_eq!(estimator.fits(), 0);
}

/// Sets a flag after so many fits.
struct Switch(Arc<AtomicBool>, AtomicUsize);

impl SearchObserver for Switch {
    fn fit_finished(&self, _: &FitRow) {
        if self.1.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.store(true, Ordering::SeqCst);
        }
    }
}

#[test]
fn a_stop_flag_keeps_fits_from_starting_and_what_was_scored_is_ranked_and_refitted() {
    let flag = Arc::new(AtomicBool::new(false));
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap());
    let estimator = Mean::params();
    let found = GridSearch::<_, f64, f64, Error>::new(estimator.clone())
        .axis("shift", [3.0, 0.0, 1.0], |p: Mean, shift| p.shift(shift))
        .cv(KFold::new(3))
        .stop_flag(Arc::clone(&flag))
        .observer(Switch(flag, AtomicUsize::new(5)))
        .pool(pool)
        .fit(&data(12))
        .unwrap();
    assert_eq!(estimator.fits(), 5 + 1, "five fits and the refit");
    let rows = found.results().rows();
    assert_eq!(names(rows).iter().filter(|name| **name == "stopped").count(), 4);
    assert!(rows.iter().all(|row| row.status.message().is_none_or(|text| text.contains("stop flag"))));
    // Fold after fold: two candidates have two scores, the third has one.
    let stopped: Vec<usize> = found.results().candidates().iter().map(|c| c.stopped).collect();
    assert_eq!(stopped, [1, 1, 2]);
    let best = found.best_index().unwrap();
    assert!(best < 2 && found.results().candidates()[best].stopped == 1);
    assert!(found.best_model().is_ok());
}

#[test]
fn a_fit_under_way_stops_at_its_next_batch_and_ranks_behind_finished_ones() {
    let flag = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&flag);
    let switch = OnEpochEnd::new(move |view| {
        // The second candidate is the one with the long way.
        if view.epochs() == 1000 && view.epoch() == 7 {
            seen.store(true, Ordering::SeqCst);
        }
        Ok(())
    });
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap());
    let found = GridSearch::new(params().callback(switch))
        .axis("epochs", [2, 1000], |p, epochs| p.epochs(epochs))
        .cv(KFold::new(2))
        .stop_flag(flag)
        .pool(pool)
        .fit(&regression(30))
        .unwrap();
    let rows = found.results().rows();
    assert_eq!(names(rows), ["fitted", "stopped", "stopped", "stopped"]);
    // It has the model of seven epochs, scored; the flag is no end of training that callbacks hear of.
    assert_eq!((rows[2].epochs, rows[2].updates), (Some(7), Some(14)));
    assert!(rows[2].test_scores[0].is_finite() && rows[1].test_scores[0].is_nan());
    assert_eq!(found.best_index(), Some(0));
    assert_eq!(found.results().candidates()[1].test[0].rank, 2);
    // The flag was up before the refit began, so that it runs to its end.
    assert_eq!(found.best_model().unwrap().model().history().len(), 2);
}

// Rows kept for stopping.

fn early() -> MlpRegressorParams {
    params().epochs(60).callback(EarlyStopping::default().patience(3).restore_best_weights())
}

#[test]
fn stopping_rows_stop_fits_and_are_neither_trained_on_nor_scored() {
    let data = regression(60);
    let found = search(early()).stopping_rows(0.2).train_scores(true).fit(&data).unwrap();
    for row in found.results().rows() {
        assert_eq!((row.train_rows, row.stopping_rows, row.test_rows), (32, 8, 20));
        assert!(row.best_epoch.is_some() && row.curve.as_ref().unwrap().get("val_loss").is_some());
    }
    // The refit keeps its share of all rows.
    let history = found.best_model().unwrap().model().history();
    assert_eq!((history.n_training_rows(), history.n_validation_rows()), (48, 12));
}

#[test]
fn absurd_values_in_stopping_and_test_rows_move_no_scaler_and_no_weight() {
    let clean = regression(60);
    let fits = |data: &Dataset<f64, f64, Ix1>| {
        // No early stopping: when training ends may depend on the stopping rows, what is learned until then may not.
        search(params())
            .preprocess(LinearScaler::standard())
            .scale_targets(TargetScaling::Standard)
            .stopping_rows(0.2)
            .train_scores(true)
            .fit(data)
            .unwrap()
    };
    let found = fits(&clean);
    // Which rows of fold 0 are trained on shows in what they change.
    let train = &found.splits()[0].train;
    let of_fold_0 = |rows: &[FitRow]| {
        let rows = rows.iter().filter(|row| row.fold == 0);
        rows.map(|row| {
            (row.train_scores.clone(), row.curve.as_ref().unwrap().get("loss").map(<[f64]>::to_vec))
        })
        .collect::<Vec<_>>()
    };
    let expected = of_fold_0(found.results().rows());
    let mut stopping = Vec::new();
    for &row in train {
        let mut poisoned = clean.clone();
        poisoned.records.row_mut(row).fill(1e6);
        poisoned.targets[row] = -1e6;
        if of_fold_0(fits(&poisoned).results().rows()) == expected {
            stopping.push(row);
        }
    }
    assert_eq!(stopping.len(), 8, "as many rows move nothing as are kept: {stopping:?}");
    let mut poisoned = clean.clone();
    for &row in stopping.iter().chain(&found.splits()[0].test) {
        poisoned.records.row_mut(row).fill(1e6);
        poisoned.targets[row] = -1e6;
    }
    assert_eq!(of_fold_0(fits(&poisoned).results().rows()), expected);
    assert_ne!(poisoned.records, clean.records);
}

#[test]
fn stopping_rows_of_labels_have_every_class_and_groups_stay_together() {
    let iris = linfa_datasets::iris();
    let search = || {
        GridSearch::<MlpClassifierParams, f64, usize>::new(
            MlpClassifier::params().hidden_layer_sizes([4]).epochs(3),
        )
        .axis("alpha", [1e-4], |p, alpha| p.alpha(alpha))
        .stopping_rows(15)
    };
    let found = search().cv(StratifiedKFold::new(3)).fit(&iris).unwrap();
    assert!(found.results().rows().iter().all(|row| (row.train_rows, row.stopping_rows) == (85, 15)));
    let groups: Vec<usize> = (0..150).map(|row| row % 30).collect();
    let found = search().cv(StratifiedKFold::new(3)).groups(groups).fit(&iris).unwrap();
    assert!(found.results().rows().iter().all(|row| row.stopping_rows >= 15));
}

#[test]
fn stopping_rows_that_cannot_be_kept_are_refused_before_any_fit() {
    let data = regression(30);
    let error =
        |search: GridSearch<MlpRegressorParams>| search.fit(&data).map(|_| ()).unwrap_err().to_string();
    for share in [0.0, 1.0, f64::NAN, -0.5] {
        assert!(error(search(early()).stopping_rows(share)).starts_with("stopping_rows must be"));
    }
    assert!(error(search(early()).stopping_rows(20)).starts_with("stopping_rows must be"));
    let both = error(search(early().validation(Validation::last(0.2))).stopping_rows(0.2));
    assert!(both.contains("validation must be none where the search keeps stopping rows"), "{both}");
    let one_group = error(search(early()).stopping_rows(0.2).groups(vec![0; 30]));
    assert!(one_group.contains("at least 2 groups"), "{one_group}");
    let linfas = GridSearch::new(ElasticNet::params()).axis("penalty", [0.1], |p, v| p.penalty(v));
    let error = linfas.stopping_rows(0.2).fit(&data).unwrap_err().to_string();
    assert!(error.contains("stopping_rows must be unset"), "{error}");
}

// Epochs of the refit.

#[test]
fn the_refit_has_the_epochs_of_the_folds_and_all_rows() {
    let data = regression(60);
    for (rule, of) in [(RefitEpochs::max_best(), 2), (RefitEpochs::median_best(), 1)] {
        let found = search(early()).stopping_rows(0.2).refit_epochs(rule).fit(&data).unwrap();
        let best = found.best_index().unwrap();
        let mut epochs: Vec<usize> = found.results().fits(best).map(|row| row.best_epoch.unwrap()).collect();
        epochs.sort_unstable();
        let model = found.best_model().unwrap().model();
        assert_eq!((model.run().epochs(), model.history().n_training_rows()), (epochs[of], 60));
        assert_eq!(model.history().n_validation_rows(), 0);
        // As by hand, without the callback that has nothing to watch.
        let hidden = [vec![3], vec![5], vec![4, 2]][best].clone();
        let by_hand = params().epochs(epochs[of]).hidden_layer_sizes(hidden).fit(&data).unwrap();
        assert_eq!(model.run().to_bytes().unwrap(), by_hand.run().to_bytes().unwrap());
    }
}

#[test]
fn epochs_of_the_refit_need_rows_to_choose_them_by() {
    let data = regression(40);
    let rule = RefitEpochs::mean_best();
    let error = search(params()).refit_epochs(rule).fit(&data).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("refit_epochs must be unset where fits have no validation rows"), "{error}");
    let own = search(params().validation_split(0.2)).refit_epochs(rule.scaled_by_rows()).fit(&data).unwrap();
    assert!(own.best_model().unwrap().model().history().get("val_loss").is_none());
    let linfas = GridSearch::new(ElasticNet::params()).axis("penalty", [0.1], |p, v| p.penalty(v));
    let error = linfas.refit_epochs(rule).fit(&data).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("refit_epochs must be unset"), "{error}");
}

// Hyperband.

#[test]
fn hyperband_continues_in_every_bracket_and_is_the_same_anywhere() {
    let data = regression(36);
    let mut seen = Vec::new();
    for threads in [1, 3] {
        let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap());
        let found = HyperbandSearch::new(params())
            .sample(|p, draw| p.optimizer(Adam::new(draw.log_uniform("learning_rate", 1e-4, 1e-1))))
            .resource(Epochs { min: 1, max: 9 })
            .seed(3)
            .cv(KFold::new(2))
            .pool(pool)
            .fit(&data)
            .unwrap();
        let counts: Vec<_> =
            found.rungs().iter().map(|r| (r.round, r.candidates.len(), r.resource)).collect();
        assert_eq!(counts, [(0, 9, 1), (0, 3, 3), (0, 1, 9), (1, 5, 3), (1, 1, 9), (2, 3, 9)]);
        assert_eq!(found.results().candidates().len(), 17);
        let best = found.best_index().unwrap();
        assert_eq!(found.results().candidates()[best].resource, Some(9));
        assert_eq!(found.best_model().unwrap().model().run().epochs(), 9);
        let last = found.results().fits(best).all(|row| row.updates == row.resource.map(|epochs| epochs * 3));
        assert!(last);
        seen.push((without_times(found.results()), found.rungs().to_vec()));
    }
    assert!(seen[0] == seen[1]);
}

#[test]
fn a_bracket_that_runs_out_of_budget_keeps_what_there_is() {
    let found = HyperbandSearch::new(params())
        .axis_from("alpha", linfa_mlp::model_selection::LogUniform::new(1e-5, 1e-1), |p, alpha| {
            p.alpha(alpha)
        })
        .resource(Epochs { min: 1, max: 9 })
        .cv(KFold::new(2))
        .budget(Budget::fits(20))
        .fit(&regression(30))
        .unwrap();
    // 18 fits of the first rung, 2 of the 6 of the second.
    assert_eq!(names(found.results().rows()).iter().filter(|name| **name == "fitted").count(), 20);
    assert!(found.best_model().is_ok());
    assert_eq!(found.rungs().len(), 2);
}

#[test]
fn halving_draws_its_candidates() {
    let found = HalvingSearch::new(params())
        .sample(7, |p, draw| {
            p.optimizer(Adam::new(draw.log_uniform("rate", 1e-4, 1e-1)))
                .alpha(draw.uniform("alpha", 0.0, 1.0))
        })
        .seed(2)
        .resource(Epochs { min: 1, max: 3 })
        .scorers([Scorer::r2()])
        .cv(KFold::new(2))
        .fit(&regression(24))
        .unwrap();
    assert_eq!(found.rungs().iter().map(|r| r.candidates.len()).collect::<Vec<_>>(), [7, 3]);
    let any = HalvingSearch::new(ElasticNet::params())
        .sample(4, |p, draw| p.penalty(draw.log_uniform("penalty", 1e-3, 1.0)))
        .resource(Samples { min: 4, max: 12 })
        .cv(KFold::new(2))
        .fit(&regression(24))
        .unwrap();
    assert_eq!(
        any.rungs().iter().map(|r| (r.candidates.len(), r.resource)).collect::<Vec<_>>(),
        [(4, 4), (2, 12)]
    );
}

#[test]
fn a_journal_goes_on_in_the_rung_where_the_search_was_stopped() {
    let data = regression(36);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("halving.journal");
    let search = || {
        HalvingSearch::<MlpRegressorParams>::new(params())
            .axis("rate", [1e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 2e-3, 5e-3, 0.02], |p, rate| {
                p.optimizer(Adam::new(rate))
            })
            .resource(Epochs { min: 1, max: 9 })
            .cv(KFold::new(2).shuffle(4))
    };
    let straight = search().fit(&data).unwrap();
    // Stopped once in the first rung, once in the second, and then left to end.
    let mut fitted = Vec::new();
    for fits in [5, 16, usize::MAX] {
        let flag = Arc::new(AtomicBool::new(false));
        let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap());
        let switch = Switch(Arc::clone(&flag), AtomicUsize::new(fits));
        let search = search().journal(&path).stop_flag(flag).observer(switch).pool(pool);
        let found = search.fit(&data).unwrap();
        fitted.push(names(found.results().rows()).iter().filter(|name| **name == "fitted").count());
        if fits == usize::MAX {
            assert_eq!(without_times(found.results()), without_times(straight.results()));
            assert_eq!(found.rungs(), straight.rungs());
            let bytes = |found: &linfa_mlp::model_selection::FittedSearch<MlpRegressor<f64, Ix1>, _, _>| {
                found.best_model().unwrap().model().run().to_bytes().unwrap()
            };
            assert!(bytes(&found) == bytes(&straight));
        }
    }
    // 18 fits of the first rung, 6 of the second, 2 of the last.
    assert_eq!(fitted[0], 5);
    assert!((18..26).contains(&fitted[1]), "{fitted:?}");
    assert_eq!(fitted[2], 26);
}

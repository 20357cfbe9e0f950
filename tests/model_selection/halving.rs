//! Searches in rungs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use linfa::prelude::*;
use linfa_elasticnet::ElasticNet;
use linfa_mlp::callback::{EarlyStopping, OnBatchEnd};
use linfa_mlp::estimator::MlpRegressorParams;
use linfa_mlp::model_selection::{
    ContinueRows, DataView, Epochs, FitContext, FitRow, FitRows, Goal, GridSearch, HalvingSearch, KFold,
    RungSummary, Samples, Scorer, SearchObserver, StartedRung, StratifiedKFold, TargetScaling, Updates,
};
use linfa_mlp::optimizer::{Adam, Sgd};
use linfa_mlp::rng::Stream;
use linfa_mlp::{Error, MlpClassifier, MlpRegressor, Result};
use linfa_preprocessing::linear_scaling::LinearScaler;
use ndarray::{Array1, Array2, Axis, Ix1};

use crate::same_anywhere::{Shuffled, without_times};
use crate::toy::{Mean, Mode};

fn regression(n: usize) -> Dataset<f64, f64, Ix1> {
    let mut stream = Stream::new(9);
    let x = Array2::from_shape_simple_fn((n, 3), || 2.0 * stream.uniform() - 1.0);
    let y: Array1<f64> = x.rows().into_iter().map(|row| row[0] * row[1] - 0.5 * row[2]).collect();
    Dataset::new(x, y)
}

const RATES: [f64; 9] = [1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 2e-4, 5e-3];

fn params() -> MlpRegressorParams {
    MlpRegressor::params().hidden_layer_sizes([6]).batch_size(8).seed(5)
}

fn halving(params: MlpRegressorParams) -> HalvingSearch<MlpRegressorParams> {
    HalvingSearch::new(params)
        .axis("learning_rate", RATES, |p, rate| p.optimizer(Adam::new(rate)))
        .scorers([Scorer::neg_mean_squared_error(), Scorer::r2()])
        .cv(KFold::new(3).shuffle(2))
}

fn counts(rungs: &[RungSummary]) -> Vec<(usize, u64)> {
    rungs.iter().map(|rung| (rung.candidates.len(), rung.resource)).collect()
}

fn bits(row: &FitRow) -> Vec<u64> {
    row.test_scores.iter().map(|score| score.to_bits()).collect()
}

/// A regressor that keeps the bytes of every state at the end of every part of its way.
#[derive(Clone, Debug)]
struct Recorded(MlpRegressorParams, Arc<Mutex<Vec<(usize, Option<usize>, Vec<u8>)>>>);

impl ParamGuard for Recorded {
    type Checked = Self;
    type Error = Error;

    fn check_ref(&self) -> Result<&Self> {
        Ok(self)
    }

    fn check(self) -> Result<Self> {
        Ok(self)
    }
}

type View<'a> = DataView<'a, f64, f64, Ix1>;
type Inner = MlpRegressorParams;

impl FitRows<f64, f64, Ix1> for Recorded {
    type Object = MlpRegressor<f64, Ix1>;
    type Prepared = ();

    fn check(&self) -> Result<()> {
        FitRows::<f64, f64, Ix1>::check(&self.0)
    }

    fn prepare(data: &View<'_>) -> Result<()> {
        <Inner as FitRows<f64, f64, Ix1>>::prepare(data)
    }

    fn fit_rows(
        &self,
        data: &View<'_>,
        (): &(),
        rows: &[usize],
        context: &FitContext<'_>,
    ) -> Result<Self::Object> {
        self.0.fit_rows(data, &(), rows, context)
    }

    fn predict_rows(&self, model: &Self::Object, data: &View<'_>, rows: &[usize]) -> Result<Array1<f64>> {
        self.0.predict_rows(model, data, rows)
    }
}

impl ContinueRows<f64, f64, Ix1> for Recorded {
    type State = <Inner as ContinueRows<f64, f64, Ix1>>::State;

    fn begin(
        &self,
        data: &View<'_>,
        (): &(),
        rows: &[usize],
        goal: Goal,
        context: &FitContext<'_>,
    ) -> Result<Self::State> {
        self.0.begin(data, &(), rows, goal, context)
    }

    fn advance(
        &self,
        state: &mut Self::State,
        data: &View<'_>,
        (): &(),
        rows: &[usize],
        goal: Goal,
        context: &FitContext<'_>,
    ) -> Result<()> {
        self.0.advance(state, data, &(), rows, goal, context)?;
        let bytes = ContinueRows::<f64, f64, Ix1>::state_to_bytes(&self.0, state)?;
        // What is written and read goes on as well as what is kept.
        *state = ContinueRows::<f64, f64, Ix1>::state_from_bytes(&self.0, &bytes)?;
        self.1.lock().unwrap().push((context.candidate(), context.fold(), bytes));
        Ok(())
    }

    fn model(&self, state: &Self::State, (): &()) -> Result<Self::Object> {
        self.0.model(state, &())
    }

    fn state_to_bytes(&self, state: &Self::State) -> Result<Vec<u8>> {
        ContinueRows::<f64, f64, Ix1>::state_to_bytes(&self.0, state)
    }

    fn state_from_bytes(&self, bytes: &[u8]) -> Result<Self::State> {
        ContinueRows::<f64, f64, Ix1>::state_from_bytes(&self.0, bytes)
    }
}

#[test]
fn survivors_have_the_bytes_of_fits_that_never_stopped() {
    let data = regression(47);
    let with_callbacks = params().validation_split(0.2).callback(EarlyStopping::default().patience(100));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let search = HalvingSearch::<_, f64, f64>::new(Recorded(with_callbacks.clone(), Arc::clone(&seen)))
        .axis("learning_rate", RATES, |Recorded(p, seen), rate| Recorded(p.optimizer(Adam::new(rate)), seen))
        .resource(Epochs { min: 1, max: 18 })
        .cv(KFold::new(3).shuffle(2));
    let found = search.fit_continuing(&data).unwrap();
    assert_eq!(counts(found.rungs()), [(9, 2), (3, 6), (1, 18)]);
    let seen = seen.lock().unwrap();
    let winner = found.rungs()[2].candidates[0];
    for (fold, split) in found.splits().iter().enumerate() {
        let train = Dataset::new(
            data.records.select(Axis(0), &split.train),
            data.targets.select(Axis(0), &split.train),
        );
        let straight =
            with_callbacks.clone().optimizer(Adam::new(RATES[winner])).epochs(18).fit(&train).unwrap();
        let last = seen.iter().rfind(|(c, f, _)| (*c, *f) == (winner, Some(fold))).unwrap();
        assert!(straight.run().to_bytes().unwrap() == last.2, "fold {fold}");
    }
    // The refit is a straight one too, and as long as the resource, not as the builder says.
    let straight = with_callbacks.optimizer(Adam::new(RATES[winner])).epochs(18).fit(&data).unwrap();
    assert_eq!(found.best_index(), Some(winner));
    let refitted = found.best_model().unwrap().model();
    assert!(refitted.run().to_bytes().unwrap() == straight.run().to_bytes().unwrap());
}

#[test]
fn every_update_is_made_once() {
    let updates = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&updates);
    let count = OnBatchEnd::new(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    let search = halving(params().callback(count)).resource(Epochs { min: 1, max: 9 }).refit(false);
    let found = search.fit(&regression(30)).unwrap();
    assert_eq!(counts(found.rungs()), [(9, 1), (3, 3), (1, 9)]);
    // 20 training rows in batches of 8 are 3 updates an epoch, in 3 folds; a rung adds what the one before has not done.
    let increments = 9 + 3 * (3 - 1) + (9 - 3);
    assert_eq!(updates.load(Ordering::SeqCst), increments * 3 * 3);
    for row in found.results().rows() {
        let epochs = [1, 3, 9][row.rung];
        assert_eq!((row.epochs, row.updates), (Some(epochs), Some(3 * epochs as u64)));
        assert_eq!(row.resource, Some(epochs as u64));
        assert_eq!(row.curve.as_ref().unwrap().get("loss").unwrap().len(), epochs);
    }
}

#[test]
fn a_rung_scores_what_a_grid_search_of_its_length_scores() {
    let data = regression(40);
    let found = halving(params()).resource(Epochs { min: 2, max: 18 }).fit(&data).unwrap();
    for rung in found.rungs() {
        let grid = GridSearch::new(params().epochs(rung.resource as usize))
            .axis("learning_rate", RATES, |p, rate| p.optimizer(Adam::new(rate)))
            .scorers([Scorer::neg_mean_squared_error(), Scorer::r2()])
            .cv(KFold::new(3).shuffle(2))
            .fit(&data)
            .unwrap();
        let of_rung = found.results().rows().iter().filter(|row| row.rung == rung.rung);
        for row in of_rung {
            let twin = &grid.results().rows()[row.candidate * 3 + row.fold];
            assert_eq!((bits(row), &row.curve), (bits(twin), &twin.curve));
        }
        // The best third goes on.
        let ranked: Vec<usize> = grid.results().ranked(0).iter().map(|c| c.candidate).collect();
        let mut best: Vec<usize> =
            ranked.into_iter().filter(|c| rung.candidates.contains(c)).take(rung.promoted.len()).collect();
        best.sort_unstable();
        assert_eq!(rung.promoted, best);
    }
    assert_eq!(found.best_index(), found.rungs().last().unwrap().candidates.first().copied());
}

#[test]
fn rungs_are_the_same_for_any_number_of_threads_and_order_of_tasks() {
    let data = regression(41);
    let search = || {
        halving(params())
            .preprocess(LinearScaler::standard())
            .scale_targets(TargetScaling::Standard)
            .resource(Epochs { min: 1, max: 12 })
            .replicates(2)
    };
    let mut seen = Vec::new();
    for threads in [1, 2, 3, 8] {
        let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap());
        let found = search().pool(pool).fit(&data).unwrap();
        let bytes = found.best_model().unwrap().model().run().to_bytes().unwrap();
        seen.push((without_times(found.results()), found.rungs().to_vec(), bytes));
    }
    for seed in 0..3 {
        let found = search().executor(Shuffled(seed)).fit(&data).unwrap();
        let bytes = found.best_model().unwrap().model().run().to_bytes().unwrap();
        seen.push((without_times(found.results()), found.rungs().to_vec(), bytes));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn updates_pause_in_the_middle_of_an_epoch() {
    let data = regression(30);
    let found = halving(params()).resource(Updates { min: 1, max: 45 }).fit(&data).unwrap();
    assert_eq!(counts(found.rungs()), [(9, 5), (3, 15), (1, 45)]);
    // 3 updates an epoch: 5 are 1 epoch and a part of the next, 45 are 15.
    let seen: Vec<_> = found.results().rows().iter().map(|row| (row.rung, row.updates, row.epochs)).collect();
    assert!(seen.iter().all(|row| [
        (0, Some(5), Some(1)),
        (1, Some(15), Some(5)),
        (2, Some(45), Some(15))
    ]
    .contains(row)));
    let winner = found.best_index().unwrap();
    let grid = GridSearch::new(params().epochs(15))
        .axis("learning_rate", [RATES[winner]], |p, rate| p.optimizer(Adam::new(rate)))
        .cv(KFold::new(3).shuffle(2))
        .fit(&data)
        .unwrap();
    assert_eq!(found.results().test_scores(winner, 1), grid.results().test_scores(0, 0));
}

#[test]
fn candidates_that_diverge_never_go_on() {
    let data = regression(30);
    let search = |rates: Vec<f64>| {
        HalvingSearch::new(params())
            .axis("rate", rates, |p: MlpRegressorParams, rate| p.optimizer(Sgd::new(rate)))
            .resource(Epochs { min: 1, max: 9 })
            .cv(KFold::new(3))
            .fit(&data)
    };
    let found = search(vec![1e200, 1e-3, 1e190, 1e180, 1e170, 1e-2, 1e160, 1e150, 1e140]).unwrap();
    // Three may go on, two can.
    assert_eq!(counts(found.rungs()), [(9, 1), (2, 3), (1, 9)]);
    assert_eq!(found.rungs()[0].promoted, [1, 5]);
    let rank = |candidate: usize| found.results().candidates()[candidate].test[0].rank;
    assert!(rank(0) > 2 && rank(1) <= 2 && rank(5) <= 2);
    let error = search(vec![1e200, 1e190, 1e180]).unwrap_err();
    assert!(matches!(error, Error::AllFitsFailed { fits: 9, .. }), "{error}");
}

#[test]
fn candidates_that_went_further_rank_before_those_that_scored_better_early() {
    let found = halving(params()).resource(Epochs { min: 1, max: 9 }).fit(&regression(40)).unwrap();
    let mut last = (u64::MAX, f64::INFINITY);
    for candidate in found.results().ranked(0) {
        let now = (candidate.resource.unwrap(), candidate.test[0].mean);
        assert!(now.0 < last.0 || (now.0 == last.0 && now.1 <= last.1));
        last = now;
        assert_eq!(candidate.fits, 3);
    }
    let table = found.results().to_string();
    assert!(table.contains("resource"), "{table}");
}

#[test]
fn any_linfa_estimator_can_be_halved_by_samples() {
    let diabetes = linfa_datasets::diabetes();
    let search = HalvingSearch::new(ElasticNet::params())
        .axis("penalty", [1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0], |p, v| p.penalty(v))
        .resource(Samples { min: 20, max: usize::MAX })
        .cv(KFold::new(3).shuffle(1))
        .preprocess(LinearScaler::standard());
    let found = search.fit(&diabetes).unwrap();
    assert_eq!(counts(found.rungs()), [(6, 98), (2, 294)]);
    for row in found.results().rows() {
        assert_eq!((row.train_rows as u64, row.test_rows), (row.resource.unwrap(), 147));
    }
    // The last rung has all rows: it scores what a grid search scores.
    let grid = GridSearch::new(ElasticNet::params())
        .axis("penalty", [1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0], |p, v| p.penalty(v))
        .cv(KFold::new(3).shuffle(1))
        .preprocess(LinearScaler::standard())
        .fit(&diabetes)
        .unwrap();
    let best = found.best_index().unwrap();
    assert_eq!(found.results().test_scores(best, 0), grid.results().test_scores(best, 0));
}

#[test]
fn samples_have_every_class_and_grow() {
    let iris = linfa_datasets::iris();
    let found = HalvingSearch::new(MlpClassifier::params().hidden_layer_sizes([4]).epochs(3))
        .axis("rate", [1e-3, 1e-2, 0.1], |p, rate| p.optimizer(Adam::new(rate)))
        .resource(Samples { min: 3, max: 90 })
        .cv(StratifiedKFold::new(3))
        .fit(&iris)
        .unwrap();
    assert_eq!(counts(found.rungs()), [(3, 30), (1, 90)]);
    // Here an estimator that continues fits anew: its own epochs count.
    assert!(found.results().rows().iter().all(|row| row.epochs == Some(3) && row.status.is_fitted()));
}

#[test]
fn impossible_rungs_are_refused_before_any_fit() {
    let estimator = Mean::params();
    let search = || {
        HalvingSearch::new(estimator.clone())
            .axis("shift", [0.0, 1.0], |p: Mean, shift| p.shift(shift))
            .cv(KFold::new(3))
    };
    let error = |search: HalvingSearch<Mean>| search.fit(&crate::toy::data(12)).unwrap_err().to_string();
    let cannot = "resource must be samples for an estimator whose fits cannot go on, but is epochs";
    assert_eq!(error(search()), cannot);
    assert_eq!(error(search().resource(Updates { min: 1, max: 9 })), cannot.replace("epochs", "updates"));
    assert_eq!(error(search().factor(1)), "factor must be at least 2, but is 1");
    for resource in [Samples { min: 0, max: 8 }, Samples { min: 9, max: 8 }, Samples { min: 1, max: 9 }] {
        assert!(error(search().resource(resource)).starts_with("resource: "));
    }
    let params = || halving(params());
    let data = regression(30);
    assert!(params().resource(Epochs { min: 0, max: 9 }).fit(&data).is_err());
    assert!(params().resource(Epochs { min: 1, max: 0 }).fit(&data).is_err());
    assert_eq!(estimator.fits(), 0);
}

#[test]
fn one_candidate_one_rung_and_a_huge_factor() {
    let data = regression(30);
    let one = HalvingSearch::new(params())
        .axis("rate", [1e-2], |p, rate| p.optimizer(Adam::new(rate)))
        .resource(Epochs { min: 1, max: 4 })
        .cv(KFold::new(2))
        .fit(&data)
        .unwrap();
    assert_eq!(counts(one.rungs()), [(1, 4)]);
    let wide = halving(params()).resource(Epochs { min: 1, max: 4 }).factor(usize::MAX).fit(&data).unwrap();
    assert_eq!(counts(wide.rungs()), [(9, 4)]);
    // A most that nobody could train is no reason to overflow.
    let modes = HalvingSearch::<_, f64, f64, Error>::new(Mean::params())
        .axis("mode", [Mode::Fit, Mode::Fail], |p: Mean, mode| p.mode(mode))
        .resource(Samples { min: 1, max: usize::MAX })
        .factor(2)
        .cv(KFold::new(2))
        .fit(&crate::toy::data(8))
        .unwrap();
    assert_eq!(modes.rungs()[0].promoted, [0]);
}

#[derive(Default)]
struct Watched(Mutex<Vec<(usize, usize, u64)>>);

struct Watch(Arc<Watched>);

impl SearchObserver for Watch {
    fn rung_started(&self, rung: &StartedRung) {
        self.0.0.lock().unwrap().push((rung.rung, rung.candidates.len(), rung.resource));
    }
}

#[test]
fn observers_hear_of_rungs() {
    let watched = Arc::new(Watched::default());
    let search = halving(params()).resource(Epochs { min: 1, max: 3 }).observer(Watch(Arc::clone(&watched)));
    search.fit(&regression(20)).unwrap();
    assert_eq!(*watched.0.lock().unwrap(), [(0, 9, 1), (1, 3, 3)]);
}

//! Several searches, as if each were a process, that share rows and states as bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use linfa::prelude::*;
use linfa_elasticnet::ElasticNet;
use linfa_mlp::estimator::MlpRegressorParams;
use linfa_mlp::model_selection::{
    CrossValidator, Digest, Epochs, Executor, FitRow, FitStore, FoldTasks, GridSearch, HalvingSearch,
    HyperbandSearch, Joined, KFold, LogUniform, Preprocess, RandomSearch, Scorer, Search, SearchObserver,
    SequentialSearch, SharedStore, StateOf, Strategy, Study, TargetScaling, Task, TaskKey, Work,
};
use linfa_mlp::optimizer::Adam;
use linfa_mlp::rng::Stream;
use linfa_mlp::{Error, MlpRegressor, Result};
use linfa_preprocessing::linear_scaling::{LinearScaler, LinearScalerParams};
use ndarray::{Array1, Array2, Ix1};

use crate::same_anywhere::without_times;

/// What all see: everything as text or bytes.
#[derive(Debug, Default)]
struct Board {
    study: Mutex<Option<String>>,
    /// A row, or none while somebody is at it.
    fits: Mutex<BTreeMap<String, Option<String>>>,
    states: Mutex<BTreeMap<String, Vec<u8>>>,
    /// How many states were read by another than the one that wrote them, in all.
    loads: Mutex<usize>,
}

/// One of those who share a board; each chooses its tasks by its own seed.
#[derive(Clone, Debug)]
struct Member {
    board: Arc<Board>,
    seed: u64,
    tag: Option<&'static str>,
}

impl SharedStore for Member {
    fn tag(&self) -> Option<&str> {
        self.tag
    }

    fn join(&self, study: &Study) -> Result<Joined> {
        let text = serde_json::to_string(study)?;
        let mut there = self.board.study.lock().unwrap();
        let there: Study = serde_json::from_str(there.get_or_insert(text))?;
        if let Some((what, there, here)) = study.difference(&there) {
            return Err(Error::parameter(what, here, there));
        }
        Ok(Joined { store: Arc::new(self.clone()), executor: Arc::new(self.clone()) })
    }
}

impl FitStore for Member {
    fn row(&self, task: &TaskKey, could_be: &dyn Fn(&FitRow) -> bool) -> Result<Option<FitRow>> {
        let fits = self.board.fits.lock().unwrap();
        let Some(Some(text)) = fits.get(&serde_json::to_string(task)?) else { return Ok(None) };
        let row = serde_json::from_str(text)?;
        assert!(could_be(&row));
        Ok(Some(row))
    }

    fn store_state(&self, of: StateOf, bytes: &[u8]) {
        let key = serde_json::to_string(&of).unwrap();
        self.board.states.lock().unwrap().insert(key, bytes.to_vec());
    }

    fn load_state(&self, of: StateOf) -> Option<Vec<u8>> {
        *self.board.loads.lock().unwrap() += 1;
        self.board.states.lock().unwrap().get(&serde_json::to_string(&of).unwrap()).cloned()
    }

    fn keep_states(&self, _: Option<usize>, promoted: &[Digest], dropped: &[Digest]) {
        assert!(dropped.iter().all(|digest| !promoted.contains(digest)));
        let gone = |key: &str| dropped.iter().any(|digest| key.contains(&digest.to_string()));
        self.board.states.lock().unwrap().retain(|key, _| !gone(key));
    }
}

impl Executor for Member {
    fn threads(&self) -> usize {
        1
    }

    fn store(&self) -> Option<&dyn SharedStore> {
        Some(self)
    }

    fn execute(&self, work: &dyn Work, done: &(dyn Fn(FitRow) + Sync)) -> Result<()> {
        let mut tasks: Vec<(FoldTasks, Task)> = Vec::new();
        for fold in work.folds() {
            tasks.extend(fold.tasks.iter().map(|&task| (fold.clone(), task)));
        }
        Stream::new(self.seed).shuffle(&mut tasks);
        while !tasks.is_empty() {
            let mut left = Vec::new();
            for (fold, task) in tasks {
                let key = serde_json::to_string(&work.key(task).expect("a shared task has a key"))?;
                let known = {
                    let mut fits = self.board.fits.lock().unwrap();
                    let known = fits.get(&key).cloned();
                    fits.entry(key.clone()).or_insert(None);
                    known
                };
                match known {
                    Some(Some(text)) => {
                        let row = work.restore(task, serde_json::from_str(&text)?);
                        done(row.expect("the row is of this task"));
                    }
                    Some(None) => left.push((fold, task)),
                    None => {
                        let row = work.open(&fold).fit(task);
                        assert!(work.counts(&row) && !work.is_stopped());
                        let text = serde_json::to_string(&row)?;
                        self.board.fits.lock().unwrap().insert(key, Some(text));
                        done(row);
                    }
                }
            }
            tasks = left;
            std::thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    }
}

fn data(n: usize) -> Dataset<f64, f64, Ix1> {
    let mut stream = Stream::new(9);
    let x = Array2::from_shape_simple_fn((n, 3), || 2.0 * stream.uniform() - 1.0);
    let y: Array1<f64> = x.rows().into_iter().map(|row| row[0] * row[1] - 0.5 * row[2]).collect();
    Dataset::new(x, y)
}

fn params() -> MlpRegressorParams {
    MlpRegressor::params().hidden_layer_sizes([4]).batch_size(8).seed(5).epochs(3)
}

/// Counts fits that started here and rows that came.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<(Vec<Task>, usize)>>);

impl SearchObserver for Seen {
    fn fit_started(&self, task: Task) {
        self.0.lock().unwrap().0.push(task);
    }

    fn fit_restored(&self, _: &FitRow) {
        self.0.lock().unwrap().1 += 1;
    }

    fn fit_finished(&self, _: &FitRow) {
        self.0.lock().unwrap().1 += 1;
    }
}

type Nets<S> = Search<S, MlpRegressorParams>;

fn bytes<S: Strategy>(search: &Nets<S>) -> Vec<u8> {
    let found = search.fit(&data(40)).unwrap();
    let mut bytes = without_times(found.results()).into_bytes();
    bytes.extend(found.best_model().unwrap().model().to_bytes().unwrap());
    bytes
}

/// Three members find what one search alone finds, and do every fit once.
fn three_find_the_same<S: Strategy>(search: impl Fn() -> Nets<S> + Sync) -> Arc<Board> {
    let alone = bytes(&search());
    let board = Arc::new(Board::default());
    let seen = Seen::default();
    std::thread::scope(|scope| {
        for seed in 0..3 {
            let member = Member { board: Arc::clone(&board), seed, tag: None };
            let (search, alone, seen) = (&search, &alone, seen.clone());
            scope.spawn(move || assert!(bytes(&search().executor(member).observer(seen)) == *alone));
        }
    });
    let fits = board.fits.lock().unwrap().len();
    let (started, rows) = &*seen.0.lock().unwrap();
    assert_eq!(started.len(), fits, "every fit is done once");
    assert!(*rows >= 3 * fits, "and every member hears of its row");
    assert!(started.iter().collect::<BTreeSet<_>>().len() == fits);
    assert!(board.states.lock().unwrap().is_empty(), "what nobody needs any more is forgotten");
    board.clone()
}

#[test]
fn members_of_a_shared_store_find_what_one_search_finds() {
    let rates = [1e-4, 1e-3, 0.003, 0.01, 0.03, 0.1];
    let climbs = || {
        HalvingSearch::new(params())
            .axis("rate", rates, |p, rate| p.optimizer(Adam::new(rate)))
            .resource(Epochs { min: 1, max: 9 })
            .preprocess(LinearScaler::standard())
            .scale_targets(TargetScaling::Standard)
            .cv(KFold::new(3).shuffle(2))
    };
    // With members that choose by different seeds, survivors change hands.
    let loads = (0..3).map(|_| *three_find_the_same(climbs).loads.lock().unwrap()).sum::<usize>();
    assert!(loads > 0);
    three_find_the_same(|| {
        GridSearch::new(params())
            .axis("rate", rates, |p, rate| p.optimizer(Adam::new(rate)))
            .cv(KFold::new(3))
    });
    let drawn = LogUniform::new(1e-4, 0.1);
    three_find_the_same(|| {
        let search = RandomSearch::new(params()).n_candidates(5).seed(7).cv(KFold::new(2));
        search.axis_from("rate", drawn, |p, rate| p.optimizer(Adam::new(rate)))
    });
    three_find_the_same(|| {
        let search = HyperbandSearch::new(params()).resource(Epochs { min: 1, max: 9 }).cv(KFold::new(2));
        search.axis_from("rate", drawn, |p, rate| p.optimizer(Adam::new(rate)))
    });
    three_find_the_same(|| {
        let search =
            SequentialSearch::new(params()).n_candidates(12).n_startup(6).parallel(2).cv(KFold::new(2));
        search.axis_from("rate", drawn, |p, rate| p.optimizer(Adam::new(rate)))
    });
}

#[test]
fn what_later_rounds_depend_on_belongs_to_the_study() {
    let name = |error: Error| match error {
        Error::Parameter { name, .. } => name,
        other => panic!("{other}"),
    };
    let member = || Member { board: Arc::default(), seed: 0, tag: None };
    let learning = |n_candidates: usize, parallel: usize, of: &Member| {
        let search = SequentialSearch::new(ElasticNet::params())
            .axis_from("penalty", LogUniform::new(1e-3, 1.0), |p, v| p.penalty(v))
            .n_candidates(n_candidates)
            .n_startup(3)
            .parallel(parallel)
            .cv(KFold::new(2));
        // The candidates to start with are the same.
        search.executor(of.clone()).fit(&data(12)).map(|_| ())
    };
    let board = member();
    learning(5, 1, &board).unwrap();
    learning(5, 1, &board).unwrap();
    assert_eq!(name(learning(6, 1, &board).unwrap_err()), "search space");
    assert_eq!(name(learning(5, 2, &board).unwrap_err()), "search space");

    // The scorer that decides who goes on.
    let halving = |scorer: &str, of: &Member| {
        let search = HalvingSearch::new(params())
            .axis("rate", [0.01, 0.1], |p, rate| p.optimizer(Adam::new(rate)))
            .resource(Epochs { min: 1, max: 3 })
            .scorers([Scorer::r2(), Scorer::neg_mean_absolute_error()])
            .cv(KFold::new(2));
        search.refit(scorer).executor(of.clone()).fit(&data(12)).map(|_| ())
    };
    let board = member();
    halving("r2", &board).unwrap();
    assert_eq!(name(halving("neg_mean_absolute_error", &board).unwrap_err()), "search space");

    // Steps of the same name.
    let scaled = |scaler: LinearScalerParams<f64>, of: &Member| {
        let search = GridSearch::new(ElasticNet::params())
            .axis("penalty", [0.1], |p, v| p.penalty(v))
            .preprocess_axis("scaling", [("some", Preprocess::by(scaler)), ("none", Preprocess::none())])
            .cv(KFold::new(2));
        search.executor(of.clone()).fit(&data(12)).map(|_| ())
    };
    let board = member();
    scaled(LinearScaler::standard(), &board).unwrap();
    scaled(LinearScaler::standard(), &board).unwrap();
    assert_eq!(name(scaled(LinearScaler::max_abs(), &board).unwrap_err()), "search space");
}

#[test]
fn another_study_a_journal_and_kept_folds_are_refused() {
    let member = Member { board: Arc::default(), seed: 0, tag: None };
    let search = |penalties: &[f64], member: &Member| {
        GridSearch::new(ElasticNet::params())
            .axis("penalty", penalties.to_vec(), |p, v| p.penalty(v))
            .cv(KFold::new(2))
            .executor(member.clone())
    };
    let name = |error: Error| match error {
        Error::Parameter { name, .. } => name,
        other => panic!("{other}"),
    };
    search(&[0.1], &member).fit(&data(12)).unwrap();
    search(&[0.1], &member).fit(&data(12)).unwrap();
    assert_eq!(name(search(&[0.2], &member).fit(&data(12)).unwrap_err()), "search space");
    assert_eq!(name(search(&[0.1], &member).fit(&data(13)).unwrap_err()), "records");
    let tagged = Member { tag: Some("v2"), ..member.clone() };
    assert_eq!(name(search(&[0.1], &tagged).fit(&data(12)).unwrap_err()), "tag");
    let empty = Member { tag: Some(""), ..member.clone() };
    assert_eq!(name(search(&[0.1], &empty).fit(&data(12)).unwrap_err()), "tag of the executor");
    let both = search(&[0.1], &member).journal("never.journal").fit(&data(12)).unwrap_err();
    assert_eq!(name(both), "journal");
    assert!(!std::path::Path::new("never.journal").exists());
    let validator = || CrossValidator::new().cv(KFold::new(2)).executor(member.clone());
    let kept = validator().run_keeping(&ElasticNet::params(), &data(12)).map(|_| ());
    assert_eq!(name(kept.unwrap_err()), "executor");
    let other = validator().run(&ElasticNet::params(), &data(12)).map(|_| ()).unwrap_err();
    assert!(matches!(other, Error::Parameter { .. }), "{other}");
}

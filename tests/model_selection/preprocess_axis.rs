//! Steps of the preprocessing as an axis: candidates with the same steps share what is fitted in a fold.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use linfa::prelude::*;
use linfa_elasticnet::{ElasticNet, ElasticNetParams};
use linfa_mlp::loss::{AnyLoss, BinaryCrossEntropy, MeanSquaredError};
use linfa_mlp::model_selection::{
    Epochs, GridSearch, HalvingSearch, KFold, Preprocess, RandomSearch, Scorer, TargetScaling,
};
use linfa_mlp::optimizer::Adam;
use linfa_mlp::{Error, MlpRegressor};
use linfa_preprocessing::linear_scaling::LinearScaler;
use ndarray::{Array2, ArrayBase, Data, Ix2, s};

/// Multiplies by a number, and counts how often it was fitted.
#[derive(Clone, Debug)]
struct Times(f64, Arc<AtomicUsize>);

#[derive(Clone, Debug)]
struct FittedTimes(f64);

impl<D: Data<Elem = f64>, T> Fit<ArrayBase<D, Ix2>, T, Error> for Times {
    type Object = FittedTimes;

    fn fit(&self, _: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<FittedTimes, Error> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Ok(FittedTimes(self.0))
    }
}

impl Transformer<Array2<f64>, Array2<f64>> for FittedTimes {
    fn transform(&self, x: Array2<f64>) -> Array2<f64> {
        x * self.0
    }
}

fn scalers() -> [(&'static str, Preprocess<f64>); 3] {
    [
        ("none", Preprocess::none()),
        ("standard", Preprocess::by(LinearScaler::standard())),
        ("min max", Preprocess::by(LinearScaler::min_max())),
    ]
}

type Grid<E> = GridSearch<ElasticNetParams<f64>, f64, f64, E>;

fn penalties<E>(search: Grid<E>) -> Grid<E> {
    search.axis("penalty", [0.01, 0.1], |p: ElasticNetParams<f64>, v| p.penalty(v))
}

#[test]
fn candidates_with_the_same_steps_share_them() {
    let counts = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let step = |place: usize, factor| Preprocess::by(Times(factor, Arc::clone(&counts[place])));
    let always = Arc::new(AtomicUsize::new(0));
    let search =
        GridSearch::new(ElasticNet::params()).preprocess(Times(2.0, Arc::clone(&always))).preprocess_axis(
            "factor",
            [("one", step(0, 1.0)), ("three", step(1, 3.0)), ("none", Preprocess::none())],
        );
    let found = penalties(search).cv(KFold::new(4)).fit(&linfa_datasets::diabetes()).unwrap();
    assert_eq!(found.results().candidates().len(), 6);
    let counts = counts.map(|count| count.load(Ordering::SeqCst));
    // Once for each fold, and once more where it is neither the first nor the refit's: the first fold is opened for the check.
    assert!(counts.iter().all(|fits| (4..=6).contains(fits)), "{counts:?}");
    assert!((12..=15).contains(&always.load(Ordering::SeqCst)));
    assert!(found.best_model().is_ok());
}

#[test]
fn each_candidate_is_what_it_would_be_with_its_step_alone() {
    let diabetes = linfa_datasets::diabetes();
    let base = || GridSearch::new(ElasticNet::params()).cv(KFold::new(5).shuffle(1));
    let all = penalties(base().preprocess_axis("scaling", scalers())).fit(&diabetes).unwrap();
    let alone = [
        penalties(base()),
        penalties(base().preprocess(LinearScaler::standard())),
        penalties(base().preprocess(LinearScaler::min_max())),
    ];
    let scores = |results: &linfa_mlp::model_selection::SearchResults, candidate| {
        results.test_scores(candidate, 0).iter().map(|score| score.to_bits()).collect::<Vec<_>>()
    };
    for (place, search) in alone.iter().enumerate() {
        let one = search.fit(&diabetes).unwrap();
        for penalty in 0..2 {
            assert_eq!(scores(all.results(), 2 * place + penalty), scores(one.results(), penalty));
        }
        // The refit has the winner's step.
        if all.best_index().map(|index| index / 2) == Some(place) {
            assert_eq!(all.predict(&diabetes), one.predict(&diabetes));
        }
    }
    let labels: Vec<String> =
        all.results().candidates().iter().map(|one| one.params.get("scaling").unwrap().to_string()).collect();
    assert_eq!(labels, ["none", "none", "standard", "standard", "min max", "min max"]);
}

#[test]
fn rungs_draws_journals_and_threads_know_the_steps() {
    let folder = tempfile::tempdir().unwrap();
    let diabetes = linfa_datasets::diabetes();
    let search = |journal: &str| {
        HalvingSearch::new(MlpRegressor::params().hidden_layer_sizes([4]).batch_size(64).seed(3))
            .preprocess_axis("scaling", scalers())
            .axis("rate", [0.003, 0.03], |p, rate| p.optimizer(Adam::new(rate)))
            .scale_targets(TargetScaling::Standard)
            .resource(Epochs { min: 1, max: 3 })
            .cv(KFold::new(3))
            .scorers([Scorer::r2()])
            .journal(folder.path().join(journal))
    };
    let scores = |found: &linfa_mlp::model_selection::SearchResults| {
        found.rows().iter().map(|row| (row.task(), row.test_scores[0].to_bits())).collect::<Vec<_>>()
    };
    let straight = search("one").fit(&diabetes).unwrap();
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let again = search(&format!("{threads} threads")).pool(Arc::new(pool)).fit(&diabetes).unwrap();
        assert_eq!(scores(again.results()), scores(straight.results()));
    }
    // What the journal has is not fitted again; a step that does something else under the same label is.
    let restored = search("one").fit(&diabetes).unwrap();
    assert_eq!(restored.results().rows(), straight.results().rows());
    let row = &straight.results().rows()[0];
    assert_eq!(restored.results().rows()[0].fit_seconds.to_bits(), row.fit_seconds.to_bits());

    let drawn = RandomSearch::new(ElasticNet::params())
        .preprocess_axis("scaling", scalers())
        .n_candidates(3)
        .distinct()
        .fit(&diabetes)
        .unwrap();
    assert_eq!(drawn.results().candidates().len(), 3, "steps tell candidates apart");
}

#[test]
fn a_changed_step_is_another_fit_and_wider_choices_reuse_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let diabetes = linfa_datasets::diabetes();
    let count = Arc::new(AtomicUsize::new(0));
    let search = |steps: Vec<(&'static str, f64)>| {
        let steps: Vec<_> = steps
            .into_iter()
            .map(|(label, factor)| (label, Preprocess::by(Times(factor, Arc::clone(&count)))))
            .collect();
        let search = GridSearch::new(ElasticNet::params()).preprocess_axis("factor", steps);
        penalties(search).cv(KFold::new(3)).journal(folder.path().join("journal")).fit(&diabetes).unwrap()
    };
    let same = |a: &linfa_mlp::model_selection::FitRow, b: &linfa_mlp::model_selection::FitRow| {
        a.fit_seconds.to_bits() == b.fit_seconds.to_bits() && a.test_scores == b.test_scores
    };
    let first = search(vec![("a", 2.0)]);
    let wider = search(vec![("a", 2.0), ("b", 5.0)]);
    let rows = |found: &linfa_mlp::model_selection::SearchResults| found.rows().to_vec();
    let (first, wider) = (rows(first.results()), rows(wider.results()));
    assert!(first.iter().zip(&wider).all(|(a, b)| same(a, b)), "found again");
    let changed = rows(search(vec![("a", 7.0)]).results());
    assert!(!first.iter().zip(&changed).any(|(a, b)| same(a, b)), "fitted anew");
}

#[test]
fn what_cannot_be_is_refused_before_the_first_fit() {
    let diabetes = linfa_datasets::diabetes();
    let base = || GridSearch::new(ElasticNet::params());
    let empty = base().preprocess_axis("scaling", []).fit(&diabetes).unwrap_err();
    assert!(matches!(empty, Error::Parameter { .. }), "{empty}");
    let twice = base().preprocess_axis("scaling", scalers()).preprocess_axis("scaling", scalers());
    assert!(matches!(twice.fit(&diabetes).unwrap_err(), Error::Parameter { .. }));
    let same_label = [("a", Preprocess::none()), ("a", Preprocess::by(LinearScaler::standard()))];
    let error = base().preprocess_axis("scaling", same_label).fit(&diabetes).unwrap_err();
    assert!(matches!(error, Error::Parameter { .. }), "{error}");
    // The data refuse a candidate behind each step: the first one is named.
    let losses: [(&str, AnyLoss); 2] =
        [("squares", MeanSquaredError.into()), ("entropy", BinaryCrossEntropy::default().into())];
    let search = GridSearch::new(MlpRegressor::params()).preprocess_axis("scaling", scalers()).axis_labelled(
        "loss",
        losses,
        |p, loss| p.loss(loss),
    );
    match search.fit(&diabetes).unwrap_err() {
        Error::Candidate { candidate: 1, params, .. } => assert_eq!(params, "scaling=none, loss=entropy"),
        other => panic!("{other}"),
    }
    let few = linfa::Dataset::new(
        diabetes.records.slice(s![..3, ..]).to_owned(),
        diabetes.targets.slice(s![..3]).to_owned(),
    );
    let failing = base().preprocess_axis("scaling", scalers()).cv(KFold::new(5)).fit(&few).unwrap_err();
    assert!(matches!(failing, Error::Parameter { .. } | Error::Split { .. }), "{failing}");
}

//! Rows of one study never become rows of another, and rows of the same one are found again.

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_elasticnet::{ElasticNet, ElasticNetParams};
use linfa_mlp::Error;
use linfa_mlp::callback::OnEpochEnd;
use linfa_mlp::metric::Direction;
use linfa_mlp::model_selection::{Estimate, GridSearch, Journal, KFold, Scorer, TargetScaling};
use linfa_mlp::prelude::*;
use linfa_preprocessing::linear_scaling::LinearScaler;
use ndarray::{Array1, Ix1};

use crate::program::{Counts, Nets, data, in_folder, nets, nets_of, run_nets, table};

/// What a search with that change is refused for after one `before` the change has written the journal.
fn refused(before: impl Fn(Nets) -> Nets, after: impl Fn(Nets) -> Nets) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    run_nets(before(nets(&path))).unwrap();
    assert_eq!(run_nets(before(nets(&path))).unwrap().1, 0, "the same search has nothing to do");
    what(run_nets(after(nets(&path))).unwrap_err())
}

/// What differs, when the error says so with both values.
fn what(error: Error) -> String {
    let text = error.to_string();
    let Error::OtherStudy { what, journal, search, .. } = error else { panic!("{text}") };
    assert!(journal != search && text.contains(&journal) && text.contains(&search), "{text}");
    assert!(text.contains("use another file"), "{text}");
    what
}

#[test]
fn other_rules_are_refused_with_both_values() {
    let of = |after: &dyn Fn(Nets) -> Nets| refused(|search| search, after);
    assert_eq!(of(&|search| search.cv(KFold::new(3))), "folds");
    assert_eq!(of(&|search| search.cv(KFold::new(2).shuffle(1))), "folds");
    assert_eq!(of(&|search| search.scorers([Scorer::neg_mean_squared_error()])), "scorers");
    assert_eq!(of(&|search| search.train_scores(true)), "training scores");
    assert_eq!(of(&|search| search.preprocess(LinearScaler::standard())), "preparation");
    assert_eq!(of(&|search| search.scale_targets(TargetScaling::MinMax)), "preparation");
}

#[test]
fn what_transformers_and_scorers_do_counts_and_not_their_names() {
    let standard = |search: Nets| search.preprocess(LinearScaler::standard());
    assert_eq!(refused(standard, |search| search.preprocess(LinearScaler::min_max())), "preparation");
    let scorer = |factor: f64| {
        Scorer::new("mine", Direction::Minimize, move |estimate: &Estimate<'_, f64>| {
            estimate.mean(|row| factor * (estimate.truth[(row, 0)] - estimate.prediction[(row, 0)]).abs())
        })
    };
    let by = |factor| move |search: Nets| search.scorers([scorer(factor)]);
    assert_eq!(refused(by(1.0), by(1.0 + 1e-15)), "scorers");
    // A scorer that cannot bear the test is still a scorer.
    let panics = |estimate: &Estimate<'_, f64>| {
        assert!(estimate.truth[(0, 0)] != estimate.prediction[(0, 0)], "too good to be true");
        1.0
    };
    let panics = move |search: Nets| search.scorers([Scorer::new("p", Direction::Minimize, panics)]);
    assert_eq!(refused(panics, |search| search), "scorers");
}

#[test]
fn other_data_weights_tags_and_ways_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let first =
        |dataset: &Dataset<f64, f64, Ix1>| nets(&path).fit(dataset).map(|found| table(found.results()));
    first(&data(12)).unwrap();
    let of = |dataset: &Dataset<f64, f64, Ix1>| what(first(dataset).unwrap_err());
    let mut changed = data::<f64>(12);
    changed.records[(11, 2)] += 1e-9;
    assert_eq!(of(&changed), "records");
    let mut changed = data::<f64>(12);
    changed.targets[0] += 1e-9;
    assert_eq!(of(&changed), "targets");
    assert_eq!(of(&data(13)), "records");
    assert_eq!(of(&data(12).with_weights(Array1::ones(12))), "sample weights");
    assert_eq!(of(&data(12).with_feature_names(vec!["a", "b", "c"])), "records");
    assert_eq!(what(run_nets(nets(Journal::at(&path).tag("v2"))).unwrap_err()), "tag");
    assert!(!first(&data(12)).unwrap().is_empty());

    let search = || {
        GridSearch::new(MlpRegressor::params().epochs(2))
            .axis("alpha", [0.0], |params, alpha| params.alpha(alpha))
            .cv(KFold::new(2))
            .journal(folder.path().join("ways"))
    };
    search().fit(&data::<f64>(12)).unwrap();
    assert_eq!(what(Fit::fit(&search(), &data::<f64>(12)).unwrap_err()), "way of training");
    let single = GridSearch::new(MlpRegressor::params().epochs(2))
        .axis("alpha", [0.0], |params, alpha| params.alpha(alpha))
        .cv(KFold::new(2))
        .journal(folder.path().join("ways"));
    assert_eq!(what(single.fit(&data::<f32>(12)).unwrap_err()), "records");
}

#[test]
fn a_wider_grid_in_any_order_fits_only_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    run_nets(nets_of([0.1, 0.5], &path)).unwrap();
    let (wide, fits) = run_nets(nets_of([0.9, 0.5, 0.2, 0.1], &path)).unwrap();
    assert_eq!(fits, 4);
    let alone = run_nets(nets_of([0.9, 0.5, 0.2, 0.1], folder.path().join("other"))).unwrap();
    assert_eq!((wide, 8), alone);
    assert_eq!(run_nets(nets_of([0.2], &path)).unwrap().1, 0, "and a narrower one fits nothing");
    // The same value twice is the same fit.
    assert_eq!(run_nets(nets_of([0.3, 0.3], &path)).unwrap().1, 4);
    assert_eq!(run_nets(nets_of([0.3, 0.3], &path)).unwrap().1, 0);
}

#[test]
fn a_candidate_whose_settings_changed_is_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let search = |prototype: ElasticNetParams<f64>| {
        GridSearch::new(prototype)
            .axis("penalty", [0.1, 0.5], |params, penalty| params.penalty(penalty))
            .cv(KFold::new(2))
            .journal(&path)
    };
    assert_eq!(run_nets(search(ElasticNet::params())).unwrap().1, 4);
    let (changed, fits) = run_nets(search(ElasticNet::params().l1_ratio(0.3))).unwrap();
    assert_eq!(fits, 4);
    let straight = GridSearch::new(ElasticNet::params().l1_ratio(0.3))
        .axis("penalty", [0.1, 0.5], |params, penalty| params.penalty(penalty))
        .cv(KFold::new(2));
    assert_eq!(changed, run_nets(straight).unwrap().0);
    // What the axis does with a value shows in the builder.
    let turned = GridSearch::new(ElasticNet::params())
        .axis("penalty", [0.1, 0.5], |params, penalty| params.penalty(1.0 - penalty))
        .cv(KFold::new(2))
        .journal(&path);
    assert_eq!(run_nets(turned).unwrap().1, 2, "1 - 0.5 is 0.5");
    assert_eq!(run_nets(search(ElasticNet::params())).unwrap().1, 0, "the first rows are still there");
}

#[test]
fn a_closure_that_nobody_can_see_needs_a_tag() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let fits = |journal: Journal| {
        let counts = Counts::default();
        let search = GridSearch::new(MlpRegressor::params().epochs(2).callback(OnEpochEnd::new(|_| Ok(()))))
            .axis("alpha", [0.0, 0.1], |params, alpha| params.alpha(alpha))
            .cv(KFold::new(2))
            .observer(counts.clone())
            .journal(journal);
        search.fit(&data::<f32>(12)).map(|_| counts.started())
    };
    let error = fits(Journal::at(&path)).unwrap_err();
    assert!(matches!(&error, Error::Parameter { name, .. } if name == "tag of the journal"), "{error}");
    assert!(error.to_string().contains("OnEpochEnd { .. }"), "{error}");
    assert_eq!(fits(Journal::at(&path).tag("v1")).unwrap(), 4);
    assert_eq!(fits(Journal::at(&path).tag("v1")).unwrap(), 0);
}

//! A search inside a cross-validation, with a journal: no inner fit and no winner's fit is done twice.

use std::fs;
use std::path::Path;

use linfa::traits::Fit;
use linfa_elasticnet::ElasticNet;
use linfa_mlp::Error;
use linfa_mlp::model_selection::{
    Epochs, GridSearch, HalvingSearch, KFold, NestedCrossValidation, Preprocess, RefitEpochs, TargetScaling,
    nested_cross_validate,
};
use linfa_mlp::optimizer::Adam;
use linfa_mlp::prelude::*;
use linfa_preprocessing::linear_scaling::LinearScaler;

use crate::program::{Counts, data, finished, in_folder, nets, table};

/// All that a nested cross-validation says, times aside.
fn bytes(nested: &NestedCrossValidation) -> String {
    let inner = nested.inner().iter().map(|inner| {
        let inner = inner.as_ref().expect("every inner search has a winner");
        format!("{} {}", inner.winner(), table(inner.results()))
    });
    let inner: Vec<String> = inner.collect();
    format!("{} {}", table(nested.outer().results()), inner.join(" "))
}

/// Starts a nested cross-validation from every `step`-th beginning of its journal.
fn goes_on(step: usize, run: impl Fn(&Path, Counts) -> NestedCrossValidation) {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let straight = bytes(&run(&path, Counts::default()));
    let whole = fs::read(&path).unwrap();
    let fits = finished(&path).len();
    let ends = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    for (rows, end) in ends.skip(1).enumerate().step_by(step).chain([(fits, whole.len())]) {
        fs::write(&path, &whole[..whole.len().min(end + 30)]).unwrap();
        let counts = Counts::default();
        assert!(bytes(&run(&path, counts.clone())) == straight, "after {rows} of {fits} rows");
        assert_eq!(finished(&path).len(), fits, "each fit once");
        assert_eq!(counts.started(), counts.finished());
        if rows == fits {
            assert_eq!((counts.started(), counts.restored()), (0, 3));
        }
    }
    assert!(!folder.path().join("a.journal.states").exists(), "nothing is left behind");
}

#[test]
fn a_nested_search_goes_on_from_every_line() {
    goes_on(3, |path, counts| {
        let search = GridSearch::new(ElasticNet::params())
            .axis("penalty", [0.1, 0.5, 2.0], |p, penalty| p.penalty(penalty))
            .preprocess_axis(
                "scaling",
                [("none", Preprocess::none()), ("standard", Preprocess::by(LinearScaler::standard()))],
            )
            .cv(KFold::new(2))
            .train_scores(true)
            .journal(path)
            .observer(counts);
        nested_cross_validate(&search, &data(30), &KFold::new(3).shuffle(1)).unwrap()
    });
}

#[test]
fn nested_halving_goes_on_too() {
    let params = || MlpRegressor::params().hidden_layer_sizes([4]).batch_size(8).seed(5);
    goes_on(5, |path, counts| {
        HalvingSearch::new(params())
            .axis("rate", [1e-3, 0.01, 0.03, 0.1], |p, rate| p.optimizer(Adam::new(rate)))
            .resource(Epochs { min: 1, max: 4 })
            .factor(2)
            .scale_targets(TargetScaling::Standard)
            .cv(KFold::new(2))
            .journal(path)
            .observer(counts)
            .nested_cross_validate(&data::<f64>(40), &KFold::new(3))
            .unwrap()
    });
    goes_on(5, |path, counts| {
        GridSearch::new(params().epochs(6).callback(EarlyStopping::default().patience(2)))
            .axis("rate", [0.01, 0.1], |p, rate| p.optimizer(Adam::new(rate)))
            .stopping_rows(0.3)
            .refit_epochs(RefitEpochs::max_best())
            .scale_targets(TargetScaling::Standard)
            .cv(KFold::new(2))
            .journal(path)
            .observer(counts)
            .nested_cross_validate(&data::<f64>(40), &KFold::new(3))
            .unwrap()
    });
}

#[test]
fn the_journal_of_a_search_is_not_that_of_a_nested_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    nets(&path).fit(&data::<f64>(12)).unwrap();
    let nested = nested_cross_validate(&nets(&path), &data::<f64>(12), &KFold::new(3)).unwrap_err();
    assert!(matches!(nested, Error::OtherStudy { .. }), "{nested}");
    let other = folder.path().join("nested");
    nested_cross_validate(&nets(&other), &data::<f64>(12), &KFold::new(3)).unwrap();
    let error = nested_cross_validate(&nets(&other), &data::<f64>(12), &KFold::new(2)).unwrap_err();
    assert!(matches!(&error, Error::OtherStudy { what, .. } if what == "folds"), "{error}");
    assert!(nets(&other).fit(&data::<f64>(12)).is_err());
}

//! The same engine for linfa's own estimators.

use linfa::prelude::*;
use linfa_elasticnet::{ElasticNet, MultiTaskElasticNet};
use linfa_linear::LinearRegression;
use linfa_logistic::{LogisticRegression, MultiLogisticRegression};
use linfa_mlp::Error;
use linfa_mlp::model_selection::{
    CrossValidator, GridSearch, KFold, Scorer, StratifiedKFold, TargetScaling, cross_val_score,
    cross_validate,
};
use linfa_preprocessing::linear_scaling::LinearScaler;
use linfa_svm::Svm;
use linfa_trees::{DecisionTree, SplitQuality};
use ndarray::Axis;

#[test]
fn elastic_nets_penalty_is_searched() {
    let diabetes = linfa_datasets::diabetes();
    let best = GridSearch::new(ElasticNet::params())
        .axis("penalty", [1e-4, 1e-3, 1.0], |p, v| p.penalty(v))
        .cv(KFold::new(10).shuffle(1))
        .fit(&diabetes)
        .unwrap();
    assert!(best.best_score().unwrap() > 0.4);
    assert_eq!(best.results().rows().iter().map(|row| row.test_rows).sum::<usize>(), 3 * 441);
    let predicted = best.best_model().unwrap().predict(&diabetes);
    assert!(predicted.r2(&diabetes).unwrap() > 0.45);
}

#[test]
fn several_targets_are_searched_by_a_multi_task_net() {
    let one = linfa_datasets::diabetes();
    let two = ndarray::stack(Axis(1), &[one.targets.view(), (&one.targets * -3.0 + 7.0).view()]).unwrap();
    let dataset = Dataset::new(one.records, two);
    let best = GridSearch::new(MultiTaskElasticNet::params())
        .axis("penalty", [0.1, 10.0], |p, v| p.penalty(v))
        .preprocess(LinearScaler::standard())
        .scale_targets(TargetScaling::Standard)
        .cv(KFold::new(4).shuffle(2))
        .fit(&dataset)
        .unwrap();
    assert!(best.best_score().unwrap() > 0.4);
    let predicted = best.best_model().unwrap().predict(&dataset);
    assert_eq!(predicted.dim(), (441, 2));
    let means = predicted.mean_axis(Axis(0)).unwrap() - dataset.targets.mean_axis(Axis(0)).unwrap();
    assert!(means.iter().all(|difference| difference.abs() < 1e-6), "{means}");
}

#[test]
fn linear_regression_without_a_guard_is_cross_validated() {
    let diabetes = linfa_datasets::diabetes();
    let scores =
        cross_validate(&LinearRegression::new(), &diabetes, &KFold::new(5), &[Scorer::r2()]).unwrap();
    for (score, split) in scores.test_scores("r2").unwrap().iter().zip(scores.splits()) {
        let part = |rows: &[usize]| {
            Dataset::new(diabetes.records.select(Axis(0), rows), diabetes.targets.select(Axis(0), rows))
        };
        let by_hand = LinearRegression::new().fit(&part(&split.train)).unwrap().predict(&part(&split.test));
        assert!((score - by_hand.r2(&part(&split.test)).unwrap()).abs() < 1e-9);
    }
}

#[test]
fn a_trees_depth_and_criterion_are_searched_on_labels() {
    let iris = linfa_datasets::iris();
    let best = GridSearch::new(DecisionTree::params())
        .axis("max_depth", [Some(1), Some(3), None], |p, depth| p.max_depth(depth))
        .axis_labelled(
            "quality",
            [("gini", SplitQuality::Gini), ("entropy", SplitQuality::Entropy)],
            |p, q| p.split_quality(q),
        )
        .fit(&iris)
        .unwrap();
    // Nothing was said: five stratified folds, scored by accuracy.
    assert_eq!(best.results().scorers()[0].name, "accuracy");
    assert!(best.splits().iter().all(|fold| fold.test.len() == 30));
    assert!(best.best_score().unwrap() > 0.9);
    assert_eq!(best.results().candidates()[1].params.to_string(), "max_depth=1, quality=entropy");
    assert_eq!(best.best_model().unwrap().predict(&iris).len(), 150);
}

#[test]
fn logistic_regression_classifies_text_labels() {
    let names = ["setosa", "versicolor", "virginica"];
    let iris = linfa_datasets::iris().map_targets(|&class| names[class].to_string());
    let best = GridSearch::new(MultiLogisticRegression::default().max_iterations(50))
        .axis("alpha", [0.1, 1.0], |p, v| p.alpha(v))
        .cv(StratifiedKFold::new(3).shuffle(1))
        .fit(&iris)
        .unwrap();
    assert!(best.best_score().unwrap() > 0.9);
    let binary = linfa_datasets::iris().map_targets(|&class| if class == 0 { "setosa" } else { "other" });
    let cv = StratifiedKFold::new(3);
    let scores = cross_val_score(&LogisticRegression::default(), &binary, &cv, &Scorer::accuracy()).unwrap();
    assert!(scores.iter().all(|&accuracy| accuracy > 0.95), "{scores:?}");
}

#[test]
fn support_vector_machines_classify_and_regress() {
    let wine = linfa_datasets::winequality().map_targets(|&quality| quality > 6);
    let best = GridSearch::new(Svm::<f64, bool>::params().gaussian_kernel(80.0))
        .axis("c", [1.0, 10.0], |p, c| p.pos_neg_weights(c, c))
        .cv(StratifiedKFold::new(2))
        .fit(&wine)
        .unwrap();
    assert!(best.best_score().unwrap() > 0.8);
    let diabetes = linfa_datasets::diabetes();
    let scores = CrossValidator::new()
        .cv(KFold::new(3).shuffle(1))
        .scale_targets(TargetScaling::Standard)
        .run(&Svm::<f64, f64>::params().c_svr(1.0, Some(0.1)).linear_kernel(), &diabetes)
        .unwrap();
    assert!(scores.mean_std("r2").unwrap().mean > 0.3, "{scores}");
}

#[test]
fn sorted_labels_in_plain_folds_are_refused() {
    let iris = linfa_datasets::iris();
    let trees = |allow| {
        CrossValidator::new()
            .cv(KFold::new(3))
            .allow_missing_classes(allow)
            .run(&DecisionTree::params(), &iris)
    };
    assert!(matches!(trees(false), Err(Error::ClassMissing { fold: 0, class }) if class == "0"));
    assert_eq!(trees(true).unwrap().test_scores("accuracy").unwrap(), [0.0; 3]);
}

#[test]
fn a_bad_candidate_of_linfa_is_named() {
    let diabetes = linfa_datasets::diabetes();
    let error = GridSearch::new(ElasticNet::params())
        .axis("penalty", [0.1, -1.0], |p, v| p.penalty(v))
        .fit(&diabetes)
        .unwrap_err();
    let Error::Candidate { candidate: 1, params, source } = &error else { panic!("{error}") };
    assert_eq!(params, "penalty=-1.0");
    assert!(source.downcast_ref::<linfa_elasticnet::ElasticNetError>().is_some());
}

#[test]
fn single_precision_is_searched_in_single_precision() {
    let diabetes = linfa_datasets::diabetes();
    let single = Dataset::new(diabetes.records.mapv(|v| v as f32), diabetes.targets.mapv(|v| v as f32));
    let best = GridSearch::new(ElasticNet::params())
        .axis("penalty", [0.1_f32, 1.0], |p, v| p.penalty(v))
        .scale_targets(TargetScaling::MinMax)
        .cv(KFold::new(3))
        .fit(&single)
        .unwrap();
    assert_eq!(best.best_model().unwrap().predict(&single).len(), 441);
    assert_eq!(best.results().candidates()[0].params.to_string(), "penalty=0.1");
}

//! Cross-validation of the toy estimator.

use linfa::prelude::*;
use linfa_mlp::Error;
use linfa_mlp::metric::Direction;
use linfa_mlp::model_selection::{
    CrossValidate, CrossValidator, FitStatus, KFold, Rows, Scorer, ShuffleSplit, Splitter, cross_val_score,
    cross_validate, cross_validate_by_rows,
};
use ndarray::{Array1, Array2, array};

use crate::toy::{Mean, Mode, data};

/// −mean |ŷ − y|, where ŷ is the mean of the training targets, worked out by hand.
fn by_hand(n: usize, k: usize) -> Vec<f64> {
    let folds = KFold::new(k).split(&Rows::new(n)).unwrap();
    let scores = folds.iter().map(|fold| {
        let mean = fold.train.iter().map(|&row| 2.0 * row as f64).sum::<f64>() / fold.train.len() as f64;
        -fold.test.iter().map(|&row| (2.0 * row as f64 - mean).abs()).sum::<f64>() / fold.test.len() as f64
    });
    scores.collect()
}

#[test]
fn scores_are_those_of_a_loop_by_hand() {
    let estimator = Mean::params();
    let scorer = Scorer::neg_mean_absolute_error();
    let scores =
        cross_validate(&estimator, &data(11), &KFold::new(3), std::slice::from_ref(&scorer)).unwrap();
    assert_eq!(scores.test_scores("neg_mean_absolute_error").unwrap(), by_hand(11, 3));
    let mean = scores.mean_std("neg_mean_absolute_error").unwrap().mean;
    assert_eq!(mean, by_hand(11, 3).iter().sum::<f64>() / 3.0);
    assert_eq!(estimator.fits(), 3);
    assert_eq!(cross_val_score(&estimator, &data(11), &KFold::new(3), &scorer).unwrap(), by_hand(11, 3));
    let by_rows =
        cross_validate_by_rows(&estimator, &data(11), &KFold::new(3), std::slice::from_ref(&scorer)).unwrap();
    assert_eq!(by_rows.test_scores("neg_mean_absolute_error"), Some(by_hand(11, 3)));
    let method = estimator.cross_validate(&data(11), &KFold::new(3), &[scorer]).unwrap();
    assert_eq!(method.test_scores("neg_mean_absolute_error"), Some(by_hand(11, 3)));
}

#[test]
fn rows_have_sizes_times_and_the_splitters_indices() {
    let scores = cross_validate(&Mean::params(), &data(11), &KFold::new(3), &[Scorer::r2()]).unwrap();
    assert_eq!(scores.splits(), KFold::new(3).split(&Rows::new(11)).unwrap());
    let sizes: Vec<_> = scores.rows().iter().map(|row| (row.fold, row.train_rows, row.test_rows)).collect();
    assert_eq!(sizes, [(0, 7, 4), (1, 7, 4), (2, 8, 3)]);
    assert!(scores.rows().iter().all(|row| row.fit_seconds >= 0.0 && row.score_seconds >= 0.0));
    assert!(scores.rows().iter().all(|row| row.status == FitStatus::Fitted && row.train_scores.is_none()));
    assert!(scores.train_scores("r2").is_none());
    let text = scores.to_string();
    assert_eq!(text.lines().count(), 6, "{text}");
}

#[test]
fn training_scores_come_when_asked_for() {
    let scores = CrossValidator::new()
        .cv(KFold::new(4))
        .scorers([Scorer::r2(), Scorer::neg_mean_squared_error()])
        .train_scores(true)
        .run(&Mean::params(), &data(12))
        .unwrap();
    // The mean of the training rows scores R² = 0 on them.
    assert!(scores.train_scores("r2").unwrap().iter().all(|r2| r2.abs() < 1e-12));
    assert_eq!(scores.train_scores("neg_mean_squared_error").map(|scores| scores.len()), Some(4));
    assert!(scores.train_scores("accuracy").is_none());
}

#[test]
fn several_scorers_give_what_each_gives_alone() {
    let scorers = [Scorer::r2(), Scorer::neg_mean_absolute_error(), Scorer::neg_root_mean_squared_error()];
    let cv = ShuffleSplit::new(4).test_size(0.3).seed(2);
    let together = cross_validate(&Mean::params(), &data(20), &cv, &scorers).unwrap();
    for scorer in scorers {
        let alone = cross_val_score(&Mean::params(), &data(20), &cv, &scorer).unwrap();
        assert_eq!(together.test_scores(scorer.name()), Some(alone));
    }
}

#[test]
fn weights_and_names_reach_the_training_rows_and_the_scores() {
    let weights: Array1<f32> = (0..8).map(|row| row as f32).collect();
    let dataset = data(8).with_weights(weights).with_feature_names(vec!["row"]);
    let estimator = Mean::params();
    let sum =
        Scorer::new("weight", Direction::Maximize, |e: &linfa_mlp::model_selection::Estimate<'_, f64>| {
            e.weights.map_or(f64::NAN, |weights| weights.iter().map(|&weight| f64::from(weight)).sum())
        });
    let scores = cross_validate(&estimator, &dataset, &KFold::new(2), &[sum]).unwrap();
    assert_eq!(scores.test_scores("weight").unwrap(), [6.0, 22.0]);
    let mut seen = estimator.0.seen.lock().unwrap().clone();
    seen.sort_by(|a, b| a.1[0].total_cmp(&b.1[0]));
    let names = vec!["row".to_string()];
    assert_eq!(seen[0], (4, vec![0.0, 1.0, 2.0, 3.0], names.clone()));
    assert_eq!(seen[1], (4, vec![4.0, 5.0, 6.0, 7.0], names));
}

#[test]
fn a_failing_fold_stops_no_other() {
    let estimator = Mean::params().mode(Mode::FailInFirstFold);
    let scores = cross_validate(&estimator, &data(9), &KFold::new(3), &[Scorer::r2()]).unwrap();
    assert!(
        matches!(&scores.rows()[0].status, FitStatus::Failed { message } if message.contains("first row"))
    );
    assert!(scores.rows()[1..].iter().all(|row| row.status.is_fitted()));
    let values = scores.test_scores("r2").unwrap();
    assert!(values[0].is_nan() && values[1].is_finite() && values[2].is_finite());
    assert!(scores.mean_std("r2").unwrap().mean.is_nan());
    assert_eq!(estimator.fits(), 3);
}

#[test]
fn all_folds_failing_is_an_error_with_the_first_cause() {
    for mode in [Mode::Fail, Mode::Diverge, Mode::Panic] {
        let estimator = Mean::params().mode(mode);
        let error = cross_validate(&estimator, &data(9), &KFold::new(3), &[Scorer::r2()]).unwrap_err();
        let Error::AllFitsFailed { fits: 3, source } = &error else { panic!("{error}") };
        let cause = source.downcast_ref::<Error>().expect("the estimator's own error");
        assert!(matches!(
            (mode, cause),
            (Mode::Fail, Error::Linfa(_))
                | (Mode::Diverge, Error::Diverged { epoch: 3, .. })
                | (Mode::Panic, Error::Panicked { what: "fit", .. })
        ));
    }
}

#[test]
fn what_is_wrong_from_the_start_starts_no_fit() {
    let estimator = Mean::params();
    let run = |dataset: &Dataset<f64, f64, ndarray::Ix1>, cv: &dyn Splitter, scorers: &[Scorer<f64>]| {
        cross_validate(&estimator, dataset, cv, scorers).unwrap_err()
    };
    let (nine, cv, r2) = (data(9), KFold::new(3), [Scorer::r2()]);
    assert!(matches!(run(&nine, &KFold::new(1), &r2), Error::Parameter { .. }));
    assert!(matches!(run(&nine, &KFold::new(10), &r2), Error::Split { .. }));
    assert!(matches!(run(&nine, &cv, &[]), Error::Parameter { name, .. } if name == "scorers"));
    assert!(
        matches!(run(&nine, &cv, &[Scorer::r2(), Scorer::r2()]), Error::Parameter { name, .. } if name == "scorers")
    );
    assert!(matches!(run(&data(0), &cv, &r2), Error::NoRows { array: "x" }));
    let short = Dataset::new(Array2::zeros((4, 1)), array![1.0, 2.0]);
    assert!(matches!(run(&short, &cv, &r2), Error::RowCount { array: "y", expected: 4, found: 2 }));
    let weights = data(9).with_weights(array![1.0]);
    assert!(matches!(run(&weights, &cv, &r2), Error::RowCount { array: "sample weights", .. }));
    let numbers = run(&nine, &linfa_mlp::model_selection::StratifiedKFold::new(3), &r2);
    assert!(matches!(numbers, Error::Split { .. }));
    let probabilities = run(&nine, &cv, &[Scorer::r2().with_probabilities()]);
    assert!(matches!(probabilities, Error::Parameter { name, .. } if name == "scorers"));
    assert_eq!(estimator.fits(), 0);
}

#[test]
fn groups_must_be_as_many_as_rows() {
    let result = CrossValidator::new().groups(["a", "b"]).run(&Mean::params(), &data(9));
    assert!(matches!(result, Err(Error::RowCount { array: "groups", expected: 9, found: 2 })));
}

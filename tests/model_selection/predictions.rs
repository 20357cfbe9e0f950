//! Out-of-fold predictions, and the models behind them.

use linfa::prelude::*;
use linfa_elasticnet::ElasticNet;
use linfa_mlp::model_selection::{
    CrossValidator, KFold, LeaveOneOut, LeavePOut, PredefinedSplit, RepeatedKFold, Rows, Scorer,
    ShuffleSplit, Split, Splitter, StratifiedKFold, TargetScaling, TimeSeriesSplit, cross_val_predict,
    cross_val_predict_by_rows, cross_val_predict_proba_by_rows, cross_validate,
};
use linfa_mlp::optimizer::Adam;
use linfa_mlp::{Error, MlpClassifier};
use linfa_preprocessing::linear_scaling::LinearScaler;
use ndarray::{Array1, Axis};

use crate::toy::{Mean, Mode, data};

#[test]
fn every_row_is_predicted_by_the_model_that_has_not_seen_it() {
    let cv = KFold::new(4).shuffle(5);
    let mut by_hand = Array1::zeros(11);
    for fold in cv.split(&Rows::new(11)).unwrap() {
        let mean = fold.train.iter().map(|&row| 2.0 * row as f64).sum::<f64>() / fold.train.len() as f64;
        fold.test.iter().for_each(|&row| by_hand[row] = mean);
    }
    let estimator = Mean::params();
    assert_eq!(cross_val_predict(&estimator, &data(11), &cv).unwrap(), by_hand);
    assert_eq!(estimator.fits(), 4);
    assert_eq!(cross_val_predict_by_rows(&estimator, &data(11), &cv).unwrap(), by_hand);
    // R² of one row is undefined, which is no reason to have no predictions.
    assert_eq!(cross_val_predict(&estimator, &data(5), &LeaveOneOut).unwrap()[0], 5.0);
}

#[test]
fn splitters_that_do_not_score_each_row_once_are_refused_before_the_first_fit() {
    let estimator = Mean::params();
    let splitters: [&dyn Splitter; 5] = [
        &ShuffleSplit::new(3),
        &RepeatedKFold::new(3, 2),
        &TimeSeriesSplit::new(3),
        &LeavePOut::new(2),
        &PredefinedSplit::new((0..12).map(|row| (row > 3).then_some(row % 2))),
    ];
    for splitter in splitters {
        let error = cross_val_predict(&estimator, &data(12), splitter).unwrap_err();
        assert!(matches!(&error, Error::Split { splitter: name, .. } if name == splitter.name()), "{error}");
        assert!(matches!(
            cross_val_predict_by_rows(&estimator, &data(12), splitter),
            Err(Error::Split { .. })
        ));
    }
    assert_eq!(estimator.fits(), 0);
    let kept = CrossValidator::new().cv(RepeatedKFold::new(3, 2)).run_keeping(&estimator, &data(12)).unwrap();
    assert!(kept.model(5).is_some() && kept.prediction(5).is_some());
    assert!(matches!(kept.out_of_fold(), Err(Error::Split { .. })));
}

#[test]
fn a_failed_fold_has_no_predictions_and_says_why() {
    let estimator = Mean::params().mode(Mode::FailInFirstFold);
    let error = cross_val_predict(&estimator, &data(9), &KFold::new(3)).unwrap_err();
    assert!(matches!(&error, Error::FoldFailed { fold: 0, .. }), "{error}");
    assert!(error.to_string().contains("first row"), "{error}");
    let kept = CrossValidator::new().cv(KFold::new(3)).run_keeping(&estimator, &data(9)).unwrap();
    assert!(kept.model(0).is_none() && kept.model(1).is_some());
    assert_eq!(kept.into_models().iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, true]);
    let all = cross_val_predict(&Mean::params().mode(Mode::Panic), &data(9), &KFold::new(3));
    assert!(matches!(all, Err(Error::AllFitsFailed { fits: 3, .. })));
}

#[test]
fn scores_models_and_predictions_come_from_one_pass() {
    let diabetes = linfa_datasets::diabetes();
    let (params, cv) = (ElasticNet::params().penalty(0.1), KFold::new(5).shuffle(2));
    let validator = || {
        CrossValidator::new()
            .cv(cv)
            .preprocess(LinearScaler::standard())
            .scale_targets(TargetScaling::Standard)
            .scorers([Scorer::r2()])
    };
    let kept = validator().run_keeping(&params, &diabetes).unwrap();
    let alone = validator().run(&params, &diabetes).unwrap();
    assert_eq!(kept.scores().test_scores("r2"), alone.test_scores("r2"));
    let out_of_fold = kept.out_of_fold().unwrap();
    for (fold, split) in kept.scores().splits().iter().enumerate() {
        // The model is behind its scaling: it reads raw records and gives raw units.
        let model = kept.model(fold).unwrap();
        let predicted = model.predict(&diabetes.records.select(Axis(0), &split.test));
        assert_eq!(predicted, out_of_fold.select(Axis(0), &split.test));
        assert_eq!(Some(&predicted), kept.prediction(fold));
        assert!(kept.probabilities(fold).is_none());
    }
    assert!(matches!(kept.out_of_fold_probabilities(), Err(Error::FoldFailed { what: "probabilities", .. })));
}

#[test]
fn several_outputs_and_text_labels_are_predicted() {
    let one = linfa_datasets::diabetes();
    let two = ndarray::stack(Axis(1), &[one.targets.view(), (&one.targets * 2.0).view()]).unwrap();
    let dataset = Dataset::new(one.records, two);
    let params = linfa_elasticnet::MultiTaskElasticNet::params();
    assert_eq!(cross_val_predict(&params, &dataset, &KFold::new(3)).unwrap().dim(), (441, 2));

    let names = ["setosa", "versicolor", "virginica"];
    let iris = linfa_datasets::iris().map_targets(|&class| names[class].to_string());
    let params = linfa_logistic::MultiLogisticRegression::default().max_iterations(30);
    let labels = cross_val_predict(&params, &iris, &StratifiedKFold::new(3)).unwrap();
    let right = labels.iter().zip(&iris.targets).filter(|(a, b)| a == b).count();
    assert!(right > 135, "{right}");
}

#[test]
fn probabilities_are_those_of_each_folds_model() {
    let iris = linfa_datasets::iris();
    let cv = StratifiedKFold::new(3).shuffle(1);
    let params =
        MlpClassifier::params().hidden_layer_sizes([6]).optimizer(Adam::new(0.02)).epochs(15).seed(4);
    let proba = params.cross_val_predict_proba(&iris, &cv).unwrap();
    assert_eq!(proba, cross_val_predict_proba_by_rows(&params, &iris, &cv).unwrap());
    assert_eq!((&proba.classes[..], proba.values.dim()), (&[0, 1, 2][..], (150, 3)));
    let labels = params.cross_val_predict(&iris, &cv).unwrap();
    // The general way gathers the rows of a fold and comes to the same bits.
    assert_eq!(labels, cross_val_predict(&params, &iris, &cv).unwrap());
    let kept = CrossValidator::new().cv(cv).run_keeping_by_rows(&params, &iris).unwrap();
    for (fold, split) in kept.scores().splits().iter().enumerate() {
        let model = kept.model(fold).unwrap().model();
        let of_fold = model.predict_proba(&iris.records.select(Axis(0), &split.test)).unwrap();
        assert_eq!(of_fold, proba.values.select(Axis(0), &split.test));
        for (&row, proba) in split.test.iter().zip(of_fold.rows()) {
            let best = (0..3).fold(0, |best, class| if proba[class] > proba[best] { class } else { best });
            assert_eq!(labels[row], best);
        }
    }
    let no_proba = cross_val_predict_proba_by_rows(&Mean::params(), &data(9), &KFold::new(3));
    assert!(matches!(no_proba, Err(Error::Parameter { .. })));
}

#[test]
fn given_folds_and_an_exhausted_splitter_are_told_apart() {
    let folds = KFold::new(3).split(&Rows::new(9)).unwrap();
    let given = cross_val_predict(&Mean::params(), &data(9), &folds).unwrap();
    assert_eq!(given, cross_val_predict(&Mean::params(), &data(9), &KFold::new(3)).unwrap());
    let estimator = Mean::params();
    let none = cross_validate(&estimator, &data(9), &Vec::<Split>::new(), &[Scorer::r2()]);
    assert!(matches!(none, Err(Error::Split { .. })));
    assert_eq!(estimator.fits(), 0);
}

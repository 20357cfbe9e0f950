//! Class weights: laws, and what they leave alone.

use linfa::Dataset;
use linfa::prelude::*;
use linfa_mlp::estimator::MlpClassifierParams;
use linfa_mlp::model_selection::{GridSearch, Scorer, StratifiedKFold, cross_validate};
use linfa_mlp::prelude::{Accuracy, Dense, Sequential, Softmax, SparseCategoricalCrossEntropy};
use linfa_mlp::train::{ClassWeight, Training};
use linfa_mlp::{Error, MlpClassifier, optimizer::Sgd};
use ndarray::{Array1, Axis};

use crate::data::{bits, classifier, clouds, named, pair};

/// Full batches in their order: then a sum over rows is what a step sees.
fn full() -> MlpClassifierParams {
    let params = MlpClassifier::params().hidden_layer_sizes([5]).optimizer(Sgd::new(0.3));
    params.batch_size(1000).shuffle(false).epochs(20)
}

fn close(a: &MlpClassifier<f64, usize>, b: &MlpClassifier<f64, usize>) {
    for ((name, a), (_, b)) in a.network().tensors().zip(b.network().tensors()) {
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-12), "{name}: {a} {b}");
    }
}

#[test]
fn class_weight_2_is_every_row_of_the_class_twice() {
    let data = clouds(31);
    let twice: Vec<usize> = (0..31).chain((0..31).filter(|row| data.targets[*row] == 1)).collect();
    let repeated = Dataset::new(data.records.select(Axis(0), &twice), data.targets.select(Axis(0), &twice));
    let heavy = full().class_weight(ClassWeight::given([(1, 2.0)])).fit(&data).unwrap();
    let repeated = full().fit(&repeated).unwrap();
    close(&heavy, &repeated);
    let (a, b) = (heavy.history()["loss"][19], repeated.history()["loss"][19]);
    assert!((a - b).abs() < 1e-12, "{a} {b}");
}

#[test]
fn a_class_of_weight_0_is_not_trained_on() {
    let data = clouds(30);
    let rest: Vec<usize> = (0..30).filter(|row| data.targets[*row] != 2).collect();
    let model = classifier().class_weight(ClassWeight::given([(2, 0.0)])).fit(&data).unwrap();
    assert_eq!(model.history().n_training_rows(), 20);
    // The same rows, with a network of three classes.
    let first = classifier().epochs(1).class_weight(ClassWeight::given([(2, 0.0)])).fit(&data).unwrap();
    let part = Dataset::new(data.records.select(Axis(0), &rest), data.targets.select(Axis(0), &rest));
    let go_on = classifier().check_unwrap().fit_with(Some(first), &part).unwrap();
    assert_eq!(bits(go_on.network()), bits(model.network()));
}

#[test]
fn a_row_weighs_the_product_of_its_weight_and_that_of_its_class() {
    let weights = Array1::from_shape_fn(36, |row| 0.5 + (row % 5) as f32);
    let data = clouds(36).with_weights(weights.clone());
    let product = Array1::from_shape_fn(36, |row| weights[row] * [1.0, 0.25, 4.0][data.targets[row]]);
    let by_class = classifier().class_weight(ClassWeight::given([(1, 0.25), (2, 4.0)])).fit(&data).unwrap();
    let by_row = classifier().fit(&clouds(36).with_weights(product)).unwrap();
    assert_eq!(bits(by_class.network()), bits(by_row.network()));
    assert_eq!(by_class.history()["loss"], by_row.history()["loss"]);
}

#[test]
fn balanced_is_the_formula_over_the_training_rows_and_their_weights() {
    // The last quarter is held out: 7, 7 and 7 rows of three classes with unlike weights are left.
    let weights = Array1::from_shape_fn(28, |row| [1.0, 2.0, 4.0, 0.0][row % 4]);
    let data = clouds(28).with_weights(weights.clone());
    let mut masses = [0.0; 3];
    (0..21).for_each(|row| masses[data.targets[row]] += f64::from(weights[row]));
    let total: f64 = masses.iter().sum();
    let given = (0..3).map(|class| (class, total / (3.0 * masses[class])));
    let params = classifier().validation_split(0.25);
    let balanced = params.clone().class_weight(ClassWeight::Balanced).fit(&data).unwrap();
    let given = params.class_weight(ClassWeight::given(given)).fit(&data).unwrap();
    assert_eq!(balanced.to_bytes().unwrap(), given.to_bytes().unwrap());
    // Classes of one size weigh 1.
    let even = classifier().class_weight(ClassWeight::Balanced).fit(&clouds(30)).unwrap();
    assert_eq!(even.to_bytes().unwrap(), classifier().fit(&clouds(30)).unwrap().to_bytes().unwrap());
}

#[test]
fn a_rare_class_is_found_when_it_is_balanced() {
    let data = pair(400);
    let found = |params: MlpClassifierParams| {
        params.epochs(20).fit(&data).unwrap().predict(&data).iter().filter(|yes| **yes).count()
    };
    let (plain, balanced) = (found(classifier()), found(classifier().class_weight(ClassWeight::Balanced)));
    assert!(balanced > plain + 30, "{plain} {balanced}");
    let given = found(classifier().class_weight(ClassWeight::given([(true, 3.0)])));
    assert!(given > plain + 30, "{plain} {given}");
}

#[test]
fn validation_and_metrics_know_nothing_of_them() {
    // At a rate of next to nothing the weights stay where they are: what is reported is of one and the same network.
    let data = pair(60);
    let params = classifier().optimizer(Sgd::new(1e-300)).epochs(1).validation_split(0.3);
    let plain = params.clone().fit(&data).unwrap();
    let weighted = params.class_weight(ClassWeight::given([(true, 5.0)])).fit(&data).unwrap();
    let last = |model: &MlpClassifier<f64, bool>, name| model.history().last(name).unwrap();
    for name in ["accuracy", "val_loss", "val_accuracy"] {
        assert_eq!(last(&plain, name), last(&weighted, name), "{name}");
    }
    assert!((last(&plain, "loss") - last(&weighted, "loss")).abs() > 1e-3);
}

#[test]
fn a_model_weighs_classes_by_index_as_the_estimator_does() {
    let data = clouds(45);
    let y = data.targets.mapv(|class| class as f64).insert_axis(Axis(1));
    let mut model = Sequential::new()
        .add(Dense::new(3).activation(Softmax))
        .compile(3, Sgd::new(0.1), SparseCategoricalCrossEntropy, [Accuracy])
        .unwrap();
    let weight = ClassWeight::given([(0, 3.0), (2, 0.5)]);
    let training = Training::epochs(4).batch_size(8).class_weight(weight.clone());
    model.fit(&data.records, &y, &training).unwrap();
    let params = MlpClassifier::params().hidden_layer_sizes([]).alpha(0.0).optimizer(Sgd::new(0.1));
    let estimator = params.batch_size(8).epochs(4).class_weight(weight).fit(&data).unwrap();
    assert_eq!(bits(model.network()), bits(estimator.network()));
}

#[test]
fn weights_for_classes_that_are_not_there_are_refused() {
    let message = |weight: ClassWeight| match classifier().class_weight(weight).fit(&named(30)) {
        Err(error @ Error::Parameter { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        message(ClassWeight::given([("rot", 2.0), ("gelb", 1.0)])),
        "class_weight must be for classes there are (blau, grün, rot), but is for gelb"
    );
    for weight in [-1.0, f64::NAN, f64::INFINITY] {
        let expected = format!("the class weight of rot must be finite and at least 0, but is {weight}");
        assert_eq!(message(ClassWeight::given([("rot", weight)])), expected);
        assert!(classifier().class_weight(ClassWeight::given([("rot", weight)])).check().is_err());
    }
    let none = classifier().class_weight(ClassWeight::given([("rot", 0.0), ("grün", 0.0), ("blau", 0.0)]));
    assert!(matches!(none.fit(&named(30)), Err(Error::NoRows { .. })));
}

#[test]
fn in_a_search_every_fold_is_weighed_by_its_training_rows() {
    let data = pair(90);
    let params = classifier().class_weight(ClassWeight::Balanced).threshold(0.4).validation_split(0.1);
    let (cv, scorers) = (StratifiedKFold::new(3), [Scorer::accuracy()]);
    let fast = params.cross_validate(&data, &cv, &scorers).unwrap();
    let general = cross_validate(&params, &data, &cv, &scorers).unwrap();
    assert_eq!(fast.test_scores("accuracy"), general.test_scores("accuracy"));
    let plain = classifier().validation_split(0.1).cross_validate(&data, &cv, &scorers).unwrap();
    assert_ne!(fast.test_scores("accuracy"), plain.test_scores("accuracy"));

    let search =
        GridSearch::new(params.clone()).axis("alpha", [0.1, 0.0], |params, alpha| params.alpha(alpha));
    let found = search.cv(cv).fit(&data).unwrap();
    let best = found.best_model().unwrap();
    let alpha = [0.1, 0.0][found.best_index().unwrap()];
    let alone = params.alpha(alpha).fit(&data).unwrap();
    let (searched, fitted): (Array1<bool>, Array1<bool>) = (best.predict(&data), alone.predict(&data));
    assert_eq!(searched, fitted);

    // A label that is no class is seen before the first fit.
    let error = classifier()
        .class_weight(ClassWeight::given([("gelb", 1.0)]))
        .cross_validate(&named(30), &StratifiedKFold::new(3), &[Scorer::accuracy()])
        .unwrap_err();
    assert!(error.to_string().contains("but is for gelb"), "{error}");
    let error = classifier().threshold(0.2).cross_validate(
        &named(30),
        &StratifiedKFold::new(3),
        &[Scorer::accuracy()],
    );
    assert!(error.unwrap_err().to_string().contains("none for more than 2 classes"));
}

#[test]
fn weights_survive_json() {
    for weight in [ClassWeight::Balanced, ClassWeight::given([("rot", 0.1 + 0.2), ("grün", 3.0)])] {
        let params = classifier().class_weight(weight);
        let read: MlpClassifierParams =
            serde_json::from_str(&serde_json::to_string(&params).unwrap()).unwrap();
        assert_eq!(read, params);
    }
}

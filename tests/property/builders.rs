//! Every legal setting trains, saves and loads; every illegal one is a typed error and nothing else.

use linfa::prelude::*;
use linfa_mlp::callback::{EarlyStopping, Verbose};
use linfa_mlp::estimator::MlpRegressorParams;
use linfa_mlp::loss::Huber;
use linfa_mlp::network::{Constant, Dense, Dropout, L1L2, LeakyRelu, Sequential};
use linfa_mlp::optimizer::{Adam, RmsProp, Sgd};
use linfa_mlp::{Error, MlpClassifier, MlpRegressor};
use ndarray::{Array1, Axis};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::setting::{Task, activations, calm_activations, cases, settings};

/// Numbers of all kinds, the traps among them.
fn any_number() -> impl Strategy<Value = f64> {
    let trap = prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(0.0),
        Just(-0.0),
        Just(1.0),
        Just(-1.0),
        Just(f64::MIN_POSITIVE),
        Just(f64::MAX),
        Just(1.0 - f64::EPSILON / 2.0),
        Just(5e-324),
    ];
    prop_oneof![trap, -2.0..2.0, any::<f64>()]
}

/// Counts of all kinds.
fn any_count() -> impl Strategy<Value = usize> {
    prop_oneof![
        Just(0),
        Just(1),
        2..50_usize,
        Just(1 << 24),
        Just((1 << 24) + 1),
        Just(1 << 40),
        Just(usize::MAX)
    ]
}

fn row_count() -> usize {
    12
}

fn dataset() -> linfa::Dataset<f64, f64, ndarray::Ix1> {
    let x = ndarray::Array2::from_shape_fn((row_count(), 2), |(i, j)| ((i * 5 + j * 3) % 7) as f64 / 7.0);
    linfa::Dataset::new(x, Array1::from_shape_fn(row_count(), |i| (i % 4) as f64))
}

fn regressor() -> MlpRegressorParams {
    MlpRegressor::params().hidden_layer_sizes([3]).epochs(1)
}

/// A fit is an error that names the parameter, or a model whose bytes are read back.
fn either(params: &MlpRegressorParams, legal: bool, name: &str) -> Result<(), TestCaseError> {
    match params.fit(&dataset()) {
        Ok(model) => {
            prop_assert!(legal, "{} is out of its range, and is taken", name);
            let bytes = model.to_bytes().expect("can be written");
            let read: MlpRegressor = MlpRegressor::from_bytes(&bytes).expect("can be read");
            prop_assert!(read.to_bytes().expect("can be written") == bytes);
        }
        Err(Error::Parameter { name: found, allowed, .. }) => {
            prop_assert!(!legal, "{} is legal, and is refused as {}", name, found);
            prop_assert!(found.ends_with(name), "{} for {}", found, name);
            prop_assert!(!allowed.is_empty());
            prop_assert!(params.check_ref().is_err(), "seen by the fit, and not by the check");
        }
        // Legal, and too much for the numbers.
        Err(Error::Diverged { .. }) => prop_assert!(legal, "{} started a fit", name),
        Err(other) => prop_assert!(false, "{}: {:?}", name, other),
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn a_number_is_taken_inside_its_range_and_refused_outside(value in any_number()) {
        let finite = value.is_finite();
        let base = regressor;
        either(&base().alpha(value), finite && value >= 0.0, "alpha")?;
        either(&base().optimizer(Sgd::new(value)), finite && value > 0.0, "learning_rate")?;
        either(&base().optimizer(RmsProp::new(value)), finite && value > 0.0, "learning_rate")?;
        either(&base().optimizer(Adam::new(value)), finite && value > 0.0, "learning_rate")?;
        either(&base().optimizer(Sgd::default().momentum(value)), (0.0..=1.0).contains(&value), "momentum")?;
        either(&base().optimizer(RmsProp::default().momentum(value)), (0.0..=1.0).contains(&value), "momentum")?;
        either(&base().optimizer(RmsProp::default().rho(value)), (0.0..1.0).contains(&value), "rho")?;
        either(&base().optimizer(RmsProp::default().epsilon(value)), finite && value > 0.0, "epsilon")?;
        either(&base().optimizer(Adam::default().beta_1(value)), (0.0..1.0).contains(&value), "beta_1")?;
        either(&base().optimizer(Adam::default().beta_2(value)), (0.0..1.0).contains(&value), "beta_2")?;
        either(&base().optimizer(Adam::default().epsilon(value)), finite && value > 0.0, "epsilon")?;
        let layer = |layer: Dense| base().network(Sequential::new().add(layer));
        either(&base().network(Sequential::new().add(Dropout::new(value))), (0.0..1.0).contains(&value), "rate")?;
        either(&layer(Dense::new(2).kernel_regularizer(L1L2::new(value, 0.0))), finite && value >= 0.0, "l1")?;
        either(&layer(Dense::new(2).bias_regularizer(L1L2::new(0.0, value))), finite && value >= 0.0, "l2")?;
        either(&base().callback(EarlyStopping::on("loss").min_delta(value)), finite && value >= 0.0, "min_delta")?;
        either(&base().callback(EarlyStopping::on("loss").baseline(value)), finite, "baseline")?;
    }

    #[test]
    fn a_share_is_taken_if_it_leaves_rows_on_both_sides(share in prop_oneof![any_number(), 0.0..1.0]) {
        let params = regressor().validation_split(share);
        let n = row_count() as f64;
        if (0.0..1.0).contains(&share) {
            prop_assert!(params.check_ref().is_ok());
            match params.fit(&dataset()) {
                Ok(model) => {
                    let held_out = model.history().n_validation_rows();
                    prop_assert_eq!(held_out + model.history().n_training_rows(), row_count());
                    prop_assert!((held_out as f64 - n * share).abs() <= 1.0);
                    prop_assert_eq!(share > 0.0, model.history().get("val_loss").is_some());
                }
                Err(Error::Parameter { name, .. }) => {
                    prop_assert_eq!(name, "validation_split");
                    prop_assert!(n * share > n - 1.0 || n * share < 1e-300, "{}", share);
                }
                Err(other) => prop_assert!(false, "{:?}", other),
            }
        } else {
            either(&params, false, "validation_split")?;
        }
    }

    #[test]
    fn a_count_is_taken_inside_its_range_and_refused_outside(count in any_count()) {
        either(&regressor().batch_size(count), count >= 1, "batch_size")?;
        if count < 100 {
            either(&regressor().epochs(count), count >= 1, "epochs")?;
        }
        let callback = Verbose { every: count };
        if count == 0 {
            either(&regressor().callback(callback), false, "every")?;
        }
        // Legal sizes of this order are not built here: they need gigabytes.
        if !(100..=1 << 24).contains(&count) {
            let legal = (1..=1 << 24).contains(&count);
            either(&regressor().hidden_layer_sizes([2, count]), legal, "hidden_layer_sizes[1]")?;
            either(&regressor().network(Sequential::new().add(Dense::new(count))), legal, "layer 1: units")?;
        }
    }

    #[test]
    fn random_legal_settings_train_save_and_load(setting in settings(), sizes in vec(1..9_usize, 0..4)) {
        let arrays = setting.arrays::<f32>();
        let calm = calm_activations();
        let activation = activations()[calm[setting.seed as usize % calm.len()]].clone();
        let early = EarlyStopping::on("loss").restore_best_weights().patience(1);
        match setting.task {
            Task::Values(_) => {
                let params = MlpRegressor::params().hidden_layer_sizes(sizes).activation(activation).alpha(0.01)
                    .optimizer(setting.optimizer.clone()).loss(Huber::default()).metric("rmse".parse::<linfa_mlp::metric::AnyMetric>().unwrap())
                    .batch_size(setting.batch_size).epochs(2).shuffle(setting.shuffle).seed(setting.seed).callback(early);
                let json = serde_json::to_string(&params).expect("can be written");
                prop_assert_eq!(&serde_json::from_str::<MlpRegressorParams>(&json).expect("can be read"), &params);
                let data = linfa::Dataset::new(arrays.x.clone(), arrays.y.clone());
                let model = params.fit(&data).expect("trains");
                prop_assert!(model.run().steps() >= 1);
                let bytes = model.to_bytes().expect("can be written");
                let read = MlpRegressor::<f32, ndarray::Ix2>::from_bytes(&bytes).expect("can be read");
                prop_assert!(read.to_bytes().expect("can be written") == bytes);
                prop_assert_eq!(read.predict(&arrays.x), model.predict(&arrays.x));
            }
            _ => {
                let params = MlpClassifier::params().network(setting.hidden()).optimizer(setting.optimizer.clone())
                    .batch_size(setting.batch_size).epochs(2).shuffle(setting.shuffle).seed(setting.seed).callback(early);
                let labels = Array1::from_shape_fn(setting.n_rows() + 2, |row| row % 2 == 0);
                let x = ndarray::concatenate![Axis(0), arrays.x, arrays.x.select(Axis(0), &[0, 0])];
                let data = linfa::Dataset::new(x.clone(), labels);
                let model = params.fit(&data).expect("trains");
                prop_assert!(model.run().steps() >= 1);
                let bytes = model.to_bytes().expect("can be written");
                let read = MlpClassifier::<f32, bool>::from_bytes(&bytes).expect("can be read");
                prop_assert!(read.to_bytes().expect("can be written") == bytes);
                prop_assert_eq!(read.predict(&x), model.predict(&x));
                prop_assert_eq!(read.predict_proba(&x).unwrap(), model.predict_proba(&x).unwrap());
            }
        }
    }

    #[test]
    fn one_illegal_setting_among_legal_ones_is_named(setting in settings(), which in 0..14_usize) {
        let base = MlpRegressor::params().network(setting.hidden()).optimizer(setting.optimizer.clone())
            .batch_size(setting.batch_size).shuffle(setting.shuffle).seed(setting.seed).epochs(1);
        let last = setting.hidden().layers().len() + 1;
        let layer = |setting: &str| format!("layer {last}: {setting}");
        let (broken, name): (MlpRegressorParams, String) = match which {
            0 => (base.alpha(f64::NAN), "alpha".into()),
            1 => (base.batch_size(0), "batch_size".into()),
            2 => (base.epochs(0), "epochs".into()),
            3 => (base.validation_split(1.0), "validation_split".into()),
            4 => (base.optimizer(Sgd::new(0.0)), "learning_rate".into()),
            5 => (base.optimizer(Adam::default().beta_2(1.0)), "beta_2".into()),
            6 => (base.optimizer(RmsProp::default().rho(-0.1)), "rho".into()),
            7 => (base.hidden_layer_sizes([1 << 40]), "hidden_layer_sizes[0]".into()),
            8 => (base.network(setting.hidden().add(Dense::new(0))), layer("units")),
            9 => (base.network(setting.hidden().add(Dropout::new(1.0))), layer("rate")),
            10 => {
                let dense = Dense::new(1).activation(LeakyRelu { negative_slope: f64::NAN });
                (base.network(setting.hidden().add(dense)), "negative_slope".into())
            }
            11 => {
                let dense = Dense::new(1).bias_initializer(Constant { value: f64::INFINITY });
                (base.network(setting.hidden().add(dense)), "value".into())
            }
            12 => (base.loss(Huber { delta: 0.0 }), "delta".into()),
            _ => (base.callback(EarlyStopping::on("no such value")), "early_stopping: monitor".into()),
        };
        let data = linfa::Dataset::new(setting.arrays::<f64>().x, Array1::zeros(setting.n_rows()));
        match broken.fit(&data) {
            Err(Error::Parameter { name: found, .. }) => prop_assert!(found.ends_with(&name), "{} for {}", found, name),
            other => prop_assert!(false, "{}: {:?}", name, other.map(|_| "a model")),
        }
    }
}

//! Models and runs.

use linfa::Dataset;
use linfa::prelude::*;
use linfa_mlp::Float;
use linfa_mlp::network::L1L2;
use linfa_mlp::optimizer::schedule::Exponential as ExponentialDecay;
use linfa_mlp::prelude::*;
use linfa_mlp::train::{Data, Plan, Rows, Run, Until};
use ndarray::{Array1, Array2};

use crate::checksum;
use crate::harness::Reader;

/// For each byte of the file: empty lists of moments stand for zeros, and an optimizer has at most 200 of them.
const FACTOR: u64 = 512;

pub fn rows<F: Float>(n: usize, m: usize) -> Array2<F> {
    Array2::from_shape_fn((n, m), |(i, j)| F::of(((i * 7 + j * 3) % 11) as f64 / 11.0 - 0.4))
}

/// Every kind of state that a run can have, in the middle of an epoch.
pub fn plan() -> Plan {
    let branch = Sequential::new().add(Dense::new(4).activation(Tanh)).add(LayerNorm::default());
    let network = Sequential::new()
        .add(Dense::new(4).activation(Relu).kernel_regularizer(L1L2::new(1e-4, 1e-4)))
        .add(BatchNorm::default())
        .add(Dropout::new(0.2))
        .add(Residual::new(branch))
        .add(GaussianNoise::new(0.05))
        .add(Dense::new(1).kernel_constraint(MaxNorm::default()));
    Plan {
        network,
        loss: MeanSquaredError.into(),
        optimizer: Adam::new(ExponentialDecay::new(0.01, 10, 0.9)).ema(0.9).accumulate(2).into(),
        metrics: vec![Mae.into(), R2.into()],
        batch_size: 4,
        shuffle: true,
        seed: 3,
        callbacks: vec![
            EarlyStopping::on("loss").restore_best_weights().patience(3).into(),
            ReduceLrOnPlateau::on("loss").into(),
            BatchLog { every: 2 }.into(),
        ],
    }
}

fn advanced<F: Float>(plan: Plan, steps: u64) -> Run<F> {
    let (x, y) = (rows::<F>(12, 2), rows::<F>(12, 1));
    let data = Data { training: Rows::new(x.view(), y.view()).expect("rows"), validation: None };
    let mut run = Run::new(plan, 2).expect("a legal plan");
    run.advance(&data, Until::epochs(4).steps(steps)).expect("it trains");
    run
}

/// Callbacks that write nothing, whatever their settings have become.
const QUIET: [&str; 5] =
    ["early_stopping", "reduce_lr_on_plateau", "batch_log", "terminate_on_nan", "update_budget"];

/// What a run that was read is good for: predictions, two steps more, its bytes. None of them may panic.
pub fn used<F: Float>(mut run: Run<F>) -> Vec<u8> {
    let bytes = run.to_bytes().expect("what was read can be written");
    let n_features = run.network().n_features();
    if n_features <= 64 {
        let _ = run.result().predict(rows::<F>(3, n_features).view());
    }
    let quiet = run.plan().callbacks.iter().all(|callback| QUIET.contains(&callback.name()));
    if n_features == 2 && quiet {
        let (x, y) = (rows::<F>(12, 2), rows::<F>(12, 1));
        let data = Data { training: Rows::new(x.view(), y.view()).expect("rows"), validation: None };
        let until = Until::epochs(run.epochs() + 1).steps(run.steps() + 2);
        let _ = run.advance(&data, until);
        let _ = run.to_bytes();
    }
    bytes
}

fn run_reader<F: Float>(name: &'static str, runs: Vec<Run<F>>) -> Reader {
    let seeds = runs.iter().map(|run| run.to_bytes().expect("it can be written")).collect();
    Reader::new(name, seeds, |bytes| Run::<F>::from_bytes(bytes).ok().map(used))
        .sealed_by(checksum::frame)
        .factor(FACTOR)
}

pub fn run_with_every_state() -> Reader {
    run_reader("run", [0, 5, 8].map(|steps| advanced::<f64>(plan(), steps)).into())
}

pub fn run_over_all_rows() -> Reader {
    let network = Sequential::new().add(Dense::new(3).activation(Tanh)).add(Dense::new(1));
    let optimizer = Lbfgs::default().memory(4).into();
    let plan = Plan { network, optimizer, batch_size: usize::MAX, callbacks: vec![], ..plan() };
    run_reader("run of L-BFGS", [0, 3].map(|steps| advanced::<f32>(plan.clone(), steps)).into())
}

pub fn classifier_of_numbers() -> Reader {
    let data = Dataset::new(rows::<f64>(12, 2), Array1::from_shape_fn(12, |i| i % 3));
    let fit = |params: linfa_mlp::estimator::MlpClassifierParams| {
        params.epochs(2).batch_size(5).fit(&data).expect("it trains").to_bytes().expect("bytes")
    };
    let params = || MlpClassifier::params().hidden_layer_sizes([3]);
    let seeds = vec![fit(params()), fit(params().optimizer(Sgd::default().momentum(0.9)).seed(4))];
    Reader::new("classifier", seeds, |bytes| {
        let model = MlpClassifier::<f64, usize>::from_bytes(bytes).ok()?;
        let _ = model.try_predict(&rows::<f64>(5, 2));
        let _ = model.predict_proba(&rows::<f64>(5, 2));
        let _ = model.summary().to_string();
        Some(model.to_bytes().expect("what was read can be written"))
    })
    .sealed_by(checksum::frame)
    .factor(FACTOR)
}

pub fn classifier_of_texts() -> Reader {
    let labels = Array1::from_shape_fn(12, |i| ["no", "yes"][i % 2].to_string());
    let data = Dataset::new(rows::<f32>(12, 2), labels);
    let params = MlpClassifier::params().hidden_layer_sizes([3]).epochs(2).threshold(0.4);
    let seed = params.fit(&data).expect("it trains").to_bytes().expect("bytes");
    Reader::new("classifier of texts", vec![seed], |bytes| {
        let model = MlpClassifier::<f32, String>::from_bytes(bytes).ok()?;
        let _ = model.try_predict(&rows::<f32>(5, 2));
        let _ = model.predict_log_proba(&rows::<f32>(5, 2));
        Some(model.to_bytes().expect("what was read can be written"))
    })
    .sealed_by(checksum::frame)
    .factor(FACTOR)
}

pub fn regressor() -> Reader {
    let data = Dataset::new(rows::<f64>(12, 2), Array1::linspace(0.0, 1.0, 12));
    let params = MlpRegressor::params().hidden_layer_sizes([3, 2]).epochs(2).validation_split(0.25);
    let seed = params.fit(&data).expect("it trains").to_bytes().expect("bytes");
    Reader::new("regressor", vec![seed], |bytes| {
        let model = MlpRegressor::<f64>::from_bytes(bytes).ok()?;
        let _ = model.try_predict(&rows::<f64>(5, 2));
        Some(model.to_bytes().expect("what was read can be written"))
    })
    .sealed_by(checksum::frame)
    .factor(FACTOR)
}

pub fn regressor_of_two_targets() -> Reader {
    let data = Dataset::new(rows::<f32>(12, 2), rows::<f32>(12, 2));
    let params = MlpRegressor::params().hidden_layer_sizes([3]).epochs(2);
    let seed = params.fit(&data).expect("it trains").to_bytes().expect("bytes");
    Reader::new("regressor of two targets", vec![seed], |bytes| {
        let model = MlpRegressor::<f32, ndarray::Ix2>::from_bytes(bytes).ok()?;
        let _ = model.try_predict(&rows::<f32>(5, 2));
        Some(model.to_bytes().expect("what was read can be written"))
    })
    .sealed_by(checksum::frame)
    .factor(FACTOR)
}

pub fn multilabel() -> Reader {
    let data = Dataset::new(rows::<f64>(12, 2), Array2::from_shape_fn((12, 3), |(i, j)| (i + j) % 2 == 0));
    let params =
        MlpMultilabelClassifier::params().hidden_layer_sizes([3]).epochs(2).thresholds([0.3, 0.5, 0.6]);
    let seed = params.fit(&data).expect("it trains").to_bytes().expect("bytes");
    Reader::new("multilabel classifier", vec![seed], |bytes| {
        let model = MlpMultilabelClassifier::<f64, bool>::from_bytes(bytes).ok()?;
        let _ = model.try_predict(&rows::<f64>(5, 2));
        Some(model.to_bytes().expect("what was read can be written"))
    })
    .sealed_by(checksum::frame)
    .factor(FACTOR)
}

/// Keras' model, by its file.
pub fn keras_model() -> Reader {
    let network = Sequential::new().add(Dense::new(3).activation(Relu)).add(Dense::new(1));
    let mut model = network.compile::<f32>(2, RmsProp::default(), Huber::default(), [Mae]).expect("legal");
    model.fit(&rows(12, 2), &rows(12, 1), &Training::epochs(2).batch_size(4)).expect("it trains");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.mlp");
    model.save(&path).expect("it is written");
    let seed = std::fs::read(&path).expect("it is there");
    Reader::new("Keras' model", vec![seed], move |bytes| {
        let path = folder.path().join("read.mlp");
        std::fs::write(&path, bytes).expect("the folder can be written");
        let model = Model::<f32>::load(&path).ok()?;
        let _ = model.predict(&rows(3, 2));
        Some(model.run().to_bytes().expect("what was read can be written"))
    })
    .sealed_by(checksum::frame)
    .factor(FACTOR)
}

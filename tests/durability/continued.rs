//! A run that is saved at a batch boundary and goes on from the bytes ends at those of the straight run: every optimizer with
//! every schedule, every layer that has a state or draws numbers, at every boundary.

use std::fs;

use linfa_mlp::Float;
use linfa_mlp::network::layer::Layers;
use linfa_mlp::optimizer::schedule::Schedules;
use linfa_mlp::optimizer::{AnyOptimizer, Optimizers};
use linfa_mlp::part::{Part, Room, names};
use linfa_mlp::persistence::write_atomically;
use linfa_mlp::prelude::*;
use linfa_mlp::train::{Data, Plan, Rows, Run, Until};
use ndarray::Array2;
use serde_json::{Value, json};

use crate::process::{killed_when, start};

const EPOCHS: usize = 3;
/// Two whole batches and a short one in each epoch.
const BATCHES: u64 = 3;

/// Every layer there is, some twice.
pub fn network() -> Sequential {
    let branch = Sequential::new().add(Dense::new(4).activation(Tanh)).add(BatchNorm::default());
    Sequential::new()
        .add(GaussianNoise::new(0.05))
        .add(Dense::new(4).activation(Selu).kernel_constraint(MaxNorm::default()))
        .add(AlphaDropout::new(0.2))
        .add(LayerNorm::default())
        .add(Residual::new(branch))
        .add(Dropout::new(0.2))
        .add(BatchNorm::default())
        .add(Dense::new(1).kernel_regularizer(L1L2::new(1e-4, 1e-3)))
}

/// With the layers that came after the golden files.
fn every_layer() -> Sequential {
    network().add(ActivationLayer::new(Softsign))
}

pub fn plan(network: Sequential, optimizer: AnyOptimizer) -> Plan {
    let batch_size = if optimizer.ops::<f64>().minimizer().is_some() { usize::MAX } else { 4 };
    Plan {
        network,
        loss: MeanSquaredError.into(),
        optimizer,
        metrics: vec![Mae.into(), "r2".parse().expect("known")],
        batch_size,
        shuffle: true,
        seed: 5,
        callbacks: vec![
            EarlyStopping::on(ValLoss).patience(9).restore_best_weights().into(),
            ReduceLrOnPlateau::on("loss").patience(1).min_delta(0.5).into(),
            BatchLog { every: 2 }.into(),
        ],
    }
}

/// Ten rows to train on and four to validate on.
pub fn with_data<F: Float, T>(f: impl FnOnce(&Data<'_, F>) -> T) -> T {
    let x = Array2::from_shape_fn((14, 3), |(i, j)| F::of(((i * (j + 2) * 3) % 13) as f64 / 13.0 - 0.4));
    let y = Array2::from_shape_fn((14, 1), |(i, _)| x[[i, 0]] * x[[i, 1]] + x[[i, 2]]);
    let rows = Rows::new(x.view(), y.view()).expect("rows");
    let select = |places: std::ops::Range<usize>| rows.select(places.collect::<Vec<_>>()).expect("rows");
    f(&Data { training: select(0..10), validation: Some(select(10..14)) })
}

fn bytes<F: Float>(run: &Run<F>) -> Vec<u8> {
    run.to_bytes().expect("a run can be written")
}

/// At each boundary alone, and at all of them one after the other.
fn continues_anywhere<F: Float>(plan: &Plan) {
    with_data::<F, _>(|data| {
        let until = Until::epochs(EPOCHS);
        let fresh = || Run::<F>::new(plan.clone(), 3).expect("a legal plan");
        let mut straight = fresh();
        straight.advance(data, until).expect("it trains");
        let (end, steps) = (bytes(&straight), straight.steps());
        let mut hopping = fresh();
        for step in 0..=steps {
            hopping.advance(data, until.steps(step)).expect("it trains");
            let paused = bytes(&hopping);
            let mut alone = Run::<F>::from_bytes(&paused).expect("it can be read");
            assert!(bytes(&alone) == paused, "{}: other bytes after reading at step {step}", plan.optimizer);
            alone.advance(data, until).expect("it trains");
            assert!(bytes(&alone) == end, "{}, saved after step {step}", plan.optimizer);
            hopping = Run::from_bytes(&paused).expect("it can be read");
        }
        hopping.advance(data, until).expect("it trains");
        assert!(bytes(&hopping) == end, "{}, saved at every step", plan.optimizer);
    });
}

/// Each member of a room with its defaults, as JSON.
fn members<R: Room>() -> Vec<Value> {
    let parts = names::<R>().into_iter().map(|name| name.parse::<Part<R>>());
    parts.map(|part| serde_json::to_value(part.expect("a name of the table")).expect("JSON")).collect()
}

#[test]
fn every_optimizer_with_every_schedule_goes_on_from_every_batch() {
    let (mut combinations, mut without_schedule) = (0, Vec::new());
    for optimizer in members::<Optimizers>() {
        let name = optimizer["name"].as_str().expect("a name").to_owned();
        if !optimizer.as_object().expect("an object").contains_key("learning_rate") {
            without_schedule.push(name);
            continue;
        }
        for schedule in members::<Schedules>() {
            let mut with = optimizer.clone();
            with["learning_rate"] = schedule.clone();
            let with: AnyOptimizer = serde_json::from_value(with).expect("a legal optimizer");
            continues_anywhere::<f64>(&plan(every_layer(), with));
            combinations += 1;
        }
    }
    assert_eq!(without_schedule, ["lbfgs"], "the next test is theirs");
    assert_eq!(combinations, (names::<Optimizers>().len() - 1) * names::<Schedules>().len());
    assert!(combinations >= 70, "{combinations}");
}

#[test]
fn every_knob_of_an_optimizer_and_l_bfgs_go_on_from_every_batch() {
    let knobs = [
        json!({"ema": 0.9}),
        json!({"accumulate": 2}),
        json!({"weight_decay": 0.01, "clip_norm": 0.5}),
        json!({"global_clip_norm": 0.5, "ema": 0.5, "accumulate": 4}),
        json!({"clip_value": 0.1}),
    ];
    for optimizer in members::<Optimizers>().into_iter().filter(|optimizer| optimizer["name"] != "lbfgs") {
        for knob in &knobs {
            let mut with = optimizer.clone();
            for (key, value) in knob.as_object().expect("an object") {
                with[key] = value.clone();
            }
            let with: AnyOptimizer = serde_json::from_value(with).expect("a legal optimizer");
            continues_anywhere::<f32>(&plan(every_layer(), with));
        }
    }
    let plain = Sequential::new().add(Dense::new(4).activation(Tanh)).add(Dense::new(1));
    continues_anywhere::<f64>(&plan(plain.clone(), Lbfgs::default().memory(1).into()));
    continues_anywhere::<f32>(&plan(plain, Lbfgs::default().memory(3).into()));
}

#[test]
fn the_network_of_these_tests_has_every_layer() {
    let network = serde_json::to_string(&every_layer()).unwrap();
    for name in names::<Layers>() {
        assert!(network.contains(&format!("\"name\":\"{name}\"")), "{name}");
    }
}

#[test]
#[ignore = "the other test starts it, as a process of its own"]
fn a_run_that_goes_on_in_a_process_of_its_own() {
    let mut run = Run::<f64>::from_bytes(&fs::read("paused").expect("it is there")).expect("it can be read");
    with_data(|data| run.advance(data, Until::epochs(EPOCHS)).expect("it trains"));
    write_atomically("done", &bytes(&run)).expect("it is written");
}

#[test]
fn another_process_goes_on_from_every_batch_to_the_same_bytes() {
    with_data(|data| {
        let fresh = || Run::<f64>::new(plan(every_layer(), Nadam::default().ema(0.9).into()), 3).unwrap();
        let mut straight = fresh();
        straight.advance(data, Until::epochs(EPOCHS)).unwrap();
        for step in 0..=BATCHES * EPOCHS as u64 {
            let folder = tempfile::tempdir().unwrap();
            let mut run = fresh();
            run.advance(data, Until::epochs(EPOCHS).steps(step)).unwrap();
            fs::write(folder.path().join("paused"), bytes(&run)).unwrap();
            let mut child = start("continued::a_run_that_goes_on_in_a_process_of_its_own", folder.path());
            assert!(!killed_when(&mut child, || false));
            assert!(fs::read(folder.path().join("done")).unwrap() == bytes(&straight), "after step {step}");
        }
    });
}

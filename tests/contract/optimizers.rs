//! Optimizers: adding a row to `contract` is all it takes to test a new one. Those that read all rows at once are in
//! `minimizers.rs`.

use linfa_mlp::kernel::{Path, with_path};
use linfa_mlp::optimizer::schedule::Cosine;
use linfa_mlp::optimizer::{
    Adadelta, Adagrad, Adam, AdamW, Adamax, AnyOptimizer, Lion, MAX_SLOTS, Nadam, Optimizers, RmsProp, Sgd,
    Step, Tuning,
};
use linfa_mlp::prelude::*;
use linfa_mlp::train::{Data, Plan, Rows, Run, Until, evaluate};
use linfa_mlp::{Error, Float, part};
use ndarray::Array2;
use serde_json::{Value, json};

/// The steps a rule is given to find a minimum, at a rate that falls to 0.
const STEPS: u64 = 4000;

fn contract() -> Vec<AnyOptimizer> {
    let falling = |rate| Cosine::new(rate, STEPS);
    vec![
        Sgd::new(falling(0.02)).into(),
        Sgd::new(falling(0.01)).momentum(0.9).into(),
        Sgd::new(falling(0.01)).momentum(0.9).nesterov().into(),
        RmsProp::new(falling(0.02)).into(),
        RmsProp::new(falling(0.002)).momentum(0.9).into(),
        RmsProp::new(falling(0.02)).centered().into(),
        RmsProp::new(falling(0.002)).momentum(0.9).centered().into(),
        Adam::new(falling(0.02)).into(),
        Adam::new(falling(0.02)).amsgrad().into(),
        AdamW::new(falling(0.02)).into(),
        Adamax::new(falling(0.05)).into(),
        Nadam::new(falling(0.02)).into(),
        Adagrad::new(falling(0.5)).into(),
        Adadelta::new(falling(5.0)).epsilon(1e-6).into(),
        Lion::new(falling(0.01)).into(),
    ]
}

/// Some weights with an optimizer at work on them.
struct Walk<F> {
    optimizer: AnyOptimizer,
    weights: Vec<F>,
    moments: Vec<Vec<F>>,
    scalars: Vec<f64>,
    updates: u64,
}

impl<F: Float> Walk<F> {
    fn new(optimizer: &AnyOptimizer, weights: &[f64]) -> Self {
        let rule = optimizer.ops::<F>();
        let slots = rule.slots().len();
        assert!(slots <= MAX_SLOTS);
        Walk {
            optimizer: optimizer.clone(),
            weights: weights.iter().map(|&w| F::of(w)).collect(),
            moments: (0..slots).map(|slot| vec![F::of(rule.slot_start(slot)); weights.len()]).collect(),
            scalars: rule.scalars().iter().map(|(_, start)| *start).collect(),
            updates: 0,
        }
    }

    /// One update, of the weights before `cut` and after it by themselves.
    fn step(&mut self, gradient: &[F], cut: usize) {
        let rule = self.optimizer.ops::<F>();
        let learning_rate = rule.tuning().learning_rate.rate(self.updates);
        self.updates += 1;
        rule.begin(self.updates, &mut self.scalars);
        let step = Step { number: self.updates, learning_rate, scalars: &self.scalars };
        for range in [0..cut, cut..gradient.len()] {
            let mut moments = self.moments.iter_mut();
            let slots: [&mut [F]; MAX_SLOTS] =
                std::array::from_fn(|_| moments.next().map_or(&mut [][..], |slot| &mut slot[range.clone()]));
            rule.update(step, &mut self.weights[range.clone()], &gradient[range], slots);
        }
    }
}

/// A function to make small: its value and its gradient.
type Valley = fn(&[f64]) -> (f64, Vec<f64>);

/// A parabola, five times as steep along its second axis.
fn parabola(w: &[f64]) -> (f64, Vec<f64>) {
    let (a, b) = (w[0] - 1.0, w[1] + 0.5);
    (a * a + 5.0 * b * b, vec![2.0 * a, 10.0 * b])
}

/// Rosenbrock's curved valley with 5 in place of 100.
fn rosenbrock(w: &[f64]) -> (f64, Vec<f64>) {
    let (a, b) = (1.0 - w[0], w[1] - w[0] * w[0]);
    (a * a + 5.0 * b * b, vec![-2.0 * a - 20.0 * b * w[0], 10.0 * b])
}

fn descend<F: Float>(optimizer: &AnyOptimizer, valley: Valley) -> f64 {
    let mut walk = Walk::<F>::new(optimizer, &[-0.5, 1.0]);
    let at = |walk: &Walk<F>| valley(&walk.weights.iter().map(|w| w.wide()).collect::<Vec<f64>>());
    for _ in 0..STEPS {
        let (value, gradient) = at(&walk);
        assert!(value.is_finite(), "{optimizer}");
        let gradient: Vec<F> = gradient.into_iter().map(F::of).collect();
        walk.step(&gradient, 1);
    }
    at(&walk).0
}

#[test]
fn every_optimizer_of_the_crate_is_in_the_list() {
    let rows: Vec<AnyOptimizer> = contract().into_iter().chain(crate::minimizers::contract()).collect();
    for name in part::names::<Optimizers>() {
        assert!(rows.iter().any(|optimizer| optimizer.name() == name), "{name}");
    }
}

#[test]
fn every_rule_finds_the_bottom_of_a_parabola() {
    for optimizer in contract() {
        assert!(descend::<f64>(&optimizer, parabola) < 1e-4, "{optimizer}");
        assert!(descend::<f32>(&optimizer, parabola) < 1e-4, "{optimizer}");
    }
}

#[test]
fn every_rule_follows_a_curved_valley() {
    for optimizer in contract() {
        assert!(descend::<f64>(&optimizer, rosenbrock) < 1e-2, "{optimizer}");
        assert!(descend::<f32>(&optimizer, rosenbrock) < 1e-2, "{optimizer}");
    }
}

/// Gradients of very different sizes, zero among them.
fn gradient<F: Float>(len: usize, step: usize) -> Vec<F> {
    let value = |i: usize| ((i * 37 + step * 11) % 23) as f64 - 11.0;
    (0..len).map(|i| F::of(value(i) * 10f64.powi((i % 9) as i32 - 6))).collect()
}

fn check_slices<F: Float>() {
    for optimizer in contract() {
        let start: Vec<f64> = (0..101).map(|i| f64::from(i) / 50.0 - 1.0).collect();
        let mut whole = Walk::<F>::new(&optimizer, &start);
        let mut halves = Walk::<F>::new(&optimizer, &start);
        for step in 0..20 {
            whole.step(&gradient(start.len(), step), 0);
            halves.step(&gradient(start.len(), step), 37);
        }
        assert!(whole.weights == halves.weights && whole.moments == halves.moments, "{optimizer}");
        assert!(whole.weights.iter().all(|w| w.is_finite()), "{optimizer}");
    }
}

#[test]
fn slices_moved_in_two_halves_equal_the_whole() {
    check_slices::<f64>();
    check_slices::<f32>();
}

fn check_paths<F: Float>() {
    let start: Vec<f64> = (0..77).map(|i| f64::from(i) / 50.0 - 1.0).collect();
    for optimizer in contract() {
        let on = |path| {
            with_path(path, || {
                let mut walk = Walk::<F>::new(&optimizer, &start);
                (0..20).for_each(|step| walk.step(&gradient(start.len(), step), 0));
                walk.weights
            })
        };
        let portable = on(Path::Portable);
        Path::available().into_iter().for_each(|path| assert!(on(path) == portable, "{optimizer} {path:?}"));
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    check_paths::<f64>();
    check_paths::<f32>();
}

#[test]
fn a_weight_without_gradient_stays_and_nan_is_not_hidden() {
    for optimizer in contract() {
        let mut walk = Walk::<f64>::new(&optimizer, &[0.25, 0.25]);
        for _ in 0..3 {
            walk.step(&[0.0, f64::NAN], 0);
        }
        assert!(walk.weights[0].to_bits() == 0.25f64.to_bits() && walk.weights[1].is_nan(), "{optimizer}");
    }
}

// ---- in a run ----

fn data<F: Float>() -> (Array2<F>, Array2<F>) {
    let x = Array2::from_shape_fn((22, 3), |(i, j)| {
        F::of(((37 * i + 23 * j + 11 * i * j) % 64) as f64 / 32.0 - 1.0)
    });
    let y = Array2::from_shape_fn((22, 1), |(i, _)| x[[i, 0]] * x[[i, 1]] - x[[i, 2]]);
    (x, y)
}

fn plan(optimizer: AnyOptimizer) -> Plan {
    Plan {
        network: Sequential::new().add(Dense::new(5).activation(Tanh)).add(Dense::new(1)),
        loss: MeanSquaredError.into(),
        optimizer,
        metrics: vec![],
        batch_size: 5,
        shuffle: true,
        seed: 7,
        callbacks: vec![],
    }
}

/// The optimizer with those settings too.
fn with(optimizer: &AnyOptimizer, knobs: &Value) -> AnyOptimizer {
    let mut settings = optimizer.settings();
    for (key, value) in knobs.as_object().expect("an object") {
        settings[key] = value.clone();
    }
    AnyOptimizer::build(optimizer.name(), settings).unwrap()
}

/// Every combination of the knobs.
fn knobs() -> Vec<Value> {
    let mut all = vec![];
    for decay in [None, Some(0.01)] {
        for clip in [None, Some("clip_value"), Some("clip_norm"), Some("global_clip_norm")] {
            for ema in [None, Some(0.9)] {
                for accumulate in [1, 3] {
                    let mut knobs = json!({ "weight_decay": decay, "ema": ema, "accumulate": accumulate });
                    if let Some(clip) = clip {
                        knobs[clip] = json!(0.5);
                    }
                    all.push(knobs);
                }
            }
        }
    }
    all
}

/// Trains at one go, and with a pause in a file; 23 steps are no whole number of epochs or of updates.
fn check_runs<F: Float>() {
    let (x, y) = data::<F>();
    let data = || Data { training: Rows::new(x.view(), y.view()).unwrap(), validation: None };
    let until = Until::epochs(30);
    for optimizer in contract() {
        for knobs in knobs() {
            let optimizer = with(&optimizer, &knobs);
            let new = || Run::<F>::new(plan(optimizer.clone()), 3).unwrap();
            let mut straight = new();
            straight.advance(&data(), until).unwrap();
            let losses = straight.history().get("loss").unwrap();
            assert!(losses[losses.len() - 1] < losses[0], "{optimizer}: {losses:?}");
            assert!(straight.result().tensors().all(|(_, t)| t.iter().all(|w| w.is_finite())), "{optimizer}");

            let mut paused = new();
            paused.advance(&data(), until.steps(23)).unwrap();
            let mut copy = paused.clone();
            let mut loaded = Run::<F>::from_bytes(&paused.to_bytes().unwrap()).unwrap();
            for run in [&mut copy, &mut loaded] {
                run.advance(&data(), until).unwrap();
                assert!(run.to_bytes().unwrap() == straight.to_bytes().unwrap(), "{optimizer}");
            }
        }
    }
}

#[test]
fn every_combination_of_knobs_trains_and_survives_a_file() {
    check_runs::<f64>();
    check_runs::<f32>();
}

fn weights(run: &Run<f64>) -> Vec<f64> {
    run.result().tensors().flat_map(|(_, t)| t.iter().copied().collect::<Vec<f64>>()).collect()
}

fn trained(optimizer: AnyOptimizer, batch_size: usize, steps: u64) -> Run<f64> {
    let (x, y) = data::<f64>();
    let data = Data { training: Rows::new(x.view(), y.view()).unwrap(), validation: None };
    let plan = Plan { batch_size, shuffle: false, ..plan(optimizer) };
    let mut run = Run::new(plan, 3).unwrap();
    run.advance(&data, Until::epochs(1000).steps(steps)).unwrap();
    run
}

#[test]
fn accumulating_two_batches_equals_a_batch_of_both() {
    for optimizer in contract() {
        // The schedule counts batches, so it must not change.
        let optimizer = with(&optimizer, &json!({ "learning_rate": 0.01 }));
        let halves = weights(&trained(with(&optimizer, &json!({ "accumulate": 2 })), 11, 20));
        let whole = weights(&trained(optimizer.clone(), 22, 10));
        for (a, b) in halves.iter().zip(&whole) {
            assert!((a - b).abs() < 1e-9, "{optimizer}: {a} {b}");
        }
    }
}

#[test]
fn limits_that_nothing_reaches_change_no_bit() {
    for optimizer in contract() {
        let plain = weights(&trained(optimizer.clone(), 5, 30));
        for knobs in [
            json!({ "clip_value": 1e6 }),
            json!({ "clip_norm": 1e6 }),
            json!({ "global_clip_norm": 1e6 }),
            json!({ "ema": 0.0 }),
        ] {
            assert!(weights(&trained(with(&optimizer, &knobs), 5, 30)) == plain, "{optimizer} {knobs}");
        }
    }
}

#[test]
fn one_step_of_descent_is_as_long_as_the_norm_allows() {
    let start = weights(&trained(Sgd::new(1.0).into(), 22, 0));
    let moved = |sgd: Sgd| -> Vec<f64> {
        let after = weights(&trained(sgd.into(), 22, 1));
        after.iter().zip(&start).map(|(after, before)| after - before).collect()
    };
    let norm = |step: &[f64]| step.iter().map(|d| d * d).sum::<f64>().sqrt();
    assert!((norm(&moved(Sgd::new(1.0).global_clip_norm(0.01))) - 0.01).abs() < 1e-12);
    // Kernel of 15, bias of 5, kernel of 5, bias of 1.
    let step = moved(Sgd::new(1.0).clip_norm(0.01));
    for tensor in [&step[..15], &step[15..20], &step[20..25], &step[25..]] {
        assert!((norm(tensor) - 0.01).abs() < 1e-12);
    }
    assert!(moved(Sgd::new(1.0).clip_value(0.001)).iter().all(|d| d.abs() <= 0.001 + 1e-15));
}

#[test]
fn with_an_average_the_best_weights_are_the_ones_that_were_measured() {
    let (x, y) = data::<f64>();
    let rows = || Rows::new(x.view(), y.view()).unwrap();
    let watch = EarlyStopping::on("val_loss").patience(1000).restore_best_weights();
    let optimizer = Sgd::new(0.3).momentum(0.95).ema(0.8);
    let plan = Plan { callbacks: vec![watch.into()], ..plan(optimizer.into()) };
    let mut run = Run::<f64>::new(plan, 3).unwrap();
    run.advance(&Data { training: rows(), validation: Some(rows()) }, Until::epochs(30)).unwrap();
    let losses = run.history().get("val_loss").unwrap();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(best < losses[losses.len() - 1], "the last epoch is not the best");
    let scores = evaluate(&run.result(), run.plan(), &rows()).unwrap();
    assert!((scores["loss"] - best).abs() < 1e-12);
}

// ---- settings ----

#[test]
fn defaults_answer_to_their_name_and_survive_a_file() {
    for optimizer in contract() {
        let default: AnyOptimizer = optimizer.name().parse().unwrap();
        default.check().unwrap();
        assert_eq!(default.to_string(), optimizer.name());
        for optimizer in [&default, &optimizer] {
            let text = serde_json::to_string(optimizer).unwrap();
            assert_eq!(serde_json::from_str::<AnyOptimizer>(&text).unwrap(), *optimizer, "{text}");
        }
        // One setting leaves the others at the optimizer's own defaults.
        let one = AnyOptimizer::build(optimizer.name(), json!({ "accumulate": 2 })).unwrap();
        assert_eq!(one, with(&default, &json!({ "accumulate": 2 })));
    }
    assert_eq!(AnyOptimizer::build("sgd", json!({ "ema": 0.9 })).unwrap(), Sgd::new(0.01).ema(0.9).into());
}

#[test]
fn settings_an_optimizer_does_not_have_are_refused() {
    for optimizer in contract() {
        let problem = AnyOptimizer::build(optimizer.name(), json!({ "no_such": 1 }));
        assert!(matches!(problem, Err(Error::PartSettings { .. })), "{optimizer}");
    }
}

#[test]
fn knobs_outside_their_range_are_refused_by_name() {
    let table = [
        ("learning_rate", json!(0.0)),
        ("learning_rate", json!(-0.1)),
        ("weight_decay", json!(-0.1)),
        ("clip_value", json!(0.0)),
        ("clip_norm", json!(-1.0)),
        ("global_clip_norm", json!(0.0)),
        ("ema", json!(1.0)),
        ("ema", json!(-0.1)),
        ("accumulate", json!(0)),
    ];
    for optimizer in contract() {
        for (key, value) in &table {
            match AnyOptimizer::build(optimizer.name(), json!({ *key: value })) {
                Err(Error::Parameter { name, .. }) => assert_eq!(name, *key, "{optimizer}"),
                other => panic!("{optimizer} {key} {value}: {other:?}"),
            }
        }
        let two = AnyOptimizer::build(optimizer.name(), json!({ "clip_norm": 1.0, "global_clip_norm": 1.0 }));
        assert!(matches!(two, Err(Error::Parameter { name, .. }) if name == "clipping"), "{optimizer}");
    }
}

#[test]
fn numbers_that_are_none_are_refused_by_name() {
    for bad in [f64::NAN, f64::INFINITY, -f64::INFINITY] {
        let knobs: [(&str, AnyOptimizer); 17] = [
            ("learning_rate", Adam::new(bad).into()),
            ("weight_decay", Adam::default().weight_decay(bad).into()),
            ("clip_value", Adam::default().clip_value(bad).into()),
            ("clip_norm", Adam::default().clip_norm(bad).into()),
            ("global_clip_norm", Adam::default().global_clip_norm(bad).into()),
            ("ema", Adam::default().ema(bad).into()),
            ("beta_1", AdamW::default().beta_1(bad).into()),
            ("beta_2", Adamax::default().beta_2(bad).into()),
            ("epsilon", Nadam::default().epsilon(bad).into()),
            ("initial_accumulator_value", Adagrad::default().initial_accumulator_value(bad).into()),
            ("rho", Adadelta::default().rho(bad).into()),
            ("epsilon", Adadelta::default().epsilon(bad).into()),
            ("beta_1", Lion::default().beta_1(bad).into()),
            ("beta_2", Lion::default().beta_2(bad).into()),
            ("momentum", Sgd::default().momentum(bad).into()),
            ("rho", RmsProp::default().rho(bad).into()),
            ("beta_2", Adam::default().beta_2(bad).into()),
        ];
        for (parameter, optimizer) in knobs {
            match optimizer.check() {
                Err(Error::Parameter { name, .. }) => assert_eq!(name, parameter),
                other => panic!("{parameter} {bad}: {other:?}"),
            }
        }
    }
    assert!(Tuning::default().check().is_ok());
}

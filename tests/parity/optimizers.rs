//! Optimizers: one step and five from given gradients, and a small network after 1, 10 and 500 steps.

use std::collections::BTreeSet;

use linfa_mlp::Float;
use linfa_mlp::network::{Dense, Sequential, Softmax, Tanh};
use linfa_mlp::optimizer::{Adam, AnyOptimizer, MAX_SLOTS, RmsProp, Sgd, Step};
use linfa_mlp::prelude::CategoricalCrossEntropy;
use linfa_mlp::train::{Data, Plan, Rows, Run, Status, Until, evaluate};
use serde_json::Value;

use crate::fixture::{Comparison, list, matrix, number, numbers, read, tensors, text};

/// Two names of a case in the fixture, and our optimizer for it.
type Row = (&'static str, &'static str, fn() -> AnyOptimizer);
type Table = &'static [Row];

/// Ours of a library's run. A new optimizer moves its runs from [`NOT_YET_HERE`] to this table.
const HERE: Table = &[
    ("keras", "SGD(learning_rate=0.01)", || Sgd::new(0.01).into()),
    ("keras", "SGD(learning_rate=0.1, momentum=0.9)", || Sgd::new(0.1).momentum(0.9).into()),
    ("keras", "SGD(learning_rate=0.1, momentum=0.9, nesterov=True)", || {
        Sgd::new(0.1).momentum(0.9).nesterov().into()
    }),
    ("keras", "RMSprop()", || RmsProp::default().into()),
    ("keras", "RMSprop(momentum=0.9, centered=True)", || RmsProp::default().momentum(0.9).centered().into()),
    ("keras", "Adam()", || Adam::default().into()),
    ("keras", "Adam(learning_rate=0.05)", || Adam::new(0.05).into()),
    ("torch", "SGD(lr=0.01)", || Sgd::new(0.01).into()),
    ("torch", "SGD(lr=0.1, momentum=0.9)", || Sgd::new(0.1).momentum(0.9).into()),
    ("torch", "SGD(lr=0.1, momentum=0.9, nesterov=True)", || Sgd::new(0.1).momentum(0.9).nesterov().into()),
];

/// Runs this crate cannot do yet.
const NOT_YET_HERE: &[(&str, &str)] = &[
    ("keras", "Adam(amsgrad=True)"),
    ("keras", "AdamW()"),
    ("keras", "Adamax()"),
    ("keras", "Nadam()"),
    ("keras", "Adagrad(learning_rate=0.1)"),
    ("keras", "Adadelta(learning_rate=1.0)"),
    ("keras", "Lion(learning_rate=0.001)"),
    ("keras", "Adam(clipnorm=0.05)"),
    ("keras", "Adam(clipvalue=0.01)"),
    ("keras", "Adam(global_clipnorm=0.05)"),
    ("keras", "Adam(weight_decay=0.01)"),
    ("keras", "Adam(use_ema=True, ema_momentum=0.99)"),
    ("keras", "Adam(gradient_accumulation_steps=4)"),
    ("keras", "Adam(gradient_accumulation_steps=4, use_ema=True, ema_momentum=0.99)"),
    ("keras", "SGD(learning_rate=0.1, momentum=0.9, clipnorm=0.05)"),
    ("keras", "SGD(ExponentialDecay(initial_learning_rate=0.1, decay_steps=50, decay_rate=0.9))"),
    (
        "keras",
        "SGD(ExponentialDecay(initial_learning_rate=0.1, decay_steps=50, decay_rate=0.9, staircase=True))",
    ),
    ("keras", "SGD(PiecewiseConstantDecay(boundaries=[100, 300], values=[0.1, 0.05, 0.01]))"),
    (
        "keras",
        "SGD(PolynomialDecay(initial_learning_rate=0.1, decay_steps=400, end_learning_rate=0.001, power=2.0))",
    ),
    ("keras", "SGD(InverseTimeDecay(initial_learning_rate=0.1, decay_steps=50, decay_rate=0.5))"),
    (
        "keras",
        "SGD(CosineDecay(initial_learning_rate=0.0, decay_steps=400, alpha=0.01, warmup_target=0.1, warmup_steps=50))",
    ),
    ("keras", "SGD(CosineDecayRestarts(initial_learning_rate=0.1, first_decay_steps=100))"),
    ("torch", "Adadelta(lr=1.0)"),
];

/// Ours of a case of `d2.json`, by its kind and Keras' class. A new optimizer moves its cases here.
const STEPS_HERE: Table = &[
    ("single_step", "SGD", || Sgd::new(0.5).into()),
    ("single_step", "Adam", || Adam::new(0.5).into()),
    ("single_step", "RMSprop", || RmsProp::new(0.5).into()),
    ("golden", "SGD", || Sgd::default().nesterov().into()),
    ("golden", "RMSprop", || RmsProp::default().centered().into()),
];

/// Cases of `d2.json` this crate cannot do yet.
const STEPS_NOT_YET_HERE: &[(&str, &str)] = &[
    ("single_step", "Nadam"),
    ("single_step", "Adagrad"),
    ("single_step", "Adadelta"),
    ("single_step", "Adamax"),
    ("single_step", "AdamW"),
    ("single_step", "Lion"),
    // With amsgrad.
    ("golden", "Adam"),
    ("golden", "Nadam"),
    ("golden", "Adagrad"),
    ("golden", "Adadelta"),
    ("golden", "Adamax"),
    ("golden", "AdamW"),
    ("golden", "Lion"),
];

fn find(table: Table, first: &str, second: &str) -> Option<AnyOptimizer> {
    table.iter().find(|row| (row.0, row.1) == (first, second)).map(|row| row.2())
}

/// Each case of the fixture is in one of two tables, in both dtypes, and nothing else is.
fn assert_complete(cases: &[(&str, &str, &str)], table: Table, not_yet: &[(&str, &str)]) {
    let here: BTreeSet<_> = table.iter().map(|row| (row.0, row.1)).collect();
    let not_yet: BTreeSet<_> = not_yet.iter().copied().collect();
    assert_eq!(here.intersection(&not_yet).count(), 0, "a case is in both tables");
    for dtype in ["float64", "float32"] {
        let cases: BTreeSet<_> = cases.iter().filter(|c| c.2 == dtype).map(|c| (c.0, c.1)).collect();
        assert_eq!(cases, here.union(&not_yet).copied().collect(), "{dtype}");
    }
}

/// PyTorch's runs whose rule Keras and this crate do not have: ε elsewhere, decay elsewhere, other momenta.
fn has_our_rule(run: &Value) -> bool {
    text(run, "library") == "keras" || run["same_rule_as_keras"] == true
}

#[test]
fn no_run_of_the_fixtures_is_left_out_in_silence() {
    let fixture = read("optimizers.json");
    let runs = list(&fixture, "runs").iter().filter(|run| has_our_rule(run));
    let runs: Vec<_> =
        runs.map(|run| (text(run, "library"), text(run, "title"), text(run, "dtype"))).collect();
    assert_complete(&runs, HERE, NOT_YET_HERE);
    let others = list(&fixture, "runs").iter().filter(|run| !has_our_rule(run)).count();
    assert_eq!(others, 12, "runs of PyTorch's own rules");

    let fixture = read("d2.json");
    let cases = list(&fixture, "cases").iter();
    let cases: Vec<_> = cases.map(|c| (text(c, "case"), text(c, "optimizer"), text(c, "dtype"))).collect();
    assert_complete(&cases, STEPS_HERE, STEPS_NOT_YET_HERE);
}

/// The steps of a case of `d2.json`, by the optimizer alone.
fn take_steps<F: Float>(case: &Value, optimizer: &AnyOptimizer, comparison: &mut Comparison) {
    // f64: the rounding of five steps. f32: Keras takes 1 − β₂ᵗ in f32, which at t = 1 shortens Adam's step by 6·10⁻⁶
    // of itself.
    let tolerance = if F::DTYPE == "float64" { 1e-14 } else { 1e-5 };
    let ops = optimizer.ops::<F>();
    let mut weights: Vec<F> = numbers(&case["start"]);
    let mut moments = vec![vec![F::zero(); weights.len()]; ops.slots().len()];
    for (step, (gradient, expected)) in
        list(case, "gradients").iter().zip(list(case, "after_each_step")).enumerate()
    {
        let gradient: Vec<F> = numbers(gradient);
        let mut moments = moments.iter_mut();
        let slots: [&mut [F]; MAX_SLOTS] =
            std::array::from_fn(|_| moments.next().map_or(&mut [][..], |moment| &mut moment[..]));
        let number = step as u64 + 1;
        let learning_rate = ops.learning_rate().rate(step as u64);
        ops.update(Step { number, learning_rate }, &mut weights, &gradient, slots);
        let what = format!("{} {optimizer:?} {}, step {number}", text(case, "case"), F::DTYPE);
        comparison.all_close(&weights, expected, tolerance, &what);
    }
}

#[test]
fn single_and_golden_steps_equal_keras() {
    let fixture = read("d2.json");
    let mut comparison = Comparison::default();
    for case in list(&fixture, "cases") {
        let Some(optimizer) = find(STEPS_HERE, text(case, "case"), text(case, "optimizer")) else { continue };
        match text(case, "dtype") {
            "float64" => take_steps::<f64>(case, &optimizer, &mut comparison),
            _ => take_steps::<f32>(case, &optimizer, &mut comparison),
        }
    }
    comparison.assert(2 * (3 * 4 + 2 * 50));
}

/// The network of `optimizers.json`, trained for 500 steps.
fn train<F: Float>(fixture: &Value, case: &Value, optimizer: AnyOptimizer, comparison: &mut Comparison) {
    let title = format!("{} {} {}", text(case, "library"), text(case, "title"), F::DTYPE);
    let batch_size = number(fixture, "batch_size") as usize;
    let plan = Plan {
        network: Sequential::new().add(Dense::new(5).activation(Tanh)).add(Dense::new(3).activation(Softmax)),
        loss: CategoricalCrossEntropy::default().into(),
        optimizer,
        metrics: vec![],
        batch_size,
        shuffle: false,
        seed: 0,
        callbacks: vec![],
    };
    let (x, y) = (matrix::<F>(&fixture["x"]), matrix::<F>(&fixture["y"]));
    let rows = Rows::new(x.view(), y.view()).expect("rows that can be read");
    let data = Data { training: rows.clone(), validation: None };
    let mut run: Run<F> = Run::new(plan, x.ncols()).expect("a plan that can be run");
    for (name, values) in tensors(&fixture["initial_weights"]) {
        run.network_mut().set_tensor(&name, values.view()).expect("a tensor of the network");
    }
    let (few, floor) = if F::DTYPE == "float64" { (3.0, 1e-15) } else { (8.0, 1e-7) };
    for snapshot in list(case, "snapshots") {
        let step = number(snapshot, "step") as usize;
        // Both sides stand away from the exact path, by rounding that training has grown; theirs is known, and a number
        // near 1 has its last places. How much f32 grows it is luck: copies of the run with Adam(0.05) in plain loops,
        // whose first weights differ by half a unit in the last place, end 10⁻⁵ to 6·10⁻⁴ from the exact path, and
        // Keras' one ended 9·10⁻⁵ from it.
        let room = few * number(snapshot, "distance_to_exact").max(floor);

        advance(&mut run, &data, step - 1);
        let start = (step - 1) % (x.nrows() / batch_size) * batch_size;
        let batch =
            rows.select((start..start + batch_size).collect::<Vec<_>>()).expect("rows that are there");
        let loss = |run: &Run<F>, rows| evaluate(run.network(), run.plan(), rows).expect("a loss")["loss"];
        let found = loss(&run, &batch);
        comparison
            .close(found, number(snapshot, "batch_loss"), room, || format!("{title}, loss of batch {step}"));

        advance(&mut run, &data, step);
        let found = loss(&run, &rows);
        comparison
            .close(found, number(snapshot, "loss_after"), room, || format!("{title}, loss after {step}"));
        for ((name, found), (expected_name, expected)) in
            run.network().tensors().zip(tensors::<f64>(&snapshot["weights"]))
        {
            assert_eq!((&name, found.dim()), (&expected_name, expected.dim()));
            for (at, found) in found.indexed_iter() {
                comparison.close(found.wide(), expected[at], room, || {
                    format!("{title}, step {step}, {name}{at:?}")
                });
            }
        }
    }
}

fn advance<F: Float>(run: &mut Run<F>, data: &Data<'_, F>, steps: usize) {
    let until = Until::epochs(1000).steps(steps as u64);
    assert_eq!(run.advance(data, until).expect("steps"), Status::Paused);
    assert_eq!(run.steps(), steps as u64);
}

#[test]
fn five_hundred_steps_equal_keras_and_pytorch() {
    let fixture = read("optimizers.json");
    let mut comparison = Comparison::default();
    for case in list(&fixture, "runs") {
        let Some(optimizer) = find(HERE, text(case, "library"), text(case, "title")) else { continue };
        match text(case, "dtype") {
            "float64" => train::<f64>(&fixture, case, optimizer, &mut comparison),
            _ => train::<f32>(&fixture, case, optimizer, &mut comparison),
        }
    }
    // Two dtypes, three snapshots with 43 weights and two losses.
    comparison.assert(HERE.len() * 2 * 3 * 45);
}

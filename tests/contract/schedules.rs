//! Schedules: adding a row to `contract` is all it takes to test a new one.

use linfa_mlp::Error;
use linfa_mlp::optimizer::schedule::{
    Constant, Cosine, CosineRestarts, Exponential, InverseScaling, InverseTime, OneCycle, PiecewiseConstant,
    Polynomial, Schedules,
};
use linfa_mlp::optimizer::{Adam, AnyOptimizer, AnySchedule};
use linfa_mlp::part;
use linfa_mlp::prelude::*;
use linfa_mlp::train::{Data, Plan, Rows, Run, Until};
use ndarray::Array2;
use serde_json::json;

/// A schedule, some of its rates, and settings outside their range with the parameter that names them.
struct Row {
    schedule: AnySchedule,
    names: &'static [&'static str],
    rates: &'static [(u64, f64)],
    refused: Vec<(AnySchedule, &'static str)>,
}

fn row(
    schedule: impl Into<AnySchedule>,
    names: &'static [&'static str],
    rates: &'static [(u64, f64)],
    refused: Vec<(AnySchedule, &'static str)>,
) -> Row {
    Row { schedule: schedule.into(), names, rates, refused }
}

/// Numbers that are no rate.
const NO_RATES: [f64; 4] = [0.0, -0.1, f64::NAN, f64::INFINITY];

/// Each number put into a schedule, which must then be refused for that parameter.
fn refused<S: Into<AnySchedule>>(
    parameter: &'static str,
    values: &[f64],
    make: impl Fn(f64) -> S,
) -> Vec<(AnySchedule, &'static str)> {
    values.iter().map(|&value| (make(value).into(), parameter)).collect()
}

fn contract() -> Vec<Row> {
    let no_shares = [-0.1, 1.1, f64::NAN, f64::INFINITY];
    let negative = [-0.1, f64::NAN, f64::INFINITY];
    vec![
        row(
            Constant { rate: 0.1 },
            &["constant"],
            &[(0, 0.1), (u64::MAX, 0.1)],
            refused("learning_rate", &NO_RATES, |rate| rate),
        ),
        row(
            Exponential::new(0.1, 2, 0.25),
            &["exponential", "ExponentialDecay"],
            &[(0, 0.1), (1, 0.05), (2, 0.025), (4, 0.00625)],
            [
                refused("initial_rate", &NO_RATES, |rate| Exponential::new(rate, 1, 0.9)),
                refused("decay_rate", &NO_RATES, |rate| Exponential::new(0.1, 1, rate)),
                vec![(Exponential::new(0.1, 0, 0.9).into(), "decay_steps")],
            ]
            .concat(),
        ),
        row(
            Exponential::new(0.1, 2, 0.25).staircase(),
            &["exponential"],
            &[(0, 0.1), (1, 0.1), (2, 0.025), (3, 0.025)],
            vec![],
        ),
        row(
            PiecewiseConstant::new([2, 5], [0.3, 0.2, 0.1]),
            &["piecewise_constant", "PiecewiseConstantDecay"],
            &[(0, 0.3), (2, 0.3), (3, 0.2), (5, 0.2), (6, 0.1), (u64::MAX, 0.1)],
            [
                refused("values", &NO_RATES, |rate| PiecewiseConstant::new([1], [0.1, rate])),
                vec![
                    (PiecewiseConstant::new([5, 5], [0.3, 0.2, 0.1]).into(), "boundaries"),
                    (PiecewiseConstant::new([5, 4], [0.3, 0.2, 0.1]).into(), "boundaries"),
                    (PiecewiseConstant::new([5], [0.3]).into(), "number of values"),
                    (PiecewiseConstant::new([], []).into(), "number of values"),
                ],
            ]
            .concat(),
        ),
        row(
            Polynomial::new(0.1, 10).end_rate(0.01).power(0.5),
            &["polynomial", "PolynomialDecay"],
            &[(0, 0.1), (5, 0.0736396103), (10, 0.01), (11, 0.01), (u64::MAX, 0.01)],
            [
                refused("initial_rate", &NO_RATES, |rate| Polynomial::new(rate, 1)),
                refused("end_rate", &negative, |rate| Polynomial::new(0.1, 1).end_rate(rate)),
                refused("power", &NO_RATES, |power| Polynomial::new(0.1, 1).power(power)),
                vec![(Polynomial::new(0.1, 0).into(), "decay_steps")],
            ]
            .concat(),
        ),
        // Keras 3.15.1 in float32.
        row(
            Polynomial::new(0.1, 10).end_rate(0.01).power(0.5).cycle(),
            &["polynomial"],
            &[(0, 0.1), (10, 0.01), (11, 0.07037383), (20, 0.01), (21, 0.05929504), (35, 0.0418198)],
            vec![],
        ),
        row(
            InverseTime::new(0.1, 10, 0.5),
            &["inverse_time", "InverseTimeDecay"],
            &[(0, 0.1), (20, 0.05)],
            [
                refused("initial_rate", &NO_RATES, |rate| InverseTime::new(rate, 1, 0.5)),
                refused("decay_rate", &negative, |rate| InverseTime::new(0.1, 1, rate)),
                vec![(InverseTime::new(0.1, 0, 0.5).into(), "decay_steps")],
            ]
            .concat(),
        ),
        row(
            InverseTime::new(0.1, 10, 0.5).staircase(),
            &["inverse_time"],
            &[(0, 0.1), (9, 0.1), (10, 0.0666666667), (25, 0.05)],
            vec![],
        ),
        row(
            InverseScaling::new(0.1),
            &["inverse_scaling", "invscaling"],
            &[(0, 0.1), (3, 0.05), (24, 0.02)],
            [
                refused("initial_rate", &NO_RATES, InverseScaling::new),
                refused("power_t", &negative, |power| InverseScaling::new(0.1).power_t(power)),
                vec![
                    (InverseScaling::new(0.1).over_rows(0, 32).into(), "time_per_period"),
                    (InverseScaling::new(0.1).over_rows(100, 0).into(), "period"),
                ],
            ]
            .concat(),
        ),
        // scikit-learn: 0.1 / (rows seen + 1)^0.25, changed at the end of an epoch.
        row(
            InverseScaling::new(0.1).power_t(0.25).over_rows(15, 8),
            &["inverse_scaling"],
            &[(0, 0.1), (1, 0.1), (2, 0.05), (3, 0.05)],
            vec![],
        ),
        row(
            Cosine::new(0.1, 100).alpha(0.1),
            &["cosine", "CosineDecay"],
            &[(0, 0.1), (25, 0.0868198052), (50, 0.055), (100, 0.01), (u64::MAX, 0.01)],
            [
                refused("initial_rate", &NO_RATES, |rate| Cosine::new(rate, 1)),
                refused("initial_rate", &negative, |rate| Cosine::new(rate, 1).warmup(0.1, 1)),
                refused("warmup_target", &NO_RATES, |rate| Cosine::new(0.0, 1).warmup(rate, 1)),
                refused("alpha", &no_shares, |alpha| Cosine::new(0.1, 1).alpha(alpha)),
                vec![
                    (Cosine::new(0.1, 0).into(), "decay_steps"),
                    (Cosine::new(0.1, 1).warmup(0.2, 0).into(), "warmup_steps"),
                ],
            ]
            .concat(),
        ),
        row(
            Cosine::new(0.02, 100).warmup(0.1, 10),
            &["cosine"],
            &[(0, 0.02), (5, 0.06), (10, 0.1), (60, 0.05), (110, 0.0)],
            vec![],
        ),
        // Keras 3.15.1 in float32.
        row(
            CosineRestarts::new(0.1, 10).t_mul(1.5).m_mul(0.8).alpha(0.1),
            &["cosine_restarts", "CosineDecayRestarts"],
            &[
                (0, 0.1),
                (5, 0.055),
                (9, 0.0122024585),
                (10, 0.082),
                (24, 0.0107866842),
                (25, 0.0676),
                (40, 0.0244),
                (60, 0.042165678),
            ],
            [
                refused("initial_rate", &NO_RATES, |rate| CosineRestarts::new(rate, 1)),
                refused("t_mul", &[0.9, f64::NAN, f64::INFINITY], |t| CosineRestarts::new(0.1, 1).t_mul(t)),
                refused("m_mul", &[0.0, 1.1, f64::NAN], |m| CosineRestarts::new(0.1, 1).m_mul(m)),
                refused("alpha", &no_shares, |alpha| CosineRestarts::new(0.1, 1).alpha(alpha)),
                vec![(CosineRestarts::new(0.1, 0).into(), "first_decay_steps")],
            ]
            .concat(),
        ),
        row(
            CosineRestarts::new(0.1, 10).t_mul(1.0).m_mul(0.5),
            &["cosine_restarts"],
            &[(0, 0.1), (5, 0.05), (10, 0.05), (25, 0.0125)],
            vec![],
        ),
        // PyTorch in float64.
        row(
            OneCycle::new(0.1, 100),
            &["one_cycle", "OneCycleLR"],
            &[
                (0, 0.004),
                (1, 0.004281378056590748),
                (15, 0.05459866761210004),
                (28, 0.09971862194340926),
                (29, 0.1),
                (30, 0.09994965352845243),
                (60, 0.05892800902855288),
                (98, 5.07464715475788e-05),
                (99, 4e-07),
                (u64::MAX, 4e-07),
            ],
            [
                refused("max_rate", &NO_RATES, |rate| OneCycle::new(rate, 10)),
                refused("rising_share", &[0.0, 1.0, f64::NAN], |share| {
                    OneCycle::new(0.1, 10).rising_share(share)
                }),
                refused("div_factor", &[0.9, f64::NAN, f64::INFINITY], |d| {
                    OneCycle::new(0.1, 10).div_factor(d)
                }),
                refused("final_div_factor", &[0.9, f64::NAN], |d| OneCycle::new(0.1, 10).final_div_factor(d)),
                vec![(OneCycle::new(0.1, 0).into(), "total_steps")],
            ]
            .concat(),
        ),
        row(
            OneCycle::new(0.1, 100).rising_share(0.4).div_factor(10.0).final_div_factor(100.0).linear(),
            &["one_cycle"],
            &[(0, 0.01), (10, 0.03307692307692308), (29, 0.07692307692307693), (64, 0.058375), (99, 0.0001)],
            vec![],
        ),
        row(OneCycle::new(0.1, 1), &["one_cycle"], &[(0, 4e-07)], vec![]),
    ]
}

#[test]
fn every_schedule_of_the_crate_is_in_the_list() {
    let rows = contract();
    for name in part::names::<Schedules>() {
        assert!(rows.iter().any(|row| row.schedule.name() == name), "{name}");
    }
}

#[test]
fn rates_are_those_worked_out_elsewhere() {
    for row in contract() {
        for &(step, rate) in row.rates {
            let found = row.schedule.rate(step);
            assert!((found - rate).abs() <= 1e-8 + 1e-12 * rate, "{} {step}: {found} {rate}", row.schedule);
        }
    }
}

#[test]
fn rates_are_finite_and_never_negative() {
    for row in contract() {
        let far = (0..64).map(|bit| 1 << bit).chain([u64::MAX]);
        for step in (0..500).chain(far) {
            let rate = row.schedule.rate(step);
            assert!(rate.is_finite() && rate >= 0.0, "{} {step}: {rate}", row.schedule);
        }
    }
}

#[test]
fn defaults_are_valid_and_answer_to_every_name() {
    for row in contract() {
        for name in row.names {
            let schedule: AnySchedule = name.parse().unwrap();
            schedule.check().unwrap();
            assert_eq!(schedule.name(), row.schedule.name());
            assert!(schedule.rate(0) > 0.0);
        }
    }
}

#[test]
fn a_schedule_in_an_optimizer_survives_a_file() {
    for row in contract() {
        row.schedule.check().unwrap();
        let optimizer: AnyOptimizer = Adam::new(row.schedule.clone()).into();
        let text = serde_json::to_string(&optimizer).unwrap();
        let read: AnyOptimizer = serde_json::from_str(&text).unwrap();
        assert_eq!(read, optimizer, "{text}");
        assert_eq!(
            serde_json::from_str::<AnySchedule>(&json!(row.schedule).to_string()).unwrap(),
            row.schedule
        );
    }
}

#[test]
fn settings_outside_their_range_are_refused_by_name() {
    for row in contract() {
        for (schedule, parameter) in row.refused {
            match AnyOptimizer::from(Adam::new(schedule.clone())).check() {
                Err(Error::Parameter { name, .. }) => assert_eq!(name, parameter, "{schedule:?}"),
                other => panic!("{schedule:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn settings_a_schedule_does_not_have_are_refused() {
    for row in contract() {
        let problem = AnySchedule::build(row.schedule.name(), json!({ "no_such": 1 }));
        assert!(matches!(problem, Err(Error::PartSettings { .. })), "{}", row.schedule);
    }
    let problem = serde_json::from_str::<AnyOptimizer>(
        r#"{"name": "adam", "learning_rate": {"name": "cosine", "alpha": 2.0}}"#,
    );
    assert!(problem.unwrap_err().to_string().contains("alpha must be between 0 and 1"));
}

#[test]
fn a_run_paused_in_a_file_goes_on_at_the_rate_it_had() {
    let x = Array2::from_shape_fn((13, 2), |(i, j)| ((7 * i + 5 * j) % 13) as f64 / 6.0 - 1.0);
    let y = Array2::from_shape_fn((13, 1), |(i, _)| x[[i, 0]] - x[[i, 1]]);
    let data = || Data { training: Rows::new(x.view(), y.view()).unwrap(), validation: None };
    for row in contract() {
        let plan = Plan {
            network: Sequential::new().add(Dense::new(1)),
            loss: MeanSquaredError.into(),
            optimizer: Sgd::new(row.schedule.clone()).momentum(0.9).accumulate(2).into(),
            metrics: vec![],
            batch_size: 4,
            shuffle: true,
            seed: 5,
            callbacks: vec![ReduceLrOnPlateau::on("loss").patience(1).factor(0.5).into()],
        };
        let until = Until::epochs(9);
        let mut straight = Run::<f64>::new(plan.clone(), 2).unwrap();
        straight.advance(&data(), until).unwrap();
        for steps in [1, 4, 15, 30] {
            let mut run = Run::<f64>::new(plan.clone(), 2).unwrap();
            run.advance(&data(), until.steps(steps)).unwrap();
            let mut run = Run::<f64>::from_bytes(&run.to_bytes().unwrap()).unwrap();
            let rate = run.learning_rate();
            assert!(rate <= row.schedule.rate(steps) && rate >= 0.0, "{}: {rate}", row.schedule);
            run.advance(&data(), until).unwrap();
            assert!(run.to_bytes().unwrap() == straight.to_bytes().unwrap(), "{} at {steps}", row.schedule);
        }
    }
}

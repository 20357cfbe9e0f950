//! scikit-learn's adaptive learning rate, for curves of losses that are given.

use linfa_mlp::Float;
use linfa_mlp::callback::AdaptiveLearningRate;
use linfa_mlp::metric::{Batch, Direction, Metrics};
use linfa_mlp::optimizer::{MAX_SLOTS, Optimizer, Optimizers, Step, Tuning};
use linfa_mlp::part::{Configured, register};
use linfa_mlp::prelude::*;
use linfa_mlp::train::{Data, Plan, Rows, Run, Until};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::fixture::{Comparison, list, number, numbers, read, text};

/// The value at the place that the first output tells.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Curve {
    values: Vec<f64>,
}

impl Configured for Curve {
    const NAME: &'static str = "curve";
}

impl<F: Float> Metric<F> for Curve {
    fn direction(&self) -> Direction {
        Direction::Minimize
    }
    fn of_classes(&self) -> bool {
        false
    }
    fn update(&self, state: &mut Vec<f64>, batch: &Batch<'_, F>) {
        *state = vec![batch.outputs[0].wide()];
    }
    fn value(&self, state: &[f64]) -> f64 {
        self.values[state[0] as usize]
    }
}

/// Adds 1 to every weight whatever the learning rate: the output of a row of zeros counts the epochs.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Clock {
    tuning: Tuning,
}

impl Default for Clock {
    fn default() -> Self {
        Clock { tuning: Tuning::new(1.0) }
    }
}

impl Configured for Clock {
    const NAME: &'static str = "clock";
}

impl<F: Float> Optimizer<F> for Clock {
    fn tuning(&self) -> &Tuning {
        &self.tuning
    }
    fn slots(&self) -> &'static [&'static str] {
        &[]
    }
    fn update(&self, _: Step<'_>, weights: &mut [F], _: &[F], _: [&mut [F]; MAX_SLOTS]) {
        weights.iter_mut().for_each(|w| *w += F::one());
    }
}

#[test]
fn rates_and_the_end_are_those_of_scikit_learn() {
    register::<Metrics, Curve>().expect("the name is free");
    register::<Optimizers, Clock>().expect("the name is free");
    let fixture = read("adaptive_rate.json");
    let mut comparison = Comparison::default();
    let (x, y) = (Array2::<f64>::zeros((2, 1)), Array2::zeros((2, 1)));
    for case in list(&fixture, "cases") {
        let values: Vec<f64> = numbers(&fixture["curves"][text(case, "curve")]);
        let epochs = values.len();
        let patience = number(case, "n_iter_no_change") as usize;
        let what = format!("{} from {}, {patience}", text(case, "curve"), number(case, "learning_rate"));
        let adaptive = AdaptiveLearningRate::on("curve").patience(patience).tolerance(number(case, "tol"));
        let plan = Plan {
            network: Sequential::new().add(Dense::new(1)),
            loss: MeanSquaredError.into(),
            optimizer: Clock { tuning: Tuning::new(number(case, "learning_rate")) }.into(),
            metrics: vec![Curve { values }.into()],
            batch_size: 2,
            shuffle: false,
            seed: 1,
            callbacks: vec![adaptive.into()],
        };
        let data = Data { training: Rows::new(x.view(), y.view()).expect("rows"), validation: None };
        let mut run = Run::new(plan, 1).expect("a run");
        let mut rates: Vec<f64> = Vec::new();
        // Half of it from a file: what has been counted is part of the run.
        for goal in [epochs / 2, epochs] {
            let mut read = Run::<f64>::from_bytes(&run.to_bytes().expect("bytes")).expect("a run");
            read.advance(&data, Until::epochs(epochs).steps(goal as u64)).expect("it trains");
            read.advance(&data, Until::epochs(epochs).steps(goal as u64)).expect("a stopped run stays");
            run = read;
        }
        // The rate in the history is that of the epoch; the fixture has that of the next one.
        rates.extend(&run.history()["learning_rate"][1..]);
        let stops_after = case["stops_after"].as_u64().unwrap_or(epochs as u64);
        comparison.close(run.epochs() as f64, stops_after as f64, 0.0, || format!("{what}: epochs"));
        let stopped = run.history().stop_reason().is_some_and(|why| why.to_string().contains("adaptive"));
        assert_eq!(stopped, case["stops_after"].is_u64(), "{what}: {:?}", run.history().stop_reason());
        let expected: Vec<f64> = numbers(&case["rates"]);
        for (epoch, (found, expected)) in rates.iter().zip(&expected).enumerate() {
            // A rate is a factor on the schedule's: the last bit of the quotient is not always there.
            comparison.close(*found, *expected, 4.0 * f64::EPSILON * expected, || format!("{what}: {epoch}"));
        }
    }
    comparison.assert(2000);
}

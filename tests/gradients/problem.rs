//! A network, a loss and a batch whose gradient can be checked.

use linfa_mlp::loss::AnyLoss;
use linfa_mlp::network::Sequential;
use linfa_mlp::optimizer::Sgd;
use linfa_mlp::rng::Stream;
use linfa_mlp::train::{Data, Plan, Rows, Run, Until, evaluate};
use ndarray::{Array1, Array2};

use crate::members;

/// Distance of the nearest point of the difference quotient: a power of two, so that most weights move by exactly it.
/// The truncation of the fourth-order quotient, h⁴/30 times a fifth derivative, is then 10⁻¹⁵ of it.
const H: f64 = 1.0 / 2048.0;

/// Relative, or absolute for gradients below 1. What sets it: the quotient divides the rounding of a loss near 1, some
/// 10⁻¹⁵ with all sums, by h = 5·10⁻⁴, which is 10⁻¹², and losses here reach a few hundred.
const TOLERANCE: f64 = 1e-9;

/// One batch and what is made small on it.
#[derive(Clone)]
pub struct Problem {
    pub plan: Plan,
    pub x: Array2<f64>,
    pub y: Array2<f64>,
    pub weights: Option<Array1<f32>>,
}

/// What a check has seen.
#[derive(Clone, Copy, Default)]
pub struct Count {
    pub compared: usize,
    /// Weights with a kink of an activation, a loss or a penalty inside the quotient's reach.
    pub skipped: usize,
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Count) {
        self.compared += other.compared;
        self.skipped += other.skipped;
    }
}

impl Count {
    /// Kinks must stay an exception: all cases together lose next to no weights.
    pub fn assert_few_skipped(self, at_least: usize) {
        assert!(self.compared >= at_least, "only {} compared", self.compared);
        assert!(self.skipped * 50 <= self.compared, "{} of {} skipped", self.skipped, self.compared);
    }
}

impl Problem {
    /// Rows drawn from the seed, with targets the loss allows.
    pub fn new(network: Sequential, loss: &AnyLoss, rows: usize, n_features: usize, seed: u64) -> Self {
        let mut draws = Stream::new(seed).named("data");
        let x = Array2::from_shape_simple_fn((rows, n_features), || 2.0 * draws.uniform() - 1.0);
        let y = members::targets(loss, rows, network.n_outputs(n_features), &mut draws);
        let plan = Plan {
            network,
            loss: loss.clone(),
            // w − (w − 1·g) gives g back to half a unit in the last place of max(|w|, |g|), about 10⁻¹⁶: nothing beside
            // the tolerance. So a step is a gradient, and the one that training uses.
            optimizer: Sgd::new(1.0).into(),
            metrics: vec![],
            batch_size: rows,
            shuffle: false,
            seed,
            callbacks: vec![],
        };
        Problem { plan, x, y, weights: None }
    }

    /// Weights from 0 to 2, the first one 0.
    pub fn weighted(mut self) -> Self {
        let mut draws = Stream::new(self.plan.seed).named("weights");
        let mut weights = Array1::from_shape_simple_fn(self.x.nrows(), || 2.0 * draws.uniform() as f32);
        weights[0] = 0.0;
        self.weights = Some(weights);
        self
    }

    fn rows(&self) -> Rows<'_, f64> {
        let rows = Rows::new(self.x.view(), self.y.view()).expect("rows that can be read");
        match &self.weights {
            Some(weights) => rows.with_weights(weights.view()).expect("weights that can be read"),
            None => rows,
        }
    }

    fn start(&self) -> Run<f64> {
        Run::new(self.plan.clone(), self.x.ncols()).expect("a plan that can be run")
    }

    /// The run after one step, which has taken its loss before it.
    fn step(&self, mut run: Run<f64>) -> Run<f64> {
        run.advance(&Data { training: self.rows(), validation: None }, Until::epochs(1)).expect("a step");
        run
    }

    /// The weights a run starts with.
    pub fn tensors(&self) -> Vec<(String, Array2<f64>)> {
        self.start().network().tensors().map(|(name, values)| (name, values.to_owned())).collect()
    }

    /// Loss of the first batch, penalties and dropout masks included, and the gradient of every tensor.
    pub fn loss_and_gradient(&self) -> (f64, Vec<Array2<f64>>) {
        let before = self.tensors();
        let run = self.step(self.start());
        let gradients = run.network().tensors().zip(before).map(|((_, after), (_, before))| before - after);
        (run.history()["loss"][0], gradients.collect())
    }

    /// As [`loss_and_gradient`](Self::loss_and_gradient), computed in `f32` from the same numbers rounded.
    pub fn in_single_precision(&self) -> (f64, Vec<Array2<f64>>) {
        let (x, y) = (self.x.mapv(|value| value as f32), self.y.mapv(|value| value as f32));
        let rows = Rows::new(x.view(), y.view()).expect("rows that can be read");
        let mut run: Run<f32> = Run::new(self.plan.clone(), x.ncols()).expect("a plan that can be run");
        let before: Vec<_> = run.network().tensors().map(|(_, values)| values.to_owned()).collect();
        run.advance(&Data { training: rows, validation: None }, Until::epochs(1)).expect("a step");
        let gradients = run.network().tensors().zip(before);
        let gradients = gradients.map(|((_, after), before)| (before - after).mapv(f64::from)).collect();
        (run.history()["loss"][0], gradients)
    }

    /// Loss on the same rows outside of training.
    pub fn loss_without_training(&self) -> f64 {
        evaluate(self.start().network(), &self.plan, &self.rows()).expect("a loss")["loss"]
    }

    /// Compares the gradient with difference quotients, at every `stride`-th weight of each tensor.
    pub fn check(&self, stride: usize, what: &str) -> Count {
        let start = self.start();
        let (_, gradients) = self.loss_and_gradient();
        let mut count = Count::default();
        // What training does not move by a gradient: moving averages.
        let trained = |name: &str| !name.contains("/moving_");
        let tensors = self.tensors().into_iter().zip(&gradients).filter(|((name, _), _)| trained(name));
        for ((name, values), gradient) in tensors {
            for (place, ((row, column), &analytic)) in gradient.indexed_iter().enumerate() {
                if place % stride != 0 {
                    continue;
                }
                let loss_at = |distance: f64| {
                    let mut run = start.clone();
                    let mut values = values.clone();
                    values[[row, column]] += distance;
                    run.network_mut().set_tensor(&name, values.view()).expect("a tensor of the network");
                    self.step(run).history()["loss"][0]
                };
                let quotient = |h: f64| {
                    (8.0 * (loss_at(h) - loss_at(-h)) - (loss_at(2.0 * h) - loss_at(-2.0 * h))) / (12.0 * h)
                };
                let (wide, narrow) = (quotient(H), quotient(H / 2.0));
                let tolerance = TOLERANCE * wide.abs().max(1.0);
                if (wide - narrow).abs() > tolerance {
                    // Smooth functions give the same quotient twice: this one has a kink within 2h.
                    count.skipped += 1;
                    continue;
                }
                count.compared += 1;
                assert!(
                    (analytic - wide).abs() <= tolerance,
                    "{what}: {name}[{row}, {column}]: gradient {analytic}, difference quotient {wide}"
                );
            }
        }
        // One row at the kink of a loss takes with it all weights that lead to that output, but not the others.
        let all = count.compared + count.skipped;
        assert!(count.skipped * 3 <= all * 2, "{what}: {} of {all} skipped", count.skipped);
        count
    }
}

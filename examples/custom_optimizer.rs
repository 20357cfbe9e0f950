//! An optimizer of one's own: steps of one size, in the direction of the gradient's sign.

use linfa_mlp::optimizer::{AnyOptimizer, MAX_SLOTS, Optimizer, Optimizers, Step, Tuning};
use linfa_mlp::part::{Configured, register};
use linfa_mlp::prelude::*;
use linfa_mlp::train::{Data, Plan, Rows, Run, Until};
use linfa_mlp::{Error, Float, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// `w ← w − η sign(g)`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SignDescent {
    /// The learning rate, and the knobs that the run turns for every optimizer.
    tuning: Tuning,
}

impl Configured for SignDescent {
    const NAME: &'static str = "sign_descent";

    fn check(&self) -> Result<()> {
        self.tuning.check()
    }
}

impl<F: Float> Optimizer<F> for SignDescent {
    fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    fn slots(&self) -> &'static [&'static str] {
        &[]
    }

    fn update(&self, step: Step<'_>, weights: &mut [F], gradient: &[F], _: [&mut [F]; MAX_SLOTS]) {
        let rate = F::of(step.learning_rate);
        for (w, &g) in weights.iter_mut().zip(gradient) {
            *w -= if g.is_zero() { g } else { rate * g.signum() };
        }
    }
}

fn main() -> Result<()> {
    // Known by its name, it is found in files too.
    register::<Optimizers, SignDescent>()?;
    let tuning = Tuning { accumulate: 2, ..Tuning::new(0.01) };
    let optimizer: AnyOptimizer = SignDescent { tuning }.into();
    let plan = Plan {
        network: Sequential::new().add(Dense::new(8).activation(Tanh)).add(Dense::new(1)),
        loss: MeanSquaredError.into(),
        optimizer,
        metrics: vec![],
        batch_size: 10,
        shuffle: true,
        seed: 42,
        callbacks: vec![],
    };
    let x = Array2::from_shape_fn((100, 1), |(i, _)| i as f64 / 50.0 - 1.0);
    let y = x.mapv(|x| (3.0 * x).sin());
    let data = Data { training: Rows::new(x.view(), y.view())?, validation: None };
    let mut run = Run::new(plan, 1)?;
    run.advance(&data, Until::epochs(100).steps(500))?;
    let mut run = Run::from_bytes(&run.to_bytes()?)?;
    run.advance(&data, Until::epochs(100))?;
    let loss = run.history().last("loss").unwrap_or(f64::NAN);
    println!("{}: loss {loss:.4} after {} steps", run.plan().optimizer.name(), run.steps());
    if loss < 0.05 { Ok(()) } else { Err(Error::parameter("loss", loss, "below 0.05")) }
}

//! An optimizer of your own: written, used, saved and read back by its name.
//!
//! ```text
//! cargo run --release --example custom_optimizer
//! ```
//!
//! Prints the optimizer that a saved run names, whether 30 + 30 epochs are 60 to the last bit, and the accuracy on iris.

use linfa::prelude::*;
use linfa_mlp::kernel;
use linfa_mlp::optimizer::{AnyOptimizer, MAX_SLOTS, Optimizer, Optimizers, Step, Tuning};
use linfa_mlp::part::{Configured, register};
use linfa_mlp::{Float, MlpClassifier};
use serde::{Deserialize, Serialize};

/// Signum: every weight moves by the learning rate, against the sign of its momentum
/// (J. Bernstein et al., *signSGD*, ICML 2018, algorithm 2).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Signum {
    #[serde(flatten)]
    tuning: Tuning,
    momentum: f64,
}

impl Configured for Signum {
    const NAME: &'static str = "signum";

    fn check(&self) -> linfa_mlp::Result<()> {
        self.tuning.check()?;
        let allowed = (0.0..1.0).contains(&self.momentum);
        linfa_mlp::error::check("momentum", self.momentum, allowed, "at least 0 and below 1")
    }
}

impl<F: Float> Optimizer<F> for Signum {
    fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    fn slots(&self) -> &'static [&'static str] {
        &["momentum"]
    }

    fn update(&self, step: Step<'_>, weights: &mut [F], gradient: &[F], slots: [&mut [F]; MAX_SLOTS]) {
        let (rate, beta) = (F::of(step.learning_rate), F::of(self.momentum));
        let [momentum, ..] = slots;
        kernel::dispatch(
            #[inline(always)]
            || {
                for ((w, &g), m) in weights.iter_mut().zip(gradient).zip(momentum) {
                    *m = beta * *m + (F::one() - beta) * g;
                    *w -= rate
                        * if *m > F::zero() {
                            F::one()
                        } else if *m < F::zero() {
                            -F::one()
                        } else {
                            F::zero()
                        };
                }
            },
        );
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    register::<Optimizers, Signum>()?; // from now on its name is known to `parse`, to settings and to files

    let signum: AnyOptimizer = Signum { tuning: Tuning::new(0.003), momentum: 0.9 }.into();
    let iris = linfa_datasets::iris();
    let params = MlpClassifier::params().hidden_layer_sizes([16]).optimizer(signum).batch_size(16).seed(1);
    let model = params.clone().epochs(30).fit(&iris)?;

    let read = MlpClassifier::<f64, usize>::from_bytes(&model.to_bytes()?)?;
    println!("optimizer of the file: {}", read.run().plan().optimizer);
    let more = params.clone().epochs(60).fit_with(Some(read), &iris)?;
    let straight = params.epochs(60).fit(&iris)?;
    println!("30 + 30 epochs equal 60: {}", more.to_bytes()? == straight.to_bytes()?);
    println!("accuracy: {:.3}", more.score(&iris)?);
    Ok(())
}

//! Exercise 9: learning rates far too small and far too large, with SGD, RMSprop and Adam.
//!
//! ```text
//! cargo run --release --example learning_rates -- [--digits] [--epochs N] [--seeds N] [--out FOLDER]
//! ```
//!
//! Prints a table, and draws the losses of all rates: `learning_rates.svg`. Read off the picture: curves that hardly fall (too
//! small), that fall (useful), that jump about or leave at the top (too large), and a cross where training diverged. A class is
//! the largest output, so the accuracy may survive a loss that explodes.

use std::error::Error;
use std::process::ExitCode;

use linfa_mlp::Error as MlpError;
use linfa_mlp::optimizer::AnyOptimizer;
use linfa_mlp::prelude::*;

mod practical;

/// From rates that learn next to nothing in ten epochs to one that no optimizer can use.
const RATES: [f64; 7] = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1];

/// An optimizer by its learning rate, everything else as Keras has it.
type ByRate = fn(f64) -> AnyOptimizer;

fn main() -> ExitCode {
    practical::main(run)
}

fn run() -> Result<(), Box<dyn Error>> {
    let data = practical::OneHot::from_args("learning_rates")?;
    let optimizers: [(&str, ByRate); 3] = [
        ("SGD", |rate| Sgd::new(rate).into()),
        ("RMSprop", |rate| RmsProp::new(rate).into()),
        ("Adam", |rate| Adam::new(rate).into()),
    ];
    let mut fits = Vec::new();
    println!("optimizer     rate                     loss     test accuracy   outcome");
    for (name, optimizer) in optimizers {
        for rate in RATES {
            let model = data.compile(practical::network(&[32, 32]), optimizer(rate))?;
            let mut outcomes = Vec::new();
            let [loss, accuracy] = data.over_seeds(|seed| {
                let mut model = model.clone().seed(seed)?;
                match data.fit(&mut model, &data.training()) {
                    Ok(()) => {}
                    Err(MlpError::Diverged { epoch, batch, .. }) => {
                        outcomes.push(format!("epoch {epoch}, batch {batch}"));
                    }
                    Err(error) => return Err(error.into()),
                }
                if seed == 0 {
                    fits.push(practical::Fit::new(name, format!("{rate:e}"), model.history()));
                }
                Ok([practical::last(model.history(), "loss"), data.test_accuracy(&model)?])
            })?;
            let outcome = match outcomes.first() {
                None => "all epochs done".to_owned(),
                Some(first) => {
                    format!("{} of {} diverged, the first in {first}", outcomes.len(), data.seeds)
                }
            };
            let loss = match loss.deviation() {
                Some(deviation) => format!("{:.3e} ± {deviation:.1e}", loss.mean()),
                None => format!("{:.3e}", loss.mean()),
            };
            println!("{name:<9}   {rate:>6e}   {loss:>22}   {accuracy:>15.3}   {outcome}");
        }
    }
    println!("{}", data.compare("loss", "learning rate", &fits, "learning_rates.svg")?);
    Ok(())
}

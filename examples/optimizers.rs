//! Exercise 8: SGD, RMSprop and Adam on the same network, from the same first weights.
//!
//! ```text
//! cargo run --release --example optimizers -- [--digits] [--epochs N] [--seeds N] [--out FOLDER]
//! ```
//!
//! Prints the loss after the first and the last epoch and the accuracies of each, and draws their learning curves:
//! `sgd.svg`, `rmsprop.svg`, `adam.svg`, and together `validation_loss.svg`.

use std::error::Error;
use std::process::ExitCode;

use linfa_mlp::optimizer::AnyOptimizer;
use linfa_mlp::prelude::*;

mod practical;

fn main() -> ExitCode {
    practical::main(run)
}

fn run() -> Result<(), Box<dyn Error>> {
    let data = practical::OneHot::from_args("optimizers")?;
    let optimizers: [AnyOptimizer; 3] =
        [Sgd::default().into(), RmsProp::default().into(), Adam::default().into()];
    println!("optimizer   loss: first epoch              last   accuracy: validation              test");
    let mut fits = Vec::new();
    for optimizer in optimizers {
        let name = optimizer.name().to_owned();
        let model = data.compile(practical::network(&[128, 128]), optimizer)?;
        let [first, last, validation, test] = data.over_seeds(|seed| {
            let mut model = model.clone().seed(seed)?;
            data.fit(&mut model, &data.training().validation_split(0.3))?;
            let history = model.history();
            if seed == 0 {
                data.plot(history, &format!("{name}.svg"))?;
                fits.push(practical::Fit::new("", &name, history));
            }
            let [last, validation] = ["loss", "val_accuracy"].map(|name| practical::last(history, name));
            Ok([history["loss"][0], last, validation, data.test_accuracy(&model)?])
        })?;
        println!("{name:>9}   {first:>17}   {last:>15}   {validation:>20}   {test:>15}");
    }
    println!("{}", data.compare("val_loss", "optimizer", &fits, "validation_loss.svg")?);
    Ok(())
}

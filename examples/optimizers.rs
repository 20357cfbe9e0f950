//! Exercise 8: SGD, RMSprop and Adam on the same network, from the same first weights.
//!
//! ```text
//! cargo run --release --example optimizers -- [--digits] [--epochs N] [--out FOLDER]
//! ```
//!
//! Prints the loss after the first and the last epoch and the accuracies of each, and draws their learning curves:
//! `sgd.svg`, `rmsprop.svg`, `adam.svg`.

use std::error::Error;

use linfa_mlp::optimizer::AnyOptimizer;
use linfa_mlp::prelude::*;

mod practical;

fn main() -> Result<(), Box<dyn Error>> {
    let data = practical::OneHot::from_args("optimizers")?;
    let optimizers: [AnyOptimizer; 3] =
        [Sgd::default().into(), RmsProp::default().into(), Adam::default().into()];
    println!("optimizer   loss: first epoch   last   accuracy: validation   test");
    for optimizer in optimizers {
        let name = optimizer.name().to_owned();
        let mut model = data.compile(practical::network(&[128, 128]), optimizer)?;
        data.fit(&mut model, &data.training().validation_split(0.3))?;
        let losses = &model.history()["loss"];
        println!(
            "{name:>9}   {:>17.4}   {:.4}   {:>20.4}   {:.4}",
            losses[0],
            losses[losses.len() - 1],
            model.history().last("val_accuracy").unwrap_or(f64::NAN),
            data.test_accuracy(&model)?
        );
        data.plot(model.history(), &format!("{name}.svg"))?;
    }
    Ok(())
}

//! Exercise 5: the last 30 percent of the training rows watch over training.
//!
//! ```text
//! cargo run --release --example validation_split -- [--digits] [--epochs N] [--seeds N] [--out FOLDER]
//! ```
//!
//! Prints loss and accuracy of each epoch on the rows learned from and on those held out (of the first seed), and draws them:
//! `curves.svg`.

use std::error::Error;
use std::process::ExitCode;

use linfa_mlp::prelude::*;

mod practical;

fn main() -> ExitCode {
    practical::main(run)
}

fn run() -> Result<(), Box<dyn Error>> {
    let data = practical::OneHot::from_args("validation_split")?;
    let mut first = None;
    let [loss, val_loss, val_accuracy, test] = data.over_seeds(|seed| {
        let mut model = data.compile(practical::network(&[128, 128]), RmsProp::default())?.seed(seed)?;
        data.fit(&mut model, &data.training().validation_split(0.3))?;
        let history = model.history();
        first.get_or_insert(history.clone());
        let [loss, val_loss, val_accuracy] =
            ["loss", "val_loss", "val_accuracy"].map(|name| practical::last(history, name));
        Ok([loss, val_loss, val_accuracy, data.test_accuracy(&model)?])
    })?;

    let history = first.ok_or("no fit was made")?;
    println!("{} rows to learn from, {} held out", history.n_training_rows(), history.n_validation_rows());
    println!("epoch     loss   val_loss   accuracy   val_accuracy");
    for epoch in 0..history.len() {
        let [loss, val_loss, accuracy, val_accuracy] =
            ["loss", "val_loss", "accuracy", "val_accuracy"].map(|name| history[name][epoch]);
        println!(
            "{:>5}   {loss:.4}     {val_loss:.4}     {accuracy:.4}         {val_accuracy:.4}",
            epoch + 1
        );
    }
    println!("at the end: loss {loss}, validation loss {val_loss}, validation accuracy {val_accuracy}");
    println!("test accuracy: {test}");
    println!("{}", data.plot(&history, "curves.svg")?);
    Ok(())
}

//! Exercise 5: the last 30 percent of the training rows watch over training.
//!
//! ```text
//! cargo run --release --example validation_split -- [--digits] [--epochs N] [--out FOLDER]
//! ```
//!
//! Prints loss and accuracy of each epoch on the rows learned from and on those held out, and draws them: `curves.svg`.

use std::error::Error;

use linfa_mlp::prelude::*;

mod practical;

fn main() -> Result<(), Box<dyn Error>> {
    let data = practical::OneHot::from_args("validation_split")?;
    let mut model = data.compile(practical::network(&[128, 128]), RmsProp::default())?;
    data.fit(&mut model, &data.training().validation_split(0.3))?;

    let history = model.history();
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
    println!("test accuracy: {:.4}", data.test_accuracy(&model)?);
    data.plot(history, "curves.svg")
}

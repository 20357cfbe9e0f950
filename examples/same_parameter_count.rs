//! Exercise 4: three hidden layers of 128 units against one hidden layer with as many parameters.
//!
//! ```text
//! cargo run --release --example same_parameter_count -- [--digits] [--epochs N] [--seeds N] [--out FOLDER]
//! ```
//!
//! Prints parameters, losses and test accuracy of both, and draws their learning curves (`three.svg`, `one.svg`) and both validation
//! losses (`validation_loss.svg`).

use std::error::Error;
use std::process::ExitCode;

use linfa_mlp::prelude::*;

mod practical;

fn main() -> ExitCode {
    practical::main(run)
}

fn run() -> Result<(), Box<dyn Error>> {
    let data = practical::OneHot::from_args("same_parameter_count")?;
    let n_features = data.train.records.ncols();
    let three = practical::network(&[128; 3]);
    // u units have (n_features + 1) · u parameters before them and (u + 1) · 10 behind.
    let units = (three.count_params(n_features)? - 10) as f64 / (n_features + 1 + 10) as f64;
    let one = practical::network(&[units.round() as usize]);
    let mut fits = Vec::new();

    for (name, network) in [("three", three), ("one", one)] {
        let model = data.compile(network, RmsProp::default())?;
        let [loss, val_loss, accuracy] = data.over_seeds(|seed| {
            let mut model = model.clone().seed(seed)?;
            data.fit(&mut model, &data.training().validation_split(0.3))?;
            let history = model.history();
            if seed == 0 {
                data.plot(history, &format!("{name}.svg"))?;
                fits.push(practical::Fit::new("", name, history));
            }
            Ok([
                practical::last(history, "loss"),
                practical::last(history, "val_loss"),
                data.test_accuracy(&model)?,
            ])
        })?;
        println!("{name:>5} hidden: {} parameters, test accuracy {accuracy}", model.count_params());
        println!("              training loss {loss}, validation loss {val_loss}");
    }
    println!("{}", data.compare("val_loss", "hidden layers", &fits, "validation_loss.svg")?);
    Ok(())
}

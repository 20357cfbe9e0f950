//! Exercise 7: dropout of 0.1 after every hidden layer, and more.
//!
//! ```text
//! cargo run --release --example dropout -- [--digits] [--epochs N] [--seeds N] [--out FOLDER]
//! ```
//!
//! Prints what dropout does to the gap between training and validation, and draws the curves of each: `dropout-0.svg`,
//! `dropout-0.1.svg` and so on, and the validation losses together, `rates.svg`.

use std::error::Error;
use std::process::ExitCode;

use linfa_mlp::prelude::*;

mod practical;

fn main() -> ExitCode {
    practical::main(run)
}

fn run() -> Result<(), Box<dyn Error>> {
    let data = practical::OneHot::from_args("dropout")?;
    println!(
        "dropout    loss: training        validation               gap   accuracy: validation              test"
    );
    let mut fits = Vec::new();
    for rate in [0.0, 0.1, 0.3, 0.5] {
        let network = Sequential::new()
            .add(Dense::new(128).activation(Relu))
            .add(Dropout::new(rate))
            .add(Dense::new(128).activation(Relu))
            .add(Dropout::new(rate))
            .add(practical::output());
        let model = data.compile(network, RmsProp::default())?;
        let [loss, val_loss, gap, accuracy, test] = data.over_seeds(|seed| {
            let mut model = model.clone().seed(seed)?;
            data.fit(&mut model, &data.training().validation_split(0.3))?;
            let history = model.history();
            if seed == 0 {
                data.plot(history, &format!("dropout-{rate}.svg"))?;
                fits.push(practical::Fit::new("", rate, history));
            }
            let [loss, val_loss, accuracy] =
                ["loss", "val_loss", "val_accuracy"].map(|name| practical::last(history, name));
            Ok([loss, val_loss, val_loss - loss, accuracy, data.test_accuracy(&model)?])
        })?;
        println!("{rate:>7}   {loss:>15}   {val_loss:>15}   {gap:>15}   {accuracy:>20}   {test:>15}");
    }
    println!("{}", data.compare("val_loss", "dropout", &fits, "rates.svg")?);
    Ok(())
}

//! Exercise 15: training stops when the validation loss has not fallen for 5 epochs.
//!
//! ```text
//! cargo run --release --example early_stopping -- [--digits] [--epochs N] [--seeds N] [--out FOLDER]
//! ```
//!
//! Prints why training stopped, and what the best weights are worth beside the last ones; draws `curves.svg`. Unless told
//! otherwise it may train for 100 epochs.

use std::error::Error;
use std::process::ExitCode;

use linfa_mlp::prelude::*;

mod practical;

fn main() -> ExitCode {
    practical::main(run)
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut data = practical::OneHot::from_args("early_stopping")?;
    if !std::env::args().any(|arg| arg == "--epochs") {
        data.epochs = 100;
    }
    for restored in [false, true] {
        let stopping = EarlyStopping::on(ValLoss).patience(5);
        let stopping = if restored { stopping.restore_best_weights() } else { stopping };
        let training = data.training().validation_split(0.3).callback(stopping);
        let [epochs, accuracy] = data.over_seeds(|seed| {
            let mut model = data.compile(practical::network(&[128, 128]), RmsProp::default())?.seed(seed)?;
            data.fit(&mut model, &training)?;
            let history = model.history();
            if !restored && seed == 0 {
                let reason = history.stop_reason().map(ToString::to_string).unwrap_or_default();
                println!("{} of {} epochs: {reason}", history.len(), data.epochs);
                println!("{}", data.plot(history, "curves.svg")?);
            }
            Ok([history.len() as f64, data.test_accuracy(&model)?])
        })?;
        let weights = if restored { "best" } else { "last" };
        println!("{weights} weights: test accuracy {accuracy} after {epochs:.1} epochs");
    }
    Ok(())
}

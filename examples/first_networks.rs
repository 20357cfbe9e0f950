//! Exercises 1 to 3: prepared data, and networks of no, one, two and three hidden layers of 128 units.
//!
//! ```text
//! cargo run --release --example first_networks -- [--digits] [--epochs N] [--seeds N]
//! ```
//!
//! Prints parameters, accuracies and seconds of the four networks, and the layers of the last.

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use linfa_mlp::prelude::*;

mod practical;

fn main() -> ExitCode {
    practical::main(run)
}

fn run() -> Result<(), Box<dyn Error>> {
    let data = practical::OneHot::from_args("first_networks")?;
    println!("hidden layers   parameters   accuracy: training              test   seconds");
    for hidden in 0..=3 {
        let model = data.compile(practical::network(&vec![128; hidden]), RmsProp::default())?;
        let start = Instant::now();
        let [training, test] = data.over_seeds(|seed| {
            let mut model = model.clone().seed(seed)?;
            data.fit(&mut model, &data.training())?;
            Ok([practical::last(model.history(), "accuracy"), data.test_accuracy(&model)?])
        })?;
        let seconds = start.elapsed().as_secs_f64() / data.seeds as f64;
        println!(
            "{hidden:>13}   {:>10}   {training:>18}   {test:>15}   {seconds:>7.1}",
            model.count_params()
        );
    }
    println!("\n{}", practical::network(&[128; 3]).summary(data.train.records.ncols())?);
    Ok(())
}

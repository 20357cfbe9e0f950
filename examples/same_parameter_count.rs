//! Exercise 4: three hidden layers of 128 units against one hidden layer with as many parameters.
//!
//! ```text
//! cargo run --release --example same_parameter_count -- [--digits] [--epochs N] [--out FOLDER]
//! ```
//!
//! Prints parameters and test accuracy of both, and draws their learning curves: `three.svg`, `one.svg`.

use std::error::Error;

use linfa_mlp::prelude::*;

mod practical;

fn main() -> Result<(), Box<dyn Error>> {
    let data = practical::OneHot::from_args("same_parameter_count")?;
    let n_features = data.train.records.ncols();
    let three = practical::network(&[128; 3]);
    // u units have (n_features + 1) · u parameters before them and (u + 1) · 10 behind.
    let units = (three.count_params(n_features)? - 10) as f64 / (n_features + 1 + 10) as f64;
    let one = practical::network(&[units.round() as usize]);

    for (name, network) in [("three", three), ("one", one)] {
        let mut model = data.compile(network, RmsProp::default())?;
        data.fit(&mut model, &data.training().validation_split(0.3))?;
        let accuracy = data.test_accuracy(&model)?;
        println!("{name:>5} hidden: {} parameters, test accuracy {accuracy:.4}", model.count_params());
        data.plot(model.history(), &format!("{name}.svg"))?;
    }
    Ok(())
}

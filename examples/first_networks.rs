//! Exercises 1 to 3: prepared data, and networks of no, one, two and three hidden layers of 128 units.
//!
//! ```text
//! cargo run --release --example first_networks -- [--digits] [--epochs N]
//! ```
//!
//! Prints parameters, accuracies and seconds of the four networks, and the layers of the last.

use std::error::Error;
use std::time::Instant;

use linfa_mlp::prelude::*;

mod practical;

fn main() -> Result<(), Box<dyn Error>> {
    let data = practical::OneHot::from_args("first_networks")?;
    println!("hidden layers   parameters   accuracy: training   test   seconds");
    for hidden in 0..=3 {
        let network = practical::network(&vec![128; hidden]);
        let mut model = data.compile(network, RmsProp::default())?;
        let start = Instant::now();
        data.fit(&mut model, &data.training())?;
        let seconds = start.elapsed().as_secs_f64();
        let training = model.history().last("accuracy").unwrap_or(f64::NAN);
        let (params, test) = (model.count_params(), data.test_accuracy(&model)?);
        println!("{hidden:>13}   {params:>10}   {training:>18.4}   {test:.4}   {seconds:.1}");
        if hidden == 3 {
            println!("\n{}", model.summary());
        }
    }
    Ok(())
}

//! Exercise 7: dropout of 0.1 after every hidden layer.
//!
//! ```text
//! cargo run --release --example dropout -- [--digits] [--epochs N] [--out FOLDER]
//! ```
//!
//! Prints what dropout does to the gap between training and validation, and draws both curves: `dropout-0.svg`,
//! `dropout-0.1.svg`.

use std::error::Error;

use linfa_mlp::prelude::*;

mod practical;

fn main() -> Result<(), Box<dyn Error>> {
    let data = practical::OneHot::from_args("dropout")?;
    println!("dropout   loss: training   validation   accuracy: validation   test");
    for rate in [0.0, 0.1] {
        let network = Sequential::new()
            .add(Dense::new(128).activation(Relu))
            .add(Dropout::new(rate))
            .add(Dense::new(128).activation(Relu))
            .add(Dropout::new(rate))
            .add(practical::output());
        let mut model = data.compile(network, RmsProp::default())?;
        data.fit(&mut model, &data.training().validation_split(0.3))?;
        let last = |name: &str| model.history().last(name).unwrap_or(f64::NAN);
        println!(
            "{rate:>7}   {:>14.4}   {:>10.4}   {:>20.4}   {:.4}",
            last("loss"),
            last("val_loss"),
            last("val_accuracy"),
            data.test_accuracy(&model)?
        );
        data.plot(model.history(), &format!("dropout-{rate}.svg"))?;
    }
    Ok(())
}

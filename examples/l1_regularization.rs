//! Exercise 6: an L1 penalty on the weights of every layer.
//!
//! ```text
//! cargo run --release --example l1_regularization -- [--digits] [--epochs N] [--out FOLDER]
//! ```
//!
//! Prints, for rising strengths, the accuracies and how many weights are next to nothing, and draws the learning curves of
//! each: `l1-0.svg` and so on.

use std::error::Error;

use linfa_mlp::prelude::*;

mod practical;

/// Weights below it hardly matter.
const SMALL: f32 = 1e-3;

fn main() -> Result<(), Box<dyn Error>> {
    let data = practical::OneHot::from_args("l1_regularization")?;
    println!("strength   accuracy: training   validation   test   weights below {SMALL}");
    for strength in [0.0, 1e-5, 1e-4, 1e-3] {
        let network = Sequential::new()
            .add(Dense::new(128).activation(Relu).kernel_regularizer(L1::new(strength)))
            .add(Dense::new(128).activation(Relu).kernel_regularizer(L1::new(strength)))
            .add(practical::output().kernel_regularizer(L1::new(strength)));
        let mut model = data.compile(network, RmsProp::default())?;
        data.fit(&mut model, &data.training().validation_split(0.3))?;

        let kernels = model.network().tensors().filter(|(name, _)| name.ends_with("kernel"));
        let weights: Vec<f32> =
            kernels.flat_map(|(_, values)| values.iter().copied().collect::<Vec<_>>()).collect();
        let small = weights.iter().filter(|weight| weight.abs() < SMALL).count();
        let last = |name: &str| model.history().last(name).unwrap_or(f64::NAN);
        println!(
            "{strength:>8}   {:>18.4}   {:>10.4}   {:.4}   {:.1} %",
            last("accuracy"),
            last("val_accuracy"),
            data.test_accuracy(&model)?,
            100.0 * small as f64 / weights.len() as f64
        );
        data.plot(model.history(), &format!("l1-{strength}.svg"))?;
    }
    Ok(())
}

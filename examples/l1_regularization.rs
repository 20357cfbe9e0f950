//! Exercise 6: an L1 penalty on the weights of every layer.
//!
//! ```text
//! cargo run --release --example l1_regularization -- [--digits] [--epochs N] [--seeds N] [--out FOLDER]
//! ```
//!
//! Prints, for rising strengths, the accuracies and how many weights are next to nothing, and draws the learning curves of
//! each, `l1-0.svg` and so on, and their validation accuracies, `strengths.svg`.

use std::error::Error;
use std::process::ExitCode;

use linfa_mlp::prelude::*;

mod practical;

/// Weights below it hardly matter.
const SMALL: f32 = 1e-3;

fn main() -> ExitCode {
    practical::main(run)
}

fn run() -> Result<(), Box<dyn Error>> {
    let data = practical::OneHot::from_args("l1_regularization")?;
    println!("strength   accuracy: training        validation              test   weights below {SMALL}");
    let mut fits = Vec::new();
    for strength in [0.0, 1e-5, 1e-4, 1e-3] {
        let network = Sequential::new()
            .add(Dense::new(128).activation(Relu).kernel_regularizer(L1::new(strength)))
            .add(Dense::new(128).activation(Relu).kernel_regularizer(L1::new(strength)))
            .add(practical::output().kernel_regularizer(L1::new(strength)));
        let model = data.compile(network, RmsProp::default())?;
        let [training, validation, test, small] = data.over_seeds(|seed| {
            let mut model = model.clone().seed(seed)?;
            data.fit(&mut model, &data.training().validation_split(0.3))?;
            let history = model.history();
            if seed == 0 {
                data.plot(history, &format!("l1-{strength}.svg"))?;
                let name = if strength > 0.0 { format!("{strength:e}") } else { "0".into() };
                fits.push(practical::Fit::new("", name, history));
            }
            let [training, validation] =
                ["accuracy", "val_accuracy"].map(|name| practical::last(history, name));
            Ok([training, validation, data.test_accuracy(&model)?, share_of_small(&model)])
        })?;
        println!("{strength:>8}   {training:>18}   {validation:>15}   {test:>15}   {small:.1} %");
    }
    println!("{}", data.compare("val_accuracy", "strength", &fits, "strengths.svg")?);
    Ok(())
}

/// How many weights of a hundred hardly matter.
fn share_of_small(model: &Model<f32>) -> f64 {
    let kernels = model.network().tensors().filter(|(name, _)| name.ends_with("kernel"));
    let weights: Vec<f32> =
        kernels.flat_map(|(_, values)| values.iter().copied().collect::<Vec<_>>()).collect();
    let small = weights.iter().filter(|weight| weight.abs() < SMALL).count();
    100.0 * small as f64 / weights.len() as f64
}

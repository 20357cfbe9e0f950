//! Learning rates far too small and far too large: what they do with SGD, RMSprop and Adam, on 8 × 8 pictures of digits.
//!
//! ```text
//! cargo run --release --example learning_rates                     # prints a table, writes learning_rates.svg
//! cargo run --release --example learning_rates -- curves.svg
//! ```
//!
//! Read off the picture: curves that hardly fall (too small), that fall (useful), that jump about or leave at the top (too large),
//! and a cross where training diverged. A class is the largest output, so the accuracy may survive a loss that explodes.

use linfa_mlp::Result;
use linfa_mlp::datasets::digits;
use linfa_mlp::error::Error;
use linfa_mlp::loss::SparseCategoricalCrossEntropy;
use linfa_mlp::metric::Accuracy;
use linfa_mlp::network::{LeakyRelu, Softmax};
use linfa_mlp::optimizer::AnyOptimizer;
use linfa_mlp::prelude::*;
use linfa_mlp::report::Curves;
use ndarray::{Axis, s};

/// From rates that learn next to nothing in 30 epochs to one that no optimizer can use.
const RATES: [f64; 7] = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1];

/// An optimizer by its learning rate, everything else as Keras has it.
type ByRate = fn(f64) -> AnyOptimizer;

fn main() -> Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "learning_rates.svg".into());
    let digits = digits::<f32>();
    let (x, y) = (digits.records / 16.0, digits.targets.mapv(|digit| digit as f32).insert_axis(Axis(1)));
    let (x_test, y_test) = (x.slice(s![1300.., ..]), y.slice(s![1300.., ..]));
    let (x, y) = (x.slice(s![..1300, ..]), y.slice(s![..1300, ..]));
    let optimizers: [(&str, ByRate); 3] = [
        ("SGD", |rate| Sgd::new(rate).into()),
        ("RMSprop", |rate| RmsProp::new(rate).into()),
        ("Adam", |rate| Adam::new(rate).into()),
    ];
    let mut curves = Curves::of("loss").by("learning rate");
    println!("{:<9}  {:>6}  {:>9}  {:>13}  outcome", "optimizer", "rate", "loss", "test accuracy");
    for (name, optimizer) in optimizers {
        curves = curves.panel(name);
        for rate in RATES {
            let mut model = Sequential::new()
                .add(Dense::new(32).activation(LeakyRelu::default()))
                .add(Dense::new(32).activation(LeakyRelu::default()))
                .add(Dense::new(10).activation(Softmax))
                .compile(64, optimizer(rate), SparseCategoricalCrossEntropy, [Accuracy])?;
            let outcome = match model.fit(&x, &y, &Training::epochs(30).batch_size(50)) {
                Ok(_) => "all epochs done".to_owned(),
                Err(Error::Diverged { epoch, batch, .. }) => {
                    format!("diverged in epoch {epoch}, batch {batch}")
                }
                Err(error) => return Err(error),
            };
            let loss = model.history().last("loss").unwrap_or(f64::NAN);
            let accuracy = model.evaluate(&x_test, &y_test)?["accuracy"];
            println!("{name:<9}  {rate:>6e}  {loss:>9.3e}  {accuracy:>13.3}  {outcome}");
            curves = curves.curve(format!("{rate:e}"), model.history());
        }
    }
    curves.save(&path)?;
    println!("curves: {path}");
    Ok(())
}

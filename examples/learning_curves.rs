//! Exercise 12: what a fit remembers, as a table and as a picture.
//!
//! ```text
//! cargo run --release --example learning_curves -- [--digits] [--epochs N] [--out FOLDER]
//! ```
//!
//! Prints the columns of the history and its best epoch, and writes `history.csv`, `history.json` and `curves.svg`.

use std::error::Error;
use std::fs::{self, File};
use std::process::ExitCode;

use linfa_mlp::prelude::*;

mod practical;

fn main() -> ExitCode {
    practical::main(run)
}

fn run() -> Result<(), Box<dyn Error>> {
    let data = practical::OneHot::from_args("learning_curves")?;
    let mut model = data.compile(practical::network(&[128, 128]), RmsProp::default())?;
    data.fit(&mut model, &data.training().validation_split(0.3))?;

    let history = model.history();
    println!("columns: {}", history.names().join(", "));
    let best = history["val_loss"].iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1));
    let (epoch, loss) = best.ok_or("no epoch was trained")?;
    println!("lowest validation loss: {loss:.4} after {} of {} epochs", epoch + 1, history.len());
    println!("{:.1} ms for each epoch", 1e3 * history.seconds().iter().sum::<f64>() / history.len() as f64);

    history.to_csv(File::create(data.file("history.csv")?)?)?;
    fs::write(data.file("history.json")?, history.to_json()?.to_string())?;
    println!("table: {}", data.file("history.csv")?.display());
    println!("{}", data.plot(history, "curves.svg")?);
    Ok(())
}

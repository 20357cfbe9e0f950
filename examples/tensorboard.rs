//! Exercise 13: loss, accuracy and weights in TensorBoard, while the network learns.
//!
//! ```text
//! cargo run --release --example tensorboard -- [--digits] [--epochs N] [--out FOLDER]
//! tensorboard --logdir runs/tensorboard
//! ```
//!
//! Writes event files, and prints what is in them. Each run has a folder of its own, `run-1`, `run-2` …, and TensorBoard shows them
//! beside each other.

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use linfa_mlp::prelude::*;
use linfa_mlp::tensorboard::Events;

mod practical;

fn main() -> ExitCode {
    practical::main(run)
}

fn run() -> Result<(), Box<dyn Error>> {
    let data = practical::OneHot::from_args("tensorboard")?;
    let logs = data.new_folder("run")?;
    let mut model = data.compile(practical::network(&[128, 128]), RmsProp::default())?;
    let board = TensorBoard::to(&logs).update_freq(10).histogram_freq(1);
    data.fit(&mut model, &data.training().validation_split(0.3).callback(board))?;

    for run in ["train", "validation"] {
        for file in fs::read_dir(logs.join(run))? {
            let events = Events::open(&file?.path())?.collect::<Result<Vec<_>, _>>()?;
            let last = events.iter().map(|event| event.step).max().unwrap_or(0);
            println!("{run:>10}: {} values, the last one at step {last}", events.len());
        }
    }
    let runs = logs.parent().unwrap_or(&logs);
    println!("look at them: tensorboard --logdir {}", runs.display());
    Ok(())
}

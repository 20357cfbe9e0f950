//! Exercise 14: every second epoch the network is saved, if its validation loss beats that of all saved before.
//!
//! ```text
//! cargo run --release --example checkpoints -- [--digits] [--epochs N] [--out FOLDER]
//! ```
//!
//! Prints the validation loss of each epoch, the files that were written, and goes on from the last of them. Each run has a folder
//! of its own: `saved-1`, `saved-2` …

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use linfa_mlp::prelude::*;

mod practical;

fn main() -> ExitCode {
    practical::main(run)
}

fn run() -> Result<(), Box<dyn Error>> {
    let data = practical::OneHot::from_args("checkpoints")?;
    let folder = data.new_folder("saved")?;
    let template = folder.join("epoch-{epoch:02}-{val_loss:.4}.mlp").display().to_string();
    let saving = ModelCheckpoint::to(template).every(2).save_best_only(ValLoss);
    let mut model = data.compile(practical::network(&[128, 128]), RmsProp::default())?;
    data.fit(&mut model, &data.training().validation_split(0.3).callback(saving))?;
    for (epoch, loss) in model.history()["val_loss"].iter().enumerate() {
        println!("epoch {:>2}: validation loss {loss:.4}", epoch + 1);
    }

    let mut files =
        fs::read_dir(&folder)?.map(|file| Ok(file?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.sort();
    files.iter().for_each(|file| println!("saved: {}", file.display()));
    let last = files.last().ok_or("two epochs are needed for a file")?;
    let mut model = Model::<f32>::load(last)?;
    println!(
        "\nthe last one knows {} epochs: test accuracy {:.4}",
        model.history().len(),
        data.test_accuracy(&model)?
    );
    data.fit(&mut model, &data.training().validation_split(0.3))?;
    println!("after {} epochs: test accuracy {:.4}", model.history().len(), data.test_accuracy(&model)?);
    Ok(())
}

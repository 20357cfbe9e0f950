//! Trains on a file of records, of which one batch is in memory at a time.
//!
//! A row source says how many rows there are and reads those it is asked for. Shuffling, validation, early stopping and resuming
//! work as on arrays, to the same bits.
//!
//! ```text
//! cargo run --release --example larger_than_memory
//! ```
//!
//! Prints the size of the file and of a batch, and the validation loss of the first and the last epoch.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::sync::Mutex;

use linfa_mlp::MlpRegressor;
use linfa_mlp::callback::{EarlyStopping, ValLoss};
use linfa_mlp::train::{Data, RowSource, Rows, Validation};

/// Records of 8 features and 1 target, each number a little-endian `f32`.
#[derive(Debug)]
struct Records {
    file: Mutex<File>,
    n_samples: usize,
}

const WIDTH: usize = 9;

impl RowSource<f32> for Records {
    fn n_samples(&self) -> usize {
        self.n_samples
    }

    fn n_features(&self) -> usize {
        WIDTH - 1
    }

    fn target_width(&self) -> usize {
        1
    }

    fn read(&self, rows: &[usize], x: &mut [f32], y: &mut [f32]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut file = self.file.lock().map_err(|error| error.to_string())?;
        let mut bytes = [0; 4 * WIDTH];
        for ((&row, x), y) in rows.iter().zip(x.chunks_exact_mut(WIDTH - 1)).zip(y) {
            file.seek(SeekFrom::Start((row * bytes.len()) as u64))?;
            file.read_exact(&mut bytes)?;
            let mut numbers = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            x.iter_mut().chain([y]).zip(&mut numbers).for_each(|(to, number)| *to = number);
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("records-{}.bin", std::process::id()));
    let n_samples = 20_000;
    let mut file = BufWriter::new(File::create(&path)?);
    for row in 0..n_samples {
        let x: Vec<f32> = (0..8).map(|j| ((row * (2 * j + 3) + j) % 101) as f32 / 50.0 - 1.0).collect();
        let y = x[0] * x[1] - x[2] + 0.5 * x[7];
        for number in x.iter().chain([&y]) {
            file.write_all(&number.to_le_bytes())?;
        }
    }
    file.into_inner()?;

    let records = Records { file: Mutex::new(File::open(&path)?), n_samples };
    let data = Data::from(Rows::from_source(&records)?);
    let params = MlpRegressor::params()
        .hidden_layer_sizes([32])
        .batch_size(100)
        .epochs(10)
        .validation(Validation::random(0.1))
        .callback(EarlyStopping::on(ValLoss).patience(3).restore_best_weights());
    let model = params.fit_data(None, &data)?;
    std::fs::remove_file(&path)?;

    let losses = &model.history()["val_loss"];
    println!("rows in the file      {n_samples}");
    println!("bytes in the file     {}", n_samples * 4 * WIDTH);
    println!("bytes of a batch      {}", 100 * 4 * WIDTH);
    println!("validation loss       {:.4} -> {:.4}", losses[0], losses[losses.len() - 1]);
    Ok(())
}

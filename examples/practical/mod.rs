//! What the examples on handwritten digits share: their arguments, their data and their networks.
//!
//! ```text
//! --digits        8 × 8 pictures, which are part of the crate, in place of MNIST
//! --epochs N      epochs of each fit
//! --out FOLDER    where files are written (runs/EXAMPLE)
//! ```
//!
//! MNIST is looked for as `linfa_mlp::datasets::Source` says; without it, the 8 × 8 pictures are used.

// Each example uses some of it.
#![allow(dead_code)]

use std::error::Error;
use std::path::PathBuf;
use std::str::FromStr;

use linfa::Dataset;
use linfa_mlp::datasets::{TrainTest, digits, mnist};
use linfa_mlp::history::History;
use linfa_mlp::optimizer::AnyOptimizer;
use linfa_mlp::prelude::*;
use ndarray::{Ix1, Ix2};

/// What an example was asked to do, and the data to do it with.
pub struct Practical<T, I: ndarray::Dimension> {
    /// Pixels between 0 and 1, to learn from.
    pub train: Dataset<f32, T, I>,
    /// Pixels between 0 and 1, to test with.
    pub test: Dataset<f32, T, I>,
    pub epochs: usize,
    pub batch_size: usize,
    out: PathBuf,
}

/// Data whose targets are rows of ten zeros and ones.
pub type OneHot = Practical<f32, Ix2>;

/// Data whose targets are digits.
pub type Labels = Practical<usize, Ix1>;

impl Labels {
    pub fn from_args(example: &str) -> Result<Self, Box<dyn Error>> {
        let mut small = false;
        let mut epochs = None;
        let mut out = PathBuf::from("runs").join(example);
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match (arg.as_str(), args.len()) {
                ("--digits", _) => small = true,
                ("--epochs", 1..) => epochs = Some(number(&arg, &args.next().unwrap_or_default())?),
                ("--out", 1..) => out = args.next().unwrap_or_default().into(),
                ("--epochs" | "--out", 0) => return Err(format!("{arg} needs a value").into()),
                _ => return Err(format!("{arg} is unknown; see the head of examples/{example}.rs").into()),
            }
        }
        let large = if small { Err(None) } else { mnist::<f32>().map_err(Some) };
        let (TrainTest { train, test }, name) = match large {
            Ok(data) => (data, "MNIST"),
            Err(missing) => {
                missing.iter().for_each(|error| eprintln!("{error}"));
                (TrainTest::keras_split(&digits::<f32>(), 0.2, 113)?.scaled()?, "8 × 8 digits")
            }
        };
        let (n_train, n_test, width) = (train.records.nrows(), test.records.nrows(), train.records.ncols());
        println!("{name}: {n_train} rows to learn from, {n_test} to test, {width} pixels\n");
        let (usual, batch_size) = if n_train > 10_000 { (5, 200) } else { (20, 32) };
        Ok(Practical { train, test, epochs: epochs.unwrap_or(usual), batch_size, out })
    }
}

impl OneHot {
    pub fn from_args(example: &str) -> Result<Self, Box<dyn Error>> {
        let Labels { train, test, epochs, batch_size, out } = Labels::from_args(example)?;
        let TrainTest { train, test } = TrainTest { train, test }.one_hot(10)?;
        Ok(Practical { train, test, epochs, batch_size, out })
    }

    /// A model of that network for these pixels.
    pub fn compile(
        &self,
        network: Sequential,
        optimizer: impl Into<AnyOptimizer>,
    ) -> linfa_mlp::Result<Model<f32>> {
        network.compile(self.train.records.ncols(), optimizer, CategoricalCrossEntropy::default(), [Accuracy])
    }

    /// Fits a model to the training rows.
    pub fn fit(&self, model: &mut Model<f32>, training: &Training) -> linfa_mlp::Result<()> {
        model.fit(&self.train.records, &self.train.targets, training).map(drop)
    }

    /// The share of test rows whose digit is recognised.
    pub fn test_accuracy(&self, model: &Model<f32>) -> linfa_mlp::Result<f64> {
        Ok(model.evaluate(&self.test.records, &self.test.targets)?["accuracy"])
    }
}

impl<T, I: ndarray::Dimension> Practical<T, I> {
    /// The epochs asked for.
    pub fn training(&self) -> Training {
        Training::epochs(self.epochs).batch_size(self.batch_size)
    }

    /// A file or folder of the example; the folder that holds it is made.
    pub fn file(&self, name: &str) -> Result<PathBuf, Box<dyn Error>> {
        std::fs::create_dir_all(&self.out)
            .map_err(|error| format!("cannot make the folder {}: {error}", self.out.display()))?;
        Ok(self.out.join(name))
    }

    /// Draws learning curves.
    #[cfg(feature = "plot")]
    pub fn plot(&self, history: &History, name: &str) -> Result<(), Box<dyn Error>> {
        let path = self.file(name)?;
        history.plot(&path)?;
        println!("curves: {}", path.display());
        Ok(())
    }

    /// Says what is missing.
    #[cfg(not(feature = "plot"))]
    pub fn plot(&self, _: &History, name: &str) -> Result<(), Box<dyn Error>> {
        println!("curves: {name} needs the feature `plot`");
        Ok(())
    }
}

/// Hidden layers with ReLU, and ten outputs whose sum is 1.
pub fn network(hidden: &[usize]) -> Sequential {
    hidden
        .iter()
        .fold(Sequential::new(), |network, &units| network.add(Dense::new(units).activation(Relu)))
        .add(output())
}

/// Ten outputs whose sum is 1.
pub fn output() -> Dense {
    Dense::new(10).activation(Softmax)
}

fn number<N: FromStr>(name: &str, value: &str) -> Result<N, String> {
    value.parse().map_err(|_| format!("{name} must be a whole number of at least 0, but is {value}"))
}

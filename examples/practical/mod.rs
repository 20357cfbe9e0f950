//! What the examples on handwritten digits share: their arguments, their data and their networks.
//!
//! ```text
//! --digits        8 × 8 pictures, which are part of the crate, in place of MNIST
//! --epochs N      epochs of each fit (10, and 20 on the 8 × 8 pictures)
//! --seeds N       every fit N times, with the seeds from 0; figures are their mean ± standard deviation
//! --out FOLDER    where files are written (runs/EXAMPLE)
//! ```
//!
//! MNIST is looked for as `linfa_mlp::datasets::Source` says; without it, the 8 × 8 pictures are used.

// Each example uses some of it.
#![allow(dead_code)]

use std::error::Error;
use std::fmt;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use linfa::Dataset;
use linfa_mlp::datasets::{TrainTest, digits, mnist};
use linfa_mlp::history::History;
use linfa_mlp::optimizer::AnyOptimizer;
use linfa_mlp::prelude::*;
use ndarray::{Ix1, Ix2};

/// Runs an example; what goes wrong is said in words.
pub fn main(run: impl FnOnce() -> Result<(), Box<dyn Error>>) -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// What an example was asked to do, and the data to do it with.
pub struct Practical<T, I: ndarray::Dimension> {
    /// Pixels between 0 and 1, to learn from.
    pub train: Dataset<f32, T, I>,
    /// Pixels between 0 and 1, to test with.
    pub test: Dataset<f32, T, I>,
    pub epochs: usize,
    pub batch_size: usize,
    /// How often each fit is made.
    pub seeds: u64,
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
        let mut seeds = 1;
        let mut out = PathBuf::from("runs").join(example);
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match (arg.as_str(), args.len()) {
                ("--digits", _) => small = true,
                ("--epochs", 1..) => epochs = Some(number(&arg, &args.next().unwrap_or_default())?),
                ("--seeds", 1..) => seeds = number(&arg, &args.next().unwrap_or_default())?,
                ("--out", 1..) => out = args.next().unwrap_or_default().into(),
                ("--epochs" | "--seeds" | "--out", 0) => return Err(format!("{arg} needs a value").into()),
                _ => return Err(format!("{arg} is unknown; see the head of examples/{example}.rs").into()),
            }
        }
        if seeds == 0 {
            return Err("--seeds must be at least 1, but is 0".into());
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
        let (usual, batch_size) = if n_train > 10_000 { (10, 200) } else { (20, 32) };
        Ok(Practical { train, test, epochs: epochs.unwrap_or(usual), batch_size, seeds, out })
    }
}

impl OneHot {
    pub fn from_args(example: &str) -> Result<Self, Box<dyn Error>> {
        let Labels { train, test, epochs, batch_size, seeds, out } = Labels::from_args(example)?;
        let TrainTest { train, test } = TrainTest { train, test }.one_hot(10)?;
        Ok(Practical { train, test, epochs, batch_size, seeds, out })
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

    /// Some figures of a fit, over all seeds. On a terminal it says how far it is.
    pub fn over_seeds<const N: usize>(
        &self,
        mut fit: impl FnMut(u64) -> Result<[f64; N], Box<dyn Error>>,
    ) -> Result<[Figure; N], Box<dyn Error>> {
        let watched = self.seeds > 1 && std::io::stderr().is_terminal();
        let runs = (0..self.seeds).map(|seed| {
            if watched {
                eprint!("\rseed {} of {} …", seed + 1, self.seeds);
            }
            fit(seed)
        });
        let runs = runs.collect::<Result<Vec<_>, _>>();
        if watched {
            eprint!("\r{:24}\r", "");
        }
        let runs = runs?;
        Ok(std::array::from_fn(|figure| Figure(runs.iter().map(|run| run[figure]).collect())))
    }

    /// A file or folder of the example; the folder that holds it is made.
    pub fn file(&self, name: &str) -> Result<PathBuf, Box<dyn Error>> {
        std::fs::create_dir_all(&self.out)
            .map_err(|error| format!("cannot make the folder {}: {error}", self.out.display()))?;
        Ok(self.out.join(name))
    }

    /// A folder that is not there yet, so that an earlier run's files are neither mixed with this one's nor lost: `NAME-1`, `NAME-2` …
    pub fn new_folder(&self, name: &str) -> Result<PathBuf, Box<dyn Error>> {
        let first = self.file(&format!("{name}-1"))?;
        let mut others = (2..).map(|number| self.out.join(format!("{name}-{number}")));
        Ok(if first.exists() { others.find(|folder| !folder.exists()).unwrap_or(first) } else { first })
    }

    /// Draws the learning curves of a fit, and says where they are.
    #[cfg(feature = "plot")]
    pub fn plot(&self, history: &History, name: &str) -> Result<String, Box<dyn Error>> {
        let path = self.file(name)?;
        history.plot(&path)?;
        Ok(format!("curves: {}", path.display()))
    }

    /// Says what is missing.
    #[cfg(not(feature = "plot"))]
    pub fn plot(&self, _: &History, name: &str) -> Result<String, Box<dyn Error>> {
        Ok(format!("curves: {name} needs the feature `plot`"))
    }

    /// Draws one value of several fits, and says where: `by` is what their names tell apart, and fits of one title share a panel.
    #[cfg(feature = "plot")]
    pub fn compare(&self, value: &str, by: &str, fits: &[Fit], name: &str) -> Result<String, Box<dyn Error>> {
        let (mut curves, mut title) = (linfa_mlp::report::Curves::of(value).by(by), "");
        for fit in fits {
            if fit.title != title {
                title = &fit.title;
                curves = curves.panel(title);
            }
            curves = curves.curve(&fit.name, &fit.history);
        }
        let path = self.file(name)?;
        curves.save(&path)?;
        Ok(format!("compared: {}", path.display()))
    }

    /// Says what is missing.
    #[cfg(not(feature = "plot"))]
    pub fn compare(&self, _: &str, _: &str, _: &[Fit], name: &str) -> Result<String, Box<dyn Error>> {
        Ok(format!("compared: {name} needs the feature `plot`"))
    }
}

/// A fit in a picture that compares several.
pub struct Fit {
    pub title: String,
    pub name: String,
    pub history: History,
}

impl Fit {
    pub fn new(title: impl Into<String>, name: impl ToString, history: &History) -> Self {
        Fit { title: title.into(), name: name.to_string(), history: history.clone() }
    }
}

/// A figure of several runs. It is shown as their mean ± standard deviation, and that of a single run as it is.
pub struct Figure(Vec<f64>);

impl Figure {
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// The standard deviation, estimated: with `n − 1`.
    pub fn deviation(&self) -> Option<f64> {
        let squares: f64 = self.0.iter().map(|value| (value - self.mean()).powi(2)).sum();
        (self.0.len() > 1).then(|| (squares / (self.0.len() - 1) as f64).sqrt())
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mean, digits) = (self.mean(), f.precision().unwrap_or(4));
        let text = match self.deviation() {
            Some(deviation) => format!("{mean:.digits$} ± {deviation:.digits$}"),
            None => format!("{mean:.digits$}"),
        };
        match f.width() {
            Some(width) => write!(f, "{text:>width$}"),
            None => f.write_str(&text),
        }
    }
}

/// The last value of a column of the history.
pub fn last(history: &History, name: &str) -> f64 {
    history.last(name).unwrap_or(f64::NAN)
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

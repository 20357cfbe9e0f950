//! Exercise 10: the network as an estimator, with a score, beside those of linfa.
//!
//! ```text
//! cargo run --release --example score -- [--digits] [--epochs N] [--seeds N]
//! ```
//!
//! Prints the score on the test rows, and which digits are taken for which.

use std::error::Error;
use std::process::ExitCode;

use linfa::prelude::*;
use linfa_mlp::prelude::*;

mod practical;

fn main() -> ExitCode {
    practical::main(run)
}

fn run() -> Result<(), Box<dyn Error>> {
    let data = practical::Labels::from_args("score")?;
    let params = MlpClassifier::params()
        .hidden_layer_sizes([128, 128])
        .optimizer(RmsProp::default())
        .batch_size(data.batch_size)
        .epochs(data.epochs);
    let mut first = None;
    let [score] = data.over_seeds(|seed| {
        let model = params.clone().seed(seed).fit(&data.train)?;
        let score = model.score(&data.test)?;
        first.get_or_insert(model);
        Ok([score])
    })?;
    println!("score on {} test rows: {score}\n", data.test.nsamples());

    let model = first.ok_or("no fit was made")?;
    // Any estimator of linfa can be asked for its confusion matrix in the same way.
    let confusion = model.predict(&data.test).confusion_matrix(&data.test)?;
    println!("{confusion:?}\naccuracy {:.4}, Matthews {:.4}", confusion.accuracy(), confusion.mcc());
    Ok(())
}

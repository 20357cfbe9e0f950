//! Exercise 10: the network as an estimator, with a score, beside those of linfa.
//!
//! ```text
//! cargo run --release --example score -- [--digits] [--epochs N]
//! ```
//!
//! Prints the score on the test rows, and which digits are taken for which.

use std::error::Error;

use linfa::prelude::*;
use linfa_mlp::prelude::*;

mod practical;

fn main() -> Result<(), Box<dyn Error>> {
    let data = practical::Labels::from_args("score")?;
    let model = MlpClassifier::params()
        .hidden_layer_sizes([128, 128])
        .optimizer(RmsProp::default())
        .batch_size(data.batch_size)
        .epochs(data.epochs)
        .fit(&data.train)?;
    println!("score on {} test rows: {:.4}\n", data.test.nsamples(), model.score(&data.test)?);

    // Any estimator of linfa can be asked for its confusion matrix in the same way.
    let confusion = model.predict(&data.test).confusion_matrix(&data.test)?;
    println!("{confusion:?}\naccuracy {:.4}, Matthews {:.4}", confusion.accuracy(), confusion.mcc());
    Ok(())
}

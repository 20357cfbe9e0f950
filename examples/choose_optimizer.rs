//! Exercise 11: RMSprop against SGD by cross-validation, all folds in parallel on one copy of the data.
//!
//! ```text
//! cargo run --release --example choose_optimizer -- [--digits] [--epochs N] [--seeds N]
//! ```
//!
//! Prints each fold's accuracy (of the first seed), their mean and spread, and the score of the better one on the test rows.

use std::error::Error;
use std::process::ExitCode;

use linfa::prelude::*;
use linfa_mlp::model_selection::{Scorer, StratifiedKFold, cross_validate_by_rows};
use linfa_mlp::optimizer::AnyOptimizer;
use linfa_mlp::prelude::*;

mod practical;

fn main() -> ExitCode {
    practical::main(run)
}

fn run() -> Result<(), Box<dyn Error>> {
    let data = practical::Labels::from_args("choose_optimizer")?;
    let mut best = (f64::NEG_INFINITY, None);
    for optimizer in [AnyOptimizer::from(RmsProp::default()), Sgd::default().into()] {
        let params = MlpClassifier::params()
            .hidden_layer_sizes([128])
            .optimizer(optimizer.clone())
            .batch_size(data.batch_size)
            .epochs(data.epochs);
        println!("{optimizer}");
        let [mean] = data.over_seeds(|seed| {
            let (params, folds) = (params.clone().seed(seed), StratifiedKFold::new(3).shuffle(seed));
            let scores = cross_validate_by_rows(&params, &data.train, &folds, &[Scorer::accuracy()])?;
            if seed == 0 {
                println!("{scores}");
            }
            Ok([scores.mean_std("accuracy").map_or(f64::NAN, |accuracy| accuracy.mean)])
        })?;
        println!("over the seeds: {mean}\n");
        if mean.mean() > best.0 {
            best = (mean.mean(), Some((optimizer, params)));
        }
    }
    let (optimizer, params) = best.1.ok_or("no fit was scored")?;
    let [test] =
        data.over_seeds(|seed| Ok([params.clone().seed(seed).fit(&data.train)?.score(&data.test)?]))?;
    println!("the better one: {optimizer}");
    println!("score on the test rows, learned from all others: {test}");
    Ok(())
}

//! Exercise 11: RMSprop against SGD by cross-validation, all folds in parallel on one copy of the data.
//!
//! ```text
//! cargo run --release --example choose_optimizer -- [--digits] [--epochs N]
//! ```
//!
//! Prints each fold's accuracy, their mean and spread, and the score of the better one on the test rows.

use std::error::Error;

use linfa::prelude::*;
use linfa_mlp::model_selection::{Scorer, StratifiedKFold, cross_validate_by_rows};
use linfa_mlp::optimizer::AnyOptimizer;
use linfa_mlp::prelude::*;

mod practical;

fn main() -> Result<(), Box<dyn Error>> {
    let data = practical::Labels::from_args("choose_optimizer")?;
    let mut best = (f64::NEG_INFINITY, None);
    for optimizer in [AnyOptimizer::from(RmsProp::default()), Sgd::default().into()] {
        let params = MlpClassifier::params()
            .hidden_layer_sizes([128])
            .optimizer(optimizer.clone())
            .batch_size(data.batch_size)
            .epochs(data.epochs);
        let folds = StratifiedKFold::new(3).shuffle(42);
        let scores = cross_validate_by_rows(&params, &data.train, &folds, &[Scorer::accuracy()])?;
        println!("{optimizer}\n{scores}\n");
        let mean = scores.mean_std("accuracy").map_or(f64::NAN, |accuracy| accuracy.mean);
        if mean > best.0 {
            best = (mean, Some(params));
        }
    }
    let model = best.1.ok_or("no fit was scored")?.fit(&data.train)?;
    println!("the better one: {}", model.run().plan().optimizer);
    println!("score on the test rows, learned from all others: {:.4}", model.score(&data.test)?);
    Ok(())
}

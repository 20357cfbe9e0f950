//! Diabetes: a small network beside linfa's linear regression and elastic net, on the same folds.
//!
//! ```text
//! cargo run --release --example compare_regressors
//! ```
//!
//! Prints R² and the root mean squared error over 5 × 10 folds, and in how many folds the network beats the linear regression: in
//! few. With 441 patients and effects that are close to linear a network has nothing to find, and pays for looking. Compare before you
//! choose.

use linfa_elasticnet::ElasticNet;
use linfa_linear::LinearRegression;
use linfa_mlp::model_selection::{CrossValidation, CrossValidator, RepeatedKFold, Scorer, TargetScaling};
use linfa_mlp::prelude::*;
use linfa_preprocessing::linear_scaling::LinearScaler;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let diabetes = linfa_datasets::diabetes();
    let folds = CrossValidator::new()
        .preprocess(LinearScaler::standard())
        .scale_targets(TargetScaling::Standard)
        .cv(RepeatedKFold::new(10, 5).seed(1))
        .scorers([Scorer::r2(), Scorer::neg_root_mean_squared_error()]);
    let network =
        MlpRegressor::params().hidden_layer_sizes([16]).activation(Tanh).epochs(40).alpha(0.01).seed(42);

    let line = |name: &str, scores: &CrossValidation| {
        let of = |scorer| scores.mean_std(scorer).map_or((f64::NAN, f64::NAN), |s| (s.mean, s.std));
        let (r2, rmse) = (of("r2"), of("neg_root_mean_squared_error"));
        println!("{name:<20}{:.3} ± {:.3}   {:.1} ± {:.1}", r2.0, r2.1, -rmse.0, rmse.1);
    };
    println!("over 50 folds       R²              RMSE");
    let network = folds.run_by_rows(&network, &diabetes)?;
    let linear = folds.run(&LinearRegression::new(), &diabetes)?;
    line("network", &network);
    line("linear regression", &linear);
    line("elastic net", &folds.run(&ElasticNet::params().penalty(0.05).l1_ratio(0.5), &diabetes)?);

    let scores = |of: &CrossValidation| of.test_scores("r2").ok_or("r2 was scored");
    let won = scores(&network)?.iter().zip(scores(&linear)?).filter(|(a, b)| *a > b).count();
    println!("\nthe network is better than the linear regression in {won} of {} folds", network.rows().len());
    Ok(())
}

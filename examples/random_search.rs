//! A random search over structure and optimizer in which one parameter depends on another: which candidate is best, is the
//! difference to the second more than luck, and how does it look?
//!
//! ```text
//! cargo run --release --example random_search [FOLDER]
//! ```
//!
//! Prints the ranked table with intervals, two comparisons, the simplest of the good ones, and what a search that learns from its scores found.
//! With a folder, three pictures of the search are written into it: `heat_map.svg`, `parallel_coordinates.svg`, `history.svg`.

use linfa_mlp::model_selection::{
    KFold, LogUniform, RandomSearch, Refit, Scorer, SearchResults, SequentialSearch, Spread, TargetScaling,
};
use linfa_mlp::optimizer::{Adam, Sgd};
use linfa_mlp::prelude::*;
use linfa_preprocessing::linear_scaling::LinearScaler;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let diabetes = linfa_datasets::diabetes();
    let network = MlpRegressor::params().epochs(20).batch_size(32).seed(42);
    let search = RandomSearch::new(network.clone())
        .sample(40, |p, draw| {
            let rate = draw.log_uniform("learning_rate", 1e-4, 1e-1);
            let p = p.hidden_layer_sizes(draw.depth_and_units("hidden", 1..=2, [8, 16, 32]));
            match draw.choice("optimizer", ["adam", "sgd"]) {
                "sgd" => p.optimizer(Sgd::new(rate).momentum(draw.choice("momentum", [0.0, 0.5, 0.9]))),
                _ => p.optimizer(Adam::new(rate)),
            }
        })
        .preprocess(LinearScaler::standard())
        .scale_targets(TargetScaling::Standard)
        .cv(KFold::new(5).shuffle(1))
        .scorers([Scorer::r2(), Scorer::neg_root_mean_squared_error()])
        .refit(Refit::one_standard_error())
        .seed(7)
        .fit(&diabetes)?;
    let results = search.results();
    println!("{}", results.table(Spread::Interval95));

    let ranked: Vec<usize> = results.ranked(0).iter().map(|summary| summary.candidate).collect();
    println!("best against second: {}", results.compare(ranked[0], ranked[1])?);
    println!("best against last:   {}", results.compare(ranked[0], ranked[ranked.len() - 1])?);
    if let (Some(index), Some(params)) = (search.best_index(), search.best_params()) {
        let count = results.n_params(index).unwrap_or(f64::NAN);
        println!("simplest within one standard error: candidate {index} ({params}), {count} parameters");
    }

    let learnt = SequentialSearch::new(network.hidden_layer_sizes([16]))
        .axis_from("learning_rate", LogUniform::new(1e-4, 1e-1), |p, rate| p.optimizer(Adam::new(rate)))
        .n_candidates(20)
        .n_startup(6)
        .preprocess(LinearScaler::standard())
        .scale_targets(TargetScaling::Standard)
        .cv(KFold::new(5).shuffle(1))
        .fit(&diabetes)?;
    println!("learnt: {}", learnt.best_params().map(ToString::to_string).unwrap_or_default());

    match std::env::args().nth(1) {
        Some(folder) => pictures(results, std::path::Path::new(&folder)),
        None => Ok(()),
    }
}

#[cfg(feature = "plot")]
fn pictures(results: &SearchResults, folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all(folder)?;
    results.plot_heat_map(folder.join("heat_map.svg"), "r2", "optimizer", "hidden")?;
    results.plot_parallel_coordinates(folder.join("parallel_coordinates.svg"), "r2")?;
    results.plot_history(folder.join("history.svg"), "r2")?;
    println!("pictures are in {}", folder.display());
    Ok(())
}

#[cfg(not(feature = "plot"))]
fn pictures(_: &SearchResults, _: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
    Err("pictures need the feature `plot`".into())
}

//! The winner's curse: how much the best of k candidates flatters itself, measured on rows that were kept back.
//!
//! ```text
//! cargo run --release --example winners_curse -- [REPEATS]
//! ```
//!
//! Of 1359 wines, each of them once, 200 are known, and whether a wine is better than the middle is to be learned; 1159 others tell
//! the truth. k candidates are compared by 5-fold cross-validation on the known rows; the table has the score of the best of them,
//! and what it is worth on the others. First the candidates are settings drawn at random, then one setting with k seeds, where there
//! is nothing to choose but luck. Means over the repeats (20), each with other known rows.

use std::collections::BTreeSet;

use linfa::prelude::*;
use linfa_mlp::estimator::MlpClassifierParams;
use linfa_mlp::model_selection::{
    GridSearch, RandomSearch, Scorer, SearchResults, StratifiedKFold, TrainTestSplit,
};
use linfa_mlp::prelude::*;
use linfa_preprocessing::linear_scaling::LinearScaler;
use ndarray::Axis;

const SIZES: [usize; 4] = [1, 4, 16, 64];

type Wine = Dataset<f64, bool, ndarray::Ix1>;

/// The wines without those that are there a second time: a twin among the fresh rows would be no news.
fn each_once(wine: &Wine) -> Wine {
    let mut seen = BTreeSet::new();
    let mut is_new = |row: &usize| {
        let values = wine.records.row(*row);
        seen.insert(values.iter().map(|value| value.to_bits()).collect::<Vec<u64>>())
    };
    let rows: Vec<usize> = (0..wine.nsamples()).filter(|row| is_new(row)).collect();
    Dataset::new(wine.records.select(Axis(0), &rows), wine.targets.select(Axis(0), &rows))
}

/// What every candidate scores on rows that no search has seen.
fn on_fresh_rows(
    candidates: impl Iterator<Item = MlpClassifierParams>,
    known: &Wine,
    fresh: &Wine,
) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
    let scaler = LinearScaler::standard().fit(known)?;
    let (known, fresh) = (scaler.transform(known.clone()), scaler.transform(fresh.clone()));
    candidates.map(|candidate| Ok(candidate.fit(&known)?.score(&fresh)?)).collect()
}

/// For the best of the first 1, 4, 16 and 64 candidates: its score in the search, and on fresh rows.
fn best_of(results: &SearchResults, fresh: &[f64]) -> Vec<[f64; 2]> {
    let score = |candidate: usize| results.candidates()[candidate].test[0].mean;
    let best = |size| (0..size).max_by(|&a, &b| score(a).total_cmp(&score(b)).then(b.cmp(&a)));
    SIZES.iter().filter_map(|&size| best(size)).map(|winner| [score(winner), fresh[winner]]).collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let repeats: u64 = std::env::args().nth(1).map_or(Ok(20), |repeats| repeats.parse())?;
    let wine = each_once(&linfa_datasets::winequality().map_targets(|&quality| quality > 5));
    let (mut settings, mut seeds, mut nested) = (Vec::new(), Vec::new(), Vec::new());
    for repeat in 0..repeats {
        let (known, fresh) = TrainTestSplit::new().train_size(200).stratified().seed(repeat).of(&wine)?;
        let (known, fresh): (Wine, Wine) = (known, fresh);
        let network = MlpClassifier::params().hidden_layer_sizes([16]).batch_size(32).epochs(30).seed(repeat);
        let folds = || StratifiedKFold::new(5).shuffle(repeat);
        let random = |n_candidates| {
            RandomSearch::new(network.clone())
                .sample(n_candidates, |params, draw| {
                    params
                        .hidden_layer_sizes(draw.depth_and_units("hidden", 1..=2, [8, 16, 32]))
                        .optimizer(Adam::new(draw.log_uniform("learning_rate", 1e-3, 3e-2)))
                        .alpha(draw.log_uniform("alpha", 1e-5, 1e-1))
                })
                .preprocess(LinearScaler::standard())
                .cv(folds())
                .scorers([Scorer::accuracy()])
                .seed(repeat)
        };
        let search = random(SIZES[3]).refit(false);
        let candidates = search.candidates()?;
        let truth = on_fresh_rows(candidates.iter().map(|c| c.estimator().clone()), &known, &fresh)?;
        settings.push(best_of(search.fit(&known)?.results(), &truth));

        let search = GridSearch::new(network.clone().optimizer(Adam::new(0.01)))
            .axis("seed", 0..SIZES[3] as u64, |params, seed| params.seed(seed))
            .preprocess(LinearScaler::standard())
            .cv(folds())
            .scorers([Scorer::accuracy()])
            .refit(false);
        let candidates = search.candidates()?;
        let truth = on_fresh_rows(candidates.iter().map(|c| c.estimator().clone()), &known, &fresh)?;
        seeds.push(best_of(search.fit(&known)?.results(), &truth));

        let search = random(16);
        let outer = search.nested_cross_validate(&known, &folds())?;
        let chosen = search.fit(&known)?;
        let score = chosen.best_model()?.predict(&fresh).confusion_matrix(&fresh.targets)?.accuracy();
        let estimate = outer.outer().mean_std("accuracy").map_or(f64::NAN, |accuracy| accuracy.mean);
        nested.push(vec![[estimate, f64::from(score)]]);
    }
    let mean = |of: &[Vec<[f64; 2]>], size: usize, part: usize| {
        of.iter().map(|repeat| repeat[size][part]).sum::<f64>() / of.len() as f64
    };
    for (what, of) in [("settings", &settings), ("seeds", &seeds)] {
        println!("{what:<10} score in the search   on fresh rows   optimism");
        for (size, k) in SIZES.iter().enumerate() {
            let (search, truth) = (mean(of, size, 0), mean(of, size, 1));
            println!("best of {k:<3} {search:>18.3}   {truth:>13.3}   {:>+8.3}", search - truth);
        }
        println!();
    }
    let (estimate, truth) = (mean(&nested, 0, 0), mean(&nested, 0, 1));
    println!("best of 16 settings, by nested cross-validation {estimate:.3}, on fresh rows {truth:.3}");
    Ok(())
}

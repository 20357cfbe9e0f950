//! Wine quality: one wine in seven is good. What accuracy hides, and what class weights do about it.
//!
//! ```text
//! cargo run --release --example imbalanced_classes
//! ```
//!
//! Prints the accuracy, the mean of the two recalls (balanced accuracy) and the F1 of the good wines over the same 5 folds, for a
//! network with and without weights, linfa's logistic regression and decision tree, and somebody who calls every wine ordinary.

use linfa::prelude::*;
use linfa_logistic::LogisticRegression;
use linfa_mlp::metric::{BalancedAccuracy, F1};
use linfa_mlp::model_selection::{CrossValidation, CrossValidator, Scorer, StratifiedKFold};
use linfa_mlp::prelude::*;
use linfa_preprocessing::linear_scaling::LinearScaler;
use linfa_trees::DecisionTree;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wine = linfa_datasets::winequality().map_targets(|&quality| quality > 6);
    let good = wine.targets.iter().filter(|&&good| good).count();
    println!("{good} of {} wines are good\n", wine.nsamples());

    let folds = CrossValidator::new()
        .preprocess(LinearScaler::standard())
        .cv(StratifiedKFold::new(5).shuffle(1))
        .scorers([
            Scorer::accuracy(),
            Scorer::from_metric(BalancedAccuracy),
            Scorer::from_metric(F1::default()),
        ]);
    let network = MlpClassifier::params().hidden_layer_sizes([32]).epochs(60).alpha(1e-3).seed(42);
    let weighted = network.clone().class_weight(ClassWeight::Balanced);

    let line = |name: &str, scores: &CrossValidation| {
        let cells: Vec<String> = ["accuracy", "balanced_accuracy", "f1_score"]
            .iter()
            .filter_map(|scorer| scores.mean_std(scorer))
            .map(|score| format!("{:.3} ± {:.3}", score.mean, score.std))
            .collect();
        println!("{name:<26}{:<16}{:<20}{}", cells[0], cells[1], cells[2]);
    };
    println!("{:<26}{:<16}{:<20}F1", "", "accuracy", "balanced accuracy");
    println!(
        "{:<26}{:<16.3}{:<20.3}{:.3}",
        "all ordinary",
        1.0 - good as f64 / wine.nsamples() as f64,
        0.5,
        0.0
    );
    line("logistic regression", &folds.run(&LogisticRegression::default(), &wine)?);
    line("decision tree", &folds.run(&DecisionTree::params().max_depth(Some(6)), &wine)?);
    line("network", &folds.run_by_rows(&network, &wine)?);
    line("network, balanced weights", &folds.run_by_rows(&weighted, &wine)?);

    // Who is taken for what, by models that did not see the wine.
    let predicted = weighted.cross_val_predict(&wine, &StratifiedKFold::new(5).shuffle(1))?;
    println!("\n{:?}", predicted.confusion_matrix(&wine.targets)?);
    Ok(())
}

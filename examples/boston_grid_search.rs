//! Exercise 16: structure and optimizer for Boston Housing, chosen by 5-fold cross-validation.
//!
//! ```text
//! cargo run --release --example boston_grid_search -- [--json] [--out FOLDER] [--journal FILE] [--threads N] [--epochs N] [--seed N]
//!     [--database URL] [--study NAME]     (with cargo's --features postgres)
//! ```
//!
//! 3 optimizers × 6 structures are fitted on 5 folds of 404 training rows, in parallel; the best one is fitted on all of
//! them and scored on 102 rows that took no part, beside a linear regression. `--out` writes `results.csv`, `fits.csv`,
//! `results.json`, `history.csv`, `model.mlp` and a picture, `heat_map.svg`; `--json` prints one JSON object and nothing else.
//! With `--journal`, the program may be killed at any moment: started again, it does the fits that are missing and finds the
//! same. With `--database`, it may be started in many terminals and on many machines: they share the fits, any of them may be
//! killed, and all find the same.

use std::error::Error;
use std::fs::{File, create_dir_all};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use linfa::prelude::*;
use linfa_linear::LinearRegression;
use linfa_mlp::datasets::boston_housing_raw;
use linfa_mlp::model_selection::{GridSearch, KFold, Rows, Scorer, ShuffleSplit, Splitter, TargetScaling};
use linfa_mlp::optimizer::AnyOptimizer;
use linfa_mlp::prelude::*;
use linfa_preprocessing::linear_scaling::LinearScaler;
use ndarray::{Array1, Axis, Ix1};

struct Options {
    json: bool,
    out: Option<PathBuf>,
    journal: Option<PathBuf>,
    database: Option<String>,
    study: String,
    threads: usize,
    epochs: usize,
    seed: u64,
}

fn number<N: std::str::FromStr>(name: &str, value: String) -> Result<N, String> {
    value.parse().map_err(|_| format!("{name} must be a whole number of at least 0, but is {value}"))
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        json: false,
        out: None,
        journal: None,
        database: None,
        study: "boston".into(),
        threads: 0,
        epochs: 200,
        seed: 42,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--json" => options.json = true,
            "--out" => options.out = Some(value()?.into()),
            "--journal" => options.journal = Some(value()?.into()),
            "--database" => options.database = Some(value()?),
            "--study" => options.study = value()?,
            "--threads" => options.threads = number(&arg, value()?)?,
            "--epochs" => options.epochs = number(&arg, value()?)?,
            "--seed" => options.seed = number(&arg, value()?)?,
            _ => {
                return Err(
                    format!("{arg} is unknown; see the head of examples/boston_grid_search.rs").into()
                );
            }
        }
    }
    Ok(options)
}

/// Fits in every process that has the same database and study.
#[cfg(feature = "postgres")]
fn database(
    url: &str,
    study: &str,
    pool: Arc<rayon::ThreadPool>,
) -> linfa_mlp::Result<linfa_mlp::model_selection::Postgres> {
    Ok(linfa_mlp::model_selection::Postgres::connect(url)?.study(study).pool(pool))
}

#[cfg(not(feature = "postgres"))]
fn database(
    _: &str,
    _: &str,
    _: Arc<rayon::ThreadPool>,
) -> Result<linfa_mlp::model_selection::RayonExecutor, String> {
    Err("--database needs cargo's --features postgres".into())
}

fn rows(data: &Dataset<f32, f32, Ix1>, index: &[usize]) -> Dataset<f32, f32, Ix1> {
    Dataset::new(data.records.select(Axis(0), index), data.targets.select(Axis(0), index))
        .with_feature_names(data.feature_names().to_vec())
}

fn rmse(truth: &Array1<f32>, predicted: &Array1<f32>) -> f64 {
    let squares = truth.iter().zip(predicted).map(|(&a, &b)| f64::from(a - b).powi(2));
    (squares.sum::<f64>() / truth.len() as f64).sqrt()
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    if let Some(out) = &options.out {
        create_dir_all(out).map_err(|error| format!("cannot make the folder {}: {error}", out.display()))?;
    }
    let boston = boston_housing_raw::<f32>();
    let parts =
        ShuffleSplit::new(1).test_size(0.2).seed(options.seed).split(&Rows::new(boston.nsamples()))?;
    let (train, test) = (rows(&boston, &parts[0].train), rows(&boston, &parts[0].test));

    let optimizers: [AnyOptimizer; 3] =
        [Sgd::default().into(), RmsProp::default().into(), Adam::default().into()];
    let structures = [vec![], vec![32], vec![128], vec![32, 32], vec![128, 128], vec![64, 64, 64]];
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(options.threads).build()?);
    let threads = pool.current_num_threads();

    let start = Instant::now();
    let params = MlpRegressor::params().epochs(options.epochs).batch_size(32).seed(options.seed);
    let mut search = GridSearch::new(params)
        .axis("optimizer", optimizers, |params, optimizer| params.optimizer(optimizer))
        .axis("hidden_layer_sizes", structures, |params, sizes| params.hidden_layer_sizes(sizes))
        .preprocess(LinearScaler::standard()) // fitted on the training rows of each fold only
        .scale_targets(TargetScaling::Standard)
        .cv(KFold::new(5).shuffle(options.seed))
        .scorers([Scorer::neg_root_mean_squared_error(), Scorer::r2()])
        .pool(Arc::clone(&pool))
        .progress(!options.json);
    if let Some(journal) = &options.journal {
        search = search.journal(journal);
    }
    if let Some(url) = &options.database {
        search = search.executor(database(url, &options.study, pool)?);
    }
    let search = search.fit(&train)?;
    let seconds = start.elapsed().as_secs_f64();

    let best = search.best_model()?;
    let predicted = best.predict(&test);
    let (test_rmse, test_r2) = (rmse(&test.targets, &predicted), predicted.r2(&test)?);
    let linear = LinearRegression::new().fit(&train)?;
    let linear_rmse = rmse(&test.targets, &linear.predict(&test));

    let results = search.results();
    let best_params = search.best_params().ok_or("no candidate was scored")?;
    if let Some(out) = &options.out {
        results.to_csv(File::create(out.join("results.csv"))?)?;
        results.fits_to_csv(File::create(out.join("fits.csv"))?)?;
        std::fs::write(out.join("results.json"), serde_json::to_string_pretty(&results.to_json()?)?)?;
        best.model().history().to_csv(File::create(out.join("history.csv"))?)?;
        best.model().save(out.join("model.mlp"))?;
        #[cfg(feature = "plot")]
        results.plot_heat_map(
            out.join("heat_map.svg"),
            "neg_root_mean_squared_error",
            "optimizer",
            "hidden_layer_sizes",
        )?;
    }
    if options.json {
        let object = serde_json::json!({
            "best_params": best_params,
            "cv_rmse": -search.best_score().unwrap_or(f64::NAN),
            "test_rmse": test_rmse,
            "test_r2": test_r2,
            "linear_test_rmse": linear_rmse,
            "candidates": results.candidates().len(),
            "folds": search.splits().len(),
            "fits": results.rows().len(),
            "threads": threads,
            "seconds": seconds,
        });
        println!("{object}");
        return Ok(());
    }
    println!("{results}\n\nbest: {best_params}\n\n{}\n", best.model().summary());
    println!("on {} rows never seen   RMSE       R²", test.nsamples());
    println!("  this network        {test_rmse:6.3}   {test_r2:6.3}   (thousands of dollars)");
    println!("  linear regression   {linear_rmse:6.3}   {:6.3}", linear.predict(&test).r2(&test)?);
    println!("\n{} fits on {threads} threads in {seconds:.2} s", results.rows().len());
    if let Some(out) = &options.out {
        println!("results, history and model are in {}", out.display());
    }
    Ok(())
}

//! The searches under test, and the processes that run them.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_elasticnet::ElasticNet;
use linfa_mlp::estimator::MlpRegressorParams;
use linfa_mlp::model_selection::{
    Epochs, GridSearch, HalvingSearch, HyperbandSearch, KFold, LogUniform, Postgres, RandomSearch, Search,
    SearchObserver, SearchResults, SequentialSearch, Strategy, TargetScaling, Task,
};
use linfa_mlp::optimizer::Adam;
use linfa_mlp::persistence::write_atomically;
use linfa_mlp::prelude::*;
use linfa_mlp::rng::Stream;
use linfa_preprocessing::linear_scaling::LinearScaler;
use ndarray::{Array1, Array2, Ix1};

pub fn data(n: usize) -> Dataset<f64, f64, Ix1> {
    let mut stream = Stream::new(9);
    let x = Array2::from_shape_simple_fn((n, 3), || 2.0 * stream.uniform() - 1.0);
    let y: Array1<f64> = x.rows().into_iter().map(|row| row[0] * row[1] - 0.5 * row[2]).collect();
    Dataset::new(x, y)
}

fn params() -> MlpRegressorParams {
    MlpRegressor::params().hidden_layer_sizes([4]).batch_size(8).seed(5).epochs(3)
}

pub const KINDS: [&str; 5] = ["grid", "random", "halving", "hyperband", "tpe"];

/// The fits of the search that is all overhead.
pub const TINY: usize = 2000;

/// The fits of the grid: 6 candidates in 3 folds.
pub const GRID: usize = 18;

/// Runs a search of this kind, after `with` has seen it, and gives its table without times and the bytes of its model.
pub fn run(kind: &str, with: &Setting) -> linfa_mlp::Result<Vec<u8>> {
    let rates = [1e-4, 1e-3, 0.003, 0.01, 0.03, 0.1];
    let drawn = LogUniform::new(1e-4, 0.1);
    let rate = |p: MlpRegressorParams, rate: f64| p.optimizer(Adam::new(rate));
    match kind {
        "grid" => with.fit(
            GridSearch::new(params())
                .axis("rate", rates, rate)
                .preprocess(LinearScaler::standard())
                .scale_targets(TargetScaling::Standard)
                .train_scores(true)
                .cv(KFold::new(3).shuffle(1)),
        ),
        "random" => with.fit(
            RandomSearch::new(params()).n_candidates(5).axis_from("rate", drawn, rate).cv(KFold::new(2)),
        ),
        "halving" => with.fit(
            HalvingSearch::new(params())
                .axis("rate", rates, rate)
                .resource(Epochs { min: 1, max: 9 })
                .preprocess(LinearScaler::standard())
                .cv(KFold::new(3).shuffle(2)),
        ),
        "hyperband" => with.fit(
            HyperbandSearch::new(params())
                .axis_from("rate", drawn, rate)
                .resource(Epochs { min: 1, max: 9 })
                .cv(KFold::new(2)),
        ),
        "tpe" => with.fit(
            SequentialSearch::new(params())
                .n_candidates(10)
                .n_startup(6)
                .parallel(2)
                .axis_from("rate", drawn, rate)
                .cv(KFold::new(2)),
        ),
        "tiny" => {
            let penalties = (1..=TINY / 2).map(|penalty| penalty as f64 / 1000.0);
            let mut search = GridSearch::new(ElasticNet::params())
                .axis("penalty", penalties, |p, v| p.penalty(v))
                .cv(KFold::new(2));
            if let Some(executor) = &with.executor {
                search = search.executor(executor.clone());
            }
            Ok(table(search.fit(&data(40))?.results()).into_bytes())
        }
        other => panic!("no search of kind {other}"),
    }
}

/// What surrounds a search.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    pub executor: Option<Postgres>,
    pub fits: Option<Fits>,
}

impl Setting {
    fn fit<S: Strategy>(&self, search: Search<S, MlpRegressorParams>) -> linfa_mlp::Result<Vec<u8>> {
        let search = match &self.executor {
            Some(executor) => search.executor(executor.clone()),
            None => search,
        };
        let search = match &self.fits {
            Some(fits) => search.observer(fits.clone()),
            None => search,
        };
        let found = search.fit(&data(40))?;
        let mut bytes = table(found.results()).into_bytes();
        bytes.extend(found.best_model()?.model().to_bytes()?);
        Ok(bytes)
    }
}

/// A search's table as JSON, without times.
pub fn table(results: &SearchResults) -> String {
    fn without_times(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Object(map) => {
                map.retain(|key, _| !key.ends_with("seconds"));
                map.values_mut().for_each(without_times);
            }
            serde_json::Value::Array(list) => list.iter_mut().for_each(without_times),
            _ => {}
        }
    }
    let mut json = results.to_json().expect("results are JSON");
    without_times(&mut json);
    json.to_string()
}

/// What nobody shares gives.
pub fn alone(kind: &str) -> Vec<u8> {
    run(kind, &Setting::default()).expect("the search works")
}

/// Adds a line to a file for every fit that starts, makes it last, and ends the process in that of a candidate.
#[derive(Clone, Debug)]
pub struct Fits {
    pub file: PathBuf,
    pub time: Duration,
    pub abort: Option<usize>,
}

impl SearchObserver for Fits {
    fn fit_started(&self, task: Task) {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.file).expect("a file of fits");
        let line = format!("{} {} {:?} {}\n", task.candidate, task.rung, task.fold, task.replicate);
        file.write_all(line.as_bytes()).expect("a line can be written");
        if self.abort == Some(task.candidate) {
            std::process::abort();
        }
        std::thread::sleep(self.time);
    }
}

/// What a process is told.
#[derive(Clone, Debug)]
pub struct Orders {
    pub url: String,
    pub kind: &'static str,
    pub study: String,
    /// Where it writes down its fits and what it has found.
    pub folder: PathBuf,
    pub threads: usize,
    pub attempts: usize,
    /// Milliseconds that a fit takes at least.
    pub time: u64,
    pub lease: u64,
    pub abort: Option<usize>,
    pub retry_failed: bool,
}

impl Orders {
    pub fn new(url: String, kind: &'static str, folder: &Path) -> Self {
        Orders {
            url,
            kind,
            study: kind.into(),
            folder: folder.into(),
            threads: 2,
            attempts: 1000,
            time: 0,
            lease: 60_000,
            abort: None,
            retry_failed: false,
        }
    }

    /// Starts a process that writes what it finds into a file of that name, through a command before it if there is one.
    pub fn start_by(&self, before: &[&str], name: &str) -> Worker {
        let test = std::env::current_exe().expect("a test knows its own path");
        let mut command = match before {
            [] => Command::new(&test),
            [program, rest @ ..] => {
                let mut command = Command::new(program);
                command.args(rest).arg(&test);
                command
            }
        };
        command.args(["--ignored", "--exact", "program::a_process_of_its_own", "--nocapture"]);
        let out = self.folder.join(name);
        let errors = fs::File::create(self.folder.join(format!("{name}.errors"))).expect("a file of errors");
        command.env("MLP_TEST_URL", &self.url).env("MLP_TEST_KIND", self.kind).env("MLP_TEST_OUT", &out);
        command.env("MLP_TEST_STUDY", &self.study).env("MLP_TEST_FITS", self.folder.join("fits"));
        for (name, number) in [
            ("MLP_TEST_THREADS", self.threads as u64),
            ("MLP_TEST_ATTEMPTS", self.attempts as u64),
            ("MLP_TEST_TIME", self.time),
            ("MLP_TEST_LEASE", self.lease),
            ("MLP_TEST_RETRY", u64::from(self.retry_failed)),
            ("MLP_TEST_ABORT", self.abort.map_or(u64::MAX, |abort| abort as u64)),
        ] {
            command.env(name, number.to_string());
        }
        let child = command.stdout(Stdio::null()).stderr(errors).spawn().expect("the process starts");
        Worker { child, out }
    }

    pub fn start(&self, name: &str) -> Worker {
        self.start_by(&[], name)
    }

    /// The fits that were started so far, by all processes.
    pub fn started(&self) -> usize {
        fs::read_to_string(self.folder.join("fits")).unwrap_or_default().lines().count()
    }
}

/// A process that searches.
pub struct Worker {
    child: Child,
    out: PathBuf,
}

impl Worker {
    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.expect("there is a kill").success());
    }

    pub fn kill(mut self) {
        self.child.kill().expect("the process can be killed");
        self.child.wait().expect("the process ends");
    }

    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().expect("the process can be waited for").is_some()
    }

    /// Waits for its end.
    pub fn ends(&mut self) -> ExitStatus {
        let begin = Instant::now();
        while !self.is_over() {
            if begin.elapsed() > Duration::from_secs(180) {
                let _ = self.child.kill();
                panic!("{} does not end: {}", self.out.display(), self.errors());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.child.wait().expect("the process has ended")
    }

    pub fn errors(&self) -> String {
        fs::read_to_string(format!("{}.errors", self.out.display())).unwrap_or_default()
    }

    /// What it has found.
    pub fn found(mut self) -> Vec<u8> {
        let status = self.ends();
        assert!(status.success(), "{status}: {}", self.errors());
        fs::read(&self.out).expect("it has written what it found")
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "the other tests start it, as a process of its own"]
fn a_process_of_its_own() {
    let text = |name: &str| std::env::var(name).expect("the orders are in the environment");
    let number = |name: &str| text(name).parse::<u64>().expect("a number");
    let threads = usize::try_from(number("MLP_TEST_THREADS")).expect("few threads");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let executor = Postgres::connect(text("MLP_TEST_URL")).expect("the database is there");
    let executor = executor
        .study(text("MLP_TEST_STUDY"))
        .max_attempts(usize::try_from(number("MLP_TEST_ATTEMPTS")).expect("few attempts"))
        .lease(Duration::from_millis(number("MLP_TEST_LEASE")))
        .pool(Arc::new(pool));
    let executor = if number("MLP_TEST_RETRY") == 1 { executor.retry_failed() } else { executor };
    let fits = Fits {
        file: text("MLP_TEST_FITS").into(),
        time: Duration::from_millis(number("MLP_TEST_TIME")),
        abort: usize::try_from(number("MLP_TEST_ABORT")).ok().filter(|abort| *abort < 1000),
    };
    let setting = Setting { executor: Some(executor), fits: Some(fits) };
    match run(&text("MLP_TEST_KIND"), &setting) {
        Ok(bytes) => {
            write_atomically(PathBuf::from(text("MLP_TEST_OUT")), &bytes).expect("the end is written")
        }
        Err(error) => panic!("{error}"),
    }
}

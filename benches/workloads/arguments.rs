//! The command line.

use std::error::Error;

use linfa_mlp::kernel::{Path, path};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// W1: a network of 134 794 weights on 60 000 rows.
    Training,
    /// W2: a small network in batches of 32 rows.
    SmallSteps,
    /// W3: a grid of 60 small fits and a refit.
    Search,
    /// W4: predictions of W1's network.
    Inference,
    /// W5: from the start of a process to a fitted model.
    FirstResult,
    /// The three products of a layer and whole steps, by width and batch.
    Shapes,
    /// How time grows with rows, epochs, folds and candidates.
    Slopes,
    /// Whole steps on one thread and on several, by width and batch.
    Threads,
    /// How far two cores are from each other.
    Cores,
}

const WORKLOADS: [(&str, Workload); 9] = [
    ("w1", Workload::Training),
    ("w2", Workload::SmallSteps),
    ("w3", Workload::Search),
    ("w4", Workload::Inference),
    ("w5", Workload::FirstResult),
    ("shapes", Workload::Shapes),
    ("slopes", Workload::Slopes),
    ("threads", Workload::Threads),
    ("cores", Workload::Cores),
];

const USAGE: &str =
    "usage: cargo bench --bench workloads -- [w1|w2|w3|w4|w5|shapes|slopes|threads|cores …] [options]
  --threads N    threads of the pool (default 1)
  --repeats N    measurements of which the median counts (default 3)
  --patience N   seconds in which to look for repeats that others leave alone (default 30)
  --batch N      rows of a batch in w2 (default 32)
  --path NAME    portable, avx2 or avx512 (default: the fastest there is)
  --f64          double precision in w1, w2 and shapes
  --json         one JSON object a line
  --peak         GFLOP/s of fused multiply-adds alone
  --quick        little work: does it run at all?
Without a workload: all of them.";

#[derive(Clone, Debug)]
pub struct Arguments {
    pub workloads: Vec<Workload>,
    pub threads: usize,
    pub repeats: usize,
    pub patience: usize,
    pub batch: usize,
    pub path: Path,
    pub double: bool,
    pub json: bool,
    pub peak: bool,
    pub quick: bool,
    /// This process is the one that W5 measures.
    pub child: bool,
}

impl Arguments {
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut arguments = Arguments {
            workloads: Vec::new(),
            threads: 1,
            repeats: 3,
            patience: 30,
            batch: 32,
            path: path(),
            double: false,
            json: false,
            peak: false,
            quick: false,
            child: false,
        };
        let mut benchmark = false;
        while let Some(word) = words.next() {
            let mut number = || -> Result<usize, String> {
                let value = words.next().ok_or(format!("{word} needs a number"))?;
                match value.parse() {
                    Ok(number) if number >= 1 => Ok(number),
                    _ => Err(format!("{word} must be a whole number of at least 1, but is {value}")),
                }
            };
            match word.as_str() {
                "--threads" => arguments.threads = number()?,
                "--repeats" => arguments.repeats = number()?,
                "--patience" => arguments.patience = number()?,
                "--batch" => arguments.batch = number()?,
                "--path" => arguments.path = path_named(words.next().as_deref())?,
                "--f64" => arguments.double = true,
                "--json" => arguments.json = true,
                "--peak" => arguments.peak = true,
                "--quick" => arguments.quick = true,
                "--child" => arguments.child = true,
                // Cargo says so when it benches; `cargo test --benches` does not.
                "--bench" => benchmark = true,
                "--help" => return Err(USAGE.into()),
                _ => match WORKLOADS.iter().find(|(name, _)| *name == word) {
                    Some(&(_, workload)) => arguments.workloads.push(workload),
                    None => return Err(format!("{word} is unknown\n{USAGE}").into()),
                },
            }
        }
        if arguments.workloads.is_empty() && !arguments.peak {
            arguments.workloads = WORKLOADS.iter().map(|&(_, workload)| workload).collect();
            arguments.peak = true;
            arguments.quick |= !benchmark;
        }
        Ok(arguments)
    }
}

fn path_named(name: Option<&str>) -> Result<Path, String> {
    let available = Path::available();
    let named = |path: &Path| name.is_some_and(|name| format!("{path:?}").eq_ignore_ascii_case(name));
    available
        .iter()
        .copied()
        .find(named)
        .ok_or_else(|| format!("--path must be one of {available:?}, but is {}", name.unwrap_or("missing")))
}

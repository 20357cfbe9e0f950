//! Random settings: a network, an optimizer, rows, and how they are passed over.

use linfa_mlp::Float;
use linfa_mlp::callback::EarlyStopping;
use linfa_mlp::loss::{BinaryCrossEntropy, MeanSquaredError, SparseCategoricalCrossEntropy};
use linfa_mlp::metric::Accuracy;
use linfa_mlp::network::activation::{Activations, AnyActivation};
use linfa_mlp::network::{Dense, Dropout, L1L2, Sequential, Sigmoid, Softmax};
use linfa_mlp::optimizer::{AnyOptimizer, Optimizers};
use linfa_mlp::part;
use linfa_mlp::rng::Stream;
use linfa_mlp::train::{Data, Plan, Rows};
use ndarray::{Array1, Array2};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;

/// What the network shall learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    Values(usize),
    Binary,
    Classes(usize),
}

/// A hidden layer: units, place in the table of activations, rate of the dropout after it.
pub type Hidden = (usize, usize, Option<f64>);

#[derive(Clone, Debug)]
pub struct Setting {
    pub hidden: Vec<Hidden>,
    pub task: Task,
    pub optimizer: AnyOptimizer,
    pub penalty: bool,
    pub n_features: usize,
    pub n_training: usize,
    pub n_validation: usize,
    pub batch_size: usize,
    pub shuffle: bool,
    pub weighted: bool,
    pub early_stopping: bool,
    pub seed: u64,
}

/// Every optimizer by name, and with every option it has: momentum where there is one, each switch turned on.
pub fn optimizers() -> Vec<AnyOptimizer> {
    let mut optimizers = Vec::new();
    for name in part::names::<Optimizers>() {
        let plain: AnyOptimizer = name.parse().expect("a name of the table parses");
        // Those that read all rows at once take no batches and no dropout: `resume.rs` has settings for them.
        if plain.ops::<f64>().minimizer().is_some() {
            continue;
        }
        let Value::Object(mut settings) = plain.settings() else { panic!("{name} has no settings") };
        if settings.contains_key("learning_rate") {
            settings.insert("learning_rate".into(), 0.02.into());
        }
        let build = |settings: &serde_json::Map<_, _>| {
            AnyOptimizer::build(name, Value::Object(settings.clone())).expect("legal settings")
        };
        optimizers.push(build(&settings));
        let switches: Vec<String> =
            settings.iter().filter(|(_, v)| v.is_boolean()).map(|(key, _)| key.clone()).collect();
        if settings.contains_key("momentum") {
            let mut with = settings.clone();
            with.insert("momentum".into(), 0.9.into());
            optimizers.push(build(&with));
        }
        for switch in switches {
            let mut with = settings.clone();
            with.insert(switch, true.into());
            optimizers.push(build(&with));
            if with.contains_key("momentum") {
                with.insert("momentum".into(), 0.8.into());
                optimizers.push(build(&with));
            }
        }
    }
    optimizers
}

/// Every activation by name.
pub fn activations() -> Vec<AnyActivation> {
    let names = part::names::<Activations>();
    names.iter().map(|name| name.parse().expect("a name of the table parses")).collect()
}

/// So many cases. Seeds of failures are printed and not kept: a new part in a table changes what they stand for.
pub fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Places of the activations that may be stacked: exponentials of exponentials leave the range of the numbers.
pub fn calm_activations() -> Vec<usize> {
    let all = activations();
    (0..all.len()).filter(|&place| all[place].name() != "exponential").collect()
}

pub fn settings() -> impl Strategy<Value = Setting> {
    let hidden = (1..12_usize, proptest::sample::select(calm_activations()), option::of(0.0..0.7));
    let task = prop_oneof![
        (1..4_usize).prop_map(Task::Values),
        Just(Task::Binary),
        (3..6_usize).prop_map(Task::Classes)
    ];
    let network = (vec(hidden, 0..4), task, proptest::sample::select(optimizers()), any::<bool>());
    let data = (1..7_usize, 1..40_usize, option::of(1..300_usize));
    let passes = (1..45_usize, any::<bool>(), any::<bool>(), any::<bool>(), any::<u64>());
    (network, data, passes).prop_map(|(network, data, passes)| {
        let (hidden, task, optimizer, penalty) = network;
        let (n_features, n_training, n_validation) = data;
        let (batch_size, shuffle, weighted, early_stopping, seed) = passes;
        Setting {
            hidden,
            task,
            optimizer,
            penalty,
            n_features,
            n_training,
            n_validation: n_validation.unwrap_or(0),
            batch_size,
            shuffle,
            weighted,
            early_stopping,
            seed,
        }
    })
}

impl Setting {
    pub fn hidden(&self) -> Sequential {
        let activations = activations();
        self.hidden.iter().fold(Sequential::new(), |network, (units, activation, rate)| {
            let mut dense = Dense::new(*units).activation(activations[*activation].clone());
            if self.penalty {
                dense = dense.kernel_regularizer(L1L2::new(1e-4, 1e-3));
            }
            let network = network.add(dense);
            rate.map_or(network.clone(), |rate| network.add(Dropout::new(rate)))
        })
    }

    pub fn plan(&self) -> Plan {
        let (output, loss) = match self.task {
            Task::Values(width) => (Dense::new(width), MeanSquaredError.into()),
            Task::Binary => (Dense::new(1).activation(Sigmoid), BinaryCrossEntropy::default().into()),
            Task::Classes(n) => (Dense::new(n).activation(Softmax), SparseCategoricalCrossEntropy.into()),
        };
        let metrics = match self.task {
            Task::Values(_) => vec!["r2".parse().expect("known")],
            Task::Binary | Task::Classes(_) => vec![Accuracy.into(), "log_loss".parse().expect("known")],
        };
        let monitor = if self.n_validation > 0 { "val_loss" } else { "loss" };
        let stopper = EarlyStopping::on(monitor).patience(2).restore_best_weights();
        Plan {
            network: self.hidden().add(output),
            loss,
            optimizer: self.optimizer.clone(),
            metrics,
            batch_size: self.batch_size,
            shuffle: self.shuffle,
            seed: self.seed,
            callbacks: if self.early_stopping { vec![stopper.into()] } else { vec![] },
        }
    }

    pub fn n_rows(&self) -> usize {
        self.n_training + self.n_validation
    }

    /// Updates of that many epochs.
    pub fn steps(&self, epochs: usize) -> u64 {
        (epochs * self.n_training.div_ceil(self.batch_size)) as u64
    }

    pub fn arrays<F: Float>(&self) -> Arrays<F> {
        let mut stream = Stream::new(self.seed).named("data of a test");
        let n = self.n_rows();
        let x = Array2::from_shape_simple_fn((n, self.n_features), || F::of(2.0 * stream.uniform() - 1.0));
        let y = match self.task {
            Task::Values(m) => Array2::from_shape_simple_fn((n, m), || F::of(stream.uniform())),
            Task::Binary => Array2::from_shape_simple_fn((n, 1), || F::of(stream.below(2) as f64)),
            Task::Classes(m) => Array2::from_shape_simple_fn((n, 1), || F::of(stream.below(m) as f64)),
        };
        // Weights of 0 among them, but neither in the first row nor in the last: no part is without weight.
        let weights = Array1::from_shape_fn(n, |row| match row {
            row if row % 5 == 3 && row + 1 < n => 0.0,
            row => 0.5 + (row % 3) as f32,
        });
        Arrays { x, y, weights: self.weighted.then_some(weights) }
    }
}

/// The rows of a setting: those to train on first, those to validate on behind them.
#[derive(Clone, Debug)]
pub struct Arrays<F> {
    pub x: Array2<F>,
    pub y: Array2<F>,
    pub weights: Option<Array1<f32>>,
}

impl<F: Float> Arrays<F> {
    pub fn rows(&self) -> Rows<'_, F> {
        let rows = Rows::new(self.x.view(), self.y.view()).expect("legal rows");
        match &self.weights {
            Some(weights) => rows.with_weights(weights.view()).expect("legal weights"),
            None => rows,
        }
    }

    pub fn data(&self, n_training: usize) -> Data<'_, F> {
        let rows = self.rows();
        let n = rows.len();
        let training = rows.select((0..n_training).collect::<Vec<_>>()).expect("rows to train on");
        let validation = (n > n_training)
            .then(|| rows.select((n_training..n).collect::<Vec<_>>()).expect("rows to validate on"));
        Data { training, validation }
    }
}

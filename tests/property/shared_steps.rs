//! A fit whose steps are shared among threads gives the bytes of a fit on one thread, whatever it consists of.

use std::sync::Arc;

use linfa_mlp::MlpRegressor;
use linfa_mlp::callback::EarlyStopping;
use linfa_mlp::kernel::{helped_parts, with_shared_steps};
use linfa_mlp::loss::MeanSquaredError;
use linfa_mlp::model_selection::{GridSearch, KFold};
use linfa_mlp::network::layer::AnyLayer;
use linfa_mlp::network::regularizer::{AnyRegularizer, Regularizer, Regularizers};
use linfa_mlp::network::{
    AlphaDropout, BatchNorm, Dense, Dropout, GaussianNoise, L1, L2, LayerNorm, MaxNorm, Residual, Sequential,
    Tanh,
};
use linfa_mlp::optimizer::{Adam, AnyOptimizer, Lbfgs, Sgd};
use linfa_mlp::part::{Configured, register};
use linfa_mlp::train::{Data, Plan, RowSource, Rows, Run, Status, Until, evaluate};
use linfa_mlp::{Float, Result};
use ndarray::{Array1, Array2, ArrayView2};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::setting::{Setting, cases, settings};

const THREADS: [usize; 4] = [2, 3, 8, 16];

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads")
}

/// `(Σ w)²`, a penalty that is not a sum over weights: its gradient needs the whole tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SquaredSum;

impl Configured for SquaredSum {
    const NAME: &'static str = "squared_sum";

    fn check(&self) -> Result<()> {
        Ok(())
    }
}

impl<F: Float> Regularizer<F> for SquaredSum {
    fn penalty(&self, weights: &[F]) -> f64 {
        weights.iter().map(|w| w.wide()).sum::<f64>().powi(2)
    }

    fn add_gradient(&self, weights: &[F], gradient: &mut [F]) {
        let sum: f64 = weights.iter().map(|w| w.wide()).sum();
        gradient.iter_mut().for_each(|g| *g += F::of(2.0 * sum));
    }
}

/// Layers of 5 columns of every kind, beside those of a setting.
fn layers() -> Vec<AnyLayer> {
    let branch =
        Sequential::new().add(Dense::new(9).activation(Tanh)).add(BatchNorm::new()).add(Dense::new(5));
    vec![
        Dropout::new(0.3).into(),
        AlphaDropout::new(0.2).into(),
        GaussianNoise::new(0.2).into(),
        LayerNorm::new().into(),
        LayerNorm::new().trainable(false).into(),
        BatchNorm::new().momentum(0.8).into(),
        BatchNorm::new().trainable(false).into(),
        Dense::new(5).kernel_constraint(MaxNorm::new(0.5)).use_bias(false).into(),
        Dense::new(5).activity_regularizer(L1::new(0.01)).kernel_regularizer(L2::new(0.1)).into(),
        Dense::new(5).kernel_regularizer(AnyRegularizer::from(SquaredSum)).into(),
        Dense::new(5).trainable(false).into(),
        Residual::new(branch).into(),
        Residual::new(Sequential::new().add(LayerNorm::new()).add(Dropout::new(0.1))).into(),
    ]
}

/// The knobs that every optimizer has, in every way that changes the order of an update.
const KNOBS: [&str; 7] = [
    "{}",
    r#"{"weight_decay": 0.01}"#,
    r#"{"clip_value": 0.01}"#,
    r#"{"clip_norm": 0.05, "accumulate": 2}"#,
    r#"{"global_clip_norm": 0.05}"#,
    r#"{"ema": 0.9, "accumulate": 3, "clip_value": 0.1}"#,
    r#"{"ema": 0.5, "weight_decay": 0.1}"#,
];

fn tuned(optimizer: &AnyOptimizer, knobs: &str) -> AnyOptimizer {
    let Value::Object(mut settings) = optimizer.settings() else { panic!("settings are an object") };
    let Ok(Value::Object(knobs)) = serde_json::from_str(knobs) else { panic!("knobs are an object") };
    settings.extend(knobs);
    AnyOptimizer::build(optimizer.name(), Value::Object(settings)).expect("legal settings")
}

/// The plan of a setting, with more layers and knobs.
fn plan(setting: &Setting, extra: &[usize], knobs: usize) -> Plan {
    let mut plan = setting.plan();
    let [hidden @ .., output] = plan.network.layers() else { panic!("there is an output") };
    let mut network = extra.iter().fold(Sequential::new(), |network, &place| {
        network.add(Dense::new(5).activation(Tanh)).add(layers()[place].clone())
    });
    network = hidden.iter().chain([output]).fold(network, |network, layer| network.add(layer.clone()));
    plan.network = network;
    plan.optimizer = tuned(&plan.optimizer, KNOBS[knobs]);
    plan
}

/// What a run leaves after some steps and a number of epochs, under those threads; or what went wrong.
fn bytes<F: Float>(plan: &Plan, data: &Data<'_, F>, threads: usize) -> std::result::Result<Vec<u8>, String> {
    let advance = || {
        let mut run = Run::<F>::new(plan.clone(), data.training.n_features()).expect("a legal plan");
        run.advance(data, Until::epochs(2)).map_err(|error| error.to_string())?;
        Ok(run.to_bytes().expect("can be written"))
    };
    pool(threads).install(|| with_shared_steps(advance))
}

/// Rows that are made when they are read.
#[derive(Debug)]
struct Copied<'a>(ArrayView2<'a, f32>, ArrayView2<'a, f32>);

impl RowSource<f32> for Copied<'_> {
    fn n_samples(&self) -> usize {
        self.0.nrows()
    }

    fn n_features(&self) -> usize {
        self.0.ncols()
    }

    fn target_width(&self) -> usize {
        self.1.ncols()
    }

    fn read(
        &self,
        rows: &[usize],
        x: &mut [f32],
        y: &mut [f32],
    ) -> std::result::Result<(), Box<dyn std::error::Error + Send + Sync>> {
        for (place, &row) in rows.iter().enumerate() {
            let (width, target_width) = (self.0.ncols(), self.1.ncols());
            x[place * width..][..width].iter_mut().zip(self.0.row(row)).for_each(|(to, from)| *to = *from);
            let y = &mut y[place * target_width..][..target_width];
            y.iter_mut().zip(self.1.row(row)).for_each(|(to, from)| *to = *from);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn any_fit_gives_the_same_bytes_on_any_number_of_threads(
        setting in settings(), extra in vec(0..13_usize, 0..3), knobs in 0..7_usize,
    ) {
        let plan = plan(&setting, &extra, knobs);
        let (single, double) = (setting.arrays::<f32>(), setting.arrays::<f64>());
        let (single, double) = (single.data(setting.n_training), double.data(setting.n_training));
        let expected = (bytes(&plan, &single, 1), bytes(&plan, &double, 1));
        let before = helped_parts();
        for threads in THREADS {
            let found = (bytes(&plan, &single, threads), bytes(&plan, &double, threads));
            prop_assert!(found == expected, "{threads} threads, {:?}", plan.network);
        }
        // On a busy machine helpers may come late, but not to eight fits.
        prop_assert!(helped_parts() > before || setting.n_training * setting.batch_size < 64, "nobody helped");
    }

    #[test]
    fn a_run_may_go_on_with_other_threads_at_any_step(
        setting in settings(), extra in vec(0..13_usize, 0..2), knobs in 0..7_usize,
        cut in any::<prop::sample::Index>(), threads in (1..5_usize, 1..5_usize),
    ) {
        register::<Regularizers, SquaredSum>().expect("the name is free");
        let plan = plan(&setting, &extra, knobs);
        let arrays = setting.arrays::<f32>();
        let data = arrays.data(setting.n_training);
        let expected = bytes(&plan, &data, 1);
        prop_assume!(expected.is_ok());
        let advance = |run: &mut Run<f32>, threads: usize, until: Until| {
            pool(threads).install(|| with_shared_steps(|| run.advance(&data, until).expect("trains")))
        };
        let mut run = Run::<f32>::new(plan, setting.n_features).expect("a legal plan");
        let cut = cut.index(setting.steps(2) as usize) as u64;
        if advance(&mut run, threads.0, Until::epochs(2).steps(cut)) == Status::Paused {
            run = Run::from_bytes(&run.to_bytes().expect("can be written")).expect("can be read");
        }
        advance(&mut run, threads.1, Until::epochs(2));
        prop_assert!(run.to_bytes().map_err(|error| error.to_string()) == expected);
    }

    #[test]
    fn sources_and_searches_over_all_rows_are_shared_to_the_same_bytes(
        units in vec(1..20_usize, 0..3), n in 2..700_usize, penalty in any::<bool>(), classes in any::<bool>(),
    ) {
        let x = Array2::from_shape_fn((n, 3), |(i, j)| ((i * 31 + j * 17) % 101) as f32 / 50.0 - 1.0);
        let y = Array2::from_shape_fn((n, 1), |(i, _)| ((i * i) % 7) as f32 / 7.0);
        let hidden = units.iter().fold(Sequential::new(), |network, &units| {
            let dense = Dense::new(units).activation(Tanh);
            network.add(if penalty { dense.kernel_regularizer(L2::new(1e-3)) } else { dense })
        });
        let plan = |optimizer: AnyOptimizer, batch_size| Plan {
            network: hidden.clone().add(Dense::new(1)),
            loss: MeanSquaredError.into(),
            optimizer,
            metrics: vec!["r2".parse().expect("known")],
            batch_size,
            shuffle: true,
            seed: 5,
            callbacks: vec![EarlyStopping::on("loss").patience(3).into()],
        };
        let rows = Rows::new(x.view(), y.view()).expect("legal rows");
        let rows = if classes { rows.with_class_weights([2.0, 0.5]).expect("legal weights") } else { rows };
        let source = Copied(x.view(), y.view());
        let from_source = Rows::from_source(&source).expect("legal rows");
        let (lbfgs, sgd) = (plan(Lbfgs::default().into(), n), plan(Sgd::new(0.01).momentum(0.9).into(), 40));
        for (plan, rows) in [(&lbfgs, rows.clone()), (&lbfgs, from_source.clone()), (&sgd, from_source), (&sgd, rows)] {
            let data = Data::from(rows);
            let expected = bytes(plan, &data, 1);
            for threads in THREADS {
                prop_assert!(bytes(plan, &data, threads) == expected, "{threads} threads");
            }
        }
    }
}

#[test]
fn evaluations_are_shared_to_the_same_numbers() {
    let x = Array2::from_shape_fn((700, 3), |(i, j)| ((i * 31 + j * 17) % 101) as f64 / 50.0 - 1.0);
    let y = Array2::from_shape_fn((700, 1), |(i, _)| ((i * i) % 7) as f64 / 7.0);
    let weights = Array1::from_shape_fn(700, |i| (i % 4) as f32);
    let rows = Rows::new(x.view(), y.view()).and_then(|rows| rows.with_weights(weights.view())).unwrap();
    let hidden = Dense::new(33).activation(Tanh).activity_regularizer(L2::new(0.1));
    let plan = Plan {
        network: Sequential::new().add(hidden).add(BatchNorm::new()).add(Dense::new(1)),
        loss: MeanSquaredError.into(),
        optimizer: Adam::default().into(),
        metrics: vec!["r2".parse().unwrap()],
        batch_size: 32,
        shuffle: true,
        seed: 5,
        callbacks: vec![],
    };
    let network = plan.network.build::<f64>(3, 1).unwrap();
    let on =
        |threads| pool(threads).install(|| with_shared_steps(|| evaluate(&network, &plan, &rows).unwrap()));
    let expected = on(1);
    for threads in THREADS {
        assert_eq!(on(threads), expected, "{threads} threads");
    }
}

#[test]
fn a_network_none_of_whose_weights_is_trained_is_shared_to_the_same_bytes() {
    let (x, y) = (Array2::<f32>::ones((64, 2)), Array2::<f32>::ones((64, 1)));
    let data = Data::from(Rows::new(x.view(), y.view()).unwrap());
    for optimizer in [AnyOptimizer::from(Adam::default()), Lbfgs::default().into()] {
        let plan = Plan {
            network: Sequential::new()
                .add(Dense::new(4).trainable(false))
                .add(BatchNorm::new().trainable(false))
                .add(Dense::new(1).trainable(false)),
            loss: MeanSquaredError.into(),
            optimizer,
            metrics: vec![],
            batch_size: 64,
            shuffle: false,
            seed: 5,
            callbacks: vec![],
        };
        let expected = bytes(&plan, &data, 1);
        for threads in THREADS {
            assert!(bytes(&plan, &data, threads) == expected, "{threads} threads");
        }
    }
}

#[test]
fn a_layer_that_panics_on_another_thread_leaves_no_trace() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Fragile;
    impl Configured for Fragile {
        const NAME: &'static str = "fragile";
        fn check(&self) -> Result<()> {
            Ok(())
        }
    }
    impl<F: Float> linfa_mlp::network::layer::Layer<F> for Fragile {
        fn n_outputs(&self, n_inputs: usize) -> usize {
            n_inputs
        }
        fn forward(&self, pass: linfa_mlp::network::layer::Forward<'_, F>) {
            assert!(pass.noise.is_none_or(|noise| noise.first_row == 0), "on purpose");
            pass.output.copy_from_slice(pass.input);
        }
        fn backward(&self, pass: linfa_mlp::network::layer::Backward<'_, F>) {
            if let Some(to) = pass.input_delta {
                to.copy_from_slice(pass.delta);
            }
        }
    }
    let (x, y) = (Array2::<f32>::ones((64, 2)), Array2::<f32>::ones((64, 1)));
    let plan = Plan {
        network: Sequential::new().add(Dense::new(4)).add(AnyLayer::from(Fragile)).add(Dense::new(1)),
        loss: MeanSquaredError.into(),
        optimizer: Adam::default().into(),
        metrics: vec![],
        batch_size: 64,
        shuffle: true,
        seed: 5,
        callbacks: vec![],
    };
    let data = Data::from(Rows::new(x.view(), y.view()).unwrap());
    let mut run = Run::<f32>::new(plan, 2).unwrap();
    let before = run.to_bytes().unwrap();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        pool(4).install(|| with_shared_steps(|| run.advance(&data, Until::epochs(1))))
    }));
    assert!(caught.is_err(), "the panic of a part is the panic of the fit");
    assert_eq!(run.network().tensors().map(|(_, t)| t.len()).sum::<usize>(), run.network().count_params());
    // On one thread the batch is whole, and the run goes on.
    pool(1).install(|| run.advance(&data, Until::epochs(1))).unwrap();
    assert_ne!(run.to_bytes().unwrap(), before);
}

#[test]
fn a_search_with_fewer_fits_than_threads_gives_the_bytes_of_one_thread() {
    let search = |threads: usize| {
        let params = MlpRegressor::params().hidden_layer_sizes([16]).batch_size(32).epochs(3).seed(1);
        let found = GridSearch::new(params)
            .axis("alpha", [1e-4], |params, alpha| params.alpha(alpha))
            .cv(KFold::new(2))
            .pool(Arc::new(pool(threads)))
            .fit(&linfa_datasets::diabetes())
            .expect("the search runs");
        let scores: Vec<u64> =
            found.results().rows().iter().map(|row| row.test_scores[0].to_bits()).collect();
        (scores, found.best_model().expect("refitted").model().to_bytes().expect("a model has bytes"))
    };
    let alone = search(1);
    for threads in THREADS {
        assert!(with_shared_steps(|| search(threads)) == alone, "{threads} threads");
    }
}

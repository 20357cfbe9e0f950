//! After the first step training by one thread allocates nothing, rows chosen by index are not copied, and those of a source are not kept.
//!
//! One test in the file, so that no other thread allocates in between.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use linfa_mlp::kernel::with_shared_steps;
use linfa_mlp::loss::{BinaryCrossEntropy, SparseCategoricalCrossEntropy};
use linfa_mlp::metric::AnyMetric;
use linfa_mlp::model_selection::{GridSearch, KFold};
use linfa_mlp::network::activation::Activations;
use linfa_mlp::network::{Dense, Dropout, L1L2, Residual, RowScratch, Sequential, Sigmoid, Softmax};
use linfa_mlp::optimizer::{Adam, AnyOptimizer, Optimizers, RmsProp, Sgd};
use linfa_mlp::part::names;
use linfa_mlp::train::{Data, Plan, RowSource, Rows, Run, Until};
use linfa_mlp::{Float, MlpRegressor};
use ndarray::{Array1, Array2, s};

/// The system's allocator, which counts.
struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static ON: AtomicBool = AtomicBool::new(false);

fn grown(size: usize) {
    if ON.load(Relaxed) {
        CALLS.fetch_add(1, Relaxed);
    }
    let live = LIVE.fetch_add(size, Relaxed) + size;
    PEAK.fetch_max(live, Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came; counting touches atomics alone.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grown(size);
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Calls of the allocator while `f` runs.
fn calls(f: impl FnOnce()) -> usize {
    CALLS.store(0, Relaxed);
    ON.store(true, Relaxed);
    f();
    ON.store(false, Relaxed);
    CALLS.load(Relaxed)
}

/// Bytes that `f` holds at the same time, beside those that were held before.
fn peak(f: impl FnOnce()) -> usize {
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    f();
    PEAK.load(Relaxed) - before
}

/// Every activation, dropout if wanted, and penalties.
fn network(output: Dense, dropout: bool) -> Sequential {
    let hidden = names::<Activations>().into_iter().fold(Sequential::new(), |network, name| {
        let activation: linfa_mlp::network::activation::AnyActivation = name.parse().expect("known");
        let dense = Dense::new(9).activation(activation).kernel_regularizer(L1L2::new(1e-5, 1e-5));
        if dropout { network.add(dense).add(Dropout::new(0.2)) } else { network.add(dense) }
    });
    let branch = Sequential::new().add(Dense::new(9).activity_regularizer(L1L2::new(1e-5, 1e-5)));
    hidden.add(Residual::new(branch)).add(output)
}

fn plan(optimizer: AnyOptimizer, binary: bool, metrics: &[&str]) -> Plan {
    // One that reads all rows at once takes neither batches nor dropout.
    let by_batch = optimizer.ops::<f64>().minimizer().is_none();
    let (network, loss) = if binary {
        (network(Dense::new(1).activation(Sigmoid), by_batch), BinaryCrossEntropy::default().into())
    } else {
        (network(Dense::new(3).activation(Softmax), by_batch), SparseCategoricalCrossEntropy.into())
    };
    Plan {
        network,
        loss,
        optimizer,
        metrics: metrics.iter().map(|name| name.parse::<AnyMetric>().expect("known")).collect(),
        batch_size: if by_batch { 16 } else { usize::MAX },
        shuffle: true,
        seed: 5,
        callbacks: vec![],
    }
}

/// Calls of the allocator in a run of so many epochs, its making aside.
fn calls_of<F: Float>(plan: &Plan, weighted: bool, columns_first: bool, epochs: usize) -> usize {
    let n_classes = if plan.network.n_outputs(4) == 1 { 2 } else { 3 };
    let x = Array2::from_shape_fn((90, 4), |(i, j)| F::of(((i * 7 + j * 5) % 13) as f64 / 13.0));
    let y = Array2::from_shape_fn((90, 1), |(i, _)| F::of((i % n_classes) as f64));
    let weights = Array1::from_shape_fn(90, |i| (i % 4) as f32);
    let turned = x.t().as_standard_layout().into_owned();
    let rows = Rows::new(if columns_first { turned.t() } else { x.view() }, y.view()).expect("legal");
    let rows = if weighted { rows.with_weights(weights.view()).expect("legal") } else { rows };
    let data = Data {
        training: rows.select((0..70).collect::<Vec<_>>()).expect("legal"),
        validation: Some(rows.select((70..90).collect::<Vec<_>>()).expect("legal")),
    };
    let mut run = Run::<F>::new(plan.clone(), 4).expect("a legal plan");
    calls(|| {
        run.advance(&data, Until::epochs(epochs)).expect("trains");
    })
}

#[test]
fn training_allocates_nothing_after_its_first_step_and_copies_no_fold() {
    let optimizers: Vec<AnyOptimizer> = names::<Optimizers>()
        .into_iter()
        .map(|name| name.parse().expect("known"))
        .chain([
            Sgd::new(0.01).momentum(0.9).nesterov().into(),
            RmsProp::new(0.001).momentum(0.5).centered().into(),
            Adam::new(0.01).into(),
        ])
        .collect();
    let metrics = ["accuracy", "balanced_accuracy", "cohen_kappa", "log_loss"];
    for optimizer in optimizers {
        for (binary, weighted, columns_first) in [(false, false, false), (true, true, true)] {
            let plan = plan(optimizer.clone(), binary, &metrics);
            // The least of three: the thread that started the test may allocate meanwhile, and then adds to the count.
            let least = |calls: &dyn Fn() -> usize| (0..3).map(|_| calls()).min();
            let single = |epochs| least(&|| calls_of::<f32>(&plan, weighted, columns_first, epochs));
            let double = |epochs| least(&|| calls_of::<f64>(&plan, weighted, columns_first, epochs));
            // One that comes to an end by itself leaves its name.
            let name = usize::from(optimizer.ops::<f64>().minimizer().is_some());
            for (few, many) in [(single(2), single(52)), (double(2), double(52))] {
                let more = many.zip(few).map(|(many, few)| many - few);
                assert!(more.is_some_and(|more| more <= name), "{optimizer}, {metrics:?}: {few:?} {many:?}");
            }
        }
    }

    // Two threads that share every step. An offer of a place is a small allocation, once in ten milliseconds or when a helper of a
    // busy machine has lost its patience, and not once in each of the 1000 steps between the two.
    let plan_of_shared = plan(Adam::new(0.01).into(), false, &["accuracy"]);
    let two = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("threads start");
    let shared = |epochs| {
        let run = || with_shared_steps(|| calls_of::<f32>(&plan_of_shared, false, false, epochs));
        (0..5).map(|_| two.install(run)).min().unwrap_or(0)
    };
    let (few, many) = (shared(2), shared(202));
    assert!(many <= few + 250, "two threads: {few} {many}");

    // 5 folds of 20 000 rows of 100 columns: 16 MB of x, of which a fit may hold a tenth.
    let x = Array2::from_shape_fn((20_000, 100), |(i, j)| ((i * 31 + j * 17) % 101) as f64 / 101.0);
    let y = Array2::from_shape_fn((20_000, 1), |(i, _)| (i % 3) as f64);
    let plan = Plan {
        network: Sequential::new().add(Dense::new(8)).add(Dense::new(3).activation(Softmax)),
        batch_size: 200,
        ..plan(Adam::default().into(), false, &["accuracy"])
    };
    let size_of_x = x.len() * size_of::<f64>();
    let turned = x.slice(s![..;-1, ..]).as_standard_layout().into_owned();
    for x in [x.view(), turned.slice(s![..;-1, ..])] {
        let rows = Rows::new(x, y.view()).expect("legal");
        let bytes = peak(|| {
            let folds: Vec<Run<f64>> = (0..5)
                .map(|fold| {
                    let (held_out, rest): (Vec<_>, Vec<_>) = (0..20_000).partition(|row| row % 5 == fold);
                    let data = Data {
                        training: rows.select(rest).expect("legal"),
                        validation: Some(rows.select(held_out).expect("legal")),
                    };
                    let mut run = Run::new(plan.clone(), 100).expect("a legal plan");
                    run.advance(&data, Until::epochs(1)).expect("trains");
                    run
                })
                .collect();
            assert_eq!(folds.len(), 5);
        });
        assert!(bytes < size_of_x / 10, "a fold holds {bytes} bytes beside the {size_of_x} of x");
    }

    // Rows predicted one by one use the memory of the first.
    let network = network(Dense::new(3), true).build::<f32>(4, 1).expect("legal");
    let mut scratch = RowScratch::new();
    let mut predict = |rows: usize| {
        for i in 0..rows {
            network.predict_row(&[0.1, 0.2, 0.3, i as f32], &mut scratch).expect("the row fits");
        }
    };
    predict(1);
    let least = (0..3).map(|_| calls(|| predict(50))).min();
    assert_eq!(least, Some(0), "calls of the allocator in 50 rows");

    // A search of 10 folds and 12 candidates on two threads holds index lists, two fits and their predictions.
    let data = linfa::Dataset::new(x, y.column(0).to_owned());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("threads start");
    let search = GridSearch::new(MlpRegressor::params().hidden_layer_sizes([8]).epochs(1).batch_size(200))
        .axis("alpha", (0..12_u32).map(|i| 1e-5 * f64::from(i)).collect::<Vec<_>>(), |params, a| {
            params.alpha(a)
        })
        .cv(KFold::new(10).shuffle(1))
        .refit(false)
        .pool(Arc::new(pool));
    let bytes = peak(|| assert_eq!(search.fit(&data).expect("the search runs").results().rows().len(), 120));
    let lists = 10 * 20_000 * size_of::<usize>();
    assert!(bytes < lists + size_of_x / 10, "a search holds {bytes} bytes beside the {size_of_x} of x");

    // 4 GiB of rows that are made when they are read: a run holds a batch, the index lists and the order of the epoch.
    let source = Generated { n_samples: 1 << 18, n_features: 1 << 12 };
    let rows = Rows::from_source(&source).expect("legal");
    let (training, held_out): (Vec<usize>, Vec<usize>) = (0..1 << 18).partition(|row| row % 8192 != 0);
    let data = Data::divide(&rows, training, held_out).expect("disjoint");
    let plan = Plan {
        network: Sequential::new().add(Dense::new(2)).add(Dense::new(3).activation(Softmax)),
        batch_size: 32,
        ..plan
    };
    let mut run = Run::<f32>::new(plan, 1 << 12).expect("a legal plan");
    let bytes = peak(|| {
        run.advance(&data, Until::epochs(1).steps(20)).expect("trains");
    });
    assert_eq!(run.steps(), 20);
    assert!(bytes < 5 << 20, "a run over 4 GiB holds {bytes} bytes");
}

/// Rows that are nowhere until they are read.
#[derive(Debug)]
struct Generated {
    n_samples: usize,
    n_features: usize,
}

impl RowSource<f32> for Generated {
    fn n_samples(&self) -> usize {
        self.n_samples
    }

    fn n_features(&self) -> usize {
        self.n_features
    }

    fn target_width(&self) -> usize {
        1
    }

    fn read(
        &self,
        rows: &[usize],
        x: &mut [f32],
        y: &mut [f32],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        for ((&row, x), y) in rows.iter().zip(x.chunks_exact_mut(self.n_features)).zip(y) {
            x.iter_mut().enumerate().for_each(|(i, x)| *x = ((row * 31 + i * 17) % 101) as f32 / 101.0);
            *y = (row % 3) as f32;
        }
        Ok(())
    }
}

//! Laws of a run that hold whatever its layers are, and what frozen layers and moving averages promise.

use linfa_mlp::Error;
use linfa_mlp::kernel::{Path, with_path};
use linfa_mlp::loss::MeanSquaredError;
use linfa_mlp::network::layer::AnyLayer;
use linfa_mlp::network::{
    ActivationLayer, AlphaDropout, BatchNorm, Dense, Dropout, GaussianNoise, L2, LayerNorm, MaxNorm,
    MinMaxNorm, NonNeg, Residual, Sequential, Tanh, UnitNorm,
};
use linfa_mlp::optimizer::{Adam, Lbfgs};
use linfa_mlp::rng::Stream;
use linfa_mlp::train::{Data, Plan, Rows, Run, Until};
use ndarray::{Array1, Array2, Axis};

fn layers() -> Vec<AnyLayer> {
    vec![
        Dropout::new(0.2).into(),
        AlphaDropout::new(0.2).into(),
        GaussianNoise::new(0.2).into(),
        ActivationLayer::new(Tanh).into(),
        LayerNorm::new().into(),
        LayerNorm::new().trainable(false).into(),
        BatchNorm::new().momentum(0.8).into(),
        BatchNorm::new().trainable(false).into(),
        Dense::new(4).kernel_constraint(MaxNorm::new(0.5)).bias_constraint(UnitNorm).into(),
        Dense::new(4).kernel_constraint(NonNeg).bias_constraint(MinMaxNorm::new(0.1, 0.2)).into(),
        Dense::new(4).trainable(false).kernel_regularizer(L2::new(0.1)).into(),
        Dense::new(4).activity_regularizer(L2::new(0.1)).into(),
        residual().into(),
        Residual::new(Sequential::new().add(residual()).add(Dense::new(6))).into(),
    ]
}

/// Takes and gives 6 columns.
fn residual() -> Residual {
    let branch = Sequential::new().add(Dense::new(4).activation(Tanh)).add(Dropout::new(0.2));
    Residual::new(branch.add(BatchNorm::new()).add(Dense::new(6)))
}

fn plan(layer: &AnyLayer) -> Plan {
    Plan {
        network: Sequential::new().add(Dense::new(6).activation(Tanh)).add(layer.clone()).add(Dense::new(1)),
        loss: MeanSquaredError.into(),
        optimizer: Adam::new(0.01).into(),
        metrics: vec![],
        batch_size: 6,
        shuffle: true,
        seed: 3,
        callbacks: vec![],
    }
}

/// 19 rows: the last batch has one.
fn data() -> (Array2<f32>, Array2<f32>) {
    let mut draws = Stream::new(9).named("data");
    let x = Array2::from_shape_simple_fn((19, 3), || 2.0 * draws.uniform() as f32 - 1.0);
    let y = x.map_axis(Axis(1), |row| row[0] * row[1] - row[2]).insert_axis(Axis(1));
    (x, y)
}

fn straight(layer: &AnyLayer) -> Run<f32> {
    let (x, y) = data();
    let rows = Rows::new(x.view(), y.view()).unwrap();
    let mut run = Run::new(plan(layer), 3).unwrap();
    run.advance(&Data { training: rows, validation: None }, Until::epochs(5)).unwrap();
    run
}

#[test]
fn a_run_paused_saved_and_continued_is_the_straight_run() {
    let (x, y) = data();
    let data = Data { training: Rows::new(x.view(), y.view()).unwrap(), validation: None };
    for layer in layers() {
        let expected = straight(&layer).to_bytes().unwrap();
        let mut run = Run::<f32>::new(plan(&layer), 3).unwrap();
        for steps in [3, 10] {
            run.advance(&data, Until::epochs(5).steps(steps)).unwrap();
            run = Run::from_bytes(&run.to_bytes().unwrap()).unwrap();
        }
        run.advance(&data, Until::epochs(5)).unwrap();
        assert!(run.to_bytes().unwrap() == expected, "{layer}");
    }
}

#[test]
fn every_kernel_path_gives_the_same_bytes() {
    let (x, _) = data();
    for layer in layers() {
        let run = straight(&layer);
        let (bytes, outputs) = (run.to_bytes().unwrap(), run.network().predict(x.view()).unwrap());
        for path in Path::available() {
            with_path(path, || {
                let run = straight(&layer);
                assert!(run.to_bytes().unwrap() == bytes, "{layer} on {path:?}");
                assert!(run.network().predict(x.view()).unwrap() == outputs, "{layer} on {path:?}");
            });
        }
    }
}

#[test]
fn a_row_of_weight_0_is_as_good_as_absent() {
    let (x, y) = data();
    let weights = Array1::from_shape_fn(19, |i| if i % 3 == 0 { 0.0 } else { 1.0_f32 });
    let kept: Vec<usize> = (0..19).filter(|i| i % 3 != 0).collect();
    let (x_kept, y_kept) = (x.select(Axis(0), &kept), y.select(Axis(0), &kept));
    let ones = Array1::ones(kept.len());
    for layer in layers() {
        let train = |x: &Array2<f32>, y: &Array2<f32>, weights: &Array1<f32>| {
            let plan = Plan { shuffle: false, ..plan(&layer) };
            let mut run = Run::<f32>::new(plan, 3).unwrap();
            let rows = Rows::new(x.view(), y.view()).unwrap().with_weights(weights.view()).unwrap();
            run.advance(&Data { training: rows, validation: None }, Until::epochs(3)).unwrap();
            run
        };
        let (with, without) = (train(&x, &y, &weights), train(&x_kept, &y_kept, &ones));
        assert_eq!(with.steps(), without.steps());
        for ((name, a), (_, b)) in with.network().tensors().zip(without.network().tensors()) {
            assert_eq!(a, b, "{layer}: {name}");
        }
    }
}

#[test]
fn a_frozen_layer_stays_and_the_others_move() {
    for layer in layers() {
        let start = Run::<f32>::new(plan(&layer), 3).unwrap();
        let run = straight(&layer);
        let frozen = layer.settings()["trainable"] == false;
        for ((name, before), (_, after)) in start.network().tensors().zip(run.network().tensors()) {
            let stays = frozen
                && name.starts_with(&format!(
                    "{}_{}",
                    layer.name(),
                    if layer.name() == "dense" { 2 } else { 1 }
                ));
            assert_eq!(before == after, stays, "{layer}: {name}");
        }
    }
}

#[test]
fn moving_averages_are_predicted_with_and_one_row_gives_no_nan() {
    let run = straight(&BatchNorm::new().momentum(0.8).into());
    let (x, _) = data();
    let all = run.network().predict(x.view()).unwrap();
    assert!(all.iter().all(|value| value.is_finite()));
    for (i, row) in x.axis_iter(Axis(0)).enumerate() {
        let alone = run.network().predict(row.insert_axis(Axis(0))).unwrap();
        assert_eq!(alone.row(0), all.row(i));
    }
}

#[test]
fn the_summary_counts_what_is_not_trained() {
    let network =
        Sequential::new().add(Dense::new(4)).add(BatchNorm::new()).add(Dense::new(2).trainable(false));
    let summary = network.summary(3).unwrap();
    assert_eq!((summary.count_params(), summary.count_non_trainable_params()), (16 + 16 + 10, 8 + 10));
    let text = summary.to_string();
    assert!(text.contains("batch_norm_1") && text.contains("non-trainable"), "{text}");
}

#[test]
fn a_residual_adds_what_its_layers_make_of_the_input() {
    let (x, _) = data();
    let branch = Sequential::new().add(Dense::new(5).activation(Tanh)).add(Dense::new(3));
    let plain = branch.build::<f32>(3, 1).unwrap();
    let mut network = Sequential::new().add(Residual::new(branch)).build::<f32>(3, 2).unwrap();
    for (name, values) in plain.tensors() {
        network.set_tensor(&format!("residual_1/{name}"), values).unwrap();
    }
    assert_eq!(network.predict(x.view()).unwrap(), &x + &plain.predict(x.view()).unwrap());
}

#[test]
fn the_layers_of_a_residual_are_listed_by_their_place() {
    let inner = Residual::new(Sequential::new().add(Dense::new(4)));
    let block =
        Residual::new(Sequential::new().add(Dense::new(8).activation(Tanh)).add(Dense::new(4)).add(inner));
    let network = Sequential::new().add(Dense::new(4)).add(block.clone()).add(block).add(Dense::new(1));
    let summary = network.summary(3).unwrap();
    let names: Vec<&str> = summary.layers.iter().map(|layer| layer.name.as_str()).collect();
    let of = |number: usize| {
        ["/dense_1", "/dense_2", "/residual_1/dense_1", "/residual_1", ""]
            .map(|name| format!("residual_{number}{name}"))
    };
    let mut expected = vec!["dense_1".to_owned()];
    expected.extend(of(1).into_iter().chain(of(2)));
    expected.push("dense_2".to_owned());
    assert_eq!(names, expected);
    let block_params = (4 + 1) * 8 + (8 + 1) * 4 + (4 + 1) * 4;
    assert_eq!(summary.count_params(), (3 + 1) * 4 + 2 * block_params + (4 + 1));
    let built = network.build::<f64>(3, 0).unwrap();
    assert_eq!(built.summary(), summary);
    assert_eq!(built.count_params(), summary.count_params());
    assert_eq!(network.count_params(3).unwrap(), summary.count_params());
    let text = serde_json::to_string(&network).unwrap();
    assert_eq!(serde_json::from_str::<Sequential>(&text).unwrap(), network);
}

#[test]
fn a_branch_whose_width_does_not_fit_is_refused_by_its_place() {
    let name_of = |network: Sequential| match network.build::<f64>(3, 0) {
        Err(Error::Parameter { name, found, allowed }) => format!("{name} {found} {allowed}"),
        other => panic!("{other:?}"),
    };
    let dense = |units| Sequential::new().add(Dense::new(units));
    let end = "the output width of the residual's last layer";
    assert_eq!(
        name_of(dense(5).add(Residual::new(dense(4)))),
        format!("layer 2: {end} 4 5, as of the input that it is added to")
    );
    let nested = Residual::new(dense(5).add(Residual::new(dense(6))));
    assert_eq!(
        name_of(dense(5).add(nested)),
        format!("layer 2: layer 2: {end} 6 5, as of the input that it is added to")
    );
    assert_eq!(
        name_of(Sequential::new().add(Residual::new(Sequential::new()))),
        "layer 1: number of layers 0 at least 1"
    );
    assert_eq!(
        name_of(Sequential::new().add(Residual::new(dense(0)))),
        "layer 1: layer 1: units 0 between 1 and 16777216"
    );
}

#[test]
fn a_random_layer_inside_a_residual_is_seen_by_an_optimizer_that_reads_all_rows() {
    let network = Sequential::new().add(Dense::new(6)).add(residual()).add(Dense::new(1));
    let plan =
        Plan { network, optimizer: Lbfgs::default().into(), batch_size: 19, ..plan(&Dense::new(1).into()) };
    match Run::<f32>::new(plan, 3) {
        Err(Error::Parameter { name, .. }) => assert_eq!(name, "layer 2: layer 2"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_penalty_on_activations_outside_its_range_is_refused_by_its_place() {
    let network = Sequential::new().add(Dense::new(2).activity_regularizer(L2::new(f64::NAN)));
    match network.build::<f64>(3, 0) {
        Err(Error::Parameter { name, .. }) => assert_eq!(name, "layer 1: activity_regularizer: l2"),
        other => panic!("{other:?}"),
    }
}

//! A 3-2-1 network whose first step can be followed with a pocket calculator.
//!
//! The network is that of scikit-learn's `test_mlp.py::test_fit`: sigmoid everywhere, one row, one step of gradient
//! descent. scikit-learn's penalty is ½·α·Σw²/n; ours is λ·Σw², so that its α = 0.1 at n = 1 is λ = 0.05 here, and both
//! have the gradient 0.1·w. That test rounds on its way and compares three decimals; the numbers below are carried to
//! twelve.

use linfa_mlp::prelude::*;
use linfa_mlp::train::{Data, Plan, Rows, Run, Until, evaluate};
use ndarray::{Array2, array};

/// Twelve decimals are written down below, each rounded once.
const TOLERANCE: f64 = 1e-12;

fn assert_close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= TOLERANCE, "{what}: {found}, not {expected}");
}

fn network() -> Sequential {
    let layer = |units| Dense::new(units).activation(Sigmoid).kernel_regularizer(L2::new(0.05));
    Sequential::new().add(layer(2)).add(layer(1))
}

/// x = (0.6, 0.8, 0.7), y = 0, learning rate 0.1.
fn run() -> Run<f64> {
    let plan = Plan {
        network: network(),
        loss: BinaryCrossEntropy::default().into(),
        optimizer: Sgd::new(0.1).into(),
        metrics: vec![],
        batch_size: 1,
        shuffle: false,
        seed: 0,
        callbacks: vec![],
    };
    let mut run = Run::new(plan, 3).unwrap();
    let network = run.network_mut();
    network.set_tensor("dense_1/kernel", array![[0.1, 0.2], [0.3, 0.1], [0.5, 0.0]].view()).unwrap();
    network.set_tensor("dense_1/bias", array![[0.1, 0.1]].view()).unwrap();
    network.set_tensor("dense_2/kernel", array![[0.1], [0.2]].view()).unwrap();
    network.set_tensor("dense_2/bias", array![[1.0]].view()).unwrap();
    run
}

#[test]
fn a_3_2_1_network_by_hand() {
    let (x, y) = (array![[0.6, 0.8, 0.7]], array![[0.0]]);
    let rows = Rows::new(x.view(), y.view()).unwrap();
    let mut run = run();

    // Forward:
    //   z₁ = x·W₁ + b₁ = (0.06 + 0.24 + 0.35 + 0.1, 0.12 + 0.08 + 0 + 0.1) = (0.75, 0.3)
    //   h  = σ(z₁)     = (0.679178699175, 0.574442516812)
    //   z₂ = h·W₂ + b₂ = 0.067917869918 + 0.114888503362 + 1 = 1.182806373280
    //   p  = σ(z₂)     = 0.765452021910
    let p = run.network().predict(x.view()).unwrap()[[0, 0]];
    assert_close(p, 0.765_452_021_910, "p");

    // Loss:
    //   −ln(1 − p) = ln(1 + e^z₂) = 1.450095114622
    //   penalty    = 0.05·(0.01 + 0.04 + 0.09 + 0.01 + 0.25 + 0 + 0.01 + 0.04) = 0.05·0.45 = 0.0225
    let loss = evaluate(run.network(), run.plan(), &rows).unwrap()["loss"];
    assert_close(loss, 1.472_595_114_622, "loss");

    // Backward, with ∂penalty/∂w = 2·0.05·w:
    //   δ₂     = p − y           = 0.765452021910
    //   ∂ℓ/∂W₂ = h·δ₂ + 0.1·W₂   = (0.519878708502 + 0.01, 0.439708185964 + 0.02)
    //   ∂ℓ/∂b₂ = δ₂
    //   δ₁     = δ₂·W₂·h·(1 − h) = (0.076545202191·0.217894993762, 0.153090404382·0.244458311691)
    //          = (0.016678816354, 0.037424221791)
    //   ∂ℓ/∂W₁ = xᵀ·δ₁ + 0.1·W₁  = (0.010007289812 + 0.01, 0.022454533075 + 0.02)
    //                              (0.013343053083 + 0.03, 0.029939377433 + 0.01)
    //                              (0.011675171448 + 0.05, 0.026196955254 + 0   )
    //   ∂ℓ/∂b₁ = δ₁
    // Step: w ← w − 0.1·∂ℓ/∂w
    run.advance(&Data { training: rows, validation: None }, Until::epochs(1)).unwrap();
    let expected: [(&str, Array2<f64>); 4] = [
        (
            "dense_1/kernel",
            array![
                [0.097_999_271_019, 0.195_754_546_693],
                [0.295_665_694_692, 0.096_006_062_257],
                [0.493_832_482_855, -0.002_619_695_525],
            ],
        ),
        ("dense_1/bias", array![[0.098_332_118_365, 0.096_257_577_821]]),
        ("dense_2/kernel", array![[0.047_012_129_148], [0.154_029_181_404]]),
        ("dense_2/bias", array![[0.923_454_797_809]]),
    ];
    for ((name, found), (expected_name, expected)) in run.network().tensors().zip(expected) {
        assert_eq!(name, expected_name);
        for (found, expected) in found.iter().zip(&expected) {
            assert_close(*found, *expected, &name);
        }
    }
    assert_close(run.history()["loss"][0], 1.472_595_114_622, "the loss of the epoch");

    // Forward again:
    //   z₁ = (0.739346974728, 0.288681368774), h = (0.676853041089, 0.571673279571)
    //   z₂ = 0.031820302579 + 0.088054367085 + 0.923454797809 = 1.043329467674
    //   p  = 0.739491918049
    let p = run.network().predict(x.view()).unwrap()[[0, 0]];
    assert_close(p, 0.739_491_918_049, "p after the step");
}

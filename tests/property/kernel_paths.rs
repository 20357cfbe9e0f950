//! Every instruction set gives the same bytes of a whole fit, and these bytes do not change unseen.

use linfa_mlp::Float;
use linfa_mlp::kernel::{Path, with_path};
use linfa_mlp::train::{Run, Until};
use proptest::prelude::*;

use crate::setting::{Setting, Task, activations, cases, optimizers, settings};

fn trained<F: Float>(setting: &Setting) -> Run<F> {
    let arrays = setting.arrays::<F>();
    let mut run = Run::<F>::new(setting.plan(), setting.n_features).expect("a legal plan");
    run.advance(&arrays.data(setting.n_training), Until::epochs(3)).expect("trains");
    run
}

fn bytes_on<F: Float>(path: Path, setting: &Setting) -> Vec<u8> {
    with_path(path, || trained::<F>(setting).to_bytes().expect("can be written"))
}

/// Those activations in one network, with dropout, penalties, weights and validation.
fn stacked(activations: impl IntoIterator<Item = usize>, seed: u64) -> Setting {
    let layer = |(i, place): (usize, usize)| (5 + i % 4 * 3, place, (i % 3 == 0).then_some(0.2));
    Setting {
        hidden: activations.into_iter().enumerate().map(layer).collect(),
        task: Task::Classes(3),
        optimizer: "adam".parse().expect("known"),
        penalty: true,
        n_features: 5,
        n_training: 37,
        n_validation: 11,
        batch_size: 16,
        shuffle: true,
        weighted: true,
        early_stopping: false,
        seed,
    }
}

#[test]
fn every_path_gives_the_bytes_of_the_portable_one() {
    for path in Path::available() {
        for (i, optimizer) in optimizers().into_iter().enumerate() {
            let setting = Setting { optimizer, ..stacked(0..activations().len(), i as u64) };
            assert!(bytes_on::<f32>(path, &setting) == bytes_on::<f32>(Path::Portable, &setting), "{path:?}");
            assert!(bytes_on::<f64>(path, &setting) == bytes_on::<f64>(Path::Portable, &setting), "{path:?}");
        }
    }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn every_path_gives_the_same_bytes_of_random_fits(setting in settings()) {
        for path in Path::available() {
            prop_assert!(bytes_on::<f32>(path, &setting) == bytes_on::<f32>(Path::Portable, &setting), "{:?}", path);
            prop_assert!(bytes_on::<f64>(path, &setting) == bytes_on::<f64>(Path::Portable, &setting), "{:?}", path);
        }
    }
}

/// FNV-1a of the weights, as the little-endian bits of `f64`: whatever layout and file format do, it stays.
fn fingerprint<F: Float>(run: &Run<F>) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for (name, tensor) in run.network().tensors() {
        let values = tensor.iter().flat_map(|value| value.wide().to_bits().to_le_bytes());
        for byte in name.bytes().chain(values) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }
    hash
}

/// A network of the activations there were when the numbers below were taken: a new one does not change them.
fn known() -> Setting {
    let names = [
        "linear",
        "relu",
        "leaky_relu",
        "elu",
        "selu",
        "gelu",
        "silu",
        "softplus",
        "softsign",
        "sigmoid",
        "hard_sigmoid",
        "tanh",
        "softmax",
        "exponential",
    ];
    let activations = activations();
    let place =
        |name| activations.iter().position(|activation| activation.name() == name).expect("it has not gone");
    stacked(names.map(place), 42)
}

// A change of these numbers is a change of every result of every user: it belongs under "Numerics" in the changelog.
const FINGERPRINT_F32: u64 = 0x558f_110e_9cb1_e607;
const FINGERPRINT_F64: u64 = 0x7360_f584_9060_9286;

#[test]
fn a_fit_gives_the_numbers_it_always_gave() {
    let seen = (fingerprint(&trained::<f32>(&known())), fingerprint(&trained::<f64>(&known())));
    assert_eq!(seen, (FINGERPRINT_F32, FINGERPRINT_F64), "{:#x} {:#x}", seen.0, seen.1);
}

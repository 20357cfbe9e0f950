//! Sample weights: 2 is the row twice, 0 the row absent, 1 no weight at all.

use linfa_mlp::Float;
use linfa_mlp::train::{Data, Run, Until, evaluate};
use ndarray::{Array1, Axis, concatenate, s};
use proptest::prelude::*;

use crate::setting::{Arrays, Setting, cases, settings};

/// Without dropout, whose masks belong to places in the batch, and without rows beside those to train on.
fn plain(setting: Setting) -> Setting {
    let hidden = setting.hidden.iter().map(|&(units, activation, _)| (units, activation, None)).collect();
    Setting { hidden, n_validation: 0, weighted: false, early_stopping: false, shuffle: false, ..setting }
}

fn trained<F: Float>(setting: &Setting, arrays: &Arrays<F>, batch_size: usize, epochs: usize) -> Run<F> {
    let mut plan = setting.plan();
    plan.batch_size = batch_size;
    let mut run = Run::new(plan, setting.n_features).expect("a legal plan");
    let data = Data { training: arrays.rows(), validation: Some(arrays.rows()) };
    run.advance(&data, Until::epochs(epochs)).expect("trains");
    run
}

fn weights_of<F: Float>(run: &Run<F>) -> Vec<F> {
    run.network().tensors().flat_map(|(_, tensor)| tensor.iter().copied().collect::<Vec<_>>()).collect()
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn a_weight_of_2_is_the_row_twice(setting in settings(), double in any::<u64>()) {
        let setting = plain(setting);
        let arrays = setting.arrays::<f64>();
        let n = setting.n_rows();
        let twice: Vec<usize> = (0..n).filter(|row| (double >> (row % 64)) & 1 == 1).collect();
        let mut weights = Array1::ones(n);
        twice.iter().for_each(|&row| weights[row] = 2.0);
        let heavy = Arrays { weights: Some(weights), ..arrays.clone() };
        let repeated = Arrays {
            x: concatenate(Axis(0), &[arrays.x.view(), arrays.x.select(Axis(0), &twice).view()]).unwrap(),
            y: concatenate(Axis(0), &[arrays.y.view(), arrays.y.select(Axis(0), &twice).view()]).unwrap(),
            weights: None,
        };
        // One step: the gradients are sums of the same terms in another order. Adaptive rules divide by the size of the
        // gradient, so that one that is nothing but rounding may point anywhere: the loss is compared instead.
        let (heavy_run, repeated_run) = (trained(&setting, &heavy, 1000, 1), trained(&setting, &repeated, 1000, 1));
        for name in heavy_run.history().names() {
            if name.starts_with("val_") { continue; }
            let (a, b) = (heavy_run.history().last(name).unwrap(), repeated_run.history().last(name).unwrap());
            prop_assert!((a - b).abs() <= 1e-9 * (1.0 + b.abs()) || (a.is_nan() && b.is_nan()), "{}: {} {}", name, a, b);
        }
        let sgd = Setting { optimizer: "sgd".parse().unwrap(), ..setting };
        let (a, b) = (trained(&sgd, &heavy, 1000, 3), trained(&sgd, &repeated, 1000, 3));
        for (a, b) in weights_of(&a).iter().zip(weights_of(&b)) {
            prop_assert!((a - b).abs() <= 1e-9 * (1.0 + b.abs()), "{} {}", a, b);
        }
    }

    #[test]
    fn a_weight_of_0_is_the_row_absent_to_the_bit(setting in settings(), absent in 1..30_usize) {
        // At the end of the only batch, where what is left keeps its places.
        let setting = plain(setting);
        let present = setting.arrays::<f32>();
        let more = Setting { n_training: setting.n_training + absent, ..setting.clone() }.arrays::<f32>();
        let mut weights = Array1::ones(setting.n_training + absent);
        weights.slice_mut(s![setting.n_training..]).fill(0.0);
        let zero = Arrays { weights: Some(weights), ..more };
        let present = Arrays {
            x: zero.x.slice(s![..setting.n_training, ..]).to_owned(),
            y: zero.y.slice(s![..setting.n_training, ..]).to_owned(),
            weights: present.weights,
        };
        let (zero, present) = (trained(&setting, &zero, 1000, 4), trained(&setting, &present, 1000, 4));
        prop_assert_eq!(weights_of(&zero), weights_of(&present));
        prop_assert_eq!(zero.history()["loss"].to_vec(), present.history()["loss"].to_vec());
        prop_assert_eq!(zero.history()["val_loss"].to_vec(), present.history()["val_loss"].to_vec());
    }

    #[test]
    fn weights_of_1_are_none(setting in settings()) {
        let arrays = Setting { weighted: false, ..setting.clone() }.arrays::<f32>();
        let ones = Arrays { weights: Some(Array1::ones(setting.n_rows())), ..arrays.clone() };
        let fit = |arrays: &Arrays<f32>| {
            let mut run = Run::new(setting.plan(), setting.n_features).expect("a legal plan");
            run.advance(&arrays.data(setting.n_training), Until::epochs(4)).expect("trains");
            let scores = evaluate(&run.result(), run.plan(), &arrays.rows()).expect("can be evaluated");
            (run.to_bytes().expect("can be written"), format!("{scores:?}"))
        };
        prop_assert!(fit(&arrays) == fit(&ones));
    }

    #[test]
    fn a_common_factor_of_all_weights_cancels(setting in settings()) {
        // A power of two, so that nothing is rounded.
        let setting = Setting { weighted: true, ..setting };
        let arrays = setting.arrays::<f64>();
        prop_assume!(arrays.weights.as_ref().is_none_or(|w| w.slice(s![..setting.n_training]).sum() > 0.0));
        let four = Arrays { weights: arrays.weights.as_ref().map(|weights| weights * 4.0), ..arrays.clone() };
        let fit = |arrays: &Arrays<f64>| {
            let mut run = Run::new(setting.plan(), setting.n_features).expect("a legal plan");
            run.advance(&arrays.data(setting.n_training), Until::epochs(4)).expect("trains");
            weights_of(&run)
        };
        prop_assert_eq!(fit(&arrays), fit(&four));
    }
}

//! The minimum that SciPy's L-BFGS-B finds.

use linfa_mlp::loss::SparseCategoricalCrossEntropy;
use linfa_mlp::network::{L2, Softmax};
use linfa_mlp::optimizer::Lbfgs;
use linfa_mlp::prelude::*;
use linfa_mlp::train::{Data, Plan, Rows, Run, Until};
use ndarray::Array2;

use crate::fixture::{Comparison, list, matrix, number, numbers, read, text};

#[test]
fn strictly_convex_losses_end_where_scipy_ends() {
    let fixture = read("lbfgs.json");
    let mut comparison = Comparison::default();
    for case in list(&fixture, "cases") {
        let name = text(case, "case");
        let x: Array2<f64> = matrix(&case["x"]);
        let y = Array2::from_shape_vec((x.nrows(), 1), numbers::<f64>(&case["y"])).expect("a column");
        let penalty = L2::new(number(case, "alpha"));
        let layer = |units| Dense::new(units).kernel_regularizer(penalty).bias_regularizer(penalty);
        let (layer, loss) = match name {
            "softmax" => (layer(3).activation(Softmax), SparseCategoricalCrossEntropy.into()),
            "squared" => (layer(1), MeanSquaredError.into()),
            unknown => panic!("the fixture has a case nobody compares: {unknown}"),
        };
        let plan = Plan {
            network: Sequential::new().add(layer),
            loss,
            optimizer: Lbfgs::default().gradient_tolerance(1e-9).loss_tolerance(0.0).into(),
            metrics: vec![],
            batch_size: usize::MAX,
            shuffle: true,
            seed: 1,
            callbacks: vec![],
        };
        let mut run = Run::new(plan, x.ncols()).expect("a run");
        let data = Data { training: Rows::new(x.view(), y.view()).expect("rows"), validation: None };
        run.advance(&data, Until::epochs(1000)).expect("it trains");
        let loss = run.history().last("loss").expect("an epoch");
        // What the curvature leaves of the gradients at both ends; the loss feels its square.
        comparison.close(loss, number(case, "loss"), 1e-12, || format!("{name}: loss"));
        let found: Vec<f64> = run
            .result()
            .tensors()
            .flat_map(|(_, values)| values.iter().copied().collect::<Vec<_>>())
            .collect();
        comparison.all_close(&found, &case["weights"], 1e-6, name);
        let (ours, theirs) = (run.steps() as f64, number(case, "iterations"));
        assert!(ours < 2.0 * theirs + 10.0, "{name}: {ours} iterations where SciPy needs {theirs}");
    }
    comparison.assert(20);
}

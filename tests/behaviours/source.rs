//! Rows that are read when they are needed.

use std::error::Error as StdError;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use linfa_mlp::callback::{Backup, EarlyStopping, ValLoss};
use linfa_mlp::estimator::{MlpClassifierParams, MlpRegressorParams};
use linfa_mlp::prelude::*;
use linfa_mlp::train::{ClassWeight, Data, Plan, RowSource, Rows, Run, Until, Validation};
use linfa_mlp::{Error, Float};
use ndarray::{Array1, Array2, Axis};

use crate::data::{bits, classifier, clouds};

/// Arrays that are read as a file would be; at most `most` rows at once have been asked for.
#[derive(Debug)]
struct Table<F> {
    x: Array2<F>,
    y: Array2<F>,
    most: AtomicUsize,
    /// A row that cannot be read.
    broken: Option<usize>,
}

impl<F: Float> Table<F> {
    fn of(x: &Array2<f64>, y: &Array2<f64>) -> Self {
        Table { x: x.mapv(F::of), y: y.mapv(F::of), most: AtomicUsize::new(0), broken: None }
    }
}

impl<F: Float> RowSource<F> for Table<F> {
    fn n_samples(&self) -> usize {
        self.x.nrows()
    }

    fn n_features(&self) -> usize {
        self.x.ncols()
    }

    fn target_width(&self) -> usize {
        self.y.ncols()
    }

    fn read(&self, rows: &[usize], x: &mut [F], y: &mut [F]) -> Result<(), Box<dyn StdError + Send + Sync>> {
        self.most.fetch_max(rows.len(), Relaxed);
        let (width, target_width) = (self.x.ncols(), self.y.ncols());
        for (place, &row) in rows.iter().enumerate() {
            if self.broken == Some(row) {
                return Err(format!("record {row} is damaged").into());
            }
            for column in 0..width {
                x[place * width + column] = self.x[[row, column]];
            }
            for column in 0..target_width {
                y[place * target_width + column] = self.y[[row, column]];
            }
        }
        Ok(())
    }

    fn fingerprint(&self) -> u64 {
        self.x.iter().fold(0, |print, value| print ^ value.wide().to_bits().rotate_left(7))
    }
}

fn table(n: usize) -> (Array2<f64>, Array2<f64>) {
    let data = clouds(n);
    (data.records, data.targets.mapv(|class| class as f64).insert_axis(Axis(1)))
}

fn plan() -> Plan {
    Plan {
        network: Sequential::new()
            .add(Dense::new(7).activation(Relu))
            .add(Dropout::new(0.2))
            .add(Dense::new(3).activation(Softmax)),
        loss: SparseCategoricalCrossEntropy.into(),
        optimizer: Adam::new(0.02).into(),
        metrics: vec![Accuracy.into()],
        batch_size: 10,
        shuffle: true,
        seed: 3,
        callbacks: vec![EarlyStopping::on(ValLoss).patience(3).restore_best_weights().into()],
    }
}

/// The bytes of a run over some of these rows, paused, saved and loaded on the way or not.
fn bytes<F: Float>(rows: &Rows<'_, F>, class_weights: &[f64], pause: bool) -> Vec<u8> {
    let (held_out, rest): (Vec<usize>, Vec<usize>) = (0..70).partition(|row| row % 5 == 0);
    let mut data = Data::divide(rows, rest, held_out).unwrap();
    data.training = data.training.with_class_weights(class_weights).unwrap();
    let mut run = Run::<F>::new(plan(), 3).unwrap();
    if pause {
        run.advance(&data, Until::epochs(12).steps(13)).unwrap();
        run = Run::from_bytes(&run.to_bytes().unwrap()).unwrap();
    }
    run.advance(&data, Until::epochs(12)).unwrap();
    run.to_bytes().unwrap()
}

#[test]
fn the_same_data_give_the_same_bytes_as_arrays_and_as_a_source() {
    fn check<F: Float>() {
        let (x, y) = table(70);
        let source = Table::<F>::of(&x, &y);
        let weights = Array1::from_shape_fn(70, |row| (row % 4) as f32);
        let arrays = Rows::new(source.x.view(), source.y.view()).unwrap();
        let read = Rows::from_source(&source).unwrap();
        let straight = bytes(&arrays, &[], false);
        assert_eq!(bytes(&read, &[], false), straight);
        assert_eq!(bytes(&read, &[], true), straight);
        let arrays = arrays.with_weights(weights.view()).unwrap();
        let read = read.with_weights(weights.view()).unwrap();
        for class_weights in [[1.0, 2.5], [0.0, 1.0]] {
            let straight = bytes(&arrays, &class_weights, false);
            assert_eq!(bytes(&read, &class_weights, false), straight);
            assert_eq!(bytes(&read, &class_weights, true), straight);
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn estimators_and_models_take_a_source_with_every_kind_of_validation() {
    let (x, y) = table(60);
    let source = Table::<f64>::of(&x, &y);
    let data = Data::from(Rows::from_source(&source).unwrap());
    for validation in [
        Validation::none(),
        Validation::last(0.2),
        Validation::random(0.2),
        Validation::stratified(0.2),
        Validation::rows([3, 50]),
    ] {
        let params: MlpClassifierParams =
            classifier().validation(validation.clone()).class_weight(ClassWeight::Balanced);
        let read = params.fit_data(None, &data, &[0, 1, 2]).unwrap();
        let fitted = linfa::prelude::Fit::fit(&params, &clouds(60)).unwrap();
        assert_eq!(read.to_bytes().unwrap(), fitted.to_bytes().unwrap(), "{validation}");

        let regressor: MlpRegressorParams =
            MlpRegressor::params().hidden_layer_sizes([4]).epochs(3).validation(validation);
        let read = regressor.fit_data(None, &data).unwrap();
        let arrays = regressor.fit_data(None, &Rows::new(x.view(), y.view()).unwrap().into()).unwrap();
        assert_eq!(read.to_bytes().unwrap(), arrays.to_bytes().unwrap());
        let more = regressor.clone().epochs(5).fit_data(Some(read), &data).unwrap();
        let straight = regressor.epochs(5).fit_data(None, &data).unwrap();
        assert_eq!(more.to_bytes().unwrap(), straight.to_bytes().unwrap());
    }
    assert!(source.most.load(Relaxed) <= 256, "{}", source.most.load(Relaxed));
    let order = classifier().fit_data(None, &data, &[1, 0, 2]).unwrap_err();
    assert_eq!(order.to_string(), "classes must be in ascending order, each once, but is 1, 0, 2");
    let few = classifier().fit_data(None, &data, &[0, 1]).unwrap_err();
    assert!(matches!(few, Error::TargetRange { row: 2, .. } | Error::TargetRange { .. }), "{few}");
}

#[test]
fn a_value_is_checked_when_it_is_read_and_named_by_its_row() {
    let (x, y) = table(40);
    let fit = |source: &Table<f64>, validation: f64| {
        let mut model = Sequential::new()
            .add(Dense::new(3).activation(Softmax))
            .compile(3, Adam::new(0.1), SparseCategoricalCrossEntropy, ())
            .unwrap();
        let training = Training::epochs(3).validation_split(validation);
        let rows = Rows::from_source(source).unwrap();
        model.fit_data(&rows.into(), &training).map(drop).expect_err("refused")
    };
    // Row 37 is among the last: it is trained on in the first call and validated on in the second.
    for validation in [0.0, 0.25] {
        let mut source = Table::of(&x, &y);
        source.x[[37, 1]] = f64::NEG_INFINITY;
        assert!(matches!(
            fit(&source, validation),
            Error::NotFinite { array: "x", row: 37, column: 1, value } if value == f64::NEG_INFINITY
        ));
        let mut source = Table::of(&x, &y);
        source.y[[37, 0]] = 3.0;
        assert!(matches!(fit(&source, validation), Error::TargetRange { row: 37, column: 0, .. }));
        let mut source = Table::of(&x, &y);
        source.broken = Some(37);
        let error = fit(&source, validation);
        assert_eq!(error.to_string(), "rows cannot be read: record 37 is damaged");
        assert!(matches!(error, Error::RowSource { .. }));
    }
    let wide = Table::<f64>::of(&Array2::zeros((4, 0)), &y);
    assert!(matches!(Rows::from_source(&wide), Err(Error::NoColumns { array: "x" })));
    let empty = Table::<f64>::of(&Array2::zeros((0, 3)), &Array2::zeros((0, 1)));
    assert!(matches!(Rows::from_source(&empty), Err(Error::NoRows { array: "x" })));
}

/// A source that forgets to write.
#[derive(Debug)]
struct Forgetful;

impl RowSource<f32> for Forgetful {
    fn n_samples(&self) -> usize {
        5
    }

    fn n_features(&self) -> usize {
        2
    }

    fn target_width(&self) -> usize {
        1
    }

    fn read(
        &self,
        rows: &[usize],
        x: &mut [f32],
        y: &mut [f32],
    ) -> Result<(), Box<dyn StdError + Send + Sync>> {
        x[..2 * rows.len() - 1].fill(1.0);
        y.fill(0.0);
        Ok(())
    }
}

#[test]
fn a_value_that_is_not_written_is_no_value_of_the_batch_before() {
    let rows = Rows::from_source(&Forgetful).unwrap();
    let error = MlpRegressor::params().shuffle(false).fit_data(None, &rows.into()).unwrap_err();
    assert!(matches!(error, Error::NotFinite { array: "x", row: 4, column: 1, .. }), "{error}");
}

fn divided(source: &Table<f64>) -> Data<'_, f64> {
    let (rest, held_out): (Vec<usize>, Vec<usize>) = (0..50).partition(|row| *row < 40);
    Data::divide(&Rows::from_source(source).unwrap(), rest, held_out).unwrap()
}

#[test]
fn a_run_that_a_source_has_failed_goes_on_as_if_nothing_had_happened() {
    let (x, y) = table(50);
    for broken in [8, 45] {
        let mut source = Table::<f64>::of(&x, &y);
        let mut straight = Run::<f64>::new(plan(), 3).unwrap();
        straight.advance(&divided(&source), Until::epochs(4)).unwrap();

        source.broken = Some(broken);
        let mut run = Run::<f64>::new(plan(), 3).unwrap();
        assert!(matches!(run.advance(&divided(&source), Until::epochs(4)), Err(Error::RowSource { .. })));
        source.broken = None;
        let mut run = Run::from_bytes(&run.to_bytes().unwrap()).unwrap();
        run.advance(&divided(&source), Until::epochs(4)).unwrap();
        assert_eq!(run.to_bytes().unwrap(), straight.to_bytes().unwrap(), "row {broken}");
    }
}

#[test]
fn a_backup_of_a_fit_from_a_source_is_resumed_over_the_same_data_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (x, y) = table(40);
    let backup = Backup::to(folder.path()).every_batches(1);
    let plan = Plan { callbacks: vec![backup.into()], ..plan() };
    let source = Table::<f64>::of(&x, &y);
    let data = Data::from(Rows::from_source(&source).unwrap());
    let mut killed = Run::<f64>::new(plan.clone(), 3).unwrap();
    killed.advance(&data, Until::epochs(5).steps(9)).unwrap();
    drop(killed);

    // Other data begin anew.
    let other = Table::<f64>::of(&x.mapv(|x| x + 1.0), &y);
    let mut anew = Run::<f64>::new(plan.clone(), 3).unwrap();
    anew.advance(&Rows::from_source(&other).unwrap().into(), Until::epochs(1)).unwrap();
    assert_eq!(anew.steps(), 4);

    let mut resumed = Run::<f64>::new(plan.clone(), 3).unwrap();
    resumed.advance(&data, Until::epochs(5).steps(10)).unwrap();
    assert_eq!(resumed.steps(), 10, "nine steps were restored, and one was made");
    resumed.advance(&data, Until::epochs(5)).unwrap();
    let mut straight = Run::<f64>::new(Plan { callbacks: vec![], ..plan }, 3).unwrap();
    straight.advance(&data, Until::epochs(5)).unwrap();
    assert_eq!(bits(resumed.network()), bits(straight.network()));
}

//! The same bytes for any number of threads, any order of tasks, any layout in memory and any split of the rows.

use linfa::prelude::*;
use linfa::{Dataset, DatasetBase};
use linfa_mlp::train::{Data, Rows, Run, Until};
use linfa_mlp::{Float, MlpClassifier, MlpRegressor};
use ndarray::{Array1, Array2, ArrayView2, Axis, CowArray, Ix2, ShapeBuilder, s};
use proptest::collection::vec;
use proptest::prelude::*;
use rayon::prelude::*;

use crate::setting::{Arrays, Setting, cases, settings};

fn bytes<F: Float>(setting: &Setting, data: &Data<'_, F>) -> Vec<u8> {
    let mut run = Run::<F>::new(setting.plan(), setting.n_features).expect("a legal plan");
    run.advance(data, Until::epochs(3)).expect("trains");
    run.to_bytes().expect("can be written")
}

fn pool(n_threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().expect("threads")
}

/// A name, an array, and the view of it that shows the values.
type Layout<F> = (&'static str, Array2<F>, fn(&Array2<F>) -> ArrayView2<'_, F>);

/// Views of the same values with other layouts: columns first, every second row and column, rows and columns backwards.
fn layouts<F: Float>(values: &Array2<F>) -> Vec<Layout<F>> {
    let (n, m) = values.dim();
    let mut columns_first = Array2::zeros((n, m).f());
    columns_first.assign(values);
    let mut sparse = Array2::from_elem((2 * n, 3 * m), F::nan());
    sparse.slice_mut(s![..;2, ..;3]).assign(values);
    // `to_owned` would keep the strides, and the view of it be the values as they were.
    let backwards = values.slice(s![..;-1, ..;-1]).as_standard_layout().into_owned();
    let transposed = values.t().as_standard_layout().into_owned();
    vec![
        ("columns first", columns_first, |a| a.view()),
        ("transposed", transposed, |a| a.t()),
        ("strided", sparse, |a| a.slice(s![..;2, ..;3])),
        ("backwards", backwards, |a| a.slice(s![..;-1, ..;-1])),
    ]
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn fits_give_the_same_bytes_in_pools_of_any_size(cases in vec(settings(), 3..6)) {
        let arrays: Vec<Arrays<f32>> = cases.iter().map(Setting::arrays).collect();
        let fit = |(setting, arrays): (&Setting, &Arrays<f32>)| bytes(setting, &arrays.data(setting.n_training));
        let one_after_another: Vec<_> = cases.iter().zip(&arrays).map(fit).collect();
        for n_threads in [1, 2, 3, 8] {
            let at_once: Vec<_> =
                pool(n_threads).install(|| cases.par_iter().zip(&arrays).map(fit).collect());
            prop_assert!(at_once == one_after_another, "{n_threads} threads");
        }
    }

    #[test]
    fn an_index_list_equals_a_copy_of_its_rows(
        setting in settings(), picks in vec(any::<prop::sample::Index>(), 1..40),
    ) {
        let arrays = setting.arrays::<f64>();
        let index: Vec<usize> = picks.iter().map(|pick| pick.index(setting.n_rows())).collect();
        let copy = Arrays {
            x: arrays.x.select(Axis(0), &index),
            y: arrays.y.select(Axis(0), &index),
            weights: arrays.weights.as_ref().map(|weights| weights.select(Axis(0), &index)),
        };
        // Rows that all have weight 0 cannot be learned from.
        prop_assume!(copy.weights.as_ref().is_none_or(|weights| weights.sum() > 0.0));
        let half = index.len() / 2;
        let setting = Setting { n_validation: if half > 0 { 1 } else { 0 }, ..setting };
        let positive = |range: std::ops::Range<usize>| {
            copy.weights.as_ref().is_none_or(|weights| weights.slice(s![range]).sum() > 0.0)
        };
        prop_assume!(half == 0 || (positive(0..half) && positive(half..index.len())));
        let by_index = Data {
            training: arrays.rows().select(&index[half..]).unwrap(),
            validation: (half > 0).then(|| arrays.rows().select(&index[..half]).unwrap()),
        };
        let gather = |places: std::ops::Range<usize>| -> Vec<usize> { places.collect() };
        let by_copy = Data {
            training: copy.rows().select(gather(half..index.len())).unwrap(),
            validation: (half > 0).then(|| copy.rows().select(gather(0..half)).unwrap()),
        };
        prop_assert!(bytes(&setting, &by_index) == bytes(&setting, &by_copy));
        // And a selection of a selection names rows of the data set, not places in the list.
        let again = arrays.rows().select(&index[..]).unwrap().select(vec![0]).unwrap();
        prop_assert_eq!(again.len(), 1);
    }

    #[test]
    fn the_layout_of_the_arrays_decides_no_bit(setting in settings()) {
        let setting = Setting { n_validation: 0, early_stopping: false, weighted: false, ..setting };
        let arrays = setting.arrays::<f32>();
        let expected = bytes(&setting, &arrays.data(setting.n_training));
        let mut run = Run::<f32>::new(setting.plan(), setting.n_features).unwrap();
        run.advance(&arrays.data(setting.n_training), Until::epochs(3)).unwrap();
        let outputs = run.network().predict(arrays.x.view()).unwrap();
        for (name, x, view_x) in layouts(&arrays.x) {
            for (_, y, view_y) in layouts(&arrays.y) {
                let training = Rows::new(view_x(&x), view_y(&y)).unwrap();
                let data = Data { training: training.select((0..setting.n_training).collect::<Vec<_>>()).unwrap(), validation: None };
                prop_assert!(bytes(&setting, &data) == expected, "{}", name);
                let data = Data { training, validation: None };
                prop_assert!(bytes(&setting, &data) == expected, "{} without a list", name);
            }
            prop_assert_eq!(run.network().predict(view_x(&x)).unwrap(), outputs.view(), "{}", name);
        }
    }

    #[test]
    fn predictions_keep_the_order_of_the_rows_and_do_not_depend_on_how_they_are_split(
        setting in settings(), n_rows in 1..700_usize, cuts in vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let network = setting.plan().network.build::<f32>(setting.n_features, setting.seed).unwrap();
        let x = Setting { n_training: n_rows, n_validation: 0, ..setting }.arrays::<f32>().x;
        let together = network.predict(x.view()).unwrap();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(n_rows)).collect();
        cuts.extend([0, n_rows]);
        cuts.sort_unstable();
        for pair in cuts.windows(2) {
            let part = network.predict(x.slice(s![pair[0]..pair[1], ..])).unwrap();
            prop_assert_eq!(part, together.slice(s![pair[0]..pair[1], ..]));
        }
        let backwards = network.predict(x.slice(s![..;-1, ..])).unwrap();
        prop_assert_eq!(backwards, together.slice(s![..;-1, ..]));
    }
}

/// Three interleaved classes of 60 rows.
fn flowers() -> Dataset<f64, usize, ndarray::Ix1> {
    let x =
        Array2::from_shape_fn((60, 3), |(i, j)| (i % 3) as f64 * 0.7 + ((i * 7 + j * 3) % 11) as f64 * 0.1);
    Dataset::new(x, Array1::from_shape_fn(60, |i| i % 3))
}

#[test]
fn eight_fits_at_once_from_one_value_of_params_equal_one() {
    let params = MlpClassifier::params().hidden_layer_sizes([8, 8]).batch_size(7).epochs(5).seed(3);
    let dataset = flowers();
    let alone = params.fit(&dataset).unwrap().to_bytes().unwrap();
    let before = params.clone();
    for n_threads in [1, 2, 3, 8] {
        let fits: Vec<Vec<u8>> = pool(n_threads).install(|| {
            (0..8).into_par_iter().map(|_| params.fit(&dataset).unwrap().to_bytes().unwrap()).collect()
        });
        assert!(fits.iter().all(|bytes| *bytes == alone), "{n_threads} threads");
    }
    assert_eq!(params, before);
}

#[test]
fn estimators_take_arrays_of_any_layout() {
    let dataset = flowers();
    let x = dataset.records();
    let y = Array1::from_shape_fn(60, |i| (i % 3) as f64);
    let params = MlpRegressor::params().hidden_layer_sizes([6]).batch_size(8).epochs(3);
    let expected = params.fit(&DatasetBase::new(x.clone(), y.clone())).unwrap();
    let same = |model: &MlpRegressor| assert_eq!(model.to_bytes().unwrap(), expected.to_bytes().unwrap());
    let truth = expected.predict(x);

    for (name, other, view) in layouts(x) {
        let model = params.fit(&DatasetBase::new(view(&other), y.view())).unwrap();
        same(&model);
        assert_eq!(model.predict(&view(&other)), truth, "{name}");
        let score = model.score(&DatasetBase::new(view(&other), y.view())).unwrap();
        let expected = expected.score(&DatasetBase::new(x.clone(), y.clone())).unwrap();
        assert_eq!(score.to_bits(), expected.to_bits(), "{name}");
    }
    let borrowed: CowArray<'_, f64, Ix2> = x.view().into();
    let owned: CowArray<'_, f64, Ix2> = x.clone().into();
    same(&params.fit(&DatasetBase::new(borrowed.view(), y.view())).unwrap());
    same(&params.fit(&DatasetBase::new(borrowed, y.clone())).unwrap());
    same(&params.fit(&DatasetBase::new(owned, y.clone())).unwrap());
    same(&params.fit(&DatasetBase::new(x.clone().into_shared(), y.clone().into_shared())).unwrap());
    let every_second = Array1::from_shape_fn(120, |i| if i % 2 == 0 { y[i / 2] } else { f64::NAN });
    same(&params.fit(&DatasetBase::new(x.view(), every_second.slice(s![..;2]))).unwrap());
}

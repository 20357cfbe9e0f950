//! The data sets of the crate are the published ones, and splits are those of Keras.

// The values are read from the same digits: they are equal or wrong.
#![allow(clippy::float_cmp)]

use std::path::{Path, PathBuf};

use linfa_mlp::Error;
use linfa_mlp::datasets::{
    BostonHousing, MinMax, Source, TrainTest, boston_housing, boston_housing_raw, digits, numpy_shuffle,
};
use ndarray::{Axis, array};

/// Means of the 13 columns and of the target as published with the data set, rounded to six places.
const MEANS: [f64; 14] = [
    3.613524, 11.363636, 11.136779, 0.069170, 0.554695, 6.284634, 68.574901, 3.795043, 9.549407, 408.237154,
    18.455534, 356.674032, 12.653063, 22.532806,
];

/// The folder that `LINFA_MLP_DATA` names, if it has that file.
fn data_folder(file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("LINFA_MLP_DATA").map(PathBuf::from);
    let found = folder.filter(|folder| folder.join(file).is_file());
    if found.is_none() {
        eprintln!("SKIPPED: LINFA_MLP_DATA names no folder with {file}");
    }
    found
}

#[test]
fn shuffles_are_those_of_numpy() {
    let fixture: serde_json::Value = serde_json::from_str(include_str!("fixtures/numpy_split.json")).unwrap();
    let shuffles = fixture["shuffles"].as_array().unwrap();
    assert_eq!(shuffles.len(), 6);
    for shuffle in shuffles {
        let (seed, n) = (shuffle["seed"].as_u64().unwrap(), shuffle["n"].as_u64().unwrap());
        let rows: Vec<usize> =
            shuffle["rows"].as_array().unwrap().iter().map(|row| row.as_u64().unwrap() as usize).collect();
        assert_eq!(numpy_shuffle(seed as u32, n as usize), rows, "seed {seed}, {n} rows");
    }
}

#[test]
fn the_506_rows_have_the_published_means() {
    let boston = boston_housing_raw::<f64>();
    let mut means = boston.records.mean_axis(Axis(0)).unwrap().to_vec();
    means.push(boston.targets.mean().unwrap());
    for (column, (mean, expected)) in means.iter().zip(MEANS).enumerate() {
        assert!((mean - expected).abs() < 5.1e-7, "column {column}: {mean} is not {expected}");
    }
    assert_eq!((boston.records.dim(), boston.feature_names().len()), ((506, 13), 13));
    assert_eq!(
        (boston.feature_names()[12].as_str(), boston.target_names()),
        ("LSTAT", &["MEDV".to_owned()][..])
    );
}

#[test]
fn boston_housing_has_the_rows_of_keras_scaled_by_the_training_part() {
    let raw = TrainTest::keras_split(&boston_housing_raw::<f64>(), 0.2, 113).unwrap();
    // keras.datasets.boston_housing.load_data(): y_train[:5], y_test[:5], x_train[0].
    assert_eq!(raw.train.targets.iter().take(5).copied().collect::<Vec<_>>(), [15.2, 42.3, 50.0, 21.1, 17.7]);
    assert_eq!(raw.test.targets.iter().take(5).copied().collect::<Vec<_>>(), [7.2, 18.8, 19.0, 27.0, 22.2]);
    let first = [1.23247, 0.0, 8.14, 0.0, 0.538, 6.142, 91.7, 3.9769, 4.0, 307.0, 21.0, 396.9, 18.72];
    assert_eq!(raw.train.records.row(0).to_vec(), first);

    let boston = boston_housing::<f64>();
    assert_eq!((boston.train.records.dim(), boston.test.records.dim()), ((404, 13), (102, 13)));
    for column in boston.train.records.columns().into_iter().chain([boston.train.targets.view()]) {
        let ends = column.iter().fold((1.0_f64, 0.0_f64), |(low, high), &x| (low.min(x), high.max(x)));
        assert_eq!(ends, (0.0, 1.0));
    }
    // One test row has more crime than any training row, and is not cut off.
    let above =
        |data: &BostonHousing<f64>| data.test.records.iter().filter(|x| !(0.0..=1.0).contains(*x)).count();
    let scaling = MinMax::of_columns(&raw.train.records).unwrap();
    let scaled = scaling.scale(raw.test.records.clone()).unwrap();
    assert_eq!(boston.test.records, scaled);
    assert_eq!(above(&boston), scaled.iter().filter(|x| !(0.0..=1.0).contains(*x)).count());
    assert_eq!(boston.train.feature_names()[5], "RM");

    let dollars = boston.dollars(&boston.test.targets);
    for (dollars, thousands) in dollars.iter().zip(&raw.test.targets) {
        assert!((dollars - 1000.0 * thousands).abs() < 1e-9, "{dollars} {thousands}");
    }
    assert_eq!(boston.dollars(&array![0.0, 1.0]).to_vec(), [5_000.0, 50_000.0]);
    let back = boston.feature_scaling().restore(boston.train.records.clone()).unwrap();
    assert!((&back - &raw.train.records).iter().all(|difference| difference.abs() < 1e-12 * 711.0));
}

#[test]
fn single_precision_is_the_nearest_to_double() {
    let (single, double) = (boston_housing_raw::<f32>(), boston_housing_raw::<f64>());
    assert!(single.records.iter().zip(&double.records).all(|(&s, &d)| s == d as f32));
    assert_eq!(digits::<f32>().records.mapv(f64::from), digits::<f64>().records);
}

#[test]
fn boston_housing_equals_the_csv_when_the_data_folder_has_it() {
    let Some(folder) = data_folder("boston_housing/boston_housing.csv") else { return };
    let text = std::fs::read_to_string(folder.join("boston_housing/boston_housing.csv")).unwrap();
    let boston = boston_housing_raw::<f64>();
    let lines = text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    let mut rows = 0;
    for (row, line) in lines.enumerate() {
        let values: Vec<f64> =
            line.split(',').map(|cell| cell.trim().trim_matches('"').parse().expect("a number")).collect();
        assert_eq!(values[..13], boston.records.row(row).to_vec(), "row {row}");
        assert_eq!(values[13], boston.targets[row], "row {row}");
        rows += 1;
    }
    assert_eq!(rows, 506);
}

#[cfg(feature = "csv")]
#[test]
fn the_csv_reader_gives_the_embedded_table() {
    use linfa_mlp::datasets::Csv;
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/datasets/data/boston_housing.csv");
    let (read, embedded) = (Csv::file(table).regression::<f64>().unwrap(), boston_housing_raw::<f64>());
    assert_eq!((&read.records, &read.targets), (&embedded.records, &embedded.targets));
    assert_eq!(
        (read.feature_names(), read.target_names()),
        (embedded.feature_names(), embedded.target_names())
    );
}

#[cfg(feature = "gzip")]
#[test]
fn mnist_is_read_from_the_data_folder() {
    let Some(folder) = data_folder("mnist/train-images-idx3-ubyte.gz") else { return };
    let raw = Source::new().folder(&folder).offline().mnist_raw::<f32>().unwrap();
    assert_eq!((raw.train.records.dim(), raw.test.records.dim()), ((60_000, 784), (10_000, 784)));
    // Known of MNIST: its first labels, and mean and standard deviation of the training pixels.
    assert_eq!(
        raw.train.targets.iter().take(10).copied().collect::<Vec<_>>(),
        [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    );
    assert_eq!(raw.test.targets.iter().take(10).copied().collect::<Vec<_>>(), [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    let scaled = raw.scaled().unwrap();
    let n = scaled.train.records.len() as f64;
    let mean = scaled.train.records.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    let squares = scaled.train.records.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
    assert!((mean - 0.1307).abs() < 5e-5 && (squares.sqrt() - 0.3081).abs() < 5e-5, "{mean} {squares}");
    assert!(scaled.test.records.iter().all(|x| (0.0..=1.0).contains(x)));
    let one_hot = scaled.one_hot(10).unwrap();
    assert_eq!((one_hot.train.targets.dim(), one_hot.train.targets.sum()), ((60_000, 10), 60_000.0));
    assert_eq!(one_hot.test.targets[[0, 7]], 1.0);
}

#[test]
fn a_folder_without_the_files_is_named_in_the_error() {
    let folder = tempfile::tempdir().unwrap();
    let source = Source::new().folder(folder.path()).cache(folder.path().join("cache")).offline();
    let error = source.mnist::<f32>().unwrap_err();
    assert!(matches!(&error, Error::NoDataFile { data_set: "MNIST", .. }), "{error}");
    assert!(error.to_string().contains(&folder.path().join("mnist").display().to_string()), "{error}");
    // Half a file is an error of that file, not of the search.
    std::fs::write(folder.path().join("train-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 2, 1]).unwrap();
    let error = source.mnist::<f32>().unwrap_err();
    assert!(matches!(&error, Error::DataFile { kind: "IDX", .. }), "{error}");
}

#[test]
fn one_hot_refuses_labels_that_are_no_class() {
    let digits = TrainTest::keras_split(&digits::<f32>(), 0.2, 113).unwrap();
    assert!(matches!(digits.clone().one_hot(9), Err(Error::UnknownLabel { .. })));
    assert!(matches!(digits.clone().one_hot(0), Err(Error::NoColumns { array: "y" })));
    assert_eq!(digits.one_hot(12).unwrap().train.targets.ncols(), 12);
}

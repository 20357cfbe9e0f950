//! The embedded Boston Housing table is the published one.

// The values are read from the same digits: they are equal or wrong.
#![allow(clippy::float_cmp)]

#[path = "../examples/boston_housing/mod.rs"]
mod boston_housing;

/// Means of the 13 columns and of the target as published with the data set, rounded to six places.
const MEANS: [f64; 14] = [
    3.613524, 11.363636, 11.136779, 0.069170, 0.554695, 6.284634, 68.574901, 3.795043, 9.549407, 408.237154,
    18.455534, 356.674032, 12.653063, 22.532806,
];

#[test]
fn the_506_rows_have_the_published_means() {
    let boston = boston_housing::boston_housing();
    assert_eq!(boston.records.dim(), (506, 13));
    assert_eq!(boston.feature_names(), boston_housing::FEATURES);
    for (column, expected) in MEANS.iter().enumerate() {
        let total: f64 = match column {
            13 => boston.targets.iter().map(|&value| f64::from(value)).sum(),
            _ => boston.records.column(column).iter().map(|&value| f64::from(value)).sum(),
        };
        let mean = total / 506.0;
        // The table is in f32: about 7 digits of each value, and the mean of 506 is no worse.
        assert!(
            (mean - expected).abs() < 1e-6 * expected.max(1.0),
            "column {column}: {mean} is not {expected}"
        );
    }
}

#[test]
fn it_equals_the_csv_when_the_data_folder_has_it() {
    let Some(folder) = std::env::var_os("LINFA_MLP_DATA") else {
        eprintln!("SKIPPED: LINFA_MLP_DATA names no folder with boston_housing/boston_housing.csv");
        return;
    };
    let path = std::path::Path::new(&folder).join("boston_housing/boston_housing.csv");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: there is no {}", path.display());
        return;
    };
    let boston = boston_housing::boston_housing();
    let mut rows = 0;
    for (row, line) in text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).enumerate()
    {
        let values: Vec<f32> =
            line.split(',').map(|cell| cell.trim().trim_matches('"').parse().expect("a number")).collect();
        assert_eq!(values[..13], boston.records.row(row).to_vec(), "row {row}");
        assert_eq!(values[13], boston.targets[row], "row {row}");
        rows += 1;
    }
    assert_eq!(rows, 506);
}

//! The laws of the first weights: our draws against the formulas, and against the statistics of Keras' draws.

use linfa_mlp::network::initializer::{AnyInitializer, Initializers};
use linfa_mlp::part::names;
use linfa_mlp::rng::Stream;
use serde_json::Value;

use crate::fixture::{list, number, read, table, text};

/// Laws of the fixture that this crate does not have.
const NOT_HERE: &[&str] = &["TruncatedNormal"];

fn name(case: &Value) -> Option<&'static str> {
    Some(match text(case, "initializer") {
        "GlorotUniform" => "glorot_uniform",
        "GlorotNormal" => "glorot_normal",
        "HeUniform" => "he_uniform",
        "HeNormal" => "he_normal",
        "LecunUniform" => "lecun_uniform",
        "LecunNormal" => "lecun_normal",
        "RandomUniform" => "random_uniform",
        "RandomNormal" => "random_normal",
        "Orthogonal" => "orthogonal",
        "Zeros" => "zeros",
        "Ones" => "ones",
        "Constant" => "constant",
        other if NOT_HERE.contains(&other) => return None,
        unknown => panic!("the fixture has an initializer nobody compares: {unknown}"),
    })
}

/// A tensor of the fixture's shape for each case that is here.
fn draws(fixture: &Value) -> Vec<(&Value, Vec<f64>)> {
    let shape = table(&fixture["shape"]).0;
    let (rows, columns) = (shape[0] as usize, shape[1] as usize);
    let mut draws = Vec::new();
    for (i, case) in list(fixture, "initializers").iter().enumerate() {
        let Some(name) = name(case) else { continue };
        let initializer = AnyInitializer::build(name, case["arguments"].clone()).expect("the same settings");
        let mut values = vec![f64::NAN; rows * columns];
        initializer.ops::<f64>().fill(rows, columns, Stream::new(42).at(i as u64), &mut values);
        draws.push((case, values));
    }
    draws
}

#[test]
fn every_initializer_has_a_fixture() {
    let fixture = read("initializers.json");
    let mut there: Vec<_> = list(&fixture, "initializers").iter().filter_map(name).collect();
    there.dedup();
    assert_eq!(there, names::<Initializers>());
}

#[test]
fn draws_have_the_mean_and_spread_of_their_law() {
    let fixture = read("initializers.json");
    for (case, values) in draws(&fixture) {
        let what = format!("{} {}", text(case, "initializer"), case["arguments"]);
        let std = number(case, "std");
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let spread = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        if text(case, "distribution") == "constant" {
            let expected = number(&case["sample"], "mean");
            assert!(values.iter().all(|v| (v - expected).abs() <= 0.0), "{what}: {mean}, not {expected}");
            continue;
        }
        // Five standard errors of a mean, which one sample in two million leaves.
        assert!(mean.abs() <= 5.0 * std / n.sqrt(), "{what}: mean {mean}");
        // A standard deviation has the relative standard error 1/√(2n) = 0.3 %, or less: seven of them.
        assert!((spread / std - 1.0).abs() <= 0.02, "{what}: std {spread}, not {std}");
        // Two samples, each with the standard error 0.2 %, tell a uniform (57.7 %) from a cut normal (65 %) and that
        // from a whole one (68.3 %).
        let below = values.iter().filter(|v| v.abs() < std).count() as f64 / n;
        let keras = number(&case["sample"], "below_std");
        assert!((below - keras).abs() <= 0.014, "{what}: {below} below std, not {keras}");
        let furthest = values.iter().fold(0.0_f64, |furthest, v| furthest.max(v.abs()));
        match case["largest"].as_f64() {
            // An orthonormal column has no entry near 1: the limit is only never passed.
            Some(largest) => {
                assert!(furthest <= largest, "{what}: {furthest} beyond {largest}");
                let reached = furthest >= 0.99 * largest;
                assert!(
                    reached || text(case, "initializer") == "Orthogonal",
                    "{what}: {furthest}, {largest}"
                );
            }
            // 60000 normal draws reach 3.9 to 5.5 standard deviations, but for one sample in a thousand.
            None => assert!((3.9 * std..5.5 * std).contains(&furthest), "{what}: {furthest}"),
        }
    }
}

#[test]
fn columns_of_an_orthogonal_matrix_are_orthonormal() {
    let fixture = read("initializers.json");
    let shape = table(&fixture["shape"]).0;
    let (rows, columns) = (shape[0] as usize, shape[1] as usize);
    let mut seen = 0;
    for (case, values) in draws(&fixture) {
        let Some(gain) = case.get("gain").and_then(Value::as_f64) else { continue };
        seen += 1;
        for i in 0..columns {
            for j in 0..=i {
                let product: f64 =
                    (0..rows).map(|row| values[row * columns + i] * values[row * columns + j]).sum();
                let expected = if i == j { gain * gain } else { 0.0 };
                // Gram and Schmidt twice leave some units in the last place; Keras' sample is from f32.
                assert!((product - expected).abs() <= 1e-13, "columns {i} and {j}: {product}");
            }
        }
    }
    assert_eq!(seen, 2);
}

//! The two data sets, the same to the last bit in every language.

use ndarray::Array2;

/// Classes, columns and rows of the large set.
pub const CLASSES: usize = 10;
pub const PIXELS: usize = 784;
pub const IMAGES: usize = 60_000;
/// Rows and columns of the small one.
pub const ROWS: usize = 506;
pub const COLUMNS: usize = 13;

/// Number `i` of a SplitMix64 generator started at `seed`, its upper 24 bits as a fraction.
fn uniform(seed: u64, i: usize) -> f32 {
    let mut z = seed.wrapping_add((i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 40) as f32 / (1_u32 << 24) as f32
}

/// As large as MNIST: uniform columns, and the class whose every tenth column has the largest sum.
pub fn mnist_shape(rows: usize) -> (Array2<f32>, Array2<f32>) {
    let x = Array2::from_shape_fn((rows, PIXELS), |(r, c)| uniform(1, r * PIXELS + c));
    let class = |r: usize| {
        let mut sums = [0.0_f64; CLASSES];
        for c in 0..PIXELS / CLASSES * CLASSES {
            sums[c % CLASSES] += f64::from(x[[r, c]]);
        }
        // The first of equal ones.
        (1..CLASSES).fold(0, |best, class| if sums[class] > sums[best] { class } else { best })
    };
    let y = Array2::from_shape_fn((rows, 1), |(r, _)| class(r) as f32);
    (x, y)
}

/// As large as Boston Housing: uniform columns of variance 1, a target that is not linear in them, standardised.
pub fn tabular_small() -> (Array2<f32>, Array2<f32>) {
    let u = |r: usize, c: usize| f64::from(uniform(2, r * (COLUMNS + 1) + c));
    let x = Array2::from_shape_fn((ROWS, COLUMNS), |(r, c)| ((2.0 * u(r, c) - 1.0) * 3.0_f64.sqrt()) as f32);
    let target = |r: usize| {
        10.0 * u(r, 0) * u(r, 1)
            + 20.0 * (u(r, 2) - 0.5).powi(2)
            + 10.0 * u(r, 3)
            + 5.0 * u(r, 4)
            + 2.0 * (u(r, COLUMNS) - 0.5)
    };
    let targets: Vec<f64> = (0..ROWS).map(target).collect();
    let mean = targets.iter().sum::<f64>() / ROWS as f64;
    let variance = targets.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / ROWS as f64;
    let y = Array2::from_shape_fn((ROWS, 1), |(r, _)| ((targets[r] - mean) / variance.sqrt()) as f32);
    check(&x, &y);
    (x, y)
}

/// The numbers by which every implementation of the data can be checked.
fn check(x: &Array2<f32>, y: &Array2<f32>) {
    let near = |a: f32, b: f32| assert!((a - b).abs() < 1e-6, "the data set has changed: {a} is not {b}");
    near(x[[0, 0]], 0.315_890_3);
    near(x[[505, 12]], 0.682_840_2);
    near(y[[0, 0]], 0.474_835_1);
    near(y[[505, 0]], -0.929_769_4);
}

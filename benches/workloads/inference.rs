//! W4: class probabilities from W1's network after an epoch of training.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use linfa_mlp::network::RowScratch;

use crate::arguments::Arguments;
use crate::data::{self, COLUMNS};
use crate::record::{Recorder, repeat};
use crate::training::{large_model, large_training, small_model};

const NAME: &str = "inference";

pub fn run(arguments: &Arguments, recorder: &mut Recorder) -> Result<(), Box<dyn Error>> {
    let rows = if arguments.quick { 1000 } else { 10_000 };
    let (x, y) = data::mnist_shape(rows);
    let mut model = large_model::<f32>()?;
    model.fit(&x, &y, &large_training(1))?;
    let network = model.run().result();
    let predict = || drop(black_box(network.predict(black_box(x.view())).expect("the rows fit")));
    let times = repeat(arguments, arguments.repeats.max(7), predict);
    let rates: Vec<f64> = times.seconds.iter().map(|s| rows as f64 / s).collect();
    recorder.emit(NAME, "batch_samples_per_s", "samples/s", &rates, times.other_cpu);
    if arguments.threads == 1 {
        let row = x.row(0).to_vec();
        let mut scratch = RowScratch::new();
        percentiles(arguments, recorder, "single_row", || {
            black_box(network.predict_row(black_box(&row), &mut scratch).expect("the row fits"));
        });
        // W2's network, whose rows take less than the clock: a hundred at a time.
        let small = small_model::<f32>()?;
        let row = [0.5_f32; COLUMNS];
        let hundred = || {
            for _ in 0..100 {
                black_box(small.network().predict_row(black_box(&row), &mut scratch).expect("the row fits"));
            }
        };
        let times = repeat(arguments, arguments.repeats, hundred);
        let micros: Vec<f64> = times.seconds.iter().map(|s| s * 1e4).collect();
        recorder.emit(NAME, "small_row_us", "us", &micros, times.other_cpu);
    }
    Ok(())
}

/// The middle and the slowest hundredth of many calls, in microseconds.
fn percentiles(arguments: &Arguments, recorder: &mut Recorder, name: &str, mut call: impl FnMut()) {
    let (mut middle, mut slow) = (Vec::new(), Vec::new());
    for _ in 0..arguments.repeats {
        (0..300).for_each(|_| call());
        let one = |_| {
            let start = Instant::now();
            call();
            start.elapsed().as_nanos() as f64 / 1e3
        };
        let mut micros: Vec<f64> = (0..3000).map(one).collect();
        micros.sort_by(f64::total_cmp);
        middle.push(micros[1500]);
        slow.push(micros[2970]);
    }
    recorder.emit(NAME, &format!("{name}_p50_us"), "us", &middle, None);
    recorder.emit(NAME, &format!("{name}_p99_us"), "us", &slow, None);
}

//! How far two cores are from each other: what threads that share a step wait for, beside the step itself.
//!
//! Cores with a common last cache are close. Those of two chips in one package, or of two packages, are far from each other, and a
//! virtual machine may change from one to the other while it runs.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::thread::yield_now;
use std::time::Instant;

use crate::arguments::Arguments;
use crate::record::{Recorder, median};

const RELAXED: Ordering = Ordering::Relaxed;

/// A cache line.
#[repr(align(64))]
#[derive(Default)]
struct Line(AtomicU32);

/// What the second thread is told to do, by a number that rises. The last order ends it.
#[repr(align(128))]
#[derive(Default)]
struct Orders {
    given: AtomicUsize,
    done: AtomicUsize,
}

const END: usize = usize::MAX;

impl Orders {
    /// Gives an order and waits until it has been carried out.
    fn give(&self, number: usize) {
        self.given.store(number, Ordering::Release);
        let mut looks = 0;
        while self.done.load(Ordering::Acquire) != number {
            look_again(&mut looks);
        }
    }

    /// Carries out orders until the last.
    fn obey(&self, carry_out: impl Fn(usize)) {
        let (mut last, mut looks) = (0, 0);
        while last != END {
            let number = self.given.load(Ordering::Acquire);
            if number == last {
                look_again(&mut looks);
                continue;
            }
            looks = 0;
            if number != END {
                carry_out(number);
            }
            self.done.store(number, Ordering::Release);
            last = number;
        }
    }
}

/// A pause between two looks; a long wait leaves the core to the other thread, should both have the same.
fn look_again(looks: &mut u32) {
    *looks += 1;
    if looks.is_multiple_of(1 << 12) { yield_now() } else { spin_loop() }
}

/// Nanoseconds until a word to another core has been answered: the median of blocks.
pub fn round_trip_ns() -> f64 {
    const ROUNDS: usize = 50;
    let orders = Orders::default();
    let mut number = 0;
    let mut block = || {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            number += 1;
            orders.give(number);
        }
        start.elapsed().as_nanos() as f64 / ROUNDS as f64
    };
    std::thread::scope(|scope| {
        scope.spawn(|| orders.obey(|_| ()));
        let blocks: Vec<f64> = (0..41).map(|_| block()).collect();
        orders.give(END);
        median(&blocks)
    })
}

/// Prints the way between two cores, and what a line costs that both use.
pub fn run(arguments: &Arguments, recorder: &mut Recorder) {
    const LINES: usize = 4096;
    let rounds = if arguments.quick { 2 } else { 40 };
    let lines: Vec<Line> = (0..LINES).map(|_| Line::default()).collect();
    let write = || lines.iter().for_each(|line| line.0.store(line.0.load(RELAXED).wrapping_add(1), RELAXED));
    let read = || {
        let sum = lines.iter().fold(0_u32, |sum, line| sum.wrapping_add(line.0.load(RELAXED)));
        std::hint::black_box(sum);
    };
    let timed = |work: &dyn Fn()| {
        let start = Instant::now();
        work();
        start.elapsed().as_nanos() as f64 / LINES as f64
    };
    let orders = Orders::default();
    let (mut fetched, mut written, mut taken, mut trips) = (vec![], vec![], vec![], vec![]);
    std::thread::scope(|scope| {
        // Odd numbers: read all lines; even ones: write them.
        scope.spawn(|| orders.obey(|number| if number % 2 == 1 { read() } else { write() }));
        for round in 1..=rounds {
            let next = 8 * round;
            orders.give(next);
            fetched.push(timed(&read));
            write();
            orders.give(next + 1);
            written.push(timed(&write));
            orders.give(next + 2);
            taken.push(timed(&write));
        }
        orders.give(END);
    });
    (0..rounds.min(10)).for_each(|_| trips.push(round_trip_ns()));
    recorder.emit("cores", "round_trip_ns", "ns", &trips, None);
    recorder.emit("cores", "read_what_the_other_wrote", "ns/line", &fetched, None);
    recorder.emit("cores", "write_what_the_other_wrote", "ns/line", &taken, None);
    recorder.emit("cores", "write_what_both_have_read", "ns/line", &written, None);
}

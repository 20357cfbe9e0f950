//! Damage of all kinds, by chance and with intent.

use linfa_mlp::rng::Stream;

/// Lengths and counts that a careless reader believes.
const NUMBERS: [u64; 16] = [
    0,
    1,
    2,
    7,
    0x7F,
    0xFF,
    0xFFFF,
    0x1_0000,
    0x7FFF_FFFF,
    0xFFFF_FFFF,
    1 << 33,
    1 << 40,
    1 << 60,
    i64::MAX as u64,
    u64::MAX - 1,
    u64::MAX,
];

const REALS: [f64; 10] =
    [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.0, -1.0, 5e-324, 1e-300, 1e300, f64::MAX];

/// What stands in texts for a number, a value, or more than there is room for.
const WORDS: [&str; 16] = [
    "-1",
    "0",
    "1e999",
    "1e-400",
    "NaN",
    "null",
    "true",
    "\"\"",
    "[]",
    "{}",
    "18446744073709551616",
    "9007199254740993",
    "0.1.2",
    "'",
    ",",
    "\u{0}",
];

/// A file made from one of the seeds, by one kind of damage or up to four.
pub fn mutated(stream: &mut Stream, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[stream.below(seeds.len())].clone();
    // What is damaged in one place alone gets past the first checks.
    for _ in 0..=[0, 0, 0, 1, 2, 3][stream.below(6)] {
        damage(stream, &mut bytes, seeds);
    }
    bytes
}

fn damage(stream: &mut Stream, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let len = bytes.len();
    if len == 0 {
        bytes.push(stream.below(256) as u8);
        return;
    }
    let at = stream.below(len);
    match stream.below(14) {
        0 => bytes.truncate(at),
        1 => (0..=stream.below(8)).for_each(|_| {
            let bit = stream.below(8 * len);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }),
        2 => bytes[at] = stream.below(256) as u8,
        3 => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF, b'-', b'"', b'\n'][stream.below(8)],
        4 | 5 => {
            let number = match stream.below(20) {
                place if place < 16 => NUMBERS[place],
                near => (len + near - 18) as u64,
            };
            let number = if stream.below(4) == 0 { number.to_be_bytes() } else { number.to_le_bytes() };
            put(bytes, at, &number[..[2, 4, 8, 8][stream.below(4)]]);
        }
        6 => put(bytes, at, &REALS[stream.below(10)].to_le_bytes()),
        7 => put(bytes, at, &(REALS[stream.below(10)] as f32).to_le_bytes()),
        8 => {
            let other = &seeds[stream.below(seeds.len())];
            let from = if stream.below(2) == 0 { at.min(other.len()) } else { stream.below(other.len() + 1) };
            bytes.truncate(at);
            bytes.extend(&other[from..]);
        }
        9 => {
            let end = (at + 1 + stream.below(32)).min(len);
            bytes.drain(at..end);
        }
        10 => {
            let part = bytes[at..(at + 1 + stream.below(64)).min(len)].to_vec();
            let times = [1, 1, 2, 40][stream.below(4)];
            bytes.splice(at..at, part.repeat(times));
        }
        11 => bytes.extend((0..=stream.below(9)).map(|_| stream.below(256) as u8)),
        // A digit for a digit: lengths stay, and a setting becomes another one.
        12 => {
            let digit = |at: &usize| bytes[*at].is_ascii_digit();
            if let Some(at) = (at..len).chain(0..at).find(digit) {
                bytes[at] = b"0123456789-e."[stream.below(13)];
            }
        }
        _ => {
            let digit = |at: &usize| bytes[*at].is_ascii_digit();
            let at = (at..len).chain(0..at).find(digit).unwrap_or(at);
            let deep = ["[".repeat(5000), "{\"a\":".repeat(5000)];
            let word = match stream.below(18) {
                place if place < 16 => WORDS[place],
                place => &deep[place - 16],
            };
            bytes.splice(at..=at, word.bytes());
        }
    }
}

/// Overwrites what is there.
fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    let end = (at + value.len()).min(bytes.len());
    bytes[at..end].copy_from_slice(&value[..end - at]);
}

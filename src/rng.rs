//! One seed in, named independent streams out.
//!
//! Randomness is addressed, never consumed from a shared generator: the numbers of a stream depend on the seed and on
//! the stream's *position* (its name and indices), not on what was drawn before elsewhere. So results do not change
//! with the number of threads, the order of tasks or the number of pauses.
//!
//! ```text
//! key(seed)            = mix(seed + 0x9E3779B97F4A7C15)
//! key(parent, name)    = mix(key(parent) ⊕ fnv1a64(name))
//! key(parent, index)   = mix(key(parent) + (index + 1) · 0xD1B54A32D192ED03)
//! value(key, i)        = mix(key + (i + 1) · 0x9E3779B97F4A7C15)        i = 0, 1, 2, …      (mod 2⁶⁴)
//! mix(z): z ← (z ⊕ z≫30)·0xBF58476D1CE4E5B9; z ← (z ⊕ z≫27)·0x94D049BB133111EB; z ⊕ z≫31
//! ```
//!
//! `value(key, ·)` is SplitMix64 started at `key`, read at any counter. Everything is integer arithmetic, so the
//! streams are the same on every machine.
//!
//! | stream | position |
//! | --- | --- |
//! | first weights | `init` / layer / tensor |
//! | order of the rows | `shuffle` / epoch |
//! | dropout masks, noise | `dropout` / epoch / batch / layer, counter = row · width + column |
//! | rows held out | `split` |
//! | candidates of a search | `search` / draw / parameter |
//!
//! # References
//!
//! G. L. Steele, D. Lea, C. H. Flood, *Fast Splittable Pseudorandom Number Generators*, OOPSLA 2014, figure 16.

use rand::{Error as RandError, RngCore};

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
const INDEX: u64 = 0xD1B5_4A32_D192_ED03;

#[inline(always)]
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A stream of random numbers: a key, and a counter that [`RngCore`] moves on.
///
/// ```
/// use linfa_mlp::rng::Stream;
///
/// let epoch_3 = Stream::new(42).named("shuffle").at(3);
/// assert_eq!(epoch_3.value(7), Stream::new(42).named("shuffle").at(3).value(7));
/// assert_ne!(epoch_3.value(7), Stream::new(42).named("shuffle").at(4).value(7));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    key: u64,
    counter: u64,
}

impl Stream {
    /// The root of all streams of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Stream { key: mix(seed.wrapping_add(GOLDEN)), counter: 0 }
    }

    /// The stream of that name below this one.
    #[must_use]
    pub const fn named(self, name: &str) -> Self {
        let bytes = name.as_bytes();
        let mut hash = 0xCBF2_9CE4_8422_2325_u64;
        let mut i = 0;
        while i < bytes.len() {
            hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01B3);
            i += 1;
        }
        Stream { key: mix(self.key ^ hash), counter: 0 }
    }

    /// The stream with that index below this one.
    #[must_use]
    pub const fn at(self, index: u64) -> Self {
        let key = mix(self.key.wrapping_add(index.wrapping_add(1).wrapping_mul(INDEX)));
        Stream { key, counter: 0 }
    }

    /// The number at a counter, whatever was drawn before.
    #[inline(always)]
    #[must_use]
    pub const fn value(&self, counter: u64) -> u64 {
        mix(self.key.wrapping_add(counter.wrapping_add(1).wrapping_mul(GOLDEN)))
    }

    /// The next number as a fraction in [0, 1), with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// The next whole number below `n`, which must not be 0. Its bias is below n · 2⁻⁶⁴.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next_u64()) * n as u128) >> 64) as usize
    }

    /// Shuffles by Fisher and Yates, from the last place to the first.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

impl RngCore for Stream {
    fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    fn next_u64(&mut self) -> u64 {
        let value = self.value(self.counter);
        self.counter = self.counter.wrapping_add(1);
        value
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        for chunk in dest.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), RandError> {
        self.fill_bytes(dest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_splitmix64_started_at_its_key() {
        // The reference generator's first outputs from state 0.
        let stream = Stream { key: 0, counter: 0 };
        assert_eq!(stream.value(0), 0xE220_A839_7B1D_CDAF);
        assert_eq!(stream.value(1), 0x6E78_9E6A_A1B9_65F4);
        assert_eq!(stream.value(2), 0x06C4_5D18_8009_454F);
    }

    #[test]
    fn a_shuffle_is_a_permutation_that_depends_on_the_position_alone() {
        let order = |epoch| {
            let mut items: Vec<usize> = (0..100).collect();
            Stream::new(1).named("shuffle").at(epoch).shuffle(&mut items);
            items
        };
        let mut sorted = order(0);
        assert_eq!(order(0), order(0));
        assert_ne!(order(0), order(1));
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn the_named_streams_keep_their_numbers() {
        // Saved runs depend on these: a change here is a change of every result.
        let stream = Stream::new(42);
        let seen =
            [stream.named("init").value(0), stream.named("shuffle").at(1).value(0), stream.at(7).value(3)];
        assert_eq!(seen, [STREAM_INIT, STREAM_SHUFFLE, STREAM_AT]);
    }

    const STREAM_INIT: u64 = 15_755_270_989_790_698_646;
    const STREAM_SHUFFLE: u64 = 5_915_786_375_463_355_039;
    const STREAM_AT: u64 = 11_719_926_473_677_951_562;

    #[test]
    fn below_covers_its_range_evenly() {
        let mut stream = Stream::new(3);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[stream.below(7)] += 1;
        }
        assert!(counts.iter().all(|&count| (9_500..10_500).contains(&count)), "{counts:?}");
    }
}

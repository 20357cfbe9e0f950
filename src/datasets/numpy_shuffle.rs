//! NumPy's first random generator, which old splits were made with.

/// The numbers from 0 to `n - 1`, as `numpy.random.RandomState(seed).shuffle(numpy.arange(n))` leaves them.
///
/// It is what `RandomState(seed).permutation(n)`, Keras' `boston_housing.load_data(seed=…)` and scikit-learn's
/// `train_test_split(random_state=…)` order rows by, so that the rows of their parts can be named here too.
///
/// # Examples
///
/// ```
/// use linfa_mlp::datasets::numpy_shuffle;
///
/// assert_eq!(numpy_shuffle(0, 10), [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]);
/// ```
///
/// # References
///
/// M. Matsumoto, T. Nishimura, *Mersenne Twister*, ACM TOMACS 8, 1998: MT19937, seeded by `init_genrand`. The shuffle takes
/// each index below a bound by masking and rejection, as NumPy has done since 1.0.
#[must_use]
#[doc(alias = "RandomState")]
pub fn numpy_shuffle(seed: u32, n: usize) -> Vec<usize> {
    let mut random = MersenneTwister::new(seed);
    let mut rows: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        rows.swap(last, random.up_to(last as u64) as usize);
    }
    rows
}

const N: usize = 624;
const M: usize = 397;

struct MersenneTwister {
    state: [u32; N],
    next: usize,
}

impl MersenneTwister {
    fn new(seed: u32) -> Self {
        let mut state = [seed; N];
        for i in 1..N {
            let before = state[i - 1];
            state[i] = 1_812_433_253_u32.wrapping_mul(before ^ (before >> 30)).wrapping_add(i as u32);
        }
        MersenneTwister { state, next: N }
    }

    fn next_u32(&mut self) -> u32 {
        if self.next == N {
            for i in 0..N {
                let y = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % N] & 0x7FFF_FFFF);
                let odd = if y & 1 == 1 { 0x9908_B0DF } else { 0 };
                self.state[i] = self.state[(i + M) % N] ^ (y >> 1) ^ odd;
            }
            self.next = 0;
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9D2C_5680;
        y ^= (y << 15) & 0xEFC6_0000;
        y ^ (y >> 18)
    }

    /// A number from 0 to `most`, `most` included.
    fn up_to(&mut self, most: u64) -> u64 {
        let mask = u64::MAX >> most.leading_zeros().min(63);
        loop {
            let mut value = u64::from(self.next_u32());
            // Above 32 bits the upper half is drawn first.
            if most > u64::from(u32::MAX) {
                value = (value << 32) | u64::from(self.next_u32());
            }
            if value & mask <= most {
                return value & mask;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gives_the_numbers_of_its_authors() {
        // The 10 000th number from seed 5489, as the C++ standard states it for std::mt19937.
        let mut random = MersenneTwister::new(5489);
        assert_eq!((0..10_000).map(|_| random.next_u32()).last(), Some(4_123_659_995));
    }

    #[test]
    fn no_row_and_one_row_stay_as_they_are() {
        assert!(numpy_shuffle(1, 0).is_empty());
        assert_eq!(numpy_shuffle(1, 1), [0]);
    }
}

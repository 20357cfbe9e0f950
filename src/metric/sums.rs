//! Sums that do not lose small terms: pairs of numbers in a metric's state.
//!
//! ```text
//! t = s + v,  c += (s − t) + v  where |s| ≥ |v|,  else (v − t) + s,  s = t;   the sum is s + c
//! ```
//!
//! The error stays at one rounding for any number of rows, where a plain sum loses up to n of them; so the value barely
//! depends on the order of the rows either.
//!
//! # References
//!
//! Neumaier (1974), "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54, algorithm IV.

/// The sums in a state, `n_sums` zeros when it is still empty.
pub(super) fn started(state: &mut Vec<f64>, n_sums: usize) -> &mut [[f64; 2]] {
    if state.is_empty() {
        state.resize(2 * n_sums, 0.0);
    }
    state.as_chunks_mut().0
}

/// Adds a term.
pub(super) fn add(sum: &mut [f64; 2], value: f64) {
    let [before, lost] = *sum;
    let after = before + value;
    let rest = if before.abs() >= value.abs() { (before - after) + value } else { (value - after) + before };
    *sum = [after, lost + rest];
}

/// The sum. Once it has overflowed, the correction is NaN and left aside.
pub(super) fn total([sum, lost]: [f64; 2]) -> f64 {
    if sum.is_finite() { sum + lost } else { sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(values: &[f64]) -> f64 {
        let mut state = Vec::new();
        for value in values {
            add(&mut started(&mut state, 1)[0], *value);
        }
        total([state[0], state[1]])
    }

    #[test]
    fn small_terms_survive_beside_large_ones() {
        // A plain sum gives 0: both ones are lost in 1e100.
        assert!((sum(&[1.0, 1e100, 1.0, -1e100]) - 2.0).abs() < 1e-15);
    }

    #[test]
    fn an_overflow_is_infinite_and_a_nan_stays() {
        assert!(sum(&[1e308, 1e308, 1.0]).is_infinite());
        assert!(sum(&[1.0, f64::NAN, 1.0]).is_nan());
    }
}

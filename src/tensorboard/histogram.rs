//! Values into equal buckets, by the rules of TensorFlow 2's `tf.summary.histogram`.

/// How many buckets TensorFlow 2 and Keras write.
pub(super) const DEFAULT_BUCKETS: usize = 30;

/// `n` rows of (left edge, right edge, count) over the finite values.
///
/// ```text
/// width = (max − min) / n          bucket(v) = min(⌊(v − min) / width⌋, n − 1)
/// ```
///
/// The last bucket holds its right edge. Without values every row is zero; when all values are equal, every edge is that
/// value and the last row counts them.
pub(super) fn buckets(values: impl IntoIterator<Item = f64>, n: usize) -> Vec<[f64; 3]> {
    let values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
    let Some(last) = n.checked_sub(1).filter(|_| !values.is_empty()) else {
        return vec![[0.0; 3]; n];
    };
    let min = values.iter().copied().fold(f64::INFINITY, f64::min);
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if min >= max {
        let mut rows = vec![[min, max, 0.0]; n];
        rows[last][2] = values.len() as f64;
        return rows;
    }

    // The distance of two finite numbers can be infinite; that of their halves cannot, and halving loses nothing there.
    let scale = if (max - min).is_finite() { 1.0 } else { 0.5 };
    let start = min * scale;
    let width = (max * scale - start) / n as f64;
    let edge = |i: usize| if i == n { max } else { (start + i as f64 * width) / scale };
    let mut rows: Vec<[f64; 3]> = (0..n).map(|i| [edge(i), edge(i + 1), 0.0]).collect();
    for value in values {
        // A width that underflowed to zero gives infinity or NaN here, which the cast turns into a bucket all the same.
        let bucket = ((value * scale - start) / width) as usize;
        rows[bucket.min(last)][2] += 1.0;
    }
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(rows: &[[f64; 3]]) -> usize {
        rows.iter().map(|row| row[2] as usize).sum()
    }

    #[test]
    fn four_buckets_worked_by_hand() {
        // Width (4 − 0) / 4 = 1; an inner edge belongs to the bucket on its right, the last edge to the last bucket.
        let rows = buckets([0.0, 0.5, 1.0, 3.0, 3.5, 4.0], 4);
        assert_eq!(rows, [[0.0, 1.0, 2.0], [1.0, 2.0, 1.0], [2.0, 3.0, 0.0], [3.0, 4.0, 3.0]]);
    }

    #[test]
    fn no_values_give_rows_of_zeros() {
        assert_eq!(buckets([], 30), vec![[0.0; 3]; 30]);
        assert_eq!(buckets([f64::NAN, f64::INFINITY, f64::NEG_INFINITY], 2), [[0.0; 3]; 2]);
        assert!(buckets([1.0], 0).is_empty());
    }

    #[test]
    fn equal_values_are_counted_in_the_last_row() {
        assert_eq!(buckets([-2.5; 7], 3), [[-2.5, -2.5, 0.0], [-2.5, -2.5, 0.0], [-2.5, -2.5, 7.0]]);
    }

    #[test]
    fn values_that_are_not_finite_are_left_out() {
        let finite = [0.25, -1.0, 3.0];
        let mixed = [f64::NAN, 0.25, f64::INFINITY, -1.0, f64::NEG_INFINITY, 3.0];
        assert_eq!(buckets(mixed, 5), buckets(finite, 5));
    }

    #[test]
    fn the_widest_range_has_finite_edges() {
        let rows = buckets([-1.0, -0.25, 0.25, 1.0].map(|x| x * f64::MAX), 4);
        assert_eq!(rows.iter().map(|row| row[2]).collect::<Vec<_>>(), [1.0, 1.0, 1.0, 1.0]);
        assert!(rows.iter().flatten().all(|value| value.is_finite()));
    }

    #[test]
    fn the_narrowest_range_loses_no_value() {
        let rows = buckets([0.0, f64::from_bits(1)], 30);
        assert_eq!(counted(&rows), 2);
    }

    proptest! {
        #[test]
        fn every_finite_value_is_counted_once_between_adjoining_edges(
            values in prop::collection::vec(prop::num::f64::ANY, 0..200), n in 1usize..40,
        ) {
            let rows = buckets(values.iter().copied(), n);
            let finite: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
            prop_assert_eq!(rows.len(), n);
            prop_assert_eq!(counted(&rows), finite.len());
            prop_assert!(rows.iter().all(|row| row[0] <= row[1]));
            prop_assert!(rows.windows(2).all(|pair| pair[0][1] <= pair[1][0]));
            if !finite.is_empty() {
                prop_assert_eq!(Some(rows[0][0]), finite.iter().copied().reduce(f64::min));
                prop_assert_eq!(Some(rows[n - 1][1]), finite.iter().copied().reduce(f64::max));
            }
        }

        #[test]
        fn the_order_of_the_values_does_not_matter(
            mut values in prop::collection::vec(-1e3..1e3f64, 1..100), n in 1usize..40,
        ) {
            let rows = buckets(values.iter().copied(), n);
            values.reverse();
            prop_assert_eq!(rows, buckets(values, n));
        }

        #[test]
        fn a_value_lies_in_its_bucket_up_to_rounding(values in prop::collection::vec(-1e3..1e3f64, 2..100)) {
            let n = 30;
            let rows = buckets(values.iter().copied(), n);
            let slack = 1e-9;
            for i in 0..=n {
                // Values below an edge, by counting and by the rows; rounding may move a value that lies on the edge.
                let edge = if i == n { rows[n - 1][1] } else { rows[i][0] };
                let counted: f64 = rows[..i].iter().map(|row| row[2]).sum();
                let surely = values.iter().filter(|&&value| value < edge - slack).count() as f64;
                let possibly = values.iter().filter(|&&value| value < edge + slack).count() as f64;
                prop_assert!(surely <= counted && counted <= possibly);
            }
        }
    }
}

//! Laws that hold for every n, k and set of classes.

use linfa_mlp::Error;
use linfa_mlp::model_selection::{Classes, KFold, Rows, ShuffleSplit, Split, Splitter, StratifiedKFold};
use ndarray::Array1;
use proptest::prelude::*;

fn sorted(rows: &[usize]) -> Vec<usize> {
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    rows
}

/// Training and test rows of each fold are disjoint and together all rows; every row is scored once.
fn partitions(folds: &[Split], n: usize) -> Result<(), TestCaseError> {
    let all: Vec<usize> = (0..n).collect();
    let mut scored = Vec::new();
    for fold in folds {
        prop_assert_eq!(&sorted(&[&fold.train[..], &fold.test[..]].concat()), &all);
        scored.extend_from_slice(&fold.test);
    }
    prop_assert_eq!(sorted(&scored), all);
    Ok(())
}

fn spread(counts: &[usize]) -> usize {
    counts.iter().max().unwrap() - counts.iter().min().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn k_folds_partition_the_rows_in_sizes_that_differ_by_one_at_most(
        n in 2_usize..200, k in 2_usize..20, seed in prop::option::of(any::<u64>()),
    ) {
        let splitter = seed.map_or(KFold::new(k), |seed| KFold::new(k).shuffle(seed));
        let folds = splitter.split(&Rows::new(n));
        if k > n {
            let refused = matches!(folds, Err(Error::Split { .. }));
            prop_assert!(refused);
            return Ok(());
        }
        let folds = folds.unwrap();
        prop_assert_eq!(folds.len(), splitter.n_splits(&Rows::new(n)));
        partitions(&folds, n)?;
        let sizes: Vec<usize> = folds.iter().map(|fold| fold.test.len()).collect();
        prop_assert!(spread(&sizes) <= 1);
        prop_assert!(sizes.windows(2).all(|pair| pair[0] >= pair[1]), "the first folds get the rest: {:?}", sizes);
        prop_assert_eq!(splitter.split(&Rows::new(n)).unwrap(), folds);
    }

    #[test]
    fn stratified_folds_have_every_class_in_its_share(
        labels in prop::collection::vec(0_usize..5, 2..150), k in 2_usize..8,
        seed in prop::option::of(any::<u64>()),
    ) {
        let splitter = seed.map_or(StratifiedKFold::new(k), |seed| StratifiedKFold::new(k).shuffle(seed));
        let labels = Array1::from(labels);
        let classes = Classes::of(labels.view());
        let folds = splitter.split(&Rows::new(labels.len()).classes(&classes));
        if k > labels.len() || classes.counts().iter().any(|&members| members < k) {
            let refused = matches!(folds, Err(Error::Split { .. } | Error::ClassTooSmall { .. }));
            prop_assert!(refused);
            return Ok(());
        }
        let folds = folds.unwrap();
        partitions(&folds, labels.len())?;
        let sizes: Vec<usize> = folds.iter().map(|fold| fold.test.len()).collect();
        prop_assert!(spread(&sizes) <= 1);
        for class in 0..classes.names.len() {
            let members = |rows: &[usize]| rows.iter().filter(|&&row| classes.indices[row] == class).count();
            let tested: Vec<usize> = folds.iter().map(|fold| members(&fold.test)).collect();
            prop_assert!(spread(&tested) <= 1);
            prop_assert!(folds.iter().all(|fold| members(&fold.train) > 0));
        }
    }

    #[test]
    fn random_splits_have_the_sizes_asked_for_and_share_no_row(
        n in 2_usize..200, share in 0.01_f64..0.99, seed in any::<u64>(),
    ) {
        let folds = ShuffleSplit::new(3).test_size(share).seed(seed).split(&Rows::new(n));
        let test = (share * n as f64).ceil() as usize;
        if test >= n {
            prop_assert!(folds.is_err());
            return Ok(());
        }
        for fold in folds.unwrap() {
            prop_assert!(fold.test.len().abs_diff(test) <= 1);
            prop_assert_eq!(sorted(&[&fold.train[..], &fold.test[..]].concat()), (0..n).collect::<Vec<_>>());
        }
    }
}

#[test]
fn all_506_rows_of_boston_are_scored_in_ten_folds() {
    let folds = KFold::new(10).shuffle(1).split(&Rows::new(506)).unwrap();
    assert_eq!(folds.iter().map(|fold| fold.test.len()).sum::<usize>(), 506);
    assert_eq!(
        folds.iter().map(|fold| fold.test.len()).collect::<Vec<_>>(),
        [51, 51, 51, 51, 51, 51, 50, 50, 50, 50]
    );
}

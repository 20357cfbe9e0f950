//! Splitters: adding a row to `contract` is all it takes to test a new one.

use std::collections::BTreeSet;

use linfa_mlp::Error;
use linfa_mlp::model_selection::{
    Binned, Classes, GroupKFold, GroupShuffleSplit, KFold, LeaveOneGroupOut, LeaveOneOut, LeavePGroupsOut,
    LeavePOut, PredefinedSplit, RepeatedKFold, RepeatedStratifiedKFold, Rows, ShuffleSplit, Split, SplitBy,
    Splitter, StratifiedGroupKFold, StratifiedKFold, StratifiedShuffleSplit, TimeSeriesSplit, TrainTestSplit,
};
use linfa_mlp::rng::Stream;
use ndarray::Array1;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How often the folds together score a row.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scored {
    /// Exactly so many times.
    Times(usize),
    /// Once or never.
    OnceAtMost,
    /// As chance or the data will have it.
    Somehow,
}

/// A splitter for a number of folds and a seed, and what it promises.
struct Row {
    make: Box<dyn Fn(usize, u64) -> Box<dyn Splitter>>,
    scored: Scored,
    /// Every row that is not tested trains.
    trains_on_the_rest: bool,
    /// Groups are on one side.
    whole_groups: bool,
    /// Both parts have the classes' shares.
    stratified: bool,
    seeded: bool,
}

/// Also checks that the splitter's settings can be written and read back.
fn row<S>(make: impl Fn(usize, u64) -> S + 'static, scored: Scored) -> Row
where
    S: Splitter + Serialize + DeserializeOwned + PartialEq + 'static,
{
    let written = serde_json::to_string(&make(3, 1)).expect("settings are plain data");
    assert_eq!(serde_json::from_str::<S>(&written).expect("as written"), make(3, 1));
    of(move |k, seed| Box::new(make(k, seed)), scored)
}

fn of(make: impl Fn(usize, u64) -> Box<dyn Splitter> + 'static, scored: Scored) -> Row {
    Row {
        make: Box::new(make),
        scored,
        trains_on_the_rest: true,
        whole_groups: false,
        stratified: false,
        seeded: false,
    }
}

impl Row {
    fn leaves_rows_out(mut self) -> Self {
        self.trains_on_the_rest = false;
        self
    }

    fn whole_groups(mut self) -> Self {
        self.whole_groups = true;
        self
    }

    fn stratified(mut self) -> Self {
        self.stratified = true;
        self
    }

    fn seeded(mut self) -> Self {
        self.seeded = true;
        self
    }
}

fn contract() -> Vec<Row> {
    use Scored::{OnceAtMost, Somehow, Times};
    vec![
        row(|k, _| KFold::new(k), Times(1)),
        row(|k, seed| KFold::new(k).shuffle(seed), Times(1)).seeded(),
        row(|k, _| StratifiedKFold::new(k), Times(1)).stratified(),
        row(|k, seed| StratifiedKFold::new(k).shuffle(seed), Times(1)).stratified().seeded(),
        row(|k, _| GroupKFold::new(k), Times(1)).whole_groups(),
        row(|k, seed| GroupKFold::new(k).shuffle(seed), Times(1)).whole_groups().seeded(),
        row(|k, _| StratifiedGroupKFold::new(k), Times(1)).whole_groups(),
        row(|k, seed| StratifiedGroupKFold::new(k).shuffle(seed), Times(1)).whole_groups().seeded(),
        row(|k, seed| RepeatedKFold::new(k, 3).seed(seed), Times(3)).seeded(),
        row(|k, seed| RepeatedStratifiedKFold::new(k, 2).seed(seed), Times(2)).stratified().seeded(),
        row(|_, _| LeaveOneOut, Times(1)),
        row(|_, _| LeavePOut::new(2), Somehow),
        row(|_, _| LeaveOneGroupOut, Times(1)).whole_groups(),
        row(|_, _| LeavePGroupsOut::new(2), Somehow).whole_groups(),
        row(|k, seed| ShuffleSplit::new(k).test_size(0.3).seed(seed), Somehow).seeded(),
        row(|k, seed| ShuffleSplit::new(k).test_size(0.3).train_size(0.4).seed(seed), Somehow)
            .leaves_rows_out()
            .seeded(),
        row(|k, seed| StratifiedShuffleSplit::new(k).test_size(0.3).seed(seed), Somehow)
            .stratified()
            .seeded(),
        row(|k, seed| StratifiedShuffleSplit::new(k).train_size(0.5).test_size(0.3).seed(seed), Somehow)
            .leaves_rows_out()
            .stratified()
            .seeded(),
        row(|k, seed| GroupShuffleSplit::new(k).test_size(0.4).seed(seed), Somehow).whole_groups().seeded(),
        row(|k, _| TimeSeriesSplit::new(k), OnceAtMost).leaves_rows_out(),
        row(|k, _| TimeSeriesSplit::new(k).test_size(2).gap(1).max_train_size(5), OnceAtMost)
            .leaves_rows_out(),
        row(|k, _| Binned::new(StratifiedKFold::new(k), 3), Times(1)),
        row(|k, seed| Binned::new(StratifiedKFold::new(k).shuffle(seed), 3), Times(1)).seeded(),
        row(|_, seed| TrainTestSplit::new().seed(seed), OnceAtMost).seeded(),
        row(|_, seed| TrainTestSplit::new().stratified().seed(seed), OnceAtMost).stratified().seeded(),
        row(|k, _| TrainTestSplit::new().in_order().test_size(k), OnceAtMost),
        of(
            |k, _| {
                Box::new(SplitBy::new("every kth row", move |rows: &Rows<'_>| {
                    KFold::new(k).split(rows)?;
                    PredefinedSplit::new((0..rows.n_samples()).map(|row| row.checked_rem(k))).split(rows)
                }))
            },
            Times(1),
        ),
        of(|k, _| Box::new(KFold::new(k).split(&Rows::new(60)).unwrap_or_default()), Times(1)),
    ]
}

/// The rows of a test: classes, groups with gaps in their numbers, and numbers.
struct Data {
    classes: Classes,
    groups: Vec<usize>,
    numbers: Vec<f64>,
}

impl Data {
    fn new(labels: Vec<usize>, groups: Vec<usize>) -> Self {
        let numbers = labels.iter().enumerate().map(|(row, label)| (row * 7 % 11 + label) as f64).collect();
        let groups = groups.into_iter().map(|group| 3 * group + 2).collect();
        Data { classes: Classes::of(Array1::from(labels).view()), groups, numbers }
    }

    /// 60 rows, 3 classes and 12 groups, enough for every member.
    fn ample() -> Self {
        Data::new((0..60).map(|row| row % 3).collect(), (0..60).map(|row| row / 5).collect())
    }

    fn rows(&self) -> Rows<'_> {
        Rows::new(self.groups.len()).classes(&self.classes).groups(&self.groups).numbers(&self.numbers)
    }
}

fn keeps_its_word(row: &Row, name: &str, folds: &[Split], data: &Data) -> Result<(), TestCaseError> {
    let n = data.groups.len();
    let mut scored = vec![0; n];
    for fold in folds {
        prop_assert!(!fold.train.is_empty() && !fold.test.is_empty(), "{name}: an empty part");
        let (train, test): (BTreeSet<usize>, BTreeSet<usize>) =
            (fold.train.iter().copied().collect(), fold.test.iter().copied().collect());
        prop_assert_eq!((train.len(), test.len()), (fold.train.len(), fold.test.len()), "{}: twice", name);
        prop_assert!(train.is_disjoint(&test), "{name}: a row on both sides");
        prop_assert!(train.iter().chain(&test).all(|&row| row < n), "{name}: no such row");
        if row.trains_on_the_rest {
            prop_assert_eq!(train.len() + test.len(), n, "{}: rows left out", name);
        }
        if row.whole_groups {
            let group = |row: &usize| data.groups[*row];
            let (train, test): (BTreeSet<usize>, BTreeSet<usize>) =
                (train.iter().map(group).collect(), test.iter().map(group).collect());
            prop_assert!(train.is_disjoint(&test), "{name}: a group on both sides");
        }
        if row.stratified {
            for (class, all) in data.classes.counts().into_iter().enumerate() {
                for part in [&train, &test] {
                    let found = part.iter().filter(|&&row| data.classes.indices[row] == class).count();
                    let share = all as f64 * part.len() as f64 / n as f64;
                    prop_assert!((found as f64 - share).abs() < 2.0, "{name}: {found} rows for {share}");
                }
            }
        }
        test.iter().for_each(|&row| scored[row] += 1);
    }
    let ok = |times: usize| match row.scored {
        Scored::Times(promised) => times == promised,
        Scored::OnceAtMost => times <= 1,
        Scored::Somehow => true,
    };
    prop_assert!(scored.iter().all(|&times| ok(times)), "{name}: {:?}, not {:?}", scored, row.scored);
    Ok(())
}

/// What a splitter may say against rows; anything else is a mistake in it.
fn is_typed(error: &Error) -> bool {
    matches!(
        error,
        Error::Parameter { .. } | Error::Split { .. } | Error::ClassTooSmall { .. } | Error::RowCount { .. }
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_splitter_keeps_its_word_or_gives_a_typed_error(
        rows in prop::collection::vec((0_usize..4, 0_usize..8), 1..60), k in 0_usize..8, seed in any::<u64>(),
    ) {
        let (labels, groups) = rows.into_iter().unzip();
        let data = Data::new(labels, groups);
        for row in contract() {
            let splitter = (row.make)(k, seed);
            let name = format!("{splitter:?}");
            match splitter.split(&data.rows()) {
                // Folds that were given for 60 rows do not fit any others.
                Ok(_) if splitter.name() == "the given folds" => {}
                Ok(folds) => {
                    prop_assert_eq!(folds.len(), splitter.n_splits(&data.rows()), "{}", &name);
                    prop_assert_eq!(&splitter.split(&data.rows()).unwrap(), &folds, "{}: other folds", &name);
                    keeps_its_word(&row, &name, &folds, &data)?;
                }
                Err(error) => prop_assert!(is_typed(&error), "{name}: {error}"),
            }
        }
    }
}

#[test]
fn every_splitter_divides_rows_that_suffice() {
    let data = Data::ample();
    for row in contract() {
        for k in 2..=5 {
            let splitter = (row.make)(k, 7);
            let folds = splitter.split(&data.rows()).unwrap_or_else(|error| panic!("{splitter:?}: {error}"));
            assert_eq!(folds.len(), splitter.n_splits(&data.rows()), "{splitter:?}");
            keeps_its_word(&row, &format!("{splitter:?}"), &folds, &data).unwrap();
        }
    }
}

#[test]
fn the_seed_alone_decides_what_is_random() {
    let data = Data::ample();
    for row in contract() {
        let folds = |seed| (row.make)(4, seed).split(&data.rows()).unwrap();
        let all: BTreeSet<String> = (0..5).map(|seed| format!("{:?}", folds(seed))).collect();
        let name = (row.make)(4, 0).name().to_owned();
        assert_eq!(all.len(), if row.seeded { 5 } else { 1 }, "{name}");
    }
}

#[test]
fn no_splitter_divides_no_rows_or_lists_of_another_length() {
    let data = Data::ample();
    for row in contract() {
        let splitter = (row.make)(3, 1);
        let none = Data::new(Vec::new(), Vec::new());
        if splitter.name() != "the given folds" {
            assert!(splitter.split(&none.rows()).is_err(), "{splitter:?}");
        }
        let more = Rows::new(61).classes(&data.classes).groups(&data.groups).numbers(&data.numbers);
        match splitter.split(&more) {
            Ok(folds) => assert!(!row.whole_groups && !row.stratified, "{splitter:?}: {}", folds.len()),
            Err(error) => assert!(is_typed(&error), "{splitter:?}: {error}"),
        }
    }
}

#[test]
fn numbers_of_folds_that_no_memory_holds_are_refused() {
    let data = Data::ample();
    for row in contract() {
        let splitter = (row.make)(usize::MAX, 1);
        // Splitters that do not ask for the number give what they always give; none panics or fills the memory.
        match splitter.split(&data.rows()) {
            Ok(folds) => assert!(folds.len() < 2_000, "{splitter:?}"),
            Err(error) => assert!(is_typed(&error), "{splitter:?}: {error}"),
        }
    }
    let huge = KFold::new(100_000).split(&Rows::new(100_000)).unwrap_err();
    assert!(matches!(huge, Error::Split { .. }), "{huge}");
}

#[test]
fn the_order_of_the_groups_numbers_does_not_matter_to_the_rows_left_out() {
    // Another number for each group gives the same set of test rows, fold for fold in another order.
    let data = Data::ample();
    let mut names: Vec<usize> = (0..12).collect();
    Stream::new(3).shuffle(&mut names);
    let renamed: Vec<usize> = (0..60).map(|row| names[row / 5]).collect();
    let tests = |groups: &[usize]| -> BTreeSet<Vec<usize>> {
        let folds = LeaveOneGroupOut.split(&Rows::new(60).groups(groups)).unwrap();
        folds.into_iter().map(|fold| fold.test).collect()
    };
    assert_eq!(tests(&data.groups), tests(&renamed));
}

#[test]
fn group_folds_are_balanced_within_five_percent() {
    // As scikit-learn's own test: 1000 rows in up to 100 groups, 10 folds.
    let mut stream = Stream::new(0);
    let groups: Vec<usize> = (0..1000).map(|_| stream.below(100)).collect();
    let folds = GroupKFold::new(10).split(&Rows::new(1000).groups(&groups)).unwrap();
    for fold in folds {
        assert!(fold.test.len().abs_diff(100) <= 5, "{} rows", fold.test.len());
    }
}

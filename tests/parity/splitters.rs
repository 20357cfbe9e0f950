//! The rows of every fold as scikit-learn's, where the rule leaves nothing to chance.

use linfa_mlp::model_selection::{
    Classes, GroupKFold, KFold, LeaveOneGroupOut, LeaveOneOut, LeavePGroupsOut, LeavePOut, PredefinedSplit,
    Rows, Split, Splitter, StratifiedGroupKFold, StratifiedKFold, TimeSeriesSplit,
};
use ndarray::Array1;
use serde_json::Value;

use crate::fixture::{list, read, text};

fn whole(value: &Value) -> Option<usize> {
    Some(usize::try_from(value.as_u64()?).expect("a number of rows"))
}

fn wholes(value: &Value) -> Option<Vec<usize>> {
    value.as_array().map(|items| items.iter().map(|item| whole(item).expect("a whole number")).collect())
}

fn splitter(name: &str, arguments: &Value) -> Box<dyn Splitter> {
    let argument = |name: &str| whole(&arguments[name]).expect("the fixture has this argument");
    match name {
        "KFold" => Box::new(KFold::new(argument("n_splits"))),
        "StratifiedKFold" => Box::new(StratifiedKFold::new(argument("n_splits"))),
        "GroupKFold" => Box::new(GroupKFold::new(argument("n_splits"))),
        "StratifiedGroupKFold" => Box::new(StratifiedGroupKFold::new(argument("n_splits"))),
        "LeaveOneOut" => Box::new(LeaveOneOut),
        "LeavePOut" => Box::new(LeavePOut::new(argument("p"))),
        "LeaveOneGroupOut" => Box::new(LeaveOneGroupOut),
        "LeavePGroupsOut" => Box::new(LeavePGroupsOut::new(argument("n_groups"))),
        "PredefinedSplit" => {
            // −1 is scikit-learn's word for a row that always trains.
            Box::new(PredefinedSplit::new(list(arguments, "test_fold").iter().map(whole)))
        }
        "TimeSeriesSplit" => {
            let mut splitter = TimeSeriesSplit::new(argument("n_splits"));
            if let Some(rows) = whole(&arguments["test_size"]) {
                splitter = splitter.test_size(rows);
            }
            if let Some(rows) = whole(&arguments["gap"]) {
                splitter = splitter.gap(rows);
            }
            if let Some(rows) = whole(&arguments["max_train_size"]) {
                splitter = splitter.max_train_size(rows);
            }
            Box::new(splitter)
        }
        unknown => panic!("the fixture has a splitter nobody compares: {unknown}"),
    }
}

#[test]
fn folds_equal_scikit_learn() {
    let fixture = read("splitters.json");
    let mut n_folds = 0;
    for case in list(&fixture, "cases") {
        let n = whole(&case["n"]).expect("a number of rows");
        let classes = wholes(&case["labels"]).map(|labels| Classes::of(Array1::from(labels).view()));
        let groups = wholes(&case["groups"]);
        let mut rows = Rows::new(n);
        if let Some(classes) = &classes {
            rows = rows.classes(classes);
        }
        if let Some(groups) = &groups {
            rows = rows.groups(groups);
        }
        let (name, arguments) = (text(case, "splitter"), &case["arguments"]);
        let part = |fold: &Value, key: &str| wholes(&fold[key]).expect("a list of rows");
        let expected: Vec<Split> = list(case, "folds")
            .iter()
            .map(|fold| Split { train: part(fold, "train"), test: part(fold, "test") })
            .collect();
        let found = splitter(name, arguments).split(&rows).expect("scikit-learn divides these rows");
        assert_eq!(found, expected, "{name} {arguments} of {n} rows");
        n_folds += expected.len();
    }
    assert!(n_folds > 150, "only {n_folds} folds compared");
}

//! The rungs of successive halving.

use linfa_mlp::model_selection::{Epochs, Halving, Strategy};

use crate::fixture::{list, read};

#[test]
fn the_rungs_have_scikit_learns_candidates_and_reach_the_most() {
    let fixture = read("halving.json");
    for case in list(&fixture, "cases") {
        let number = |key: &str| case[key].as_u64().expect("a number") as usize;
        let (factor, max) = (number("factor"), number("most"));
        let ladder = Halving::new(Epochs { min: 1, max }, factor).ladder(0, number("candidates"), 10);
        let ladder = ladder.unwrap().expect("halving has rungs");
        let candidates: Vec<u64> = ladder.rungs().iter().map(|(n, _)| *n as u64).collect();
        let numbers = |key| list(case, key).iter().map(|n| n.as_u64().expect("a number")).collect::<Vec<_>>();
        assert_eq!(candidates, numbers("n_candidates"), "{case}");
        let resources: Vec<u64> = ladder.rungs().iter().map(|(_, resource)| *resource).collect();
        assert_eq!(resources.last(), Some(&(max as u64)), "{case}");
        // Scikit-learn starts with ⌊R / ηᵏ⌋ and multiplies, so that its last rung may fall short of the most.
        let theirs = numbers("n_resources");
        assert_eq!(resources[0], theirs[0], "{case}");
        if theirs.last() == Some(&(max as u64)) {
            assert_eq!(resources, theirs, "{case}");
        }
    }
}

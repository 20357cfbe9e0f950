//! A round of candidates: evaluated once, or up the rungs of a ladder.

use std::ops::Range;

use linfa::Float;
use linfa::dataset::TargetDim;

use super::ladder::{Ladder, RungSummary, Unit};
use crate::error::{Result, check};
use crate::metric::Direction;
use crate::model_selection::engine::evaluation::Evaluation;
use crate::model_selection::engine::fold_rows::FoldRows;
use crate::model_selection::engine::rung::Rung;
use crate::model_selection::engine::trainer::Trainer;
use crate::model_selection::executor::Executor;
use crate::model_selection::fit::target::{Classes, Target};
use crate::model_selection::observer::{SearchObserver, StartedRung};
use crate::model_selection::results::{FitRow, MeanStd, ScorerInfo};
use crate::model_selection::scorer::better_first;

/// The folds of each rung of a round; without a ladder there is one rung.
pub(super) fn folds_of_rungs<'s>(
    ladder: Option<&Ladder>,
    folds: &[FoldRows<'s>],
    classes: Option<&Classes>,
) -> Vec<Vec<FoldRows<'s>>> {
    match ladder.filter(|ladder| ladder.unit() == Unit::Samples) {
        None => vec![folds.to_vec()],
        Some(ladder) => {
            let sampled = |n: u64| {
                let fold =
                    |(fold, rows): (usize, &FoldRows<'s>)| rows.with_samples(n as usize, fold, classes);
                folds.iter().enumerate().map(fold).collect()
            };
            ladder.rungs().iter().map(|&(_, n)| sampled(n)).collect()
        }
    }
}

/// Checks that the estimator can climb the ladder.
pub(super) fn check_ladder(ladder: Option<&Ladder>, continues: bool) -> Result<()> {
    let Some(ladder) = ladder else { return Ok(()) };
    let rungs = ladder.rungs().len();
    check("ladder", "without rungs", rungs >= 1, "one with at least 1 rung")?;
    let ok = continues || ladder.unit() == Unit::Samples;
    check("resource", ladder.unit(), ok, "samples for an estimator whose fits cannot go on")
}

/// Who decides which candidates go on.
#[derive(Clone, Copy)]
pub(super) struct Judge<'j> {
    pub scorer: usize,
    pub info: &'j ScorerInfo,
}

impl Judge<'_> {
    /// The mean test score of a candidate over its fits in these rows; NaN unless all were finished.
    fn mean<'r>(self, rows: impl IntoIterator<Item = &'r FitRow>, candidate: usize) -> f64 {
        let fits = rows.into_iter().filter(|row| row.candidate == candidate);
        let score =
            |row: &FitRow| if row.status.is_fitted() { row.test_scores[self.scorer] } else { f64::NAN };
        MeanStd::of(&fits.map(score).collect::<Vec<f64>>()).mean
    }

    /// The mean of the last rung that the candidate was in, turned so that less is better.
    pub(super) fn loss(self, climbed: &Climbed, candidate: usize) -> f64 {
        let of_candidate = || climbed.rows.iter().filter(|row| row.candidate == candidate);
        let last = of_candidate().map(|row| row.rung).max();
        let mean = self.mean(of_candidate().filter(|row| Some(row.rung) == last), candidate);
        if self.info.direction == Direction::Maximize { -mean } else { mean }
    }

    /// The best so many of the candidates, in their order; equal ones by their order, and none without a mean.
    fn best(self, rows: &[FitRow], candidates: &[usize], so_many: usize) -> Vec<usize> {
        let mut means: Vec<(f64, usize)> =
            candidates.iter().map(|&candidate| (self.mean(rows, candidate), candidate)).collect();
        means.retain(|(mean, _)| !mean.is_nan());
        means.sort_by(|a, b| better_first(self.info.direction, a.0, b.0));
        means.truncate(so_many);
        let mut best: Vec<usize> = means.into_iter().map(|(_, candidate)| candidate).collect();
        best.sort_unstable();
        best
    }
}

/// What came of a round.
#[derive(Default)]
pub(super) struct Climbed {
    pub rows: Vec<FitRow>,
    pub rungs: Vec<RungSummary>,
}

impl Climbed {
    pub(super) fn is_stopped(&self) -> bool {
        self.rows.iter().any(|row| row.status.is_stopped())
    }
}

/// A rung of a ladder with these candidates.
pub(super) fn rung_of<'a>(
    ladder: &Ladder,
    number: usize,
    candidates: Vec<usize>,
    folds: &'a [Vec<FoldRows<'a>>],
) -> Rung<'a> {
    let resource = ladder.rungs()[number].1;
    let goal = ladder.goal(resource);
    Rung {
        number,
        candidates,
        folds: &folds[number.min(folds.len() - 1)],
        goal,
        from: number.checked_sub(1).and_then(|before| ladder.goal(ladder.rungs()[before].1)),
        resource: Some(resource),
        epochs: None,
        goes_on: goal.is_some() && number + 1 < ladder.rungs().len(),
    }
}

/// The rung that all candidates of a round enter.
pub(super) fn first_rung<'a>(
    candidates: Range<usize>,
    ladder: Option<&Ladder>,
    folds: &'a [Vec<FoldRows<'a>>],
) -> Rung<'a> {
    match ladder {
        None => Rung::only(candidates, &folds[0]),
        Some(ladder) => rung_of(ladder, 0, candidates.collect(), folds),
    }
}

/// Runs a round: every rung, until its last, or until the search shall stop.
pub(super) fn climb<'a, T, P, F, Y, I>(
    evaluation: &Evaluation<'a, T, P, F, Y, I>,
    (round, candidates): (usize, Range<usize>),
    ladder: Option<&Ladder>,
    folds: &'a [Vec<FoldRows<'a>>],
    judge: Judge<'_>,
    (executor, observer): (&dyn Executor, &dyn SearchObserver),
) -> Result<Climbed>
where
    T: Trainer<P, F, Y, I>,
    P: Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    let mut climbed = Climbed::default();
    let Some(ladder) = ladder else {
        climbed.rows = evaluation.run(&first_rung(candidates, None, folds), executor)?;
        return Ok(climbed);
    };
    let mut entering: Vec<usize> = candidates.collect();
    for (number, &(_, resource)) in ladder.rungs().iter().enumerate() {
        let next = ladder.rungs().get(number + 1).map(|(candidates, _)| *candidates);
        let rung = rung_of(ladder, number, entering.clone(), folds);
        observer.rung_started(&StartedRung { round, rung: number, candidates: entering.clone(), resource });
        let rows = evaluation.run(&rung, executor)?;
        let stopped = rows.iter().any(|row| row.status.is_stopped());
        let promoted = match next {
            Some(so_many) if !stopped => judge.best(&rows, &entering, so_many),
            _ => Vec::new(),
        };
        // What was stopped may be started again, and goes on from where it was.
        if !stopped {
            evaluation.keep_states(&promoted, &entering);
        }
        climbed.rows.extend(rows);
        let (unit, candidates) = (ladder.unit(), std::mem::replace(&mut entering, promoted.clone()));
        climbed.rungs.push(RungSummary { round, rung: number, unit, resource, candidates, promoted });
        if entering.is_empty() {
            break;
        }
    }
    climbed.rows.sort_by_key(FitRow::task);
    Ok(climbed)
}

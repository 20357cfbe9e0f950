//! Whether a score is better than chance.

use std::fmt;
use std::sync::Arc;

use linfa::Float;
use linfa::dataset::{DatasetBase, TargetDim};
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array, Array2, ArrayBase, Data, Ix2};
use rayon::prelude::*;

use crate::error::{Error, Result, check};
use crate::model_selection::engine::trainer::{ByDataset, ByRows, Trainer};
use crate::model_selection::evaluate::cross_validate::CrossValidator;
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::fit_rows::FitRows;
use crate::model_selection::fit::target::Target;
use crate::model_selection::observer::{Observers, Progress, SearchObserver, Task};
use crate::model_selection::results::{FitRow, MeanStd, ScorerInfo, significant};
use crate::model_selection::scorer::{Scorer, better_first};
use crate::model_selection::split::Splitter;
use crate::rng::Stream;

/// What a permutation test found. `Display` says it in a line.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PermutationTest {
    /// The scorer.
    pub scorer: ScorerInfo,
    /// The mean test score on the data as they are.
    #[serde(serialize_with = "crate::number::single", deserialize_with = "crate::number::read_single")]
    pub score: f64,
    /// The mean test score for each permutation of the targets; NaN where a fold failed.
    #[serde(with = "crate::number::list")]
    pub permutation_scores: Vec<f64>,
    /// How often chance alone is as good:
    ///
    /// ```text
    /// p = (C + 1) / (n_permutations + 1)        C: permutations that score as well or better, or have no score
    /// ```
    pub p_value: f64,
}

impl fmt::Display for PermutationTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chance = MeanStd::of(&self.permutation_scores);
        let (name, n) = (&self.scorer.name, self.permutation_scores.len());
        let show = |value| significant(value, 4);
        let (score, mean, std) = (show(self.score), show(chance.mean), show(chance.std));
        write!(
            f,
            "{name} = {score}, by chance {mean} ± {std} in {n} permutations: p = {}",
            show(self.p_value)
        )
    }
}

/// Tells observers of the fits of one permutation, as if each permutation were a candidate.
struct OfPermutation {
    observers: Observers,
    permutation: usize,
}

impl OfPermutation {
    fn task(&self, task: Task) -> Task {
        Task { candidate: self.permutation, ..task }
    }
}

impl SearchObserver for OfPermutation {
    fn fit_started(&self, task: Task) {
        self.observers.fit_started(self.task(task));
    }

    fn fit_progress(&self, task: Task, progress: Progress) {
        self.observers.fit_progress(self.task(task), progress);
    }

    fn fit_finished(&self, row: &FitRow) {
        self.observers.fit_finished(&FitRow { candidate: self.permutation, ..row.clone() });
    }
}

/// The rows in another order; with groups, rows change places inside their group only. Permutation 0 changes nothing.
fn permuted(rows: usize, groups: Option<&[usize]>, seed: u64, permutation: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    if permutation == 0 {
        return order;
    }
    let stream = Stream::new(seed).named("permutation").at(permutation as u64);
    let Some(groups) = groups else {
        stream.named("rows").shuffle(&mut order);
        return order;
    };
    order.sort_by_key(|&row| groups[row]);
    let mut exchanged = vec![0; rows];
    for members in order.chunk_by(|&a, &b| groups[a] == groups[b]) {
        let mut drawn = members.to_vec();
        stream.named("group").at(groups[members[0]] as u64).shuffle(&mut drawn);
        members.iter().zip(drawn).for_each(|(&row, from)| exchanged[row] = from);
    }
    exchanged
}

impl<F: Float, Y: Target> CrossValidator<F, Y> {
    /// Compares the first scorer's mean test score with those of permuted targets; [`permutation_test_score`] is the short
    /// form. Observers see each permutation as a candidate, of which number 0 is the data as they are.
    ///
    /// There is no journal for it: one belongs to one data set, and every permutation is another.
    ///
    /// # Errors
    ///
    /// As [`permutation_test_score`], and [`Error::Parameter`] for a journal.
    pub fn permutation_test<P, D, S, I, E>(
        &self,
        estimator: &P,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
        n_permutations: usize,
        seed: u64,
    ) -> Result<PermutationTest>
    where
        D: Data<Elem = F>,
        S: Data<Elem = Y>,
        I: TargetDim + 'static,
        P: Fit<Array2<F>, Array<Y, I>, E> + Sync,
        P::Object: PredictInplace<Array2<F>, Array<Y, I>>,
        E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
    {
        let data = DataView::of(dataset)?;
        self.compare(|_| Ok(ByDataset::new()), estimator, &data, None, (n_permutations, seed))
    }

    /// As [`permutation_test`](CrossValidator::permutation_test), for an estimator that reads the rows of the borrowed data
    /// set: but for preprocessing, only the targets are copied.
    ///
    /// # Errors
    ///
    /// As [`permutation_test_score`], and before the first fit what the estimator's own checks say.
    pub fn permutation_test_by_rows<P, D, S, I>(
        &self,
        estimator: &P,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
        n_permutations: usize,
        seed: u64,
    ) -> Result<PermutationTest>
    where
        D: Data<Elem = F>,
        S: Data<Elem = Y>,
        I: TargetDim + 'static,
        P: FitRows<F, Y, I>,
    {
        estimator.check()?;
        let data = DataView::of(dataset)?;
        let trainer =
            |view: &DataView<'_, F, Y, I>| ByRows::<P, F, Y, I>::new(view, &self.protocol.preparation);
        self.compare(trainer, estimator, &data, None, (n_permutations, seed))
    }

    fn compare<T, P, I>(
        &self,
        trainer: impl Fn(&DataView<'_, F, Y, I>) -> Result<T> + Sync,
        estimator: &P,
        data: &DataView<'_, F, Y, I>,
        splitter: Option<&dyn Splitter>,
        (n_permutations, seed): (usize, u64),
    ) -> Result<PermutationTest>
    where
        T: Trainer<P, F, Y, I>,
        P: Sync,
        I: TargetDim + 'static,
    {
        check("n_permutations", n_permutations, n_permutations >= 1, "at least 1")?;
        let known = self.protocol.known(data)?;
        let run = |permutation: usize| {
            let order = permuted(data.n_samples(), known.groups(), seed, permutation);
            let targets = data.gather_targets(&order);
            let view = data.with(None, Some(targets.view()));
            let mut validator = self.clone().train_scores(false);
            validator.protocol.observers = Observers::default();
            let observers = self.protocol.observers.clone();
            validator.protocol.observers.push(Arc::new(OfPermutation { observers, permutation }));
            validator.evaluate(&trainer(&view)?, estimator, &view, splitter, None, None)
        };
        // The data as they are come first: what is wrong with them is said before any permutation is tried.
        let truth = run(0)?;
        let scorer = truth.scorers()[0].clone();
        let scores = truth.results().test_scores(0, 0);
        if let Some(row) = truth.rows().iter().find(|row| row.test_scores[0].is_nan()) {
            let message = row.status.message().unwrap_or("the scorer gives NaN").to_string();
            return Err(Error::FoldFailed { fold: row.fold, what: "score", message });
        }
        let score = MeanStd::of(&scores).mean;
        let numbers: Vec<usize> = (1..=n_permutations).collect();
        let mut permutation_scores = Vec::with_capacity(n_permutations);
        // A few at a time: each holds its targets and folds.
        for some in numbers.chunks(self.protocol.executor.threads().max(1)) {
            let found = some.par_iter().map(|&permutation| match run(permutation) {
                Ok(scores) => Ok(MeanStd::of(&scores.results().test_scores(0, 0)).mean),
                // No model could be made of this order of the targets.
                Err(Error::AllFitsFailed { .. } | Error::ClassMissing { .. }) => Ok(f64::NAN),
                Err(error) => Err(error),
            });
            permutation_scores.extend(found.collect::<Result<Vec<f64>>>()?);
        }
        let as_good = |&&other: &&f64| {
            other.is_nan() || better_first(scorer.direction, other, score) != std::cmp::Ordering::Greater
        };
        let as_good = permutation_scores.iter().filter(as_good).count();
        let p_value = (as_good + 1) as f64 / (n_permutations + 1) as f64;
        Ok(PermutationTest { scorer, score, permutation_scores, p_value })
    }
}

/// Tests whether an estimator's score is better than it would be if the targets had nothing to do with the records.
///
/// The targets are shuffled among the rows and the whole cross-validation is done again, `n_permutations` times, each with folds
/// of its own. Sample weights stay with the records. Permutations and folds run in parallel; the result depends on the seed
/// alone. With [`groups`](CrossValidator::groups), targets are shuffled inside each group.
///
/// # Errors
///
/// - as [`cross_validate`](crate::model_selection::cross_validate)
/// - [`Error::Parameter`] for no permutations
/// - [`Error::FoldFailed`] when a fold of the data as they are has no score
///
/// # Examples
///
/// ```
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{KFold, Scorer, permutation_test_score};
///
/// let diabetes = linfa_datasets::diabetes();
/// let (params, cv) = (ElasticNet::params().penalty(0.01), KFold::new(3).shuffle(1));
/// let test = permutation_test_score(&params, &diabetes, &cv, &Scorer::r2(), 19, 42)?;
/// assert_eq!(test.p_value, 1.0 / 20.0);
/// assert!(test.permutation_scores.iter().all(|&r2| r2 < 0.1));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
///
/// # References
///
/// M. Ojala, G. C. Garriga, *Permutation Tests for Studying Classifier Performance*, JMLR 11 (2010), test 1.
pub fn permutation_test_score<P, D, S, F, Y, I, E>(
    estimator: &P,
    dataset: &DatasetBase<ArrayBase<D, Ix2>, ArrayBase<S, I>>,
    splitter: &dyn Splitter,
    scorer: &Scorer<Y>,
    n_permutations: usize,
    seed: u64,
) -> Result<PermutationTest>
where
    F: Float,
    Y: Target,
    D: Data<Elem = F>,
    S: Data<Elem = Y>,
    I: TargetDim + 'static,
    P: Fit<Array2<F>, Array<Y, I>, E> + Sync,
    P::Object: PredictInplace<Array2<F>, Array<Y, I>>,
    E: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
{
    let validator = CrossValidator::<F, Y>::new().scorers([scorer.clone()]);
    let data = DataView::of(dataset)?;
    validator.compare(|_| Ok(ByDataset::new()), estimator, &data, Some(splitter), (n_permutations, seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_and_the_number_alone_decide_a_permutation() {
        assert_eq!(permuted(5, None, 3, 0), [0, 1, 2, 3, 4]);
        let order = permuted(50, None, 3, 1);
        assert_eq!(order, permuted(50, None, 3, 1));
        assert_ne!(order, permuted(50, None, 3, 2));
        assert_ne!(order, permuted(50, None, 4, 1));
        let mut sorted = order;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn groups_keep_their_targets_to_themselves() {
        let groups: Vec<usize> = (0..40).map(|row| row % 4).collect();
        let order = permuted(40, Some(&groups), 1, 7);
        assert!(order.iter().enumerate().all(|(row, &from)| groups[row] == groups[from]));
        assert_ne!(order, (0..40).collect::<Vec<_>>());
    }
}

//! What an evaluation shares with its store: the names of fits, finished rows, unfinished training.

use linfa::Float;
use linfa::dataset::TargetDim;

use super::Evaluation;
use super::fitting::Ready;
use crate::error::{Error, Result};
use crate::model_selection::engine::fold_rows::FoldRows;
use crate::model_selection::engine::guarded::{guarded, locked};
use crate::model_selection::engine::rung::Rung;
use crate::model_selection::engine::trainer::Trainer;
use crate::model_selection::executor::FitStore;
use crate::model_selection::fit::continue_rows::Goal;
use crate::model_selection::fit::data_view::columns;
use crate::model_selection::fit::target::Target;
use crate::model_selection::journal::{Content, Digest, Digester, StateOf, Study, TaskKey};
use crate::model_selection::observer::Task;
use crate::model_selection::results::FitRow;
use crate::model_selection::scorer::Scorer;

/// The store that keeps finished fits, and what it knows the candidates by.
#[derive(Clone, Copy)]
pub(crate) struct Past<'a> {
    pub store: &'a dyn FitStore,
    pub contents: &'a [Content],
    /// The outer fold of a search inside a cross-validation.
    pub outer: Option<usize>,
}

/// A row from elsewhere: its candidate may have had another number there, its rung another place.
pub(super) fn of_task(task: Task, row: FitRow) -> FitRow {
    FitRow { candidate: task.candidate, rung: task.rung, ..row }
}

impl<'a, T, P, F, Y, I> Evaluation<'a, T, P, F, Y, I>
where
    T: Trainer<P, F, Y, I>,
    P: Sync,
    F: Float,
    Y: Target,
    I: TargetDim + 'static,
{
    /// Takes finished fits from a store, and puts those that finish into it.
    pub(crate) fn remember(&mut self, past: Past<'a>) {
        self.past = Some(past);
    }

    /// Adds everything that all fits depend on to a study. The first fold is opened for it and kept.
    pub(crate) fn describe(&self, study: Study, folds: &'a [FoldRows<'a>]) -> Result<Study> {
        let protocol = self.protocol;
        let study = study.data(&self.data).folds(folds);
        let Some(rows) = folds.first() else { return Ok(study) };
        let first = locked(&self.first).take();
        let (rows, prefix, first) =
            first.map_or_else(|| self.ready(rows, 0).map(|ready| (rows, 0, ready)), Ok)?;
        let prepared = &protocol.preparation;
        let preparation = if prepared.keeps_records() && prepared.keeps_targets() {
            "none".into()
        } else if prepared.has_choices() {
            // What a candidate has chosen belongs to its content.
            format!("{prepared:?}")
        } else {
            let mut digester = Digester::new();
            self.trainer.digest(&first.fold, &mut digester);
            format!("{prepared:?}, {}", digester.digest())
        };
        let truth = columns(first.test.targets.view());
        let weights = first.test.weights.as_deref();
        let identity = |scorer: &Scorer<Y>| {
            let identity = guarded("scoring", || Ok::<_, Error>(scorer.identity(&truth, weights)));
            identity.unwrap_or_else(|_| format!("{} (panics in a test)", scorer.name()))
        };
        let scorers = self.scorers.iter().map(identity).collect::<Vec<_>>().join("; ");
        *locked(&self.first) = Some((rows, prefix, first));
        Ok(study
            .with("preparation", preparation)
            .with("scorers", scorers)
            .with("training scores", if protocol.train_scores { "on" } else { "off" })
            .with("way of training", T::WAY))
    }

    /// Remembers what an open first fold looks like, where candidates choose what is done to it and a store wants to know.
    pub(super) fn take_digest(&self, prefix: usize, ready: &Ready<T::Fold<'a>, Y, I>) {
        if self.protocol.preparation.has_choices() && self.protocol.keeps_rows() {
            let mut digester = Digester::new();
            self.trainer.digest(&ready.fold, &mut digester);
            locked(&self.digests).insert(prefix, digester.digest());
        }
    }

    /// Adds to the contents of candidates, from that one on, what the first fold looks like behind the steps they have chosen;
    /// where there is no choice they stay as they are. What is known of the steps from earlier rounds is not worked out again.
    ///
    /// # Errors
    ///
    /// A step that cannot be fitted.
    pub(crate) fn behind_steps(
        &self,
        folds: &'a [FoldRows<'a>],
        contents: &mut [Content],
        from: usize,
        known: &mut Vec<Digest>,
    ) -> Result<()> {
        let Some(rows) = folds.first().filter(|_| self.protocol.preparation.has_choices()) else {
            return Ok(());
        };
        for prefix in known.len()..self.prefixes.len() {
            if !locked(&self.digests).contains_key(&prefix) {
                self.take_digest(prefix, &self.ready(rows, prefix)?);
            }
            known.extend(locked(&self.digests).get(&prefix));
        }
        for (candidate, content) in contents.iter_mut().enumerate().skip(from) {
            content.behind(known[self.prefixes.place(candidate)]);
        }
        Ok(())
    }

    /// How many fits of a rung the store has.
    pub(crate) fn restored(&self, rung: &Rung<'a>) -> usize {
        self.tasks(rung).filter(|&task| self.found(rung, task).is_ok_and(|row| row.is_some())).count()
    }

    /// What a store calls a fit.
    pub(super) fn key(&self, rung: &Rung<'a>, task: Task, past: Past<'a>) -> TaskKey {
        TaskKey {
            candidate: past.contents[task.candidate].digest,
            fold: task.fold.unwrap_or(0),
            replicate: task.replicate,
            goal: rung.goal,
            resource: rung.resource,
            epochs: rung.epochs,
            outer: past.outer,
        }
    }

    /// The row of a fit, if the store has it.
    pub(crate) fn found(&self, rung: &Rung<'a>, task: Task) -> Result<Option<FitRow>> {
        let Some(past) = self.past else { return Ok(None) };
        let blank = self.row(rung, task);
        let row = past.store.row(&self.key(rung, task, past), &|row| self.could_be(&blank, row))?;
        Ok(row.map(|row| of_task(task, row)))
    }

    /// Whether a row from elsewhere has the shape of one that is here before its fit.
    pub(super) fn could_be(&self, blank: &FitRow, row: &FitRow) -> bool {
        let (scorers, with_train) = (self.scorers.len(), self.protocol.train_scores);
        let train = row.train_scores.as_ref();
        (row.train_rows, row.test_rows) == (blank.train_rows, blank.test_rows)
            && row.stopping_rows == blank.stopping_rows
            && row.test_scores.len() == scorers
            && train.is_none_or(|scores| with_train && scores.len() == scorers)
            && (!row.status.is_fitted() || train.is_some() == with_train)
    }

    /// Whether a fit that has come back was a whole one. After the search was told to end, it may have been cut short.
    pub(super) fn counts(&self, row: &FitRow) -> bool {
        !row.status.is_stopped() && !self.limits.stop.is_due()
    }

    /// Puts a finished fit into the store. One that may have been cut short is left out, to be done again.
    pub(crate) fn write_down(&self, rung: &Rung<'a>, row: &FitRow) {
        if let Some(past) = self.past.filter(|_| self.counts(row)) {
            let params = &past.contents[row.candidate].params;
            past.store.append(&self.key(rung, row.task(), past), params, row);
        }
    }

    /// Forgets what fits left for the next rung, but for the candidates that were promoted of those that entered.
    pub(crate) fn keep_states(&self, promoted: &[usize], entered: &[usize]) {
        locked(&self.states).retain(|(candidate, ..), _| promoted.contains(candidate));
        if let Some(past) = self.past {
            let digest = |&candidate: &usize| past.contents[candidate].digest;
            let kept: Vec<Digest> = promoted.iter().map(digest).collect();
            let dropped: Vec<Digest> =
                entered.iter().map(digest).filter(|digest| !kept.contains(digest)).collect();
            past.store.keep_states(past.outer, &kept, &dropped);
        }
    }

    /// What a store calls the state of a fit.
    pub(super) fn state_of(&self, row: &FitRow, goal: Option<Goal>) -> Option<(&'a dyn FitStore, StateOf)> {
        let past = self.past?;
        let candidate = past.contents[row.candidate].digest;
        let (fold, replicate, outer) = (row.fold, row.replicate, past.outer);
        Some((past.store, StateOf { candidate, fold, replicate, outer, goal: goal? }))
    }
}

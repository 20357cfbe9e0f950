//! How candidates are evaluated: the settings that cross-validation and every search share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use linfa::Float;
use linfa::dataset::TargetDim;

use crate::error::{Result, check};
use crate::model_selection::engine::budget::Budget;
use crate::model_selection::engine::fold_rows::FoldRows;
use crate::model_selection::engine::known_rows::KnownRows;
use crate::model_selection::engine::shard::Shard;
use crate::model_selection::executor::{Executor, RayonExecutor};
use crate::model_selection::fit::data_view::DataView;
use crate::model_selection::fit::target::{Classes, Target};
use crate::model_selection::journal::Journal;
use crate::model_selection::observer::Observers;
use crate::model_selection::preparation::Preparation;
use crate::model_selection::scorer::Scorer;
use crate::model_selection::split::{KFold, Share, Split, Splitter, StratifiedKFold, check_classes, checked};

/// Splitter, scorers, preparation, executor, observers and journal.
#[derive(Clone, Debug)]
pub(crate) struct Protocol<F, Y> {
    pub splitter: Option<Arc<dyn Splitter>>,
    pub scorers: Option<Vec<Scorer<Y>>>,
    pub groups: Option<Vec<usize>>,
    pub missing_classes: bool,
    pub preparation: Preparation<F>,
    pub train_scores: bool,
    pub executor: Arc<dyn Executor>,
    pub observers: Observers,
    pub stop: Arc<AtomicBool>,
    pub budget: Budget,
    pub replicates: usize,
    pub stopping: Option<Share>,
    pub journal: Option<Journal>,
    pub shard: Option<Shard>,
}

impl<F, Y> Default for Protocol<F, Y> {
    fn default() -> Self {
        Protocol {
            splitter: None,
            scorers: None,
            groups: None,
            missing_classes: false,
            preparation: Preparation::default(),
            train_scores: false,
            executor: Arc::new(RayonExecutor::new()),
            observers: Observers::default(),
            stop: Arc::default(),
            budget: Budget::default(),
            replicates: 1,
            stopping: None,
            journal: None,
            shard: None,
        }
    }
}

impl<F, Y> Protocol<F, Y> {
    /// How many of so many fits are this process's.
    pub fn share(&self, fits: usize) -> usize {
        self.shard.map_or(fits, |shard| shard.share(fits))
    }

    /// A share of the fits is worth nothing unless their rows are kept.
    pub fn check_shard(&self) -> Result<()> {
        let Some(shard) = self.shard else { return Ok(()) };
        shard.check()?;
        check("shard", "set", self.journal.is_some(), "unset for a search without a journal")
    }
}

impl<F: Float, Y: Target> Protocol<F, Y> {
    /// The scorers asked for, or the target's own; their names differ.
    pub fn scorers(&self) -> Result<Vec<Scorer<Y>>> {
        let scorers = self.scorers.clone().unwrap_or_else(|| vec![Y::default_scorer()]);
        check("scorers", "an empty list", !scorers.is_empty(), "at least one")?;
        for (place, scorer) in scorers.iter().enumerate() {
            let again = scorers[..place].iter().any(|other| other.name() == scorer.name());
            check("scorers", scorer.name(), !again, "scorers with different names")?;
        }
        Ok(scorers)
    }

    /// The rows of each fold by what they are for.
    pub fn fold_rows<'s>(&self, splits: &'s [Split], classes: Option<&Classes>) -> Result<Vec<FoldRows<'s>>> {
        let of_fold = |(fold, split): (usize, &'s Split)| {
            let rows = FoldRows::of(split);
            let Some(share) = self.stopping else { return Ok(rows) };
            let rows = rows.keeping(share, Some(fold), classes, self.groups.as_deref())?;
            if let Some(classes) = classes.filter(|_| !self.missing_classes) {
                check_classes(fold, &rows.train, classes)?;
            }
            Ok(rows)
        };
        splits.iter().enumerate().map(of_fold).collect()
    }

    /// The rows of the refit: all of them, of which some are kept for stopping unless its epochs are known.
    pub fn refit_rows(
        &self,
        n_samples: usize,
        classes: Option<&Classes>,
        keeps: bool,
    ) -> Result<FoldRows<'static>> {
        let all = FoldRows { train: (0..n_samples).collect(), stopping: Vec::new(), test: &[] };
        match self.stopping.filter(|_| keeps) {
            None => Ok(all),
            Some(share) => all.keeping(share, None, classes, self.groups.as_deref()),
        }
    }

    /// The folds, checked. Everything that can be wrong with data, groups and preparation is found here.
    pub fn splits<I: TargetDim>(
        &self,
        data: &DataView<'_, F, Y, I>,
        splitter: Option<&dyn Splitter>,
    ) -> Result<Vec<Split>> {
        self.preparation.check::<Y>()?;
        self.budget.check()?;
        self.check_shard()?;
        check("replicates", self.replicates, self.replicates >= 1, "at least 1")?;
        let known = self.known(data)?;
        self.divide(&known, splitter)
    }

    /// Whether finished fits are kept somewhere, in a journal or in a store that processes share.
    pub fn keeps_rows(&self) -> bool {
        self.journal.is_some() || self.executor.store().is_some()
    }

    /// What the data say about their rows.
    pub fn known<I: TargetDim>(&self, data: &DataView<'_, F, Y, I>) -> Result<KnownRows> {
        KnownRows::of(data, self.groups.as_deref())
    }

    /// The folds of known rows, checked.
    pub fn divide(&self, known: &KnownRows, splitter: Option<&dyn Splitter>) -> Result<Vec<Split>> {
        let default: Arc<dyn Splitter> =
            if known.classes.is_some() { Arc::new(StratifiedKFold::new(5)) } else { Arc::new(KFold::new(5)) };
        let own = self.splitter.as_ref().unwrap_or(&default);
        checked(splitter.unwrap_or(&**own), &known.rows(), self.missing_classes)
    }
}

/// The number of each value, in the values' own order.
pub(crate) fn numbered<G: Ord>(groups: impl IntoIterator<Item = G>) -> Vec<usize> {
    let groups: Vec<G> = groups.into_iter().collect();
    let mut sorted: Vec<&G> = groups.iter().collect();
    sorted.sort();
    sorted.dedup();
    groups.iter().map(|group| sorted.partition_point(|other| *other < group)).collect()
}

/// The builder methods that cross-validation and every search share. The type has a field `protocol`.
macro_rules! protocol_methods {
    () => {
        /// How the rows are divided. The default is 5 folds, stratified when the targets are labels.
        #[must_use]
        pub fn cv(mut self, splitter: impl $crate::model_selection::Splitter + 'static) -> Self {
            self.protocol.splitter = Some(std::sync::Arc::new(splitter));
            self
        }

        /// What is scored; the first scorer decides. The default is R² for numbers and accuracy for labels.
        #[must_use]
        pub fn scorers(
            mut self,
            scorers: impl IntoIterator<Item = $crate::model_selection::Scorer<Y>>,
        ) -> Self {
            self.protocol.scorers = Some(scorers.into_iter().collect());
            self
        }

        /// The group of each row, for splitters that keep groups together.
        #[must_use]
        pub fn groups<G: Ord>(mut self, groups: impl IntoIterator<Item = G>) -> Self {
            self.protocol.groups = Some($crate::model_selection::engine::protocol::numbered(groups));
            self
        }

        /// Whether a fold may train without ever seeing one of the classes. The default is no: it is an error.
        #[must_use]
        pub fn allow_missing_classes(mut self, allow: bool) -> Self {
            self.protocol.missing_classes = allow;
            self
        }

        /// Adds a linfa transformer of the records, such as `LinearScaler::standard()`. It is fitted on the training rows
        /// of each fold only, once for each fold, and shared by all candidates. Several are applied in order.
        ///
        /// Transformers see records and weights, no targets.
        #[must_use]
        pub fn preprocess<T, TE>(mut self, transformer: T) -> Self
        where
            F: linfa::Float,
            T: linfa::traits::Fit<ndarray::Array2<F>, ndarray::Array1<()>, TE> + Send + Sync + 'static,
            T::Object:
                linfa::traits::Transformer<ndarray::Array2<F>, ndarray::Array2<F>> + Send + Sync + 'static,
            TE: std::error::Error + From<linfa::Error> + Send + Sync + 'static,
        {
            self.protocol.preparation.push(transformer);
            self
        }

        /// Scales the targets of a regression, by figures of the training rows of each fold. Scores and predictions stay
        /// in the units of the data set.
        #[must_use]
        pub fn scale_targets(mut self, scaling: $crate::model_selection::TargetScaling) -> Self
        where
            F: linfa::Float,
        {
            self.protocol.preparation.scale_targets(scaling);
            self
        }

        /// Keeps a share of the training rows of each fold, or a number of them, to decide when to stop: early stopping and all
        /// else that watches validation rows sees them, and nothing is fitted on them. Preprocessing and target scaling see
        /// the rest of the training rows alone. The default is none.
        ///
        /// They are drawn by chance, of every class its share. Groups stay together: whole ones are drawn until they have as many
        /// rows, and the classes are as near to their shares as that allows. The refit keeps its share of all rows,
        /// unless its epochs are chosen from the folds. It takes an estimator that is validated while it trains, as this
        /// crate's are, with no validation rows of its own.
        #[must_use]
        pub fn stopping_rows(mut self, share: impl Into<$crate::model_selection::Share>) -> Self {
            self.protocol.stopping = Some(share.into());
            self
        }

        /// Whether the training rows are scored too. The default is no.
        #[must_use]
        pub fn train_scores(mut self, on: bool) -> Self {
            self.protocol.train_scores = on;
            self
        }

        /// Runs the fits on this rayon pool instead of the current one.
        #[must_use]
        pub fn pool(self, pool: std::sync::Arc<rayon::ThreadPool>) -> Self {
            self.executor($crate::model_selection::RayonExecutor::with_pool(pool))
        }

        /// Runs the fits somewhere else.
        #[must_use]
        pub fn executor(mut self, executor: impl $crate::model_selection::Executor + 'static) -> Self {
            self.protocol.executor = std::sync::Arc::new(executor);
            self
        }

        /// Adds somebody who is told what happens.
        #[must_use]
        pub fn observer(mut self, observer: impl $crate::model_selection::SearchObserver + 'static) -> Self {
            self.protocol.observers.push(std::sync::Arc::new(observer));
            self
        }

        /// How much may be spent on the fits. The default is no limit; see [`Budget`](crate::model_selection::Budget).
        #[must_use]
        pub fn budget(mut self, budget: $crate::model_selection::Budget) -> Self {
            self.protocol.budget = budget;
            self
        }

        /// Fits every candidate so many times in every fold, with seeds that derive from its own; means are over folds and
        /// replicates. The default is 1, with the candidate's own seed.
        ///
        /// Candidates share their seeds, so that their scores differ by what they are and not by luck
        /// ([`FitContext::seed`](crate::model_selection::FitContext::seed)).
        #[must_use]
        pub fn replicates(mut self, replicates: usize) -> Self {
            self.protocol.replicates = replicates;
            self
        }

        /// A flag that ends the fits: once it is set no fit starts, and those of the fast path stop at their next batch. What
        /// was scored until then is ranked, and the best candidate is refitted.
        ///
        /// With the crate `ctrlc`, Ctrl-C sets it, and a second Ctrl-C ends the program:
        ///
        /// ```text
        /// let flag = Arc::new(AtomicBool::new(false));
        /// let seen = Arc::clone(&flag);
        /// ctrlc::set_handler(move || if seen.swap(true, Ordering::Relaxed) { std::process::exit(130) })?;
        /// let found = search.stop_flag(flag).fit(&data)?;
        /// ```
        #[must_use]
        pub fn stop_flag(mut self, flag: std::sync::Arc<std::sync::atomic::AtomicBool>) -> Self {
            self.protocol.stop = flag;
            self
        }

        /// Calls this with the row of every fit that is over, on the thread that fitted it.
        #[must_use]
        pub fn on_fit(self, call: impl Fn(&$crate::model_selection::FitRow) + Send + Sync + 'static) -> Self {
            self.observer($crate::model_selection::OnFit(call))
        }

        /// Calls this when a fit says how far it is, on the thread that fits it.
        #[must_use]
        pub fn on_progress(
            self,
            call: impl Fn($crate::model_selection::Task, $crate::model_selection::Progress)
            + Send
            + Sync
            + 'static,
        ) -> Self {
            self.observer($crate::model_selection::OnProgress(call))
        }

        /// Writes the search as TensorBoard's HParams table into this directory, while it runs; see
        /// [`SearchTensorBoard`](crate::model_selection::SearchTensorBoard).
        #[cfg(feature = "tensorboard")]
        #[must_use]
        pub fn tensorboard(self, root: impl AsRef<std::path::Path>) -> Self {
            self.observer($crate::model_selection::SearchTensorBoard::to(root))
        }

        /// Writes every finished fit to a file. Killed at any moment and started again, the search does what is missing and
        /// gives the same bytes: see [`Journal`](crate::model_selection::Journal), which says what it compares.
        #[must_use]
        pub fn journal(mut self, journal: impl Into<$crate::model_selection::Journal>) -> Self {
            self.protocol.journal = Some(journal.into());
            self
        }

        /// Does one of so many shares of the fits, counted from 0, and leaves the others to other processes, on other machines if
        /// need be: each runs this same program with its own number and its own journal. Then the journals are
        /// [merged](crate::model_selection::Journal::merge), and the search with what came of it, and without a shard, has every
        /// fit and refits the best.
        ///
        /// Fits of other shards have rows with the status [`Stopped`](crate::model_selection::FitStatus::Stopped), unless the journal
        /// has them already, and no model is refitted before all are there. A search in rungs, or one that learns, comes as far as
        /// its first rung or round, and further each time that journals are merged and the shards run again. The guide has
        /// [recipes](crate::guide::many_machines).
        ///
        /// # Examples
        ///
        /// ```
        /// use linfa::traits::Fit;
        /// use linfa_elasticnet::ElasticNet;
        /// use linfa_mlp::model_selection::{GridSearch, Journal, KFold};
        ///
        /// let search = GridSearch::new(ElasticNet::params())
        ///     .axis("penalty", [0.01, 0.1, 1.0], |p, v| p.penalty(v))
        ///     .cv(KFold::new(5).shuffle(1));
        /// let diabetes = linfa_datasets::diabetes();
        /// # let folder = tempfile::tempdir()?;
        /// let part = |shard: usize| folder.path().join(format!("part-{shard}.journal"));
        /// for shard in 0..3 {
        ///     search.clone().journal(part(shard)).shard(shard, 3).fit(&diabetes)?;
        /// }
        /// let all = folder.path().join("all.journal");
        /// assert_eq!(Journal::merge((0..3).map(part), &all)?, 15);
        /// let whole = search.clone().journal(&all).fit(&diabetes)?;
        /// assert_eq!(whole.best_score(), search.fit(&diabetes)?.best_score());
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        #[must_use]
        pub fn shard(mut self, index: usize, of: usize) -> Self {
            self.protocol.shard = Some($crate::model_selection::engine::shard::Shard { index, of });
            self
        }

        /// Shows progress on standard error: a bar on a terminal, plain lines elsewhere.
        #[cfg(feature = "progress")]
        #[must_use]
        pub fn progress(self, on: bool) -> Self {
            if on { self.observer($crate::model_selection::SearchProgress::new()) } else { self }
        }
    };
}

pub(crate) use protocol_methods;

//! Progress of a search on standard error.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{Progress, SearchObserver, SearchPlan, Task};
use crate::model_selection::results::{FitRow, Params, SearchResults, seconds, significant};

/// Shows how far a search is, on standard error. On a terminal that is a bar for the search and a line for each fit under way,
/// with the epoch and the loss where the estimator reports them; elsewhere it is one plain line for each fit that is over.
///
/// ```text
/// ████████████────────  72/120 fits, 00:41 left
///   candidate 14 (hidden=[32, 64]), fold 2: epoch 31/100, loss 0.1234
///   candidate 14 (hidden=[32, 64]), fold 3: epoch 17/100, loss 0.1502
///
/// [72/120] candidate 14 (hidden=[32, 64]), fold 2: r2 = 0.8514 (12.3 ms), 41 s left
/// ```
#[derive(Debug, Default)]
pub struct SearchProgress {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bar: Option<ProgressBar>,
    /// The lines below the bar, by fit.
    lines: Option<(MultiProgress, BTreeMap<Task, ProgressBar>)>,
    started: Option<Instant>,
    candidates: Vec<String>,
    scorer: String,
    fits: usize,
    done: usize,
    restored: usize,
    failed: usize,
}

impl SearchProgress {
    /// A progress display that starts with the search.
    #[must_use]
    pub fn new() -> Self {
        SearchProgress::default()
    }

    fn with<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// A line above the bar, or a plain line.
    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => eprintln!("{line}"),
        }
    }

    /// `candidate 14 (hidden=[32, 64]), fold 2`
    fn fit(&self, candidate: usize, fold: usize, replicate: usize) -> String {
        let params = self.candidates.get(candidate).map_or("", String::as_str);
        let params = if params.is_empty() { String::new() } else { format!(" ({params})") };
        let replicate = if replicate == 0 { String::new() } else { format!(", replicate {replicate}") };
        format!("candidate {candidate}{params}, fold {fold}{replicate}")
    }

    /// The line of a fit under way.
    fn under_way(&self, task: Task, progress: Option<Progress>) -> String {
        let fit = self.fit(task.candidate, task.fold.unwrap_or(0), task.replicate);
        match progress {
            Some(Progress { done, of, loss }) => {
                format!("{fit}: epoch {done}/{of}, loss {}", significant(loss, 4))
            }
            None => fit,
        }
    }

    /// How long the fits that are left take, when they take as long as those that are done.
    fn left(&self, elapsed: Duration) -> Option<f64> {
        let left = self.fits.checked_sub(self.done).filter(|left| *left > 0)?;
        // Fits that a journal had took no time.
        Some(elapsed.as_secs_f64() / (self.done - self.restored) as f64 * left as f64)
    }

    /// The plain line of a fit.
    fn line(&self, row: &FitRow) -> String {
        let outcome = match (row.status.message(), row.test_scores.first()) {
            (Some(message), _) => format!("{}: {message}", row.status.name()),
            (None, Some(&score)) => format!("{} = {}", self.scorer, significant(score, 4)),
            (None, None) => row.status.name().into(),
        };
        let time = seconds(row.fit_seconds);
        let fit = self.fit(row.candidate, row.fold, row.replicate);
        format!("[{}/{}] {fit}: {outcome} ({time})", self.done, self.fits)
    }
}

impl SearchObserver for SearchProgress {
    fn search_started(&self, plan: &SearchPlan) {
        self.with(|state| {
            *state = State {
                candidates: plan.candidates.iter().map(ToString::to_string).collect(),
                scorer: plan.scorers.first().cloned().unwrap_or_default(),
                fits: plan.fits,
                started: Some(Instant::now()),
                ..State::default()
            };
            if std::io::stderr().is_terminal() {
                let style =
                    ProgressStyle::with_template("{bar:30} {pos}/{len} fits, {eta_precise} left{msg}");
                let lines = MultiProgress::new();
                let bar = lines.add(ProgressBar::new(plan.fits as u64));
                // The template is a constant; were it wrong, the default style would do.
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("█▉─"));
                state.bar = Some(bar);
                state.lines = Some((lines, BTreeMap::new()));
            } else {
                let (candidates, folds, threads) = (plan.candidates.len(), plan.folds, plan.threads);
                state.say(&format!(
                    "{candidates} candidates × {folds} folds = {} fits on {threads} threads",
                    plan.fits
                ));
            }
            plan.notes.iter().for_each(|note| state.say(note));
            if plan.restored > 0 {
                state.say(&format!("{} fits are restored from the journal", plan.restored));
            }
        });
    }

    fn candidates_added(&self, first: usize, candidates: &[Params]) {
        self.with(|state| {
            state.candidates.truncate(first);
            state.candidates.extend(candidates.iter().map(ToString::to_string));
        });
    }

    fn fit_started(&self, task: Task) {
        self.with(|state| {
            let text = state.under_way(task, None);
            if let Some((all, lines)) = &mut state.lines {
                let style = ProgressStyle::with_template("  {wide_msg}");
                let line = all.add(ProgressBar::new_spinner());
                line.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
                line.set_message(text);
                lines.insert(task, line);
            }
        });
    }

    fn fit_progress(&self, task: Task, progress: Progress) {
        self.with(|state| {
            if let Some(line) = state.lines.as_ref().and_then(|(_, lines)| lines.get(&task)) {
                line.set_message(state.under_way(task, Some(progress)));
            }
        });
    }

    fn fit_restored(&self, _: &FitRow) {
        self.with(|state| {
            state.done += 1;
            state.restored += 1;
            if let Some(bar) = &state.bar {
                bar.inc(1);
                // It took no time, and says nothing of the time that is left.
                bar.reset_eta();
            }
        });
    }

    fn fit_finished(&self, row: &FitRow) {
        self.with(|state| {
            if let Some((all, lines)) = &mut state.lines
                && let Some(line) = lines.remove(&row.task())
            {
                line.finish_and_clear();
                all.remove(&line);
            }
            state.done += 1;
            let failed = !row.status.is_fitted() && !row.status.is_stopped();
            state.failed += usize::from(failed);
            let line = state.line(row);
            match &state.bar {
                Some(bar) => {
                    if failed {
                        bar.println(line);
                        bar.set_message(format!(", {} failed", state.failed));
                    }
                    bar.inc(1);
                }
                None => {
                    let left = state.started.and_then(|started| state.left(started.elapsed()));
                    let left = left.map_or_else(String::new, |left| format!(", {} left", seconds(left)));
                    state.say(&format!("{line}{left}"));
                }
            }
        });
    }

    fn refit_started(&self, candidate: usize) {
        self.with(|state| {
            let params = state.candidates.get(candidate).cloned().unwrap_or_default();
            state.say(&format!("fitting candidate {candidate} ({params}) on all rows"));
        });
    }

    fn refit_finished(&self, candidate: usize, problem: Option<&str>) {
        if let Some(problem) = problem {
            self.with(|state| state.say(&format!("candidate {candidate} could not be fitted: {problem}")));
        }
    }

    fn search_finished(&self, _: &SearchResults) {
        self.with(|state| {
            if let Some(bar) = state.bar.take() {
                bar.finish();
            }
            state.lines = None;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model_selection::observer::Task;
    use crate::model_selection::results::FitStatus;

    #[test]
    fn a_line_names_candidate_fold_and_outcome() {
        let state = State {
            candidates: vec!["penalty=0.1".into()],
            scorer: "r2".into(),
            fits: 12,
            done: 7,
            ..State::default()
        };
        let mut row = FitRow::started(Task::new(0, Some(3)), 8, 4, 1);
        row.test_scores = vec![0.851_41];
        assert_eq!(state.line(&row), "[7/12] candidate 0 (penalty=0.1), fold 3: r2 = 0.8514 (0 µs)");
        row.status = FitStatus::Failed { message: "no".into() };
        assert_eq!(state.line(&row), "[7/12] candidate 0 (penalty=0.1), fold 3: failed: no (0 µs)");
    }

    #[test]
    fn a_fit_under_way_shows_epoch_and_loss_and_the_rest_is_estimated() {
        let state = State { candidates: vec!["a=1".into()], fits: 12, done: 4, ..State::default() };
        let task = Task::new(0, Some(2));
        assert_eq!(state.under_way(task, None), "candidate 0 (a=1), fold 2");
        let progress = Progress { done: 3, of: 10, loss: 0.125 };
        let task = Task { replicate: 1, ..task };
        assert_eq!(
            state.under_way(task, Some(progress)),
            "candidate 0 (a=1), fold 2, replicate 1: epoch 3/10, loss 0.1250"
        );
        assert_eq!(state.left(Duration::from_secs(2)), Some(4.0));
        assert_eq!(State { done: 12, fits: 12, ..State::default() }.left(Duration::from_secs(2)), None);
    }
}

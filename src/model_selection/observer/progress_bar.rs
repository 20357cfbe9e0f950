//! Progress of a search on standard error.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::PoisonError;

use indicatif::{ProgressBar, ProgressStyle};

use super::{SearchObserver, SearchPlan};
use crate::model_selection::results::{FitRow, Params, SearchResults, seconds, significant};

/// Shows how far a search is, on standard error: one bar on a terminal, else one plain line for each fit.
///
/// ```text
/// ████████████────────  72/120 fits, 00:41 left
/// [72/120] candidate 14 (penalty=0.1, l1_ratio=0.5), fold 2: r2 = 0.8514 (12.3 ms)
/// ```
#[derive(Debug, Default)]
pub struct SearchProgress {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bar: Option<ProgressBar>,
    candidates: Vec<String>,
    scorer: String,
    fits: usize,
    done: usize,
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

    /// The plain line of a fit.
    fn line(&self, row: &FitRow) -> String {
        let params = self.candidates.get(row.candidate).map_or("", String::as_str);
        let params = if params.is_empty() { String::new() } else { format!(" ({params})") };
        let outcome = match (row.status.message(), row.test_scores.first()) {
            (Some(message), _) => format!("{}: {message}", row.status.name()),
            (None, Some(&score)) => format!("{} = {}", self.scorer, significant(score, 4)),
            (None, None) => row.status.name().into(),
        };
        let time = seconds(row.fit_seconds);
        format!(
            "[{}/{}] candidate {}{params}, fold {}: {outcome} ({time})",
            self.done, self.fits, row.candidate, row.fold
        )
    }
}

impl SearchObserver for SearchProgress {
    fn search_started(&self, plan: &SearchPlan) {
        self.with(|state| {
            *state = State {
                candidates: plan.candidates.iter().map(ToString::to_string).collect(),
                scorer: plan.scorers.first().cloned().unwrap_or_default(),
                fits: plan.fits,
                ..State::default()
            };
            if std::io::stderr().is_terminal() {
                let style =
                    ProgressStyle::with_template("{bar:30} {pos}/{len} fits, {eta_precise} left{msg}");
                let bar = ProgressBar::new(plan.fits as u64);
                // The template is a constant; were it wrong, the default style would do.
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("█▉─"));
                state.bar = Some(bar);
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

    fn fit_restored(&self, _: &FitRow) {
        self.with(|state| {
            state.done += 1;
            if let Some(bar) = &state.bar {
                bar.inc(1);
                // It took no time, and says nothing of the time that is left.
                bar.reset_eta();
            }
        });
    }

    fn fit_finished(&self, row: &FitRow) {
        self.with(|state| {
            state.done += 1;
            state.failed += usize::from(!row.status.is_fitted());
            let line = state.line(row);
            match &state.bar {
                Some(bar) => {
                    if !row.status.is_fitted() {
                        bar.println(line);
                        bar.set_message(format!(", {} failed", state.failed));
                    }
                    bar.inc(1);
                }
                None => state.say(&line),
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
}

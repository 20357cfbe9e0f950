//! Which candidate is best, and whether it is fitted on all rows.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model_selection::results::{ScorerInfo, SearchResults};

/// A rule that chooses a candidate from the whole table.
type Rule = Arc<dyn Fn(&SearchResults) -> usize + Send + Sync>;

/// What a search does with its best candidate.
///
/// | given as | meaning |
/// | --- | --- |
/// | `true` (default) | the best mean of the first scorer, fitted on all rows |
/// | `"r2"` | the best mean of that scorer, fitted on all rows |
/// | [`Refit::by`] | the candidate that a rule names, fitted on all rows |
/// | `false` | the best mean of the first scorer, not fitted: there is no best model |
#[derive(Clone)]
pub struct Refit(Choice);

#[derive(Clone)]
enum Choice {
    No,
    First,
    Scorer(String),
    Rule(Rule),
}

impl Default for Refit {
    fn default() -> Self {
        Refit(Choice::First)
    }
}

impl From<bool> for Refit {
    fn from(refit: bool) -> Self {
        Refit(if refit { Choice::First } else { Choice::No })
    }
}

impl From<&str> for Refit {
    fn from(scorer: &str) -> Self {
        Refit(Choice::Scorer(scorer.into()))
    }
}

impl fmt::Debug for Refit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Choice::No => "No",
            Choice::First => "First",
            Choice::Scorer(name) => name,
            Choice::Rule(_) => "Rule",
        })
    }
}

impl Refit {
    /// A rule of one's own: it gets the whole table and names a candidate, from 0.
    #[must_use]
    pub fn by(rule: impl Fn(&SearchResults) -> usize + Send + Sync + 'static) -> Self {
        Refit(Choice::Rule(Arc::new(rule)))
    }

    pub(super) fn check(&self, scorers: &[ScorerInfo]) -> Result<()> {
        let Choice::Scorer(name) = &self.0 else { return Ok(()) };
        let names: Vec<&str> = scorers.iter().map(|scorer| scorer.name.as_str()).collect();
        let known = names.contains(&name.as_str());
        crate::error::check("refit", name, known, &format!("one of the scorers ({})", names.join(", ")))
    }

    /// The scorer that decides.
    pub(super) fn scorer(&self) -> Option<&str> {
        if let Choice::Scorer(name) = &self.0 { Some(name) } else { None }
    }

    /// The place of the scorer that decides.
    pub(super) fn place(&self, scorers: &[ScorerInfo]) -> usize {
        self.scorer().and_then(|name| scorers.iter().position(|info| info.name == name)).unwrap_or(0)
    }

    /// The best candidate and whether it shall be fitted on all rows, or why there is none.
    pub(super) fn choose(&self, results: &SearchResults) -> Result<(usize, bool), String> {
        let candidates = results.candidates().len();
        if let Choice::Rule(rule) = &self.0 {
            let rule = std::panic::AssertUnwindSafe(|| Ok::<_, Error>(rule(results)));
            let index = crate::model_selection::evaluation::guarded("the rule of refit", rule.0)
                .map_err(|error| error.to_string())?;
            return if index < candidates {
                Ok((index, true))
            } else {
                Err(format!("refit must name a candidate below {candidates}, but named {index}"))
            };
        }
        let scorer = self.scorer().and_then(|name| results.scorer(name)).unwrap_or(0);
        let best = results.best(scorer);
        let index = best.ok_or_else(|| "no candidate was scored in every fold".to_string())?;
        Ok((index, !matches!(self.0, Choice::No)))
    }
}

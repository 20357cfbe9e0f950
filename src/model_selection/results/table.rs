//! The ranked table in the terminal.

use std::fmt;

use super::{CandidateSummary, SearchResults, student_t};

/// On which side a column's cells stand.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Rows of text in aligned columns under a ruled heading.
pub(crate) struct Table {
    heads: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(heads: Vec<(String, Align)>) -> Self {
        Table { heads, rows: Vec::new() }
    }

    pub(crate) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<usize> = self
            .heads
            .iter()
            .enumerate()
            .map(|(column, (head, _))| {
                self.rows.iter().map(|row| width(&row[column])).chain([width(head)]).max().unwrap_or(0)
            })
            .collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| -> String {
            let cells = cells.zip(&self.heads).zip(&widths).map(|((cell, (_, align)), &width)| match align {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
        };
        writeln!(f, "{}", line(&mut self.heads.iter().map(|(head, _)| head.as_str())))?;
        let rules: Vec<String> = widths.iter().map(|&width| "─".repeat(width)).collect();
        writeln!(f, "{}", rules.join("  "))?;
        for row in &self.rows {
            writeln!(f, "{}", line(&mut row.iter().map(String::as_str)))?;
        }
        Ok(())
    }
}

/// A number in about `digits` significant digits, without an exponent where that stays short.
pub(crate) fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let magnitude = value.abs().log10().floor() as i32;
    if !(-5..10).contains(&magnitude) {
        return format!("{value:.*e}", digits - 1);
    }
    let decimals = (digits as i32 - 1 - magnitude).max(0) as usize;
    format!("{value:.decimals$}")
}

fn status(candidate: &CandidateSummary) -> String {
    let part =
        |count: usize, name: &str| (count > 0).then(|| format!("{count} of {} {name}", candidate.fits));
    let parts: Vec<String> = [
        part(candidate.failed, "failed"),
        part(candidate.diverged, "diverged"),
        part(candidate.stopped, "stopped"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() { "ok".into() } else { parts.join(", ") }
}

/// `mean ± std`, both to the same number of decimals.
pub(crate) fn mean_std(mean: f64, std: f64) -> String {
    if mean.is_nan() {
        return "–".into();
    }
    let mean = significant(mean, 4);
    let decimals = mean.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    if mean.contains('e') {
        format!("{mean} ± {}", significant(std, 2))
    } else {
        format!("{mean} ± {std:.decimals$}")
    }
}

/// What stands behind the ± of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spread {
    /// The standard deviation over the folds.
    #[default]
    Std,
    /// Half of the 95 % confidence interval of the mean, by Student's t and corrected for training rows that overlap, as in
    /// [`Comparison`](super::Comparison).
    Interval95,
}

/// A [`SearchResults`] as a table; see [`SearchResults::table`].
#[derive(Clone, Copy, Debug)]
pub struct ResultsTable<'a> {
    results: &'a SearchResults,
    spread: Spread,
}

impl SearchResults {
    /// The ranked table with a choice of what stands behind ±. `Display` of the results themselves shows the standard
    /// deviation.
    ///
    /// ```
    /// # use linfa::traits::Fit;
    /// # use linfa_elasticnet::ElasticNet;
    /// # use linfa_mlp::model_selection::{GridSearch, KFold, Spread};
    /// # let search = GridSearch::new(ElasticNet::params())
    /// #     .axis("penalty", [0.01, 0.1], |p, v| p.penalty(v))
    /// #     .cv(KFold::new(5))
    /// #     .fit(&linfa_datasets::diabetes())?;
    /// let table = search.results().table(Spread::Interval95).to_string();
    /// assert_ne!(table, search.results().to_string());
    /// # Ok::<(), linfa_mlp::Error>(())
    /// ```
    #[must_use]
    pub fn table(&self, spread: Spread) -> ResultsTable<'_> {
        ResultsTable { results: self, spread }
    }

    fn spread(&self, spread: Spread, scorer: usize, candidate: &CandidateSummary) -> f64 {
        match spread {
            Spread::Std => candidate.test[scorer].std,
            Spread::Interval95 => self
                .standard_error(scorer, candidate.candidate)
                .map_or(f64::NAN, |(folds, error)| student_t::quantile(0.95, folds - 1) * error),
        }
    }
}

/// As the [table](SearchResults::table) with standard deviations.
impl fmt::Display for SearchResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table(Spread::Std).fmt(f)
    }
}

/// The candidates from best to worst by the first scorer: rank, the parameters that are not the same everywhere, mean ±
/// spread of each score, the resource of a search in rungs, seconds of a fit, and how the fits ended. Below, the
/// first fit that failed, and whether the space was exhausted.
impl fmt::Display for ResultsTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ResultsTable { results, spread } = *self;
        let value = |candidate: &CandidateSummary, axis: &str| {
            candidate.params.get(axis).map(|value| value.to_string())
        };
        let changes = |axis: &&String| {
            results
                .candidates
                .iter()
                .any(|candidate| value(candidate, axis) != value(&results.candidates[0], axis))
        };
        let axes: Vec<&String> = results.axes.iter().filter(changes).collect();

        let mut heads = vec![("rank".to_string(), Align::Right)];
        heads.extend(axes.iter().map(|axis| (axis.to_string(), Align::Left)));
        for scorer in &results.scorers {
            heads.push((scorer.name.clone(), Align::Right));
            if results.candidates.iter().any(|candidate| candidate.train.is_some()) {
                heads.push((format!("train {}", scorer.name), Align::Right));
            }
        }
        let with_resource = results.candidates.iter().any(|candidate| candidate.resource.is_some());
        if with_resource {
            heads.push(("resource".to_string(), Align::Right));
        }
        heads.extend([("fit time".to_string(), Align::Right), ("status".to_string(), Align::Left)]);

        let mut table = Table::new(heads);
        let with_train = results.candidates.iter().any(|candidate| candidate.train.is_some());
        for candidate in results.ranked(0) {
            let mut row = vec![candidate.test.first().map_or(0, |score| score.rank).to_string()];
            row.extend(axes.iter().map(|axis| value(candidate, axis).unwrap_or_else(|| "–".into())));
            for (place, score) in candidate.test.iter().enumerate() {
                row.push(mean_std(score.mean, results.spread(spread, place, candidate)));
                if with_train {
                    let train = candidate.train.as_ref().map(|train| train[place]);
                    row.push(train.map_or_else(|| "–".into(), |train| mean_std(train.mean, train.std)));
                }
            }
            if with_resource {
                row.push(candidate.resource.map_or_else(|| "–".into(), |resource| resource.to_string()));
            }
            row.extend([seconds(candidate.fit_seconds.mean), status(candidate)]);
            table.push(row);
        }
        table.fmt(f)?;
        if let Some(first) = results.first_failure() {
            let failed = results.rows.iter().filter(|row| row.status.is_failure()).count();
            let (all, message) = (results.rows.len(), first.status.message().unwrap_or_default());
            let params = &results.candidates[first.candidate].params;
            write!(f, "{failed} of {all} fits failed; the first: candidate {} ({params})", first.candidate)?;
            writeln!(f, ", fold {}: {message}", first.fold)?;
        }
        if let Some(asked) = results.exhausted() {
            writeln!(f, "all {} candidates of the space; {asked} were asked for", results.candidates.len())?;
        }
        Ok(())
    }
}

/// A duration in the unit that suits it.
pub(crate) fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.0} µs", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s if s < 100.0 => format!("{s:.2} s"),
        s => format!("{:.1} min", s / 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_ranked_and_aligned() {
        let text = super::super::summary::tests::example().to_string();
        let expected = "\
rank  penalty              r2              loss  fit time  status
────  ───────  ──────────────  ────────────────  ────────  ───────────────
   1  0.2      0.7500 ± 0.0000  -0.7500 ± 0.0000      0 µs  ok";
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0].split_whitespace().collect::<Vec<_>>(),
            expected.lines().next().unwrap().split_whitespace().collect::<Vec<_>>()
        );
        assert_eq!(lines[2], expected.lines().last().unwrap());
        assert!(lines[5].ends_with("1 of 2 diverged") && lines[5].contains('–'), "{text}");
        assert!(lines[1..6].iter().all(|line| width(line) <= width(lines[1])), "{text}");
        let failure = "1 of 8 fits failed; the first: candidate 2 (penalty=0.3), fold 1: too fast, far";
        assert_eq!(lines[6..], [failure]);
    }

    #[test]
    fn the_interval_is_students_and_corrected() {
        // Scores ½ and ¾ in 2 folds of 8 training and 4 test rows: s² = 1/32, and √((½ + ½)/32) · 12.7062 = 2.24616.
        let text = super::super::summary::tests::example().table(Spread::Interval95).to_string();
        assert!(text.contains("0.6250 ± 2.2462"), "{text}");
    }

    #[test]
    fn an_exhausted_space_is_told() {
        let results = super::super::summary::tests::example();
        assert!(results.clone().asked(Some(4)).exhausted().is_none());
        let text = results.asked(Some(9)).to_string();
        assert_eq!(text.lines().last(), Some("all 4 candidates of the space; 9 were asked for"));
    }

    #[test]
    fn numbers_keep_four_significant_digits() {
        for (value, text) in
            [(0.123_456, "0.1235"), (-12.3456, "-12.35"), (1234.5, "1234"), (0.0, "0"), (1.5e-9, "1.500e-9")]
        {
            assert_eq!(significant(value, 4), text);
        }
        assert_eq!(significant(f64::NAN, 4), "NaN");
        assert_eq!(
            (seconds(0.0123), seconds(90.0), seconds(600.0)),
            ("12.3 ms".into(), "90.00 s".into(), "10.0 min".into())
        );
    }
}

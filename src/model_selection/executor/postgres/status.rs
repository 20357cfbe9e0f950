//! What a study looks like while it runs.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::session::Server;
use crate::error::Result;
use crate::model_selection::results::{Align, ParamValue, Table, mean_std};

/// A study of the database, as it was when it was read. `Display` prints a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StudyStatus {
    /// Its name.
    pub study: String,
    /// Its candidates in the order in which they were proposed; in a search with rungs, once for each rung that they entered.
    pub candidates: Vec<CandidateStatus>,
}

/// A candidate of a study: a line of the view `mlp_candidates`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CandidateStatus {
    /// Its parameters, as JSON.
    pub params: String,
    /// How far it is trained: epochs, updates or rows, in a search with rungs.
    pub resource: Option<i64>,
    /// Its fits.
    pub fits: i64,
    /// Those that are finished.
    pub done: i64,
    /// Those under way.
    pub running: i64,
    /// Those that failed, diverged or were given up.
    pub failed: i64,
    /// The mean of the first scorer over the finished fits.
    pub mean: Option<f64>,
    /// Its standard deviation.
    pub std: Option<f64>,
}

impl StudyStatus {
    /// All its fits, and how many of them have their row.
    #[must_use]
    pub fn fits(&self) -> (i64, i64) {
        let sum = |of: fn(&CandidateStatus) -> i64| self.candidates.iter().map(of).sum();
        (sum(|one| one.fits), sum(|one| one.done + one.failed))
    }
}

impl fmt::Display for StudyStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (fits, done) = self.fits();
        writeln!(f, "study {}: {done} of {fits} fits are done", self.study)?;
        let numbers = ["fits", "done", "running", "failed", "score"];
        let mut heads = vec![("params".to_string(), Align::Left), ("resource".to_string(), Align::Right)];
        heads.extend(numbers.map(|name| (name.to_string(), Align::Right)));
        let mut table = Table::new(heads);
        for (one, params) in self.candidates.iter().zip(shown(&self.candidates)) {
            let score = one.mean.zip(one.std).map_or_else(String::new, |(mean, std)| mean_std(mean, std));
            let resource = one.resource.map_or_else(String::new, |resource| resource.to_string());
            let counts = [one.fits, one.done, one.running, one.failed].map(|count| count.to_string());
            let mut cells = vec![params, resource];
            cells.extend(counts);
            cells.push(score);
            table.push(cells);
        }
        table.fmt(f)
    }
}

/// The values of parameters, in the order in which they were written.
struct Written(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of parameters")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Written, M::Error> {
                let mut values = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    values.push(entry);
                }
                Ok(Written(values))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// The parameters as the table of a search shows them: of each value what tells it from the others of its axis.
fn shown(candidates: &[CandidateStatus]) -> Vec<String> {
    let read = |one: &CandidateStatus| serde_json::from_str::<Written>(&one.params).map(|written| written.0);
    let written: Vec<_> = candidates.iter().map(|one| read(one).unwrap_or_default()).collect();
    let mut axes: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (name, value) in written.iter().flatten() {
        let values = axes.entry(name).or_default();
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    let text = |name: &str, value: &Value| {
        let values = &axes[name];
        let place = values.iter().position(|other| other == value)?;
        Some(ParamValue::of_axis(values).ok()?[place].text().to_string())
    };
    let line = |params: &Vec<(String, Value)>| {
        let texts = params.iter().map(|(name, value)| Some(format!("{name}={}", text(name, value)?)));
        texts.collect::<Option<Vec<_>>>().map(|texts| texts.join(", "))
    };
    let or_json = |(one, params): (&CandidateStatus, &Vec<(String, Value)>)| {
        line(params).filter(|line| !line.is_empty()).unwrap_or_else(|| one.params.clone())
    };
    candidates.iter().zip(&written).map(or_json).collect()
}

/// The study of that name, if there is one.
pub(super) fn read(server: &Server, study: &str) -> Result<Option<StudyStatus>> {
    let read = || -> Result<_, postgres::Error> {
        let mut link = server.connect()?;
        let there = link.rows("SELECT id FROM mlp_study WHERE name = $1", &[&study])?;
        let sql = "SELECT params, resource, fits, done, running, failed, mean_test_score, std_test_score \
                   FROM mlp_candidates WHERE study = $1 ORDER BY first";
        Ok((there.is_empty(), link.rows(sql, &[&study])?))
    };
    let (missing, rows) = read().map_err(|error| server.error("cannot read a study in", error))?;
    let candidate = |row: &postgres::Row| CandidateStatus {
        params: row.get(0),
        resource: row.get(1),
        fits: row.get(2),
        done: row.get(3),
        running: row.get(4),
        failed: row.get(5),
        mean: row.get(6),
        std: row.get(7),
    };
    let candidates = rows.iter().map(candidate).collect();
    Ok((!missing).then(|| StudyStatus { study: study.to_string(), candidates }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_shown_by_what_tells_them_apart() {
        let one = |params: &str| CandidateStatus {
            params: params.into(),
            resource: None,
            fits: 5,
            done: 0,
            running: 0,
            failed: 0,
            mean: None,
            std: None,
        };
        let adam = |rate: f64| format!(r#"{{"optimizer":{{"name":"adam","rate":{rate}}},"hidden":[32]}}"#);
        let texts = shown(&[one(&adam(0.1)), one(&adam(0.01)), one("no JSON")]);
        assert_eq!(texts[2], "no JSON");
        assert!(texts[0].starts_with("optimizer=adam") && texts[0].ends_with("hidden=[32]"), "{texts:?}");
        assert!(texts[0].contains("0.1") && texts[1].contains("0.01"), "{texts:?}");
    }
}
